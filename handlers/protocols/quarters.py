"""Four visits a year: the quarter's calendar, and what a call or a re-visit does to it. 按季度随访

domain.md M-14: next is the earlier of 92 days and the last day of the next calendar quarter, else four visits a year
can become three.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

from handlers.decisions import Findings, PastVisit
from handlers.protocols.common import TWO_WEEKS
from handlers.protocols.findings import before
from handlers.protocols.windows import asked, soonest, standing

QUARTER_DAYS = 92  # days; at least four visits a year (domain.md K, next_days.ok)
REVISIT_WITHIN = 28  # days; a two-week re-visit that came up to two weeks late is still one [D]


def last_day_of_quarter(day: date, later: int = 0) -> date:
    """The last day of the calendar quarter of `day`, or of the one `later` quarters on."""
    quarter = day.year * 4 + (day.month - 1) // 3 + later + 1  # the quarter after the wanted one
    return date(quarter // 4, quarter % 4 * 3 + 1, 1) - timedelta(days=1)


def quarterly(on: date, slot_on: date) -> date:
    """The earlier of 92 days from `on` and the last day of the quarter after the one filled on `slot_on`."""
    ends = (last_day_of_quarter(slot_on, 1), last_day_of_quarter(on), last_day_of_quarter(on, 1))
    return min(on + timedelta(days=QUARTER_DAYS), next(end for end in ends if end > on))


def slot_filled_on(f: Findings, standard: Callable[[PastVisit], bool]) -> date:
    """The day of the visit that filled the latest quarterly slot, this one included; two-week re-visits fill none."""
    visits = [*(visit for visit in reversed(before(f)) if standard(visit)), today(f)]
    filled = visits[0].on
    for previous, visit in pairwise(visits):
        if previous.classification == 1 or (visit.on - previous.on).days > REVISIT_WITHIN:
            filled = visit.on
    return filled


def today(f: Findings) -> PastVisit:
    """This visit in the shape of an earlier one, to be judged by the same question."""
    return PastVisit(f.on, "", f.get("mode"), None, f.answers, f.age)


def next_visit(f: Findings, within: int | None, *, standard: Callable[[PastVisit], bool], revisit_counts: bool) -> date:
    """When the patient is seen next.

    1. Face to face with a reading: within the days the rules ask for, else the quarterly date (domain.md M-14).
    2. A call, or a visit without a reading, fulfils nothing: the standing date stays, or comes forward to the days
       the rules ask for (domain.md M-4). Where no date stands in the future, a visit is owed within 14 days.
    """
    if standard(today(f)):
        return asked(f, within) or quarterly(f.on, f.on if revisit_counts else slot_filled_on(f, standard))
    return soonest(asked(f, within), standing(f)) or f.on + timedelta(days=TWO_WEEKS)
