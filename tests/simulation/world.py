"""The world around the program: people do what they do, phones bring what they wrote, machines start and stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from models.base import Store
from models.message import IncomingMessage
from tests.simulation.clock import DAY, Log, Time
from tests.simulation.county import Config, Troubles
from tests.simulation.day import Action
from tests.simulation.days import actions_of
from tests.simulation.process import Process
from tests.simulation.work import WORK

START_TAKES = 2.0  # seconds from a restart to the first look at the outbox


class World:
    """One stretch of time, from its base on, until the last midnight or a kill."""

    def __init__(
        self, config: Config, found: Troubles, store: Store, folder: Path, at: Time, log: Log,
        start: Callable[[float], Process],
    ) -> None:  # fmt: skip
        self.config, self.found, self.store, self.folder, self.time, self.log = config, found, store, folder, at, log
        self._start = start
        self.processes: list[Process] = []
        self._up = asyncio.Event()

    async def run(self, done: set[str]) -> None:
        await self.up(0.0)
        machines = [asyncio.create_task(self._second(*one)) for one in self.found.second if one[1] > self.time.now]
        machines += [asyncio.create_task(self._give_up(at)) for at in self.found.given_up if at > self.time.now]
        for day in range(int(self.time.now // DAY), self.config.days):
            await self.time.until(day * DAY)
            drawn = actions_of(self.config, self.store, self.folder, day)
            doing = [asyncio.create_task(self._do(one)) for one in drawn if one["id"] not in done]
            await self.time.until((day + 1) * DAY - 1)
            for task in doing:
                await task
        for task in machines:
            task.cancel()
        for process in self.processes:
            await process.stop()
        self.log.write("end")

    # --- machines ---

    async def up(self, skew: float) -> Process:
        process = self._start(skew)
        self.processes.append(process)
        self.log.write("up", seat=process.seat.number)
        await process.start()
        self._up.set()
        return process

    def _down(self, process: Process) -> None:
        self.processes.remove(process)
        self.log.write("down", seat=process.seat.number)
        process.kill()
        for other in self.processes:
            other.look()
        if not self.processes:
            self._up.clear()

    async def _second(self, begins: float, ends: float, skew: float) -> None:
        """Another process on the same database for some hours; it ends as a program does that is asked to."""
        await self.time.until(begins)
        process = await self.up(skew)
        await self.time.until(ends)
        if process in self.processes:
            self.processes.remove(process)
            self.log.write("down", seat=process.seat.number, asked=True)
            await process.stop()
        for other in self.processes:
            other.look()
        if not self.processes:
            await self.up(0.0)

    async def _give_up(self, at: float) -> None:
        """One of several dies at an arbitrary moment; a new one starts in its place a little later."""
        await self.time.until(at)
        rng = self.config.rng("given up", at)
        if not self.processes:
            return
        victim = rng.choice(self.processes)
        self._down(victim)
        await asyncio.sleep(START_TAKES + rng.choice((0.1, 1, 20, 300)))
        if len(self.processes) < 2:
            await self.up(rng.uniform(-20, 20))

    async def _alive(self) -> Process:
        await self._up.wait()
        return self.processes[-1]

    # --- people ---

    async def _do(self, action: Action) -> None:
        await self.time.until(action["at"])
        process = await self._alive()
        if action["do"] == "say":
            await process.intake.receive(self._message(action, process.clock()))
        else:
            work = WORK[action["do"]]
            if await process.intake.run(lambda session: work(session, action, process.clock())):
                process.look()
        self.log.write("done", id=action["id"])

    def _message(self, action: Action, shown: datetime) -> IncomingMessage:
        return IncomingMessage(
            action["channel"], action["account"], f"s{action['id']}", min(self.time.instant(action["at"]), shown),
            text=action.get("text"), chosen=(action["chosen"],) if "chosen" in action else (),
        )  # fmt: skip
