"""How fast a platform lets us speak: a pacer per channel, so that no second ever holds more than the limit."""

from __future__ import annotations

import asyncio
import math
from bisect import insort
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from heapq import heappop, heappush
from itertools import count


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many messages within any so many seconds."""

    most: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Budget:
    """What a platform allows. `overall` and `per_chat` are seconds between two messages, 0 means no limit.

    `overall` is a mean: one that left late does not make all later ones late. What holds without exception is that no
    second has more than `most` of them. `of_chat` and `of_group` are further limits of one chat, `a_day` one of all of
    them, of which the last part is left to replies, and of that a last one to alarms. `busy_minutes` of the hour are left alone by what is
    planned, which is spread over `spread` seconds after them.
    """

    overall: float = 0.0
    per_chat: float = 0.0
    most: int = 0
    of_chat: tuple[Quota, ...] = ()
    of_group: tuple[Quota, ...] = ()
    a_day: int = 0
    busy_minutes: frozenset[int] = frozenset()
    spread: int = 0

    @property
    def looks_back(self) -> bool:
        """What was said before, and by other processes, counts."""
        return bool(self.of_chat or self.a_day)

    def quotas(self, chat: str) -> tuple[Quota, ...]:
        """A group's chat has a number below zero."""
        return self.of_group if self.of_group and chat.startswith("-") else self.of_chat


ON_ITS_WAY = 1.0  # seconds by which the way to a platform may bring two messages closer together
BUDGETS = {
    # 30/s in all, 1/s in a private chat, 20/min in a group. At 29.6/s thirty take 1.0135 s, which leaves room for what
    # the way to the platform may bring them closer together, and is still 0.986 of the limit.
    "telegram": Budget(overall=1 / 29.6, per_chat=1.0, most=30, of_group=(Quota(20, 60 + ON_ITS_WAY),)),
    # 10,000/min per corp and API; of 30/min and 1,000/h per member the excess is dropped silently; at :00 and :30 the
    # platform is busy with everybody's reminders
    "wecom": Budget(
        overall=0.006,
        of_chat=(Quota(30, 60 + ON_ITS_WAY), Quota(1000, 3600 + ON_ITS_WAY)),
        busy_minutes=frozenset({0, 30}),
        spread=120,
    ),
}
SECOND = 1.010  # seconds; ten milliseconds by which the way to the platform may bring messages closer together
TICK = 1e-6  # seconds; an event loop's timers may be early by a nanosecond, and nobody should spin until it has passed
CATCH_UP = 0.1  # seconds by which a late message may be followed up sooner than evenly
ALARM, REPLY, PLANNED = 0, 1, 2
"""Who goes first, and who may use a day's total to its end."""
LEFT_OVER = {ALARM: 0.0, REPLY: 0.02, PLANNED: 0.2}
"""Of a day's total: what each leaves to those before it. An emergency never waits for midnight because others chatted."""
UNSEEN = 50  # messages of another process that may be on their way: what it leases at once
DAYS_KEPT = 8
FORGET_ABOVE = 10_000  # chats remembered before the idle ones are dropped


class DayTotal:
    """What is left of the messages that may be sent in a day."""

    def __init__(self, most: int, today: Callable[[], date]) -> None:
        self._most, self._today = most, today
        self.unseen = 0
        """Messages that other processes may have sent since one looked last."""
        self._spent: dict[date, int] = {}

    def spend(self, messages: int = 1) -> None:
        """So many were sent today. A clock that shows another day for a while, and then this one again, forgets nothing."""
        today = self._today()
        self._spent[today] = self._spent.get(today, 0) + messages
        if len(self._spent) > DAYS_KEPT:
            del self._spent[next(day for day in self._spent if day != today)]

    def has_room(self, rank: int) -> bool:
        """For one of this rank; for an alarm as long as there is anything left."""
        most = self._most - math.ceil(self._most * LEFT_OVER[rank]) - self.unseen
        return not self._most or self._spent.get(self._today(), 0) < most


class Pacer:
    """Says when each message may go out. Whoever has the lower rank goes first, then whoever came first."""

    def __init__(self, budget: Budget, time: Callable[[], float], today: Callable[[], date] = lambda: date.min) -> None:
        self.budget, self._time = budget, time
        self.day = DayTotal(budget.a_day, today)
        self.paused_until = 0.0
        self._even = 0.0  # when the next message would leave if all left evenly
        self._left: deque[float] = deque(maxlen=budget.most or 1)
        self._share = 1  # processes that have to do with one budget
        self._rests: dict[str, float] = {}  # chat -> when it may be spoken to again
        self._said: dict[str, list[float]] = {}  # chat -> when something was said there, as far back as quotas reach
        self._asked: dict[str, float] = {}  # chat -> until when the platform asked us to leave it alone
        self._line: list[tuple[int, int, asyncio.Future[bool]]] = []
        self._numbers = count()
        self._serving: asyncio.Task[None] | None = None
        self._closed = asyncio.Event()

    async def wait(self, chat: str, *, rank: int = ALARM, within: float = math.inf) -> bool:
        """True when the next message to this chat may go out now; False when that takes longer than `within`."""
        deadline = self._time() + within
        while (early := (rest := self.rests_until(chat)) - (now := self._time())) > TICK:
            if self._closed.is_set() or rest > deadline:
                return False
            await _until(self._closed, early)
        if self._closed.is_set() or max(now, self.paused_until) > deadline or not self.day.has_room(rank):
            return False
        limited = self.budget.overall or self.paused_until > now
        if limited and not (await self._turn(rank, deadline - now) and self.day.has_room(rank)):
            return False
        self.rest(chat)
        self.note(chat, self._time())
        self.day.spend()
        return True

    def rests_until(self, chat: str) -> float:
        """When this chat may be spoken to again, as far as it alone is concerned."""
        said, until = self._said.get(chat, ()), self._rests.get(chat, 0.0)
        for quota in self.budget.quotas(chat):
            if len(said) >= quota.most:
                until = max(until, said[-quota.most] + quota.seconds)
        return until

    def note(self, chat: str, at: float) -> None:
        """Something was said there, by us or by another process, at a moment of this process's time."""
        if self.budget.per_chat and at + self.budget.per_chat > self._time():
            self._rests[chat] = max(at + self.budget.per_chat, self._rests.get(chat, 0.0))
        quotas = self.budget.quotas(chat)
        if quotas:
            if len(self._said) > FORGET_ABOVE:
                begin = self._time() - max(quota.seconds for quota in quotas)
                self._said = {c: said for c, said in self._said.items() if said[-1] > begin}
            said = self._said.setdefault(chat, [])
            insort(said, at)
            del said[: -max(quota.most for quota in quotas)]

    def share(self, processes: int) -> None:
        """So many processes send over this channel, each its part of what it allows in all."""
        if processes > self._share and self.budget.overall:
            self.pause(1.0)  # the second in which the others still think that they are fewer
        self._share = processes
        self.day.unseen = UNSEEN * (processes - 1)

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
                self._even = max(self._even, now - CATCH_UP) + self.budget.overall * self._share
                gate.set_result(True)
        self._serving = None

    def _opens(self) -> float:
        """The moment at which the next message may go out."""
        if self._closed.is_set():
            return 0.0
        most = max(1, self.budget.most // self._share)
        full = self.budget.most and len(self._left) >= most
        return max(self.paused_until, self._even, self._left[-most] + SECOND if full else 0.0)


async def _until(event: asyncio.Event, seconds: float) -> None:
    """Sleep, unless it happens before."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
