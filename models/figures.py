"""The figures of an organisation, or of several at once, from counters alone (promise 8: with numerator, denominator,
as-of day and definition, or not at all)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.effects import renewal_days
from models.indicator import Indicator, Sum, Term, Window
from models.indicators import INDICATORS, RENEWAL_DAYS_MARK
from models.people import Organisation
from models.tally import flow

NOTHING_SET: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator worked out. `value` is a percentage with two decimals or a count; None where `note` says why."""

    code: str
    title: str
    value: float | int | None
    numerator: int | None
    denominator: int | None
    unit: str
    definition: str
    note: str = ""
    goal: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The contract's keys; `note` and `goal` only where there is one."""
        full = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in full.items() if name not in ("note", "goal") or value not in ("", None)}


def figures(
    session: Session,
    organisation: Organisation | Sequence[Organisation],
    first: date,
    last: date,
    today: date,
    settings: Mapping[str, Any] = NOTHING_SET,
) -> list[Figure]:
    """All figures of one organisation, or of several taken together (a doctor's villages).

    `settings["goals"]` may hold a goal by figure code.
    """
    together = [organisation] if isinstance(organisation, Organisation) else list(organisation)
    return _figures(session, [together], first, last, today, settings)[0]


def below(
    session: Session,
    organisation: Organisation,
    first: date,
    last: date,
    today: date,
    settings: Mapping[str, Any] = NOTHING_SET,
) -> list[tuple[Organisation, list[Figure]]]:
    """The same figures for each organisation one level down, with no more queries than for one."""
    children = children_of(session, organisation)
    of_each = _figures(session, [[child] for child in children], first, last, today, settings) if children else []
    return list(zip(children, of_each, strict=True))


def children_of(session: Session, organisation: Organisation) -> Sequence[Organisation]:
    query = select(Organisation).where(Organisation.parent_id == organisation.id)
    return session.scalars(query.order_by(Organisation.code)).all()


def as_of(last: date, today: date) -> date:
    """A period that runs beyond today is as of today."""
    return min(last, today)


def _figures(
    session: Session,
    groups: Sequence[Sequence[Organisation]],
    first: date,
    last: date,
    today: date,
    settings: Mapping[str, Any],
) -> list[list[Figure]]:
    window = Window(first, as_of(last, today))
    goals: Mapping[str, float] = settings.get("goals") or {}
    days = str(renewal_days(session))
    chosen = [indicator.decided(settings) for indicator in INDICATORS]
    plans = [_Plan(indicator, window, goals.get(indicator.code, indicator.goal), days) for indicator in chosen]
    sums = _read(session, [o.id for group in groups for o in group], [term for plan in plans for term in plan.terms])
    return [[plan.figure(group, sums) for plan in plans] for group in groups]


Sums = Mapping[tuple[date | None, date], Mapping[tuple[int, str], int]]


def _read(session: Session, organisation_ids: Sequence[int], terms: Sequence[Term]) -> Sums:
    """One query for each different span of time, whatever the number of figures and organisations."""
    measures: defaultdict[tuple[date | None, date], set[str]] = defaultdict(set)
    for term in terms:
        measures[term.first, term.last].add(term.measure)
    return {
        (first, last): flow(session, organisation_ids, sorted(wanted), first, last)
        for (first, last), wanted in measures.items()
    }


class _Plan:
    """What one indicator takes to be worked out for one period."""

    __slots__ = ("definition", "denominator", "goal", "indicator", "numerator", "terms")

    def __init__(self, indicator: Indicator, window: Window, goal: float | None, renewal_days: str) -> None:
        self.indicator, self.goal = indicator, goal
        self.definition = indicator.definition.replace(RENEWAL_DAYS_MARK, renewal_days)
        self.numerator = _terms(indicator.numerator, window)
        self.denominator = _terms(indicator.denominator, window)
        self.terms = (*(self.numerator or ()), *(self.denominator or ()))

    def figure(self, organisations: Sequence[Organisation], sums: Sums) -> Figure:
        numerator = None if self.numerator is None else _add_up(self.numerator, organisations, sums)
        denominator, value, note = None, None, ""
        if numerator is None:
            note = "口径还没有确定"
        elif not self.indicator.is_rate:
            value = numerator
        else:
            denominator, note = self._base(organisations, sums)
            if denominator:
                return self._rate(numerator, denominator, note)
        return self._say(value, numerator, denominator, note)

    def _rate(self, numerator: int, denominator: int, note: str) -> Figure:
        if numerator > denominator:
            note = "分子大于分母,请核对分母"
        return self._say(round(100 * numerator / denominator, 2), numerator, denominator, note)

    def _say(self, value: float | int | None, numerator: int | None, denominator: int | None, note: str) -> Figure:
        i = self.indicator
        return Figure(i.code, i.title, value, numerator, denominator, i.unit, self.definition, note, self.goal)

    def _base(self, organisations: Sequence[Organisation], sums: Sums) -> tuple[int | None, str]:
        """(denominator or None, note): what the county gave for this figure, else as defined."""
        given = [o.denominators.get(self.indicator.code) for o in organisations]
        if all(number is not None for number in given):
            return _or_zero(sum(int(number or 0) for number in given))
        if self.denominator is not None:
            return _or_zero(_add_up(self.denominator, organisations, sums))
        if self.indicator.denominator != "population":
            return None, "分母未录入"
        people = [o.population for o in organisations]
        if any(number is None for number in people):
            return None, "常住人口未录入"
        return _or_zero(sum(number or 0 for number in people))


def _or_zero(denominator: int) -> tuple[int, str]:
    return denominator, "" if denominator else "分母为0,不计算"


def _terms(part: Sum | str | None, window: Window) -> tuple[Term, ...] | None:
    return part(window) if callable(part) else None


def _add_up(terms: Sequence[Term], organisations: Sequence[Organisation], sums: Sums) -> int:
    return sum(
        term.sign * sums[term.first, term.last].get((organisation.id, term.measure), 0)
        for term in terms
        for organisation in organisations
    )
