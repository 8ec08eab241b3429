"""The oracle's two halves together, over a folder that a simulation has left."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path

from tests.simulation.bench import Bench, Judged, Ran, Violation
from tests.simulation.clock import CHINA, DAY, events
from tests.simulation.county import FILE, Config, Troubles, time_of
from tests.simulation.deliveries import Delivered, Deliveries, Event
from tests.simulation.oracle import judge_history

NEARLY = 0.75  # of WeCom's day total: from there on it is kept for replies and alarms


@dataclass
class Verdict:
    reminders: Judged
    deliveries: Delivered
    log: list[Event]

    @property
    def violations(self) -> list[Violation]:
        return [*self.reminders.violations, *self.deliveries.violations]


def judge(config: Config, found: Troubles, folder: Path, a_day: int) -> Verdict:
    """What became of the promises."""
    log = list(events(folder))
    begins = datetime.combine(config.first, time(), CHINA)
    with closing(sqlite3.connect(folder / FILE)) as database:
        wrong = time_of(config, 0.0, found).error
        deliveries = Deliveries(database, log, begins, wrong, a_day).judge()
        ran = what_ran(config, found, log, a_day)
        reminders = judge_history(Bench(database, config.first, config.days, ran))
    return Verdict(reminders, deliveries, log)


def what_ran(config: Config, found: Troubles, log: list[Event], a_day: int) -> Ran:
    """When nothing could go out, from the log of machines and the plan of troubles."""
    trouble: dict[str, list[tuple[float, float]]] = defaultdict(list)
    up, down_since = 0, 0.0
    for event in log:
        if event["what"] == "up":
            if up == 0:
                trouble[""].append((down_since, event["t"] + 5))
            up += 1
        elif event["what"] == "down":
            up -= 1
            down_since = event["t"] if up == 0 else down_since
        elif event["what"] == "killed":
            up, down_since = 0, event["t"]
    wrong = [(w.begins - 60, w.ends + 120) for w in found.wrong]
    trouble[""] += [(begins, begins + length + 60) for begins, length in found.asleep] + wrong
    for channel, outages in found.outages.items():
        trouble[channel] += [(o.begins, o.ends + 420) for o in outages]
    trouble["wecom"] += _days_used_up(log, a_day)
    planned = [event["t"] for event in log if event["what"] == "planned"]
    return Ran(planned, trouble, wrong)


def _days_used_up(log: list[Event], a_day: int) -> list[tuple[float, float]]:
    arrived = defaultdict[float, int](int)
    found: list[tuple[float, float]] = []
    for event in log:
        if event["what"] == "arrived" and event["ch"] == "wecom":
            day = event["t"] // DAY
            arrived[day] += 1
            if arrived[day] == int(NEARLY * a_day):
                found.append((event["t"], (day + 1) * DAY))
    return found
