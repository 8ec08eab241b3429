"""APScheduler, and nothing else knows its name. It only wakes planning; the outbox's keys make it once per person per day."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import tzinfo

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from reminders.timetable import TIMETABLE


def make_scheduler(
    plan_today: Callable[[], Awaitable[None]], tidy_up: Callable[[], Awaitable[None]], tz: tzinfo
) -> AsyncIOScheduler:
    """A scheduler that plans the day shortly after midnight, again at each entry's time, and every ten minutes.

    Planning is harmless to repeat, so a missed run, a clock that jumped or a second process needs no other care:
    whoever wakes next plans what is missing, and an entry whose window has passed is not sent.
    """
    scheduler = AsyncIOScheduler(timezone=tz)
    options = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    scheduler.add_job(plan_today, CronTrigger(hour=0, minute=5, timezone=tz), id="plan-midnight", **options)
    scheduler.add_job(plan_today, CronTrigger(minute="*/10", timezone=tz), id="plan-again", **options)
    for number, entry in enumerate(TIMETABLE):
        trigger = CronTrigger(
            hour=entry.at.hour,
            minute=entry.at.minute,
            day_of_week=",".join(str(d) for d in sorted(entry.weekdays)),
            timezone=tz,
        )
        scheduler.add_job(plan_today, trigger, id=f"{entry.reminder.code}-{number}", **options)
    scheduler.add_job(tidy_up, CronTrigger(hour=3, minute=17, timezone=tz), id="tidy-up", **options)
    return scheduler
