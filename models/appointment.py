"""What a resident was promised for a day. 预约"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Key, UtcDateTime
from models.enrolment import VISITED
from models.people import Resident
from models.record import Record
from models.scope import Scope


class Appointment(Base):
    """A resident's appointment; done or missed when somebody says so, and void with the record that made it."""

    __tablename__ = "appointments"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    on: Mapped[date] = mapped_column("on_day")
    what: Mapped[str] = mapped_column(String(120))
    kept: Mapped[bool | None]
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("ix_appointments_village_id_on_day", "village_id", "on_day"),)


class Promised(NamedTuple):
    """One line of the day's list."""

    id: int
    resident_id: int
    name: str
    on: date
    what: str


def appointments_on(session: Session, scope: Scope, day: date) -> Sequence[Promised]:
    """Open appointments of a day, and earlier ones nobody has said anything of, oldest first."""
    query = (
        select(Appointment.id, Appointment.resident_id, Resident.name, Appointment.on, Appointment.what)
        .join(Resident, Resident.id == Appointment.resident_id)
        .join(Record, Record.id == Appointment.record_id)
        .where(
            scope.covers(Appointment.village_id),
            Appointment.on <= day,
            Appointment.closed_at.is_(None),
            Record.status == "current",
            Resident.status.in_(VISITED),
        )
        .order_by(Appointment.on, Appointment.what, Appointment.id)
    )
    return [Promised(*row) for row in session.execute(query)]
