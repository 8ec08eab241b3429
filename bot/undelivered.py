"""`cunyi deliveries` and `cunyi retry`: what is not delivered, for an operator. Ids and reasons, never words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, tzinfo

from sqlalchemy import ColumnElement

from models.base import Store
from models.deliveries import deliveries
from models.deliveries import retry as queue_again
from models.outbox import OPEN, OutboxMessage


def listed(store: Store, tz: tzinfo, *, failed: bool, since: date | None) -> Iterator[str]:
    """A line for each message, oldest first: when, status, kind, to whom and where, tries, key, reason."""
    where: list[ColumnElement[bool]] = [OutboxMessage.status.in_(("failed",) if failed else ("failed", *OPEN))]
    if since is not None:
        where.append(OutboxMessage.planned_at >= datetime.combine(since, time(), tz))
    with store.read() as session:
        for d in deliveries(session, *where):
            to = f"{d.to or '-'} {d.channel or '-'}"
            planned = f"{d.planned_at.astimezone(tz):%Y-%m-%d %H:%M}"
            yield f"{planned} {d.status} {d.code} {to} tries={d.attempts} {d.key} {d.reason or ''}".rstrip()


def try_again(store: Store, keys: Sequence[str] | None, now: datetime) -> tuple[int, list[str]]:
    """(how many were queued, keys of which none has failed); all that failed when no keys are given."""
    failed = OutboxMessage.status == "failed"
    with store.write() as session:
        found = deliveries(session, failed, *([OutboxMessage.dedup_key.in_(keys)] if keys else []))
        queued = queue_again(session, found, now)
        session.commit()
    return queued, sorted(set(keys or ()) - {delivery.key for delivery in found})
