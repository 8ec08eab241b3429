"""The mothers behind the figures of births: those whom a rate misses. 妇幼名单

A birth is the record that told it; who was visited or cared for throughout stands in the marks of later records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Row, Text, cast, select

from models.effects import PERSON
from models.line import Asked, Line, LineList, Source
from models.people import Organisation, Resident
from models.record import Record


def births(asked: Asked) -> list[Row[Any]]:
    """The births told in the window, the latest first."""
    query = (
        select(Resident.id, Resident.name, Organisation.name.label("village"), Record.on, Record.counts, Record.answers)
        .join(Resident, Resident.id == Record.resident_id)
        .join(Organisation, Organisation.id == Record.village_id)
        .where(asked.scope.covers(Record.village_id), Record.status == "current", Record.on.between(*asked.window))
        .where(cast(Record.counts, Text).contains('"mothers_delivered"'))
        .order_by(Record.on.desc(), Record.id.desc())
    )
    return [*asked.session.execute(query)]


def _listed(asked: Asked, found: list[Row[Any]]) -> LineList:
    lines = [
        Line(birth.id, birth.name, birth.village, birth.on, f"{birth.answers.get('delivered_on', birth.on)}分娩")
        for birth in asked.cut(found)
    ]
    return LineList(len(found), lines)


def births_where(missing: Callable[[Mapping[str, Any]], bool]) -> Source:
    """Births whose own counts say that something is missing."""
    return lambda asked: _listed(asked, [birth for birth in births(asked) if missing(birth.counts)])


def births_without(measure: str) -> Source:
    """Births after which no record of the mother bears a mark yet."""

    def source(asked: Asked) -> LineList:
        found = births(asked)
        marked = (
            select(Record.resident_id)
            .where(Record.resident_id.in_([birth.id for birth in found]), Record.status == "current")
            .where(cast(Record.marks, Text).contains(f'"{PERSON}{measure}"'))
        )
        done = set(asked.session.scalars(marked))
        return _listed(asked, [birth for birth in found if birth.id not in done])

    return source


not_booked_early = births_where(lambda counts: not counts.get("mothers_booked_early"))
outside_hospital = births_where(lambda counts: counts.get("hospital_live_births", 0) < counts.get("live_births", 0))
