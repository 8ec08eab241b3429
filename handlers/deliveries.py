"""送达: what was to be said unasked and in answer, what arrived, what did not and why; by kind of message and by person.

Supervisors see the workers below them, a doctor only themselves. What a message said is shown to nobody here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import select

from handlers.areas import Area, areas_in, find_area
from handlers.delivery_words import tally, why
from handlers.reading.periods import find_period
from models.deliveries import Asked, Counted, counted
from models.message import Choice
from models.outbox import TITLES
from models.people import HealthWorker, Organisation, Role

if TYPE_CHECKING:
    from handlers.turn import Turn

K = TypeVar("K", bound=Hashable)
SHOWN = 8  # failures named under the figures
PAGE = 20
OFFERED = 8
FOOTNOTE = "“已送”是平台已经收下,不等于已经看过。"
_FAILED = re.compile(r"失败|送不到|(?:没有?|没能|未)(?:送|收|发)?[达到]")
_FILLER = re.compile(r"(?:看看|看一下|看|查一下|提醒|消息|情况|怎么样|有哪些|有没有|哪些|了没有|没有|[的了吗\W])+")


@dataclass(frozen=True, slots=True)
class Shown:
    """Whose messages of which days; `area` 0 is the viewer's own."""

    area: int
    first: date
    last: date

    @property
    def rest(self) -> str:
        """As it travels in a button."""
        return f"{self.area}.{self.first:%Y%m%d}.{self.last:%Y%m%d}"

    @property
    def days(self) -> str:
        return str(self.first) if self.first == self.last else f"{self.first}至{self.last}"


def show(turn: Turn, words: str) -> None:
    """Answer 送达 with whatever words followed: a day or period (today when left out), an area or somebody's name, 失败."""
    period, rest = find_period(words, turn.today) or (None, words)
    first, last = (period.first, period.last) if period else (turn.today, turn.today)
    view = "failed" if _FAILED.search(rest) else "kind"
    shown, said = Shown(0, first, last), _FILLER.sub("", _FAILED.sub("", rest))
    areas = areas_in(turn.session, turn.scope)
    found = find_area(areas, said) if said and turn.worker.role != Role.DOCTOR else None
    if found is None or (len(found.areas) == 1 and found.sure):
        press(turn, f"{view}.{Shown(found.areas[0].id if found else 0, first, last).rest}")
    elif found.areas:
        turn.say(
            f"“{said[:20]}”是哪一个?", [_button(view, area.name, _of(area, shown)) for area in found.areas[:OFFERED]]
        )
    elif not _of_somebody(turn, shown, said):
        turn.say(
            f"没找到“{said[:20]}”。可以问:", [_button(view, area.name, _of(area, shown)) for area in areas[:OFFERED]]
        )


def _of_somebody(turn: Turn, shown: Shown, name: str) -> bool:
    """What was to be said to one worker below the viewer. False when nobody is called so."""
    place = _place(turn, shown)
    who = select(HealthWorker.id).where(HealthWorker.name == name, turn.scope.covers(HealthWorker.organisation_id))
    ids = set(turn.session.scalars(who))
    if place is None or not ids:
        return False
    found = [one for one in counted(turn.session, _asked(turn, shown, place), turn.now) if one.worker_id in ids]
    head = _titled(turn, shown, name)
    lines = [head, f"{tally(found)}。"] if found else [head, "这几天没有要发的消息。"]
    lines += [f"· {title} {tally(of)}" for title, of in _grouped(found, lambda one: TITLES.get(one.code, "其他提醒"))]
    lines += [f"· 没送到:{why('failed', one.reason)}" for one in found if one.outcome == "failed"]
    turn.say("\n".join([*lines, FOOTNOTE]), [_button("who", "按人看", shown)])
    return True


def press(turn: Turn, rest: str) -> None:
    """A button under the figures: by kind, by person, what failed alone, or another page of one of these."""
    view, _, more = rest.partition(".")
    parts = more.split(".")
    try:
        shown = Shown(int(parts[0]), date.fromisoformat(parts[1]), date.fromisoformat(parts[2]))
    except (IndexError, ValueError):
        show(turn, "")
        return
    start = int(parts[3]) if parts[3:] and parts[3].isdigit() else 0
    if view == "who":
        _by_person(turn, shown, start)
    elif view == "failed":
        _failed(turn, shown, start)
    else:
        _by_kind(turn, shown)


