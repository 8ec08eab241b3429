"""The same thing to say to many, promised with one statement: the county's morning, or a nation's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, String, and_, cast, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from models.outbox import TOO_LATE, OutboxMessage, insert_for

COLUMNS = (
    OutboxMessage.dedup_key, OutboxMessage.kind, OutboxMessage.worker_id, OutboxMessage.reminder, OutboxMessage.arguments,
    OutboxMessage.status, OutboxMessage.planned_at, OutboxMessage.not_before, OutboxMessage.expires_at,
    OutboxMessage.attempts, OutboxMessage.parts_sent,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """A reminder for one day or moment: `of` names it (a day), so that it is said to each worker once. Rendered when it goes out."""

    reminder: str
    of: str
    arguments: dict[str, Any]
    not_before: datetime
    expires_at: datetime | None
    kind: str = ""

    def key(self, worker_id: int) -> str:
        return f"{self.reminder}:{worker_id}:{self.of}"


@dataclass(frozen=True, slots=True)
class Occasion:
    """A plan and whom it is for, worked out by reading alone: writers are held up only by what is to be written."""

    plan: Plan
    workers: Sequence[int]


def promise(session: Session, plan: Plan, workers: Iterable[int], now: datetime, *, dry_run: bool = False) -> int:
    """Promise it to each of them; returns to how many it was not promised before.

    One that was given up only because its window had passed, while by this clock it has not, is promised again: the
    clock had jumped ahead, or it is the next morning of the same week.
    """
    wanted = sorted(set(workers))
    if not wanted:
        return 0
    people = _people(session, wanted)
    worker = people.c[0]
    key = literal(f"{plan.reminder}:") + cast(worker, String) + literal(f":{plan.of}")
    if dry_run:
        known = select(OutboxMessage.id).where(OutboxMessage.dedup_key == key)
        settled = known.where(~_given_up(plan.expires_at, now)).exists()
        return session.scalar(select(func.count()).select_from(people).where(~settled)) or 0
    values: Sequence[tuple[Any, Any]] = [
        (OutboxMessage.kind, plan.kind or plan.reminder),
        (OutboxMessage.reminder, plan.reminder),
        (OutboxMessage.arguments, plan.arguments),
        (OutboxMessage.status, "queued"),
        (OutboxMessage.planned_at, now),
        (OutboxMessage.not_before, plan.not_before),
        (OutboxMessage.expires_at, plan.expires_at),
        (OutboxMessage.attempts, 0),
        (OutboxMessage.parts_sent, 0),
    ]
    given = {column.key: literal(value, column.type) for column, value in values}
    rows = select(*(given.get(c.key, key if c is OutboxMessage.dedup_key else worker) for c in COLUMNS))
    insert = insert_for(session.get_bind().dialect)(OutboxMessage.__table__)
    insert = insert.from_select([c.key for c in COLUMNS], rows.select_from(people).where(true()))
    again = ("kind", "arguments", "status", "planned_at", "not_before", "expires_at", "attempts", "parts_sent")
    insert = insert.on_conflict_do_update(
        index_elements=["dedup_key"],
        set_={name: insert.excluded[name] for name in again}
        | dict.fromkeys(("reason", "channel", "account", "message", "put_off_at")),
        where=_given_up(plan.expires_at, now),
    )
    done = session.connection().execute(insert, execution_options={"preserve_rowcount": True})
    return done.rowcount


def _given_up(expires_at: datetime | None, now: datetime) -> ColumnElement[bool]:
    """It was cancelled for being late, but is not late."""
    still = or_(literal(expires_at is None), literal(expires_at or now, OutboxMessage.expires_at.type) > now)
    return and_(OutboxMessage.status == "cancelled", OutboxMessage.reason == TOO_LATE, still)


def _people(session: Session, workers: Sequence[int]) -> FromClause:
    """The workers as a table of one column, from one parameter however many they are."""
    if session.get_bind().dialect.name == "postgresql":
        return func.unnest(cast(list(workers), ARRAY(BigInteger))).table_valued("value", name="people").render_derived()
    return func.json_each(json.dumps(workers)).table_valued("value", name="people")
