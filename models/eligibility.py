"""Who is eligible for a campaign: one query over the register, however many residents. 应邀对象

The same conditions count (before it is launched), list (at the launch) and admit (whoever turns up). Of those who fit
the rule some are left out, each for one reason that is counted beside them; who died or moved away is nobody's guest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    String,
    and_,
    case,
    cast,
    distinct,
    func,
    literal,
    or_,
    select,
)
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
    numbers: dict[str, int]

    @property
    def eligible(self) -> int:
        return self.numbers[ELIGIBLE]


def count_eligible(session: Session, wanted: Wanted) -> list[Counted]:
    """One entry for each village of the areas with anybody who fits, in one statement."""
    state = _state(wanted).label("state")
    people = select(Resident.village_id, state).where(*_may_fit(wanted)).subquery()
    query: Any = (
        select(people.c.village_id, Organisation.name, people.c.state, func.count())
        .join(Organisation, Organisation.id == people.c.village_id)
        .group_by(people.c.village_id, Organisation.name, Organisation.code, people.c.state)
        .order_by(Organisation.code)
    )
    found: dict[int, Counted] = {}
    for village_id, name, reason, number in session.execute(query):
        nobody = dict.fromkeys((ELIGIBLE, *REASONS), 0)
        found.setdefault(village_id, Counted(village_id, name, nobody)).numbers[reason] = number
    return list(found.values())


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
    services = [interval for interval in wanted.intervals if interval.services]
    if services:
        whens.append((or_(*(_done(interval, on) for interval in services)), RECENT))
    otherwise: ColumnElement[str] = literal(ELIGIBLE)
    if wanted.intervals:
        otherwise = func.coalesce(_by_results(wanted), ELIGIBLE)
    return case(*whens, else_=otherwise) if whens else otherwise


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


def _by_results(wanted: Wanted) -> ScalarSelect[Any]:
    """What a resident's own results say: still followed (M-22), or so recent that the test stands on the day.

    One look-up of all results together. Whoever lacks one of several tests (breast, but not cervix) is invited.
    """
    open_still = and_(ScreeningResult.result.in_(TRACKED), ScreeningResult.closed_on.is_(None))
    stands = or_(*(_stands(interval, wanted.on) for interval in wanted.intervals))
    recent = and_(ScreeningResult.result.in_(CHECKED), stands)
    tests = {interval.test for interval in wanted.intervals}
    standing = func.count(distinct(case((recent, ScreeningResult.test))))
    return (
        select(case((func.max(case((open_still, 1), else_=0)) == 1, FOLLOWED), (standing == len(tests), RECENT)))
        .join(Record, Record.id == ScreeningResult.record_id)
        .where(
            ScreeningResult.resident_id == Resident.id,
            ScreeningResult.test.in_(tests),
            Record.status == "current",
        )
        .correlate(Resident)
        .scalar_subquery()
    )


def _stands(interval: Interval, on: date) -> ColumnElement[bool]:
    """A result of this test still stands on a day."""
    conditions: list[ColumnElement[bool]] = [ScreeningResult.test == interval.test]
    if interval.method:
        conditions.append(ScreeningResult.method == interval.method)
    match interval.per:
        case "pregnancy":
            conditions.append(ScreeningResult.on >= _latest_pregnancy())
        case "calendar_year":
            conditions.append(ScreeningResult.on >= date(on.year, 1, 1))
        case "months":
            conditions.append(ScreeningResult.on > months_before(on, interval.months or 0))
    return and_(*conditions)


def _done(interval: Interval, on: date) -> ColumnElement[bool]:
    """The test was done as part of another service: the yearly check of the elderly."""
    since = (
        Record.on >= date(on.year, 1, 1)
        if interval.per == "calendar_year"
        else Record.on > months_before(on, interval.months or 0)
    )
    record = select(Record.id).where(
        Record.resident_id == Resident.id,
        Record.service.in_(interval.services),
        since,
        Record.status == "current",
        func.coalesce(Record.answers["outcome"].as_integer(), SEEN) == SEEN,
    )
    return record.correlate(Resident).exists()


def _latest_pregnancy() -> ScalarSelect[Any]:
    """The day the latest pregnancy was entered; before the first one, any result stands."""
    since = select(func.coalesce(func.max(Enrolment.since), date(1900, 1, 1))).where(
        Enrolment.resident_id == Resident.id, Enrolment.programme == "maternal"
    )
    return since.correlate(Resident, ScreeningResult).scalar_subquery()


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
