"""A thing said unasked: to whom, when, in what words, and what ends it. Once per person per reminder per day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import ColumnElement, Dialect, Insert, String, Table, bindparam, func, literal, select
from sqlalchemy import cast as sql_cast
from sqlalchemy.orm import Session

from models.message import OutgoingMessage
from models.outbox import OutboxMessage, insert_for
from models.people import HealthWorker

PLAN_AT_ONCE = 5000


class Gone(Exception):
    """There is nothing left to say: the message is cancelled with this reason."""


@dataclass(frozen=True, slots=True)
class Context:
    """What words are made from: the worker told, the arguments of the message, the instant it goes out."""

    session: Session
    worker: HealthWorker
    arguments: Mapping[str, Any]
    now: datetime
    tz: tzinfo
    settings: Mapping[str, Any]

    @property
    def today(self) -> date:
        return self.now.astimezone(self.tz).date()


@dataclass(frozen=True, slots=True)
class Reminder:
    """One kind of unasked message. `words` is called when it goes out and raises Gone when its reason has gone."""

    code: str
    title: str
    words: Callable[[Context], OutgoingMessage]
    audience: Callable[[Session, date], Iterable[int]] | None = None
    """Ids of the workers to tell on a day; None for what is said on an event and not by the timetable."""
    opens: str | None = None
    """The service it opens, by code."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the timetable. `weekdays` 0 is Monday; after `window` the message is no longer sent."""

    reminder: Reminder
    at: time
    window: timedelta
    weekdays: frozenset[int] = frozenset(range(7))

    def falls_on(self, day: date) -> bool:
        return day.weekday() in self.weekdays

    def begins(self, day: date, tz: tzinfo) -> datetime:
        """The instant it is due on a day."""
        return datetime.combine(day, self.at, tz)


def daily(at: str, reminder: Reminder, *, window: timedelta) -> Entry:
    return Entry(reminder, time.fromisoformat(at), window)


def weekly(weekday: int, at: str, reminder: Reminder, *, window: timedelta) -> Entry:
    return Entry(reminder, time.fromisoformat(at), window, frozenset({weekday}))


OUTBOX = cast("Table", OutboxMessage.__table__)


def _given(name: str, column: str) -> ColumnElement[Any]:
    return bindparam(name, type_=OUTBOX.c[column].type)


_KEY = _given("code", "dedup_key") + ":" + sql_cast(HealthWorker.id, String) + ":" + _given("day", "dedup_key")
_TOLD = HealthWorker.id.in_(bindparam("workers", expanding=True))
_NOT_YET = select(func.count()).where(_TOLD, ~select(OUTBOX.c.id).where(OUTBOX.c.dedup_key == _KEY).exists())
_ROW: dict[str, ColumnElement[Any]] = {
    "dedup_key": _KEY,
    "kind": _given("code", "kind"),
    "worker_id": HealthWorker.id.expression,
    "reminder": _given("code", "reminder"),
    "arguments": _given("arguments", "arguments"),
    "status": literal("queued"),
    "planned_at": _given("now", "planned_at"),
    "not_before": _given("due", "not_before"),
    "expires_at": _given("expires", "expires_at"),
    "attempts": literal(0),
    "parts_sent": literal(0),
}


def plan(session: Session, entry: Entry, day: date, *, tz: tzinfo, now: datetime, dry_run: bool = False) -> int:
    """Queue one timetable entry for one day. Running it again adds nothing. Returns how many messages are new."""
    assert entry.reminder.audience is not None
    workers = sorted(set(entry.reminder.audience(session, day)))
    due = entry.begins(day, tz)
    told = {
        "code": entry.reminder.code,
        "day": day.isoformat(),
        "arguments": {"day": day.isoformat()},
        "now": now,
        "due": due,
        "expires": due + entry.window,
    }
    connection = session.connection()
    statement = _NOT_YET if dry_run else _promise(connection.dialect)
    new = 0
    for start in range(0, len(workers), PLAN_AT_ONCE):
        result = connection.execute(statement, {**told, "workers": workers[start : start + PLAN_AT_ONCE]})
        new += result.scalar_one() if dry_run else result.rowcount
    return new


@lru_cache(maxsize=2)
def _promise(dialect: Dialect) -> Insert:
    """A row for each worker, written by the database itself: no row travels, and an existing key is left as it is."""
    rows = select(*_ROW.values()).where(_TOLD)
    return (
        insert_for(dialect)(OUTBOX)
        .from_select([*_ROW], rows)
        .on_conflict_do_nothing(index_elements=["dedup_key"])
        .execution_options(preserve_rowcount=True)
    )
