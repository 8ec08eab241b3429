"""How a message looks in the simulator: the very payloads a platform would get, read back as what its app shows.

The page draws what these functions return and decides nothing, so a card, a cut text or a masked name in the
simulator is the one that Telegram or WeCom would show.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channels import Limits
from bot.channels.telegram_payloads import TEXT, to_payloads
from bot.channels.wecom_cards import BUTTONS, LABEL, TEXT_BYTES, to_payload
from models.message import File, OutgoingMessage, parse_wire_id

Drawing = dict[str, Any]
"""One bubble or card: `kind` is text, photo, document, card or vote; `rows` are buttons, each {id, label}."""


@dataclass(frozen=True, slots=True)
class Look:
    """A platform the simulator can look like: the limits that messages are cut to, and how the pieces are drawn."""

    title: str
    limits: Limits
    draw: Callable[[str, OutgoingMessage, str], list[Drawing]]


def telegram(account: str, message: OutgoingMessage, key: str) -> list[Drawing]:
    """Bubbles with an inline keyboard; `edits` is the id of the bubble that this one takes the place of."""
    drawings: list[Drawing] = []
    for method, payload in to_payloads(account, message):
        text = payload.get("text") or payload.get("caption", "")
        drawing: Drawing = {"kind": "text", "text": text, "rows": _keyboard(payload), "urgent": message.urgent}
        if method == "editMessageText":
            drawing["edits"] = payload["message_id"]
        file = payload.get("photo") or payload.get("document")
        if isinstance(file, File):
            drawing |= {"kind": file.kind, "file": {"name": file.name, "path": file.path}}
        drawings.append(drawing)
    return drawings


def _keyboard(payload: Mapping[str, Any]) -> list[list[dict[str, str]]]:
    rows = payload.get("reply_markup", {}).get("inline_keyboard", [])
    return [[{"id": button["callback_data"], "label": button["text"]} for button in row] for row in rows]


def wecom(account: str, message: OutgoingMessage, key: str) -> list[Drawing]:
    """Texts, then files, then the card, so that the buttons are at the bottom of the chat."""
    texts: list[Drawing] = []
    cards: list[Drawing] = []
    for payload in to_payload(account, message, key=key):
        if payload["msgtype"] == "text":
            text = payload["text"]["content"]
            texts.append({"kind": "text", "text": text, "rows": [], "urgent": message.urgent})
        else:
            cards.append(_card(payload["template_card"]))
    files: list[Drawing] = [
        {"kind": f.kind, "text": "", "rows": [], "file": {"name": f.name, "path": f.path}} for f in message.files
    ]
    return [*texts, *files, *cards]


def _card(card: Mapping[str, Any]) -> Drawing:
    title = card["main_title"]
    drawing: Drawing = {
        "kind": "card",
        "source": card.get("source", {}).get("desc", ""),
        "urgent": "source" in card,
        "title": title.get("title", ""),
        "text": card.get("sub_title_text") or title.get("desc", ""),
        "rows": [[{"id": button["key"], "label": button["text"]}] for button in card.get("button_list", ())],
    }
    if card["card_type"] == "vote_interaction":
        submit = card["submit_button"]
        options = [
            {"id": o["id"], "label": o["text"], "ticked": o["is_checked"]} for o in card["checkbox"]["option_list"]
        ]
        drawing |= {"kind": "vote", "options": options, "rows": [[{"id": submit["key"], "label": submit["text"]}]]}
    return drawing


LOOKS: dict[str, Look] = {
    "telegram": Look("Telegram", Limits(TEXT, "characters", buttons=30, label=20, abroad=True), telegram),
    "wecom": Look("企业微信", Limits(TEXT_BYTES, "bytes", buttons=BUTTONS, label=LABEL), wecom),
}


def pressed(wires: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """(context, choice ids) of the buttons pressed; on a vote card the ticked ones, and last the one that hands in."""
    parsed = [parse_wire_id(wire) for wire in wires]
    return parsed[-1][0] if parsed else "", tuple(choice for _, choice in parsed)
