"""WeCom 企业微信: messages go out through its API, and come in as signed, encrypted callbacks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from bot.channels import Limits, MessageRejected, Receive, SendError, fit, handed_over
from bot.channels.wecom_callback import WINDOW, Envelopes, Refused, to_incoming
from bot.channels.wecom_cards import (
    BUTTONS,
    LABEL,
    TEXT_BYTES,
    Payload,
    file_payload,
    greyed,
    one_call_each,
    to_payload,
)
from bot.channels.wecom_client import TokensInMemory, TokenStore, WeComClient, delivered
from models.message import File, IncomingMessage, OutgoingMessage

__all__ = ["TokenStore", "TokensInMemory", "WeCom", "to_incoming", "to_payload"]

MAX_BODY = 1 << 20
DUPLICATE_SECONDS = 1800  # how far back the platform looks for an equal message, when asked to

log = structlog.get_logger()


class WeCom:
    """One WeCom app as a channel.

    Replies are always pushed, never given in the answer to a callback: an answer can be lost together with what it
    says, a pushed message is in the outbox until the platform has taken it.
    """

    name = "wecom"

    def __init__(
        self,
        *,
        corp_id: str,
        agent_id: int | str,
        secret: str,
        token: str,
        aes_key: str,
        base_url: str = "https://qyapi.weixin.qq.com",
        tokens: TokenStore,
        now: Callable[[], datetime],
        abroad: bool = False,
    ) -> None:
        self.limits = Limits(text=TEXT_BYTES, unit="bytes", buttons=BUTTONS, label=LABEL, abroad=abroad)
        self._agent_id = int(agent_id)
        self._envelopes = Envelopes(corp_id=corp_id, token=token, aes_key=aes_key)
        self._client = WeComClient(corp_id=corp_id, secret=secret, base_url=base_url, tokens=tokens, now=now)
        self._now = now
        self._receive: Receive | None = None
        self._accepted: OrderedDict[str, datetime] = OrderedDict()
        self._background: set[asyncio.Task[None]] = set()

    async def start(self, receive: Receive) -> None:
        self._receive = receive

    async def stop(self) -> None:
        self._receive = None
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._client.close()

    # out

    def parts(self, message: OutgoingMessage) -> list[OutgoingMessage]:
        return [piece for part in fit(message, self.limits) for piece in one_call_each(part)]

    async def send(self, account: str, message: OutgoingMessage, *, key: str, again: bool = False) -> str | None:
        """Say a message: its text, its files, and last the card.

        What a crash or time-out leaves in doubt is for the platform's duplicate check (`again`) and the card's task id.
        """
        try:
            payloads = to_payload(account, message, key=key)
        except ValueError as error:
            raise MessageRejected(str(error)) from None
        if not payloads and not message.files:
            raise MessageRejected("the message is empty")
        card = payloads[-1:] if message.choices and payloads[-1]["msgtype"] == "template_card" else []
        parts: list[Payload | File] = [*payloads[: len(payloads) - len(card)], *message.files, *card]
        message_id = None
        for part in parts:
            if isinstance(part, File):
                media = await self._client.upload(part.path, part.name, image=part.kind == "photo")
                part = file_payload(account, *media)
            message_id = delivered(await self._client.post("message/send", self._sealed(part, again)))
        return message_id

    def _sealed(self, payload: Payload, again: bool) -> Payload:
        checked = {"enable_duplicate_check": 1, "duplicate_check_interval": DUPLICATE_SECONDS} if again else {}
        return {**payload, "agentid": self._agent_id, **checked}

    # in

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/wecom/callback", self._check, methods=["GET"]),
            Route("/wecom/callback", self._take, methods=["POST"]),
        ]

    async def _check(self, request: Request) -> Response:
        """The URL check, made once when the operator saves the address on the app's page."""
        try:
            return PlainTextResponse(self._envelopes.open_echo(request.query_params))
        except Refused as refused:
            return _refusal(refused)

    async def _take(self, request: Request) -> Response:
        """One callback.

        1. What is not a fresh, genuine, well-formed envelope gets a 4xx and goes no further.
        2. An envelope we have already accepted gets its 200 again: our answer was lost on the way.
        3. A message is handed over, and acknowledged only once it is committed; a press greys its card.
        4. One that was not committed gets a 503, and the platform brings it again.
        """
        try:
            body = await _body(request)
            message = self._envelopes.open(request.query_params, body, self._now())
            incoming = to_incoming(message)
        except Refused as refused:
            return _refusal(refused)
        # the signature covers timestamp, nonce and ciphertext, so it names the envelope
        envelope = request.query_params["msg_signature"]
        if not self._is_accepted(envelope):
            if incoming and not await self._hand_over(incoming):
                return Response(status_code=503)
            self._accepted[envelope] = self._now()
        return Response(status_code=200)

    async def _hand_over(self, incoming: IncomingMessage) -> bool:
        if not await handed_over(self._receive, incoming):
            return False
        if incoming.chosen and incoming.message_ref:
            task = asyncio.create_task(self._grey(incoming.account, incoming.message_ref, incoming.chosen[-1]))
            self._background.add(task)
            task.add_done_callback(self._background.discard)
        return True

    async def _grey(self, account: str, response_code: str, pressed: str) -> None:
        """Show on the card that it was answered. Only a courtesy: the answer is already committed."""
        update = {**greyed(account, response_code, pressed), "agentid": self._agent_id}
        try:
            await self._client.post("message/update_template_card", update)
        except SendError as error:
            log.info("wecom.card_not_updated", error=type(error).__name__)

    def _is_accepted(self, envelope: str) -> bool:
        """Whether this envelope was accepted before. Older ones than twice the window are refused as stale anyway."""
        horizon = self._now() - 2 * WINDOW
        while self._accepted and next(iter(self._accepted.values())) < horizon:
            self._accepted.popitem(last=False)
        return envelope in self._accepted


async def _body(request: Request) -> bytes:
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise Refused(400, "size")
    except ClientDisconnect:
        raise Refused(400, "disconnected") from None
    return body


def _refusal(refused: Refused) -> Response:
    log.warning("wecom.callback_refused", reason=refused.reason, status=refused.status)
    return Response(status_code=refused.status)
