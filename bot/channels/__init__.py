"""The channel contract: how a message leaves, how one arrives, and the five ways a send can end badly.

An adapter is two pure functions (platform payload -> IncomingMessage, OutgoingMessage -> platform payload) and a
thin class that moves them. It declares its limits; `fit` cuts a message to them. The index of channels is
`bot.app.CHANNELS`.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import structlog
from starlette.routing import BaseRoute

from models.message import IncomingMessage, OutgoingMessage

log = structlog.get_logger()


class NotAccepted(Exception):
    """The message could not be committed. The channel must not acknowledge it: the platform will send it again."""


class SendError(Exception):
    """A message did not go out. Which subclass it is says what the sender does next."""


class ChannelUnavailable(SendError):
    """Network trouble, a time-out, a 5xx: back off and try again."""


class RateLimited(SendError):
    """The platform asked for a pause: wait exactly `retry_after` seconds, then go on."""

    def __init__(self, retry_after: float, why: str = "") -> None:
        super().__init__(why or f"retry after {retry_after:g} s")
        self.retry_after = retry_after


class RecipientUnreachable(SendError):
    """Blocked, deactivated or unknown to the platform: mark the account, try the person's other channel."""


class MessageRejected(SendError):
    """The platform refuses this very message: keep it and the reason for a person to see, never retry."""


class ChannelMisconfigured(SendError):
    """Wrong token, secret or trusted IP: stop this channel and tell the operator."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel can carry. `text` counts in `unit`; `buttons` is per message; `label` in characters.

    `abroad` marks servers outside the country: residents' names are masked there (promise 9).
    """

    text: int
    unit: Literal["characters", "bytes"]
    buttons: int
    label: int
    abroad: bool = False


Receive = Callable[[IncomingMessage], Awaitable[None]]


async def handed_over(receive: Receive | None, message: IncomingMessage) -> bool:
    """Hand a message to the intake; True once it is committed. Until then the platform must not forget it."""
    if receive is None:
        return False
    try:
        await receive(message)
    except NotAccepted:
        log.warning("message_not_accepted", channel=message.channel, event_id=message.event_id)
        return False
    except Exception as error:  # its text may quote what a person wrote
        log.error(
            "message_not_accepted", channel=message.channel, event_id=message.event_id, error=type(error).__name__
        )
        return False
    return True


"""Hand a message to the intake. Returns after the commit; raises NotAccepted when there was none."""


class Channel(Protocol):
    """One way to reach people. `parts` cuts a message into what fits `limits` and takes one call each, names resolved;
    each of them is paced, sent and written down by itself. `send` is given one of them.

    `key` is the outbox's unique key of this part; `again` is true when an earlier try may have gone out (a crash
    or time-out in between), so a platform with a duplicate check can use it. Returns the platform's message id,
    or None where it gives none. Raises one of the five SendErrors and nothing else.
    """

    name: str
    limits: Limits

    async def start(self, receive: Receive) -> None: ...

    async def stop(self) -> None: ...

    def routes(self) -> Sequence[BaseRoute]: ...

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]: ...

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None: ...


def size(text: str, limits: Limits) -> int:
    """Length of a text in the channel's own unit."""
    return len(text) if limits.unit == "characters" else len(text.encode())


_NUMBERED = re.compile(r"^(\d+)\. ", re.MULTILINE)


def fit(message: OutgoingMessage, limits: Limits) -> list[OutgoingMessage]:
    """Cut a message into parts that fit a channel, names resolved; buttons go with the last part.

    Choices beyond the channel's number of buttons are written out as numbered lines (any choice can be answered by
    its number), and a label that had to be shortened stands in full in the text.
    """
    shown = message.for_reader(abroad=limits.abroad)
    buttons, lines = [], []
    told = frozenset(_NUMBERED.findall(shown.text))  # numbers that lines of the text bear already
    for position, choice in enumerate(shown.choices, 1):
        short = _short(choice.label, limits.label)
        beyond = position > limits.buttons and not message.many
        if (beyond or short != choice.label) and (choice.number or str(position)) not in told:
            lines.append(f"{choice.number or position}. {choice.label}")
        if not beyond:
            buttons.append(choice.labelled(short))
    text = "\n".join([shown.text, *lines, *(["(也可以直接回复序号)"] if len(buttons) < len(shown.choices) else [])])
    parts = split(text, limits)
    # what is too long for one message cannot take the place of one
    last = replace(shown, text=parts[-1], choices=tuple(buttons), replaces=shown.replaces if len(parts) == 1 else None)
    return [*(OutgoingMessage(part, context=message.context) for part in parts[:-1]), last]


def _short(label: str, limit: int) -> str:
    return label if len(label) <= limit else label[: limit - 1] + "…"


def split(text: str, limits: Limits) -> list[str]:
    """Split at line ends where possible, never inside a character, into parts of at most `limits.text` units."""
    parts: list[str] = []
    part = ""
    for line in text.split("\n"):
        candidate = f"{part}\n{line}" if part else line
        if size(candidate, limits) <= limits.text:
            part = candidate
            continue
        if part:
            parts.append(part)
        part = line
        while size(part, limits) > limits.text:
            cut = _longest_prefix(part, limits)
            parts.append(part[:cut])
            part = part[cut:]
    return [*parts, part] if part or not parts else parts


def _longest_prefix(text: str, limits: Limits) -> int:
    if limits.unit == "characters":
        return limits.text
    used = 0
    for index, character in enumerate(text):
        used += len(character.encode())
        if used > limits.text:
            return index
    return len(text)
