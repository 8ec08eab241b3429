"""The world's time, and what a machine's clock shows of it."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
DAY = 86400.0
Shown = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Wrong:
    """A machine's clock is wrong by `by` seconds from one moment of the simulation to another."""

    begins: float
    ends: float
    by: float


class Time:
    """Seconds since the midnight before the first day. A stretch of it passes in one event loop, from `base` on.

    While the machine sleeps (`asleep`: from when, for how long) the world goes on and the loop does not.
    """

    def __init__(
        self, first: date, base: float, wrong: Sequence[Wrong] = (), asleep: Sequence[tuple[float, float]] = ()
    ) -> None:
        self.first = datetime.combine(first, time(), CHINA).astimezone(UTC)
        self.wrong, self.asleep = wrong, sorted(asleep)
        self.base = next((begins + length for begins, length in asleep if begins <= base < begins + length), base)

    @property
    def now(self) -> float:
        """The world's; outside of a loop the stretch has not begun."""
        try:
            now = self.base + asyncio.get_running_loop().time()
        except RuntimeError:
            return self.base
        for begins, length in self.asleep:
            if self.base <= begins < now:
                now += length
        return now

    def in_loop(self, seconds: float) -> float:
        """What the loop's own time is at a moment; one that is slept through comes with the awakening."""
        slept = sum(min(length, seconds - begins) for begins, length in self.asleep if self.base <= begins < seconds)
        return seconds - slept - self.base

    def instant(self, seconds: float | None = None) -> datetime:
        return self.first + timedelta(seconds=self.now if seconds is None else seconds)

    def error(self, seconds: float) -> float:
        """By how much the machines' clock is wrong."""
        return sum(w.by for w in self.wrong if w.begins <= seconds < w.ends)

    def shown(self, skew: float = 0.0) -> Shown:
        """A machine's clock, which besides may be a little ahead of others."""
        return lambda: self.instant() + timedelta(seconds=self.error(self.now) + skew)

    def until_next_jump(self) -> float:
        """Seconds of the loop until the machines' clock, or the machine's time itself, jumps next."""
        moments = [m for w in self.wrong for m in (w.begins, w.ends)] + [b for b, _ in self.asleep]
        now = self.now
        return min((self.in_loop(m) for m in moments if m > now), default=1e9) - self._loop_time()

    async def until(self, seconds: float) -> None:
        if (left := self.in_loop(seconds) - self._loop_time()) > 0:
            await asyncio.sleep(left + 1e-6)

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


class Log:
    """What happened, line by line, on the disk before anything else happens: a killed process takes none of it along."""

    def __init__(self, folder: Path, time: Time) -> None:
        self._folder, self._time = folder, time
        self._file, self._day = -1, -1

    def write(self, what: str, **said: Any) -> None:
        now = self._time.now
        day = int(now // DAY)
        if day != self._day:
            if self._file >= 0:
                os.close(self._file)
            path = self._folder / f"events-{day:03}.jsonl"
            self._file, self._day = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), day
        line = json.dumps({"t": round(now, 6), "what": what, **said}, ensure_ascii=False)
        os.write(self._file, f"{line}\n".encode())


def events(folder: Path, first: int = 0) -> Iterator[dict[str, Any]]:
    """What was logged from a day on, in its order."""
    for path in sorted(folder.glob("events-*.jsonl")):
        if int(path.stem.split("-")[1]) >= first:
            with path.open() as lines:
                yield from map(json.loads, lines)
