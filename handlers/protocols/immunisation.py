"""What a child is to be given next, from the birthday and the doses given so far. 接种计划

`Given` tells for each dose (`DTP.1`) its day, or None where the booklet shows it without one. Nothing is ever due before its
minimum age or before its interval has passed, and nothing that was given is asked for again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from handlers.protocols.ages import age_words, months_later
from handlers.protocols.vaccines import (
    BY_CODE,
    LEAVES_AT,
    LIVE_APART_DAYS,
    LOW_BIRTH_WEIGHT,
    LOW_WEIGHT_HEPATITIS_B,
    SCHEDULE,
    Dose,
    Series,
)

Given = Mapping[str, date | None]


class Child(NamedTuple):
    """What the schedule depends on besides the doses."""

    born_on: date
    sex: str | None = None
    birth_weight: float | None = None


class Planned(NamedTuple):
    """The next dose of one series: its name, the first day on which it may be given, and since when it is late."""

    dose: str
    earliest: date
    late_from: date | None

    def is_late(self, on: date) -> bool:
        return self.late_from is not None and on >= self.late_from


def doses_of(series: Series, child: Child) -> tuple[Dose, ...]:
    """The doses a child needs of a series."""
    light = child.birth_weight is not None and child.birth_weight < LOW_BIRTH_WEIGHT
    return LOW_WEIGHT_HEPATITIS_B if series.code == "HepB" and light else series.doses


def series_for(child: Child, given: Given) -> list[Series]:
    """The series of a child: of two products the one begun with, else the first of the schedule."""
    begun = {dose.split(".")[0] for dose in given}
    replaced = {series.instead_of for series in SCHEDULE if series.code in begun}
    return [
        series
        for series in SCHEDULE
        if (series.code in begun or not series.instead_of)
        and not (series.code in replaced and series.code not in begun)
        and (series.girls_born_after is None or _is_girl_born_after(child, series.girls_born_after))
    ]


def _is_girl_born_after(child: Child, day: date) -> bool:
    return child.sex == "female" and child.born_on > day


def next_number(series: Series, child: Child, given: Given) -> int | None:
    """The number of the next dose of a series; None when it is complete. A third dose means that two came before it."""
    had = [int(number) for code, _, number in (dose.partition(".") for dose in given) if code == series.code]
    number = max(had, default=0) + 1
    return number if number <= len(doses_of(series, child)) else None


def plan(child: Child, given: Given, on: date) -> list[Planned]:
    """The next dose of every series not complete and not outgrown, the earliest first."""
    found = []
    for series in series_for(child, given):
        number = next_number(series, child, given)
        if number is None:
            continue
        earliest = earliest_day(child, given, series, number)
        dose = doses_of(series, child)[number - 1]
        until = dose.until or series.until or LEAVES_AT
        if max(earliest, on) < months_later(child.born_on, until):
            late_from = months_later(child.born_on, dose.by) if dose.by is not None else None
            found.append(Planned(f"{series.code}.{number}", earliest, late_from))
    return sorted(found, key=lambda planned: planned.earliest)


def earliest_day(child: Child, given: Given, series: Series, number: int, *, before: date = date.max) -> date:
    """The first day on which a dose may be given: its minimum age, its intervals, 28 days after another live vaccine.

    Only live vaccines of days before `before` keep it waiting: two may be given at one visit.
    """
    dose = doses_of(series, child)[number - 1]
    days = [months_later(child.born_on, dose.at)]
    last = given.get(f"{series.code}.{number - 1}")
    if last is not None:
        days.append(months_later(last, dose.months) + timedelta(days=dose.days))
    if number == 1 and series.follows is not None:
        code, which, months = series.follows
        if (followed := given.get(f"{code}.{which}")) is not None:
            days.append(months_later(followed, months))
    if series.live:
        days += [day + timedelta(days=LIVE_APART_DAYS) for day in _live_days(given) if day < before]
    return max(days)


def _live_days(given: Given) -> Iterable[date]:
    return (day for dose, day in given.items() if day is not None and (s := BY_CODE.get(dose.split(".")[0])) and s.live)


def too_early(child: Child, given: Given, dose: str, on: date) -> date | None:
    """The first day on which a dose given on a day would have counted, where that lies later; else None.

    `given` includes what else is given on the day.
    """
    code, _, number = dose.partition(".")
    series = BY_CODE.get(code)
    if series is None or not 1 <= int(number) <= len(doses_of(series, child)):
        return None
    first = earliest_day(child, given, series, int(number), before=on)
    return first if first > on else None


def due_on(child: Child, given: Given, day: date) -> list[Planned]:
    """What may be given on a day."""
    return [planned for planned in plan(child, given, day) if planned.earliest <= day]


def ages_reached(child: Child, on: date) -> list[int]:
    """The ages of the schedule that a child has reached, in months."""
    ages = {dose.at for series in series_for(child, {}) for dose in doses_of(series, child)}
    return sorted(age for age in ages if months_later(child.born_on, age) <= on)


def last_age(child: Child, on: date) -> str:
    """The latest age of the schedule reached, in words; "" at birth."""
    age = ages_reached(child, on)[-1]
    return age_words(child.born_on, months_later(child.born_on, age)) if age else ""


def all_due_by(child: Child, on: date, *, before_last_age: bool = False) -> dict[str, int]:
    """How many doses of each series a child has had who has had everything on time, by a day.

    With `before_last_age` those of the latest age reached are left out: they may be today's.
    """
    ages = ages_reached(child, on)
    last = ages[-2 if before_last_age and len(ages) > 1 else -1]
    counts = {series.code: sum(dose.at <= last for dose in doses_of(series, child)) for series in series_for(child, {})}
    return {code: had for code, had in counts.items() if had}
