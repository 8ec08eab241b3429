"""A backlog at the platform's limit: nearly all of Telegram's 30 messages a second, and never more in any one second."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert
from telegram.ext import AIORateLimiter, ExtBot

from benchmarks.county import NOW, SECRET
from benchmarks.row import Row, rate_row, share_row
from benchmarks.sockets import NoSockets
from bot.app import App
from bot.channels.telegram import Telegram
from bot.clock import MovableClock
from bot.config import Settings
from models.base import Store
from models.outbox import OutboxMessage
from tests.databases import fresh_store

LIMIT = 30  # messages a second, in all
SECONDS = 20


class Watched(NoSockets):
    """Notes when each message goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[float] = []

    async def do_request(self, url: str, method: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        if url.endswith("/sendMessage"):
            self.sent.append(time.perf_counter())
        return await super().do_request(url, method, *args, **more)


def measure(*, quick: bool = False) -> list[Row]:
    messages = LIMIT + 10 if quick else LIMIT * SECONDS
    with fresh_store() as store:
        ours = asyncio.run(_ours(store, messages))
    limiter = asyncio.run(_limiter(messages if quick else LIMIT * 3))
    unit = "messages/s"
    return [
        rate_row(
            "delivery of a backlog, sustained", _sustained(ours), LIMIT, "Telegram's limit", at_least=0.98, unit=unit
        ),
        share_row("most in any one second", _most(ours), LIMIT, "Telegram's limit", at_most=1, unit="messages"),
        share_row(
            "most in any one second", _most(ours), _most(limiter), "PTB's AIORateLimiter", at_most=1, unit="messages"
        ),
    ]


async def _ours(store: Store, messages: int) -> list[float]:
    """As many rows as the limit allows in that time, each to another person, through the program as `run` has it."""
    rows = [
        {
            "dedup_key": f"backlog:{n}",
            "kind": "digest",
            "channel": "telegram",
            "account": str(n),
            "message": {"text": f"第{n}条"},
            "status": "queued",
            "planned_at": NOW,
            "not_before": NOW - timedelta(seconds=messages - n),
            "attempts": 0,
            "parts_sent": 0,
        }
        for n in range(messages)
    ]
    with store.write() as session:
        session.execute(insert(OutboxMessage), rows)
        session.commit()
    clock, request = MovableClock(NOW), Watched()
    telegram = Telegram(  # by webhook, so that nobody asks the stand-in for updates
        token="1:a", now=clock, request=request, mode="webhook", webhook_secret="s", public_url="https://bench.example"
    )
    app = App(Settings(secret_key=SECRET), store, {"telegram": telegram}, clock=clock)  # type: ignore[arg-type]
    await app.start(timetable=False)
    while len(request.sent) < messages:
        await asyncio.sleep(0.05)
    await app.stop()
    return request.sent


async def _limiter(messages: int) -> list[float]:
    """What comes with the library, told the same limit."""
    request = Watched()
    limiter = AIORateLimiter(overall_max_rate=LIMIT, overall_time_period=1)
    bot: ExtBot[Any] = ExtBot("1:a", request=request, get_updates_request=request, rate_limiter=limiter)
    await bot.initialize()
    await asyncio.gather(*(bot.send_message(n + 1, f"第{n}条") for n in range(messages)))
    return request.sent


def _sustained(sent: list[float]) -> float:
    return (len(sent) - 1) / (sent[-1] - sent[0])


def _most(sent: list[float]) -> int:
    """The most that any window of one second holds, both ends included."""
    most = begin = 0
    for end, at in enumerate(sent):
        while at - sent[begin] > 1:
            begin += 1
        most = max(most, end - begin + 1)
    return most
