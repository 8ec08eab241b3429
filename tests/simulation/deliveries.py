"""What the platforms counted, held against their limits, the quiet hours and the ledger."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from tests.simulation.bench import Violation
from tests.simulation.rules import CHINA

LIMITS = {"telegram": ((30, 1.0, False), (1, 1.0, True)), "wecom": ((30, 60.0, True), (1000, 3600.0, True))}
"""Channel -> (messages, within seconds, to each account): shared/channels.md, Rates."""
QUIET = (time(21), time(6, 30))
AT_ONCE = ("reply", "alarm")
SKEW = timedelta(seconds=60)  # by which two machines' clocks may differ
ROUNDING = 2e-6
Event = dict[str, Any]


@dataclass
class Delivered:
    """The ledger in figures."""

    violations: list[Violation] = field(default_factory=list)
    by_status: Counter[str] = field(default_factory=Counter)
    arrived: int = 0
    twice: Counter[str] = field(default_factory=Counter)
    """Messages that arrived once more than they should have, by what had happened."""
    repeated: int = 0
    """Sent again, and recognised by WeCom's duplicate check."""
    unknown: int = 0
    """Arrived, though the ledger says they were not sent: the answer was lost, and then their time was over."""


class Deliveries:
    """`wrong` says by how much the machines' clocks were off at a moment."""

    def __init__(
        self, database: sqlite3.Connection, log: Sequence[Event], begins: datetime, wrong: Any, a_day: int
    ) -> None:
        self.log, self.begins, self.wrong, self.a_day = log, begins, wrong, a_day
        columns = "dedup_key, kind, reminder, status, reason, planned_at, not_before, expires_at, parts_sent, channel, worker_id"
        rows = database.execute(f"SELECT {columns} FROM outbox")
        self.rows = {row[0]: dict(zip(columns.split(", "), row, strict=True)) for row in rows}
        self.promised = {key for (key,) in database.execute(
            "SELECT DISTINCT json_extract(data, '$.dedup_key') FROM sim_history WHERE tab = 'outbox'"
        )}  # fmt: skip
        self.arrivals = [event for event in log if event["what"] == "arrived"]
        self.found = Delivered(arrived=len(self.arrivals))

    def judge(self) -> Delivered:
        self._budgets()
        self._quiet_hours()
        self._ledger()
        self._twice()
        return self.found

    # --- limits ---

    def _budgets(self) -> None:
        for event in self.log:
            if event["what"] == "over":
                self._violated(f"more than {event['most']} in {event['seconds']:g} s", event)
        for channel, limits in LIMITS.items():
            of_channel = [event for event in self.arrivals if event["ch"] == channel]
            for most, seconds, each in limits:
                self._window(of_channel, most, seconds, each)
        days = Counter((e["t"] + self.wrong(e["t"])) // 86400 for e in self.arrivals if e["ch"] == "wecom")
        for day, count in days.items():  # by the machine's clock: it cannot know of another day
            if count > self.a_day:
                what = Violation("above WeCom's day total", f"{count} > {self.a_day}", self._when(day * 86400))
                self.found.violations.append(what)

    def _window(self, arrivals: Iterable[Event], most: int, seconds: float, each: bool) -> None:
        times: dict[str, list[float]] = defaultdict(list)
        for event in arrivals:
            times[event["acc"] if each else ""].append(event["t"])
        for account, arrived in times.items():
            for n in range(most, len(arrived)):
                if arrived[n] - arrived[n - most] < seconds - ROUNDING:
                    what = f"{most + 1} messages within {arrived[n] - arrived[n - most]:.4f} s"
                    self.found.violations.append(Violation(what, account, self._when(arrived[n])))

    def _quiet_hours(self) -> None:
        """By the clock of the machine that sent it: no machine can know that its clock is wrong."""
        for event in self.arrivals:
            row = self.rows.get(_key(event))
            if row is None or row["kind"] in AT_ONCE:
                continue
            local = self.begins + timedelta(seconds=event["t"] + self.wrong(event["t"]))
            if _quiet((local - SKEW).time()) and _quiet((local + SKEW).time()):
                self._violated("in the quiet hours", event)

    # --- the ledger ---

    def _ledger(self) -> None:
        """Planned is sent, cancelled, failed or waiting; what was sent arrived; nothing arrived that nobody planned."""
        end = self.begins + timedelta(seconds=self.log[-1]["t"])
        arrived = {event["key"] for event in self.log if event["what"] in ("arrived", "repeated", "over")}
        by_key = Counter(_key(event) for event in self.arrivals)
        for key in self.promised - self.rows.keys():
            self.found.violations.append(Violation("promised and gone from the ledger", key, ""))
        for key in by_key.keys() - self.rows.keys():
            self.found.violations.append(Violation("arrived, and nobody promised it", key, ""))
        for key, row in self.rows.items():
            self.found.by_status[row["status"]] += 1
            if row["status"] == "sent":
                parts = [f"{key}:{_instant(row['planned_at']).timestamp():.0f}.{n}" for n in range(row["parts_sent"])]
                if not parts or not arrived.issuperset(parts):
                    self.found.violations.append(
                        Violation("the ledger says sent, the platform has not seen it", key, row["planned_at"])
                    )
            elif row["status"] in ("queued", "leased"):
                # what waits for its next try until after its time is given up when that comes
                looked_at = max(_instant(row["not_before"]), _instant(row["expires_at"] or row["not_before"]))
                if row["expires_at"] is not None and looked_at < end - timedelta(minutes=5):
                    self.found.violations.append(Violation("waits, though its time is over", key, row["planned_at"]))
            elif by_key[key]:
                self.found.unknown += 1

    def _twice(self) -> None:
        """At-least-once: a message may come again after a kill or a lost answer, and for nothing else."""
        deaths = [event["t"] for event in self.log if event["what"] in ("killed", "down") and not event.get("asked")]
        lost: dict[str, list[float]] = defaultdict(list)
        for event in self.log:
            if event["what"] == "lost":
                lost[event["key"]].append(event["t"])
        self.found.repeated = sum(event["what"] == "repeated" for event in self.log)
        times: dict[str, list[float]] = defaultdict(list)
        for event in self.arrivals:
            times[event["key"]].append(event["t"])
        for key, arrived in times.items():
            for before, after in pairwise(arrived):
                if any(before <= t <= after for t in lost[key]):
                    self.found.twice["the answer was lost"] += 1
                elif any(before <= t <= after for t in deaths):
                    self.found.twice["a process was killed"] += 1
                else:
                    self.found.violations.append(Violation("arrived twice for no reason", key, self._when(after)))

    def _violated(self, what: str, event: Event) -> None:
        self.found.violations.append(Violation(what, event["acc"], self._when(event["t"]), event["key"]))

    def _when(self, at: float) -> str:
        return f"{(self.begins + timedelta(seconds=at)).astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def _key(event: Event) -> str:
    """Of the outbox: the platform's has the instant it was planned and the part behind it."""
    return str(event["key"]).rsplit(":", 1)[0]


def _quiet(at: time) -> bool:
    return at >= QUIET[0] or at < QUIET[1]


def _instant(stored: str) -> datetime:
    return datetime.fromisoformat(stored).replace(tzinfo=UTC)
