"""Clocks. They are read in `bot` alone; everything below takes the instant as an argument (promise 7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class MovableClock:
    """The machine's clock, or one that was set and runs on from there."""

    def __init__(self, at: datetime | None = None) -> None:
        self._offset = at - system_clock() if at else timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self._offset

    def set(self, at: datetime) -> None:
        self._offset = at - system_clock()
