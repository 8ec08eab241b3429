"""Plays the corpus of one-line entries: every line through the real path, compared with its expected reading.

A line of `tests/corpus/*.jsonl` is `{id, text, records: [{service, resident, fields, asks, may}], candidates, says}`:
`fields` are the answers it must give, `asks` what must be asked back instead of read, `may` answers that are right and
not required ("*": any words), `says` words that the reply must hold. A line with `also` may be read in any of several ways. Services
that have no form yet must leave nothing behind. Whatever is stored beyond that is a wrong value silently accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.answer import answer
from handlers.menu import FORMS
from handlers.turn import Turn
from models.conversation import Conversation, Draft
from models.message import IncomingMessage
from models.people import HealthWorker
from models.scope import Scope, scope_of

TODAY = date(2026, 11, 22)  # a Sunday
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CORPUS = Path(__file__).parent / "corpus"
ANYTHING = "*"
"""In `may`: the doctor's own words, cut as they may be."""
NOT_SAID = {"village_id"}
"""What follows from other answers and is no reading."""


@dataclass(frozen=True)
class Expected:
    """One record that a line says."""

    service: str
    resident: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    may: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A message and what a careful person reads in it, or each of the ways in which one may read it."""

    id: str
    text: str
    readings: tuple[tuple[Expected, ...], ...]
    candidates: tuple[str, ...] = ()
    says: str = ""


@dataclass(frozen=True)
class Seen:
    """One record as the bot read it: what would be stored, and what it asks."""

    service: str
    resident: str | None
    answers: dict[str, Any]
    asks: frozenset[str]
    candidates: tuple[str, ...]


@dataclass
class Verdict:
    """What a line's reading is worth, counted in values; service and resident count as values."""

    line: Line
    seen: list[Seen]
    said: str
    read: int = 0
    right: int = 0
    wanted: int = 0
    found: int = 0
    wrong: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    needless: list[str] = field(default_factory=list)

    @property
    def is_exact(self) -> bool:
        return not (self.wrong or self.missed or self.needless)

    def __str__(self) -> str:
        parts = [f"{name}: {', '.join(said)}" for name, said in (("WRONG", self.wrong), ("missed", self.missed),
                                                                 ("asked needlessly", self.needless)) if said]  # fmt: skip
        said = self.said.replace("\n", " ⏎ ")[:200]
        return f"{self.line.id} {self.line.text!r}\n    {' · '.join(parts)}\n    < {said}"


def lines() -> list[Line]:
    """Every line of the corpus, in the order of the files."""
    return [line for path in sorted(CORPUS.glob("*.jsonl")) for line in _of_file(path)]


def _of_file(path: Path) -> Iterator[Line]:
    for number, text in enumerate(path.read_text().splitlines(), 1):
        if text.strip():
            try:
                yield _line(json.loads(text))
            except (ValueError, KeyError, TypeError) as error:
                raise ValueError(f"{path.name}:{number}: {error!r}") from error


def _line(row: dict[str, Any]) -> Line:
    readings = [row["records"], *row.get("also", [])]
    return Line(
        row["id"],
        row["text"],
        tuple(tuple(_expected(record) for record in reading) for reading in readings),
        tuple(row.get("candidates", ())),
        row.get("says", ""),
    )


def _expected(row: dict[str, Any]) -> Expected:
    known = {"service", "resident", "fields", "asks", "may"}
    if odd := row.keys() - known:
        raise ValueError(f"unknown {odd}")
    return Expected(
        row["service"], row.get("resident"), row.get("fields", {}), tuple(row.get("asks", ())), row.get("may", {})
    )


class Reader:
    """李梅 types lines, each to a bot that has heard nothing before; nothing of it stays."""

    def __init__(self, session: Session, code: str = "V001") -> None:
        self.session = session
        self.worker = session.scalars(select(HealthWorker).where(HealthWorker.code == code)).one()
        self.scope: Scope = scope_of(session, self.worker)

    def hear(self, text: str) -> Turn:
        """The real path of a message, up to the drafts; the caller rolls back."""
        turn = Turn(
            session=self.session,
            now=NOW,
            tz=ZoneInfo("Asia/Shanghai"),
            worker=self.worker,
            scope=self.scope,
            conversation=Conversation(),
            incoming=IncomingMessage("console", "V001", "corpus", NOW, text=text),
        )
        with self.session.begin_nested() as nested:
            answer(turn)
            nested.rollback()
        return turn

    def read(self, text: str) -> list[Seen]:
        """The records that a message says."""
        turn = self.hear(text)
        return [_seen(turn, draft) for draft in turn.conversation.drafts]

    def verdict(self, line: Line) -> Verdict:
        """The verdict on the line's reading; of several allowed readings, the one it comes nearest to."""
        turn = self.hear(line.text)
        seen = [_seen(turn, draft) for draft in turn.conversation.drafts]
        said = "\n".join(reply.text for reply in turn.replies)
        verdicts = [_judged(Verdict(line, seen, said), reading) for reading in line.readings]
        return min(verdicts, key=lambda v: (len(v.wrong), len(v.missed), len(v.needless)))


