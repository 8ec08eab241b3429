"""How fast a platform lets us speak: a pacer per channel, so that no second ever holds more than the limit."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds between two messages: to anybody on the channel, and to one chat. Zero means no limit.

    `overall` is a mean: one that left late does not make all later ones late. What holds without exception is that no
    second has more than `most` of them.
    """

    overall: float = 0.0
    per_chat: float = 0.0
    most: int = 0


BUDGETS = {
    # 30/s in all, 1/s in a private chat. At 29.6/s thirty take 1.0135 s, which leaves room for what the way to the
    # platform may bring them closer together, and is still 0.986 of the limit.
    "telegram": Budget(overall=1 / 29.6, per_chat=1.0, most=30),
    # 10,000/min per corp and API; 30/min per member, the excess is dropped silently
    "wecom": Budget(overall=0.006, per_chat=2.0),
}
SECOND = 1.002  # seconds; two milliseconds for what clocks and sleeps are wrong by
TICK = 1e-6  # seconds; an event loop's timers may be early by a nanosecond, and nobody should spin until it has passed
CATCH_UP = 0.1  # seconds by which a late message may be followed up sooner than evenly
FORGET_ABOVE = 10_000  # chats remembered before the idle ones are dropped


class Pacer:
    """Says when each message may go out. Whoever has the lower rank goes first, then whoever came first."""

    def __init__(self, budget: Budget, time: Callable[[], float]) -> None:
        self.budget, self._time = budget, time
        self.paused_until = 0.0
        self._even = 0.0  # when the next message would leave if all left evenly
        self._left: deque[float] = deque(maxlen=budget.most or 1)
        self._rests: dict[str, float] = {}  # chat -> when it may be spoken to again
        self._asked: dict[str, float] = {}  # chat -> until when the platform asked us to leave it alone
        self._line: list[tuple[int, int, asyncio.Future[bool]]] = []
        self._numbers = count()
        self._serving: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def wait(self, chat: str, *, rank: int = 0, within: float = math.inf) -> bool:
        """True when the next message to this chat may go out now; False when that takes longer than `within`."""
        deadline = self._time() + within
        while (early := (rest := self._rests.get(chat, 0.0)) - (now := self._time())) > TICK:
            if self._closed.is_set() or rest > deadline:
                return False
            await _until(self._closed, early)
        if self._closed.is_set() or max(now, self.paused_until) > deadline:
            return False
        limited = self.budget.overall or self.paused_until > now
        if limited and not await self._turn(rank, deadline - now):
            return False
        self.rest(chat)
        return True

    async def _turn(self, rank: int, within: float) -> bool:
        """Stand in line; False when it takes too long."""
        gate: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        heappush(self._line, (rank, next(self._numbers), gate))
        if self._serving is None:
            self._serving = asyncio.create_task(self._serve())
        await asyncio.wait({gate}, timeout=None if math.isinf(within) else within)
        if gate.done():
            return gate.result()
        gate.cancel()
        return False

    def rest(self, chat: str) -> None:
        """A message was said there just now. Also told when it has arrived, so that a slow way brings none closer together."""
        now = self._time()
        if self.budget.per_chat:
            if len(self._rests) > FORGET_ABOVE:
                self._rests = {c: t for c, t in self._rests.items() if t > now}
            self._rests[chat] = max(now + self.budget.per_chat, self._rests.get(chat, 0.0))

    def pause(self, seconds: float) -> None:
        """Nothing goes out on this channel for that long."""
        self.paused_until = max(self.paused_until, self._time() + seconds)

    def limited(self, chat: str, seconds: float) -> None:
        """The platform asked for silence, for exactly so long.

        It does not say whether it means the chat or all we send. So the chat rests; should another chat be refused
        meanwhile, all of them do.
        """
        now = self._time()
        self._asked = {c: t for c, t in self._asked.items() if t > now and c != chat}
        if self._asked:
            self.pause(seconds)
        self._asked[chat] = now + seconds
        self._rests[chat] = max(now + seconds, self._rests.get(chat, 0.0))

    def close(self) -> None:
        """Nobody needs to wait any longer: it will not be their turn."""
        self._closed.set()
        for _, _, gate in self._line:
            if not gate.done():
                gate.set_result(False)

    async def _serve(self) -> None:
        """Open one gate after another, each at its moment."""
        while self._line:
            if (early := self._opens() - self._time()) > TICK:
                await _until(self._closed, early)
                continue
            _, _, gate = heappop(self._line)
            if not gate.done():
                now = self._time()
                self._left.append(now)
                self._even = max(self._even, now - CATCH_UP) + self.budget.overall
                gate.set_result(True)
        self._serving = None

    def _opens(self) -> float:
        """The moment at which the next message may go out."""
        if self._closed.is_set():
            return 0.0
        full = 0 < self.budget.most == len(self._left)
        return max(self.paused_until, self._even, self._left[0] + SECOND if full else 0.0)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Sleep, unless it happens before."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
