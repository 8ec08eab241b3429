"""A Bot API server on a loopback port, with Telegram's own limits, refusals and habits, and users to play with.

    with TelegramServer() as server:
        bot = Telegram(token=server.token, base_url=server.url, ...)
        server.user_sends(7, "今日")
        server.wait_until(lambda: server.chat(7))
        server.user_taps(7, "开始")

Tests act as people (`user_...`), look at what people see (`chat`), and make trouble (`fail_next`, `redeliver`,
`rate_limited`). It runs in a thread, so the bot under test may be in the same process or in another. Descriptions of
refusals are Telegram's, because adapters decide by them.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.platforms.loopback import Loopback

TEXT, CAPTION, CALLBACK_DATA, CALLBACK_ANSWER = 4096, 1024, 64, 200
BUTTONS, COMMANDS, BATCH, WEBHOOKS_AT_ONCE = 100, 100, 100, 40
UPLOAD, PHOTO = 50 * 1024**2, 10 * 1024**2
PER_CHAT, PER_SECOND = 1.0, 30  # seconds between messages to one person; messages to everybody in a second
SAYING = {"sendmessage", "sendphoto", "senddocument", "editmessagetext"}
REFUSALS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    403: "Forbidden: bot was blocked by the user",
    404: "Not Found",
    409: "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    413: "Request Entity Too Large",
    500: "Internal Server Error",
}

Json = dict[str, Any]


class Refused(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str = "", **parameters: int) -> None:
        super().__init__(description or REFUSALS[code])
        self.code, self.parameters = code, parameters


@dataclass(frozen=True)
class Button:
    label: str
    data: str


@dataclass(frozen=True)
class Seen:
    """One message of the bot as it stands on the phone, edits applied."""

    message_id: int
    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    file: str | None = None
    content: bytes = b""

    @property
    def buttons(self) -> list[str]:
        return [button.label for row in self.rows for button in row]


@dataclass
class Chat:
    person: Json
    messages: dict[int, Json] = field(default_factory=dict)
    blocked: str = ""
    last_sent: float = -math.inf


@dataclass
class Trouble:
    status: int
    methods: set[str]
    description: str
    retry_after: int
    after: bool
    delay: float


class TelegramServer(Loopback):
    """`rate_limited` may be switched at any time; `now` gives messages their date."""

    def __init__(
        self,
        *,
        bot_id: int = 700_100_200,
        rate_limited: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        routes = [
            Route("/bot{token}/{method}", self._endpoint, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._download),
        ]
        super().__init__("telegram", routes)
        self._now = now
        self.me: Json = {"id": bot_id, "is_bot": True, "first_name": "村医助手", "username": "cunyi_bot"}
        self.retry_pause = 0.05  # seconds until a webhook delivery is tried again
        self._numbers = iter(range(1, 10**9))
        self._poller: asyncio.Future[str] | None = None
        self._pushing: dict[int, asyncio.Task[None]] = {}
        self.forget()
        self.rate_limited = rate_limited

    def forget(self) -> None:
        """Become as new, so that one server can serve many tests. Ids go on counting.

        The token changes: a last call of an earlier bot, still on its way, must not meddle.
        """
        with self._changed:
            if self._poller:
                self._loop.call_soon_threadsafe(_end, self._poller, "a new beginning")
                self._poller = None
            self.token = f"{self.me['id']}:AAExampleTokenOfTheEmulator{next(self._numbers)}"
            self.rate_limited = False
            self.way_back = 0.0  # seconds from a message's arrival here to our answer's arrival there
            self.calls: Counter[str] = Counter()  # by method, in lower case
            self.commands: list[Json] = []
            self.answered: dict[str, str] = {}  # callback query id -> the text shown, "" for none
            self.webhook: Json | None = None
            self.webhook_answers: list[int] = []  # HTTP statuses the bot gave to deliveries
            self._chats: dict[int, Chat] = {}
            self._files: dict[str, bytes] = {}
            self._pending: dict[int, Json] = {}
            self._confirmed: list[Json] = []
            self._again: list[Json] = []
            self._queries: set[str] = set()
            self._allowed: list[str] = []
            self._troubles: deque[Trouble] = deque()
            self._sent: deque[float] = deque()

    # Running it

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        async with httpx.AsyncClient(trust_env=False, timeout=60) as self._client:
            await super()._serve()
            for task in self._pushing.values():
                task.cancel()
            await asyncio.gather(*self._pushing.values(), return_exceptions=True)

    def _let_go(self) -> None:
        self._wake()

    # What people do and see

    def user_sends(self, user: int, text: str) -> int:
        """A person writes; returns the message's id."""
        if not 1 <= _units(text) <= TEXT:
            raise ValueError("no Telegram client sends this")
        return self.user_posts(user, text=text)

    def user_posts(self, user: int, **content: Any) -> int:
        """A person sends anything: `photo=[{"file_id": …}]`, `location={…}`."""
        return self._arrives(user, "message", content)

    def user_edits(self, user: int, message_id: int, text: str) -> None:
        with self._changed:
            message = self._chat_with(user).messages[message_id]
            message.update(text=text, edit_date=self._date())
            self._enqueue("edited_message", message)

    def user_taps(self, user: int, label_or_data: str) -> str:
        """A person presses the newest button of that label or data; returns the callback query's id."""
        with self._changed:
            for number, message in reversed(self._chat_with(user).messages.items()):
                for button in _buttons(message):
                    if label_or_data in (button["text"], button["callback_data"]):
                        return self._tapped(user, number, button["callback_data"])
        raise LookupError(f"no button {label_or_data!r} in {[seen.buttons for seen in self.chat(user)]}")

    def user_blocks(self, user: int, why: str = "bot was blocked by the user") -> None:
        with self._changed:
            self._chat_with(user).blocked = why

    def user_starts(self, user: int) -> None:
        """The bot may write to a person only after they wrote first; this opens the chat without an update."""
        with self._changed:
            self._chat_with(user)

    def chat(self, user: int) -> list[Seen]:
        """What the bot has said to a person, oldest first."""
        with self._changed:
            messages = self._chat_with(user).messages.values()
            return [self._seen(message) for message in messages if message["from"]["is_bot"]]

    @property
    def pending(self) -> list[Json]:
        """Updates that Telegram still keeps for the bot."""
        with self._changed:
            return list(self._pending.values())

    @property
    def unconfirmed(self) -> list[int]:
        """Their ids."""
        return [update["update_id"] for update in self.pending]

    @property
    def confirmed(self) -> list[Json]:
        """Updates the bot has acknowledged, in that order."""
        with self._changed:
            return list(self._confirmed)

    @property
    def polled(self) -> bool:
        """Whether a getUpdates is waiting for something to happen."""
        return self._poller is not None and not self._poller.done()

    # Trouble

    def fail_next(
        self,
        n: int = 1,
        status: int = 502,
        *,
        method: str | None = None,
        description: str = "",
        retry_after: int = 1,
        after: bool = False,
        delay: float = 0,
    ) -> None:
        """Answer the next n calls that say something (or of one method) with an error, after `delay` seconds.

        With `after`, the message goes out all the same: what a lost answer looks like from the bot's side.
        """
        methods = {method.lower()} if method else SAYING
        with self._changed:
            self._troubles += [Trouble(status, methods, description, retry_after, after, delay)] * n

    def redeliver(self, n: int | None = None) -> None:
        """Deliver the last n confirmed updates (or all) once more, ids unchanged, as Telegram does now and then."""
        with self._changed:
            again = self._confirmed[-n:] if n else list(self._confirmed)
            if self.webhook:
                self._pending = {update["update_id"]: update for update in again} | self._pending
            else:
                self._again += again
        self._wake()

    def push(self, kind: str, body: Json) -> int:
        """Deliver any update at all, such as a group's; returns its id."""
        with self._changed:
            return self._enqueue(kind, body)

    # Updates, from people to the bot

    def _arrives(self, user: int, kind: str, content: Json) -> int:
        with self._changed:
            chat = self._chat_with(user)
            message = self._message(chat, chat.person, content)
            self._enqueue(kind, message)
            return int(message["message_id"])

    def _tapped(self, user: int, message_id: int, data: str) -> str:
        chat = self._chat_with(user)
        query = str(4_000_000_000 + next(self._numbers))
        self._queries.add(query)
        body = {"id": query, "from": chat.person, "chat_instance": "1", "data": data}
        self._enqueue("callback_query", body | {"message": dict(chat.messages[message_id])})
        return query

    def _enqueue(self, kind: str, body: Json) -> int:
        number = 800_000_000 + next(self._numbers)
        if not self._allowed or kind in self._allowed:
            self._pending[number] = {"update_id": number, kind: json.loads(json.dumps(body))}
            self._wake()
        return number

    def _wake(self) -> None:
        self._loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        """Something is new: end a waiting getUpdates, or start bringing each person's updates in order."""
        self._end_poll("")
        if self.webhook and not self._server.should_exit:
            with self._changed:
                chats = {_sender(update) for update in self._pending.values()}
            for chat in chats - self._pushing.keys():
                self._pushing[chat] = asyncio.create_task(self._bring(chat))

    def _end_poll(self, because: str) -> None:
        if self._poller:
            _end(self._poller, because)

    async def _bring(self, chat: int) -> None:
        while (webhook := self.webhook) and (update := self._next_of(chat)):
            headers = {"X-Telegram-Bot-Api-Secret-Token": webhook["secret_token"]} if "secret_token" in webhook else {}
            try:
                response = await self._client.post(webhook["url"], json=update, headers=headers)
                status, done = response.status_code, response.is_success
            except httpx.HTTPError:
                status, done = 0, False
            with self._changed:
                self.webhook_answers.append(status)
                if done:
                    self._confirm([update["update_id"]])
                self._changed.notify_all()
            if not done:
                await asyncio.sleep(self.retry_pause)
        del self._pushing[chat]

    def _next_of(self, chat: int) -> Json | None:
        with self._changed:
            return next((update for update in self._pending.values() if _sender(update) == chat), None)

    def _confirm(self, numbers: list[int]) -> None:
        self._confirmed += [self._pending.pop(number) for number in numbers]

    # The Bot API

    async def _endpoint(self, request: Request) -> Response:
        method = request.path_params["method"].lower()
        try:
            self._check_token(request.path_params["token"])
            parameters, files = await _parameters(request)
            with self._changed:
                self.calls[method] += 1
                trouble = next((t for t in self._troubles if method in t.methods), None)
                if trouble:
                    self._troubles.remove(trouble)
            if trouble and not trouble.after:
                return await self._fail(trouble)
            if method == "getupdates":
                result = await self._get_updates(request, parameters)
            else:
                result = self._call(method, parameters, files)
            if trouble:
                return await self._fail(trouble)
            if self.way_back and method in SAYING:
                await asyncio.sleep(self.way_back)
            return JSONResponse({"ok": True, "result": result})
        except Refused as refused:
            return _refusal(refused)
        except ClientDisconnect:
            return Response(status_code=499)  # who asked is gone, and hears of it no more
        finally:
            with self._changed:
                self._changed.notify_all()

    async def _fail(self, trouble: Trouble) -> Response:
        await asyncio.sleep(trouble.delay)
        if trouble.status == 502:  # comes from the front end, which does not speak JSON
            return Response("<html><head><title>502 Bad Gateway</title></head></html>", 502, media_type="text/html")
        if trouble.status == 429:
            return _refusal(_slow_down(trouble.retry_after))
        return _refusal(Refused(trouble.status, trouble.description or REFUSALS.get(trouble.status, "Trouble")))

    def _check_token(self, token: str) -> None:
        if not re.fullmatch(r"\d+:.+", token):
            raise Refused(404)
        if token != self.token:
            raise Refused(401)

    def _call(self, method: str, p: Json, files: dict[str, tuple[str, bytes]]) -> Any:
        with self._changed:
            match method:
                case "getme":
                    return self.me
                case "sendmessage":
                    return self._send(p, {"text": _text(p.get("text"), TEXT, "message")})
                case "sendphoto" | "senddocument":
                    return self._send_file(p, method.removeprefix("send"), files)
                case "editmessagetext":
                    return self._edit(p)
                case "answercallbackquery":
                    return self._answer(p)
                case "setmycommands":
                    return self._set_commands(_decoded(p, "commands", list))
                case "setwebhook":
                    return self._set_webhook(p)
                case "deletewebhook":
                    self.webhook = None
                    return True
                case "getwebhookinfo":
                    return {"url": (self.webhook or {}).get("url", ""), "pending_update_count": len(self._pending)}
                case "getfile":
                    return self._get_file(str(p.get("file_id")))
        raise Refused(404)

    async def _get_updates(self, request: Request, p: Json) -> list[Json]:
        if self.webhook:
            why = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            raise Refused(409, f"Conflict: {why}")
        self._end_poll("other getUpdates request; make sure that only one bot instance is running")
        offset, limit = int(p.get("offset", 0)), min(max(int(p.get("limit", BATCH)), 1), BATCH)
        deadline = time.monotonic() + float(p.get("timeout", 0))
        with self._changed:
            if "allowed_updates" in p:
                self._allowed = _decoded(p, "allowed_updates", list)
            known = list(self._pending)
            self._confirm([n for n in known if n < offset] if offset >= 0 else known[:offset])
        while True:
            with self._changed:
                batch = [*self._again, *self._pending.values()][:limit]
                del self._again[:limit]
            left = deadline - time.monotonic()
            if batch or left <= 0 or self._server.should_exit:
                return batch
            poll = self._poller = self._loop.create_future()
            gone = asyncio.ensure_future(request.receive())  # a bot that dies hangs up
            await asyncio.wait({poll, gone}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            if gone.done() or not poll.done():
                poll.cancel()
                return []
            gone.cancel()
            if ended_by := poll.result():
                raise Refused(409, f"Conflict: terminated by {ended_by}")

    def _send(self, p: Json, content: Json) -> Json:
        chat = self._reachable(p)
        markup = _markup(p)
        self._keep_pace(chat)
        return self._message(chat, self.me, content | markup)

    def _send_file(self, p: Json, kind: str, files: dict[str, tuple[str, bytes]]) -> Json:
        name, content = files.get(kind) or ("", self._files.get(str(p.get(kind)), b""))
        if not content:
            raise Refused(400, f"Bad Request: there is no {kind} in the request")
        if len(content) > UPLOAD:
            raise Refused(413)
        if kind == "photo" and len(content) > PHOTO:
            raise Refused(400, f"Bad Request: file of size {len(content)} bytes is too big for a photo")
        ref = f"AgAD{next(self._numbers)}"
        self._files[ref] = content
        about = {"file_id": ref, "file_unique_id": ref, "file_size": len(content)}
        caption = {"caption": _text(p["caption"], CAPTION, "message caption")} if p.get("caption") else {}
        sent = {"photo": [about]} if kind == "photo" else {"document": about | {"file_name": name}}
        return self._send(p, caption | sent)

    def _edit(self, p: Json) -> Json:
        chat = self._reachable(p)
        message = chat.messages.get(int(p.get("message_id", 0)))
        if message is None:
            raise Refused(400, "Bad Request: message to edit not found")
        if not message["from"]["is_bot"]:
            raise Refused(400, "Bad Request: message can't be edited")
        if "text" not in message:
            raise Refused(400, "Bad Request: there is no text in the message to edit")
        new = {"text": _text(p.get("text"), TEXT, "message")} | _markup(p)
        if new == {key: message[key] for key in ("text", "reply_markup") if key in message}:
            same = "specified new message content and reply markup are exactly the same as a current content and reply"
            raise Refused(400, f"Bad Request: message is not modified: {same} markup of the message")
        message.pop("reply_markup", None)
        message.update(new, edit_date=self._date())
        return dict(message)

    def _answer(self, p: Json) -> bool:
        query, text = str(p.get("callback_query_id")), p.get("text", "")
        if query not in self._queries:
            why = "query is too old and response timeout expired or query ID is invalid"
            raise Refused(400, f"Bad Request: {why}")
        if _units(text) > CALLBACK_ANSWER:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self._queries.remove(query)
        self.answered[query] = text
        return True

    def _set_commands(self, commands: list[Json]) -> bool:
        if len(commands) > COMMANDS:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command["command"]):
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self.commands = commands
        return True

    def _set_webhook(self, p: Json) -> bool:
        if not re.match(r"https?://[^/]+/", p.get("url", "")):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        if "secret_token" in p and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", p["secret_token"]):
            raise Refused(400, "Bad Request: secret token contains unallowed characters")
        if "allowed_updates" in p:
            self._allowed = _decoded(p, "allowed_updates", list)
        self._end_poll("setWebhook request")
        self.webhook = {key: p[key] for key in ("url", "secret_token") if key in p}
        self._wake()
        return True

    def _get_file(self, ref: str) -> Json:
        if ref not in self._files:
            raise Refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self._files[ref])
        return {"file_id": ref, "file_unique_id": ref, "file_size": size, "file_path": f"documents/{ref}"}

    async def _download(self, request: Request) -> Response:
        try:
            self._check_token(request.path_params["token"])
            return Response(self._files[request.path_params["path"].removeprefix("documents/")])
        except Refused as refused:
            return _refusal(refused)
        except KeyError:
            return _refusal(Refused(404))

    # What is kept

    def _chat_with(self, user: int) -> Chat:
        person = {"id": user, "is_bot": False, "first_name": f"用户{user}", "language_code": "zh-hans"}
        return self._chats.setdefault(user, Chat(person))

    def _reachable(self, p: Json) -> Chat:
        if not p.get("chat_id"):
            raise Refused(400, "Bad Request: chat_id is empty")
        known = re.fullmatch(r"-?\d{1,18}", str(p["chat_id"]))
        chat = self._chats.get(int(p["chat_id"])) if known else None
        if chat is None:
            raise Refused(400)
        if chat.blocked:
            raise Refused(403, f"Forbidden: {chat.blocked}")
        return chat

    def _keep_pace(self, chat: Chat) -> None:
        now = time.monotonic()
        while self._sent and self._sent[0] <= now - 1:
            self._sent.popleft()
        wait = max(chat.last_sent + PER_CHAT - now, self._sent[0] + 1 - now if len(self._sent) >= PER_SECOND else 0)
        if self.rate_limited and wait > 0:
            raise _slow_down(math.ceil(wait))
        chat.last_sent = now
        self._sent.append(now)

    def _message(self, chat: Chat, author: Json, content: Json) -> Json:
        number = next(self._numbers)
        about = {"id": chat.person["id"], "type": "private", "first_name": chat.person["first_name"]}
        chat.messages[number] = {"message_id": number, "from": author, "chat": about, "date": self._date(), **content}
        return dict(chat.messages[number])

    def _seen(self, message: Json) -> Seen:
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        buttons = tuple(tuple(Button(b["text"], b["callback_data"]) for b in row) for row in rows)
        name, content = None, b""
        if file := message.get("document") or (message.get("photo") or [None])[-1]:
            name, content = file.get("file_name", "photo"), self._files[file["file_id"]]
        return Seen(message["message_id"], message.get("text") or message.get("caption", ""), buttons, name, content)

    def _date(self) -> int:
        return int(self._now().timestamp())


