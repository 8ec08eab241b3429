"""WeCom: what its callbacks mean, what we send it, how its errors end, and what must never get in. 企业微信渠道"""

from __future__ import annotations

import asyncio
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette

from bot.channels import (
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    NotAccepted,
    RateLimited,
    RecipientUnreachable,
    SendError,
    fit,
)
from bot.channels.wecom import TokensInMemory, WeCom, to_incoming, to_payload
from bot.channels.wecom_callback import Envelopes, Refused
from bot.channels.wecom_client import multipart
from models.message import Choice, File, IncomingMessage, OutgoingMessage
from tests.platforms.wecom_server import Envelope, WeComServer, check_content, read_json, signature, xml

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
LI_MEI = "limei"
YES_NO = (Choice("submit", "提交"), Choice("cancel", "取消"))
SYMPTOMS = (
    Choice("symptoms.1", "无症状"),
    Choice("symptoms.2", "头痛头晕"),
    Choice("symptoms.6", "心悸胸闷"),
    Choice("symptoms.done", "选好了"),
    Choice("skip", "跳过"),
    Choice("cancel", "取消"),
)


KEYS: dict[str, Any] = {
    "corp_id": "ww1",
    "agent_id": "1000002",
    "secret": "s",
    "token": "t",
    "aes_key": "A" * 43,
    "tokens": TokensInMemory(),
    "now": lambda: NOON,
}
WECOM_LIMITS = WeCom(**KEYS).limits


class Clock:
    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def platform() -> Iterator[WeComServer]:
    with WeComServer() as server:
        yield server


@pytest.fixture
def server(platform: WeComServer, clock: Clock) -> WeComServer:
    """A platform as good as new; starting one takes longer than most tests."""
    platform.reset()
    platform.now = clock
    return platform


def app_of(server: WeComServer, **changes: Any) -> WeCom:
    settings: dict[str, Any] = {
        "corp_id": server.corp_id,
        "agent_id": server.agent_id,
        "secret": server.secret,
        "token": server.token,
        "aes_key": server.aes_key,
        "base_url": server.url,
        "tokens": TokensInMemory(),
        "now": server.now,
    }
    return WeCom(**(settings | changes))


def send(app: WeCom, message: OutgoingMessage | str, *, key: str = "k1", again: bool = False) -> str | None:
    said = OutgoingMessage(message) if isinstance(message, str) else message
    return asyncio.run(app.send(LI_MEI, said, key=key, again=again))


# What comes in


def came(kind: str, **content: Any) -> dict[str, Any]:
    head = {"ToUserName": "ww1", "FromUserName": LI_MEI, "CreateTime": "1795320000", "MsgType": kind, "AgentID": "1"}
    return {**head, **({} if kind == "event" else {"MsgId": "7001"}), **content}


def pressed(key: str, *, options: object = None, **content: Any) -> dict[str, Any]:
    event = {"Event": "template_card_event", "EventKey": key, "TaskId": "t1", "ResponseCode": "code-1"}
    items = {"SelectedItem": {"QuestionKey": "q", "OptionIds": {"OptionId": options}}} if options else None
    return came("event", **event, SelectedItems=items, **content)


def file(kind: Any, path: str, name: str) -> dict[str, Any]:
    return {"file": File(name, path, kind)}


INCOMING: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    ("words", came("text", Content="张桂兰 152/94"), {"text": "张桂兰 152/94"}),
    ("several lines", came("text", Content="一\n二"), {"text": "一\n二"}),
    ("only blanks", came("text", Content=None), None),
    ("a photo", came("image", PicUrl="https://p", MediaId="m1"), file("photo", "m1", "image")),
    ("a voice", came("voice", MediaId="m2", Format="amr"), file("voice", "m2", "voice")),
    ("a voice the platform understood", came("voice", MediaId="m2", Recognition="今日"), {"text": "今日"}),
    ("a video", came("video", MediaId="m3", ThumbMediaId="m4"), file("video", "m3", "video")),
    ("a document", came("file", MediaId="m5", FileName="名单.xlsx"), file("document", "m5", "名单.xlsx")),
    (
        "a place",
        came("location", Location_X="27.20", Location_Y="109.83", Label="托口镇"),
        file("location", "27.20,109.83", "托口镇"),
    ),
    ("a link", came("link", Title="通知", Url="https://e"), file("other", "https://e", "通知")),
    ("a kind not heard of", came("hologram", MediaId="m6"), None),
    (
        "a button",
        pressed("c7:mode.2"),
        {"chosen": ("mode.2",), "context": "c7", "message_ref": "code-1"},
    ),
    ("a button not ours", pressed("elsewhere"), {"chosen": ("elsewhere",), "message_ref": "code-1"}),
    (
        "one tick, which XML gives as a scalar",
        pressed("c7:symptoms.done", options="c7:symptoms.2"),
        {"chosen": ("symptoms.2", "symptoms.done"), "context": "c7", "message_ref": "code-1"},
    ),
    (
        "several ticks",
        pressed("c7:symptoms.done", options=["c7:symptoms.2", "c7:symptoms.6"]),
        {"chosen": ("symptoms.2", "symptoms.6", "symptoms.done"), "context": "c7", "message_ref": "code-1"},
    ),
    (
        "several lists on one card",
        came(
            "event",
            Event="template_card_event",
            EventKey="c7:a.done",
            SelectedItems={
                "SelectedItem": [{"OptionIds": {"OptionId": "c7:a.1"}}, {"OptionIds": {"OptionId": ["c7:b.2"]}}]
            },
        ),
        {"chosen": ("a.1", "b.2", "a.done"), "context": "c7"},
    ),
    (
        "no tick",
        pressed("c7:symptoms.done"),
        {"chosen": ("symptoms.done",), "context": "c7", "message_ref": "code-1"},
    ),
    ("a menu entry", came("event", Event="click", EventKey="今日"), {"text": "今日"}),
    ("a menu link", came("event", Event="view", EventKey="https://e"), None),
    ("the app opened", came("event", Event="enter_agent", EventKey=None), None),
    ("the app newly given", came("event", Event="subscribe", EventKey=None), {"text": "帮助"}),
    ("the app taken away", came("event", Event="unsubscribe"), None),
    ("where the phone is", came("event", Event="LOCATION", Latitude="27.2"), None),
]


