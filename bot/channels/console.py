"""The terminal as a channel: what is sent is collected for whoever prints it."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute

from bot.channels import Limits, Receive, fit
from models.message import OutgoingMessage


class Console:
    """Keeps what was said until it is taken. It has no limits of its own, and what it shows stays on this machine."""

    name = "console"

    def __init__(self) -> None:
        self.limits = Limits(text=100_000, unit="characters", buttons=100, label=100)
        self._said: list[OutgoingMessage] = []

    async def start(self, receive: Receive) -> None:
        return None

    async def stop(self) -> None:
        return None

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]:
        return fit(message, self.limits)

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        self._said.append(message)
        return None

    def take(self) -> list[OutgoingMessage]:
        """What was said since the last time."""
        said, self._said = self._said, []
        return said
