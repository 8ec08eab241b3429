"""Who is eligible for a campaign: one query over the register, however many residents. 应邀对象

The same conditions count (before it is launched), list (at the launch) and admit (whoever turns up). Of those who fit
the rule some are left out, each for one reason that is counted beside them; who died or moved away is nobody's guest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, String, case, cast, func, literal, or_, select
from sqlalchemy.orm import Session

from models.campaign import ScreeningResult
from models.enrolment import VISITED, Enrolment
from models.people import Organisation, Resident
from models.record import Record
from models.screening import CHECKED, TRACKED, Interval, Rule

SEEN = 1  # `answers["outcome"]` of a visit at which the resident was seen
ELIGIBLE, RECENT, FOLLOWED, WEEKS, UNKNOWN = "eligible", "recent", "followed", "weeks", "unknown"
REASONS: Mapping[str, str] = {
    RECENT: "间隔期内已查过",
    FOLLOWED: "上次结果还在追踪",
    WEEKS: "孕周不在范围内",
    UNKNOWN: "档案缺性别或出生日期,无法判断",
}
"""Why somebody who otherwise fits is not invited."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What eligibility is asked for: the rule, the intervals that stand, the areas, and the first day of the campaign."""

    rule: Rule
    intervals: Sequence[Interval]
    areas: Sequence[str]
    """Paths of the organisations it is held in."""
    on: date


@dataclass(frozen=True, slots=True)
class Counted:
    """How many residents of a village are eligible, and how many are left out for which reason."""

    village_id: int
    village: str
    numbers: Mapping[str, int]

    @property
    def eligible(self) -> int:
        return self.numbers[ELIGIBLE]


def count_eligible(session: Session, wanted: Wanted) -> list[Counted]:
    """One row for each village of the areas with anybody who fits, in one statement."""
    state = _state(wanted).label("state")
    people = select(Resident.village_id, state).where(*_may_fit(wanted)).subquery()
    sums = [func.sum(case((people.c.state == name, 1), else_=0)) for name in (ELIGIBLE, *REASONS)]
    query: Any = (
        select(people.c.village_id, Organisation.name, *sums)
        .join(Organisation, Organisation.id == people.c.village_id)
        .group_by(people.c.village_id, Organisation.name, Organisation.code)
        .order_by(Organisation.code)
    )
    return [
        Counted(village_id, name, dict(zip((ELIGIBLE, *REASONS), map(int, numbers), strict=True)))
        for village_id, name, *numbers in session.execute(query)
    ]


def total(counted: Iterable[Counted]) -> dict[str, int]:
    """The sum over villages, of whatever occurs."""
    sums = dict.fromkeys((ELIGIBLE, *REASONS), 0)
    for village in counted:
        for name, number in village.numbers.items():
            sums[name] += number
    return sums


def eligible_residents(wanted: Wanted, *columns: Any) -> Select[Any]:
    """A query for the residents to be invited."""
    return select(*(columns or (Resident.id,))).where(*_may_fit(wanted), _state(wanted) == ELIGIBLE)


def villages_in(paths: Sequence[str]) -> Select[int]:
    """The villages at or below some organisations."""
    below = or_(*(Organisation.path.between(path, path + "~") for path in paths))
    return select(Organisation.id).where(Organisation.level == "village", below)


# --- the conditions ---


def _may_fit(wanted: Wanted) -> list[ColumnElement[bool]]:
    """Lives in the areas, and nothing known speaks against the rule: what an index and two comparisons can tell."""
    rule = wanted.rule
    conditions: list[ColumnElement[bool]] = [
        Resident.village_id.in_(villages_in(wanted.areas)),
        Resident.status.in_(VISITED),
    ]
    if rule.sex:
        conditions.append(or_(Resident.sex == rule.sex, Resident.sex.is_(None)))
    conditions += [or_(bound, Resident.born_on.is_(None)) for bound in _born(rule, wanted.on)]
    if rule.groups:
        groups = cast(Resident.groups, String)
        conditions.append(or_(*(groups.contains(word, autoescape=True) for word in rule.groups)))
    if rule.programme:
        conditions.append(_enrolled(rule.programme).exists())
    return conditions


