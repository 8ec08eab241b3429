"""今日 and 逾期: whom to visit, most urgent first, then by village group so that the walk makes sense."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import aliased

from handlers import appointments, filling, referrals, residents
from handlers.asking import ask
from handlers.decisions import Urgency
from handlers.evaluation import plainly_known
from handlers.form import Form
from handlers.menu import form_due
from handlers.turn import Turn
from models.conversation import Draft
from models.enrolment import SEEN_TOGETHER, DueVisit, Enrolment, due_visits, open_windows
from models.message import Choice, mark_name
from models.people import SEX_TITLES, HealthWorker, Organisation, Resident
from models.services import DISCREET, PROGRAMMES

PER_PAGE = 8
DOCTORS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One resident on a worklist, with every programme that is due."""

    visits: tuple[DueVisit, ...]

    @property
    def resident_id(self) -> int:
        return self.visits[0].resident_id

    def is_late(self, today: date) -> bool:
        return any(v.days_late(today) > 0 for v in self.visits)

    @property
    def rank(self) -> int:
        """How urgent the most urgent of its visits is; 0 is an emergency."""
        return min(Urgency(v.urgency).rank for v in self.visits)

    def order(self) -> tuple[int, int, tuple[int, str], date, int]:
        """The urgent first; then village by village and group by group, so that a walk makes sense."""
        first = self.visits[0]
        due_on = min(v.due_on for v in self.visits)
        return self.rank, first.village_id, in_order(first.village_group), due_on, first.resident_id

    def text(self, today: date, villages: dict[int, str]) -> str:
        first = self.visits[0]
        age = residents.how_old(first.born_on, today)
        what = "、".join(PROGRAMMES[v.programme] for v in self.visits)
        late = max(v.days_late(today) for v in self.visits)
        when = f"逾期{late}天" if late > 0 else "今天到期" if late == 0 else f"{-late}天后到期"
        if late < 0 and any(v.due_from is not None and v.due_from <= today for v in self.visits):
            when = f"{min(v.due_on for v in self.visits):%m-%d}前都可访"
        mark = {0: "🔴", 1: "🟠"}.get(self.rank, "")
        where = villages.get(first.village_id, "") + (first.village_group or "")
        return f"{mark}{mark_name(first.name)} {SEX_TITLES.get(first.sex or '', '')}{age} {where} {what} {when}"


def in_order(group: str | None) -> tuple[int, str]:
    """2组 before 10组; whoever has no group last."""
    number = re.search(r"\d+", group or "")
    return (int(number[0]), group or "") if number else (1000, group or "")


def lines_of(visits_due: Sequence[DueVisit]) -> list[Line]:
    """Visits grouped by resident, most urgent first."""
    grouped: dict[int, list[DueVisit]] = {}
    for visit in visits_due:
        grouped.setdefault(visit.resident_id, []).append(visit)
    return sorted((Line(tuple(visits)) for visits in grouped.values()), key=Line.order)


@dataclass(frozen=True, slots=True)
class Only:
    """A part of a worklist: 逾期 高血压, 今日 石桥村 3组."""

    programme: str | None = None
    village_id: int | None = None
    group: int | None = None

    def holds(self, line: Line) -> bool:
        first = line.visits[0]
        return (self.village_id in (None, first.village_id)) and (
            self.group in (None, in_order(first.village_group)[0])
        )

    def title(self, turn: Turn) -> str:
        village = dict(turn.villages).get(self.village_id or 0, "")
        group = f"{self.group}组" if self.group else ""
        return " ".join(filter(None, (village + group, _open_title(self.programme))))

    @property
    def code(self) -> str:
        return f"{self.programme or '-'}.{self.village_id or 0}.{self.group or 0}"


def only(turn: Turn, words: str) -> Only:
    """What the words after 今日 or 逾期 leave of the list."""
    programme = next((code for code, name in PROGRAMMES.items() if words and name in words), None)
    programme = programme or next((code for code, name in PROGRAMMES.items() if words and words in name), None)
    village = next((key for key, name in turn.villages if words and name.removesuffix("村") in words), None)
    group = re.search(r"(\d{1,2})\s*组", words)
    return Only(programme, village, int(group[1]) if group else None)


