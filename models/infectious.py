"""A case reported, and the hour by which the township must have it. 传染病报告的时限"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Key, UtcDateTime
from models.record import Record


class InfectiousReport(Base):
    """Runs from the doctor's notice until the township has confirmed it; void with the record that made it."""

    __tablename__ = "infectious_reports"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), unique=True)
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    noticed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))

    __table_args__ = (Index("ix_infectious_reports_due_at", "due_at"),)


def unconfirmed(session: Session, first: datetime, last: datetime) -> Sequence[InfectiousReport]:
    """Reports due in [first, last) that no township has confirmed."""
    query = (
        select(InfectiousReport)
        .join(Record, Record.id == InfectiousReport.record_id)
        .where(InfectiousReport.due_at >= first, InfectiousReport.due_at < last)
        .where(InfectiousReport.confirmed_at.is_(None), Record.status == "current")
        .order_by(InfectiousReport.due_at, InfectiousReport.id)
    )
    return session.scalars(query).all()
