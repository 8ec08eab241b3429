"""What is said at an instant that a row sets: the 72 hours of a first home visit, an emergency nobody saw arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import NamedTuple

from tests.simulation.bench import Bench, seconds
from tests.simulation.rules import Reasons, Row, Worker

EVENING = 20 * 3600.0 + 55 * 60  # what waits longer would come in the quiet hours


class Clock(NamedTuple):
    """Said to a role at an hour, so many days before the last day (or, below 0, after the day that it counts from)."""

    reminder: str
    to: str
    before: int
    at: time
    name: str
    """Of several moments of one matter, in the message's key."""
    hours: int
    """For which it may still be said."""


CLOCKS = (
    Clock("first_visit", "doctor", 1, time(17), ".0", 6),
    Clock("first_visit", "doctor", 0, time(9), ".1", 6),
    Clock("first_visit", "doctor", 0, time(15), ".2", 6),
    Clock("first_visit_missed", "township", -1, time(8), ".missed", 24),
    Clock("emergency_arrival", "township", -2, time(8), "", 24),
)
EMERGENCY = "emergency_arrival"


class ClockJudge:
    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._windows: list[tuple[Clock, date, bool]] = []
        self._running: dict[tuple[Clock, date], dict[str, Worker]] = {}

    def moments(self) -> Iterator[tuple[float, int]]:
        for number in range(self.bench.days):
            day = self.bench.day(number)
            for clock in CLOCKS:
                ends = min(seconds(clock.at) + clock.hours * 3600, EVENING) - 60
                for second, begins in ((seconds(clock.at), True), (ends, False)):
                    self._windows.append((clock, day, begins))
                    yield self.bench.midnight(day) + second, len(self._windows) - 1

    def look(self, at: float, which: int) -> None:
        clock, day, begins = self._windows[which]
        owed = self._owed(clock, day)
        if begins:
            self._running[clock, day] = owed
            return
        for key in owed.keys() & self._running.pop((clock, day)).keys():
            self.bench.must_be(owed[key], key, self.bench.midnight(day) + seconds(clock.at), at)

    def _owed(self, clock: Clock, day: date) -> dict[str, Worker]:
        """Key of the message -> whom to tell, of what runs out on a day."""
        state, on = self.bench.state, (day + timedelta(days=clock.before)).isoformat()
        if clock.reminder == EMERGENCY:
            matters = [(key, row) for key, row in state.unconfirmed_emergencies(on)]
        else:
            matters = [(f"{key}.{on}{clock.name}", row) for key, row in state.owed_first_visits(on)]
        return {
            f"{clock.reminder}:{worker.id}:{subject}": worker
            for subject, row in matters
            for worker in state.listeners(row["village_id"], clock.to)
        }

    def written(self, at: float, table: str, key: str, row: Row) -> None: ...

    def about_to_say(self, at: float, row: Row, worker: Worker) -> None:
        """Whatever day it is by now: is it owed still?"""
        code, key, state = row["reminder"], row["dedup_key"], self.bench.state
        if code not in {clock.reminder for clock in CLOCKS}:
            return
        subject = key.split(":")[2]
        if code == EMERGENCY:
            owed = subject in dict(state.unconfirmed_emergencies(state.rows["referrals"][subject]["sent_on"]))
        else:
            owed = subject.split(".")[0] in dict(state.owed_first_visits(subject.split(".")[1]))
        self.bench.said[key] = at, Reasons(other=owed)

    def over(self) -> None: ...
