"""When the next visit is on time, and when the patient is seen where the rules want it sooner. 时间窗"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

from handlers.decisions import Findings


class OnTime(NamedTuple):
    """The days on which the next visit is on time: from the first (None: from now on) to the last."""

    first: date | None
    last: date


def kept_open(f: Findings, first: date, last: date) -> OnTime:
    """A window that is over by now still has tomorrow."""
    return OnTime(first, max(last, f.on + timedelta(days=1)))


def asked(f: Findings, within: int | None) -> date | None:
    """The day by which the rules that matched want the patient seen again; None: none of them says so."""
    return f.on + timedelta(days=within) if within is not None else None


def standing(f: Findings) -> date | None:
    """The date that stood before this visit, while it is still to come."""
    return f.due_on if f.due_on and f.due_on > f.on else None


def soonest(*days: date | None) -> date | None:
    """The first of these days; None is no day."""
    return min((day for day in days if day), default=None)
