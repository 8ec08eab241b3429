"""What the judges of an oracle share: the rows as they are at the moment, what machines did, and the list of what was found."""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from tests.simulation.rules import CHINA, Reasons, State, Worker

PAGE = Path(__file__).parents[2] / "docs" / "timetable.md"
SPARE = 3600.0  # seconds in which a message that is due could go out, had there been nothing in its way
DAY = 86400.0


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept: what, to whom, when."""

    what: str
    who: str
    when: str
    details: str = ""


@dataclass
class Judged:
    """What was looked at, what was found, and what could not be for a reason of the world's."""

    violations: list[Violation] = field(default_factory=list)
    looked_at: Counter[str] = field(default_factory=Counter)
    excused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Hours:
    """A line of the page's table: from when and until when it may be said on a day."""

    at: time
    last: time


def hours_of_the_page() -> dict[str, Hours]:
    """Code -> hours, as whoever approves the timetable reads them."""
    found = {}
    for line in PAGE.read_text().split("## 按时限")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 7 and re.fullmatch(r"\d\d:\d\d", cells[4]):
            found[cells[1]] = Hours(time.fromisoformat(cells[4]), time.fromisoformat(cells[5]))
    return found


@dataclass
class Ran:
    """What the log says of machines: planning, and the seconds in which nothing stood in a message's way."""

    planned: list[float]
    """In order."""
    trouble: dict[str, list[tuple[float, float]]]
    """Channel, or "" for all of them -> times at which nothing could go out."""
    wrong_clock: list[tuple[float, float]]

    def planned_within(self, begins: float, ends: float) -> bool:
        of_window = self.planned[bisect_left(self.planned, begins) : bisect_right(self.planned, ends)]
        return any(not _within(at, self.wrong_clock) for at in of_window)

    def free(self, begins: float, ends: float, channels: Iterable[str]) -> float:
        """Seconds of a window in which a message to any of these channels could have gone out."""
        bad = [*self.trouble.get("", ()), *(t for channel in channels for t in self.trouble.get(channel, ()))]
        left, at = 0.0, begins
        for start, end in sorted(bad):
            if end > at:
                left += max(0.0, min(start, ends) - at)
                at = max(at, end)
        return left + max(0.0, ends - at)


class Bench:
    """`first` is the first day of the simulation."""

    def __init__(self, database: sqlite3.Connection, first: date, days: int, ran: Ran) -> None:
        self.database, self.first, self.days, self.ran = database, first, days, ran
        self.judged = Judged()
        self.state = _state(database)
        self.said: dict[str, tuple[float, Reasons | None]] = {}
        """Message -> when it was last about to be said, and why; None where that is not judged."""

    def day(self, number: int) -> date:
        return self.first + timedelta(days=number)

    def midnight(self, day: date) -> float:
        return (day - self.first).days * DAY

    def must_be(self, worker: Worker, key: str, begins: float, ends: float) -> None:
        """There was a reason for it from the beginning of its window to the end."""
        self.judged.looked_at[f"had to be said: {key.split(':')[0]}"] += 1
        row = self.state.outbox.get(key)
        if row is None and self.ran.planned_within(begins, ends):
            self.violated("never planned", worker, begins, key)
        elif row is None:
            self.judged.excused["nobody planned within the window"] += 1
        elif row["status"] == "cancelled" and "window" in (row["reason"] or ""):
            self.late(worker, key, begins, ends)
        elif row["status"] == "cancelled":
            self.violated(f"cancelled ({row['reason']}), though there was a reason", worker, begins, key)
        elif row["status"] == "failed":
            self.judged.excused[f"failed: {(row['reason'] or '')[:40]}"] += 1

    def late(self, worker: Worker, key: str, begins: float, ends: float) -> None:
        """Its window passed before it could be sent: was that so?"""
        channels = {row["channel"] for row in self.state.heard_in[worker.id].values()}
        if self.ran.free(begins, ends, channels) > SPARE:
            self.violated("its window passed, though it could have been sent", worker, begins, key)
        else:
            self.judged.excused["its window passed: no process, no platform or no budget"] += 1

    def violated(self, what: str, worker: Worker, at: float, key: str, details: str = "") -> None:
        when = datetime.combine(self.first, time(), CHINA) + timedelta(seconds=at)
        self.judged.violations.append(
            Violation(what, f"{worker.code} ({worker.role})", f"{when:%Y-%m-%d %H:%M:%S}", f"{key} {details}".strip())
        )


def _state(database: sqlite3.Connection) -> State:
    """Who works where, which does not change; everything else comes with the history."""
    seats = dict(database.execute("SELECT id, path FROM organisations"))
    villages = [key for (key,) in database.execute("SELECT id FROM organisations WHERE level = 'village'")]
    rows = database.execute("SELECT id, code, name, role, organisation_id, villages FROM health_workers WHERE active")
    workers = [
        Worker(i, code, name, role, seats[seat], tuple(json.loads(own))) for i, code, name, role, seat, own in rows
    ]
    state = State(workers, seats, villages)
    state.homes.update(database.execute("SELECT id, village_id FROM residents"))
    launched = database.execute("SELECT id, launched_at FROM campaigns WHERE launched_at IS NOT NULL")
    state.launched.update((key, at[:10]) for key, at in launched)
    return state


def _within(at: float, times: Iterable[tuple[float, float]]) -> bool:
    return any(begins <= at < ends for begins, ends in times)


def seconds(at: time) -> float:
    """Since midnight."""
    return at.hour * 3600.0 + at.minute * 60


def local(stored: str) -> datetime:
    """An instant as SQLite keeps it, on the county's clocks."""
    return datetime.fromisoformat(stored).replace(tzinfo=UTC).astimezone(CHINA)