def _by_kind(turn: Turn, shown: Shown) -> None:
    place = _place(turn, shown)
    if place is None:
        return
    found = counted(turn.session, _asked(turn, shown, place), turn.now)
    head = _head(turn, shown, place)
    if not found:
        turn.say(f"{head}\n这几天没有要发的消息。", _around(shown))
        return
    lines = [head, f"{tally(found)}。"]
    lines += [f"· {title} {tally(of)}" for title, of in _grouped(found, lambda one: TITLES.get(one.code, "其他提醒"))]
    failed = [one for one in found if one.outcome == "failed"]
    choices = [] if turn.worker.role == Role.DOCTOR else [_button("who", "按人看", shown)]
    if failed:
        lines += ["没送到的:", *map(_failure, failed[:SHOWN])]
    if len(failed) > SHOWN:
        lines.append(f"· 还有{len(failed) - SHOWN}项")
        choices.insert(0, _button("failed", "没送到的", shown))
    turn.say("\n".join([*lines, FOOTNOTE]), [*choices, *_around(shown)])


def _failed(turn: Turn, shown: Shown, start: int) -> None:
    """Only what did not arrive: whose, what, and why."""
    place = _place(turn, shown)
    if place is None:
        return
    found = counted(turn.session, _asked(turn, shown, place), turn.now)
    failed = sorted((one for one in found if one.outcome == "failed"), key=lambda one: (one.worker, one.worker_id))
    head, number = f"{_head(turn, shown, place)} · 没送到的", sum(one.count for one in failed)
    page = failed[start : start + PAGE]
    lines = [f"{head}{number}条:", *map(_failure, page)] if failed else [f"{head}:没有。"]
    more = [_button("failed", "下一页", shown, f".{start + PAGE}")] if len(failed) > start + PAGE else []
    turn.say("\n".join(lines), [*more, _button("kind", "按提醒看", shown), *_around(shown, "failed")])


def _failure(one: Counted) -> str:
    times = f"{one.count}条" if one.count > 1 else ""
    return f"· {one.worker} {TITLES.get(one.code, '其他提醒')}{times}:{why('failed', one.reason)}"


def _by_person(turn: Turn, shown: Shown, start: int) -> None:
    """Whoever something did not reach first."""
    place = _place(turn, shown)
    if place is None:
        return
    found = counted(turn.session, _asked(turn, shown, place), turn.now)
    people = _grouped(found, lambda one: (one.worker_id, one.worker))
    people.sort(key=lambda item: -sum(one.count for one in item[1] if one.outcome in ("failed", "waiting")))
    page = people[start : start + PAGE]
    lines = [f"{_head(turn, shown, place)} · 按人", *(f"· {name} {tally(of)}" for (_, name), of in page)]
    more = [_button("who", "下一页", shown, f".{start + PAGE}")] if len(people) > start + PAGE else []
    turn.say("\n".join([*lines, FOOTNOTE]), [*more, _button("kind", "按提醒看", shown)])


def _grouped(found: Iterable[Counted], key: Callable[[Counted], K]) -> list[tuple[K, list[Counted]]]:
    """Together what is of one kind or person, the most messages first."""
    groups: dict[K, list[Counted]] = {}
    for one in found:
        groups.setdefault(key(one), []).append(one)
    return sorted(groups.items(), key=lambda item: -sum(one.count for one in item[1]))


def _asked(turn: Turn, shown: Shown, place: Organisation) -> Asked:
    first = datetime.combine(shown.first, time(), turn.tz)
    end = datetime.combine(shown.last + timedelta(days=1), time(), turn.tz)
    own = turn.worker.id if turn.worker.role == Role.DOCTOR else None
    return Asked(first, end, place.path, own)


def _place(turn: Turn, shown: Shown) -> Organisation | None:
    """The organisation, if the viewer may ask about it; otherwise that is said."""
    place = turn.session.get(Organisation, shown.area or turn.scope.organisation_id)
    if place is not None and (not shown.area or turn.scope.includes(place)):
        return place
    turn.say("这个地方不在您的辖区。", [Choice("delivered", "送达")])
    return None


def _head(turn: Turn, shown: Shown, place: Organisation) -> str:
    return _titled(turn, shown, turn.worker.name if turn.worker.role == Role.DOCTOR else place.name)


def _titled(turn: Turn, shown: Shown, whose: str) -> str:
    return f"送达 · {whose} · {shown.days}(截至{turn.now.astimezone(turn.tz):%m-%d %H:%M})"


def _around(shown: Shown, view: str = "kind") -> list[Choice]:
    """The day before what is shown, and the seven days up to it."""
    before = shown.first - timedelta(days=1)
    week = Shown(shown.area, shown.last - timedelta(days=6), shown.last)
    choices = [_button(view, "前一天", Shown(shown.area, before, before))]
    return choices if shown == week else [*choices, _button(view, "近7天", week)]


def _of(area: Area, shown: Shown) -> Shown:
    return Shown(area.id, shown.first, shown.last)


def _button(view: str, label: str, shown: Shown, more: str = "") -> Choice:
    return Choice(f"sent.{view}.{shown.rest}{more}", label)
