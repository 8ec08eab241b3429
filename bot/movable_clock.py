"""A clock for the demo: it starts when it is told, runs on like any other, and can be moved, but never back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta


class CannotGoBack(ValueError):
    """时间只能往后走。"""

    def __str__(self) -> str:
        return self.__doc__ or ""


class MovableClock:
    """Call it for the instant. `seconds` is what makes it run; a test may hold it still."""

    def __init__(self, start: datetime, seconds: Callable[[], float] = time.monotonic) -> None:
        if start.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        self._at, self._seconds, self._since = start, seconds, seconds()

    def __call__(self) -> datetime:
        return self._at + timedelta(seconds=self._seconds() - self._since)

    def move_to(self, to: datetime) -> None:
        """Let it be later. Raises CannotGoBack."""
        if to < self():
            raise CannotGoBack
        self._at, self._since = to, self._seconds()
