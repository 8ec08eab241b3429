"""Neutral messages: what every channel can carry, and what every handler speaks."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

MAX_WIRE_ID = 64  # bytes; Telegram's callback_data is the narrowest

# A resident's name travels between these two private-use characters until a channel is known;
# then it is either shown or, on a channel outside the country, masked (design, promise 9; domain.md M-23).
_OPEN, _CLOSE = "\ue000", "\ue001"
_NAME = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
COMPOUND_SURNAMES = frozenset("欧阳 司马 上官 诸葛 东方 皇甫 尉迟 公孙 令狐 慕容 司徒 夏侯 端木 南宫 长孙".split())

FileKind = Literal["photo", "voice", "video", "document", "sticker", "location", "other"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One button. `id` is short ASCII without ':' (`submit`, `mode.2`); `label` is what people read.

    `number` is what a person types for it where there is no button: the norm's own code, or "" for its position.
    """

    id: str
    label: str
    number: str = ""

    def labelled(self, label: str) -> Choice:
        """The same button under another label; mostly it is the same label."""
        return self if label == self.label else Choice(self.id, label, self.number)


@dataclass(frozen=True, slots=True)
class File:
    """A file on local disk to send along, or one received (then `path` is the channel's own reference)."""

    name: str
    path: str
    kind: FileKind = "document"


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One event from one account on one channel.

    `event_id` is the platform's own id and makes a redelivery harmless. `text`, `chosen` or `file` carries content;
    a `file` may come with a `text`, its caption. `context` names the conversation the pressed button belonged to (""
    when unknown), `message_ref` the platform's id of the message that carried it, so that it can be edited in place.
    """

    channel: str
    account: str
    event_id: str
    sent_at: datetime
    text: str | None = None
    chosen: tuple[str, ...] = ()
    context: str = ""
    file: File | None = None
    message_ref: str | None = None


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What the bot says: text, buttons and files, independent of any channel.

    `many` tells that several choices may be ticked together (a vote card on WeCom, toggles elsewhere);
    `ticked` are the ids already ticked. `replaces` is the platform's id of an earlier message that this one
    takes the place of, where the channel can edit. `urgent` lets a channel put a red mark on its card.
    """

    text: str
    choices: tuple[Choice, ...] = ()
    files: tuple[File, ...] = ()
    context: str = ""
    many: bool = False
    ticked: tuple[str, ...] = ()
    replaces: str | None = None
    urgent: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON-able dict without empty parts, for the outbox row."""
        full: dict[str, Any] = {
            "text": self.text,
            "choices": [[c.id, c.label, c.number] for c in self.choices],
            "files": [[f.name, f.path, f.kind] for f in self.files],
            "context": self.context,
            "many": self.many,
            "ticked": list(self.ticked),
            "replaces": self.replaces,
            "urgent": self.urgent,
        }
        return {key: value for key, value in full.items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> OutgoingMessage:
        return cls(
            text=data.get("text", ""),
            choices=tuple(Choice(*c) for c in data.get("choices", ())),
            files=tuple(File(*f) for f in data.get("files", ())),
            context=data.get("context", ""),
            many=data.get("many", False),
            ticked=tuple(data.get("ticked", ())),
            replaces=data.get("replaces"),
            urgent=data.get("urgent", False),
        )

    def for_reader(self, *, abroad: bool) -> OutgoingMessage:
        """The same message with resident names shown, or masked when the channel is outside the country."""
        return replace(
            self,
            text=show_names(self.text, abroad=abroad),
            choices=tuple(c.labelled(show_names(c.label, abroad=abroad)) for c in self.choices),
        )


def mark_name(name: str) -> str:
    """Mark a resident's name as personal, so that whatever channel carries it can mask it."""
    return f"{_OPEN}{name}{_CLOSE}"


def show_names(text: str, *, abroad: bool) -> str:
    """Resolve marked names: as they are, or as surname and stars (no given name leaves the country)."""
    if _OPEN not in text:
        return text
    return _NAME.sub(lambda m: mask_name(m[1]) if abroad else m[1], text)


def mask_name(name: str) -> str:
    """'张桂兰' -> '张**'; a compound surname is kept whole."""
    surname = 2 if len(name) > 2 and name[:2] in COMPOUND_SURNAMES else 1
    return name[:surname] + "*" * max(1, len(name) - surname)


def wire_id(context: str, choice_id: str) -> str:
    """The callback id a platform carries: `context:choice`, ASCII, at most 64 bytes.

    Raises ValueError when it would not fit, so that a form with such a choice fails in the tests and not in a village.
    """
    wire = f"{context}:{choice_id}"
    if not wire.isascii() or len(wire) > MAX_WIRE_ID:
        raise ValueError(f"callback id {wire!r} is not ASCII or is longer than {MAX_WIRE_ID} bytes")
    return wire


def parse_wire_id(wire: str) -> tuple[str, str]:
    """Inverse of `wire_id`: (context, choice id). Anything foreign gives ("", wire)."""
    context, colon, choice = wire.partition(":")
    return (context, choice) if colon else ("", wire)
