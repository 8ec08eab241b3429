"""Everything the bot says goes through one door: `say()` writes a row in the caller's transaction (promise 4).

Rows go queued -> leased -> sent | failed(reason) | cancelled(reason). They are the delivery ledger supervisors see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Dialect,
    ForeignKey,
    Index,
    Insert,
    SmallInteger,
    String,
    bindparam,
    event,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from models.base import Base, Key, UtcDateTime
from models.message import OutgoingMessage
from models.prepared import Prepared

LEASE = timedelta(seconds=60)  # longer than any single send takes; who dies loses their leases at once, see bot.seat
CLOCKS_APART = timedelta(seconds=90)  # by so much the clocks of two machines may differ, and nobody minds
OPEN = ("queued", "leased")  # not yet ended
TOO_LATE = "its window passed before it could be sent"
TITLES: dict[str, str] = {"reply": "对话里的回答", "correction": "更正申请和答复", "alarm": "紧急通知"}
"""What messages are called in lists of them; the timetable adds its reminders."""


class ReceivedEvent(Base):
    """A platform event that was handled. Its key makes a redelivery harmless."""

    __tablename__ = "received_events"

    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class OutboxMessage(Base):
    """A promise to say something to a worker once, for the reason named by `dedup_key`.

    A reply carries its `message` and the account it answers. Something said unasked names its `reminder` and
    `arguments` instead, is rendered when it goes out, and picks the worker's account then.
    """

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    dedup_key: Mapped[str] = mapped_column(String(200), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))
    channel: Mapped[str | None] = mapped_column(String(16))
    account: Mapped[str | None] = mapped_column(String(128))
    message: Mapped[dict[str, Any] | None]
    reminder: Mapped[str | None] = mapped_column(String(40))
    arguments: Mapped[dict[str, Any] | None]
    status: Mapped[str] = mapped_column(String(12), default="queued")  # queued | leased | sent | failed | cancelled
    reason: Mapped[str | None] = mapped_column(String(400))
    planned_at: Mapped[datetime] = mapped_column(UtcDateTime)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    put_off_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When `not_before` was last moved by a sender. If that is yet to come, a clock was set back, and the wait is not what it says."""
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_by: Mapped[int | None] = mapped_column(SmallInteger)  # the seat of the process whose it is, or was when sent
    attempts: Mapped[int] = mapped_column(default=0)
    parts_sent: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    platform_ref: Mapped[str | None] = mapped_column(String(160))

    __table_args__ = (
        Index(
            "ix_outbox_open",
            "not_before",
            sqlite_where=status.in_(("queued", "leased")),
            postgresql_where=status.in_(("queued", "leased")),
        ),
        Index(
            "ix_outbox_open_chat",
            "channel",
            "account",
            sqlite_where=status.in_(("queued", "leased")) & account.is_not(None),
            postgresql_where=status.in_(("queued", "leased")) & account.is_not(None),
        ),
        Index("ix_outbox_worker_id_planned_at", "worker_id", "planned_at"),
        Index("ix_outbox_sent_at", "sent_at"),
    )


def is_open(row: type[OutboxMessage] = OutboxMessage) -> ColumnElement[bool]:
    """The rows not yet ended. Written out in the statement, because with parameters SQLite does not see the index."""
    return row.status.in_(bindparam("open", OPEN, expanding=True, literal_execute=True))


def insert_for(dialect: Dialect) -> Callable[[Any], postgresql.Insert]:
    """`insert` with ON CONFLICT, of the database in use."""
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    return cast("Callable[[Any], postgresql.Insert]", insert)  # the two have the same methods


def say(
    session: Session,
    message: OutgoingMessage | None,
    *,
    dedup_key: str,
    now: datetime,
    kind: str = "reply",
    worker_id: int | None = None,
    channel: str | None = None,
    account: str | None = None,
    reminder: str | None = None,
    arguments: dict[str, Any] | None = None,
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
) -> dict[str, Any]:
    """Promise to say something; returns the row. Written with the caller's commit, forgotten with its rollback.

    A second promise of the same key changes nothing. A reply (`channel` and `account` given, due now) is born leased to
    the process that answers (its seat is in `session.info`), which sends it right after the commit; should it die
    first, any sender takes over.
    """
    seat = session.info.get("seat")
    mine = kind == "reply" and not_before is None and seat is not None
    row = {
        "dedup_key": dedup_key,
        "kind": kind,
        "worker_id": worker_id,
        "channel": channel,
        "account": account,
        "message": message.to_json() if message else None,
        "reminder": reminder,
        "arguments": arguments,
        "status": "leased" if mine else "queued",
        "planned_at": now,
        "not_before": not_before or now,
        "expires_at": expires_at,
        "leased_until": now + LEASE if mine else None,
        "leased_by": seat if mine else None,
        "attempts": 0,
        "parts_sent": 0,
    }
    transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
    _said(session).setdefault(transaction, []).append(row)
    return row


def cancel(session: Session, dedup_key: str | Collection[str], reason: str) -> bool:
    """The reason to say it has gone: an unsent message of this key, or of one of these, is never sent. False: there was none."""
    keys = {dedup_key} if isinstance(dedup_key, str) else set(dedup_key)
    for rows in _said(session).values():
        rows[:] = [row for row in rows if row["dedup_key"] not in keys]
    done = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.dedup_key.in_(sorted(keys)), is_open())
        .values(status="cancelled", reason=reason, leased_until=None, leased_by=None)
    )
    return cast(CursorResult[Any], done).rowcount > 0


def _said(session: Session) -> dict[SessionTransaction, list[dict[str, Any]]]:
    said: dict[SessionTransaction, list[dict[str, Any]]] = session.info.setdefault("said", {})
    return said


@event.listens_for(Session, "before_commit")
def _write_what_was_said(session: Session) -> None:
    """One executemany for everything said in the transaction: the hot path has no statement to spare."""
    transaction = session.get_nested_transaction() or session.get_transaction()
    rows = _said(session).pop(transaction, None) if transaction else None
    if rows:
        _PROMISED.each(session, rows)


@event.listens_for(Session, "after_transaction_end")
def _forget_what_was_said(session: Session, transaction: SessionTransaction) -> None:
    """What is still unwritten was rolled back."""
    _said(session).pop(transaction, None)


def _promise(dialect: Dialect) -> Insert:
    """A second promise of the same key changes nothing."""
    return insert_for(dialect)(OutboxMessage).on_conflict_do_nothing(index_elements=["dedup_key"])


_PROMISED = Prepared(_promise)
