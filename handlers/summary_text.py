"""A summary in words that fit a phone: by chapter, no percentage without its numbers and its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.template import template
from models.figures import NOTHING_SET, Figure, as_of, below, figures
from models.indicators import BY_CODE, CHAPTERS
from models.people import Organisation
from models.scope import Scope


def text_for(
    session: Session,
    organisation: Organisation,
    scope: Scope,
    first: date,
    last: date,
    today: date,
    *,
    title: str = "",
    settings: Mapping[str, Any] = NOTHING_SET,
    with_below: bool = False,
    defined: bool = False,
) -> str:
    """The summary of an organisation within a scope; of a doctor's scope, the villages they answer for.

    `defined` writes under the figures how each rate is reckoned.
    """
    places = places_of(session, organisation, scope)
    shown = figures(session, places, first, last, today, settings)
    children = below(session, organisation, first, last, today, settings) if with_below and not scope.villages else []
    return render(
        places_title(places, organisation),
        title,
        first,
        last,
        as_of(last, today),
        shown,
        [_lower(*c) for c in children],
        defined=defined,
    )


def places_of(session: Session, organisation: Organisation, scope: Scope) -> list[Organisation]:
    """What is added up: the organisation itself, or of a doctor's villages those meant."""
    if scope.villages is None:
        return [organisation]
    wanted = [organisation.id] if organisation.id in scope.villages else list(scope.villages)
    return list(session.scalars(select(Organisation).where(Organisation.id.in_(wanted)).order_by(Organisation.code)))


def places_title(places: Sequence[Organisation], organisation: Organisation) -> str:
    return "、".join(place.name for place in places) or organisation.name


def render(
    place: str,
    title: str,
    first: date,
    last: date,
    day: date,
    shown: Sequence[Figure],
    lower: Sequence[Any] = (),
    *,
    defined: bool = False,
    all_of_it: bool = False,
) -> str:
    """Render figures; those that say nothing yet are only counted, unless they were asked for."""
    telling = [figure for figure in shown if all_of_it or tells(figure)]
    chapters = [(chapter, [f for f in telling if BY_CODE[f.code].chapter == chapter]) for chapter in CHAPTERS]
    return template("summary.txt", said=said).render(
        heading=" · ".join(part for part in ("汇总", place, title) if part),
        first=first,
        last=last,
        as_of=day,
        chapters=[(chapter, found) for chapter, found in chapters if found],
        rates=rates_of(telling),
        defined=defined,
        left_out=len(shown) - len(telling),
        lower=lower,
    )


def rates_of(shown: Sequence[Figure]) -> list[Figure]:
    """The rates that say something: a count is its own definition."""
    return [figure for figure in shown if figure.unit == "%" and tells(figure)]


def tells(figure: Figure) -> bool:
    """Is there anything to show? A rate of nobody and a count of nothing only make the reader scroll."""
    if figure.unit == "%":
        return bool(figure.numerator or figure.denominator)
    return bool(figure.value)


def said(figure: Figure) -> str:
    """61.57%(141/229), or 229人, or why there is no value."""
    goal = f",目标{figure.goal:g}%" if figure.goal is not None and figure.unit == "%" else ""
    if figure.unit != "%":
        return f"{figure.value}{figure.unit}"
    if figure.value is None:
        return f"—({figure.numerator}/{'—' if figure.denominator is None else figure.denominator},{figure.note})"
    note = f",{figure.note}" if figure.note else ""
    return f"{figure.value:.2f}%({figure.numerator}/{figure.denominator}{goal}{note})"


def _lower(organisation: Organisation, found: Sequence[Figure]) -> tuple[str, int, int, int]:
    by_code = {figure.code: figure for figure in found}
    records = sum(int(figure.value or 0) for figure in found if figure.code.startswith("count."))
    on_track = by_code["hypertension_standardised_rate"]
    return organisation.name, records, on_track.numerator or 0, on_track.denominator or 0
