"""What stories of the sender are told with: a clock that is the loop's, phones that refuse on demand, seats."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.exc import OperationalError
from starlette.routing import BaseRoute

from bot.channels import Limits, Receive, fit
from bot.intake import Intake
from bot.pacing import Budget
from bot.sender import Sender
from models.base import Store
from models.message import OutgoingMessage

START = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")
UNLIMITED: dict[str, Budget] = {}


def now() -> datetime:
    """The clock of a story: its loop's time, from the beginning of the morning on."""
    return START + timedelta(seconds=asyncio.get_running_loop().time())


class AtOnce(Intake):
    """Commits where it stands, without threads: time passes only while somebody waits."""

    def __init__(self, store: Store) -> None:
        self.store, self.broken, self.held = store, 0, False

    async def run(self, work: Any, key: str = "", *, may_be_lost: bool = False) -> Any:
        if self.broken:
            self.broken -= 1
            raise OperationalError("COMMIT", {}, Exception("gone"))
        with self.store.write(may_be_lost=may_be_lost) as session:
            result = work(session)
            session.commit()
        return result

    async def hold_replies(self) -> None:
        self.held = True


class Pretended:
    """A channel without a platform: whoever inherits it says what becomes of a message."""

    limits: Limits

    async def start(self, receive: Receive) -> None: ...

    async def stop(self) -> None: ...

    def routes(self) -> Sequence[BaseRoute]:
        return []

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]:
        return fit(message, self.limits)


@dataclass
class Phone(Pretended):
    """A channel that keeps what was said: (seconds, account, text), and ends badly when told to."""

    name: str = "telegram"
    limits: Limits = field(default_factory=lambda: Limits(text=20, unit="characters", buttons=3, label=10))
    endings: deque[Exception | None] = field(default_factory=deque)
    takes: float = 0.0
    whole_seconds: bool = False
    said: list[tuple[float, str, str]] = field(default_factory=list)
    keys: list[tuple[str, bool]] = field(default_factory=list)

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        self.keys.append((key, again))
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(self.takes + (-at % 1 if self.whole_seconds else 0))
        if self.endings and (error := self.endings.popleft()):
            raise error
        self.said.append((round(at, 3), account, message.text))
        return f"{account}:{len(self.said)}"

    @property
    def texts(self) -> list[str]:
        return [text for _, _, text in self.said]


@dataclass
class Chair:
    """A seat among those of a story."""

    number: int
    alive: set[int]

    def taken(self) -> frozenset[int]:
        return frozenset(self.alive)

    def leave(self) -> None:
        self.alive.discard(self.number)


async def for_seconds(sender: Sender, seconds: float) -> None:
    """Let a sender run for so long, then stop it as the program does."""
    task = asyncio.create_task(sender.run())
    await asyncio.sleep(seconds)
    await sender.stop()
    await task


async def once(sender: Sender) -> None:
    await sender.send_due()
    await sender.settle()