@pytest.mark.parametrize(("message", "means"), [row[1:] for row in INCOMING], ids=[row[0] for row in INCOMING])
def test_what_comes_in(message: dict[str, Any], means: dict[str, Any] | None) -> None:
    incoming = to_incoming(message)
    if means is None:
        assert incoming is None
        return
    assert incoming is not None
    expected = IncomingMessage("wecom", LI_MEI, incoming.event_id, NOON, **means)
    assert incoming == expected


def test_a_message_is_known_by_its_id_and_an_event_by_everything_that_tells_it_apart() -> None:
    def event_id(message: dict[str, Any]) -> str:
        incoming = to_incoming(message)
        assert incoming is not None
        return incoming.event_id

    assert event_id(came("text", Content="今日")) == "m7001"
    first = pressed("c7:mode.2")
    assert event_id(first) == event_id({**first, "ResponseCode": "code-2"})  # the code of a redelivery may differ
    for part in ("FromUserName", "EventKey", "TaskId"):
        assert event_id(first) != event_id({**first, part: "other"})
    assert event_id(first) != event_id({**first, "CreateTime": "1795320001"})
    assert len(event_id(first)) <= 64


@pytest.mark.parametrize("lacking", ["FromUserName", "CreateTime", "MsgType", "MsgId"])
def test_a_message_without_a_necessary_field_is_refused(lacking: str) -> None:
    message = came("text", Content="今日")
    for worse in (None, {"deep": "er"}, ["two", "of", "them"]):
        with pytest.raises(Refused):
            to_incoming({**message, lacking: worse})


@pytest.mark.parametrize("time", ["", "soon", "-1", "1e9", "²", "999999999999999999"])
def test_a_time_that_is_none_is_refused(time: str) -> None:
    with pytest.raises(Refused):
        to_incoming({**came("text", Content="今日"), "CreateTime": time})


# What goes out


def cards(message: OutgoingMessage) -> tuple[list[str], dict[str, Any] | None]:
    """The texts before the card, and the card."""
    payloads = to_payload(LI_MEI, message, key="k1")
    assert all(payload["touser"] == LI_MEI for payload in payloads)
    texts = [payload["text"]["content"] for payload in payloads if payload["msgtype"] == "text"]
    found = [payload["template_card"] for payload in payloads if payload["msgtype"] == "template_card"]
    assert len(found) <= 1
    assert not found or payloads[-1]["msgtype"] == "template_card"
    return texts, found[0] if found else None


def test_words_alone_are_a_text() -> None:
    assert to_payload(LI_MEI, OutgoingMessage("已记录"), key="k1") == [
        {"touser": LI_MEI, "msgtype": "text", "text": {"content": "已记录"}}
    ]


def test_up_to_six_choices_are_a_button_card() -> None:
    texts, card = cards(OutgoingMessage("张桂兰 高血压随访\n血压 152/94\n对吗?", YES_NO, context="c7"))
    assert texts == []
    assert card is not None
    assert card["card_type"] == "button_interaction"
    assert card["main_title"] == {"title": "张桂兰 高血压随访"}
    assert card["sub_title_text"] == "血压 152/94\n对吗?"
    assert [(b["text"], b["key"]) for b in card["button_list"]] == [("提交", "c7:submit"), ("取消", "c7:cancel")]


