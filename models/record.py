"""What was done: one row per service given, its referral if any, and the agreements signed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, insert, inspect
from sqlalchemy.orm import Mapped, Session, make_transient_to_detached, mapped_column

from models.base import Base, Key, UtcDateTime
from models.prepared import Prepared


class Record(Base):
    """One service given. Never changed in place: a correction is a new row that names the old one in `corrects_id`."""

    __tablename__ = "records"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    draft_key: Mapped[str] = mapped_column(String(40), unique=True)
    """Conversation and position it was submitted from: the same button twice finds it taken."""
    service: Mapped[str] = mapped_column(String(40))
    programme: Mapped[str | None] = mapped_column(String(32))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    """The village (or, for an event elsewhere, the organisation) that the figures count it for."""
    on: Mapped[date] = mapped_column("on_day")
    mode: Mapped[int | None]
    channel: Mapped[str] = mapped_column(String(16))
    answers: Mapped[dict[str, Any]] = mapped_column(default=dict)
    classification: Mapped[int | None]
    urgency: Mapped[str] = mapped_column(String(16), default="routine")
    rules: Mapped[list[Any]] = mapped_column(default=list)
    protocol_version: Mapped[str | None] = mapped_column(String(32))
    next_due_on: Mapped[date | None]
    due_before: Mapped[date | None]
    """The due date that stood before this record: what a withdrawal goes back to."""
    owes: Mapped[dict[str, Any] | None]
    """What it makes owed besides the day: service, opens_on, details of the enrolment, ended (why it is closed)."""
    referral: Mapped[dict[str, Any] | None]
    marks: Mapped[list[Any]] = mapped_column(default=list)
    """Facts the figures need, decided when it was recorded: standard_visit, assessed, controlled …"""
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Measures this record adds to, e.g. {"outreach_attendances": 46}."""
    status: Mapped[str] = mapped_column(String(16), default="current")  # current | corrected | withdrawn
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("records.id"))
    flags: Mapped[list[Any]] = mapped_column(default=list)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("ix_records_resident_id_service_on", "resident_id", "service", "on_day"),
        Index("ix_records_worker_id_recorded_at", "worker_id", "recorded_at"),
        Index("ix_records_village_id_service_on", "village_id", "service", "on_day"),
    )


_COLUMNS = {attribute.columns[0].key: attribute.key for attribute in inspect(Record).column_attrs}
_WRITTEN = Prepared(insert(Record).returning(Record.id))


def write(session: Session, record: Record) -> None:
    """Insert a new record; from here on the session knows it. Takes a third of the time of a flush for it alone."""
    values = {column: getattr(record, name) for column, name in _COLUMNS.items() if name != "id"}
    record.id = _WRITTEN.first(session, **values).id
    make_transient_to_detached(record)
    session.add(record)


class Referral(Base):
    """A resident sent onward, or sent back: one row whatever opened it, open until the loop is closed. 双向转诊

    Sent up (`direction` up): did they arrive, what came of it, are they back? Sent down: has somebody here seen them
    since? `record_id` is the record that opened it, `joined` the further records that speak of the same transfer.
    """

    __tablename__ = "referrals"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
    joined: Mapped[list[Any]] = mapped_column(default=list, server_default="[]")
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    direction: Mapped[str] = mapped_column(String(8), default="up", server_default="up")  # up | down
    urgency: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(400))
    to: Mapped[str] = mapped_column("to_place", String(120), default="", server_default="")
    """The hospital and department; of one sent down, where they come from."""
    sent_on: Mapped[date]
    ask_on: Mapped[date]
    """From this day on the doctor is asked the next thing the loop wants to know."""
    arrived: Mapped[bool | None]
    arrived_on: Mapped[date | None]
    result: Mapped[str | None] = mapped_column(String(400))
    returned_on: Mapped[date | None]
    down_record_id: Mapped[int | None] = mapped_column(ForeignKey("records.id"))
    """The 下转 record that brought them back."""
    confirmed_on: Mapped[date | None]
    confirmed_in: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"))
    """The day and village it counts for as 上转, where no 上转 record of its own does (see models.referrals)."""
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    close_reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (Index("ix_referrals_village_id_ask_on", "village_id", "ask_on"),)


class Agreement(Base):
    """A family-doctor agreement. Renewal is a new row with a new number; nothing renews by itself (domain.md D)."""

    __tablename__ = "agreements"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    number: Mapped[str | None] = mapped_column(String(40), index=True)
    packages: Mapped[list[Any]] = mapped_column(default=list)
    groups: Mapped[list[Any]] = mapped_column(default=list)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    """The last day agreed on; `ended_on` is the last day where it was ended before, 解约."""
    ended_on: Mapped[date | None]
    end_reason: Mapped[int | None]
    """1 死亡 2 迁出 3 本人意愿 4 换医生 5 其他."""
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("records.id"))
    """The record that ended it: 解约, or the agreement with another doctor."""
    renews_id: Mapped[int | None] = mapped_column(ForeignKey("agreements.id"))
    status: Mapped[str] = mapped_column(String(16), default="current")  # current | withdrawn

    __table_args__ = (Index("ix_agreements_village_id_ends_on", "village_id", "ends_on"),)

    @property
    def last_on(self) -> date:
        """The last day on which it holds."""
        return last_day(self.ends_on, self.ended_on)


def last_day(ends_on: date, ended_on: date | None) -> date:
    return ends_on if ended_on is None else min(ends_on, ended_on)


class AuditEntry(Base):
    """Who did what, when and why. Rows are only ever added."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
