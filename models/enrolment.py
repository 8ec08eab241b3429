"""A resident in a programme, and when the next visit is due. Due is stored; overdue is asked (promise 5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    bindparam,
    func,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import set_committed_value

from models.base import Base, Key
from models.people import Resident, Status
from models.prepared import Prepared
from models.scope import Scope

SEEN_TOGETHER = "seen_together"
"""Under what an enrolment's details name the residents who are visited at the same time: a mother's newborn."""

VISITED = (Status.ACTIVE, Status.ABSENT)  # whoever died or moved is reminded of no more


class Enrolment(Base):
    """One resident in one programme (`hypertension`, `diabetes` …). `village_id` follows the resident's move."""

    __tablename__ = "enrolments"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id", ondelete="CASCADE"))
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    programme: Mapped[str] = mapped_column(String(32))
    since: Mapped[date]
    next_due_on: Mapped[date | None]
    due_from: Mapped[date | None]
    """The first day on which the visit due counts, where it has a window (孕16~20周); None: from now on."""
    next_service: Mapped[str | None] = mapped_column(String(40))
    """The form the visit due is recorded on; None: the programme's own follow-up."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """What its visits need to know of it, as ISO days and codes: last_menstrual_period, treatment_started_on …"""
    urgency: Mapped[str] = mapped_column(String(16), default="routine")
    """Of the last visit: an emergency's two-week check comes before an ordinary quarterly visit."""
    classification: Mapped[str | None] = mapped_column(String(32))
    snoozed_until: Mapped[date | None]
    ended_on: Mapped[date | None]
    end_reason: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        UniqueConstraint("resident_id", "programme"),
        Index("ix_enrolments_village_id_next_due_on", "village_id", "next_due_on"),
        Index("ix_enrolments_next_due_on", "next_due_on"),
    )


SETTLED = (
    "next_due_on", "due_from", "next_service", "details", "urgency", "classification", "snoozed_until", "ended_on",
    "end_reason",
)  # fmt: skip
"""What its records decide."""
_SETTLED = Prepared(
    update(Enrolment)
    .where(Enrolment.id == bindparam("enrolment"))
    .values({name: bindparam(f"to_{name}") for name in SETTLED})
)


def settle(session: Session, enrolment: Enrolment, decided: Mapping[str, Any]) -> None:
    """Write what its records decide now (`SETTLED`); nothing else of it may be waiting for a flush."""
    _SETTLED.each(session, [{"enrolment": enrolment.id} | {f"to_{name}": value for name, value in decided.items()}])
    for name, value in decided.items():
        set_committed_value(enrolment, name, value)


@dataclass(frozen=True, slots=True)
class DueVisit:
    """One line of a worklist."""

    enrolment_id: int
    resident_id: int
    name: str
    sex: str | None
    born_on: date | None
    village_id: int
    village_group: str | None
    programme: str
    due_on: date
    urgency: str
    classification: str | None
    status: str
    next_service: str | None = None
    due_from: date | None = None

    def days_late(self, today: date) -> int:
        """Positive when overdue; 0 on the day itself."""
        return (today - self.due_on).days


_COLUMNS = (
    Enrolment.id, Resident.id, Resident.name, Resident.sex, Resident.born_on, Enrolment.village_id, Resident.village_group,
    Enrolment.programme, Enrolment.next_due_on, Enrolment.urgency, Enrolment.classification, Resident.status,
    Enrolment.next_service, Enrolment.due_from,
)  # fmt: skip


def due_query(last: date) -> Select[*tuple[Any, ...]]:
    """The columns of `DueVisit` of everybody due by a day, oldest first."""
    return (
        select(*_COLUMNS)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(*open_until(last), Resident.status.in_(VISITED))
        .order_by(Enrolment.next_due_on, Resident.village_group, Resident.id)
    )


def due_visits(
    session: Session, scope: Scope, *, first: date | None = None, last: date, programme: str | None = None
) -> Sequence[DueVisit]:
    """Visits whose due day lies in [first, last], oldest first. No floor means: however long ago, nobody is hidden."""
    query = due_query(last).where(scope.covers(Enrolment.village_id))
    if first is not None:
        query = query.where(Enrolment.next_due_on >= first)
    if programme is not None:
        query = query.where(Enrolment.programme == programme)
    rows: Iterable[Sequence[Any]] = session.execute(query)
    return [DueVisit(*row) for row in rows]


def open_windows(session: Session, scope: Scope, today: date, *, programme: str | None = None) -> Sequence[DueVisit]:
    """Visits not due yet whose window has opened (孕16~20周): they may be made from now on."""
    awake = Enrolment.snoozed_until.is_(None) | (Enrolment.snoozed_until <= today)
    query = (
        select(*_COLUMNS)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(scope.covers(Enrolment.village_id), Enrolment.next_due_on > today, Enrolment.due_from <= today)
        .where(Enrolment.ended_on.is_(None), awake, Resident.status.in_(VISITED))
        .order_by(Enrolment.next_due_on, Resident.id)
    )
    if programme is not None:
        query = query.where(Enrolment.programme == programme)
    rows: Iterable[Sequence[Any]] = session.execute(query)
    return [DueVisit(*row) for row in rows]


def count_due(session: Session, scope: Scope, *, last: date) -> int:
    """How many visits are due on or before a day."""
    query = (
        select(func.count())
        .select_from(Enrolment)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(scope.covers(Enrolment.village_id), *open_until(last), Resident.status.in_(VISITED))
    )
    return session.scalar(query) or 0


def due_by_village(session: Session, scope: Scope, *, last: date) -> dict[int, int]:
    """The same, village by village."""
    query = (
        select(Enrolment.village_id, func.count())
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(scope.covers(Enrolment.village_id), *open_until(last), Resident.status.in_(VISITED))
        .group_by(Enrolment.village_id)
    )
    rows: Iterable[Any] = session.execute(query).all()
    return dict(rows)


def open_until(last: date) -> tuple[ColumnElement[bool], ...]:
    """Conditions of a visit that is due by a day: the enrolment goes on, and nobody asked to let it rest."""
    awake = Enrolment.snoozed_until.is_(None) | (Enrolment.snoozed_until <= last)
    return Enrolment.next_due_on <= last, Enrolment.ended_on.is_(None), awake
