"""A WeCom API server on a loopback port, with the platform's own limits, error codes and habits, and members to play.

    with WeComServer() as server:
        bot = WeCom(corp_id=server.corp_id, agent_id=server.agent_id, secret=server.secret, token=server.token,
                    aes_key=server.aes_key, base_url=server.url, ...)
        server.callback_url = "http://127.0.0.1:8000/wecom/callback"
        server.user_sends("limei", "今日")
        server.wait_until(lambda: server.chat("limei"))
        server.user_taps("limei", "开始")

Tests act as members (`user_...`, which return the last HTTP status the bot answered), look at what members see
(`chat`), and make trouble (`fail_next`, `expire_tokens`, `exhausted`, `invalid`). It runs in a thread, so the bot under
test may be in the same process or in another. Callbacks are sealed with code of its own, not with the library the bot
opens them with.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import re
import secrets
import struct
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.platforms.loopback import Loopback

TEXT_BYTES = 2048
BUTTONS, OPTIONS, RECIPIENTS = 6, 20, 1000
TITLE, DESCRIPTION, SUBTITLE, SOURCE, BUTTON_TEXT, OPTION_TEXT = 36, 44, 160, 20, 10, 17  # characters
KEY_BYTES, OPTION_ID_BYTES = 1024, 128
TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
IMAGE_BYTES, FILE_BYTES, MEDIA_LIFE = 10 << 20, 20 << 20, timedelta(days=3)
UNICODE_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u")  # not the letter u after a backslash that is itself escaped
RETRIES = 3
FILE_NAME = re.compile(rb'name="media"; filename="([^"\r\n]+)"')

Json = dict[str, Any]


class Refused(Exception):
    """An answer with an errcode."""

    def __init__(self, errcode: int, errmsg: str) -> None:
        super().__init__(errmsg)
        self.errcode, self.errmsg = errcode, errmsg


@dataclass(frozen=True)
class Seen:
    """One message as a member sees it. A card's `text` is all its words; `grey` is what became of its buttons."""

    msgid: str
    kind: str  # text, image, file, button_interaction, vote_interaction
    text: str = ""
    buttons: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    ticked: tuple[str, ...] = ()
    grey: str | None = None
    urgent: bool = False
    file: str | None = None
    content: bytes = b""


@dataclass(frozen=True)
class Dropped:
    """A message answered with errcode 0 and never shown. `why`: minute, hour, duplicate or task_id."""

    member: str
    why: str
    payload: Json


@dataclass(frozen=True)
class Envelope:
    """One callback request: the query string and the body."""

    params: dict[str, str]
    body: bytes


@dataclass
class Post:
    """A message in a member's chat."""

    msgid: str
    member: str
    payload: Json
    at: datetime
    grey: str | None = None


@dataclass
class Trouble:
    endpoint: str
    errcode: int
    errmsg: str
    status: int
    after: bool
    delay: float
    skip: int


@dataclass
class Media:
    kind: str
    name: str
    content: bytes
    at: datetime


@dataclass
class Token:
    text: str
    ends_at: datetime