OUTGOING: list[tuple[str, str, list[str], str, str | None]] = [
    # label, text, texts before the card, its title, its subtitle
    ("one short line", "对吗?", [], "对吗?", None),
    ("no words at all", "", [], "请选择", None),
    ("the first line is the title, 36 characters", "字" * 36 + "\n其余", [], "字" * 36, "其余"),
    ("one line of 37 does not fit as a title", "字" * 37, [], "请选择", "字" * 37),
    ("160 characters fit below", "题\n" + "字" * 160, [], "题", "字" * 160),
    ("161 go out first", "题\n" + "字" * 161, ["题\n" + "字" * 161], "请选择", None),
    ("2048 bytes are one text", "题\n" + "a" * 2044, ["题\n" + "a" * 2044], "请选择", None),
    ("more are two", "题\n" + "字" * 682, ["题", "字" * 682], "请选择", None),
]


@pytest.mark.parametrize(
    ("text", "before", "title", "subtitle"), [r[1:] for r in OUTGOING], ids=[r[0] for r in OUTGOING]
)
def test_the_words_of_a_card(text: str, before: list[str], title: str, subtitle: str | None) -> None:
    texts, card = cards(OutgoingMessage(text, YES_NO, context="c7"))
    assert card is not None
    assert (texts, card["main_title"]["title"], card.get("sub_title_text")) == (before, title, subtitle)


def test_several_answers_are_a_vote_card() -> None:
    question = OutgoingMessage("有哪些症状?", SYMPTOMS, context="c7", many=True, ticked=("symptoms.2",))
    texts, card = cards(question)
    assert texts == []
    assert card is not None
    assert card["card_type"] == "vote_interaction"
    assert card["main_title"] == {"title": "有哪些症状?", "desc": "(也可以回复:跳过、取消)"}
    assert card["checkbox"]["mode"] == 1
    assert [(o["id"], o["text"], o["is_checked"]) for o in card["checkbox"]["option_list"]] == [
        ("c7:symptoms.1", "无症状", False),
        ("c7:symptoms.2", "头痛头晕", True),
        ("c7:symptoms.6", "心悸胸闷", False),
    ]
    assert card["submit_button"] == {"text": "选好了", "key": "c7:symptoms.done"}


def test_a_vote_without_a_done_button_gets_one() -> None:
    _, card = cards(OutgoingMessage("哪些?", SYMPTOMS[:3], context="c7", many=True))
    assert card is not None
    assert card["submit_button"] == {"text": "提交", "key": "c7:symptoms.done"}


def test_long_words_go_out_before_the_vote() -> None:
    texts, card = cards(OutgoingMessage("题\n" + "字" * 45, SYMPTOMS[:4], context="c7", many=True))
    assert texts == ["题\n" + "字" * 45]
    assert card is not None
    assert card["main_title"] == {"title": "请勾选"}


@pytest.mark.parametrize(
    ("many", "count", "kind"), [(False, 6, "card"), (False, 7, "text"), (True, 20, "card"), (True, 21, "text")]
)
def test_more_choices_than_a_card_holds_are_numbered_lines(many: bool, count: int, kind: str) -> None:
    choices = tuple(Choice(f"f.{n}", f"第{n}项") for n in range(1, count + 1))
    texts, card = cards(OutgoingMessage("哪一项?", choices, context="c7", many=many))
    assert (card is not None) == (kind == "card")
    if kind == "text":
        assert texts[0].startswith("哪一项?\n1. 第1项\n2. 第2项\n")


def test_an_urgent_card_is_marked_red() -> None:
    _, card = cards(OutgoingMessage("紧急转诊", YES_NO, context="c7", urgent=True))
    assert card is not None
    assert card["source"] == {"desc": "紧急", "desc_color": 2}


def test_a_card_is_the_same_for_the_same_part_and_another_for_another() -> None:
    message = OutgoingMessage("对吗?", YES_NO, context="c7")
    first, same, other = (to_payload(LI_MEI, message, key=key)[-1]["template_card"]["task_id"] for key in "aab")
    assert first == same != other


ids = st.from_regex(r"[a-z_]{1,12}(\.([0-9]{1,2}|done|none))?", fullmatch=True)
said = st.text(max_size=400) | st.text(alphabet="字a\n", max_size=3000)
outgoing = st.builds(
    OutgoingMessage,
    text=said,
    choices=st.lists(st.builds(Choice, ids, st.text(max_size=20)), max_size=25, unique_by=lambda c: c.id).map(tuple),
    context=st.just("c123456"),
    many=st.booleans(),
    urgent=st.booleans(),
)


@given(outgoing)
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_the_platform_takes_it(message: OutgoingMessage) -> None:
    for part in fit(message, WECOM_LIMITS):
        for payload in to_payload(LI_MEI, part, key="k1"):
            check_content(read_json(json.dumps(payload, ensure_ascii=False).encode()))


# Sending


def test_a_text_arrives(server: WeComServer) -> None:
    message_id = send(app_of(server), "李梅,早上好!")
    assert [(seen.text, seen.msgid) for seen in server.chat(LI_MEI)] == [("李梅,早上好!", message_id)]
    assert server.sent[0]["agentid"] == server.agent_id
    assert "enable_duplicate_check" not in server.sent[0]


