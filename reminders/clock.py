"""A clock: something due at an instant that a row sets, not at an hour of the day. 时限"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Role
from models.planned import Occasion, Plan
from models.preferences import Preferences, QuietHours
from reminders.digest import Asked, covering
from reminders.entry import awake
from reminders.reminder import Reminder

EVENING = timedelta(minutes=30)  # before the quiet hours begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An instant at which the workers of an organisation are told of a subject, once."""

    subject: str
    """What makes it this moment and no other: 'enrolment 12, due 2026-11-27, the day before'."""
    organisation_id: int
    at: datetime
    arguments: dict[str, Any]
    at_once: bool = False
    """It does not wait for the end of the quiet hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A line of the timetable whose hours are set by rows. `moments` finds those of [first, last] that still run.

    Emergencies and legal terms: no worker can turn them off, they do not wait for a working day, and they go before
    whatever else there is. A moment in the quiet hours waits for the morning, unless it is to be told at once.
    """

    reminder: Reminder
    to: Role
    moments: Callable[[Asked, date, date], Iterable[Moment]]
    window: timedelta


def clock_occasions(
    session: Session, clock: Clock, day: date, tz: tzinfo, preferences: Preferences
) -> Iterator[Occasion]:
    """The moments of a day, and those before it whose window is still open."""
    asked = Asked(session, day, tz, preferences)
    moments = list(clock.moments(asked, (asked.midnight(day) - clock.window).astimezone(tz).date(), day))
    listeners = _listeners(session, clock.to, {moment.organisation_id for moment in moments})
    for moment in moments:
        begins, ends = moment.at, moment.at + clock.window
        if not moment.at_once:
            begins, ends = _slot(moment, clock.window, day, preferences.quiet, tz)
        if begins < ends and begins < asked.midnight(day + timedelta(days=1)) and ends > asked.midnight(day):
            plan = Plan(clock.reminder.code, moment.subject, moment.arguments, begins, ends, kind="alarm")
            yield Occasion(plan, listeners.get(moment.organisation_id, ()))


def _slot(moment: Moment, window: timedelta, day: date, quiet: QuietHours, tz: tzinfo) -> tuple[datetime, datetime]:
    """From when till when it is told by day: on its own one; if that has passed without, at the same hour of this one."""
    begins, ends = awake(moment.at, window, quiet, tz)
    if ends > datetime.combine(day, time(), tz):
        return begins, ends
    again = datetime.combine(day, moment.at.astimezone(tz).time(), tz).astimezone(UTC)
    return awake(again, moment.at + window - again, quiet, tz)


def _listeners(session: Session, role: Role, organisations: set[int]) -> dict[int, list[int]]:
    """Organisation -> the workers of a role who answer for it."""
    if not organisations:
        return {}
    cover = covering(session, role).subquery()
    query = select(cover.c.organisation_id, cover.c.worker_id).where(cover.c.organisation_id.in_(organisations))
    found: dict[int, list[int]] = {}
    for organisation_id, worker_id in session.execute(query):
        found.setdefault(organisation_id, []).append(worker_id)
    return found


def before_quiet(at: datetime, quiet: QuietHours, tz: tzinfo) -> datetime:
    """The instant itself, or the evening before where it lies in the quiet hours: told in time, and waking nobody."""
    local = at.astimezone(tz)
    if local.time() not in quiet:
        return at
    evening = local.date() if local.time() >= quiet.begins else local.date() - timedelta(days=1)
    return datetime.combine(evening, quiet.begins, tz).astimezone(UTC) - EVENING


def at_hour(day: date, hour: str, tz: tzinfo) -> datetime:
    return datetime.combine(day, time.fromisoformat(hour), tz).astimezone(UTC)
