"""What is said before the term of an infectious report runs out, and when it has: domain.md A13 and H1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from tests.simulation.bench import Bench, local
from tests.simulation.rules import Reasons, Row, Worker

SHORT = timedelta(hours=3)
"""A term of two hours waits for no morning, one of a day does."""
MORNING, NIGHT = 6.5, 20 + 55 / 60  # hours between which what can wait is said
EVENING = 20.5
BEFORE_SHORT, BEFORE_LONG = timedelta(minutes=30), timedelta(hours=4)
AT_LEAST = 60.0  # seconds before the end of a window in which nothing more is asked for


class Term(NamedTuple):
    """Said to a role about a report, from one second of the simulation to another."""

    reminder: str
    to: str
    report: str
    key: str
    """`<report>.<when it is due>`, as it stands in the message's key."""
    begins: float
    ends: float


class CaseJudge:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        terms = (term for report, row in self._reports() for term in self._terms_of(report, row))
        self._terms = [
            term for term in terms if term.ends - term.begins > 2 * AT_LEAST
        ]  # else it is told on the next day
        self._running: dict[Term, dict[str, Worker]] = {}

    def _reports(self) -> Iterator[tuple[str, Row]]:
        """As each was first written; its terms never change."""
        query = "SELECT row_key, data FROM sim_history WHERE tab = 'infectious_reports' GROUP BY row_key HAVING min(id)"
        for key, data in self.bench.database.execute(query):
            yield str(key), json.loads(data)

    def _terms_of(self, report: str, row: Row) -> Iterator[Term]:
        noticed, due = local(row["noticed_at"]), local(row["due_at"])
        key = f"{report}.{datetime.fromisoformat(row['due_at']):%Y%m%dT%H%M}"
        is_short = due - noticed <= SHORT
        at = due - BEFORE_SHORT if is_short else max(_while_awake(due - BEFORE_LONG), noticed)
        yield self._term("infectious_due", "township", report, key, at, 4, is_short)
        yield self._term("infectious_missed", "county", report, key, due, 24, is_short)

    def _term(self, reminder: str, to: str, report: str, key: str, at: datetime, hours: float, at_once: bool) -> Term:
        if not at_once and not MORNING <= _hour(at) < 21:
            at = _at(at + timedelta(days=_hour(at) >= 21), MORNING)
        ends = at + timedelta(hours=hours)
        if not at_once:
            ends = min(ends, _at(at, NIGHT))
        return Term(reminder, to, report, key, self._second(at), self._second(ends))

    def _second(self, at: datetime) -> float:
        return (at - _at(at, 0)).total_seconds() + self.bench.midnight(at.date())

    def moments(self) -> Iterator[tuple[float, int]]:
        for number, term in enumerate(self._terms):
            yield term.begins, 2 * number
            yield term.ends - AT_LEAST, 2 * number + 1

    def look(self, at: float, which: int) -> None:
        term = self._terms[which // 2]
        owed = self._owed(term)
        if which % 2 == 0:
            self._running[term] = owed
            return
        for key in owed.keys() & self._running.pop(term).keys():
            self.bench.must_be(owed[key], key, term.begins, at)

    def _owed(self, term: Term) -> dict[str, Worker]:
        row = self.bench.state.rows["infectious_reports"].get(term.report)
        if row is None or not self._is_open(row):
            return {}
        told = self.bench.state.listeners(row["village_id"], term.to)
        return {f"{term.reminder}:{worker.id}:{term.key}": worker for worker in told}

    def _is_open(self, row: Row) -> bool:
        is_current = self.bench.state.records[row["record_id"]]["status"] == "current"
        return row["confirmed_at"] is None and is_current

    def written(self, at: float, table: str, key: str, row: Row) -> None: ...

    def about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        """Whatever hour it is by now: is it open still?"""
        if row["reminder"] in ("infectious_due", "infectious_missed"):
            report = self.bench.state.rows["infectious_reports"][row["dedup_key"].split(":")[2].split(".")[0]]
            self.bench.said[row["dedup_key"]] = at, Reasons(other=self._is_open(report))

    def over(self) -> None: ...


def _while_awake(at: datetime) -> datetime:
    """The evening before, for what would come at night."""
    if MORNING <= _hour(at) < 21:
        return at
    return _at(at - timedelta(days=_hour(at) < MORNING), EVENING)


def _hour(at: datetime) -> float:
    return at.hour + at.minute / 60 + at.second / 3600


def _at(day: datetime, hour: float) -> datetime:
    return day.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
