"""Telegram and WeCom as they are on a bad day: they keep strict limits, count what arrived, fail, throttle, and lose answers.

A platform lives in the world, not in the program: what it remembers is read from the log again by whoever comes after
a kill.
"""

from __future__ import annotations

import asyncio
import hashlib
from bisect import bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from bot.channels import (
    ChannelUnavailable,
    Limits,
    MessageRejected,
    RateLimited,
    RecipientUnreachable,
)
from models.message import OutgoingMessage
from tests.sending import Pretended
from tests.simulation.clock import Log, Time
from tests.simulation.kills import Fate

WAY = (0.003, 0.008)  # seconds to the platform; the answer takes longer
HUNG = 55.0  # seconds without an answer: longer than the sender waits
REMEMBERS = 1800.0  # seconds for which WeCom finds a repeated message, when asked to


@dataclass(frozen=True, slots=True)
class Window:
    """So many messages in any so many seconds, in all or to each account."""

    most: int
    seconds: float
    each: bool


@dataclass(frozen=True, slots=True)
class Character:
    """What a platform is like. Chances are of each call."""

    limits: Limits
    windows: tuple[Window, ...]
    drops_excess: bool
    """Above the limit it answers as if nothing were wrong (WeCom); else it answers 429."""
    finds_repeated: bool
    throttles: float = 0.004
    errs: float = 0.003
    loses_answer: float = 0.003
    answers_late: float = 0.004
    hangs: float = 0.0006
    rejects: float = 0.0001


CHARACTERS = {
    "telegram": Character(
        Limits(text=4096, unit="characters", buttons=30, label=20, abroad=True),
        (Window(30, 1.0, each=False), Window(1, 1.0, each=True)),
        drops_excess=False,
        finds_repeated=False,
    ),
    "wecom": Character(
        Limits(text=2048, unit="bytes", buttons=6, label=10),
        (Window(30, 60.0, each=True), Window(1000, 3600.0, each=True)),
        drops_excess=True,
        finds_repeated=True,
    ),
}


@dataclass(frozen=True, slots=True)
class Outage:
    """`how`: refused at once, hung for ever, or taken and never answered."""

    begins: float
    ends: float
    how: str


class Platform(Pretended):
    """One of them, as a channel. `blocked` are the times at which an account refuses everything."""

    def __init__(
        self,
        name: str,
        time: Time,
        log: Log,
        fate: Fate,
        *,
        seed: str,
        outages: Sequence[Outage],
        blocked: dict[str, list[tuple[float, float]]],
        faults: bool = True,
    ) -> None:
        self.name, self.character = name, CHARACTERS[name]
        self.limits = self.character.limits
        self._time, self._log, self._fate, self._rng = time, log, fate, Random(seed)
        self._outages, self._blocked, self._faults = outages, blocked, faults
        self._arrived: dict[tuple[Window, str], deque[float]] = defaultdict(deque)
        self._texts: dict[tuple[str, str], float] = {}

    def remember(self, arrivals: Iterable[dict[str, Any]]) -> None:
        """What had arrived before this stretch."""
        for one in arrivals:
            if one["ch"] == self.name:
                self._count(one["acc"], one["t"])
                self._texts[one["acc"], one["text"]] = one["t"]

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        await asyncio.sleep(self._rng.uniform(*WAY))
        now, kind = self._time.now, self.character
        outage = next((o for o in self._outages if o.begins <= now < o.ends), None)
        if outage is not None and outage.how != "taken":
            await asyncio.sleep(HUNG if outage.how == "hung" else 0.05)
            raise ChannelUnavailable("no connection")
        if any(begins <= now < ends for begins, ends in self._blocked.get(account, ())):
            await self._answer()
            raise RecipientUnreachable("blocked by the user")
        chance = self._rng.random() if self._faults else 1.0
        if chance < kind.throttles:
            await self._answer()
            raise RateLimited(self._rng.choice((1, 2, 5, 17, 35)))
        chance -= kind.throttles
        if chance < kind.errs:
            await self._answer()
            raise ChannelUnavailable("502")
        chance -= kind.errs
        if chance < kind.rejects:
            await self._answer()
            raise MessageRejected("it does not like the text")
        chance -= kind.rejects
        self._fate.moment("before it arrives")
        await self._take(account, message.text, key, again)
        self._fate.moment("after it arrived")
        if outage is not None or chance < kind.loses_answer:
            self._log.write("lost", key=key)
            await self._answer()
            raise ChannelUnavailable("the connection was dropped")
        chance -= kind.loses_answer
        if chance < kind.answers_late:
            await asyncio.sleep(self._rng.uniform(1, 35))
        elif chance - kind.answers_late < kind.hangs:
            self._log.write("lost", key=key)
            await asyncio.sleep(HUNG)
        await self._answer()
        return f"{self.name}-{key[-40:]}"

    async def _answer(self) -> None:
        await asyncio.sleep(self._rng.uniform(0.02, 0.2))

    async def _take(self, account: str, text: str, key: str, again: bool) -> None:
        """Count it, if it is within the limits."""
        now, digest = self._time.now, hashlib.sha256(text.encode()).hexdigest()[:12]
        if self.character.finds_repeated and again and now - self._texts.get((account, digest), -1e9) < REMEMBERS:
            self._log.write("repeated", ch=self.name, acc=account, key=key)
            return
        if (window := self._full(account, now)) is not None:
            self._log.write("over", ch=self.name, acc=account, key=key, most=window.most, seconds=window.seconds)
            if self.character.drops_excess:
                return
            await self._answer()
            raise RateLimited(1)
        self._count(account, now)
        self._texts[account, digest] = now
        self._log.write("arrived", ch=self.name, acc=account, key=key, again=again, text=digest)

    def _full(self, account: str, now: float) -> Window | None:
        for window in self.character.windows:
            arrived = self._arrived[window, account if window.each else ""]
            if len(arrived) - bisect_right(arrived, now - window.seconds) >= window.most:
                return window
        return None

    def _count(self, account: str, at: float) -> None:
        for window in self.character.windows:
            arrived = self._arrived[window, account if window.each else ""]
            arrived.append(at)
            while len(arrived) > window.most:
                arrived.popleft()