_LISTS = {"today": ("今日待访", timedelta()), "overdue": ("逾期未访", timedelta(days=-1))}


def _open_title(programme: str | None) -> str:
    """A programme's title where it stands in a message's first line, or nothing (promise 9)."""
    return "" if programme in DISCREET else PROGRAMMES.get(programme or "", "")


def today(turn: Turn, words: str = "") -> None:
    """今日: due today, everything overdue, what may be made from now on, and what was appointed."""
    if not words:
        appointments.tell(turn)
    _show(turn, "today", "今日待访", turn.today, only(turn, words), 0)


def overdue(turn: Turn, words: str = "") -> None:
    """逾期: past due, however long ago."""
    _show(turn, "overdue", "逾期未访", turn.today - timedelta(days=1), only(turn, words), 0)


def page(turn: Turn, kind: str, rest: str) -> None:
    """The next page of a list: '<programme or ->.<village or 0>.<group or 0>.<start>'."""
    programme, village, group, start = [*rest.split("."), "", "", "", "0"][:4]
    part = Only(programme if programme in PROGRAMMES else None, int(village or 0) or None, int(group or 0) or None)
    title, last = _LISTS["overdue" if kind == "overdue" else "today"]
    _show(turn, kind, title, turn.today + last, part, int(start or 0))


def _show(turn: Turn, kind: str, title: str, last: date, part: Only, start: int) -> None:
    visits = [*due_visits(turn.session, turn.scope, last=last, programme=part.programme)]
    if kind == "today":
        visits += open_windows(turn.session, turn.scope, turn.today, programme=part.programme)
    lines = [line for line in lines_of(visits) if part.holds(line)]
    if not turn.scope.names:
        turn.numbers_only("\n".join([f"{title} {turn.today}:{len(lines)}位", *_by_township(turn, lines)]))
        return
    doctors = _by_doctor(turn, lines) if start == 0 and turn.scope.villages is None else []
    open_ones = referrals.to_ask(turn.session, turn.scope, turn.today) if start == 0 and kind == "today" else []
    if not lines and not open_ones:
        coming = due_visits(turn.session, turn.scope, first=turn.today, last=turn.today + timedelta(days=7))
        soon = len([line for line in lines_of(coming) if part.holds(line)])
        turn.say(f"{title}:{part.title(turn)}没有。" + (f"今后7天有{soon}位到期。" if soon else ""), _else(kind))
        return
    shown = lines[start : start + PER_PAGE]
    villages = dict(turn.villages) if len(turn.villages) > 1 else {}
    texts = [f"{n}. {line.text(turn.today, villages)}" for n, line in enumerate(shown, start + 1)]
    scope = f"第{start + 1}到{start + len(shown)}位" if len(lines) > PER_PAGE else ""
    head = " ".join(filter(None, (f"{title} {turn.today}", part.title(turn)))) + f":{len(lines)}位 {scope}"
    choices = [
        Choice(f"visit.{line.resident_id}", f"{n} {mark_name(line.visits[0].name)}", str(n))
        for n, line in enumerate(shown, start + 1)
    ]
    if start + PER_PAGE < len(lines):
        choices.append(Choice(f"page.{kind}.{part.code}.{start + PER_PAGE}", "下一页"))
    turn.say("\n".join([head.rstrip(), *doctors, *texts]) if lines else head, choices)
    for referral, name in open_ones:
        referrals.ask(turn, referral, name)


def _by_township(turn: Turn, lines: Sequence[Line]) -> list[str]:
    """How many each township has, the most first."""
    village, township = aliased(Organisation), aliased(Organisation)
    above: dict[int, str] = dict(
        turn.session.execute(
            select(village.id, township.name)
            .join(township, township.id == village.parent_id)
            .where(village.id.in_({line.visits[0].village_id for line in lines}))
        ).all()
    )
    counted = Counter(above.get(line.visits[0].village_id, "县直") for line in lines)
    return [f"{name} {count}位" for name, count in counted.most_common()]


