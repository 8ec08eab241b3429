"""What a figure is: sums of counters over a period, with a definition in words. 指标"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from typing import Any, Literal, NamedTuple

from models.visits import quarters_complete


class Window(NamedTuple):
    """The period a figure is asked for; `last` is its as-of day and never later than today."""

    first: date
    last: date

    @property
    def new_year(self) -> date:
        return date(self.last.year, 1, 1)

    @property
    def old_year(self) -> date:
        """The last day of the year before."""
        return date(self.last.year - 1, 12, 31)


class Term(NamedTuple):
    """A counter summed from `first` (None: the beginning) to `last`, added or taken away."""

    measure: str
    first: date | None
    last: date
    sign: int = 1


Sum = Callable[[Window], tuple[Term, ...]]


def during(measure: str) -> Sum:
    """What was added in the period."""
    return lambda window: (Term(measure, window.first, window.last),)


def at_end(measure: str) -> Sum:
    """How many are inside a stock at the end of the period."""
    return lambda window: (Term(measure, None, window.last),)


def this_year(measure: str) -> Sum:
    """What was added from 1 January to the end of the period."""
    return lambda window: (Term(measure, window.new_year, window.last),)


def managed(programme: str) -> Sum:
    """People in a programme at any time from 1 January to the end of the period 年内已管理人数."""
    return lambda window: (
        Term(f"{programme}.enrolled", None, window.last),
        Term(f"{programme}.ended", None, window.old_year, -1),
    )


def enrolled_at_end(programme: str) -> Sum:
    """People in a programme at the end of the period."""
    return lambda window: (
        Term(f"{programme}.enrolled", None, window.last),
        Term(f"{programme}.ended", None, window.last, -1),
    )


def on_track(programme: str) -> Sum:
    """People with a standard visit in every quarter due up to the last one completed."""
    return lambda window: this_year(f"{programme}.on_track.q{quarters_complete(window.last)}")(window)


Given = Literal["population", "given"]
"""A denominator from outside: 常住人口, or one the county gives under the figure's code."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """One figure. With a denominator it is a percentage, otherwise a number of `unit`.

    `period` tells whether it adds up over the period (flow) or holds at its end (state). A denominator the county gives
    under the figure's code comes before any other. Without a numerator it cannot be worked out yet, and says why.
    `goal` is a percentage or number to reach; None until the county sets it.
    """

    code: str
    title: str
    chapter: str
    unit: str
    definition: str
    numerator: Sum | None
    denominator: Sum | Given | None = None
    period: Literal["flow", "state"] = "flow"
    goal: float | None = None
    setting: str = ""
    """The county's setting that decides how it is worked out; until then it is not."""
    variants: Mapping[str, Indicator] = attribute(default_factory=dict)
    """How, by the setting's value."""

    def decided(self, settings: Mapping[str, Any]) -> Indicator:
        """The indicator as the county works it out."""
        return self.variants.get(str(settings.get(self.setting, "")), self)

    @property
    def is_rate(self) -> bool:
        return self.unit == "%"
