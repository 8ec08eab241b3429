"""Calls to the WeCom API: the access token kept well, time-outs, and every error as one of the five outcomes.

wechatpy carries the bytes (wecom_transport). Its own token keeping is switched off: it is per process, ignores expiry,
and answers a permanent 40014 with endless recursion.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from uuid import uuid4

from bot.channels import (
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    RateLimited,
    RecipientUnreachable,
    SendError,
)

if TYPE_CHECKING:
    from bot.channels.wecom_transport import Transport

T = TypeVar("T")

CALLS_AT_ONCE = 8  # more and the platform says 45033
REFRESH_BEFORE = timedelta(seconds=300)
# The platform gives the same token again until it ends, so in its last minutes asking helps no one, and asking for
# every message would be throttled
ASK_AGAIN_AFTER = timedelta(seconds=60)
STALE_TOKEN = (40001, 40014, 42001)
IMAGE_BYTES, FILE_BYTES = 10 << 20, 20 << 20

UNREACHABLE = {
    40003: "no such member",
    40031: "no such member",
    46004: "no such member",
    60011: "the app may not write to this member; see its visible range 可见范围",
    60111: "no such member",
    81013: "none of the recipients may receive from this app; see its visible range 可见范围",
    82001: "none of the recipients exists",
}
MISCONFIGURED = {
    40001: "CUNYI_WECOM__SECRET is not the secret of this app; copy it again from the app's page",
    40013: "CUNYI_WECOM__CORP_ID is not a corp id; copy 企业ID from 我的企业",
    40056: "CUNYI_WECOM__AGENT_ID is not an app of this corp; copy AgentId from the app's page",
    40091: "CUNYI_WECOM__SECRET belongs to another corp; copy it again from the app's page",
    48002: "the app may not call this interface; the corp's administrator can allow it",
    50003: "the app is disabled; enable it in 应用管理",
    60020: "this server's address is not trusted; add it to 企业可信IP on the app's page",
    301002: "CUNYI_WECOM__AGENT_ID and CUNYI_WECOM__SECRET are of different apps; copy both from one app's page",
}
PAUSES = {45009: 60.0, 45033: 2.0}  # seconds: the call quota's window of a minute, and too many calls at once


class TokenStore(Protocol):
    """Where the access token of an app is kept, for all processes that use it.

    `lock` keeps everyone else (threads and processes) from refreshing the same key meanwhile. Methods may block: they
    are called in a thread of their own.
    """

    def load(self, key: str) -> tuple[str, datetime] | None: ...

    def save(self, key: str, token: str, expires_at: datetime) -> None: ...

    def lock(self, key: str) -> AbstractContextManager[object]: ...


class TokensInMemory:
    """A TokenStore for one process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, datetime]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def load(self, key: str) -> tuple[str, datetime] | None:
        return self._kept.get(key)

    def save(self, key: str, token: str, expires_at: datetime) -> None:
        self._kept[key] = (token, expires_at)

    def lock(self, key: str) -> AbstractContextManager[object]:
        return self._locks.setdefault(key, threading.Lock())


@dataclass
class Refusal(Exception):
    """The platform's own words for why it did not do what was asked; `errcode` is None where it gave none."""

    errcode: int | None
    errmsg: str
    status: int | None


