"""Lists of patients: who is managed, who is behind the schedule, who is not controlled.

They are worked out by the functions that move the counters, so a list has exactly as many lines as the figure says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from models import visits
from models.effects import ends_on
from models.enrolment import VISITED, Enrolment
from models.line import Asked, Line, LineList, Source
from models.people import STATUS_TITLES, Organisation, Resident, Status
from models.record import Record
from models.spans import gone_on
from models.visits import Visit


@dataclass(frozen=True, slots=True)
class Patient:
    """Someone managed in the year, with the visits of the year up to the day asked for."""

    row: Row[Any]
    visits: Sequence[Visit]

    @property
    def left(self) -> str:
        """Why there is nobody to visit any more, or nothing."""
        if self.row.status not in VISITED:
            return STATUS_TITLES[Status(self.row.status)]
        return "已结案" if self.row.ended_on else ""

    def line(self, on: date | None, detail: str) -> Line:
        detail += f"({self.left})" if self.left else ""
        return Line(self.row.resident_id, self.row.name, self.row.village, on, detail)


def patients(asked: Asked, programme: str) -> list[Patient]:
    """The people whom `managed` counts, by the same functions."""
    new_year, day = asked.window.new_year, asked.window.last
    query: Any = (
        select(
            Enrolment.resident_id, Enrolment.since, Enrolment.ended_on, Resident.name, Resident.status,
            Resident.status_on, Organisation.name.label("village"),
        )
        .join(Resident, Resident.id == Enrolment.resident_id)
        .join(Organisation, Organisation.id == Enrolment.village_id)
        .where(asked.scope.covers(Enrolment.village_id), Enrolment.programme == programme, Enrolment.since <= day)
        .order_by(Organisation.code, Resident.id)
    )  # fmt: skip
    seen = (
        select(Record.resident_id, Record.on, Record.id, Record.marks)
        .join(Enrolment, (Enrolment.resident_id == Record.resident_id) & (Enrolment.programme == Record.programme))
        .where(asked.scope.covers(Enrolment.village_id), Record.programme == programme, Record.status == "current")
        .where(Record.on.between(new_year, day))
        .order_by(Record.on, Record.id)
    )
    visits_of: defaultdict[int, list[Visit]] = defaultdict(list)
    for resident_id, on, record_id, marks in asked.session.execute(seen):
        visits_of[resident_id].append(Visit(on, record_id, marks))
    rows = asked.session.execute(query).all()
    return [
        Patient(row, visits_of[row.resident_id]) for row in rows if (ends_on(row, gone_on(row)) or date.max) >= new_year
    ]


def managed(programme: str) -> Source:
    def source(asked: Asked) -> LineList:
        found = patients(asked, programme)
        return LineList(len(found), [p.line(p.row.since, f"{p.row.since}纳管") for p in asked.cut(found)])

    return source


def behind(programme: str) -> Source:
    """Who misses a standard visit in a quarter due; most missing first, those who have left last."""

    def source(asked: Asked) -> LineList:
        day = asked.window.last
        due = visits.quarters_complete(day)
        found = [(p, visits.missing(p.row.since, day.year, due, p.visits)) for p in patients(asked, programme)]
        late = sorted((pair for pair in found if pair[1]), key=lambda pair: (bool(pair[0].left), -len(pair[1])))
        lines = [
            p.line(p.visits[-1].on if p.visits else None, f"缺{'、'.join(map(str, quarters))}季度")
            for p, quarters in asked.cut(late)
        ]
        return LineList(len(late), lines)

    return source


def not_controlled(programme: str) -> Source:
    """Who is not controlled, with the last value of the year; whoever was not measured comes first, who left last."""

    def source(asked: Asked) -> LineList:
        found = [(p, visits.last_assessed(p.visits)) for p in patients(asked, programme)]
        failing = [pair for pair in found if pair[1] is None or "controlled" not in pair[1].marks]
        failing.sort(key=lambda pair: (bool(pair[0].left), pair[1].on if pair[1] else date.min))
        page = asked.cut(failing)
        values = _values(asked.session, [visit.id for _, visit in page if visit])
        lines = [
            p.line(visit.on, f"{values[visit.id]}({visit.on})") if visit else p.line(None, "本年没有实测")
            for p, visit in page
        ]
        return LineList(len(failing), lines)

    return source


def not_visited(programme: str, mark: str) -> Source:
    """Who has had no visit of the year that counts, those who have left last."""

    def source(asked: Asked) -> LineList:
        found = [p for p in patients(asked, programme) if not any(mark in visit.marks for visit in p.visits)]
        found.sort(key=lambda p: bool(p.left))
        return LineList(len(found), [p.line(None, f"{p.row.since}纳管,本年没有访到") for p in asked.cut(found)])

    return source


def taken_irregularly(asked: Asked) -> LineList:
    """Who completed a course in the period with less than nine tenths of the doses; the latest first (规则服药率)."""
    query: Any = (
        select(
            Record.resident_id,
            Record.on,
            Record.answers,
            Record.counts,
            Resident.name,
            Organisation.name.label("village"),
        )
        .join(Resident, Resident.id == Record.resident_id)
        .join(Organisation, Organisation.id == Record.village_id)
        .where(asked.scope.covers(Record.village_id), Record.service == "tb_follow_up", Record.status == "current")
        .where(Record.on.between(*asked.window))
        .order_by(Record.on.desc(), Record.id.desc())
    )
    found = [
        row
        for row in asked.session.execute(query)
        if row.counts.get("tb_completed") and not row.counts.get("tb_regular")
    ]
    lines = [
        Line(
            row.resident_id,
            row.name,
            row.village,
            row.on,
            f"{row.on}完成疗程,服药率{row.answers.get('dose_rate', '未填')}%",
        )
        for row in asked.cut(found)
    ]
    return LineList(len(found), lines)


def _values(session: Session, record_ids: Sequence[int]) -> Mapping[int, str]:
    answers = session.execute(select(Record.id, Record.answers).where(Record.id.in_(record_ids)))
    return {record_id: _value(given) for record_id, given in answers}


def _value(answers: Mapping[str, Any]) -> str:
    """The value that decides control, as it was measured."""
    if "fasting_glucose" in answers:
        return f"空腹血糖{answers['fasting_glucose']}"
    return f"{answers['systolic']}/{answers['diastolic']}" if "systolic" in answers else "见记录"
