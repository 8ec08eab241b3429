"""Neutral messages as WeCom's payloads: texts, button cards and vote cards. 企业微信消息与模板卡片

A question with up to six choices is a button card, one where several may be ticked a vote card. Cards are small, so
text that does not fit goes out first, as a text of its own. Everything here is pure; `wecom` adds the app's id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from bot.channels import Limits, split
from models.message import Choice, OutgoingMessage, wire_id

Payload = dict[str, Any]

TEXT_BYTES = 2048
BUTTONS = 6
VOTE_OPTIONS = 20
# in characters, as the platform's page on cards recommends; longer is cut off on the screen
TITLE, DESCRIPTION, SUBTITLE, LABEL = 36, 44, 160, 10
RED = 2

_LIMITS = Limits(text=TEXT_BYTES, unit="bytes", buttons=BUTTONS, label=LABEL)
# JSON would write these with backslash-u escapes, which the platform refuses altogether (40033)
_UNSENDABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def to_payload(account: str, message: OutgoingMessage, *, key: str) -> list[Payload]:
    """The `message/send` bodies that say this, in order; a card, when there is one, is the last.

    Raises ValueError for a choice id that does not fit the wire (`models.message.wire_id`).
    """
    message = _as_cards_take_it(_sendable(message))
    if not message.choices:
        return _texts(account, message.text)
    before, shown = _words_of_card(message)
    if message.many:
        card = {"card_type": "vote_interaction", **shown, **_ballot(message)}
    else:
        card = {"card_type": "button_interaction", **shown, "button_list": _buttons(message)}
    if message.urgent:
        card["source"] = {"desc": "紧急", "desc_color": RED}
    card["task_id"] = task_id(account, key)
    return [*_texts(account, before), {"touser": account, "msgtype": "template_card", "template_card": card}]


def one_call_each(message: OutgoingMessage) -> list[OutgoingMessage]:
    """The message as messages that take one call each: its text, its files, and last the card, so that the buttons are
    at the bottom of the chat.
    """
    message = _as_cards_take_it(_sendable(message))
    before = _words_of_card(message)[0] if message.choices else message.text
    pieces = [OutgoingMessage(part) for part in split(before, _LIMITS) if part.strip()]
    pieces += [OutgoingMessage("", files=(file,)) for file in message.files]
    if message.choices:
        pieces.append(replace(message, text="" if before else message.text, files=()))
    return pieces or [message]


def _as_cards_take_it(message: OutgoingMessage) -> OutgoingMessage:
    """What a card has no room for is written out: the buttons beside a vote, or all choices when they are too many."""
    text = message.text.strip("\n")
    ticks = _options(message) if message.many else []
    if 0 < len(ticks) <= VOTE_OPTIONS:
        done = [c for c in message.choices if c.id.endswith(".done")]
        others = [c for c in message.choices if c not in ticks and c not in done]
        if others:  # a vote card has room for one button only
            text += f"\n(也可以回复:{'、'.join(c.label for c in others)})"
        return replace(message, text=text, choices=(*ticks, *done))
    if len(message.choices) <= BUTTONS:
        return replace(message, text=text, many=False)
    return replace(message, text="\n".join([text, *_numbered(message.choices)]), choices=(), many=False)


def _words_of_card(message: OutgoingMessage) -> tuple[str, Payload]:
    """(what must be said before the card, the words on the card)."""
    return _vote_words(message.text) if message.many else _button_words(message.text)


def file_payload(account: str, kind: str, media_id: str) -> Payload:
    return {"touser": account, "msgtype": kind, kind: {"media_id": media_id}}


def greyed(account: str, response_code: str, pressed: str) -> Payload:
    """The `message/update_template_card` body that makes a pressed card's buttons one grey word."""
    word = "已提交" if pressed.endswith(".done") else "已选择"
    return {"userids": [account], "response_code": response_code, "button": {"replace_name": word}}


def task_id(account: str, key: str) -> str:
    """A card's id, the same for the same outbox part: the platform shows a task id once, so a card repeated after a
    lost answer is not seen twice. Hashed, because keys may hold what a task id may not."""
    return hashlib.sha256(f"{account}\0{key}".encode()).hexdigest()[:40]


def _sendable(message: OutgoingMessage) -> OutgoingMessage:
    choices = tuple(replace(c, label=_UNSENDABLE.sub("", c.label).strip() or c.id) for c in message.choices)
    return replace(message, text=_UNSENDABLE.sub("", message.text), choices=choices)


def _options(message: OutgoingMessage) -> list[Choice]:
    """What can be ticked: the options of the question that 选好了 is of. A 下一页 beside them is none of them."""
    field = next((c.id.removesuffix("done") for c in message.choices if c.id.endswith(".done")), "")
    return [c for c in message.choices if _is_option(c) and c.id.startswith(field)]


def _is_option(choice: Choice) -> bool:
    """`symptoms.2` can be ticked; `symptoms.done`, `symptoms.none`, `skip`, `cancel` and `back` are buttons."""
    _, dot, code = choice.id.partition(".")
    return bool(dot) and code not in ("done", "none")


def _button_words(text: str) -> tuple[str, Payload]:
    """(what must be said before the card, the words on the card). Never the last line as a title: a card's title is
    what a locked phone shows, and only a message's first line is written to be seen there."""
    first, _, rest = text.partition("\n")
    if len(first) <= TITLE and len(rest) <= SUBTITLE:
        return "", _words(first, sub_title_text=rest)
    if len(text) <= SUBTITLE:
        return "", _words("", sub_title_text=text)
    return text, _words("")


def _vote_words(text: str) -> tuple[str, Payload]:
    first, _, rest = text.partition("\n")
    if len(first) <= TITLE and len(rest) <= DESCRIPTION:
        return "", _words(first or "请勾选", desc=rest)
    return text, _words("请勾选")


def _words(title: str, *, desc: str = "", sub_title_text: str = "") -> Payload:
    words: Payload = {"main_title": {"title": title or "请选择"}}
    if desc:
        words["main_title"]["desc"] = desc
    if sub_title_text:
        words["sub_title_text"] = sub_title_text
    return words


def _buttons(message: OutgoingMessage) -> list[Payload]:
    return [{"text": _label(c), "style": 1, "key": wire_id(message.context, c.id)} for c in message.choices]


def _ballot(message: OutgoingMessage) -> Payload:
    ticks = _options(message)
    field = ticks[0].id.partition(".")[0]
    done = next((c for c in message.choices if c.id.endswith(".done")), Choice(f"{field}.done", "提交"))
    options = [
        {"id": wire_id(message.context, c.id), "text": _label(c), "is_checked": c.id in message.ticked} for c in ticks
    ]
    return {
        "checkbox": {"question_key": wire_id(message.context, field), "mode": 1, "option_list": options},
        "submit_button": {"text": _label(done), "key": wire_id(message.context, done.id)},
    }


def _label(choice: Choice) -> str:
    return choice.label if len(choice.label) <= LABEL else choice.label[: LABEL - 1] + "…"


def _numbered(choices: Sequence[Choice]) -> list[str]:
    """Choices as lines, for the rare message with more of them than a card carries."""
    lines = [f"{c.number or n}. {c.label}" for n, c in enumerate(choices, 1)]
    return [*lines, "(直接回复序号)"] if lines else []


def _texts(account: str, text: str) -> list[Payload]:
    parts = split(text, _LIMITS) if text.strip() else []
    return [{"touser": account, "msgtype": "text", "text": {"content": part}} for part in parts if part.strip()]