class WeComClient:
    """The three calls we need, from any number of tasks at once."""

    def __init__(
        self, *, corp_id: str, secret: str, base_url: str, tokens: TokenStore, now: Callable[[], datetime]
    ) -> None:
        self._where = corp_id, secret, base_url
        self._identity = {"corpid": corp_id, "corpsecret": secret}
        self._tokens = tokens
        self._token_key = hashlib.sha256(f"{corp_id}\0{secret}".encode()).hexdigest()
        self._now = now
        self._asked_at: datetime | None = None
        # threads of its own: when WeCom hangs, the rest of the process must still find a free one
        self._threads = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="wecom")

    @cached_property
    def _transport(self) -> Transport:
        from bot.channels.wecom_transport import Transport

        return Transport(*self._where)

    async def post(self, endpoint: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Call an endpoint with a JSON body. Raises one of the five SendErrors."""
        return await self._in_thread(lambda: self._call(endpoint, {}, data=dict(data)))

    async def upload(self, path: str, name: str, *, image: bool) -> tuple[str, str]:
        """Put a file where messages can name it for three days: (message type, media id)."""
        return await self._in_thread(lambda: self._upload(Path(path), name, image))

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _in_thread(self, call: Callable[[], T]) -> T:
        try:
            answer = asyncio.get_running_loop().run_in_executor(self._threads, _told(call))
        except RuntimeError:  # no thread to be had: we are being stopped
            raise ChannelUnavailable("the WeCom channel is stopped") from None
        return await answer

    def _upload(self, path: Path, name: str, image: bool) -> tuple[str, str]:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise MessageRejected(f"the file to send cannot be read: {error.strerror}") from None
        kind = "image" if image and len(content) <= IMAGE_BYTES else "file"
        if not 5 < len(content) <= FILE_BYTES:
            raise MessageRejected(f"WeCom takes files of 6 bytes to 20 MB; this one has {len(content)} bytes")
        body, content_type = multipart(name, content)
        answer = self._call("media/upload", {"type": kind}, data=body, headers={"Content-Type": content_type})
        return kind, str(answer["media_id"])

    def _call(self, endpoint: str, params: Mapping[str, Any], **body: Any) -> dict[str, Any]:
        """Call with the token kept; a token the platform no longer likes is refreshed once."""
        token = self._token()
        try:
            return self._transport.call("post", endpoint, {**params, "access_token": token}, **body)
        except Refusal as error:
            if error.errcode not in STALE_TOKEN:
                raise
        return self._transport.call("post", endpoint, {**params, "access_token": self._token(failed=token)}, **body)

    def _token(self, failed: str | None = None) -> str:
        """The token to use now; not `failed`, which the platform has just refused."""
        if token := self._kept(failed):
            return token
        with self._tokens.lock(self._token_key):
            # whoever held the lock may have refreshed it for us
            return self._kept(failed) or self._fetch()

    def _kept(self, failed: str | None) -> str | None:
        token, expires_at = self._tokens.load(self._token_key) or ("", self._now())
        left = expires_at - self._now()
        asked_lately = self._asked_at is not None and self._now() - self._asked_at < ASK_AGAIN_AFTER
        usable = left >= REFRESH_BEFORE or (asked_lately and left > timedelta(0))
        return token if usable and token != failed else None

    def _fetch(self) -> str:
        self._asked_at = asked_at = self._now()
        answer = self._transport.call("get", "gettoken", {**self._identity, "access_token": None})
        token, lasts = str(answer["access_token"]), timedelta(seconds=int(answer.get("expires_in", 7200)))
        self._tokens.save(self._token_key, token, asked_at + lasts)
        return token


def _told(call: Callable[[], T]) -> Callable[[], T]:
    """The call, with every failure told as one of the five outcomes."""

    def told() -> T:
        try:
            return call()
        except SendError:
            raise
        except Refusal as error:
            raise outcome(error.errcode, error.errmsg, error.status) from None
        except Exception as error:
            raise ChannelUnavailable(f"WeCom could not be asked: {type(error).__name__}") from None

    return told


def outcome(errcode: int | None, errmsg: str = "", status: int | None = None) -> SendError:
    """The platform's error as what the sender does next.

    A token refused even after its refresh (40014, 42001) is the platform's trouble, not the message's: try later.
    """
    why = f"WeCom {errcode}: {errmsg[:200]}"
    if errcode is None:
        return ChannelUnavailable(f"WeCom answered HTTP {status}")
    if errcode in MISCONFIGURED:
        return ChannelMisconfigured(f"{MISCONFIGURED[errcode]} ({why})")
    if errcode in UNREACHABLE:
        return RecipientUnreachable(f"{UNREACHABLE[errcode]} ({why})")
    if errcode in PAUSES:
        return RateLimited(PAUSES[errcode], why)
    if errcode == -1 or errcode in STALE_TOKEN:
        return ChannelUnavailable(why)
    return MessageRejected(why)


def delivered(answer: Mapping[str, Any]) -> str | None:
    """The message id of an accepted message. Accepted is not delivered: the recipient may be listed as invalid."""
    for complaint in ("invaliduser", "unlicenseduser"):
        if answer.get(complaint):
            raise RecipientUnreachable(f"WeCom accepted the message but not its recipient ({complaint})")
    return str(answer["msgid"]) if answer.get("msgid") else None


def multipart(name: str, content: bytes) -> tuple[bytes, str]:
    """A form with one file, and its content type.

    Written out here because the name must be a plain `filename=` in UTF-8: HTTP libraries differ in when they turn to
    `filename*=`, which the platform answers with 44001 (empty file).
    """
    boundary = uuid4().hex
    plain = "".join("_" if c in '"\\/' or not c.isprintable() else c for c in name) or "file"
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="media"; filename="{plain}"; filelength={len(content)}'
    )
    type_line = "\r\nContent-Type: application/octet-stream\r\n\r\n"
    body = (head + type_line).encode() + content + f"\r\n--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"
