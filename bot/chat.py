"""`cunyi chat`: a worker's conversation in the terminal, for people and, with --json, for programs."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TextIO

from sqlalchemy import select

from bot.app import App
from bot.channels.console import Console
from bot.clock import MovableClock
from bot.config import Settings
from handlers.asking import conversation_state
from handlers.turn import Turn
from models.base import Store
from models.conversation import load_conversation
from models.message import Choice, IncomingMessage, OutgoingMessage
from models.people import ChannelAccount, HealthWorker
from models.scope import scope_of
from models.trouble import Trouble


class NoSuchWorker(Trouble):
    """Nobody has this worker code."""


class ChatSession:
    """One worker at the terminal, over the real intake and sender."""

    def __init__(self, settings: Settings, store: Store, code: str, at: datetime | None) -> None:
        self.settings, self.store, self.code = settings, store, code
        self.clock = MovableClock(at)
        self.console = Console()
        self.worker_id = _bind(store, code, self.clock())
        self.app = App(
            settings, store, {"console": self.console}, clock=self.clock, poll_every=3600, only_worker=self.worker_id
        )
        self._shown: list[OutgoingMessage] = []

    async def __aenter__(self) -> ChatSession:
        self.app.intake.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.app.sender.stop()
        await asyncio.to_thread(self.app.intake.stop)
        self.app.seat.leave()

    async def say(self, text: str) -> list[OutgoingMessage]:
        return await self._turn(text=text)

    async def choose(self, said: str) -> list[OutgoingMessage]:
        """Press a button of what was last shown, by its id or label; by id also one of an earlier session."""
        choice, context = self._find(said)
        return await self._turn(chosen=(choice,), context=context)

    async def due(self) -> list[OutgoingMessage]:
        """What is said unasked and due by now."""
        await self.app.sender.send_due()
        await self.app.sender.settle()
        return self._remembered(self.console.take())

    async def _turn(self, **content: Any) -> list[OutgoingMessage]:
        message = IncomingMessage(
            channel="console", account=self.code, event_id=uuid.uuid4().hex, sent_at=self.clock(), **content
        )
        await self.app.intake.receive(message)
        await self.app.sender.settle()
        said = self._remembered(self.console.take())
        return [*said, *await self.due()]

    def _remembered(self, said: list[OutgoingMessage]) -> list[OutgoingMessage]:
        """What was shown can be pressed by its label."""
        self._shown = [*said, *self._shown][:20]
        return said

    def _find(self, said: str) -> tuple[str, str]:
        for message in self._shown:
            for choice in message.choices:
                if said in (choice.id, choice.label, _bare(choice)):
                    return choice.id, message.context
        return said, ""

    def state(self) -> dict[str, Any] | None:
        """The contract's `conversation` object."""
        with self.store.read() as session:
            worker = session.get_one(HealthWorker, self.worker_id)
            now = self.clock()
            turn = Turn(
                session=session,
                now=now,
                tz=self.settings.tz,
                worker=worker,
                scope=scope_of(session, worker),
                conversation=load_conversation(session, worker.id),
                incoming=IncomingMessage("console", self.code, "state", now),
                settings=self.settings.county,
            )
            return conversation_state(turn)


def _bare(choice: Choice) -> str:
    """A label without its leading emoji: 提交 for ✅ 提交."""
    return choice.label.split(" ", 1)[-1]


def _bind(store: Store, code: str, now: datetime) -> int:
    """The terminal needs no invitation: whoever can open the database may speak for a worker."""
    with store.write() as session:
        worker = session.scalar(select(HealthWorker).where(HealthWorker.code == code))
        if worker is None:
            raise NoSuchWorker(f"没有工号 {code};用 cunyi import workers 导入,或 cunyi seed 生成示例数据。")
        query = select(ChannelAccount).where(ChannelAccount.channel == "console", ChannelAccount.account == code)
        if session.scalar(query) is None:
            session.add(ChannelAccount(channel="console", account=code, worker_id=worker.id, bound_at=now))
        session.commit()
        return worker.id


async def chat(
    settings: Settings,
    store: Store,
    code: str,
    *,
    at: datetime | None,
    as_json: bool,
    lines: Iterable[str] = sys.stdin,
    out: TextIO | None = None,
) -> int:
    """Run until the input ends. Returns the exit code."""
    out = out or sys.stdout
    async with ChatSession(settings, store, code, at) as session:
        if as_json:
            for line in lines:
                if line.strip():
                    print(json.dumps(await _json_line(session, line), ensure_ascii=False), file=out, flush=True)
            return 0
        for message in await session.due():
            _show(message, out)
        print(f"({code},直接打字;/数字 选按钮;Ctrl+D 结束)", file=out, flush=True)
        shown: tuple[Choice, ...] = ()
        for line in lines:
            typed = line.rstrip("\n")
            if typed.startswith("/") and typed[1:].isdigit() and 0 < int(typed[1:]) <= len(shown):
                said = await session.choose(shown[int(typed[1:]) - 1].id)
            else:
                said = await session.say(typed)
            for message in said:
                _show(message, out)
                shown = message.choices
    return 0


def _show(message: OutgoingMessage, out: TextIO) -> None:
    print("\n".join(f"< {line}" for line in message.text.split("\n")), file=out)
    for number, choice in enumerate(message.choices, 1):
        print(f"    /{number} [{choice.label}]", file=out)
    out.flush()


async def _json_line(session: ChatSession, line: str) -> dict[str, Any]:
    try:
        said = await _obey(session, json.loads(line))
    except (ValueError, TypeError) as error:
        return {
            "messages": [],
            "conversation": session.state(),
            "error": f'expected {{"text"}}, {{"choose"}} or {{"at"}}: {error}',
        }
    messages = [
        {
            "text": message.text,
            "choices": [{"id": c.id, "label": c.label} for c in message.choices],
            "files": [{"name": f.name, "path": f.path} for f in message.files],
        }
        for message in said
    ]
    return {"messages": messages, "conversation": session.state()}


async def _obey(session: ChatSession, command: Any) -> list[OutgoingMessage]:
    if not isinstance(command, dict):
        raise ValueError("each line is a JSON object")
    said: list[OutgoingMessage] = []
    if "at" in command:
        session.clock.set(read_instant(command["at"], session.settings))
        said += await session.due()
    if "text" in command:
        said += await session.say(str(command["text"]))
    elif "choose" in command:
        said += await session.choose(str(command["choose"]))
    elif "at" not in command:
        raise ValueError(f"got {sorted(command)}")
    return said


def read_instant(text: str, settings: Settings) -> datetime:
    """An ISO instant; without an offset it is the county's own time. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=settings.tz)