OUTCOMES: list[tuple[int, type[SendError], str]] = [
    (-1, ChannelUnavailable, "-1"),
    (40014, ChannelUnavailable, ""),  # once only is the refresh's own affair
    (42001, ChannelUnavailable, ""),
    (40001, ChannelMisconfigured, "CUNYI_WECOM__SECRET"),
    (40013, ChannelMisconfigured, "CUNYI_WECOM__CORP_ID"),
    (60020, ChannelMisconfigured, "可信IP"),
    (301002, ChannelMisconfigured, "CUNYI_WECOM__AGENT_ID"),
    (45009, RateLimited, "45009"),
    (45033, RateLimited, "45033"),
    (60011, RecipientUnreachable, "60011"),
    (81013, RecipientUnreachable, "81013"),
    (40003, RecipientUnreachable, "no such member"),
    (44004, MessageRejected, "44004"),
    (45002, MessageRejected, "45002"),
    (40058, MessageRejected, "40058"),
    (99999, MessageRejected, "99999"),
]


def test_every_error_code_has_its_outcome(server: WeComServer) -> None:
    app = app_of(server)
    server.per_minute = 1000
    for errcode, expected, words in OUTCOMES:
        server.fail_next(2, errcode=errcode)
        with pytest.raises(expected) as caught:
            send(app, f"第{errcode}条", key=f"k{errcode}")
        assert type(caught.value) is expected
        assert words in str(caught.value)
        server.no_more_trouble()
    assert server.chat(LI_MEI) == []
    send(app, "之后")
    assert [seen.text for seen in server.chat(LI_MEI)] == ["之后"]


@pytest.mark.parametrize(("errcode", "pause"), [(45009, 60), (45033, 2)])
def test_a_pause_is_exact(server: WeComServer, errcode: int, pause: float) -> None:
    server.fail_next(errcode=errcode)
    with pytest.raises(RateLimited) as caught:
        send(app_of(server), "今日")
    assert caught.value.retry_after == pause


def test_the_quota_used_up_pauses_even_the_token(server: WeComServer) -> None:
    server.exhausted = True
    with pytest.raises(RateLimited):
        send(app_of(server), "今日")


@pytest.mark.parametrize("listed", ["invalid", "unlicensed"])
def test_accepted_but_not_for_this_member_is_unreachable(server: WeComServer, listed: str) -> None:
    getattr(server, listed).add(LI_MEI)
    with pytest.raises(RecipientUnreachable):
        send(app_of(server), "今日")


@pytest.mark.parametrize("status", [301, 404, 500, 502, 503])
def test_an_answer_that_is_none_is_unavailable(server: WeComServer, status: int) -> None:
    server.fail_next(status=status)
    with pytest.raises(ChannelUnavailable):
        send(app_of(server), "今日")


def test_nobody_there_is_unavailable_and_tells_no_secret(server: WeComServer) -> None:
    """Errors of the HTTP library quote the whole address, with the token or the secret in it."""
    app = app_of(server, base_url="http://127.0.0.1:9")
    tokens = TokensInMemory()
    late = app_of(server, base_url="http://127.0.0.1:9", tokens=tokens)
    tokens.save(late._client._token_key, "TheAccessToken", server.now() + timedelta(hours=1))
    for channel in (app, late):
        with pytest.raises(ChannelUnavailable) as caught:
            send(channel, "今日")
        written = "".join(traceback.format_exception(caught.value))
        assert server.secret not in written
        assert "TheAccessToken" not in written


def test_a_silent_server_is_unavailable(server: WeComServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.wecom_transport.TIMEOUT", (1.0, 0.1))
    server.fail_next(delay=0.4)
    with pytest.raises(ChannelUnavailable):
        send(app_of(server), "今日")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"secret": "wrong"}, "SECRET"), ({"corp_id": "wrong"}, "CORP_ID"), ({"agent_id": 7}, "AGENT_ID")],
    ids=["secret", "corp", "app of another"],
)
def test_a_wrong_setting_is_named(server: WeComServer, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ChannelMisconfigured, match=f"CUNYI_WECOM__{words}"):
        send(app_of(server, **changes), "今日")
    assert server.token_calls == 1


def test_a_wrong_key_is_named_before_anything_starts() -> None:
    for key in ("", "A" * 42, "A" * 44, "*" * 43):
        with pytest.raises(ValueError, match="CUNYI_WECOM__AES_KEY"):
            Envelopes(corp_id="ww1", token="t", aes_key=key)


def test_nothing_to_say_and_ids_too_long_are_rejected(server: WeComServer) -> None:
    app = app_of(server)
    for message in (OutgoingMessage(""), OutgoingMessage(" \n "), OutgoingMessage("?", (Choice("x" * 70, "是"),))):
        with pytest.raises(MessageRejected):
            send(app, message)
    assert not server.calls


