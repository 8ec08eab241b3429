"""A line of the timetable: a reminder, its hour, its days, and how long it may be late. Planning it twice adds nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy.orm import Session

from models.planned import Occasion, Plan, promise
from models.preferences import LATEST, Preferences, QuietHours, own_settings
from reminders.days import CATCH_UP, PUBLISHED, Calendar, Days, Period, every_day, working_days
from reminders.reminder import Reminder, calendar_of

BEFORE_QUIET = timedelta(minutes=5)  # the last moment to lease: what is on its way arrives before the quiet hours


@dataclass(frozen=True, slots=True)
class Entry:
    """Something said at an hour of the day. After `window` it is no longer sent: the next one says what still holds.

    What belongs to a week, month or quarter is said on its first working day, or on one of the two after it where the
    first could not be used.
    """

    reminder: Reminder
    at: time
    window: timedelta
    days: Days = every_day
    period: Period = Period.DAY

    def falls_on(self, day: date, calendar: Calendar = PUBLISHED) -> bool:
        if not self.days(day, calendar):
            return False
        first = self.period.begins(day)
        return self.period is Period.DAY or calendar.working_days_until(first, day) <= CATCH_UP

    def begins(self, day: date, tz: tzinfo, at: time | None = None) -> datetime:
        """The instant it is due on a day; `at` is a worker's own hour."""
        return datetime.combine(day, at or self.at, tz)


def daily(at: str, reminder: Reminder, *, window: timedelta, days: Days = every_day) -> Entry:
    return Entry(reminder, time.fromisoformat(at), window, days)


def weekly(at: str, reminder: Reminder, *, window: timedelta) -> Entry:
    """On the first working day of a week."""
    return Entry(reminder, time.fromisoformat(at), window, working_days, Period.WEEK)


def monthly(at: str, reminder: Reminder, *, window: timedelta) -> Entry:
    return Entry(reminder, time.fromisoformat(at), window, working_days, Period.MONTH)


def quarterly(at: str, reminder: Reminder, *, window: timedelta) -> Entry:
    return Entry(reminder, time.fromisoformat(at), window, working_days, Period.QUARTER)


def occasions(
    session: Session, entry: Entry, day: date, tz: tzinfo, preferences: Preferences, *, after: datetime | None = None
) -> Iterator[Occasion]:
    """Whom to tell on a day, and when; nothing on a day that is not the entry's, or when all is over `after` an instant."""
    if not entry.falls_on(day, calendar_of(preferences)):
        return
    latest = max(entry.at, preferences.at(entry.reminder.code, None, entry.at), LATEST)
    if after is not None and after > entry.begins(day, tz, latest) + entry.window:
        return
    code, of = entry.reminder.code, entry.period.begins(day).isoformat()
    listeners = entry.reminder.listeners(session, day, tz, preferences)
    for at, workers in _by_hour(session, entry, listeners, preferences).items():
        begins, ends = awake(entry.begins(day, tz, at), entry.window, preferences.quiet, tz)
        yield Occasion(Plan(code, of, {"day": of}, begins, ends), workers)


def plan(
    session: Session,
    entry: Entry,
    day: date,
    *,
    tz: tzinfo,
    now: datetime,
    preferences: Preferences | None = None,
    dry_run: bool = False,
) -> int:
    """Queue one entry for one day. Running it again adds nothing. Returns how many messages are new."""
    found = occasions(session, entry, day, tz, preferences or Preferences({}))
    return sum(promise(session, one.plan, one.workers, now, dry_run=dry_run) for one in found)


def _by_hour(
    session: Session, entry: Entry, listeners: Iterable[int], preferences: Preferences
) -> dict[time, list[int]]:
    """The listeners by the hour at which they want to be told; whoever turned it off is left out."""
    code, own = entry.reminder.code, own_settings(session)
    usual, general = preferences.at(code, None, entry.at), preferences.is_off(code)
    hours: dict[time, list[int]] = defaultdict(list)
    for worker in listeners:
        if worker in own:
            if not preferences.is_off(code, own[worker]):
                hours[preferences.at(code, own[worker], entry.at)].append(worker)
        elif not general:
            hours[usual].append(worker)
    return hours


def awake(begins: datetime, window: timedelta, quiet: QuietHours, tz: tzinfo) -> tuple[datetime, datetime]:
    """When to say something due at an instant, and until when it may still be said: never within the quiet hours.

    The arithmetic is done in UTC: an hour that a zone's summer time skips or repeats shifts nothing.
    """
    begins = begins.astimezone(UTC)
    if begins.astimezone(tz).time() in quiet:
        begins = next_time(begins, quiet.ends, tz)
    return begins, min(begins + window, next_time(begins, quiet.begins, tz) - BEFORE_QUIET)


def next_time(after: datetime, at: time, tz: tzinfo) -> datetime:
    """The first instant after another one at which clocks of the county show an hour."""
    day = after.astimezone(tz).date()
    found = datetime.combine(day, at, tz).astimezone(UTC)
    return found if found > after else datetime.combine(day + timedelta(days=1), at, tz).astimezone(UTC)
