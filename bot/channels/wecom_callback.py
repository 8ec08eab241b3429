"""What WeCom posts to us: prove it genuine, open it, read it as a neutral message. 企业微信回调

Pure functions of a request, the app's keys and the time. Whatever is wrong with a request ends in `Refused`, never in
another exception, so that a stranger's bytes cannot reach the log as a traceback or the platform as a 5xx (which it
would answer with retries).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import xmltodict  # type: ignore[import-untyped]

from models.message import File, FileKind, IncomingMessage, parse_wire_id

WINDOW = timedelta(minutes=10)  # how far an envelope's timestamp may be from our clock, either way
FILE_KINDS: dict[str, FileKind] = {
    "image": "photo",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "document",
    "location": "location",
    "link": "other",
}
# Enough to find what is signed without giving a stranger's megabyte to an XML parser
_SEALED = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?\s*([A-Za-z0-9+/=]+)\s*(?:\]\]>)?\s*</Encrypt>")
CARD_EVENTS = ("template_card_event", "template_card_menu_event")


class Refused(Exception):
    """A request we do not take: the status to answer and a reason without any of its content."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Envelopes:
    """The seal of one app: checks who sealed an envelope and when, and opens it."""

    def __init__(self, *, corp_id: str, token: str, aes_key: str) -> None:
        self._corp_id = corp_id
        self._token = token
        self._key = _key(aes_key)

    def open_echo(self, params: Mapping[str, str]) -> str:
        """The plain text that answers the URL check.

        A message is signed exactly as an echo is, so a captured one could be sent here to be read back in the clear:
        what opens to XML is no echo.
        """
        plain = self._decrypt(self._genuine(params, params.get("echostr", "")))
        if plain.lstrip().startswith("<"):
            raise Refused(400, "echo")
        return plain

    def open(self, params: Mapping[str, str], body: bytes, now: datetime) -> dict[str, Any]:
        """The message inside a posted envelope, as the dictionary its XML is."""
        found = _SEALED.search(body)
        if not found:
            raise Refused(400, "xml")
        sealed = self._genuine(params, found[1].decode())
        if abs(_instant(params.get("timestamp", "")) - now) > WINDOW:
            raise Refused(403, "stale")
        if field(_xml(body), "Encrypt").strip() != sealed:
            raise Refused(400, "xml")
        return _xml(self._decrypt(sealed))

    def _genuine(self, params: Mapping[str, str], sealed: str) -> str:
        """The ciphertext, once its signature has been found to be the platform's."""
        expected = signature(self._token, params.get("timestamp", ""), params.get("nonce", ""), sealed)
        if not sealed or not hmac.compare_digest(_bytes(params.get("msg_signature", "")), expected.encode()):
            raise Refused(403, "signature")
        return sealed

    def _decrypt(self, sealed: str) -> str:
        from wechatpy.enterprise.crypto import PrpCrypto  # 10 MB, and nobody needs it before the first envelope
        from wechatpy.enterprise.exceptions import InvalidCorpIdException

        try:
            return str(PrpCrypto(self._key).decrypt(sealed, self._corp_id))
        except InvalidCorpIdException:
            raise Refused(403, "receiver") from None
        # wechatpy trusts what it opens: a wrong key or length shows as struct.error, IndexError, binascii.Error,
        # UnicodeDecodeError or ValueError, whichever comes first
        except Exception:
            raise Refused(400, "encryption") from None


def signature(*parts: str) -> str:
    """WeCom's signature: SHA-1 of token, timestamp, nonce and ciphertext, sorted and joined."""
    return hashlib.sha1(b"".join(sorted(map(_bytes, parts)))).hexdigest()


