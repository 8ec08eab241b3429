"""Everything the bot says unasked, and when: the whole year on one page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from models.mention import unmention
from models.message import OutgoingMessage
from models.outbox import TITLES
from models.people import HealthWorker, Role
from models.planned import Occasion, promise
from models.preferences import preferences
from reminders.clock import Clock, clock_occasions
from reminders.days import working_days
from reminders.digest import digest
from reminders.entry import Entry, daily, monthly, occasions, quarterly, weekly
from reminders.reminder import Context, Reminder
from reminders.rules import (
    agreements,
    alarm_undelivered,
    appointments,
    campaign_eve,
    campaign_imported,
    campaign_notice,
    campaign_standing,
    campaign_to_tell,
    campaign_unclosed,
    correction_answer,
    correction_request,
    emergency_arrival,
    escalated,
    escalated_county,
    first_visit,
    infectious_confirmed,
    infectious_due,
    infectious_report,
    plan_milestones,
    plan_notice,
    plan_terms,
    positives,
    positives_township,
    referrals,
    referrals_township,
    silent,
    silent_township,
    unconfirmed_emergency,
    unreachable,
    unserved,
    urgent_result,
    visits,
    windows,
)
from reminders.summaries import plans_weekly, supervisor_monthly, supervisor_quarterly, supervisor_weekly

HOURS = timedelta(hours=1)
WEEK = timedelta(
    days=7
)  # a term that has passed is told of on one of these days, even if the machine was off on the first

MORNING = digest(
    "morning_digest",
    "今日随访提醒",
    to=Role.DOCTOR,
    whom="村医:自己负责的村",
    parts=(
        visits.part,
        referrals.part,
        appointments.part,
        positives.part,
        windows.part,
        agreements.part,
        unserved.part,
        silent.part,
    ),
)
TOWNSHIP = digest(
    "township_digest",
    "公卫科晨报",
    to=Role.TOWNSHIP,
    whom="公卫科:本乡镇",
    parts=(positives_township.part, referrals_township.part, escalated.part, silent_township.part, unreachable.part),
)
COUNTY = digest("county_digest", "卫健局晨报", to=Role.COUNTY, whom="卫健局:全县", parts=(escalated_county.part,))

TIMETABLE: tuple[Entry, ...] = (
    daily("07:30", MORNING, window=5 * HOURS),  # after 12:30 tomorrow's says the same
    daily("07:40", campaign_eve.on_the_day, window=4 * HOURS),
    weekly("08:05", supervisor_weekly.reminder, window=10 * HOURS),
    daily("08:20", campaign_to_tell.reminder, window=10 * HOURS),
    daily("08:25", TOWNSHIP, window=9 * HOURS, days=working_days),
    daily("08:35", COUNTY, window=9 * HOURS, days=working_days),
    weekly("08:40", campaign_unclosed.reminder, window=9 * HOURS),
    daily("08:50", plan_milestones.reminder, window=9 * HOURS),
    monthly("08:55", supervisor_monthly.reminder, window=9 * HOURS),
    quarterly("09:05", supervisor_quarterly.reminder, window=8 * HOURS),
    daily("09:10", plan_terms.reminder, window=9 * HOURS),
    weekly("09:20", plans_weekly.reminder, window=8 * HOURS),
    daily("17:20", campaign_standing.reminder, window=3 * HOURS),
    daily("18:40", campaign_eve.reminder, window=2 * HOURS),  # later than that, nobody can be told any more
)

CLOCKS: tuple[Clock, ...] = (
    Clock(reminder=infectious_due.reminder, to=Role.TOWNSHIP, moments=infectious_due.moments, window=4 * HOURS),
    Clock(reminder=infectious_due.missed, to=Role.COUNTY, moments=infectious_due.moments_missed, window=WEEK),
    Clock(reminder=first_visit.reminder, to=Role.DOCTOR, moments=first_visit.moments, window=6 * HOURS),
    Clock(reminder=first_visit.missed, to=Role.TOWNSHIP, moments=first_visit.moments_missed, window=WEEK),
    Clock(reminder=emergency_arrival.reminder, to=Role.TOWNSHIP, moments=emergency_arrival.moments, window=WEEK),
)

ON_EVENTS: tuple[Reminder, ...] = (
    campaign_notice.reminder,
    campaign_imported.reminder,
    plan_notice.reminder,
    infectious_report.reminder,
    infectious_confirmed.reminder,
    correction_request.reminder,
    correction_answer.reminder,
    urgent_result.reminder,
    unconfirmed_emergency.reminder,
    alarm_undelivered.reminder,
)

REMINDERS: dict[str, Reminder] = {
    reminder.code: reminder
    for reminder in (*(entry.reminder for entry in TIMETABLE), *(clock.reminder for clock in CLOCKS), *ON_EVENTS)
}
TITLES.update((code, reminder.title) for code, reminder in REMINDERS.items())


def occasions_of(
    session: Session,
    day: date,
    *,
    tz: tzinfo,
    settings: Mapping[str, Any] | None = None,
    after: datetime | None = None,
) -> list[Occasion]:
    """Everything the timetable says for a day, found by reading alone. `settings` are `Settings.county`.

    What could be said no more `after` an instant is left out: through the day there is less and less to look for.
    """
    wishes = preferences(session, settings or {})
    found: list[Occasion] = []
    for entry in TIMETABLE:
        found += occasions(session, entry, day, tz, wishes, after=after)
    for clock in CLOCKS:
        found += clock_occasions(session, clock, day, tz, wishes)
    return found


def promise_all(session: Session, found: Iterable[Occasion], now: datetime, *, dry_run: bool = False) -> dict[str, int]:
    """Queue them. Running it again adds nothing. Returns how many messages are new, by reminder code."""
    new = Counter[str]()
    for occasion in found:
        new[occasion.plan.reminder] += promise(session, occasion.plan, occasion.workers, now, dry_run=dry_run)
    return dict(new)


def plan_day(
    session: Session,
    day: date,
    *,
    tz: tzinfo,
    now: datetime,
    dry_run: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, int]:
    """Find and queue everything the timetable says for a day, by reminder code."""
    found = occasions_of(session, day, tz=tz, settings=settings)
    return promise_all(session, found, now, dry_run=dry_run)


def render(
    session: Session,
    reminder: str,
    arguments: Mapping[str, Any],
    worker: HealthWorker,
    now: datetime,
    *,
    tz: tzinfo,
    settings: Mapping[str, Any],
) -> OutgoingMessage:
    """Words of a queued message at the moment it goes out. Raises Gone when its reason has gone."""
    wishes = preferences(session, settings or {})
    key = f"{reminder}:{worker.id}:{arguments.get('day', '')}"
    unmention(session, key)
    return REMINDERS[reminder].say(Context(session, worker, arguments, now, tz, settings, wishes, key))
