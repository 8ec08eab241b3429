"""The program as it runs on one machine, in a loop whose time is not the world's: it plans, answers and sends, and can be killed.

Everything is the real thing but the threads, the sockets and the clock. Killed means: nothing it had in memory is ever
written down, and what is under way to a platform arrives or does not, as it likes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.channels import Channel
from bot.intake import Intake
from bot.lanes import Job
from bot.pacing import Budget
from bot.sender import Sender
from bot.writer import Writer
from models.base import Store
from models.message import OutgoingMessage
from models.outbox import OPEN, OutboxMessage
from models.preferences import QuietHours
from reminders.timetable import TIMETABLE, occasions_of, promise_all, render
from tests.sending import Chair

HOURS = (time(0, 5), *(entry.at for entry in TIMETABLE))
"""County-local hours of planning."""
LONGEST = 86400.0  # seconds without a look at what is due
Clock = Callable[[], datetime]


class SameThread(Intake):
    """Commits where it stands: time passes only while somebody waits."""

    dead = False

    def _put(self, job: Job, writer: Writer) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self.dead:
            return future  # nobody answers any more

        def done(result: Any, error: BaseException | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        job.done = done
        writer.commit_group([job])
        return future


class Seats:
    """Who is alive, for a database of which only the test knows."""

    def __init__(self) -> None:
        self.alive: set[int] = set()

    def take(self) -> Chair:
        number = next(n for n in range(64) if n not in self.alive)
        self.alive.add(number)
        return Chair(number, self.alive)


def cut_off(sender: Sender, tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Nothing of a killed process goes on."""
    for task in (*tasks, *sender._tasks, *filter(None, [sender._writing])):
        task.cancel()
    for pacer in sender._pacers.values():
        pacer.close()
        if pacer._serving is not None:
            pacer._serving.cancel()


class Process:
    """One running program. `clock` is what its machine's clock shows."""

    def __init__(
        self,
        store: Store,
        channels: Mapping[str, Channel],
        seats: Seats,
        clock: Clock,
        *,
        tz: Any,
        settings: Mapping[str, Any],
        budgets: Mapping[str, Budget],
        hours: Sequence[time] = HOURS,
        quiet: QuietHours | None = None,
    ) -> None:
        self.store, self.clock, self.tz, self.settings = store, clock, tz, settings
        self.hours = hours
        self.seat = seats.take()
        self.intake = SameThread(
            store, clock=clock, tz=tz, settings=settings, replies=self._take, seat=self.seat.number, lanes=1
        )
        self.channels = {name: _WhileItLives(channel) for name, channel in channels.items()}
        self.sender = Sender(
            self.intake, self.channels, self._render, clock=clock, budgets=budgets, poll_every=LONGEST, seat=self.seat,
            tz=tz, quiet=quiet,
        )  # fmt: skip
        self._tasks: list[asyncio.Task[Any]] = []
        self._look = asyncio.Event()

    async def start(self) -> None:
        await self.sender.begin()
        self._tasks += [
            asyncio.create_task(self.sender.run()),
            asyncio.create_task(self._plan()),
            asyncio.create_task(self._wake()),
        ]

    def kill(self) -> None:
        """As with kill -9: nothing more is written down."""
        self.intake.dead = True
        cut_off(self.sender, self._tasks)
        self.seat.leave()

    async def stop(self) -> None:
        """As with a signal: what is on its way arrives and is written down."""
        for task in self._tasks[1:]:
            task.cancel()
        await self.sender.stop()
        self._tasks[0].cancel()
        self.seat.leave()

    def plan_now(self) -> None:
        """What `cunyi run` does at each entry's hour, and in between."""
        now = self.clock()
        with self.store.read() as session:
            found = occasions_of(session, now.astimezone(self.tz).date(), tz=self.tz, settings=self.settings, after=now)
        with self.store.write() as session:
            promise_all(session, found, now)
            session.commit()
        self.look()

    def look(self) -> None:
        """Something was written into the outbox."""
        self._look.set()
        self.sender.wake()

    async def _plan(self) -> None:
        """At once and at its hours; `cunyi run` does so every ten minutes too, which finds nothing more in these stories."""
        while True:
            self.plan_now()
            await asyncio.sleep(min(self._until_next_hour(), self._rests_at_most()))

    def _rests_at_most(self) -> float:
        """Seconds after which it looks at the clock again, whatever it waits for."""
        return LONGEST

    def _until_next_hour(self) -> float:
        now = self.clock().astimezone(self.tz)
        today = [datetime.combine(now.date(), hour, self.tz) for hour in self.hours]
        following = min(at if at > now else at + timedelta(days=1) for at in today)
        return max((following.astimezone(UTC) - now.astimezone(UTC)).total_seconds(), 0.001)

    async def _wake(self) -> None:
        """The sender of `cunyi run` looks every second. Here it looks when something is due: time is cheap, looking is not."""
        while True:
            with self.store.read() as session:
                following = session.scalar(
                    select(func.min(OutboxMessage.not_before)).where(
                        OutboxMessage.status.in_(OPEN), OutboxMessage.not_before > self.clock()
                    )
                )
            wait = LONGEST if following is None else (following - self.clock()).total_seconds()
            self._look.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), min(max(wait, 0.05), LONGEST))
            self.sender.wake()

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.sender.take(rows)

    def _render(self, session: Any, reminder: str, arguments: Any, worker: Any, now: datetime) -> Any:
        return render(session, reminder, arguments, worker, now, tz=self.tz, settings=self.settings)


class _WhileItLives:
    """A channel as a process sees it: a request that left goes on without the one who made it."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self.name, self.limits = channel.name, channel.limits
        self.start, self.stop, self.routes, self.parts = channel.start, channel.stop, channel.routes, channel.parts

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        sending = asyncio.ensure_future(self._channel.send(account, message, key=key, again=again))
        sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(sending)
