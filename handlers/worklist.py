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
from handlers.areas import areas_in, named_in
from handlers.asking import ask
from handlers.decisions import Urgency
from handlers.evaluation import plainly_known
from handlers.form import Form
from handlers.menu import form_due
from handlers.turn import Turn
from models.conversation import Draft
from models.enrolment import SEEN_TOGETHER, DueVisit, Enrolment, due_visits, open_windows
from models.message import Choice, mark_name
from models.people import SEX_TITLES, HealthWorker, Organisation, Resident, Role
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
    """A part of a worklist: 逾期 高血压, 今日 石桥村 3组, and for who watches over many 逾期 托口镇, 逾期 李梅."""

    programme: str | None = None
    place_id: int | None = None
    """A village, or of a supervisor a township."""
    group: int | None = None
    worker_id: int | None = None

    def of(self, turn: Turn, lines: Sequence[Line]) -> list[Line]:
        """Those of the lines that belong to it."""
        found = [line for line in lines if self.group in (None, in_order(line.visits[0].village_group)[0])]
        if self.place_id is not None:
            place = turn.session.get_one(Organisation, self.place_id)
            below = select(Organisation.id).where(Organisation.path.between(place.path, place.path + "~"))
            villages = set(turn.session.scalars(below))
            found = [line for line in found if line.visits[0].village_id in villages]
        if self.worker_id is not None:
            theirs = select(Resident.id).where(
                Resident.worker_id == self.worker_id, Resident.id.in_([line.resident_id for line in found])
            )
            residents_of = set(turn.session.scalars(theirs))
            found = [line for line in found if line.resident_id in residents_of]
        return found

    def title(self, turn: Turn) -> str:
        place = turn.session.get(Organisation, self.place_id) if self.place_id else None
        worker = turn.session.get(HealthWorker, self.worker_id) if self.worker_id else None
        where = f"{place.name if place else ''}{f'{self.group}组' if self.group else ''}"
        return " ".join(filter(None, (where, worker.name if worker else "", _open_title(self.programme))))

    @property
    def code(self) -> str:
        return f"{self.programme or '-'}.{self.place_id or 0}.{self.group or 0}.{self.worker_id or 0}"


def only(turn: Turn, words: str) -> tuple[Only, str]:
    """What the words after 今日 or 逾期 leave of the list, and what of them was not understood."""
    if not words:
        return Only(), ""
    named, left = named_in(areas_in(turn.session, turn.scope), words)
    programme = next((code for code, name in PROGRAMMES.items() if name in left), None)
    left = left.replace(PROGRAMMES[programme], " ") if programme else left
    group = re.search(r"(\d{1,2})\s*组", left)
    left = left.replace(group[0], " ") if group else left
    worker = None
    if turn.scope.villages is None:
        worker = next((one for one in _doctors(turn) if one.name in left), None)
        left = left.replace(worker.name, " ") if worker else left
    if programme is None:
        bare = left.strip()
        programme = next((code for code, name in PROGRAMMES.items() if len(bare) > 1 and bare in name), None)
        left = "" if programme else left
    place = named[0].id if len(named) == 1 else None
    part = Only(programme, place, int(group[1]) if group else None, worker.id if worker else None)
    unread = [word for word in re.split(r"[\s,、的]+", left) if len(word) > 1 and not _SAID_BESIDE.fullmatch(word)]
    return part, "、".join(unread)


_SAID_BESIDE = re.compile(r"(?:名单|逾期|未访|待访|今天|今日|所有|全部|全[镇县市村]|看看|多少|哪些|人|还有|没访)+")


def _doctors(turn: Turn) -> Sequence[HealthWorker]:
    """The doctors of a supervisor's scope."""
    query = select(HealthWorker).where(
        HealthWorker.role == Role.DOCTOR, HealthWorker.active, turn.scope.covers(HealthWorker.organisation_id)
    )
    return turn.session.scalars(query).all()


_LISTS = {"today": ("今日待访", timedelta()), "overdue": ("逾期未访", timedelta(days=-1))}


def _open_title(programme: str | None) -> str:
    """A programme's title where it stands in a message's first line, or nothing (promise 9)."""
    return "" if programme in DISCREET else PROGRAMMES.get(programme or "", "")


def today(turn: Turn, words: str = "") -> None:
    """今日: due today, everything overdue, what may be made from now on, and what was appointed."""
    if not words:
        appointments.tell(turn)
    _show(turn, "today", "今日待访", turn.today, *only(turn, words))


def overdue(turn: Turn, words: str = "") -> None:
    """逾期: past due, however long ago."""
    _show(turn, "overdue", "逾期未访", turn.today - timedelta(days=1), *only(turn, words))


def page(turn: Turn, kind: str, rest: str) -> None:
    """The next page of a list: '<programme or ->.<place or 0>.<group or 0>.<doctor or 0>.<start>'."""
    programme, *numbers = rest.split(".")
    place, group, worker, start = [int(number or 0) for number in [*numbers, "", "", "", ""][:4]]
    part = Only(programme if programme in PROGRAMMES else None, place or None, group or None, worker or None)
    title, last = _LISTS["overdue" if kind == "overdue" else "today"]
    _show(turn, kind, title, turn.today + last, part, start=start)


def _show(turn: Turn, kind: str, title: str, last: date, part: Only, unread: str = "", start: int = 0) -> None:
    visits = [*due_visits(turn.session, turn.scope, last=last, programme=part.programme)]
    if kind == "today":
        visits += open_windows(turn.session, turn.scope, turn.today, programme=part.programme)
    lines = part.of(turn, lines_of(visits))
    remark = [f"没用上:{unread[:20]}。"] if unread else []
    if not turn.scope.names:
        head = " ".join(filter(None, (f"{title} {turn.today}", part.title(turn)))) + f":{len(lines)}位"
        turn.numbers_only("\n".join([*remark, head, *_by_place(turn, lines, part)]))
        return
    doctors = _by_doctor(turn, lines) if start == 0 and turn.scope.villages is None else []
    open_ones = referrals.to_ask(turn.session, turn.scope, turn.today) if start == 0 and kind == "today" else []
    if not lines and not open_ones:
        coming = due_visits(turn.session, turn.scope, first=turn.today, last=turn.today + timedelta(days=7))
        soon = len(part.of(turn, lines_of(coming)))
        turn.say(
            "".join(f"{one}\n" for one in remark)
            + f"{title}:{part.title(turn)}没有。"
            + (f"今后7天有{soon}位到期。" if soon else ""),
            _else(kind),
        )
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
    turn.say("\n".join([*remark, head.rstrip(), *doctors, *texts]) if lines else head, choices)
    for referral, name in open_ones:
        referrals.ask(turn, referral, name)


def _by_place(turn: Turn, lines: Sequence[Line], part: Only) -> list[str]:
    """How many each township has, the most first; of a part of the county, each village."""
    if part.place_id is not None:
        query = select(Organisation.id, Organisation.name)
        names: dict[int, str] = dict(
            turn.session.execute(query.where(Organisation.id.in_({line.visits[0].village_id for line in lines}))).all()
        )
        by_village = Counter(names[line.visits[0].village_id] for line in lines)
        return [f"{name} {count}位" for name, count in by_village.most_common()]
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
