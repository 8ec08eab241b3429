"""The line to Telegram's Bot API: calls, what their failures mean, and asking for updates without losing one."""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import structlog
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, NetworkError, RetryAfter
from telegram.request import BaseRequest, HTTPXRequest

from bot.channels import (
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    NotAccepted,
    RateLimited,
    RecipientUnreachable,
    SendError,
)
from models.message import IncomingMessage

log = structlog.get_logger()

# PTB's own opt-in: retry_after as a timedelta, without a deprecation warning at every pause Telegram asks for
os.environ.setdefault("PTB_TIMEDELTA", "true")

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0  # seconds; doubled after each failure
NOBODY_THERE = ("chat not found", "user not found", "peer_id_invalid")  # a 400 about the person, not about our words
CONNECTIONS = 16  # at 0.3 s a call they carry 50 a second, above the 30 Telegram allows

Update = dict[str, Any]


class BotApi(Bot):
    """PTB's Bot with its raw call made public: parameters in, the decoded `result` out, or one of the five outcomes.

    `server` is a Bot API server without `/bot`. Polling has a connection of its own, so that a backlog of messages to
    send never keeps new ones waiting; a `request` handed in stands for both.
    """

    __slots__ = ("_turn",)

    def __init__(self, token: str, server: str, request: BaseRequest | None = None) -> None:
        server = server.rstrip("/")
        super().__init__(
            token,
            base_url=f"{server}/bot",
            base_file_url=f"{server}/file/bot",
            request=request or _line(CONNECTIONS),
            get_updates_request=request or _line(1),
        )
        # Waiting here is free; in httpcore's pool every call looks at all that wait, up to half as much CPU again.
        self._turn = asyncio.Semaphore(CONNECTIONS)
        # httpx logs every URL, and a Bot API URL contains the token
        logging.getLogger("httpx").setLevel(logging.WARNING)

    async def call(self, method: str, parameters: dict[str, Any]) -> Any:
        """One call; all of them share the connections in turn."""
        try:
            async with self._turn:
                return await self._do_post(method, parameters)
        except Exception as error:
            raise outcome(error) from error

    async def updates(self, offset: int, seconds: float, kinds: list[str]) -> list[Update]:
        """The updates from an offset on, waiting so long for the first; up to a hundred."""
        asked = {"offset": offset, "limit": 100, "timeout": seconds, "allowed_updates": kinds}
        try:
            found: Any = await self._do_post("getUpdates", asked, read_timeout=seconds + 10)
            return list(found)
        except Exception as error:
            raise outcome(error) from error

    async def close_connections(self) -> None:
        """Like `shutdown`, which does nothing unless PTB's `initialize` (a getMe that must succeed) came first."""
        for request in self._request:
            await request.shutdown()


def _line(connections: int) -> HTTPXRequest:
    """Patient, because the way to a server abroad is long and a message timed out may have arrived all the same."""
    return HTTPXRequest(
        connections,
        connect_timeout=10,
        read_timeout=20,
        write_timeout=20,
        pool_timeout=30,
        httpx_kwargs={"verify": _certificates()},
    )


@cache
def _certificates() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # 50 ms to load, the same for every connection


def outcome(error: Exception) -> SendError:
    """Which of the five outcomes an error means. PTB makes BadRequest a kind of NetworkError, so it goes first."""
    why = str(error)
    match error:
        case SendError():
            return error
        case RetryAfter(retry_after=pause):
            return RateLimited(pause.total_seconds() if isinstance(pause, timedelta) else pause, why)
        case Forbidden() | ChatMigrated():
            return RecipientUnreachable(why)
        case BadRequest() if any(words in why.lower() for words in NOBODY_THERE):
            return RecipientUnreachable(why)
        case BadRequest() | ValueError() | OSError():  # also: a callback id that does not fit, a file that is not there
            return MessageRejected(why)
        case NetworkError() if isinstance(error.__cause__, ValueError) or "entity too large" in why.lower():
            return MessageRejected(why)  # not encodable, or above 50 MB: no better network will carry it
        case InvalidToken():
            return ChannelMisconfigured(f"Telegram does not know this token ({why})")
        case _:
            return ChannelUnavailable(why)


async def persist(step: Callable[[], Awaitable[bool]]) -> bool:
    """Repeat a step until it says it is done, through every trouble but a wrong token: that returns False."""
    pause = FIRST_PAUSE
    while True:
        try:
            if await step():
                return True
            pause = FIRST_PAUSE
        except Exception as error:
            problem = outcome(error)
            if isinstance(problem, ChannelMisconfigured):
                log.critical("telegram stopped: the operator must act", reason=str(problem))
                return False
            exact = problem.retry_after if isinstance(problem, RateLimited) else None
            wait = pause if exact is None else exact
            # a Conflict says in `why` whether it is a second poller or a webhook
            log.warning("telegram pauses", error=type(error).__name__, why=str(problem), seconds=wait)
            await asyncio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)


class Poller:
    """How far we have come through Telegram's list of updates.

    Asking from an offset confirms everything below it, so the offset stands at the first update not yet committed.
    Chats go side by side; within a chat each message waits for the one before, as Telegram's own webhooks do, because
    an answer committed ahead of a refused one would answer the wrong question.
    """

    def __init__(
        self,
        fetch: Callable[[int], Awaitable[list[Update]]],
        read: Callable[[Update], IncomingMessage | None],
        accept: Callable[[Update, IncomingMessage], Awaitable[bool]],
    ) -> None:
        self._fetch, self._read, self._accept = fetch, read, accept
        self._offset = 0
        self._committed: set[int] = set()  # at or above the offset: handed over already, but Telegram will repeat them

    async def step(self) -> bool:
        """One round. Raises NotAccepted when something was refused, so that the next round waits a little."""
        updates = await self._fetch(self._offset)
        chats: dict[str, list[tuple[Update, IncomingMessage]]] = {}
        for update in updates:
            if update["update_id"] not in self._committed and (message := self._read(update)):
                chats.setdefault(message.account, []).append((update, message))
        refused = [r for r in await asyncio.gather(*map(self._hand_over, chats.values())) if r is not None]
        after_all = max((update["update_id"] + 1 for update in updates), default=self._offset)
        self._offset = min(refused, default=after_all)
        self._committed = {number for number in self._committed if number >= self._offset}
        if refused:
            raise NotAccepted(f"{len(refused)} chats wait for the database")
        return False

    async def _hand_over(self, chat: list[tuple[Update, IncomingMessage]]) -> int | None:
        for update, message in chat:
            if not await self._accept(update, message):
                return int(update["update_id"])
            self._committed.add(update["update_id"])
        return None
