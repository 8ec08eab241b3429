"""What a year of visits says of one resident in one programme: controlled or not, on schedule or not.

Pure functions of the visits that stand (current records), shared by the counters and by the lists of names, so that a
figure and the names behind it can never disagree. Years are calendar years 公卫年度, quarters calendar quarters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from typing import Any, NamedTuple


class Visit(NamedTuple):
    """One current record: `marks` say what it is worth (`assessed`, `controlled`, `standard_visit`).

    Of two on the same day the one recorded later (the higher id) counts as the later.
    """

    on: date
    id: int
    marks: Sequence[Any]


def by_year(visits: Iterable[Visit]) -> Iterator[tuple[int, list[Visit]]]:
    """Visits of each year in order."""
    ordered = sorted(visits, key=lambda visit: (visit.on, visit.id))
    for year, of_year in groupby(ordered, key=lambda visit: visit.on.year):
        yield year, list(of_year)


def quarter(day: date) -> int:
    return (day.month + 2) // 3


def quarters_complete(day: date) -> int:
    """How many quarters of its year are over at the end of a day, but at least 1: by then everybody is due once."""
    tomorrow = day + timedelta(days=1)
    return 4 if tomorrow.year > day.year else max(1, quarter(tomorrow) - 1)


def last_assessed(visits: Sequence[Visit]) -> Visit | None:
    """The latest visit at which the value that decides control was measured."""
    return next((visit for visit in reversed(visits) if "assessed" in visit.marks), None)


def control_steps(visits: Sequence[Visit]) -> Iterator[tuple[date, int]]:
    """(day, +1 or -1) whenever the latest assessed visit of one year changes between controlled and not.

    The year begins as not controlled: whoever is not seen (失访) is not controlled.
    """
    controlled = False
    for day, of_day in groupby(visits, key=lambda visit: visit.on):
        latest = last_assessed(list(of_day))
        if latest is not None and ("controlled" in latest.marks) != controlled:
            controlled = not controlled
            yield day, 1 if controlled else -1


def first_quarter(since: date, year: int) -> int:
    """From which quarter of a year visits are due: that of the enrolment, in the year of the enrolment."""
    return quarter(since) if since.year == year else 1


def covered(visits: Iterable[Visit]) -> Mapping[int, date]:
    """Quarter -> day of its first standard visit (face to face with a reading); a second one changes nothing."""
    days: dict[int, date] = {}
    for visit in visits:
        if "standard_visit" in visit.marks:
            number = quarter(visit.on)
            days[number] = min(days.get(number, visit.on), visit.on)
    return days


def missing(since: date, year: int, up_to: int, visits: Iterable[Visit]) -> list[int]:
    """Quarters due up to `up_to` without a standard visit; the first quarter due is asked for in any case."""
    first, done = first_quarter(since, year), covered(visits)
    return [number for number in range(first, max(up_to, first) + 1) if number not in done]


def on_track_days(since: date, year: int, visits: Sequence[Visit]) -> Iterator[tuple[int, date]]:
    """(quarter, day since when every quarter due up to it has its standard visit), for the quarters reached."""
    first, done = first_quarter(since, year), covered(visits)
    for up_to in (1, 2, 3, 4):
        due = range(first, max(up_to, first) + 1)
        if all(number in done for number in due):
            yield up_to, max(since, *(done[number] for number in due))
