"""Telegram: what its updates mean, what our messages become, and what happens when the line breaks."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from structlog.testing import capture_logs
from telegram.request import BaseRequest, HTTPXRequest

from bot.channels import (
    Channel,
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    NotAccepted,
    RateLimited,
    RecipientUnreachable,
    SendError,
    fit,
)
from bot.channels.telegram import Telegram
from bot.channels.telegram_payloads import one_call_each, to_incoming, to_payloads
from models.message import Choice, File, IncomingMessage, OutgoingMessage
from tests.platforms.telegram_server import TelegramServer

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SENT = datetime(2026, 11, 22, 0, 30, tzinfo=UTC)
LI_MEI, WANG = 7, 8
PERSON = {"id": LI_MEI, "is_bot": False, "first_name": "梅"}
PRIVATE = {"id": LI_MEI, "type": "private", "first_name": "梅"}
GROUP = {"id": -100200, "type": "supergroup", "title": "托口镇村医群"}
SUBMIT = OutgoingMessage("对吗?", (Choice("submit", "提交"), Choice("cancel", "取消")), context="v1")


# What an update means


def message(**content: Any) -> dict[str, Any]:
    about = {"message_id": 31, "from": PERSON, "chat": PRIVATE, "date": int(SENT.timestamp())}
    return {"update_id": 900, "message": about | content}


def edited(**content: Any) -> dict[str, Any]:
    body = message(**content)["message"]
    return {"update_id": 901, "edited_message": body | {"date": 1, "edit_date": int(SENT.timestamp())}}


def tap(data: str, **card: Any) -> dict[str, Any]:
    carried = {"message_id": 40, "chat": PRIVATE, "date": 0} | card
    return {"update_id": 902, "callback_query": {"id": "q1", "from": PERSON, "data": data, "message": carried}}


def said(event: str = "u900", at: datetime = SENT, **content: Any) -> IncomingMessage:
    return IncomingMessage("telegram", "7", event, at, **content)


SMALL, LARGE = {"file_id": "small", "width": 90}, {"file_id": "large", "width": 1280}
XLSX = {"file_id": "d1", "file_name": "名册.xlsx"}

INCOMING = [
    ("a line", message(text="张桂兰 152/94"), said(text="张桂兰 152/94")),
    ("nothing is stripped", message(text="  今日\n"), said(text="  今日\n")),
    ("a deep link", message(text="/start K7Q2"), said(text="/start K7Q2")),
    ("what no database keeps", message(text="152\0/94 \ud83d"), said(text="152/94 �")),
    ("a rare character", message(text="𠮷"), said(text="𠮷")),
    ("a tap", tap("v1:mode.2"), said("u902", NOW, chosen=("mode.2",), context="v1", message_ref="7:40")),
    ("a foreign tap", tap("hello"), said("u902", NOW, chosen=("hello",), message_ref="7:40")),
    ("a tap on an old card", tap("v1:a:b"), said("u902", NOW, chosen=("a:b",), context="v1", message_ref="7:40")),
    ("an edited line is a new one", edited(text="张桂兰 142/94"), said("u901", text="张桂兰 142/94")),
    ("an edited picture is not", edited(photo=[SMALL], caption="王"), None),
    ("a picture, the largest size", message(photo=[SMALL, LARGE]), said(file=File("photo.jpg", "large", "photo"))),
    ("a document", message(document=XLSX), said(file=File("名册.xlsx", "d1", "document"))),
    ("a nameless document", message(document={"file_id": "d1"}), said(file=File("document", "d1", "document"))),
    ("speech", message(voice={"file_id": "v1", "duration": 3}), said(file=File("voice", "v1", "voice"))),
    ("a film", message(video={"file_id": "f1"}), said(file=File("video", "f1", "video"))),
    ("a round film", message(video_note={"file_id": "f1"}), said(file=File("video_note", "f1", "video"))),
    (
        "a GIF",
        message(animation={"file_id": "g"}, document={"file_id": "g"}),
        said(file=File("animation", "g", "video")),
    ),
    ("a sticker", message(sticker={"file_id": "s1"}), said(file=File("sticker", "s1", "sticker"))),
    (
        "a place",
        message(location={"latitude": 27.2, "longitude": 109.8}, venue={}),
        said(file=File("location", "27.2,109.8", "location")),
    ),
    ("a visiting card", message(contact={"phone_number": "1"}), said(file=File("contact", "", "other"))),
    ("a group's line", message(chat=GROUP, text="今日"), None),
    ("a group's tap", tap("v1:submit", chat=GROUP), None),
    ("a service message", message(pinned_message={}), None),
    ("empty text", message(text=""), None),
    ("no sender", message(text="x", **{"from": None}), None),
    ("a date after the calendar", message(text="x", date=10**15), None),
    ("text that is none", message(text={"a": 1}), None),
    ("a photo without sizes", message(photo=[]), None),
    ("an unknown kind", {"update_id": 903, "poll_answer": {}}, None),
    ("no id", {"message": message(text="x")["message"]}, None),
    ("not an object", [message(text="x")], None),
]


@pytest.mark.parametrize(("update", "expected"), [row[1:] for row in INCOMING], ids=[row[0] for row in INCOMING])
def test_to_incoming(update: Any, expected: IncomingMessage | None) -> None:
    assert to_incoming(update, NOW) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SAMPLES = [update for _, update, _ in INCOMING if isinstance(update, dict)]


def spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value where something could stand instead."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield value, key
        yield from spots(inner)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_to_incoming_never_raises(data: st.DataObject) -> None:
    update = json.loads(json.dumps(data.draw(st.sampled_from(SAMPLES))))
    holder, key = data.draw(st.sampled_from(list(spots(update))))
    holder[key] = data.draw(JSON)
    found = to_incoming(update, NOW)
    if found is not None:
        assert sum(part not in (None, ()) for part in (found.text, found.chosen, found.file)) == 1
        "".join([found.account, found.text or "", found.context, *found.chosen]).encode()


@given(JSON)
@settings(max_examples=100, deadline=None)
def test_a_foreign_update_means_nothing(update: Any) -> None:
    assert to_incoming(update, NOW) is None


# What a message becomes


def button(label: str, data: str) -> dict[str, str]:
    return {"text": label, "callback_data": data}


def rows(*labels: str, many: bool = False, ticked: tuple[str, ...] = ()) -> list[list[str]]:
    choices = tuple(Choice(f"c{n}", label) for n, label in enumerate(labels))
    [(_, payload)] = to_payloads("7", OutgoingMessage("?", choices, many=many, ticked=ticked))
    return [[found["text"] for found in row] for row in payload["reply_markup"]["inline_keyboard"]]


PDF, PNG = File("报告.pdf", "a.pdf"), File("图.png", "a.png", "photo")
KEYS = {"inline_keyboard": [[button("提交", "v1:submit"), button("取消", "v1:cancel")]]}

OUTGOING = [
    ("a line", OutgoingMessage("早上好"), [("sendMessage", {"chat_id": "7", "text": "早上好"})]),
    ("buttons", SUBMIT, [("sendMessage", {"chat_id": "7", "text": "对吗?", "reply_markup": KEYS})]),
    (
        "in place of an earlier one, whose buttons go",
        OutgoingMessage("已提交", replaces="7:40"),
        [("editMessageText", {"chat_id": "7", "message_id": 40, "text": "已提交"})],
    ),
    ("another chat's message", OutgoingMessage("x", replaces="8:40"), [("sendMessage", {"chat_id": "7", "text": "x"})]),
    ("another channel's", OutgoingMessage("x", replaces="7:ab"), [("sendMessage", {"chat_id": "7", "text": "x"})]),
    (
        "a file with its words",
        OutgoingMessage("月报", files=(PDF,)),
        [("sendDocument", {"chat_id": "7", "document": PDF, "caption": "月报"})],
    ),
    (
        "a file with buttons",
        OutgoingMessage("", SUBMIT.choices, (PNG,), "v1"),
        [("sendPhoto", {"chat_id": "7", "photo": PNG, "reply_markup": KEYS})],
    ),
    (
        "several files, the words and buttons last",
        OutgoingMessage("月报", SUBMIT.choices, (PDF, PNG), "v1"),
        [
            ("sendDocument", {"chat_id": "7", "document": PDF}),
            ("sendPhoto", {"chat_id": "7", "photo": PNG}),
            ("sendMessage", {"chat_id": "7", "text": "月报", "reply_markup": KEYS}),
        ],
    ),
    (
        "too much for a caption",
        OutgoingMessage("长" * 1025, files=(PDF,)),
        [
            ("sendDocument", {"chat_id": "7", "document": PDF}),
            ("sendMessage", {"chat_id": "7", "text": "长" * 1025}),
        ],
    ),
    ("4096 fit", OutgoingMessage("长" * 4096), [("sendMessage", {"chat_id": "7", "text": "长" * 4096})]),
    (
        "4096 rare characters are 8192 units",
        OutgoingMessage("𠮷" * 4096),
        [("sendMessage", {"chat_id": "7", "text": "𠮷" * 2048})] * 2,
    ),
    (
        "and cannot take the place of one",
        OutgoingMessage("𠮷" * 4096, replaces="7:40"),
        [("sendMessage", {"chat_id": "7", "text": "𠮷" * 2048})] * 2,
    ),
]


@pytest.mark.parametrize(("outgoing", "expected"), [row[1:] for row in OUTGOING], ids=[row[0] for row in OUTGOING])
def test_to_payloads(outgoing: OutgoingMessage, expected: list[tuple[str, dict[str, Any]]]) -> None:
    assert to_payloads("7", outgoing) == expected
    one_by_one = [to_payloads("7", piece) for piece in one_call_each(outgoing)]
    assert one_by_one == [[call] for call in expected]


def test_short_labels_share_a_row() -> None:
    assert rows("门诊", "家庭", "电话", "其他") == [["门诊", "家庭", "电话"], ["其他"]]
    assert rows("规律服药", "间断服药", "不服药") == [["规律服药", "间断服药", "不服药"]]
    assert rows("控制不满意", "控制满意", "其他") == [["控制不满意", "控制满意"], ["其他"]]
    assert rows("一", "张桂兰 高血压 逾期三天", "二") == [["一"], ["张桂兰 高血压 逾期三天"], ["二"]]


def test_ticks_do_not_move_the_buttons() -> None:
    unticked = rows("头痛头晕", "恶心呕吐", "眼花耳鸣", many=True)
    ticked = rows("头痛头晕", "恶心呕吐", "眼花耳鸣", many=True, ticked=("c0", "c2"))
    assert unticked == [["头痛头晕", "恶心呕吐"], ["眼花耳鸣"]]
    assert ticked == [["✅ 头痛头晕", "恶心呕吐"], ["✅ 眼花耳鸣"]]


@given(st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_every_choice_gets_one_button_in_order(labels: list[str]) -> None:
    assert [label for row in rows(*labels) for label in row] == labels


# Over the wire


@pytest.fixture(scope="module")
def shared() -> Iterator[TelegramServer]:
    with TelegramServer() as server:
        yield server


@pytest.fixture
def server(shared: TelegramServer) -> Iterator[TelegramServer]:
    """The server as if new, with a chat open to 李梅."""
    shared.forget()
    shared.user_starts(LI_MEI)
    yield shared


def channel(server: TelegramServer, **settings: Any) -> Telegram:
    defaults: dict[str, Any] = {"token": server.token, "base_url": server.url, "now": lambda: NOW, "poll_timeout": 2}
    return Telegram(**defaults | settings)


def sends(server: TelegramServer, *messages: OutgoingMessage, account: str = "7", **settings: Any) -> list[str | None]:
    async def run() -> list[str | None]:
        telegram = channel(server, **settings)
        try:
            return [await telegram.send(account, each, key="k") for each in messages]
        finally:
            await telegram.stop()

    return asyncio.run(run())


class Inbox:
    """An intake that commits at once, except what it is told to refuse (so often) or to hold back."""

    def __init__(self, refuse: dict[str, int] | None = None, hold: str = "", error: Exception | None = None) -> None:
        self.accepted: list[IncomingMessage] = []
        self.tries: list[str | None] = []
        self.released = asyncio.Event()
        self._refuse, self._hold, self._error = refuse or {}, hold, error or NotAccepted()

    async def __call__(self, message: IncomingMessage) -> None:
        self.tries.append(message.text)
        if self._refuse.get(message.text or "", 0):
            self._refuse[message.text or ""] -= 1
            raise self._error
        if message.text == self._hold:
            await self.released.wait()
        await asyncio.sleep(0)
        self.accepted.append(message)

    def texts(self, user: int = LI_MEI) -> list[str | None]:
        return [message.text for message in self.accepted if message.account == str(user)]


@asynccontextmanager
async def listening(server: TelegramServer, inbox: Inbox, **settings: Any) -> AsyncIterator[Telegram]:
    telegram = channel(server, **settings)
    await telegram.start(inbox)
    try:
        yield telegram
    finally:
        await telegram.stop()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


def test_it_is_a_channel() -> None:
    found: Channel = Telegram(token="1:a", now=lambda: NOW)
    assert (found.name, found.limits.abroad) == ("telegram", True)
    assert not Telegram(token="1:a", now=lambda: NOW, abroad=False).limits.abroad


def test_words_and_buttons_arrive(server: TelegramServer) -> None:
    [ref] = sends(server, SUBMIT)
    [seen] = server.chat(LI_MEI)
    assert (seen.text, seen.buttons, ref) == ("对吗?", ["提交", "取消"], f"7:{seen.message_id}")


def test_everything_fit_makes_is_accepted(server: TelegramServer) -> None:
    telegram = channel(server)
    choices = tuple(Choice(f"c{n}", f"张桂兰 {n}") for n in range(40))
    parts = fit(OutgoingMessage("今日随访的人很多\n" * 700 + "😀" * 5000, choices), telegram.limits)
    sends(server, *parts)
    assert "".join(seen.text for seen in server.chat(LI_MEI)).count("😀") == 5000
    assert len(server.chat(LI_MEI)[-1].buttons) == telegram.limits.buttons


def test_files_arrive_whole(server: TelegramServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"PK\x03\r\n--\xff\n")
    (tmp_path / "b").write_bytes(b"\x89PNG\r\n")
    files = (File("托口镇 月报.xlsx", str(tmp_path / "a")), File("图.png", str(tmp_path / "b"), "photo"))
    sends(server, OutgoingMessage("月报", files=files), OutgoingMessage("一张", SUBMIT.choices, files[:1], "v1"))
    document, photo, words, captioned = server.chat(LI_MEI)
    assert (document.file, document.content) == ("托口镇 月报.xlsx", b"PK\x03\r\n--\xff\n")
    assert (photo.file, photo.content, words.text) == ("photo", b"\x89PNG\r\n", "月报")
    assert (captioned.text, captioned.buttons, captioned.file) == ("一张", ["提交", "取消"], "托口镇 月报.xlsx")


def test_a_card_is_edited_in_place(server: TelegramServer) -> None:
    [ref] = sends(server, SUBMIT)
    again = sends(server, *[OutgoingMessage("已提交", replaces=ref)] * 2)  # the second changes nothing: that is success
    [seen] = server.chat(LI_MEI)
    assert (seen.text, seen.buttons, again) == ("已提交", [], [ref, ref])


def test_what_cannot_be_edited_is_said_anew(server: TelegramServer, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    [picture] = sends(server, OutgoingMessage("图", files=(File("a", str(tmp_path / "a"), "photo"),)))
    theirs = f"7:{server.user_sends(LI_MEI, '今日')}"
    for ref in (picture, theirs, "7:999999999"):
        [new] = sends(server, OutgoingMessage("已提交", SUBMIT.choices, context="v1", replaces=ref))
        seen = server.chat(LI_MEI)[-1]
        assert (seen.text, seen.buttons, new) == ("已提交", ["提交", "取消"], f"7:{seen.message_id}")
    assert len(server.chat(LI_MEI)) == 4


def refuses(status: int, description: str = "", **how: Any) -> Callable[[TelegramServer], None]:
    return lambda server: server.fail_next(1, status, description=description, **how)


LINE = OutgoingMessage("早上好")
LONG_ID = OutgoingMessage("?", (Choice("x" * 64, "是"),), context="v1")
LOST_FILE = OutgoingMessage("月报", files=(File("a.pdf", "/nowhere/a.pdf"),))

OUTCOMES = [
    ("blocked", LINE, lambda server: server.user_blocks(LI_MEI), RecipientUnreachable),
    ("deactivated", LINE, lambda server: server.user_blocks(LI_MEI, "user is deactivated"), RecipientUnreachable),
    ("unknown to the platform", LINE, lambda server: server.forget(), RecipientUnreachable),
    ("nothing to say", OutgoingMessage(" \n"), lambda server: None, MessageRejected),
    ("a button id Telegram refuses", SUBMIT, refuses(400, "Bad Request: BUTTON_DATA_INVALID"), MessageRejected),
    ("a button id that does not fit", LONG_ID, lambda server: None, MessageRejected),
    ("a file that is not there", LOST_FILE, lambda server: None, MessageRejected),
    ("half a character", OutgoingMessage("\ud83d"), lambda server: None, MessageRejected),
    ("above 50 MB", LINE, refuses(413), MessageRejected),
    ("too fast", LINE, refuses(429, retry_after=7), RateLimited),
    ("a bad gateway", LINE, refuses(502), ChannelUnavailable),
    ("their trouble", LINE, refuses(500), ChannelUnavailable),
    ("their trouble while editing", OutgoingMessage("x", replaces="7:1"), refuses(500), ChannelUnavailable),
    ("a token withdrawn", LINE, refuses(401), ChannelMisconfigured),
]


@pytest.mark.parametrize(("outgoing", "trouble", "expected"), [r[1:] for r in OUTCOMES], ids=[r[0] for r in OUTCOMES])
def test_outcomes(
    server: TelegramServer,
    outgoing: OutgoingMessage,
    trouble: Callable[[TelegramServer], None],
    expected: type[SendError],
) -> None:
    trouble(server)
    with pytest.raises(expected) as caught:
        sends(server, outgoing)
    assert type(caught.value) is expected
    assert not server.chat(LI_MEI)
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == 7


@pytest.mark.parametrize("token", ["700100200:wrong", "nonsense"])
def test_a_wrong_token_is_the_operators_business(server: TelegramServer, token: str) -> None:
    with pytest.raises(ChannelMisconfigured):
        sends(server, LINE, token=token)


def test_no_connection(server: TelegramServer) -> None:
    with pytest.raises(ChannelUnavailable):
        sends(server, LINE, base_url="http://127.0.0.1:1")


def test_a_lost_answer_is_unavailable_although_the_message_went_out(server: TelegramServer) -> None:
    server.fail_next(1, 504, after=True, delay=0.3)
    with pytest.raises(ChannelUnavailable):
        sends(server, LINE, request=HTTPXRequest(read_timeout=0.05))
    assert [seen.text for seen in server.chat(LI_MEI)] == ["早上好"]


class Answering(BaseRequest):
    """A line on which every call gets the same answer."""

    read_timeout = 1.0

    def __init__(self, status: int, body: bytes) -> None:
        self._answer = status, body

    async def initialize(self) -> None: ...

    async def shutdown(self) -> None: ...

    async def do_request(self, *_: Any, **__: Any) -> tuple[int, bytes]:
        return self._answer


STRANGE = [
    ("a captive portal", 200, b"<html>", ChannelUnavailable),
    ("an empty object", 200, b"{}", ChannelUnavailable),
    ("429 without a number", 429, b'{"ok":false,"description":"Too Many Requests"}', ChannelUnavailable),
    ("a chat that moved", 400, b'{"ok":false,"parameters":{"migrate_to_chat_id":-1}}', RecipientUnreachable),
    ("an unknown 4xx", 418, b"{}", ChannelUnavailable),
]


@pytest.mark.parametrize(("status", "body", "expected"), [r[1:] for r in STRANGE], ids=[r[0] for r in STRANGE])
def test_strange_answers(server: TelegramServer, status: int, body: bytes, expected: type[SendError]) -> None:
    with pytest.raises(expected):
        sends(server, LINE, request=Answering(status, body))


def test_the_pace_telegram_keeps(server: TelegramServer) -> None:
    server.user_starts(WANG)
    server.rate_limited = True
    sends(server, LINE)
    with pytest.raises(RateLimited) as caught:
        sends(server, LINE)
    sends(server, LINE, account="8")
    assert caught.value.retry_after == 1
    assert (len(server.chat(LI_MEI)), len(server.chat(WANG))) == (1, 1)


def test_the_token_stays_out_of_the_logs(server: TelegramServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(ChannelMisconfigured) as caught:
        sends(server, LINE, token="700100200:secret")
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("uvicorn")]
    assert "700100200" not in "".join(ours) + str(caught.value)


# Polling


def live(story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(10):
            await story()

    asyncio.run(run())


def test_messages_come_and_are_confirmed(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        async with listening(server, inbox, commands=[("today", "今日随访")]):
            number = server.user_sends(LI_MEI, "今日")
            server.user_edits(LI_MEI, number, "逾期")
            await until(lambda: inbox.texts() == ["今日", "逾期"] and not server.unconfirmed)
        assert server.commands == [{"command": "today", "description": "今日随访"}]

    live(story)


def test_polling_takes_over_from_a_webhook(server: TelegramServer) -> None:
    async def story() -> None:
        server.webhook = {"url": "http://127.0.0.1:1/"}
        inbox = Inbox()
        async with listening(server, inbox):
            server.user_sends(LI_MEI, "今日")
            await until(lambda: inbox.accepted)

    live(story)


def test_only_what_we_read_is_asked_for(server: TelegramServer) -> None:
    async def story() -> None:
        async with listening(server, Inbox()):
            await until(lambda: server.calls["deletewebhook"] and server.polled)
            assert server.push("poll_answer", {}) not in server.unconfirmed

    live(story)


def test_what_is_not_committed_is_not_confirmed(server: TelegramServer) -> None:
    async def story() -> None:
        first = Inbox(hold="152/94")
        server.user_sends(LI_MEI, "152/94")
        async with listening(server, first):
            await until(lambda: first.tries)
        assert (first.accepted, len(server.unconfirmed)) == ([], 1)
        second = Inbox()
        async with listening(server, second):
            await until(lambda: second.texts() == ["152/94"] and not server.unconfirmed)

    live(story)


def test_a_refused_message_comes_again_once_and_in_order(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox(refuse={"二": 2})
        for text in ("一", "二", "三"):
            server.user_sends(LI_MEI, text)
            server.user_sends(WANG, f"王{text}")
        async with listening(server, inbox):
            await until(lambda: not server.unconfirmed)
        assert inbox.texts() == ["一", "二", "三"]
        assert inbox.texts(WANG) == ["王一", "王二", "王三"]
        assert sorted(map(str, inbox.tries)) == sorted(["一", "二", "二", "二", "三", "王一", "王二", "王三"])

    live(story)


def test_one_slow_chat_does_not_hold_up_the_others(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox(hold="慢")
        server.user_sends(LI_MEI, "慢")
        server.user_sends(LI_MEI, "后")
        server.user_sends(WANG, "快")
        async with listening(server, inbox):
            await until(lambda: inbox.texts(WANG) == ["快"])
            assert (inbox.texts(), len(server.unconfirmed)) == ([], 3)
            inbox.released.set()
            await until(lambda: inbox.texts() == ["慢", "后"])

    live(story)


def test_an_unexpected_error_loses_nothing_and_tells_nothing(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox(refuse={"张桂兰 152/94": 1}, error=RuntimeError("INSERT … 张桂兰 152/94"))
        server.user_sends(LI_MEI, "张桂兰 152/94")
        async with listening(server, inbox):
            await until(lambda: inbox.texts() == ["张桂兰 152/94"])

    with capture_logs() as logs:
        live(story)
    assert "RuntimeError" in str(logs)
    assert "张桂兰" not in str(logs)


def test_a_redelivered_update_keeps_its_id_and_delays_nothing(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        server.user_sends(LI_MEI, "一")
        async with listening(server, inbox):
            await until(lambda: inbox.accepted and not server.unconfirmed)
            server.redeliver()
            server.user_sends(LI_MEI, "二")
            await until(lambda: len(inbox.accepted) == 3)
            server.user_sends(LI_MEI, "三")
            await until(lambda: len(inbox.accepted) == 4)
        assert inbox.texts() == ["一", "一", "二", "三"]
        assert len({found.event_id for found in inbox.accepted}) == 3

    live(story)


def test_more_than_a_batch(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        for n in range(250):
            server.user_sends(LI_MEI, str(n))
        async with listening(server, inbox):
            await until(lambda: not server.unconfirmed)
        assert inbox.texts() == [str(n) for n in range(250)]

    live(story)


def test_groups_are_passed_over(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        server.push("message", message(chat=GROUP, text="群里")["message"])
        server.user_sends(LI_MEI, "今日")
        async with listening(server, inbox):
            await until(lambda: not server.unconfirmed)
        assert inbox.texts() == ["今日"]

    live(story)


def test_a_tap_stops_spinning_once_it_is_committed(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        async with listening(server, inbox) as telegram:
            ref = await telegram.send("7", SUBMIT, key="k")
            query = server.user_taps(LI_MEI, "提交")
            await until(lambda: query in server.answered)
            server.fail_next(method="answerCallbackQuery")
            server.user_taps(LI_MEI, "v1:cancel")
            await until(lambda: len(inbox.accepted) == 2 and not server.unconfirmed)
        assert [(tapped.context, tapped.chosen, tapped.message_ref) for tapped in inbox.accepted] == [
            ("v1", ("submit",), ref),
            ("v1", ("cancel",), ref),
        ]

    live(story)


@pytest.mark.parametrize("method", ["deleteWebhook", "getUpdates"])
def test_polling_outlives_a_bad_network(server: TelegramServer, method: str) -> None:
    async def story() -> None:
        inbox = Inbox()
        server.fail_next(2, method=method)
        server.user_sends(LI_MEI, "今日")
        async with listening(server, inbox):
            await until(lambda: inbox.texts() == ["今日"])

    with capture_logs() as logs:
        live(story)
    assert [entry["seconds"] for entry in logs] == [0.25, 0.5]


def test_pauses_begin_short_again(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        async with listening(server, inbox):
            for times in (1, 2):
                await until(lambda: server.calls["deletewebhook"] and server.polled)
                server.fail_next(method="getUpdates")
                server.user_sends(LI_MEI, "今日")  # ends the poll that is waiting; the next one fails
                await until(partial(after, times))

    def after(times: int) -> bool:
        return len(logs) == times

    with capture_logs() as logs:
        live(story)
    assert [entry["seconds"] for entry in logs] == [0.25, 0.25]


def test_polling_waits_exactly_as_long_as_asked(server: TelegramServer) -> None:
    async def story() -> None:
        server.fail_next(1, 429, method="getUpdates", retry_after=1)
        server.user_sends(LI_MEI, "今日")
        inbox, began = Inbox(), time.monotonic()
        async with listening(server, inbox):
            await until(lambda: inbox.accepted)
        assert time.monotonic() - began >= 1

    with capture_logs() as logs:
        live(story)
    assert [entry["seconds"] for entry in logs] == [1]


def test_a_second_poller_is_told_of_and_outlived(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox()
        async with listening(server, inbox):
            await until(lambda: server.calls["deletewebhook"] and server.polled)
            async with httpx.AsyncClient(trust_env=False) as other:
                await other.post(f"{server.url}/bot{server.token}/getUpdates")
            await until(lambda: server.calls["getupdates"] > 2 and server.polled)
            server.user_sends(LI_MEI, "今日")
            await until(lambda: inbox.accepted)

    with capture_logs() as logs:
        live(story)
    assert "terminated by other getUpdates request" in logs[0]["why"]


def test_a_wrong_token_ends_polling_loudly(server: TelegramServer) -> None:
    async def story() -> None:
        async with listening(server, Inbox(), token="700100200:wrong"):
            await until(lambda: logs)
            await asyncio.sleep(0.3)

    with capture_logs() as logs:
        live(story)
    assert [entry["log_level"] for entry in logs] == ["critical"]


# Webhook

SECRET = "s3cret-Value_1"
HOOK: dict[str, Any] = {"mode": "webhook", "webhook_secret": SECRET, "public_url": "https://cunyi.example/"}
VALID = json.dumps(message(text="今日")).encode()

DELIVERIES = [
    ("a message", SECRET, VALID, 200, 1),
    ("a group's message", SECRET, json.dumps(message(chat=GROUP, text="今日")).encode(), 200, 0),
    ("what we do not understand", SECRET, b'{"update_id": 1, "poll": {}}', 200, 0),
    ("a wrong secret", "s3cret-Value_2", VALID, 403, 0),
    ("no secret", None, VALID, 403, 0),
    ("a secret that is not even ASCII", "密".encode(), VALID, 403, 0),
    ("not JSON", SECRET, b"{", 400, 0),
    ("not UTF-8", SECRET, b'"\xff\xfe"', 400, 0),
    ("not an object", SECRET, b"[1]", 400, 0),
    ("a pit of brackets", SECRET, b"[" * 100_000, 400, 0),
    ("more than a mebibyte", SECRET, b" " * (1024 * 1024) + VALID, 400, 0),
]


def deliver(telegram: Telegram, secret: str | bytes | None, body: bytes) -> Awaitable[httpx.Response]:
    async def post() -> httpx.Response:
        app = httpx.ASGITransport(Starlette(routes=telegram.routes()))
        headers = {} if secret is None else {"X-Telegram-Bot-Api-Secret-Token": secret}
        async with httpx.AsyncClient(transport=app, base_url="http://bot") as client:
            return await client.post("/telegram/webhook", content=body, headers=headers)  # type: ignore[arg-type]

    return post()


@pytest.mark.parametrize(
    ("secret", "body", "status", "accepted"), [row[1:] for row in DELIVERIES], ids=[row[0] for row in DELIVERIES]
)
def test_webhook(server: TelegramServer, secret: Any, body: bytes, status: int, accepted: int) -> None:
    async def story() -> None:
        inbox = Inbox()
        async with listening(server, inbox, **HOOK) as telegram:
            response = await deliver(telegram, secret, body)
        assert (response.status_code, len(inbox.accepted)) == (status, accepted)

    with capture_logs() as logs:
        live(story)
    assert [entry.get("status") for entry in logs] == ([] if status == 200 else [status])
    assert "今日" not in str(logs)


def test_a_webhook_before_the_start_is_told_to_come_again(server: TelegramServer) -> None:
    async def story() -> None:
        telegram = channel(server, **HOOK)
        assert (await deliver(telegram, SECRET, VALID)).status_code == 503
        await telegram.stop()

    live(story)


def test_telegram_brings_a_refused_message_again(server: TelegramServer) -> None:
    async def story() -> None:
        inbox = Inbox(refuse={"二": 1})
        door = socket.create_server(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{door.getsockname()[1]}"
        async with listening(server, inbox, **HOOK | {"public_url": address}) as telegram:
            web = uvicorn.Server(uvicorn.Config(Starlette(routes=telegram.routes()), ws="none", log_config=None))
            serving = asyncio.create_task(web.serve(sockets=[door]))
            for text in ("一", "二", "三"):
                server.user_sends(LI_MEI, text)
            await until(lambda: not server.unconfirmed)
        web.should_exit = True
        await serving
        assert inbox.texts() == ["一", "二", "三"]
        assert server.webhook_answers == [200, 503, 200, 200]

    live(story)


@pytest.mark.parametrize("setting", [{"webhook_secret": None}, {"webhook_secret": "秘密"}, {"public_url": None}])
def test_a_webhook_needs_its_settings(setting: dict[str, Any]) -> None:
    with pytest.raises(ChannelMisconfigured):
        Telegram(token="1:a", now=lambda: NOW, **HOOK | setting)


def test_polling_opens_no_door() -> None:
    assert not Telegram(token="1:a", now=lambda: NOW, webhook_secret=SECRET).routes()
