"""Was every reminder that had to be intended, intended once, said for a reason, and not said without one?

The oracle lives through the history of the rows once more, and its judges ask of each moment what `rules` says should
have been.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Protocol

from tests.simulation.bench import Bench, Judged
from tests.simulation.judge_cases import CaseJudge
from tests.simulation.judge_clocks import ClockJudge
from tests.simulation.judge_events import EventJudge
from tests.simulation.judge_timetable import TimetableJudge
from tests.simulation.rules import Row, Worker

Moment = tuple[float, int]
"""When something is to be looked at, and which."""


class Judge(Protocol):
    """One kind of promise."""

    def moments(self) -> Iterator[Moment]:
        """Moments at which `look` is to be called, with the rows as they are then."""
        ...

    def look(self, at: float, which: int) -> None: ...

    def written(self, at: float, table: str, key: str, row: Row) -> None:
        """A row is about to become this."""
        ...

    def about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        """A process leases a message, and renders it as the rows are now."""
        ...

    def over(self) -> None:
        """All is told."""
        ...


def judge_history(bench: Bench) -> Judged:
    """The whole history, change by change."""
    judges: list[Judge] = [TimetableJudge(bench), ClockJudge(bench), CaseJudge(bench), EventJudge(bench)]
    looks = iter(sorted((at, n, which) for n, judge in enumerate(judges) for at, which in judge.moments()))
    following = next(looks, None)
    for at, table, key, row in _history(bench):
        while following is not None and following[0] <= at:
            judges[following[1]].look(following[0], following[2])
            following = next(looks, None)
        for judge in judges:
            judge.written(at, table, key, row)
        if table == "outbox":
            _message(bench, judges, at, row)
        bench.state.apply(table, key, row)
    while following is not None:
        judges[following[1]].look(following[0], following[2])
        following = next(looks, None)
    for judge in judges:
        judge.over()
    _sent_without_a_reason(bench)
    return bench.judged


def _history(bench: Bench) -> Iterator[tuple[float, str, str, Row]]:
    for at, table, key, data in bench.database.execute("SELECT at, tab, row_key, data FROM sim_history ORDER BY id"):
        yield at, table, str(key), json.loads(data)


def _message(bench: Bench, judges: list[Judge], at: float, row: Row) -> None:
    """A row of the outbox is about to become `row`: promised, leased, sent, given up."""
    before, key = bench.state.outbox.get(row["dedup_key"]), row["dedup_key"]
    worker = bench.state.workers.get(row["worker_id"])
    if worker is None:
        return
    bench.judged.looked_at["planned"] += before is None
    if row["leased_until"] is not None and row["leased_until"] != (before or {}).get("leased_until"):
        bench.state.worded_anew(key)
        for judge in judges:
            judge.about_to_say(at, row, worker)
    gone = row["status"] == "cancelled" and (before or {}).get("status") == "leased" and "window" not in row["reason"]
    if gone and bench.said.get(key, (at, None))[1]:
        bench.violated(f"cancelled ({row['reason']}) with a reason", worker, at, key)


def _sent_without_a_reason(bench: Bench) -> None:
    for key, row in bench.state.outbox.items():
        worker = bench.state.workers.get(row["worker_id"])
        if row["status"] != "sent" or worker is None:
            continue
        at, why = bench.said.get(key, (0.0, None))
        if why is None:
            bench.judged.looked_at[f"sent, reason not judged: {row['reminder']}"] += 1
            continue
        bench.judged.looked_at["sent, reason judged"] += 1
        if not why:
            bench.violated("sent without a reason", worker, at, key)
