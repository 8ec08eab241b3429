"""How fast a platform lets us speak: a plain pacer per channel and per chat, so that no second ever holds more than the limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds between two messages: to anybody on the channel, and to one chat. Zero means no limit."""

    overall: float = 0.0
    per_chat: float = 0.0


BUDGETS = {
    "telegram": Budget(overall=1 / 30, per_chat=1.0),  # 30/s in all, 1/s in a private chat
    "wecom": Budget(
        overall=0.006, per_chat=2.0
    ),  # 10,000/min per corp and API; 30/min per member, the excess is dropped silently
}
FORGET_ABOVE = 10_000  # chats remembered before the idle ones are dropped


class Pacer:
    """Gives out moments to send at, never two closer than the budget allows."""

    def __init__(self, budget: Budget, time: Callable[[], float]) -> None:
        self.budget, self._time = budget, time
        self._next = 0.0
        self._next_in_chat: dict[str, float] = {}
        self.paused_until = 0.0

    async def wait(self, chat: str) -> None:
        """Return when the next message to this chat may go out."""
        if self.budget.per_chat and (delay := self._next_in_chat.get(chat, 0.0) - self._time()) > 0:
            await asyncio.sleep(delay)
        while True:
            now = self._time()
            at = max(self._next, self.paused_until)
            if at <= now:
                break
            await asyncio.sleep(at - now)
        self._next = max(self._next, now) + self.budget.overall if self.budget.overall else 0.0
        if self.budget.per_chat:
            if len(self._next_in_chat) > FORGET_ABOVE:
                self._next_in_chat = {c: t for c, t in self._next_in_chat.items() if t > now}
            self._next_in_chat[chat] = now + self.budget.per_chat

    def pause(self, seconds: float) -> None:
        """The platform asked for silence: nothing goes out on this channel for that long."""
        self.paused_until = max(self.paused_until, self._time() + seconds)
