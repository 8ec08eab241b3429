"""Spans of days: [first, day after the last), and the part of them during which somebody lived here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row

from models.enrolment import VISITED
from models.people import Resident, Status

BEGINNING = date(1900, 1, 1)
"""Stands for a day nobody wrote down, before every period that is asked for."""

NEVER = date.min


def gone_on(resident: Resident | Row[Any]) -> date | None:
    """The day since when a resident no longer lives here; of a death or move without a day nothing is counted.

    Somebody registered twice never lived here a second time.
    """
    if resident.status == Status.MERGED:
        return NEVER
    return None if resident.status in VISITED else resident.status_on or BEGINNING


def union(terms: Sequence[tuple[date, date]]) -> list[tuple[date, date | None]]:
    """Validity as [first, day after the last), overlaps and neighbours merged."""
    spans: list[tuple[date, date]] = []
    for starts, ends in terms:
        after = ends + timedelta(days=1)
        if spans and starts <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], after))
        elif starts < after:
            spans.append((starts, after))
    return [*spans]


def without(
    spans: Sequence[tuple[date, date | None]], holes: Sequence[tuple[date, date]]
) -> list[tuple[date, date | None]]:
    """The parts of bounded spans that lie in no hole."""
    left = [(first, after) for first, after in spans if after is not None]
    for begin, end in holes:
        left = (
            [
                part
                for first, after in left
                for part in ((first, min(after, begin)), (max(first, end), after))
                if part[0] < part[1]
            ]
            if begin < end
            else left
        )
    return sorted({*left})


def while_here(
    spans: Sequence[tuple[date, date | None]], resident: Resident | Row[Any]
) -> list[tuple[date, date | None]]:
    """The part of each span during which the resident lived here."""
    gone = gone_on(resident)
    if gone is None:
        return [*spans]
    return [(first, min(after or gone, gone)) for first, after in spans if first < gone]


def known_from(spans: Sequence[tuple[date, date | None]], known: date) -> list[tuple[date, date | None]]:
    return [(max(first, known), after) for first, after in spans if after is None or after > known]
