"""The program as it runs on one machine, in a loop whose time is not the world's: it plans, answers and sends, and can be killed.

Everything is the real thing but the threads, the sockets and the clock. Killed means: nothing it had in memory is ever
written down, and what is under way to a platform arrives or does not, as it likes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.channels import Channel
from bot.pacing import Budget
from bot.sender import Sender
from models.base import Store
from models.outbox import OPEN, OutboxMessage
from models.preferences import QuietHours
from reminders.timetable import TIMETABLE, occasions_of, promise_all, render
from tests.processes import SameThread, Seats, cut_off
from tests.simulation.clock import CHINA, Log, Time

HOURS = sorted({time(0, 5), *(entry.at for entry in TIMETABLE)})
"""County-local hours of planning. `cunyi run` plans every ten minutes too."""
LONGEST = 86400.0  # seconds without a look at what is due
POLL, LONGEST_POLL = 2.0, 120.0  # seconds between two looks while something is due, and when it is so for long
NOTICED = 30.0  # seconds until a jump of the clock is noticed


class Process:
    """One running program, whose clock is `skew` seconds ahead of its machine's."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        seats: Seats,
        at: Time,
        *,
        budgets: Mapping[str, Budget],
        settings: Mapping[str, Any],
        skew: float = 0.0,
        hours: Sequence[time] = HOURS,
        log: Log,
    ) -> None:
        self.log = log
        self.store, self.time, self.clock, self.settings, self.hours = store, at, at.shown(skew), settings, hours
        self.seat = seats.take()
        self.intake = SameThread(
            store, clock=self.clock, tz=CHINA, settings=settings, replies=self._take, seat=self.seat.number, lanes=1
        )
        self.channels = {name: _WhileItLives(channel) for name, channel in channels.items()}
        self.sender = Sender(
            self.intake, self.channels, self._render, clock=self.clock, budgets=budgets, poll_every=LONGEST,
            seat=self.seat, tz=CHINA, quiet=QuietHours(),
        )  # fmt: skip
        self._tasks: list[asyncio.Task[Any]] = []
        self._look = asyncio.Event()
        self.alive = True

    async def start(self) -> None:
        await self.sender.begin()
        self._tasks = [asyncio.create_task(work) for work in (self.sender.run(), self._plan(), self._wake())]

    def kill(self) -> None:
        """As with kill -9: nothing more is written down."""
        self.alive, self.intake.dead = False, True
        cut_off(self.sender, self._tasks)
        self.seat.leave()

    async def stop(self) -> None:
        """As with a signal: what is on its way arrives and is written down."""
        self.alive = False
        for task in self._tasks[1:]:
            task.cancel()
        await self.sender.stop()
        self._tasks[0].cancel()
        self.seat.leave()

    def plan_now(self) -> None:
        """What `cunyi run` does at each entry's hour, and in between."""
        now = self.clock()
        with self.store.read() as session:
            found = occasions_of(session, now.astimezone(CHINA).date(), tz=CHINA, settings=self.settings, after=now)
        with self.store.write() as session:
            promise_all(session, found, now)
            session.commit()
        self.log.write("planned", seat=self.seat.number)
        self.look()

    def look(self) -> None:
        """Something was written into the outbox."""
        self._look.set()
        self.sender.wake()

    async def _plan(self) -> None:
        while True:
            self.plan_now()
            jump = self.time.until_next_jump() + NOTICED
            await asyncio.sleep(min(self._until_next_hour(), jump))

    def _until_next_hour(self) -> float:
        now = self.clock().astimezone(CHINA)
        today = [datetime.combine(now.date(), hour, CHINA) for hour in self.hours]
        following = min(at if at > now else at + timedelta(days=1) for at in today)
        return max((following.astimezone(UTC) - now.astimezone(UTC)).total_seconds(), 0.001)

    async def _wake(self) -> None:
        """The sender of `cunyi run` looks every second. Here it looks when something is due: time is cheap, looking is not."""
        following = select(func.min(OutboxMessage.not_before)).where(OutboxMessage.status.in_(OPEN))
        poll = POLL
        while True:
            with self.store.read() as session:
                first = session.scalar(following)
            wait = LONGEST if first is None else (first - self.clock()).total_seconds()
            jump = self.time.until_next_jump() + NOTICED
            self._look.clear()
            poll = POLL if wait > 0 else min(2 * poll, LONGEST_POLL)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), min(max(wait, poll), jump, LONGEST))
                poll = POLL
            self.sender.wake()

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.sender.take(rows)

    def _render(self, session: Any, reminder: str, arguments: Any, worker: Any, now: datetime) -> Any:
        return render(session, reminder, arguments, worker, now, tz=CHINA, settings=self.settings)


class _WhileItLives:
    """A channel as a process sees it: a request that left goes on without the one who made it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.name, self.limits = channel.name, channel.limits
        self.start, self.stop, self.routes, self.parts = channel.start, channel.stop, channel.routes, channel.parts

    async def send(self, account: str, message: Any, *, key: str, again: bool = False) -> str | None:
        sending = asyncio.ensure_future(self._channel.send(account, message, key=key, again=again))
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(sending)
