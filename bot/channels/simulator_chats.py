"""What was said to and by every account of the simulator, kept in memory and shown by whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from bot.channels import fit
from bot.channels.simulator_looks import LOOKS, Drawing
from models.message import OutgoingMessage

Listener = Callable[[str, "Entry"], None]
"""Told the account and the entry that is new or has changed."""


@dataclass(slots=True)
class Entry:
    """One thing in a chat. `key` is the outbox's; `state` of the worker's own: sending, taken (committed) or failed."""

    id: int
    who: Literal["worker", "bot"]
    at: datetime
    drawing: Drawing
    key: str = ""
    state: str = ""
    used: list[str] = field(default_factory=list)
    edited: bool = False

    def to_json(self) -> dict[str, Any]:
        own = {"id": self.id, "who": self.who, "at": self.at.isoformat(), "key": self.key, "state": self.state}
        return {**self.drawing, **own, "used": self.used, "edited": self.edited}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        own = ("id", "who", "at", "key", "state", "used", "edited")
        drawing = {name: value for name, value in data.items() if name not in own}
        at = datetime.fromisoformat(data["at"])
        return cls(data["id"], data["who"], at, drawing, data["key"], data["state"], data["used"], data["edited"])


@dataclass(slots=True)
class Chat:
    """All that one account was told and said, oldest first. `seen` is the last entry a phone has shown."""

    look: str
    entries: list[Entry] = field(default_factory=list)
    seen: int = 0

    @property
    def unread(self) -> int:
        return sum(entry.who == "bot" and entry.id > self.seen for entry in self.entries)

    def entry(self, number: int) -> Entry | None:
        return next((entry for entry in reversed(self.entries) if entry.id == number), None)


class Chats:
    """Every account's chat. `now` stamps what is shown with the simulated hour."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.of: dict[str, Chat] = {}
        self.listeners: list[Listener] = []
        self._last_id = 0

    def add(self, account: str, who: Literal["worker", "bot"], drawing: Drawing, key: str = "") -> Entry:
        entry = Entry(self._new_id(), who, self.now(), drawing, key, "sending" if who == "worker" else "")
        self.of[account].entries.append(entry)
        self.tell(account, entry)
        return entry

    def tell(self, account: str, entry: Entry) -> None:
        """An entry is new or has changed."""
        for listener in self.listeners:
            listener(account, entry)

    def redraw(self, account: str, look: str, said: Mapping[str, OutgoingMessage]) -> None:
        """Change the look: everything the bot said is cut and drawn again, as the other platform would have had it.

        `said` holds the outbox's messages by key; an entry whose message is no longer known stays as it was drawn.
        """
        chat, drawn = self.of[account], set()
        entries: list[Entry] = []
        for entry in chat.entries:
            key = outbox_key(entry.key, said)
            if key is None:
                entries.append(entry)
            elif key not in drawn:
                drawn.add(key)
                used = [wire for e in chat.entries if outbox_key(e.key, said) == key for wire in e.used]
                parts = fit(replace(said[key], replaces=None), LOOKS[look].limits)
                entries += [
                    Entry(self._new_id(), "bot", entry.at, drawing, key, used=list(used))
                    for part in parts
                    for drawing in LOOKS[look].draw(account, part, key)
                ]
        chat.look, chat.entries = look, entries

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def to_json(self) -> dict[str, Any]:
        chats = {
            account: {"look": chat.look, "seen": chat.seen, "entries": [entry.to_json() for entry in chat.entries]}
            for account, chat in self.of.items()
        }
        return {"last_id": self._last_id, "chats": chats}

    def load(self, data: Mapping[str, Any]) -> None:
        """Go on where an earlier run stopped."""
        self._last_id = data["last_id"]
        for account, chat in data["chats"].items():
            self.of[account] = Chat(chat["look"], [Entry.from_json(entry) for entry in chat["entries"]], chat["seen"])


def outbox_key(key: str, said: Mapping[str, Any]) -> str | None:
    """The outbox's key of an entry: a long message's parts add their number to it."""
    return next((k for k in (key, key.rpartition(":")[0]) if k in said), None)
