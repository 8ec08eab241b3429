"""Everything the bot says unasked, and when: the whole week on one page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from models.message import OutgoingMessage
from models.people import HealthWorker
from reminders.reminder import Context, Entry, Reminder, daily, plan, weekly
from reminders.rules import (
    campaign_eve,
    campaign_imported,
    campaign_notice,
    campaign_standing,
    campaign_to_tell,
    campaign_unclosed,
    correction_answer,
    correction_request,
    infectious_confirmed,
    infectious_report,
    morning_digest,
    plan_milestones,
    plan_notice,
    plan_terms,
    unconfirmed_emergency,
    urgent_result,
)
from reminders.summaries import plans_weekly, supervisor_weekly

MONDAY = 0

TIMETABLE: tuple[Entry, ...] = (
    daily("07:30", morning_digest.reminder, window=timedelta(hours=5)),  # after 12:30 tomorrow's list says the same
    weekly(MONDAY, "08:00", supervisor_weekly.reminder, window=timedelta(hours=10)),
    daily("08:20", campaign_to_tell.reminder, window=timedelta(hours=10)),
    daily("17:20", campaign_standing.reminder, window=timedelta(hours=3)),
    daily("18:40", campaign_eve.reminder, window=timedelta(hours=2)),  # later than that, nobody can be told any more
    weekly(MONDAY, "08:40", campaign_unclosed.reminder, window=timedelta(hours=9)),
    daily("08:50", plan_milestones.reminder, window=timedelta(hours=9)),
    daily("09:10", plan_terms.reminder, window=timedelta(hours=9)),
    weekly(MONDAY, "09:20", plans_weekly.reminder, window=timedelta(hours=8)),
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
)

REMINDERS: dict[str, Reminder] = {r.code: r for r in (*(entry.reminder for entry in TIMETABLE), *ON_EVENTS)}


def plan_day(session: Session, day: date, *, tz: tzinfo, now: datetime, dry_run: bool = False) -> dict[str, int]:
    """Queue everything the timetable says for a day. Returns how many messages are new, by reminder code."""
    return {
        entry.reminder.code: plan(session, entry, day, tz=tz, now=now, dry_run=dry_run)
        for entry in TIMETABLE
        if entry.falls_on(day)
    }


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
    return REMINDERS[reminder].words(Context(session, worker, arguments, now, tz, settings))
