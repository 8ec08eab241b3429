"""`cunyi summary`: figures for an organisation and everything below it, as text or JSON."""

from __future__ import annotations

import json
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.clock import system_clock
from bot.config import Settings
from handlers.reading.periods import read_period
from handlers.summary_text import text_for
from models.base import Store
from models.people import Organisation
from models.scope import Scope
from models.summary import summary_of
from models.trouble import Trouble


class UnknownPlaceOrPeriod(Trouble):
    """An organisation or period that the command line names and nobody knows."""


def write_summary(settings: Settings, store: Store, code: str | None, words: str | None, kind: str) -> str:
    """The summary as text or JSON. Raises UnknownPlaceOrPeriod with what to write instead."""
    today = system_clock().astimezone(settings.tz).date()
    first, last = _period(words, today)
    with store.read() as session:
        organisation = _organisation(session, code)
        if kind == "json":
            found = summary_of(session, organisation, first, last, today, settings.rules)
            return json.dumps(found.to_json(), ensure_ascii=False, indent=2)
        scope = Scope(organisation.id, organisation.path)
        return text_for(
            session, organisation, scope, first, last, today, settings=settings.rules, with_below=True, defined=True
        )


def _period(words: str | None, today: date) -> tuple[date, date]:
    period = read_period(words or "本月", today)
    if period is None:
        raise UnknownPlaceOrPeriod(f"{words!r} is no period; write 2026-10, 2026Q3, 2026 or 2026-01-01..2026-03-31")
    return period.first, period.last


def _organisation(session: Session, code: str | None) -> Organisation:
    if code is not None:
        found = session.scalar(select(Organisation).where(Organisation.code == code))
        if found is None:
            raise UnknownPlaceOrPeriod(
                f"no organisation has the code {code}; import it with: cunyi import organisations FILE"
            )
        return found
    tops = session.scalars(select(Organisation).where(Organisation.parent_id.is_(None)).order_by(Organisation.id)).all()
    if len(tops) != 1:
        raise UnknownPlaceOrPeriod(
            "say which organisation with --org CODE" if tops else "there are no organisations yet; import or seed some"
        )
    return tops[0]
