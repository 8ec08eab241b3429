"""One line of the table: what we take, what the peer takes, and whether the goal is met."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """`ratio` is how many times as fast as the peer, or, where less is better and no time is meant, ours ÷ the peer's."""

    name: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    goal: str  # "" where nothing was promised: the row is there to be compared with
    met: bool | None  # None without a goal
    unit: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def line(self) -> str:
        mark = {True: "met   ", False: "MISSED", None: "      "}[self.met]
        goal = f"(goal {self.goal:>8})" if self.goal else "(no goal)      "
        return (
            f"{mark} {self.ratio:9.2f} x  {goal}  {self.name}: "
            f"{self.ours:,.4g} {self.unit}; {self.peer_name}: {self.peer:,.4g}"
        )


def rate_row(name: str, ours: float, peer: float, peer_name: str, *, at_least: float | None, unit: str) -> Row:
    """More is better: messages, rows or contacts a second."""
    ratio = ours / peer
    if at_least is None:
        return Row(name, ours, peer, peer_name, ratio, "", None, unit)
    return Row(name, ours, peer, peer_name, ratio, f"≥ {at_least:g}", ratio >= at_least, unit)


def speed_row(name: str, ours: float, peer: float, peer_name: str, *, at_least: float, unit: str = "ms") -> Row:
    """Durations: `ratio` times as fast as the peer."""
    ratio = peer / ours
    return Row(name, ours, peer, peer_name, ratio, f"≥ {at_least:g}", ratio >= at_least, unit)


def share_row(name: str, ours: float, peer: float, peer_name: str, *, at_most: float, unit: str) -> Row:
    """Less is better: our share of what the peer takes."""
    ratio = ours / peer
    return Row(name, ours, peer, peer_name, ratio, f"≤ {at_most:g}", ratio <= at_most, unit)


def medians_ms(works: Sequence[Callable[[], object]], times: int) -> list[float]:
    """The median duration of each work in milliseconds, in turns, so that what else the machine does meets all alike."""
    took: list[list[float]] = [[] for _ in works]
    for number in range(times + 1):
        for work, durations in zip(works, took, strict=True):
            begin = time.perf_counter()
            work()
            if number:  # the first one warms up
                durations.append((time.perf_counter() - begin) * 1000)
    return [statistics.median(durations) for durations in took]


def fastest_ms(work: Callable[[], object], times: int) -> float:
    """The shortest duration of some work in milliseconds: beside a figure measured elsewhere, on a machine at rest."""
    work()
    took = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        took.append((time.perf_counter() - begin) * 1000)
    return min(took)


def percentile(values: Iterable[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