def test_a_retry_asks_for_the_duplicate_check_and_is_seen_once(server: WeComServer) -> None:
    app = app_of(server)
    server.fail_next(status=502, after=True)
    with pytest.raises(ChannelUnavailable):
        send(app, "李梅,早上好!")
    send(app, "李梅,早上好!", again=True)
    assert server.sent[-1]["enable_duplicate_check"] == 1
    assert server.sent[-1]["duplicate_check_interval"] == 1800
    assert len(server.chat(LI_MEI)) == 1
    send(app, "李梅,早上好!", key="k2")  # an honest, equal text is not a retry
    assert len(server.chat(LI_MEI)) == 2


def test_a_card_repeated_after_a_lost_answer_is_seen_once(server: WeComServer) -> None:
    server.fail_next(status=502, after=True)
    question = OutgoingMessage("对吗?", YES_NO, context="c7")
    with pytest.raises(ChannelUnavailable):
        send(app_of(server), question)
    send(app_of(server), question, again=True)
    assert len(server.chat(LI_MEI)) == 1


def test_a_message_is_cut_into_one_call_each(server: WeComServer, tmp_path: Path) -> None:
    """So that each is paced and written down by itself, and after a failure none is said again."""
    app, picture = app_of(server), tmp_path / "a.png"
    picture.write_bytes(b"\x89PNG not empty")
    files = (File("趋势.png", str(picture), "photo"),)
    many = (
        *(Choice(f"symptoms.{n}", f"症状{n}") for n in range(3)),
        Choice("symptoms.done", "选好了"),
        Choice("back", "上一步"),
    )
    for message, kinds in (
        (OutgoingMessage("题\n" + "字" * 900, YES_NO, context="c7"), ["text", "text", "text", "button_interaction"]),
        (OutgoingMessage("短题", YES_NO, context="c7", urgent=True), ["button_interaction"]),
        (OutgoingMessage("短题", YES_NO, files, context="c7"), ["image", "button_interaction"]),
        (OutgoingMessage("", files=files), ["image"]),
        (OutgoingMessage("有什么症状?" + "字" * 60, many, context="c7", many=True), ["text", "vote_interaction"]),
        (OutgoingMessage("字" * 700), ["text", "text"]),
    ):
        parts, before = app.parts(message), len(server.chat(LI_MEI))
        for n, part in enumerate(parts):
            calls = server.calls["message/send"]
            send(app, part, key=f"{message.text[:9]}.{n}.{len(kinds)}{len(message.files)}")
            assert server.calls["message/send"] == calls + 1
        shown = server.chat(LI_MEI)[before:]
        assert [seen.kind for seen in shown] == kinds
        whole = app_of(server)
        send(whole, message, key=f"whole {message.text[:9]} {len(kinds)}{len(message.files)}")
        again = server.chat(LI_MEI)[before + len(kinds) :]
        assert [(s.kind, s.text, s.buttons, s.urgent) for s in again] == [
            (s.kind, s.text, s.buttons, s.urgent) for s in shown
        ]


def test_files_go_before_the_card_under_their_own_names(server: WeComServer, tmp_path: Path) -> None:
    report, picture = tmp_path / "a.xlsx", tmp_path / "b.png"
    report.write_bytes(b"PK\x03\x04 not empty\r\n--not the boundary")
    picture.write_bytes(b"\x89PNG not empty")
    files = (File('汇总 "三季度".xlsx', str(report)), File("趋势.png", str(picture), "photo"))
    send(app_of(server), OutgoingMessage("报表", YES_NO, files, context="c7"))
    shown = server.chat(LI_MEI)
    assert [(seen.kind, seen.file) for seen in shown[:2]] == [("file", "汇总 _三季度_.xlsx"), ("image", "趋势.png")]
    assert [seen.content for seen in shown[:2]] == [report.read_bytes(), picture.read_bytes()]
    assert shown[2].kind == "button_interaction"


def test_a_file_name_is_never_extended_notation() -> None:
    """`filename*=` is answered with 44001."""
    body, content_type = multipart("张\r\n桂兰.xlsx", b"content")
    head = body.partition(b"\r\n\r\n")[0].decode()
    assert 'filename="张__桂兰.xlsx"' in head
    assert "filename*" not in head
    assert content_type.startswith("multipart/form-data; boundary=")


@pytest.mark.parametrize("content", [None, b"tiny"], ids=["gone", "too small"])
def test_a_file_that_cannot_go_is_rejected(server: WeComServer, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.xlsx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MessageRejected):
        send(app_of(server), OutgoingMessage("", files=(File("x.xlsx", str(path)),)))
    assert not server.calls


# The token


def test_eight_cold_senders_ask_for_one_token(server: WeComServer) -> None:
    tokens = TokensInMemory()
    apps = [app_of(server, tokens=tokens) for _ in range(8)]  # as many processes with one store

    async def all_at_once() -> None:
        await asyncio.gather(*(app.send(f"u{n}", OutgoingMessage("今日"), key=f"k{n}") for n, app in enumerate(apps)))

    asyncio.run(all_at_once())
    assert server.token_calls == 1
    assert len(server.sent) == 8