def _end(poll: asyncio.Future[str], because: str) -> None:
    if not poll.done():
        poll.set_result(because)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _sender(update: Json) -> int:
    body = next(value for key, value in update.items() if key != "update_id")
    return int(body["from"]["id"]) if "from" in body else 0


def _slow_down(seconds: int) -> Refused:
    return Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def _refusal(refused: Refused) -> Response:
    body: Json = {"ok": False, "error_code": refused.code, "description": str(refused)}
    if refused.parameters:
        body["parameters"] = refused.parameters
    return JSONResponse(body, refused.code)


def _text(text: Any, limit: int, what: str) -> str:
    """Telegram trims; what is left must be something, and must fit."""
    trimmed = str(text or "").strip()
    if not trimmed:
        raise Refused(400, f"Bad Request: {what} text is empty")
    if _units(trimmed) > limit:
        raise Refused(400, f"Bad Request: {what} is too long")
    return trimmed


def _buttons(message: Json) -> Iterator[Json]:
    for row in message.get("reply_markup", {}).get("inline_keyboard", []):
        yield from row


def _markup(p: Json) -> Json:
    if not p.get("reply_markup"):
        return {}
    markup = _decoded(p, "reply_markup", dict)
    buttons = list(_buttons({"reply_markup": markup}))
    if len(buttons) > BUTTONS:
        raise Refused(400, "Bad Request: reply markup is too long")
    for button in buttons:
        if not button.get("text") or "callback_data" not in button:
            why = "Text buttons are unallowed in the inline keyboard"
            raise Refused(400, f"Bad Request: can't parse inline keyboard button: {why}")
        if not 1 <= len(button["callback_data"].encode()) <= CALLBACK_DATA:
            raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
    return {"reply_markup": {"inline_keyboard": markup["inline_keyboard"]}} if buttons else {}