class WeComServer(Loopback):
    """Attributes may be changed at any time."""

    def __init__(self, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__("wecom", [Route("/cgi-bin/{endpoint:path}", self._endpoint, methods=["GET", "POST"])])
        self.corp_id, self.agent_id = "ww1a2b3c4d5e6f7a8b", 1000002
        self.secret = "AppSecretOfTheEmulator-0123456789abcdefghij"
        self.token = "CallbackTokenOfTheEmulator"
        self.aes_key = base64.b64encode(bytes(range(32))).decode()[:43]
        self.now = now
        self._numbers = iter(range(7_000_000_000_000_000, 8_000_000_000_000_000))
        self.reset()

    # Running it

    def reset(self) -> None:
        """Forget everything: as good as new, at the same address."""
        self.callback_url = ""
        self.retry_pause = 0.05  # seconds until an unanswered callback is brought again
        self.reseals = False  # bring it again in a new envelope, as the platform sometimes does
        self.calls: Counter[str] = Counter()  # by endpoint
        self.answers: list[int] = []  # HTTP statuses the bot gave to callbacks; 0 for none
        self.last_envelope: Envelope | None = None
        self.sent: list[Json] = []  # bodies of message/send that were accepted, shown or not
        self.updates: list[Json] = []
        self.dropped: list[Dropped] = []
        self.expires_in = 7200
        self.refuse_tokens = False  # every token is a 40014, however fresh
        self.exhausted = False  # every call is a 45009
        self.per_minute, self.per_hour = 30, 1000
        self.invalid: set[str] = set()  # accepted, but listed as invaliduser
        self.unlicensed: set[str] = set()
        self._tokens: list[Token] = []
        self._posts: list[Post] = []
        self._attempts: dict[str, deque[datetime]] = {}
        self._task_ids: set[str] = set()
        self._codes: dict[str, tuple[Post, datetime]] = {}  # response code -> what it may update, until when
        self._media: dict[str, Media] = {}
        self._troubles: deque[Trouble] = deque()

    @property
    def token_calls(self) -> int:
        return self.calls["gettoken"]

    # What members do and see

    def user_sends(self, member: str, text: str) -> int:
        return self.user_posts(member, "text", Content=text)

    def user_posts(self, member: str, kind: str, **content: Any) -> int:
        """A member sends anything: `"image", PicUrl=…, MediaId=…`."""
        return self._brings({**self._head(member, kind), **content, "MsgId": str(next(self._numbers))})

    def user_event(self, member: str, event: str, **content: Any) -> int:
        """Something a member does: `"enter_agent"`, `"subscribe"`, `"click", EventKey="今日"`."""
        return self._brings({**self._head(member, "event"), "Event": event, **content})

    def user_taps(self, member: str, label: str) -> int:
        """A member presses the newest button of that label that is not grey."""
        post, button = self._find(member, lambda card: _labelled(card.get("button_list", []), [label]))
        return self._presses(post, button[0]["key"])

    def user_votes(self, member: str, labels: Sequence[str]) -> int:
        """A member ticks exactly these options on the newest vote card that has them, and submits."""
        post, options = self._find(
            member, lambda card: _labelled(card.get("checkbox", {}).get("option_list", []), labels)
        )
        card = post.payload["template_card"]
        ids = [option["id"] for option in options]
        item = {"QuestionKey": card["checkbox"]["question_key"], "OptionIds": {"OptionId": ids}}
        return self._presses(post, card["submit_button"]["key"], SelectedItems={"SelectedItem": item})

    def chat(self, member: str) -> list[Seen]:
        """What a member has been shown, oldest first."""
        with self._changed:
            return [self._seen(post) for post in self._posts if post.member == member]

    # Trouble

    def no_more_trouble(self) -> None:
        with self._changed:
            self._troubles.clear()

    def fail_next(
        self,
        n: int = 1,
        *,
        errcode: int = 0,
        errmsg: str = "refused by the emulator",
        status: int = 200,
        endpoint: str = "message/send",
        after: bool = False,
        delay: float = 0,
        skip: int = 0,
    ) -> None:
        """Answer the next n calls of an endpoint (not counting the first `skip`) with an errcode or an HTTP status,
        after `delay` seconds.

        With `after`, the call takes effect all the same: what a lost answer looks like from the bot's side.
        """
        with self._changed:
            self._troubles += [Trouble(endpoint, errcode, errmsg, status, after, delay, skip) for _ in range(n)]

    def expire_tokens(self) -> None:
        """End all tokens before their time: calls with them are a 42001."""
        with self._changed:
            for token in self._tokens:
                token.ends_at = self.now()

    # Callbacks, from members to the bot

    def seal(
        self,
        plain: str | bytes,
        *,
        at: datetime | None = None,
        token: str | None = None,
        aes_key: str | None = None,
        receiver: str | None = None,
    ) -> Envelope:
        """A callback request with this inside; the keyword arguments make a forged or stale one."""
        timestamp, nonce = str(int((at or self.now()).timestamp())), str(secrets.randbelow(10**10))
        sealed = _encrypt(plain, aes_key or self.aes_key, self.corp_id if receiver is None else receiver)
        params = {
            "msg_signature": signature(token or self.token, timestamp, nonce, sealed),
            "timestamp": timestamp,
            "nonce": nonce,
        }
        envelope = {"ToUserName": self.corp_id, "AgentID": str(self.agent_id), "Encrypt": sealed}
        return Envelope(params, xml(envelope).encode())

    def echo(self, plain: str = "5927782489442352469") -> dict[str, str]:
        """The query string of a URL check; the right answer to it is `plain`."""
        envelope = self.seal(plain)
        return {**envelope.params, "echostr": re.findall(rb"Encrypt><!\[CDATA\[(.*)\]\]>", envelope.body)[0].decode()}

    def deliver(self, envelope: Envelope) -> int:
        """Bring one envelope to the callback address, once; the HTTP status it was answered with, 0 for none."""
        self.last_envelope = envelope
        try:
            with httpx.Client(trust_env=False, timeout=5) as client:
                status = client.post(self.callback_url, params=envelope.params, content=envelope.body).status_code
        except httpx.HTTPError:
            status = 0
        with self._changed:
            self.answers.append(status)
            self._changed.notify_all()
        return status

    def _brings(self, message: Json) -> int:
        envelope, status = self.seal(xml(message)), 0
        for attempt in range(1 + RETRIES):
            if attempt:
                time.sleep(self.retry_pause)
                envelope = self.seal(xml(message)) if self.reseals else envelope
            status = self.deliver(envelope)
            if status == 200:
                break
        return status

    def _head(self, member: str, kind: str) -> Json:
        return {
            "ToUserName": self.corp_id,
            "FromUserName": member,
            "CreateTime": str(int(self.now().timestamp())),
            "MsgType": kind,
            "AgentID": str(self.agent_id),
        }

    def _presses(self, post: Post, key: str, **content: Any) -> int:
        card = post.payload["template_card"]
        code = self._code_for(post)
        return self.user_event(
            post.member,
            "template_card_event",
            EventKey=key,
            TaskId=card["task_id"],
            CardType=card["card_type"],
            ResponseCode=code,
            **content,
        )

    def _find(self, member: str, pick: Callable[[Json], list[Json] | None]) -> tuple[Post, list[Json]]:
        with self._changed:
            for post in reversed(self._posts):
                card = post.payload.get("template_card", {})
                if post.member == member and post.grey is None and (picked := pick(card)) is not None:
                    return post, picked
        raise LookupError(f"no such card in {self.chat(member)}")

    def _code_for(self, post: Post) -> str:
        with self._changed:
            code = secrets.token_urlsafe(24)
            self._codes[code] = (post, self.now() + timedelta(hours=72))
            return code

    def _seen(self, post: Post) -> Seen:
        payload, kind = post.payload, post.payload["msgtype"]
        if kind == "text":
            return Seen(post.msgid, kind, payload["text"]["content"])
        if kind in ("image", "file"):
            media = self._media[payload[kind]["media_id"]]
            return Seen(post.msgid, kind, file=media.name, content=media.content)
        card = payload["template_card"]
        title = card["main_title"]
        words = (title["title"], title.get("desc", ""), card.get("sub_title_text", ""))
        options = card.get("checkbox", {}).get("option_list", [])
        buttons = card.get("button_list") or [card["submit_button"]]
        return Seen(
            post.msgid,
            card["card_type"],
            "\n".join(filter(None, words)),
            buttons=tuple(button["text"] for button in buttons) if post.grey is None else (),
            options=tuple(option["text"] for option in options),
            ticked=tuple(option["text"] for option in options if option.get("is_checked")),
            grey=post.grey,
            urgent=card.get("source", {}).get("desc_color") == 2,
        )

    # The API

    async def _endpoint(self, request: Request) -> Response:
        endpoint, body = request.path_params["endpoint"], await request.body()
        with self._changed:
            self.calls[endpoint] += 1
            trouble = self._trouble(endpoint)
            self._changed.notify_all()
        try:
            if trouble and not trouble.after:
                return await _troubled(trouble)
            with self._changed:
                answer = self._answer(endpoint, request, body)
                self._changed.notify_all()
            if trouble:
                return await _troubled(trouble)
        except Refused as refused:
            return JSONResponse({"errcode": refused.errcode, "errmsg": refused.errmsg})
        return JSONResponse({"errcode": 0, "errmsg": "ok", **answer})

    def _trouble(self, endpoint: str) -> Trouble | None:
        """The trouble in store for this call, if any; it is used up."""
        waiting = [trouble for trouble in self._troubles if trouble.endpoint == endpoint]
        due = next((trouble for trouble in waiting if not trouble.skip), None)
        for trouble in waiting:
            trouble.skip = max(0, trouble.skip - 1)
        if due:
            self._troubles.remove(due)
        return due

    def _answer(self, endpoint: str, request: Request, body: bytes) -> Json:
        query = request.query_params
        if self.exhausted:
            raise Refused(45009, "api freq out of limit")
        if endpoint == "gettoken":
            return self._give_token(query)
        self._check_token(query.get("access_token"))
        if endpoint == "media/upload":
            return self._upload(query.get("type", ""), body)
        if endpoint not in ("message/send", "message/update_template_card"):
            raise Refused(40066, "invalid url")
        payload = read_json(body)
        if payload.get("agentid") != self.agent_id:
            raise Refused(301002, "not allow operate another agent with this accesstoken")
        return self._send(payload) if endpoint == "message/send" else self._update(payload)

    def _give_token(self, query: Mapping[str, str]) -> Json:
        if query.get("corpid") != self.corp_id:
            raise Refused(40013, "invalid corpid")
        if query.get("corpsecret") != self.secret:
            raise Refused(40001, "invalid credential")
        alive = [token for token in self._tokens if token.ends_at > self.now()]
        if not alive:
            alive = [Token(secrets.token_urlsafe(64), self.now() + timedelta(seconds=self.expires_in))]
            self._tokens += alive
        left = round((alive[-1].ends_at - self.now()).total_seconds())
        return {"access_token": alive[-1].text, "expires_in": left}

    def _check_token(self, text: str | None) -> None:
        if not text:
            raise Refused(41001, "access_token missing")
        token = next((token for token in self._tokens if token.text == text), None)
        if token is None or self.refuse_tokens:
            raise Refused(40014, "invalid access_token")
        if token.ends_at <= self.now():
            raise Refused(42001, "access_token expired")

    def _send(self, payload: Json) -> Json:
        members = [name for name in str(payload.get("touser", "")).split("|") if name]
        if not 0 < len(members) <= RECIPIENTS:
            raise Refused(40032, "invalid userid list length")
        if payload.get("msgtype") in ("image", "file"):
            self._check_media(payload)
        else:
            check_content(payload)
        self.sent.append(payload)
        msgid, answer = secrets.token_urlsafe(24), {}
        for member in members:
            post = Post(msgid, member, payload, self.now())
            if member not in self.invalid | self.unlicensed and self._shows(post):
                self._posts.append(post)
                if payload["msgtype"] == "template_card":
                    answer = {"response_code": self._code_for(post)}
        if payload["msgtype"] == "template_card":
            self._task_ids.add(payload["template_card"]["task_id"])
        return {
            "invaliduser": "|".join(m for m in members if m in self.invalid),
            "unlicenseduser": "|".join(m for m in members if m in self.unlicensed),
            "msgid": msgid,
            **answer,
        }

    def _shows(self, post: Post) -> bool:
        """Whether a member gets to see a message; what is dropped here the caller never learns."""
        attempts = self._attempts.setdefault(post.member, deque())
        while attempts and attempts[0] <= post.at - timedelta(hours=1):
            attempts.popleft()
        why = ""
        if len(attempts) >= self.per_hour:
            why = "hour"
        elif sum(at > post.at - timedelta(minutes=1) for at in attempts) >= self.per_minute:
            why = "minute"
        elif post.payload.get("template_card", {}).get("task_id") in self._task_ids:
            why = "task_id"
        elif post.payload.get("enable_duplicate_check") == 1 and self._is_repeated(post):
            why = "duplicate"
        if why:
            self.dropped.append(Dropped(post.member, why, post.payload))
        else:
            attempts.append(post.at)
        return not why

    def _is_repeated(self, post: Post) -> bool:
        since = post.at - timedelta(seconds=min(14400, post.payload.get("duplicate_check_interval", 1800)))
        earlier = [p.payload for p in self._posts if p.member == post.member and p.at > since]
        return any(_content(payload) == _content(post.payload) for payload in earlier)

    def _check_media(self, payload: Json) -> None:
        kind = payload.get("msgtype", "")
        media = self._media.get(payload[kind].get("media_id", ""))
        if not media or media.kind != kind or media.at + MEDIA_LIFE < self.now():
            raise Refused(40007, "invalid media_id")

    def _update(self, payload: Json) -> Json:
        post, until = self._codes.pop(payload.get("response_code", ""), (None, self.now()))
        if post is None or until <= self.now():
            raise Refused(42045, "response_code is used up or expired")
        name = payload.get("button", {}).get("replace_name", "")
        if payload.get("userids") != [post.member] or not 0 < len(name) <= BUTTON_TEXT:
            raise Refused(40058, "invalid request parameter")
        post.grey = name
        self.updates.append(payload)
        return {"invaliduser": []}

    def _upload(self, kind: str, body: bytes) -> Json:
        head, _, rest = body.partition(b"\r\n\r\n")
        name = FILE_NAME.search(head)
        if not name:  # also what comes of filename*=
            raise Refused(44001, "empty media data")
        content = rest[: rest.rindex(b"\r\n--")]
        if kind not in ("image", "file"):
            raise Refused(40004, "invalid media type")
        if not 5 < len(content) <= (IMAGE_BYTES if kind == "image" else FILE_BYTES):
            raise Refused(45001, "media size out of limit")
        media_id = secrets.token_urlsafe(32)
        self._media[media_id] = Media(kind, name[1].decode(), content, self.now())
        return {"type": kind, "media_id": media_id, "created_at": str(int(self.now().timestamp()))}


async def _troubled(trouble: Trouble) -> Response:
    if trouble.delay:
        await asyncio.sleep(trouble.delay)
    if trouble.status != 200:
        return Response("<html>Bad Gateway</html>", trouble.status)
    return JSONResponse({"errcode": trouble.errcode, "errmsg": trouble.errmsg})


def read_json(body: bytes) -> Json:
    if UNICODE_ESCAPE.search(body):
        raise Refused(40033, "invalid charset: \\uxxxx is not supported")
    try:
        payload: Json = json.loads(body)
    except ValueError:
        raise Refused(47001, "data format error") from None
    return payload


def check_content(payload: Json) -> None:
    """Refuse a text or card the platform would refuse."""
    if payload.get("msgtype") == "text":
        text = payload["text"].get("content", "")
        if not text.strip():
            raise Refused(44004, "content is empty")
        if len(text.encode()) > TEXT_BYTES:
            raise Refused(45002, "content size out of limit")
    elif payload.get("msgtype") == "template_card":
        _check_card(payload["template_card"])
    else:
        raise Refused(40008, "invalid message type")


def _check_card(card: Json) -> None:
    title = card.get("main_title", {})
    _fits("main_title.title", title.get("title", ""), TITLE, at_least=1)
    _fits("main_title.desc", title.get("desc", ""), DESCRIPTION)
    _fits("sub_title_text", card.get("sub_title_text", ""), SUBTITLE)
    _fits("source.desc", card.get("source", {}).get("desc", ""), SOURCE)
    if not TASK_ID.fullmatch(card.get("task_id", "")):
        raise Refused(40058, "invalid task_id")
    if card.get("card_type") == "button_interaction":
        _check_parts("button_list", card.get("button_list", []), BUTTONS, "key", KEY_BYTES, BUTTON_TEXT)
    elif card.get("card_type") == "vote_interaction":
        if "sub_title_text" in card or card["checkbox"].get("mode") not in (0, 1):
            raise Refused(40058, "invalid vote card")
        _check_parts("option_list", card["checkbox"]["option_list"], OPTIONS, "id", OPTION_ID_BYTES, OPTION_TEXT)
        _check_parts("submit_button", [card["submit_button"]], 1, "key", KEY_BYTES, BUTTON_TEXT)
        _check_key(card["checkbox"].get("question_key", ""), KEY_BYTES)
    else:
        raise Refused(40058, "invalid card_type")


def _check_parts(name: str, parts: list[Json], most: int, key: str, key_bytes: int, text: int) -> None:
    if not 0 < len(parts) <= most:
        raise Refused(40058, f"{name} has {len(parts)} members")
    if len({part[key] for part in parts}) < len(parts):
        raise Refused(40058, f"{name} repeats a {key}")
    for part in parts:
        _check_key(part[key], key_bytes)
        _fits(f"{name}.text", part.get("text", ""), text, at_least=1)


def _check_key(key: str, most: int) -> None:
    if not 0 < len(key.encode()) <= most:
        raise Refused(40058, "invalid key")


def _fits(name: str, text: str, most: int, at_least: int = 0) -> None:
    if not at_least <= len(text) <= most:
        raise Refused(40058, f"{name} has {len(text)} characters")


def _labelled(parts: list[Json], labels: Sequence[str]) -> list[Json] | None:
    """The parts of these labels; None when one of them, or the whole list, is missing."""
    by_label = {part["text"]: part for part in parts}
    if not parts or not all(label in by_label for label in labels):
        return None
    return [by_label[label] for label in labels]


def _content(payload: Json) -> Json:
    return {key: value for key, value in payload.items() if not key.startswith(("enable_", "duplicate_"))}


def xml(message: Mapping[str, Any]) -> str:
    """A message as WeCom writes it: text in CDATA, nested groups, lists as repeated elements."""
    return f"<xml>{_elements(message)}</xml>"


def _elements(group: Mapping[str, Any]) -> str:
    written = []
    for name, value in group.items():
        for one in value if isinstance(value, list) else [value]:
            safe = str(one).replace("]]>", "]]]]><![CDATA[>")
            inner = _elements(one) if isinstance(one, Mapping) else f"<![CDATA[{safe}]]>"
            written.append(f"<{name}>{inner}</{name}>")
    return "".join(written)


def signature(*parts: str) -> str:
    return hashlib.sha1("".join(sorted(parts)).encode()).hexdigest()


def _encrypt(plain: str | bytes, aes_key: str, receiver: str) -> str:
    """AES-256-CBC of 16 random bytes, the length, the text and the receiver, padded to 32 (PKCS#7)."""
    key = base64.b64decode(aes_key + "=")
    text = plain.encode() if isinstance(plain, str) else plain
    content = os.urandom(16) + struct.pack(">I", len(text)) + text + receiver.encode()
    padding = 32 - len(content) % 32
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(content + bytes([padding]) * padding) + encryptor.finalize()).decode()
