"""The outbox as a ledger: what was to be said to whom, what became of it, and why; and failed messages tried again. 送达"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, tuple_, update
from sqlalchemy.orm import Session

from models.outbox import OPEN, OutboxMessage
from models.people import ChannelAccount, HealthWorker, Organisation
from models.record import AuditEntry

AT_ONCE = 500  # messages named in one statement
PLANNED_AHEAD, PLANNED_LATE = timedelta(days=60), timedelta(days=7)
"""Nothing is promised longer before it is to be said, or longer after it should have been."""
OUTCOMES = ("sent", "waiting", "later", "failed", "cancelled")
"""`later`: its time has not come; `waiting`: it has, and it is on its way or waits for another try."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Messages due from `first` until before `end`, to the workers of an organisation and below, or to one worker."""

    first: datetime
    end: datetime
    path: str = ""
    worker_id: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """So many messages of one kind to one worker came to the same end for the same reason."""

    worker_id: int
    worker: str
    code: str
    outcome: str
    reason: str
    count: int


def counted(session: Session, asked: Asked, now: datetime) -> list[Counted]:
    """Every message in scope, counted. Their words are never read."""
    row = OutboxMessage
    is_later = row.status.in_(OPEN) & (row.not_before > now) & (row.attempts == 0)
    outcome = case((is_later, "later"), (row.status.in_(OPEN), "waiting"), else_=row.status)
    code, reason = func.coalesce(row.reminder, row.kind), func.coalesce(row.reason, "")
    of_sent = case((row.status == "sent", ""), else_=reason)  # what an earlier try met with is of no interest then
    columns = (HealthWorker.id, HealthWorker.name, code, outcome, of_sent)
    query = _within(select(*columns, func.count()), asked).group_by(*columns)
    return [Counted(*found) for found in session.execute(query)]


def _within(query: Select[*tuple[Any, ...]], asked: Asked) -> Select[*tuple[Any, ...]]:
    row = OutboxMessage
    query = query.join(HealthWorker, HealthWorker.id == row.worker_id).where(
        row.planned_at.between(asked.first - PLANNED_AHEAD, asked.end + PLANNED_LATE),
        row.not_before >= asked.first,
        row.not_before < asked.end,
    )
    if asked.worker_id is not None:
        return query.where(row.worker_id == asked.worker_id)
    below = select(Organisation.id).where(Organisation.path.between(asked.path, asked.path + "~"))
    return query.where(HealthWorker.organisation_id.in_(below))


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as the operator sees it; never its words."""

    id: int
    key: str
    code: str
    to: str | None
    channel: str | None
    status: str
    reason: str | None
    planned_at: datetime
    attempts: int


def deliveries(session: Session, *where: ColumnElement[bool]) -> list[Delivery]:
    """Messages, oldest first."""
    row = OutboxMessage
    query = (
        select(
            row.id, row.dedup_key, func.coalesce(row.reminder, row.kind), HealthWorker.code, row.channel, row.status,
            row.reason, row.planned_at, row.attempts,
        )
        .outerjoin(HealthWorker, HealthWorker.id == row.worker_id)
        .where(*where)
        .order_by(row.id)
    )  # fmt: skip
    return [Delivery(*found) for found in session.execute(query)]


def retry(session: Session, found: Sequence[Delivery], now: datetime) -> int:
    """Queue failed messages once more, as an operator asked; returns how many. What has its reason gone is not sent.

    An account that was refused counts as reachable again until it is refused again: its owner may have unblocked the
    bot without writing to it.
    """
    row = OutboxMessage
    failed = [delivery for delivery in found if delivery.status == "failed"]
    for start in range(0, len(failed), AT_ONCE):
        ids = [delivery.id for delivery in failed[start : start + AT_ONCE]]
        accounts = select(row.channel, row.account).where(row.id.in_(ids))
        same = tuple_(ChannelAccount.channel, ChannelAccount.account).in_(accounts)
        session.execute(update(ChannelAccount).where(same).values(unreachable_why=None))
        again = {
            "status": "queued",
            "attempts": 0,
            "not_before": now,
            "expires_at": None,
            "reason": None,
            "put_off_at": None,
        }
        session.execute(update(row).where(row.id.in_(ids), row.status == "failed").values(again))
    for delivery in failed:
        session.add(AuditEntry(at=now, action="delivery.retried", subject=f"outbox:{delivery.id}", details={}))
    return len(failed)