def _by_doctor(turn: Turn, lines: Sequence[Line]) -> list[str]:
    """For who watches over many villages: which doctor has how many, before the names."""
    whose = (
        select(Resident.id, HealthWorker.name)
        .join(HealthWorker, HealthWorker.id == Resident.worker_id)
        .where(Resident.id.in_([line.resident_id for line in lines]))
    )
    of: dict[int, str] = dict(turn.session.execute(whose).all())
    counted = Counter(of.get(line.resident_id, "没有责任医生") for line in lines)
    if len(counted) < 2:
        return []
    most = "、".join(f"{name}{count}" for name, count in counted.most_common(DOCTORS_SHOWN))
    return [f"村医:{most}" + ("等" if len(counted) > DOCTORS_SHOWN else "")]


def _else(kind: str) -> list[Choice]:
    return [Choice("overdue", "逾期")] if kind == "today" else [Choice("today", "今日")]


def choose_visit(turn: Turn) -> None:
    """随访: whom? The due ones as buttons, anybody else by name."""
    if not turn.scope.names:
        turn.numbers_only()
        return
    lines = lines_of(due_visits(turn.session, turn.scope, last=turn.today + timedelta(days=7)))[:PER_PAGE]
    choices = [
        Choice(f"visit.{line.resident_id}", f"{n} {mark_name(line.visits[0].name)}", str(n))
        for n, line in enumerate(lines, 1)
    ]
    texts = [f"{n}. {line.text(turn.today, {})}" for n, line in enumerate(lines, 1)]
    turn.say("\n".join(["随访哪一位?点下面的按钮,或直接发姓名和数值,例如:张桂兰 152/94 规律服药", *texts]), choices)


def open_visit(turn: Turn, resident_id: int) -> None:
    """Open the visit of one resident: one draft for each programme with a form, asked together."""
    resident = turn.resident(resident_id)
    if resident is None:
        turn.say("这位居民不在您负责的范围里了。发“今日”看现在的名单。", [Choice("today", "今日")])
        return
    resident_id = resident.id
    if any(draft.resident_id == resident_id for draft in turn.conversation.drafts):
        ask(turn)
        return
    due = _due(turn, resident)
    services = list(dict.fromkeys(form.code for form, _ in due))
    if not services:
        turn.say(
            f"{mark_name(resident.name)}没有需要随访的管理项目。要记血压请直接发:姓名 血压。", [Choice("today", "今日")]
        )
        return
    before = "上一张没填完的表还在,填完这位再接着填。" if turn.conversation.is_open else ""
    drafts = [Draft(service, resident_id) for service in services]
    drafts += [draft for _, enrolment in due for draft in _together(turn, enrolment)]
    filling.open_drafts(turn, drafts, first=True)
    ask(turn, before=before)


def _due(turn: Turn, resident: Resident) -> list[tuple[Form, Enrolment]]:
    """What is due of somebody within two weeks, with its form; all there is, where nothing is.

    A revisit that today's visit made due, in two weeks to the day, is not yet.
    """
    enrolments = turn.session.scalars(
        select(Enrolment)
        .where(Enrolment.resident_id == resident.id, Enrolment.ended_on.is_(None))
        .order_by(Enrolment.next_due_on)
    ).all()
    soon = turn.today + timedelta(days=14)
    due = [e for e in enrolments if any(day is not None and day < soon for day in (e.next_due_on, e.due_from))]
    known = plainly_known(turn, resident)
    forms = [(form_due(e.programme, e.next_service, known), e) for e in due or enrolments]
    return [(form, enrolment) for form, enrolment in forms if form is not None]


def _together(turn: Turn, enrolment: Enrolment) -> list[Draft]:
    """The visits of others that are made on the same errand, as far as they are due: a newborn's with its mother's."""
    drafts = []
    for resident_id, service in enrolment.details.get(SEEN_TOGETHER, ()):
        other = turn.resident(resident_id)
        if other is not None and any(
            e.next_service == service and form.code == service for form, e in _due(turn, other)
        ):
            drafts.append(Draft(service, other.id))
    return drafts
