"""The simulator's page: both phones side by side in a browser, fed by server-sent events. 模拟器

Only for the demo. It shows a synthetic county and asks nobody who they are, so it listens on this machine alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.phones import Phones
from bot.simulator_words import FILES, page_words

STATIC = Path(__file__).parent / "static"
HEARTBEAT = 15.0  # seconds; shorter than any proxy's patience
LONGEST_LINE = 20_000  # characters of a typed message; the bot's own limit answers first
Deed = Callable[[Mapping[str, Any]], Awaitable[None]]
"""Something a phone or the clock is asked to do, with the request's JSON."""


class Refused(ValueError):
    """The request makes no sense; the message says why."""


def make_web(phones: Phones) -> Starlette:
    return Starlette(routes=routes_of(phones))


def routes_of(phones: Phones) -> list[BaseRoute]:
    """The page, its files, its events and what the two phones can do."""

    async def page(request: Request) -> Response:
        return FileResponse(STATIC / "simulator.html", headers={"Cache-Control": "no-cache", **_SAFE})

    async def state(request: Request) -> Response:
        return JSONResponse({**phones.state(), **page_words()})

    async def events(request: Request) -> Response:
        only = request.query_params.get("phone")
        stream = _events(phones, only)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def file(request: Request) -> Response:
        """A file the bot sent: found by its place in the chat, never by a path from outside."""
        chat = phones.chats.of.get(request.path_params["account"])
        entry = chat.entry(request.path_params["entry"]) if chat else None
        found = entry.drawing.get("file") if entry and entry.who == "bot" else None
        if not found or not Path(found["path"]).is_file():
            return JSONResponse({"error": "文件已经不在了。"}, 404)
        return FileResponse(found["path"], filename=found["name"], content_disposition_type="inline")

    async def say(data: Mapping[str, Any]) -> None:
        await phones.say(_text(data, "phone"), _text(data, "text")[:LONGEST_LINE])

    async def tap(data: Mapping[str, Any]) -> None:
        message, choices = data.get("message"), data.get("choices")
        if not isinstance(message, int) or not isinstance(choices, list) or not choices:
            raise Refused("message is a number, choices a list of ids")
        await phones.tap(_text(data, "phone"), message, [str(choice) for choice in choices])

    async def hold(data: Mapping[str, Any]) -> None:
        await phones.give_to(_text(data, "phone"), _text(data, "worker"))

    async def look(data: Mapping[str, Any]) -> None:
        await phones.change_look(_text(data, "phone"), _text(data, "look"))

    async def clock(data: Mapping[str, Any]) -> None:
        await phones.move_clock(_moment(phones, data))

    def hand_over(kind: str) -> Deed:
        async def handing(data: Mapping[str, Any]) -> None:
            await phones.hand_over(_text(data, "phone"), FILES[kind])

        return handing

    deeds: dict[str, Deed] = {"say": say, "tap": tap, "hold": hold, "look": look, "clock": clock}
    deeds |= {kind: hand_over(kind) for kind in FILES}
    return [
        Route("/", page),
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/sim/state", state),
        Route("/sim/events", events),
        Route("/sim/file/{account}/{entry:int}", file),
        *(Route(f"/sim/{name}", _post(phones, deed), methods=["POST"]) for name, deed in deeds.items()),
    ]


_SAFE = {"Content-Security-Policy": "default-src 'self'; img-src 'self' data:", "X-Content-Type-Options": "nosniff"}


def _post(phones: Phones, deed: Deed) -> Callable[[Request], Awaitable[Response]]:
    """JSON in, the simulated time out; what cannot be done is one sentence."""

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return JSONResponse({"error": "send JSON"}, 415)  # and so no other site's form can post here
        try:
            data = await request.json()
            if not isinstance(data, dict):
                raise Refused("send a JSON object")
            await deed(data)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        await phones.settled()
        return JSONResponse({"now": phones.local_now().isoformat()})

    return answer


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str):
        raise Refused(f"{name} is missing")
    return value


def _moment(phones: Phones, data: Mapping[str, Any]) -> datetime:
    """`{"to": ISO instant}` or `{"plus": "8h" | "1d" | "next_morning"}`."""
    match data:
        case {"to": str(to)}:
            moment = datetime.fromisoformat(to)
            return moment if moment.tzinfo else moment.replace(tzinfo=phones.app.settings.tz)
        case {"plus": "next_morning"}:
            return phones.next_morning()
        case {"plus": str(plus)} if plus[:-1].isdecimal() and plus[-1] in "mhd":
            unit = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[plus[-1]]
            return phones.clock() + min(int(plus[:-1]), 100_000) * unit
        case _:
            raise Refused('send {"to": "2026-11-25T07:30"} or {"plus": "8h"}, "1d", "next_morning"')


async def _events(phones: Phones, only: str | None) -> AsyncIterator[str]:
    """First the whole state, then every change of the phone asked for (or of both), until the reader or we leave."""
    waiting: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

    def listen(event: str, data: dict[str, Any]) -> None:
        if only is None or data.get("phone", only) == only:
            waiting.put_nowait((event, data))

    phones.listeners.append(listen)
    try:
        state = {**phones.state(), **page_words()}
        state["phones"] = {name: phone for name, phone in state["phones"].items() if only in (None, name)}
        yield _event("state", state)
        while True:
            try:
                event, data = await asyncio.wait_for(waiting.get(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event == "end":
                return
            yield _event(event, data)
    finally:
        phones.listeners.remove(listen)


def _event(event: str, data: dict[str, Any]) -> str:
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