def test_a_token_that_ended_early_is_refreshed_once_for_all(server: WeComServer) -> None:
    app = app_of(server)
    send(app, "一")
    server.expire_tokens()

    async def all_at_once() -> None:
        await asyncio.gather(*(app.send(f"u{n}", OutgoingMessage("二"), key=f"k{n}") for n in range(8)))

    asyncio.run(all_at_once())
    assert server.token_calls == 2
    assert len(server.sent) == 9


def test_a_token_refused_whatever_we_do_ends_after_one_refresh(server: WeComServer) -> None:
    server.refuse_tokens = True
    with pytest.raises(ChannelUnavailable):
        send(app_of(server), "今日")
    assert server.token_calls == 2
    assert server.calls["message/send"] == 2


def test_a_secret_refused_after_a_refresh_is_the_operators(server: WeComServer) -> None:
    server.fail_next(2, errcode=40001)
    with pytest.raises(ChannelMisconfigured):
        send(app_of(server), "今日")
    assert server.calls["message/send"] == 2


@pytest.mark.parametrize(("left", "calls"), [(301, 1), (299, 2)])
def test_a_token_is_refreshed_when_less_than_five_minutes_remain(
    server: WeComServer, clock: Clock, left: int, calls: int
) -> None:
    app = app_of(server)
    send(app, "一")
    clock.forward(seconds=7200 - left)
    send(app, "二", key="k2")
    assert server.token_calls == calls


def test_in_its_last_minutes_a_token_is_not_asked_for_with_every_message(server: WeComServer, clock: Clock) -> None:
    """The platform gives the same token until it ends."""
    server.expires_in = 200
    app = app_of(server)
    for n in range(5):
        send(app, f"第{n}条", key=f"k{n}")
    assert server.token_calls == 1
    clock.forward(seconds=61)
    send(app, "之后", key="k9")
    assert server.token_calls == 2


def test_two_apps_whose_secrets_begin_alike_do_not_share_a_token() -> None:
    clients = [WeCom(**(KEYS | {"secret": "0123456789" + end}))._client for end in "ab"]
    assert clients[0]._token_key != clients[1]._token_key


# Callbacks


class Inbox:
    """An intake that keeps what it is given, and can be told to refuse."""

    def __init__(self) -> None:
        self.messages: list[IncomingMessage] = []
        self.refusals = 0

    async def receive(self, message: IncomingMessage) -> None:
        if self.refusals:
            self.refusals -= 1
            raise NotAccepted
        self.messages.append(message)


@contextmanager
def listening(app: WeCom, server: WeComServer, receive: Callable[..., Any]) -> Iterator[None]:
    """The channel behind a web server of its own, as in production."""
    config = uvicorn.Config(Starlette(routes=app.routes()), port=0, lifespan="off", ws="none", log_config=None)
    web = uvicorn.Server(config)

    async def serve() -> None:
        await app.start(receive)
        await web.serve()
        await app.stop()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    server.wait_until(lambda: web.started, every=0.005)
    port = web.servers[0].sockets[0].getsockname()[1]
    server.callback_url = f"http://127.0.0.1:{port}/wecom/callback"
    try:
        yield
    finally:
        web.should_exit = True
        thread.join(10)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def bot(server: WeComServer, inbox: Inbox) -> Iterator[WeCom]:
    app = app_of(server)
    with listening(app, server, inbox.receive):
        yield app


def check_url(server: WeComServer, params: dict[str, str]) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.get(server.callback_url, params=params)


