"""Telegram: how its messages come (by polling or webhook) and go. What they say is in `telegram_payloads`."""

from __future__ import annotations

import asyncio
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from telegram import InputFile
from telegram.request import BaseRequest

from bot.channels import ChannelMisconfigured, Limits, MessageRejected, Receive, SendError, fit, handed_over
from bot.channels.telegram_api import BotApi, Poller, outcome, persist
from bot.channels.telegram_payloads import TEXT, one_call_each, to_incoming, to_payloads
from models.message import File, IncomingMessage, OutgoingMessage

log = structlog.get_logger()

MAX_BODY = 1024 * 1024  # bytes; an update is a few kilobytes
UPDATES = ["message", "edited_message", "callback_query"]
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
UNCHANGED = "message is not modified"
NOT_EDITABLE = (
    "message can't be edited",
    "message to edit not found",
    "message_id_invalid",
    "there is no text in the message to edit",
)


class Telegram:
    """The channel. `polling` asks for updates and needs no public address; with `webhook` Telegram brings them.

    `base_url` is a Bot API server without `/bot`; `request` stands in for the sockets in a benchmark. Either mode sets
    itself up in the background and keeps trying, so a bot started without a network works once there is one.
    """

    name = "telegram"

    def __init__(
        self,
        *,
        token: str,
        now: Callable[[], datetime],
        base_url: str = "https://api.telegram.org",
        mode: Literal["polling", "webhook"] = "polling",
        webhook_secret: str | None = None,
        public_url: str | None = None,
        abroad: bool = True,
        poll_timeout: float = 25,
        commands: Sequence[tuple[str, str]] = (),
        request: BaseRequest | None = None,
    ) -> None:
        if mode == "webhook" and not (public_url and SECRET.fullmatch(webhook_secret or "")):
            raise ChannelMisconfigured("a Telegram webhook needs a public address and a secret of A-Z a-z 0-9 _ -")
        # a phone shows about twenty Chinese characters of a label, and thirty buttons are three screens of it
        self.limits = Limits(text=TEXT, unit="characters", buttons=30, label=20, abroad=abroad)
        self._now, self._mode, self._commands, self._poll_timeout = now, mode, commands, poll_timeout
        self._secret, self._address = webhook_secret or "", f"{(public_url or '').rstrip('/')}/telegram/webhook"
        self._api = BotApi(token, base_url, request)
        self._receive: Receive | None = None
        self._running: asyncio.Task[None] | None = None
        self._courtesies: set[asyncio.Task[None]] = set()

    async def start(self, receive: Receive) -> None:
        self._receive = receive
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Whatever is not committed by now stays unacknowledged: Telegram keeps it for the next start."""
        tasks = [*self._courtesies, *([self._running] if self._running else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._api.close_connections()

    def routes(self) -> Sequence[BaseRoute]:
        return [Route("/telegram/webhook", self._webhook, methods=["POST"])] if self._mode == "webhook" else []

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]:
        return [piece for part in fit(message, self.limits) for piece in one_call_each(part)]

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        """Say one message; its reference is `chat:message`. Telegram has no duplicate check, so `key` goes unused."""
        sent: Any = None
        try:
            for method, payload in to_payloads(account, message):
                sent = await self._say(method, payload)
        except (ValueError, OSError) as error:
            raise outcome(error) from error
        return f"{account}:{sent['message_id']}" if isinstance(sent, dict) else message.replaces

    async def _say(self, method: str, payload: dict[str, Any]) -> Any:
        for field in ("photo", "document"):
            if isinstance(file := payload.get(field), File):
                content = await asyncio.to_thread(Path(file.path).read_bytes)
                payload[field] = InputFile(content, filename=file.name)
        try:
            return await self._api.call(method, payload)
        except MessageRejected as error:
            why = str(error).lower()
            if method == "editMessageText" and UNCHANGED in why:
                return None
            if method != "editMessageText" or not any(words in why for words in NOT_EDITABLE):
                raise
        # too old, deleted, or a picture
        return await self._api.call("sendMessage", {k: v for k, v in payload.items() if k != "message_id"})

    async def _run(self) -> None:
        if await persist(self._set_up) and self._mode == "polling":
            await persist(Poller(self._fetch, self._read, self._accept).step)

    async def _fetch(self, offset: int) -> list[dict[str, Any]]:
        return await self._api.updates(offset, self._poll_timeout, UPDATES)

    def _read(self, update: object) -> IncomingMessage | None:
        return to_incoming(update, self._now())

    async def _set_up(self) -> bool:
        if self._mode == "webhook":
            webhook = {"url": self._address, "secret_token": self._secret, "allowed_updates": UPDATES}
            await self._api.call("setWebhook", webhook)
        else:
            await self._api.call("deleteWebhook", {})  # Telegram refuses to be asked while it has an address
        if self._commands:
            commands = [{"command": command, "description": title} for command, title in self._commands]
            await self._api.call("setMyCommands", {"commands": commands})
        return True

    async def _accept(self, update: Mapping[str, Any], message: IncomingMessage) -> bool:
        """Hand a message to the intake; true once it is committed. Then the button may stop spinning."""
        if not await handed_over(self._receive, message):
            return False
        if message.chosen:
            courtesy = asyncio.create_task(self._stop_spinning(str(update["callback_query"].get("id"))))
            self._courtesies.add(courtesy)
            courtesy.add_done_callback(self._courtesies.discard)
        return True

    async def _stop_spinning(self, query: str) -> None:
        try:
            await self._api.call("answerCallbackQuery", {"callback_query_id": query})
        except SendError as error:
            log.info("telegram callback unanswered", why=str(error))

    async def _webhook(self, request: Request) -> Response:
        """Take one update from Telegram, which brings it again unless told 2xx."""
        given = request.headers.get("x-telegram-bot-api-secret-token", "")
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return _refuse(403, "wrong secret")
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    return _refuse(400, "too large")
            update = json.loads(body)
        except (ValueError, RecursionError, ClientDisconnect):
            return _refuse(400, "malformed")
        if not isinstance(update, dict):
            return _refuse(400, "not an object")
        message = self._read(update)
        if message is None or await self._accept(update, message):
            return Response()
        return _refuse(503, "not accepted")


def _refuse(status: int, reason: str) -> Response:
    log.warning("telegram webhook refused", status=status, reason=reason)
    return Response(status_code=status)
