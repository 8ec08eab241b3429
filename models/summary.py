"""One summary, whatever it is shown as: text, JSON, picture, Excel and Word are renderings of this object. 汇总"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from models import figures as reading
from models.figures import NOTHING_SET, Figure
from models.people import Organisation


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of an organisation for a period as of a day, and the same for each organisation one level down."""

    organisation: Organisation
    first: date
    last: date
    as_of: date
    figures: Sequence[Figure]
    below: Sequence[Summary] = ()

    def to_json(self) -> dict[str, Any]:
        """The contract's object (`summary --format json`); organisations by code, days as ISO."""
        return {**self._own(), "below": [part._own() for part in self.below]}

    def _own(self) -> dict[str, Any]:
        return {
            "organisation": self.organisation.code,
            "organisation_name": self.organisation.name,
            "period": [self.first.isoformat(), self.last.isoformat()],
            "as_of": self.as_of.isoformat(),
            "figures": [figure.to_json() for figure in self.figures],
        }

    def figure(self, code: str) -> Figure:
        return next(figure for figure in self.figures if figure.code == code)


def summary_of(
    session: Session,
    organisation: Organisation,
    first: date,
    last: date,
    today: date,
    settings: Mapping[str, Any] = NOTHING_SET,
) -> Summary:
    """The summary of one organisation; whether the viewer may see it is decided by their scope before."""
    as_of = reading.as_of(last, today)
    return Summary(
        organisation,
        first,
        last,
        as_of,
        reading.figures(session, organisation, first, last, today, settings),
        [
            Summary(child, first, last, as_of, found)
            for child, found in reading.below(session, organisation, first, last, today, settings)
        ],
    )