@pytest.mark.usefixtures("bot")
class TestCallbacks:
    def test_the_url_check_answers_the_plain_text_and_nothing_else(self, server: WeComServer) -> None:
        answer = check_url(server, server.echo("5927782489442352469"))
        assert (answer.status_code, answer.content) == (200, b"5927782489442352469")

    def test_a_url_check_that_is_not_genuine_is_refused(self, server: WeComServer) -> None:
        good = server.echo()
        for part in good:
            assert check_url(server, {**good, part: "1"}).status_code == 403
            assert check_url(server, {k: v for k, v in good.items() if k != part}).status_code == 403

    def test_the_url_check_does_not_read_captured_messages_aloud(self, server: WeComServer) -> None:
        captured = server.seal(xml(came("text", Content="张桂兰")))
        sealed = captured.body.decode().partition("<Encrypt><![CDATA[")[2].partition("]]>")[0]
        assert check_url(server, {**captured.params, "echostr": sealed}).status_code == 400

    def test_a_message_is_handed_over_and_acknowledged_with_nothing(self, server: WeComServer, inbox: Inbox) -> None:
        assert server.user_sends(LI_MEI, "张桂兰 152/94 ]]> 心率78") == 200
        assert [m.text for m in inbox.messages] == ["张桂兰 152/94 ]]> 心率78"]
        assert server.last_envelope is not None
        with httpx.Client(trust_env=False) as client:
            again = client.post(
                server.callback_url, params=server.last_envelope.params, content=server.last_envelope.body
            )
        assert (again.status_code, again.content) == (200, b"")

    def test_what_asks_for_no_answer_is_acknowledged(self, server: WeComServer, inbox: Inbox) -> None:
        assert server.user_event(LI_MEI, "enter_agent", EventKey="") == 200
        assert inbox.messages == []

    def test_what_was_not_accepted_is_brought_again(self, server: WeComServer, inbox: Inbox) -> None:
        for reseals in (False, True):
            server.reseals, inbox.refusals = reseals, 2
            assert server.user_sends(LI_MEI, f"今日 {reseals}") == 200
        assert server.answers == [503, 503, 200] * 2
        assert [m.text for m in inbox.messages] == ["今日 False", "今日 True"]

    def test_a_new_envelope_of_an_old_message_has_the_old_id(self, server: WeComServer, inbox: Inbox) -> None:
        """Which the intake recognises; the channel does not remember messages."""
        message = xml(came("text", Content="今日"))
        for _ in range(2):
            assert server.deliver(server.seal(message)) == 200
        assert [m.event_id for m in inbox.messages] == ["m7001", "m7001"]

    def test_an_accepted_envelope_is_not_handed_over_twice(
        self, server: WeComServer, inbox: Inbox, clock: Clock
    ) -> None:
        server.user_sends(LI_MEI, "今日")
        assert server.last_envelope is not None
        assert server.deliver(server.last_envelope) == 200
        clock.forward(minutes=9)
        assert server.deliver(server.last_envelope) == 200
        clock.forward(minutes=2)
        assert server.deliver(server.last_envelope) == 403
        assert len(inbox.messages) == 1

    @pytest.mark.parametrize("minutes", [-11, 11])
    def test_a_stale_envelope_is_refused(self, server: WeComServer, inbox: Inbox, clock: Clock, minutes: int) -> None:
        message = xml(came("text", Content="今日"))
        assert server.deliver(server.seal(message, at=clock() + timedelta(minutes=minutes))) == 403
        assert inbox.messages == []

    def test_what_is_not_genuine_or_not_well_formed_is_refused(self, server: WeComServer, inbox: Inbox) -> None:
        good = xml(came("text", Content="今日"))
        sealed = server.seal(good)
        other_key = "B" * 43
        bad: dict[str, Envelope] = {
            "another token": server.seal(good, token="another"),
            "another key": server.seal(good, aes_key=other_key),
            "another receiver": server.seal(good, receiver="ww-another-corp"),
            "no receiver": server.seal(good, receiver=""),
            "no signature": Envelope({k: v for k, v in sealed.params.items() if k != "msg_signature"}, sealed.body),
            "a signature in Chinese": Envelope({**sealed.params, "msg_signature": "签名"}, sealed.body),
            "another nonce": Envelope({**sealed.params, "nonce": "1"}, sealed.body),
            "another time": Envelope({**sealed.params, "timestamp": "0"}, sealed.body),
            "no parameters": Envelope({}, sealed.body),
            "no body": Envelope(sealed.params, b""),
            "no XML": Envelope(sealed.params, b"{}"),
            "cut XML": Envelope(sealed.params, sealed.body[:-6]),
            "XML in UTF-16": Envelope(sealed.params, sealed.body.decode().encode("utf-16")),
            "two messages": Envelope(sealed.params, sealed.body.replace(b"</xml>", b"<Encrypt>QQ==</Encrypt></xml>")),
            "nothing encrypted": Envelope(sealed.params, b"<xml><Encrypt></Encrypt></xml>"),
            "an entity": Envelope(sealed.params, b'<!DOCTYPE x [<!ENTITY a "b">]>' + sealed.body),
            "a mebibyte and more": Envelope(sealed.params, sealed.body + b" " * (1 << 20)),
            "inside, no XML": server.seal("今日"),
            "inside, nothing": server.seal(""),
            "inside, no message": server.seal("<xml></xml>"),
            "inside, another root": server.seal("<html><body/></html>"),
            "inside, no bytes of UTF-8": server.seal(b"\xff\xfe\xfd"),
            "inside, no sender": server.seal(xml({**came("text", Content="今日"), "FromUserName": ""})),
            "inside, no id": server.seal(xml({**came("text", Content="今日"), "MsgId": ""})),
            "inside, ticks that are none": server.seal(xml(pressed("c:a.done", options={"deeper": "still"}))),
        }
        statuses = {label: server.deliver(envelope) for label, envelope in bad.items()}
        assert set(statuses.values()) <= {400, 403}, statuses
        assert {label for label, status in statuses.items() if status == 403} == {
            "another token",
            "another receiver",
            "no receiver",
            "no signature",
            "a signature in Chinese",
            "another nonce",
            "another time",
            "no parameters",
        }
        assert inbox.messages == []
        assert server.deliver(sealed) == 200

    def test_an_ill_key_inside_a_good_seal_is_refused(self, server: WeComServer, inbox: Inbox) -> None:
        """Ciphertext that is genuine but not a whole number of blocks, or no base64: struct.error and its kin."""
        for sealed in ("QQ==", "A", "AAAA" * 8, "====", "A" * 4096):
            params = server.seal("x").params
            params["msg_signature"] = signature(server.token, params["timestamp"], params["nonce"], sealed)
            body = f"<xml><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>".encode()
            assert server.deliver(Envelope(params, body)) == 400
        assert inbox.messages == []

    def test_a_pressed_card_turns_grey(self, server: WeComServer, inbox: Inbox, bot: WeCom) -> None:
        send(app_of(server), OutgoingMessage("对吗?", YES_NO, context="c7"))
        assert server.chat(LI_MEI)[0].buttons == ("提交", "取消")
        assert server.user_taps(LI_MEI, "提交") == 200
        assert (inbox.messages[0].chosen, inbox.messages[0].context) == (("submit",), "c7")
        server.wait_until(lambda: server.chat(LI_MEI)[0].grey == "已选择")
        with pytest.raises(LookupError):
            server.user_taps(LI_MEI, "取消")

    def test_a_vote_tells_what_was_ticked_and_that_it_was_handed_in(self, server: WeComServer, inbox: Inbox) -> None:
        votes: list[list[str]] = [["头痛头晕", "心悸胸闷"], ["头痛头晕"], []]
        for n, labels in enumerate(votes):
            send(app_of(server), OutgoingMessage("症状?", SYMPTOMS, context="c7", many=True), key=f"k{n}")
            assert server.user_votes(LI_MEI, labels) == 200
            server.wait_until(lambda: server.chat(LI_MEI)[-1].grey == "已提交")
        assert [m.chosen for m in inbox.messages] == [
            ("symptoms.2", "symptoms.6", "symptoms.done"),
            ("symptoms.2", "symptoms.done"),
            ("symptoms.done",),
        ]

    def test_a_card_that_cannot_be_greyed_changes_nothing(self, server: WeComServer, inbox: Inbox) -> None:
        send(app_of(server), OutgoingMessage("对吗?", YES_NO, context="c7"))
        server.fail_next(errcode=42045, endpoint="message/update_template_card")
        assert server.user_taps(LI_MEI, "提交") == 200
        server.wait_until(lambda: server.calls["message/update_template_card"])
        assert server.user_taps(LI_MEI, "取消") == 200
        assert [m.chosen for m in inbox.messages] == [("submit",), ("cancel",)]


