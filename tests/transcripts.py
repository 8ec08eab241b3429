"""Reads and plays .chat files: `>` the worker, `<` the bot, `@` moves the clock or changes who speaks, `!` presses a button.

`~` plans what the timetable says for the day, and hears what is due by now.

`*` in an expected line stands for anything. Lines of one reply may be left out: each `<` line must be found, in order,
in what was said since the last `>` or `!`. `<!` lines must not be found. `= service field value …` checks a record.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.chat import ChatSession
from bot.config import Settings
from models.base import Store
from models.message import OutgoingMessage
from reminders.timetable import plan_day

CHINA = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Step:
    """One line of a transcript."""

    number: int
    sign: str
    text: str


def read(path: Path) -> Iterator[Step]:
    """The lines that do something."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if match := re.match(r"(<!|[><@!~])\s?(.*)$", line):
            yield Step(number, match[1], match[2].replace("\\n", "\n"))
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"{path.name}:{number}: a line begins with > < <! ! @ ~ or #: {line!r}")


def play(path: Path, settings: Settings, store: Store, codes: dict[str, str]) -> None:
    """Play a transcript; the first line that is not as written fails with what was said instead."""
    asyncio.run(_play(path, settings, store, codes))


async def _play(path: Path, settings: Settings, store: Store, codes: dict[str, str]) -> None:
    sessions: dict[str, ChatSession] = {}
    speaker = ""
    now = datetime(2026, 11, 24, 9, 0, tzinfo=CHINA)
    said: list[str] = []
    try:
        for step in read(path):
            where = f"{path.name}:{step.number}"
            if step.sign == "@":
                now, speaker = _heading(step.text, now, speaker)
                if speaker not in sessions:
                    sessions[speaker] = ChatSession(settings, store, codes[speaker], now)
                    await sessions[speaker].__aenter__()
                for session in sessions.values():
                    session.clock.set(now)
                said = _lines(await sessions[speaker].due())
            elif step.sign == "~":
                with store.write() as session:
                    plan_day(session, now.date(), tz=CHINA, now=now)
                    session.commit()
                said += _lines(await sessions[speaker].due())
            elif step.sign == ">":
                said = _lines(await sessions[speaker].say(step.text))
            elif step.sign == "!":
                said = _lines(await sessions[speaker].choose(step.text))
            elif step.sign == "<!":
                assert not any(fnmatchcase(line, _glob(step.text)) for line in said), f"{where}: said {step.text!r}"
            else:
                said = _expect(step.text, said, where)
    finally:
        for session in sessions.values():
            await session.__aexit__()


def _heading(text: str, now: datetime, speaker: str) -> tuple[datetime, str]:
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)?\s*(\d\d:\d\d)?\s*(\S+)?", text.strip())
    assert match, f"@ takes a day, a time and a name, not {text!r}"
    day = match[1] or f"{now:%Y-%m-%d}"
    at = match[2] or f"{now:%H:%M}"
    return datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=CHINA), match[3] or speaker


def _lines(messages: list[OutgoingMessage]) -> list[str]:
    lines: list[str] = []
    for message in messages:
        lines += message.text.split("\n")
        lines += [f"[{choice.label}]" for choice in message.choices]
    return lines


def _glob(text: str) -> str:
    return text.replace("[", "[[]").strip()


def _expect(text: str, said: list[str], where: str) -> list[str]:
    for index, line in enumerate(said):
        if fnmatchcase(line.strip(), _glob(text)):
            return said[index + 1 :]
    raise AssertionError(f"{where}: expected {text!r}, but was said:\n" + "\n".join(said))
