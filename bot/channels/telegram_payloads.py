"""Telegram's words: an update read as an incoming message, an outgoing message written as Bot API calls.

Updates and payloads stay plain dicts: with PTB's objects a call costs six times as much, and nothing of ours would
read them. Both functions are pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.channels import Limits, split
from models.message import File, FileKind, IncomingMessage, OutgoingMessage, parse_wire_id, wire_id

TEXT, CAPTION = 4096, 1024  # UTF-16 code units, as Telegram counts: a rare character (𠮷, 😀) is two
HALF = Limits(text=TEXT // 2, unit="characters", buttons=0, label=0)  # fits whatever the characters
LAST_DATE = 253_402_300_800  # the first second of the year 10000, where datetime ends
# The first of these that a message has says what it is; an animation also carries a document, so it stands before it.
FILES: dict[str, FileKind] = {
    "photo": "photo",
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "document": "document",
    "sticker": "sticker",
    "location": "location",
    "contact": "other",
    "poll": "other",
    "dice": "other",
    "story": "other",
}


def to_incoming(update: object, now: datetime) -> IncomingMessage | None:
    """What an update says, or None when it says nothing to us: a group, a service message, something malformed.

    A tap carries no time of its own, hence `now`. An edited text is a message of its own: people correct a line by
    editing it. An edited file is not: a shared live location edits itself every few seconds.
    """
    match update:
        case {
            "update_id": int(number),
            "callback_query": {
                "from": {"id": int(person)},
                "data": str(data),
                "message": {"message_id": int(card), "chat": {"type": "private", "id": int(chat)}},
            },
        }:
            context, choice = parse_wire_id(_storable(data))
            return IncomingMessage(
                "telegram",
                account=str(person),
                event_id=f"u{number}",
                sent_at=now,
                chosen=(choice,),
                context=context,
                message_ref=f"{chat}:{card}",
            )
        case {"update_id": int(number), "message": {"date": int(date)} as message}:
            file = _file(message)
        case {"update_id": int(number), "edited_message": {"edit_date": int(date)} as message}:
            file = None
        case _:
            return None
    match message:
        case {"from": {"id": int(person)}, "chat": {"type": "private"}} if 0 < date < LAST_DATE:
            said = message.get("caption") if file else message.get("text")
            text = _storable(said) if isinstance(said, str) else ""
            if text or file:
                return IncomingMessage(
                    "telegram",
                    account=str(person),
                    event_id=f"u{number}",
                    sent_at=datetime.fromtimestamp(date, UTC),
                    text=text or None,
                    file=None if text else file,
                )
    return None


def _file(message: Mapping[str, Any]) -> File | None:
    for key, kind in FILES.items():
        match key, message.get(key):
            case _, None:
                continue
            case "location", {"latitude": float() | int() as latitude, "longitude": float() | int() as longitude}:
                return File("location", f"{latitude},{longitude}", "location")
            case "photo", [*_, {"file_id": str(ref)}]:  # the sizes of one picture, the largest last
                return File("photo.jpg", _storable(ref), "photo")
            case _, {"file_id": str(ref)} as found:
                name = found.get("file_name")
                return File(_storable(name) if isinstance(name, str) else key, _storable(ref), kind)
            case _, dict():
                return File(key, "", kind)
    return None


def _storable(text: str) -> str:
    """Without what a database refuses (NUL, half a surrogate pair): once refused, an update would come back forever."""
    return text.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def to_payloads(account: str, message: OutgoingMessage) -> list[tuple[str, dict[str, Any]]]:
    """The Bot API calls that say a message: nearly always one. The buttons stand under the last."""
    calls = _without_buttons(account, message)
    if message.choices:
        calls[-1][1]["reply_markup"] = {"inline_keyboard": keyboard(message)}
    return calls


def _without_buttons(account: str, message: OutgoingMessage) -> list[tuple[str, dict[str, Any]]]:
    """The calls that carry text and files.

    A single file carries a short text as its caption; several files go ahead of the text, so that the buttons stand
    last. A `replaces` that is not a message of this chat is ignored: the words matter more than their place.
    """
    calls: list[tuple[str, dict[str, Any]]] = [
        ("sendPhoto", {"chat_id": account, "photo": file})
        if file.kind == "photo"
        else ("sendDocument", {"chat_id": account, "document": file})
        for file in message.files
    ]
    if len(calls) == 1 and not message.replaces and _units(message.text) <= CAPTION:
        calls[0][1].update({"caption": message.text} if message.text else {})
    elif message.text or not calls:
        parts = [message.text] if _units(message.text) <= TEXT else split(message.text, HALF)
        calls += [("sendMessage", {"chat_id": account, "text": part}) for part in parts]
        chat, _, card = (message.replaces or "").partition(":")
        if chat == account and card.isdecimal() and len(parts) == 1:
            calls[-1] = "editMessageText", {"chat_id": account, "message_id": int(card), "text": message.text}
    return calls


def one_call_each(message: OutgoingMessage) -> list[OutgoingMessage]:
    """The message as messages that take one call each, in the order of `to_payloads`."""
    if len(_without_buttons("", message)) == 1:
        return [message]
    pieces = [OutgoingMessage("", files=(file,)) for file in message.files]
    if not message.text:
        return [*pieces[:-1], replace(message, files=message.files[-1:])]
    texts = [message.text] if _units(message.text) <= TEXT else split(message.text, HALF)
    last = replace(message, text=texts[-1], files=(), replaces=message.replaces if len(texts) == 1 else None)
    return [*pieces, *map(OutgoingMessage, texts[:-1]), last]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def keyboard(message: OutgoingMessage) -> list[list[dict[str, str]]]:
    """Buttons in rows: three of up to four Chinese characters, two of up to eight, longer ones alone.

    Room for a tick is kept whether or not it is set, so that buttons stay where they are under the thumb.
    """
    rows: list[list[dict[str, str]]] = []
    room = 0  # how many buttons the last row takes; its widest label decides
    for choice in message.choices:
        # An ASCII letter is 1 byte and 1 column, a Chinese character 3 bytes and 2 columns: width is the mean.
        width = (len(choice.label) + len(choice.label.encode(errors="replace"))) // 2 + 3 * message.many
        takes = 3 if width <= 8 else 2 if width <= 16 else 1
        label = f"✅ {choice.label}" if choice.id in message.ticked else choice.label
        button = {"text": label, "callback_data": wire_id(message.context, choice.id)}
        if rows and len(rows[-1]) < min(room, takes):
            rows[-1].append(button)
            room = min(room, takes)
        else:
            rows.append([button])
            room = takes
    return rows
