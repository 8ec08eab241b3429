"""Telegram without sockets: the same stand-in for ourselves and for every peer."""

from __future__ import annotations

import asyncio
from typing import Any

from telegram.request import BaseRequest

ME = b'{"ok":true,"result":{"id":1,"is_bot":true,"first_name":"bot","username":"bench_bot"}}'
SENT = b'{"ok":true,"result":{"message_id":%d,"date":1700000000,"chat":{"id":1,"type":"private"}}}'


class NoSockets(BaseRequest):
    """Answers every call at once. `said` is set by each message that went out."""

    def __init__(self) -> None:
        self.count = 0
        self.said = asyncio.Event()

    async def initialize(self) -> None:
        return None

    async def shutdown(self) -> None:
        return None

    @property
    def read_timeout(self) -> float:
        return 5

    async def do_request(self, url: str, method: str, *args: Any, **more: Any) -> tuple[int, bytes]:
        if url.endswith("/getMe"):
            return 200, ME
        self.count += 1
        self.said.set()
        return 200, SENT % self.count


def update(number: int, user: int, text: str) -> dict[str, Any]:
    """An update as Telegram brings it."""
    person = {"id": user, "is_bot": False, "first_name": "李梅"}
    chat = {"id": user, "type": "private", "first_name": "李梅"}
    message = {"message_id": number, "date": 1_795_482_000, "chat": chat, "from": person, "text": text}
    return {"update_id": number, "message": message}