def wide(text: str) -> str:
    """The same in full-width signs, as Chinese keyboards type them."""
    return re.sub(r"[!-~]", lambda m: chr(ord(m[0]) + 0xFEE0), text).replace(" ", "\u3000")


def _seen(turn: Turn, draft: Draft) -> Seen:
    resident = turn.resident(draft.resident_id)
    answers = {name: value for name, value in draft.answers.items() if name not in NOT_SAID}
    if answers.get("on") == TODAY.isoformat():  # unless said otherwise
        del answers["on"]
    asks = set(draft.doubts)
    if FORMS[draft.service].about == "resident" and resident is None:
        asks.add("resident")
    return Seen(
        draft.service,
        resident.name if resident else None,
        answers,
        frozenset(asks),
        tuple(r.name for r in map(turn.resident, draft.candidates) if r),
    )


def _judged(verdict: Verdict, expected: Sequence[Expected]) -> Verdict:
    expected = [record for record in expected if record.service in FORMS]
    left = list(verdict.seen)
    for record in expected:
        match = next((s for s in left if (s.service, s.resident) == (record.service, record.resident)), None)
        match = match or next((s for s in left if s.service == record.service), None)
        if match is None:
            wanted = [record.service, *record.fields, *record.asks]
            verdict.wanted += len(wanted)
            verdict.missed.append(f"no {record.service} ({', '.join(wanted[1:])})")
        else:
            left.remove(match)
            _compare(verdict, record, match)
    for seen in left:  # a record that nobody meant
        verdict.read += 1 + len(seen.answers)
        verdict.wrong.append(f"record {seen.service} {seen.resident or ''} {seen.answers}")
    if verdict.line.says and verdict.line.says not in verdict.said:
        verdict.missed.append(f"says {verdict.line.says!r}")
    offered = [name for seen in verdict.seen for name in seen.candidates]
    if verdict.line.candidates and not set(verdict.line.candidates) <= set(offered):
        verdict.missed.append(f"candidates {offered}")
    return verdict


def _compare(verdict: Verdict, record: Expected, seen: Seen) -> None:
    values = {**seen.answers, "service": seen.service, **({"resident": seen.resident} if seen.resident else {})}
    fields = {name: value for name, value in record.fields.items() if (name, value) != ("on", TODAY.isoformat())}
    wanted = {**fields, "service": record.service, **({"resident": record.resident} if record.resident else {})}
    verdict.read += len(values)
    verdict.wanted += len(wanted) + len(record.asks)
    for name, value in values.items():
        if name in wanted and wanted[name] == value and (name not in record.asks or name in record.fields):
            verdict.right += 1
            verdict.found += 1
        elif record.may.get(name, record.may.get(ANYTHING)) in (value, ANYTHING):
            verdict.right += 1
        else:
            verdict.wrong.append(f"{name}={value!r} instead of {wanted.get(name, 'nothing')!r}")
    for name in wanted.keys() - values.keys():
        if name in seen.asks or _asked_with(name, seen.asks):
            verdict.found += 1
        else:
            verdict.missed.append(f"{name}={wanted[name]!r}")
    for name in record.asks:
        if name in seen.asks or _asked_with(name, seen.asks):
            verdict.found += 1
        elif name not in values:
            verdict.missed.append(f"{name} not asked")
    expected = {*record.asks, *(step for name in record.asks for step in _asked_by(record.service, name))}
    verdict.needless += sorted(seen.asks - expected - {"check"})  # a contradiction is the form's own question


def _asked_with(name: str, asks: frozenset[str]) -> bool:
    """A doubt stands under the name of its step: diastolic is asked as systolic."""
    return any(name in step.fields for form in FORMS.values() for step in form.steps if step.field in asks)


def _asked_by(service: str, name: str) -> tuple[str, ...]:
    step = FORMS[service].step(name)
    return (step.field,) if step else ()