def _state(wanted: Wanted) -> ColumnElement[str]:
    """Why somebody who may fit is or is not invited; the first reason that holds."""
    rule, on = wanted.rule, wanted.on
    unknown: list[ColumnElement[bool]] = []
    if rule.sex:
        unknown.append(Resident.sex.is_(None))
    if _born(rule, on):
        unknown.append(Resident.born_on.is_(None))
    whens: list[tuple[ColumnElement[bool], str]] = []
    if unknown:
        whens.append((or_(*unknown), UNKNOWN))
    if rule.weeks:
        whens.append((_outside_weeks(rule, on), WEEKS))
    if tests := tuple(dict.fromkeys(interval.test for interval in wanted.intervals)):
        whens.append((_still_followed(tests), FOLLOWED))
        whens.append((or_(*(_checked(interval, on) for interval in wanted.intervals)), RECENT))
    return case(*whens, else_=literal(ELIGIBLE)) if whens else literal(ELIGIBLE)


def _born(rule: Rule, on: date) -> list[ColumnElement[bool]]:
    low, high = rule.ages
    bounds: list[ColumnElement[bool]] = []
    if low is not None:
        bounds.append(Resident.born_on <= years_before(on, low))
    if high is not None:
        bounds.append(Resident.born_on > years_before(on, high + 1))
    if rule.days:
        bounds.append(Resident.born_on.between(on - timedelta(days=rule.days[1]), on - timedelta(days=rule.days[0])))
    return bounds


def _enrolled(programme: str) -> Select[Any]:
    return select(Enrolment.id).where(
        Enrolment.resident_id == Resident.id, Enrolment.programme == programme, Enrolment.ended_on.is_(None)
    )


def _outside_weeks(rule: Rule, on: date) -> ColumnElement[bool]:
    """A known last menstrual period that lies too early or too late; an unknown one is the doctor's to ask."""
    assert rule.weeks is not None and rule.programme is not None
    first = (on - timedelta(days=rule.weeks[1] * 7 + 6)).isoformat()
    last = (on - timedelta(days=rule.weeks[0] * 7)).isoformat()
    period = Enrolment.details["last_menstrual_period"].as_string()
    return _enrolled(rule.programme).where(or_(period < first, period > last)).exists()


def _still_followed(tests: Sequence[str]) -> ColumnElement[bool]:
    """A tracked result that is not closed is followed up, and not invited again (M-22)."""
    return _results(tests).where(ScreeningResult.result.in_(TRACKED), ScreeningResult.closed_on.is_(None)).exists()


def _results(tests: Sequence[str]) -> Select[Any]:
    return (
        select(ScreeningResult.record_id)
        .join(Record, Record.id == ScreeningResult.record_id)
        .where(ScreeningResult.resident_id == Resident.id, ScreeningResult.test.in_(tests), Record.status == "current")
        .correlate(Resident)
    )


def _checked(interval: Interval, on: date) -> ColumnElement[bool]:
    """Screened so lately that the test still stands on the day of the campaign."""
    done = _results((interval.test,)).where(ScreeningResult.result.in_(CHECKED))
    if interval.method:
        done = done.where(ScreeningResult.method == interval.method)
    if interval.per == "pregnancy":
        return done.where(ScreeningResult.on >= _latest_pregnancy()).exists()
    since = date(on.year, 1, 1) if interval.per == "calendar_year" else months_before(on, interval.months or 0)
    checked = done.where(ScreeningResult.on >= since if interval.per == "calendar_year" else ScreeningResult.on > since)
    if not interval.services:
        return checked.exists()
    record = select(Record.id).where(
        Record.resident_id == Resident.id,
        Record.service.in_(interval.services),
        Record.on >= since,
        Record.status == "current",
        func.coalesce(Record.answers["outcome"].as_integer(), SEEN) == SEEN,
    )
    return or_(checked.exists(), record.correlate(Resident).exists())


def _latest_pregnancy() -> ScalarSelect[Any]:
    """The day the latest pregnancy was entered; before the first one, any result stands."""
    since = select(func.coalesce(func.max(Enrolment.since), date(1900, 1, 1))).where(
        Enrolment.resident_id == Resident.id, Enrolment.programme == "maternal"
    )
    return since.correlate(Resident).scalar_subquery()


def years_before(day: date, years: int) -> date:
    """The last birthday that makes somebody `years` old on a day; whoever was born on 29 February waits for 1 March."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return date(day.year - years, 2, 28)


def months_before(day: date, months: int) -> date:
    """The same day some months earlier, or the last of that month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")


__all__ = ["ELIGIBLE", "REASONS", "Counted", "Wanted", "count_eligible", "eligible_residents", "total", "villages_in"]
