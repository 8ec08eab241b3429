"""Counters by organisation, period and measure, moved in the same transaction as the record (promise 6).

A record's effect on the figures is a pure function of stored rows: `effects`. Committing a record adds the difference
between the effects after and before; `recount` adds up the effects of everything and must find no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ForeignKey, String, event, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base
from models.outbox import insert_for
from models.people import Organisation

Effects = Counter[tuple[int, date, str]]
"""(village id, day, measure) -> how much is added there."""

GRAINS = ("y", "m", "d")


class Tally(Base):
    """What was added to one measure, in one organisation and everything below it, in one year, month or day."""

    __tablename__ = "tallies"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    grain: Mapped[str] = mapped_column(String(1), primary_key=True)
    measure: Mapped[str] = mapped_column(String(60), primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]


def starts(day: date) -> dict[str, date]:
    """First day of the year, month and day that a day belongs to."""
    return {"y": date(day.year, 1, 1), "m": date(day.year, day.month, 1), "d": day}


def count(session: Session, effects: Effects) -> None:
    """Move the counters by these effects; written with the caller's commit."""
    waiting: Effects = session.info.setdefault("effects", Counter())
    for place, amount in effects.items():
        waiting[place] += amount


@event.listens_for(Session, "before_commit")
def _write_counters(session: Session) -> None:
    effects: Effects | None = session.info.pop("effects", None)
    rows = spread(session, effects) if effects else []
    if rows:
        insert = insert_for(session.get_bind().dialect)
        upsert = insert(Tally.__table__)
        table = Tally.__table__.c
        upsert = upsert.on_conflict_do_update(
            index_elements=[table.organisation_id, table.grain, table.measure, table.starts_on],
            set_={"value": table.value + upsert.excluded.value},
        )
        session.execute(upsert, rows)


def spread(session: Session, effects: Effects) -> list[dict[str, Any]]:
    """Rows for every rung above each village and every grain, in one order, so that two writers never deadlock."""
    villages = sorted({village for village, _, _ in effects})
    paths = dict(session.execute(select(Organisation.id, Organisation.path).where(Organisation.id.in_(villages))).all())
    rows: Counter[tuple[int, str, str, date]] = Counter()
    for (village, day, measure), amount in effects.items():
        if amount:
            for organisation_id in (int(part) for part in paths[village].strip("/").split("/")):
                for grain, first in starts(day).items():
                    rows[organisation_id, grain, measure, first] += amount
    return [
        {"organisation_id": place, "grain": grain, "measure": measure, "starts_on": first, "value": amount}
        for (place, grain, measure, first), amount in sorted(rows.items())
        if amount
    ]


def total(parts: Iterable[Effects]) -> Effects:
    """Effects added together."""
    result: Effects = Counter()
    for part in parts:
        for place, amount in part.items():
            result[place] += amount
    return result


def difference(after: Effects, before: Effects) -> Effects:
    """What has to be counted to get from one state to another (may be negative, so not Counter's own subtraction)."""
    result: Effects = Counter(after)
    for place, amount in before.items():
        result[place] -= amount
    return Counter({place: amount for place, amount in result.items() if amount})


def stock(village_id: int, measure: str, spans: Sequence[tuple[date, date | None]]) -> Effects:
    """+1 on the first and -1 on the day after the last of each span; summed up to a day it tells who is inside."""
    result: Effects = Counter()
    for first, after in spans:
        result[village_id, first, measure] += 1
        if after is not None:
            result[village_id, after, measure] -= 1
    return result
