"""How a send ended, written into the outbox in a writer's transaction: sent in part or whole, put off, or not to be sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.orm import Session

from bot.accounts import mark_unreachable
from bot.channels import ChannelUnavailable
from bot.group import Row
from models.outbox import OPEN, OutboxMessage
from models.prepared import Prepared
from reminders.rules import alarm_undelivered

IN_DOUBT = f"{ChannelUnavailable.__name__}: a sender ended while it was on its way"
IN_VAIN = 6  # tries of an alarm, which take two minutes: whoever raised it is to reach for the telephone
SOON = timedelta(minutes=2)  # in which an alarm may still be put off without a word
OUTBOX = cast(Table, OutboxMessage.__table__)

Readdress = Callable[[Session, OutboxMessage, datetime], object]
"""Gives a message another account of its worker's, where there is one."""


_KEY = OUTBOX.c.dedup_key == bindparam("key")
_PART_SENT = Prepared(
    update(OUTBOX).where(_KEY, OUTBOX.c.leased_by == bindparam("seat")).values(parts_sent=bindparam("parts"))
)
_SENT = Prepared(
    update(OUTBOX)
    .where(_KEY)
    .values(
        status="sent",
        sent_at=bindparam("now"),
        leased_until=None,
        leased_by=bindparam("seat"),
        platform_ref=bindparam("ref"),
        attempts=bindparam("tries"),
        parts_sent=bindparam("parts"),
    )
)


def write_down(session: Session, results: Sequence[Row], *, seat: int, now: datetime, readdress: Readdress) -> None:
    """How sends ended. What was sent was sent; of the rest only the sender whose lease it is may speak."""
    parts = [
        _told(result, {"parts": result["parts_sent"], "seat": seat})
        for result in results
        if result["outcome"] == "part"
    ]
    if parts:
        _PART_SENT.each(session, parts)
    sent = [
        _told(
            result,
            {
                "ref": storable(result.get("platform_ref") or "", 160) or None,
                "tries": result["attempts"] + 1,
                "parts": result["parts_sent"],
                "now": now,
                "seat": seat,
            },
        )
        for result in results
        if result["outcome"] == "sent"
    ]
    if sent:
        _SENT.each(session, sent)
    for result in results:
        if result["outcome"] not in ("sent", "part"):
            _write_trouble(session, result, seat, now, readdress)


def _write_trouble(session: Session, result: Row, seat: int, now: datetime, readdress: Readdress) -> None:
    row = session.scalar(select(OutboxMessage).where(OutboxMessage.dedup_key == result["dedup_key"]))
    lease = (seat, result["leased_until"])
    if row is None or row.status not in OPEN or (row.leased_by, row.leased_until) != lease:
        return
    row.parts_sent, row.leased_until, row.leased_by = result["parts_sent"], None, None
    outcome = result["outcome"]
    if outcome != "back":
        row.attempts, row.reason = result["attempts"] + 1, result["reason"]
    elif result.get("again"):  # taken over from a crash and not tried: what was in doubt still is
        row.attempts, row.reason = result["attempts"], IN_DOUBT
    if outcome == "failed":
        fail(session, row, row.reason or "", now)
    elif outcome == "unreachable":
        _other_channel(session, row, now, readdress)
    else:
        row.status = "queued"
        if result["retry_at"] is not None:
            row.not_before, row.put_off_at = result["retry_at"], now
        if row.kind == "alarm" and (row.attempts >= IN_VAIN or row.not_before - now > SOON):
            alarm_undelivered.report(session, row, now)


def _other_channel(session: Session, row: OutboxMessage, now: datetime, readdress: Readdress) -> None:
    """The account is marked, and the message falls back to the worker's other channel, if there is one."""
    reason = (row.reason or "")[:200]
    mark_unreachable(session, row.channel, row.account, reason, now)
    refused, row.account = row.account, None
    if row.worker_id is not None:
        readdress(session, row, now)
    if row.account is None:
        row.account = refused
        fail(session, row, reason, now)
    else:
        row.status, row.not_before, row.parts_sent = "queued", now, 0
        row.leased_until = row.leased_by = None


def _told(result: Row, values: Row) -> Row:
    return {"key": result["dedup_key"], **values}


def end(row: OutboxMessage, status: str, reason: str) -> bool:
    """It will not be sent any more; False, so that a caller can return it."""
    row.status, row.reason, row.leased_until, row.leased_by = status, reason[:400], None, None
    return False


def fail(session: Session, row: OutboxMessage, reason: str, now: datetime) -> bool:
    """It cannot be delivered: an operator sees it, and of an alarm whoever raised it hears at once."""
    if row.kind == "alarm":
        alarm_undelivered.report(session, row, now)
    return end(row, "failed", reason)


def storable(text: str, limit: int) -> str:
    """What a platform told us, cut to its column and without what a database refuses."""
    return text.replace("\0", "")[:limit]
