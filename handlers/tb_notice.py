"""入户通知: a TB patient was notified to the village; the 72 hours of the first home visit begin (domain.md A4, M-26).

Typed by the doctor or the township: 入户通知 罗丽, 入户通知 罗丽 11月23号 14点. The illness is not named (promise 9).
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from handlers import residents
from handlers.reading import dates
from handlers.reading.normalise import tidy
from handlers.turn import Turn
from models import registry
from models.enrolment import VISITED, Enrolment
from models.message import Choice, mark_name
from models.people import Resident
from models.services import FIRST_VISIT_DAYS

PROGRAMME = "tb"
_HOUR = re.compile(r"(?<!\d)([01]?\d|2[0-4])\s*(?:点|时|:\d\d)")
EXAMPLE = "例如:入户通知 罗丽,或 入户通知 罗丽 11月23号 14点"


def take_notice(turn: Turn, words: str) -> None:
    """Begin the term for one resident; whoever is being treated already stays as they are."""
    match = residents.find_in_line(turn, words) if words else None
    if match is None:
        turn.say(f"通知的是哪一位?{EXAMPLE}。新居民先发“建档”。", [Choice("register", "建档")])
        return
    if not match.is_sure:
        people = [r for r in map(turn.resident, match.ids) if r]
        turn.say(
            "是哪一位?点一位:",
            [Choice(f"notice.{r.id}", f"{mark_name(r.name)} {residents.describe(turn, r)}") for r in people[:8]],
        )
        return
    resident = turn.resident(match.ids[0])
    assert resident is not None
    rest = tidy(words).replace(match.said, " ", 1)
    found = dates.find_day(rest, turn.said_on)
    on = next((day.on for day in found if day.on), None) or turn.said_on
    hour = _HOUR.search(rest)
    _begin(turn, resident, on, int(hour[1]) if hour else None)


def choose(turn: Turn, rest: str) -> None:
    """One of several of that name, by button: notified today."""
    resident = turn.resident(int(rest)) if rest.isdigit() else None
    if resident is None:
        turn.say("这位居民不在您负责的范围里了。", [Choice("today", "今日")])
    else:
        _begin(turn, resident, turn.today, None)


def _begin(turn: Turn, resident: Resident, on: date, hour: int | None) -> None:
    name = mark_name(resident.name)
    if resident.status not in VISITED:
        turn.say(f"{name}已登记为不在管,没有记。登记有误请联系公卫科更正。", [Choice("today", "今日")])
        return
    if on > turn.today:
        turn.say(f"通知日期{on}还没到(今天是{turn.today}),请再发一次。{EXAMPLE}。")
        return
    standing = turn.enrolments(resident.id).get(PROGRAMME)
    if standing is not None and standing.ended_on is None and "treatment_started_on" in standing.details:
        turn.say(f"{name}已经在管,不用再入户登记。", [Choice(f"visit.{resident.id}", "随访")])
        return
    last = on + timedelta(days=FIRST_VISIT_DAYS[PROGRAMME])
    enrolment: Enrolment = registry.enrol(turn.session, resident, PROGRAMME, since=on, next_due_on=last)
    enrolment.next_due_on = last
    enrolment.details = {"notified_on": on.isoformat(), **({"notified_hour": hour} if hour is not None else {})}
    turn.forget_enrolments(resident.id)
    registry.audit(turn.session, "enrolment.notified", resident, turn.now, turn.worker.id, {"on": on.isoformat()})
    until = f"{last} {hour}点" if hour is not None else f"{last} 24点"
    turn.say(
        f"✅ 已记下:{name} {on}收到通知,{until}前要首次入户,到时会提醒。", [Choice(f"visit.{resident.id}", "现在记录")]
    )
