"""The program of `tests.processes` on a machine whose clock is wrong and jumps, and which writes down what it does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import time
from typing import Any

from sqlalchemy import func, select

from bot.channels import Channel
from bot.pacing import Budget
from models.base import Store
from models.outbox import OPEN, OutboxMessage
from models.preferences import QuietHours
from reminders.timetable import TIMETABLE
from tests import processes
from tests.processes import LONGEST, Seats
from tests.simulation.clock import CHINA, Log, Time

HOURS = sorted({time(0, 5), *(entry.at for entry in TIMETABLE)})
"""County-local hours of planning. `cunyi run` plans every ten minutes too."""
POLL, LONGEST_POLL = 2.0, 120.0  # seconds between two looks while something is due, and when it is so for long
NOTICED = 30.0  # seconds until a jump of the clock is noticed


class Process(processes.Process):
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
        self.time, self.log, self.alive = at, log, True
        super().__init__(
            store, channels, seats, at.shown(skew), tz=CHINA, settings=settings, budgets=budgets, hours=hours,
            quiet=QuietHours(),
        )  # fmt: skip

    def kill(self) -> None:
        self.alive = False
        super().kill()

    async def stop(self) -> None:
        self.alive = False
        await super().stop()

    def plan_now(self) -> None:
        super().plan_now()
        self.log.write("planned", seat=self.seat.number)

    def _rests_at_most(self) -> float:
        return self.time.until_next_jump() + NOTICED

    async def _wake(self) -> None:
        """It looks when something is due, and again and again while that stays so."""
        following = select(func.min(OutboxMessage.not_before)).where(OutboxMessage.status.in_(OPEN))
        poll = POLL
        while True:
            with self.store.read() as session:
                first = session.scalar(following)
            wait = LONGEST if first is None else (first - self.clock()).total_seconds()
            self._look.clear()
            poll = POLL if wait > 0 else min(2 * poll, LONGEST_POLL)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), min(max(wait, poll), self._rests_at_most(), LONGEST))
                poll = POLL
            self.sender.wake()
