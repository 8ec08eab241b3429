"""What one worker is in the middle of: forms and the answers given so far, and nothing else (promise 2)."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, UtcDateTime, compact_json
from models.secrets import Keyring


class ConversationRow(Base):
    """One row per worker, so that it continues on another phone or the other channel. Sealed: it may hold an identity number."""

    __tablename__ = "conversations"

    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


@dataclass(slots=True)
class Doubt:
    """A value that looks wrong or extreme: echoed and asked, not stored until the doctor says which is meant.

    `options` are (label, answers to set) pairs; `alarm` is advice that stands in the same message as the question.
    """

    ask: str
    options: list[tuple[str, dict[str, Any]]]
    alarm: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"ask": self.ask, "options": [[label, values] for label, values in self.options], "alarm": self.alarm}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Doubt:
        return cls(data["ask"], [(label, values) for label, values in data["options"]], data.get("alarm", ""))


@dataclass(slots=True)
class Draft:
    """One form being filled. `resident_id` is None while nobody is chosen; `who` keeps what was typed for the name."""

    service: str
    resident_id: int | None = None
    answers: dict[str, Any] = field(default_factory=dict)
    doubts: dict[str, Doubt] = field(default_factory=dict)
    who: str = ""
    candidates: list[int] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    ticked: list[str] = field(default_factory=list)
    """Codes ticked so far of the question with several answers that is open."""
    corrects: int | None = None
    """Id of the record that this draft corrects."""
    alarmed: bool = False
    """An emergency was seen before it was submitted: the supervisor hears of it after ten minutes (M-8)."""
    source: str = ""
    """The line it was read from, quoted back in the recap when several are open."""

    def to_json(self) -> dict[str, Any]:
        full: dict[str, Any] = {
            "service": self.service,
            "resident_id": self.resident_id,
            "answers": self.answers,
            "doubts": {name: doubt.to_json() for name, doubt in self.doubts.items()},
            "who": self.who,
            "candidates": self.candidates,
            "skipped": self.skipped,
            "ticked": self.ticked,
            "corrects": self.corrects,
            "alarmed": self.alarmed,
            "source": self.source,
        }
        return {name: value for name, value in full.items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Draft:
        return cls(
            service=data["service"],
            resident_id=data.get("resident_id"),
            answers=data.get("answers", {}),
            doubts={name: Doubt.from_json(doubt) for name, doubt in data.get("doubts", {}).items()},
            who=data.get("who", ""),
            candidates=data.get("candidates", []),
            skipped=data.get("skipped", []),
            ticked=data.get("ticked", []),
            corrects=data.get("corrects"),
            alarmed=data.get("alarmed", False),
            source=data.get("source", ""),
        )


@dataclass(slots=True)
class Conversation:
    """The open drafts of one worker. `key` names it on its buttons; `editing` is the field opened from the recap.

    `last` keeps what a follow-on word refers to once the drafts are gone (the record just made, the summary just
    shown), and `pending` a question outside a form (undo? arrived?), as {"ask": code, …}.
    """

    key: str = ""
    drafts: list[Draft] = field(default_factory=list)
    editing: str | None = None  # "<draft index>.<field>"
    trail: list[str] = field(
        default_factory=list
    )  # fields answered one by one, newest last: what 上一步 goes back over
    pending: dict[str, Any] | None = None
    last: dict[str, Any] = field(default_factory=dict)
    begun_on: str = ""  # ISO day; a form begun on an earlier day says so when it is resumed

    @property
    def is_open(self) -> bool:
        return bool(self.drafts)

    def close(self) -> None:
        """Forget the drafts; what they led to is in the records."""
        self.key, self.drafts, self.editing, self.trail, self.begun_on = "", [], None, [], ""

    def to_json(self) -> dict[str, Any]:
        full: dict[str, Any] = {
            "key": self.key,
            "drafts": [draft.to_json() for draft in self.drafts],
            "editing": self.editing,
            "trail": self.trail,
            "pending": self.pending,
            "last": self.last,
            "begun_on": self.begun_on,
        }
        return {name: value for name, value in full.items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Conversation:
        return cls(
            key=data.get("key", ""),
            drafts=[Draft.from_json(draft) for draft in data.get("drafts", [])],
            editing=data.get("editing"),
            trail=data.get("trail", []),
            pending=data.get("pending"),
            last=data.get("last", {}),
            begun_on=data.get("begun_on", ""),
        )


def open_conversation(sealed: bytes | None, keyring: Keyring) -> Conversation:
    """The conversation in a row's sealed column; an empty one where there is no row."""
    return Conversation.from_json(json.loads(keyring.open(sealed, place="conversations"))) if sealed else Conversation()


def seal_conversation(conversation: Conversation, keyring: Keyring) -> bytes:
    """What the row keeps."""
    return keyring.seal(compact_json(conversation.to_json()), place="conversations")


def load_conversation(session: Session, worker_id: int) -> Conversation:
    """The worker's conversation as last committed."""
    row = session.get(ConversationRow, worker_id)
    return open_conversation(row.sealed if row else None, session.info["keyring"])
