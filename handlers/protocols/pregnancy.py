"""Weeks of pregnancy, the due date, and the five windows of the norm. 孕周

Counted from the first day of the last menstrual period in completed weeks and days; birth is expected after 280 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from handlers.decisions import Findings, Rule, Urgency
from handlers.protocols.common import TWO_WEEKS
from handlers.protocols.findings import by_telephone, day_told
from handlers.protocols.windows import OnTime

DUE_AFTER = 40 * 7  # days
POST_TERM = 41 * 7  # days; from 41w0d on refer
LONGEST = 44 * 7  # days; beyond it the date is wrong
TERM = 37 * 7
PREGNANT, DELIVERED, ENDED = 1, 2, 3  # pregnancy_status
HOME_VISIT_DAYS = 7  # after discharge
CLASSES = {1: "未见异常", 2: "异常"}
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
        """20w6d is inside 16 to 20 weeks."""
        return self.last_week * 7 + 6

    def holds(self, days: int) -> bool:
        return self.first_day <= days <= self.last_day

    def days(self, began_on: date) -> tuple[date, date]:
        """The first and the last day of the window."""
        return began_on + timedelta(days=self.first_day), began_on + timedelta(days=self.last_day)


WINDOWS = (Window(1, 0, 12), Window(2, 16, 20), Window(3, 21, 24), Window(4, 28, 36), Window(5, 37, 40))
LATEST_EARLY = WINDOWS[0].last_day  # 90; 孕13周之前 is strictly before 13w0d (domain.md M-18)


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


# --- of the woman at this visit ---


def found_something(rules: Iterable[Rule], f: Findings) -> bool:
    """A rule matches that is not routine: something of what was looked at is not as it should be."""
    return any(rule.then.urgency is not Urgency.ROUTINE and rule.when(f) for rule in rules)


def pregnant(f: Findings) -> bool:
    return bool(f.get("pregnancy_status", PREGNANT) == PREGNANT)


def days(f: Findings) -> int | None:
    """Days of pregnancy on the day of the visit; None while it is not known when it began."""
    began = began_on(f)
    return (f.on - began).days if began else None


def began_on(f: Findings) -> date | None:
    return day_told(f, "pregnancy_began_on")


def reached(f: Findings, day: int) -> bool:
    gone = days(f)
    return gone is not None and gone >= day


def first_visit(f: Findings) -> bool:
    return not f.history and not made(f.details)


def filled(f: Findings, gone: int) -> set[int]:
    """Windows that have their visit, this one included where it was face to face."""
    now = None if by_telephone(f) else window_of(gone)
    return {*made(f.details), *((now.number,) if now else ())}


def in_a_gap(f: Findings) -> bool:
    gone = days(f)
    return gone is not None and pregnant(f) and gone < POST_TERM and window_of(gone) is None


def next_visit_window(f: Findings) -> OnTime | None:
    """When what comes next is on time; None when the pregnancy ended."""
    if f.get("pregnancy_status") == ENDED:
        return None
    if f.get("pregnancy_status") == DELIVERED:
        return home_visit_window(f)
    began = began_on(f)
    if began is None:
        return OnTime(None, f.on + timedelta(days=TWO_WEEKS))
    gone = (f.on - began).days
    following = next_window(gone, filled(f, gone))
    if following is None:
        return OnTime(due_date(began), max(began + timedelta(days=POST_TERM), f.on + timedelta(days=7)))
    return OnTime(*following.days(began))


def home_visit_window(f: Findings) -> OnTime:
    """Within 7 days after discharge; while the day of discharge is not known, after the birth."""
    told = f.get("discharged_on") or f.get("delivered_on")
    left = date.fromisoformat(told) if told else f.on
    return OnTime(left, max(left + timedelta(days=HOME_VISIT_DAYS), f.on))
