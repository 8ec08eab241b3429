"""The simulator's channel, once for each look: `sim-telegram` and `sim-wecom`.

Both write to the same chats: a worker may change platforms in the middle of a sentence. Messages take the same way as
everywhere, through intake and sender.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from starlette.routing import BaseRoute

from bot.channels import NotAccepted, Receive, RecipientUnreachable, fit
from bot.channels.simulator_chats import Chat, Chats, Entry
from bot.channels.simulator_looks import LOOKS, Drawing, pressed
from models.message import File, IncomingMessage, OutgoingMessage


class Simulator:
    """A channel that looks like one platform. The phones say things with `say`, `tap` and `hand_over`."""

    def __init__(self, look: str, chats: Chats) -> None:
        self.name, self.look, self.chats = f"sim-{look}", LOOKS[look], chats
        self.limits = self.look.limits
        self._receive: Receive | None = None

    async def start(self, receive: Receive) -> None:
        self._receive = receive

    async def stop(self) -> None:
        self._receive = None

    def routes(self) -> Sequence[BaseRoute]:
        return ()

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]:
        return fit(message, self.limits)

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        chat = self.chats.of.get(account)
        if chat is None:
            raise RecipientUnreachable(f"no phone has the account {account}")
        known = next((entry for entry in chat.entries if entry.key == key), None) if again else None
        if known is not None:
            return f"{account}:{known.id}"
        entry: Entry | None = None
        for drawing in self.look.draw(account, message, key):
            entry = self._edit(chat, account, drawing, key) or self.chats.add(account, "bot", drawing, key)
        return f"{account}:{entry.id}" if entry else None

    def _edit(self, chat: Chat, account: str, drawing: Drawing, key: str) -> Entry | None:
        edited = chat.entry(drawing.pop("edits", 0))
        if edited is not None:
            edited.drawing, edited.key, edited.edited, edited.used = drawing, key, True, []
            self.chats.tell(account, edited)
        return edited

    # ---- what the person at the phone does ----------------------------------------------------------------------

    async def say(self, account: str, text: str) -> Entry:
        """Type a line and send it."""
        entry = self.chats.add(account, "worker", {"kind": "text", "text": text, "rows": []})
        return await self._deliver(account, entry, text=text)

    async def hand_over(self, account: str, file: File) -> Entry:
        """Send a photo, a sticker, a voice message or a place."""
        entry = self.chats.add(account, "worker", {"kind": file.kind, "text": "", "rows": []})
        return await self._deliver(account, entry, file=file)

    async def tap(self, account: str, number: int, wires: Sequence[str]) -> Entry | None:
        """Press a button, or hand in a vote card. None when there is no such message any more."""
        card = self.chats.of[account].entry(number)
        if card is None or not wires:
            return None
        context, chosen = pressed(wires)
        card.used = [*(wire for wire in card.used if wire not in wires), *wires]
        for option in card.drawing.get("options", ()):
            option["ticked"] = option["id"] in wires
        self.chats.tell(account, card)
        return await self._deliver(account, card, chosen=chosen, context=context, message_ref=f"{account}:{number}")

    async def _deliver(self, account: str, entry: Entry, **content: Any) -> Entry:
        message = IncomingMessage(self.name, account, uuid.uuid4().hex, self.chats.now(), **content)
        state = "failed"
        if self._receive is not None:
            with suppress(NotAccepted):
                await self._receive(message)
                state = "taken"
        if entry.who == "worker":
            entry.state = state
            self.chats.tell(account, entry)
        return entry
