"""推迟: a visit that has to wait, with the reason. The reminder rests till then; the visit stays due and is still counted late."""

from __future__ import annotations

import re
from datetime import date, timedelta

from handlers import residents
from handlers.decisions import Urgency
from handlers.reading.dates import find_day
from handlers.steps import digits
from handlers.turn import Turn
from models.enrolment import Enrolment
from models.message import Choice, mark_name
from models.record import AuditEntry

MOST_DAYS = 30
WITHOUT_A_DAY = 7
REASONS = {"away": "外出", "hospital": "住院", "busy": "农忙", "agreed": "约好改天"}
_LENGTH = re.compile(r"(\d{1,2})\s*(天|日|周|个?星期|个?礼拜)(?!前)")


def snooze(turn: Turn, words: str) -> None:
    """`推迟 张桂兰 3天 走亲戚`; without a reason it is asked for, by buttons."""
    match = residents.find_in_line(turn, words) if words else None
    resident = turn.resident(match.ids[0]) if match and match.is_sure else None
    if match is None or resident is None:
        turn.say("推迟谁的随访?例如:推迟 张桂兰 3天 走亲戚。", [Choice("today", "今日")])
        return
    rest = digits(words.replace(match.said, " ", 1))
    until, rest = _until(rest, turn.today)
    reason = rest.strip(" ,。到")
    if (until - turn.today).days > MOST_DAYS or until <= turn.today:
        turn.say(f"最多推迟{MOST_DAYS}天,到 {turn.today + timedelta(days=MOST_DAYS)}。要更久的请记“外出”。")
    elif not reason:
        days = (until - turn.today).days
        buttons = [Choice(f"snooze.{resident.id}.{days}.{code}", word) for code, word in REASONS.items()]
        turn.say(f"{mark_name(resident.name)}推迟到{until},什么原因?", buttons)
    else:
        _rest(turn, resident.id, until, reason[:60])


def pressed(turn: Turn, rest: str) -> None:
    """A reason's button: '<resident>.<days>.<reason>'."""
    number, days, code = ([*rest.split("."), "", ""])[:3]
    if turn.resident(int(number or 0)) is None or not days.isdigit() or code not in REASONS:
        turn.say("这位居民不在您负责的范围里了。发“今日”看现在的名单。", [Choice("today", "今日")])
        return
    _rest(turn, int(number), turn.today + timedelta(days=min(int(days), MOST_DAYS)), REASONS[code])


def _until(text: str, today: date) -> tuple[date, str]:
    if length := _LENGTH.search(text):
        days = int(length[1]) * (1 if length[2] in "天日" else 7)
        return today + timedelta(days=days), text.replace(length[0], " ", 1)
    for day in find_day(text, today, "future"):
        if day.on is not None:
            return day.on, text[: day.start] + text[day.end :]
    return today + timedelta(days=WITHOUT_A_DAY), text


def _rest(turn: Turn, resident_id: int, until: date, reason: str) -> None:
    resident = turn.resident(resident_id)
    assert resident is not None
    open_now = [e for e in turn.enrolments(resident_id).values() if e.ended_on is None and e.next_due_on is not None]
    urgent = [e for e in open_now if Urgency(e.urgency) in (Urgency.EMERGENCY, Urgency.REFER)]
    if urgent:
        turn.say(f"{mark_name(resident.name)}上次需要转诊或紧急处理,不能推迟,请尽快访视。", [_visit(resident_id)])
        return
    if not open_now:
        turn.say(f"{mark_name(resident.name)}没有到期的随访,不用推迟。", [Choice("today", "今日")])
        return
    for enrolment in open_now:
        _note(turn, enrolment, until, reason)
    turn.say(f"好,{mark_name(resident.name)}推迟到{until}再提醒({reason})。", [Choice("today", "今日")])


def _note(turn: Turn, enrolment: Enrolment, until: date, reason: str) -> None:
    enrolment.snoozed_until = until
    details = {"until": until.isoformat(), "reason": reason, "programme": enrolment.programme}
    subject = f"resident:{enrolment.resident_id}"
    turn.session.add(
        AuditEntry(at=turn.now, worker_id=turn.worker.id, action="visit.snoozed", subject=subject, details=details)
    )


def _visit(resident_id: int) -> Choice:
    return Choice(f"visit.{resident_id}", "随访")