def _decoded(p: Json, name: str, kind: type) -> Any:
    """A parameter that is JSON inside a form field, or already decoded when the whole body was JSON."""
    try:
        value = json.loads(p[name]) if isinstance(p.get(name), str) else p.get(name)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise Refused(400, f"Bad Request: can't parse {name} JSON object")
    return value


async def _parameters(request: Request) -> tuple[Json, dict[str, tuple[str, bytes]]]:
    """Parameters and files from a query string, a form, a multipart form or JSON: Telegram takes them all."""
    parameters: Json = dict(request.query_params)
    files: dict[str, tuple[str, bytes]] = {}
    body, kind = await request.body(), request.headers.get("content-type", "")
    try:
        if kind.startswith("application/json"):
            parameters |= json.loads(body or b"{}")
        elif kind.startswith("application/x-www-form-urlencoded"):
            parameters |= parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
        elif kind.startswith("multipart/form-data"):
            boundary = b"\r\n--" + kind.partition("boundary=")[2].strip('"').encode()
            for part in (b"\r\n" + body).split(boundary)[1:-1]:
                head, _, content = part.partition(b"\r\n\r\n")
                about = dict(re.findall(r'(\w+)="([^"]*)"', head.decode()))
                if "filename" in about:
                    files[about["name"]] = about["filename"], content
                else:
                    parameters[about["name"]] = content.decode()
    except ValueError as error:
        raise Refused(400, "Bad Request: strings must be encoded in UTF-8") from error
    return parameters, files