def test_a_mistake_of_ours_is_not_acknowledged(server: WeComServer) -> None:
    async def broken(message: IncomingMessage) -> None:
        raise ZeroDivisionError

    with listening(app_of(server), server, broken):
        assert server.user_sends(LI_MEI, "今日") == 503
    assert server.answers == [503] * 4


SEALER = Envelopes(corp_id="ww1", token="t", aes_key="A" * 43)
PARAMS = st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "nonce", "echostr"]), st.text(max_size=20))
FIELDS = st.sampled_from(
    [
        "FromUserName",
        "CreateTime",
        "MsgType",
        "MsgId",
        "Event",
        "EventKey",
        "SelectedItems",
        "SelectedItem",
        "OptionIds",
    ]
)
VALUES = st.recursive(
    st.none() | st.sampled_from(["text", "event", "click", "template_card_event", "1795320000"]) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=12,
)


@given(PARAMS, st.binary(max_size=300) | st.builds(lambda b: b"<xml><Encrypt>" + b + b"</Encrypt></xml>", st.binary()))
@settings(max_examples=200, deadline=None)
def test_no_stranger_makes_it_raise(params: dict[str, str], body: bytes) -> None:
    with pytest.raises(Refused):
        SEALER.open(params, body, NOON)
    with pytest.raises(Refused):
        SEALER.open_echo(params)


@given(st.dictionaries(FIELDS, VALUES))
@settings(max_examples=300, deadline=None)
def test_no_message_makes_it_raise(message: dict[str, Any]) -> None:
    try:
        to_incoming(message)
    except Refused as refused:
        assert 400 <= refused.status < 500


@given(inside=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_under_a_good_seal_makes_it_raise(server: WeComServer, inside: bytes) -> None:
    envelope = server.seal(inside)
    sealer = Envelopes(corp_id=server.corp_id, token=server.token, aes_key=server.aes_key)
    try:
        to_incoming(sealer.open(envelope.params, envelope.body, server.now()))
    except Refused as refused:
        assert 400 <= refused.status < 500


# The emulator itself


def test_the_platform_drops_what_is_over_its_limits_silently(server: WeComServer, clock: Clock) -> None:
    app = app_of(server)
    for n in range(31):
        send(app, f"第{n}条", key=f"k{n}")
    assert len(server.chat(LI_MEI)) == 30
    assert [(d.member, d.why) for d in server.dropped] == [(LI_MEI, "minute")]
    clock.forward(seconds=61)
    send(app, "一分钟后", key="k31")
    assert len(server.chat(LI_MEI)) == 31
