"""APScheduler, and nothing else knows its name. It only wakes planning; the outbox's keys make it once per person per day."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import tzinfo
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger

from reminders.timetable import TIMETABLE

log = structlog.get_logger()

Work = Callable[[], Awaitable[None]]
LOOK_EVERY = 30.0  # seconds between two looks at whether the machine's clock still goes as time does
JUMP = 20.0  # seconds by which it may be off: less is a correction, more is a jump or a machine that slept


class Scheduler:
    """Plans the day shortly after midnight, again at each entry's hour, and every ten minutes.

    Planning is harmless to repeat, so a missed run or a second process needs no other care: whoever wakes next plans
    what is missing, and an entry whose window has passed is not sent. A clock that was a year ahead and is put right
    would leave every job waiting for next year: whenever the clock has jumped, the jobs are timed anew and the day is
    planned.
    """

    def __init__(self, plan_today: Work, tidy_up: Work, tz: tzinfo, *, clock: Callable[[], float] = time.time) -> None:
        self._plan_today, self._clock = plan_today, clock
        self._jobs = AsyncIOScheduler(timezone=tz)
        self._watching: asyncio.Task[None] | None = None
        self._add(plan_today, "plan-midnight", hour=0, minute=5)
        self._add(plan_today, "plan-again", minute="*/10")
        for number, entry in enumerate(TIMETABLE):
            self._add(plan_today, f"{entry.reminder.code}-{number}", hour=entry.at.hour, minute=entry.at.minute)
        self._add(tidy_up, "tidy-up", hour=3, minute=17)

    def _add(self, work: Work, name: str, **at: Any) -> None:
        trigger = CronTrigger(**at, timezone=self._jobs.timezone)
        self._jobs.add_job(work, trigger, id=name, coalesce=True, misfire_grace_time=None, max_instances=1)

    def start(self) -> None:
        """Begin, in the event loop that runs."""
        self._jobs.start()
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._watching is not None:
            self._watching.cancel()
        self._jobs.shutdown(wait=False)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begun, shown = loop.time(), self._clock()
            await asyncio.sleep(LOOK_EVERY)
            jumped = (self._clock() - shown) - (loop.time() - begun)
            if abs(jumped) > JUMP:
                log.warning("clock_jumped", seconds=round(jumped))
                await self._start_anew()

    async def _start_anew(self) -> None:
        for job in self._jobs.get_jobs():
            job.reschedule(job.trigger)
        try:
            await self._plan_today()
        except Exception as error:  # the next run plans it
            log.error("planning_failed", error=type(error).__name__)