def to_incoming(message: Mapping[str, Any]) -> IncomingMessage | None:
    """A message or event as a neutral message; None for what asks for no answer. Raises Refused when fields lack."""
    account, sent_at = field(message, "FromUserName"), _instant(field(message, "CreateTime"))
    kind = field(message, "MsgType").lower()
    if kind == "event":
        return _event(message, account, sent_at)
    event_id = "m" + field(message, "MsgId")
    # 语音识别, where the operator has switched it on, is as good as typed
    said = field(message, {"text": "Content", "voice": "Recognition"}.get(kind, ""), "")
    if said:
        return IncomingMessage("wecom", account, event_id, sent_at, text=said)
    if kind not in FILE_KINDS:
        return None
    file = File(_file_name(message, kind), _file_reference(message, kind), FILE_KINDS[kind])
    return IncomingMessage("wecom", account, event_id, sent_at, file=file)


def _file_name(message: Mapping[str, Any], kind: str) -> str:
    return field(message, {"file": "FileName", "location": "Label", "link": "Title"}.get(kind, ""), "") or kind


def _file_reference(message: Mapping[str, Any], kind: str) -> str:
    """What finds the thing again: a media id (good for three days), an address, or a place."""
    if kind == "location":
        return f"{field(message, 'Location_X', '')},{field(message, 'Location_Y', '')}"
    return field(message, "Url" if kind == "link" else "MediaId", "")


def _event(message: Mapping[str, Any], account: str, sent_at: datetime) -> IncomingMessage | None:
    event, key = field(message, "Event").lower(), field(message, "EventKey", "")
    event_id = _event_id(account, field(message, "CreateTime"), event, key, field(message, "TaskId", ""))
    if event in CARD_EVENTS and key:
        context, pressed = parse_wire_id(key)
        return IncomingMessage(
            "wecom",
            account,
            event_id,
            sent_at,
            chosen=(*_ticked(message), pressed),
            context=context,
            message_ref=field(message, "ResponseCode", "") or None,
        )
    said = {"click": key, "subscribe": "帮助"}.get(event)
    return IncomingMessage("wecom", account, event_id, sent_at, text=said) if said else None


def _event_id(*parts: str) -> str:
    """Events carry no id of their own; together these name one, and a redelivery has all of them equal."""
    return "e" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _ticked(message: Mapping[str, Any]) -> tuple[str, ...]:
    """The choice ids ticked on a vote or selection card. xmltodict gives one of a thing as itself, several as a list.

    The id of the button that handed them in comes after them in `chosen`, so a vote of one option differs from a tap
    on that option, and a vote of none is the tap on the button alone.
    """
    ids: list[str] = []
    for item in _several(message, "SelectedItems", "SelectedItem"):
        ids += [parse_wire_id(option)[1] for option in _several(item, "OptionIds", "OptionId") if option]
    return tuple(ids)


def _several(parent: Any, group: str, member: str) -> list[Any]:
    inside = parent.get(group) if isinstance(parent, Mapping) else None
    found = inside.get(member) if isinstance(inside, Mapping) else None
    members = found if isinstance(found, list) else [found] if found else []
    if not all(isinstance(m, Mapping if group == "SelectedItems" else str) for m in members):
        raise Refused(400, member)
    return members


def field(message: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text field. Raises Refused when it is missing (unless there is a default) or is not plain text."""
    value = message.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise Refused(400, name)
    return value


def _xml(document: str | bytes) -> dict[str, Any]:
    try:
        root = xmltodict.parse(document)["xml"]
    except Exception:  # ExpatError, KeyError, ValueError (entities, encodings), UnicodeError: all of them bad XML
        raise Refused(400, "xml") from None
    if not isinstance(root, dict):
        raise Refused(400, "xml")
    return root


def _instant(seconds: str) -> datetime:
    """A Unix time in decimal digits. Eleven reach the year 5138; twelve would be beyond what a datetime holds."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) < 12):
        raise Refused(400, "timestamp")
    return datetime.fromtimestamp(int(seconds), UTC)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _key(aes_key: str) -> bytes:
    """EncodingAESKey is base64 of 32 bytes without its last '='."""
    try:
        key = base64.b64decode(aes_key + "=", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != 32:
        raise ValueError(
            "CUNYI_WECOM__AES_KEY is not an EncodingAESKey: copy all its 43 characters from the app's page"
        )
    return key
