"""Weeks of pregnancy, the due date, and the five windows of the norm. 孕周

Counted from the first day of the last menstrual period in completed weeks and days; birth is expected after 280 days.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

DUE_AFTER = 40 * 7  # days
LATEST_EARLY = 90  # days; 孕13周之前 is strictly before 13w0d (domain.md M-18)
POST_TERM = 41 * 7  # days; from 41w0d on refer
LONGEST = 44 * 7  # days; beyond it the date is wrong
TERM = 37 * 7
KEY = "antenatal."
"""How the enrolment remembers which of the five visits is made: `antenatal.2` with its ISO day."""


class Window(NamedTuple):
    """One of the five antenatal visits: its number and the completed weeks it counts in, both included."""

    number: int
    first_week: int
    last_week: int

    @property
    def first_day(self) -> int:
        return self.first_week * 7

    @property
    def last_day(self) -> int:
        """20w6d is inside 16 to 20 weeks; the first visit must come before 13w0d."""
        return LATEST_EARLY if self.number == 1 else self.last_week * 7 + 6

    def holds(self, days: int) -> bool:
        return self.first_day <= days <= self.last_day

    def days(self, began_on: date) -> tuple[date, date]:
        """The first and the last day of the window."""
        return began_on + timedelta(days=self.first_day), began_on + timedelta(days=self.last_day)


WINDOWS = (Window(1, 0, 12), Window(2, 16, 20), Window(3, 21, 24), Window(4, 28, 36), Window(5, 37, 40))


def weeks_and_days(days: int) -> str:
    """147 days are 21周, 150 days 21周+3天."""
    weeks, rest = divmod(days, 7)
    return f"{weeks}周+{rest}天" if rest else f"{weeks}周"


def due_date(began_on: date) -> date:
    return began_on + timedelta(days=DUE_AFTER)


def window_of(days: int) -> Window | None:
    """The window that a day of pregnancy lies in; None in the gaps (13w0d to 15w6d, 25 to 27 weeks)."""
    return next((window for window in WINDOWS if window.holds(days)), None)


def made(details: Mapping[str, object]) -> dict[int, date]:
    """The antenatal visits that the enrolment remembers."""
    return {int(k.removeprefix(KEY)): date.fromisoformat(str(v)) for k, v in details.items() if k.startswith(KEY)}


def next_window(days: int, filled: set[int]) -> Window | None:
    """The first window not over and not filled yet."""
    return next((w for w in WINDOWS if w.last_day > days and w.number not in filled), None)
