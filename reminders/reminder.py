"""A thing said unasked: to whom, when, in what words, and what ends it. Once per person per reminder per day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import select
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


def plan(session: Session, entry: Entry, day: date, *, tz: tzinfo, now: datetime, dry_run: bool = False) -> int:
    """Queue one timetable entry for one day. Running it again adds nothing. Returns how many messages are new."""
    assert entry.reminder.audience is not None
    due = entry.begins(day, tz)
    keys = {
        f"{entry.reminder.code}:{worker}:{day.isoformat()}": worker for worker in entry.reminder.audience(session, day)
    }
    known: set[str] = set()
    wanted = sorted(keys)
    for start in range(0, len(wanted), PLAN_AT_ONCE):
        part = wanted[start : start + PLAN_AT_ONCE]
        known.update(session.scalars(select(OutboxMessage.dedup_key).where(OutboxMessage.dedup_key.in_(part))))
    fresh = [key for key in wanted if key not in known]
    if dry_run or not fresh:
        return len(fresh)
    arguments = {"day": day.isoformat()}
    rows = [
        {
            "dedup_key": key,
            "kind": entry.reminder.code,
            "worker_id": keys[key],
            "reminder": entry.reminder.code,
            "arguments": arguments,
            "status": "queued",
            "planned_at": now,
            "not_before": due,
            "expires_at": due + entry.window,
            "attempts": 0,
            "parts_sent": 0,
        }
        for key in fresh
    ]
    insert = insert_for(session.get_bind().dialect)
    session.execute(insert(OutboxMessage.__table__).on_conflict_do_nothing(index_elements=["dedup_key"]), rows)
    return len(fresh)
