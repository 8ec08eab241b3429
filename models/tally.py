"""Counters by organisation, period and measure, moved in the same transaction as the record (promise 6).

A row's effect on the figures is a pure function of stored rows: `models.effects`. Committing a change adds the
difference between the effects after and before; `models.recount` adds up the effects of everything and must find no
difference. Reading takes whole years, then whole months, then days, so a long period costs no more than a short one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Dialect, ForeignKey, Insert, String, bindparam, event, func, select, union_all
from sqlalchemy.orm import Mapped, Session, SessionTransaction, mapped_column

from models.base import Base
from models.outbox import insert_for
from models.people import Organisation
from models.prepared import Prepared

Effects = Counter[tuple[int, date, str]]
"""(village id, day, measure) -> how much is added there."""

GRAINS = ("y", "m", "d")
KEY = ("organisation_id", "grain", "measure", "starts_on")


class Tally(Base):
    """What was added to one measure, in one organisation and everything below it, in one year, month or day."""

    __tablename__ = "tallies"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)
    grain: Mapped[str] = mapped_column(String(1), primary_key=True)
    measure: Mapped[str] = mapped_column(String(60), primary_key=True)
    starts_on: Mapped[date] = mapped_column(primary_key=True)
    value: Mapped[int]

    __table_args__ = {"sqlite_with_rowid": False}  # one tree in key order: a period's rows lie side by side


# --- moving the counters ---


def starts(day: date) -> dict[str, date]:
    """First day of the year, month and day that a day belongs to."""
    return {"y": date(day.year, 1, 1), "m": date(day.year, day.month, 1), "d": day}


def count(session: Session, effects: Effects) -> None:
    """Move the counters by these effects; written with the caller's commit, forgotten with its rollback.

    What is counted inside a savepoint belongs to it, so one message of a group can fail without the others.
    """
    transaction = session.get_nested_transaction() or session.get_transaction() or session.begin()
    waiting = _waiting(session).setdefault(transaction, Counter())
    for place, amount in effects.items():
        waiting[place] += amount


def settle(session: Session) -> None:
    """Write what waits in the current transaction, so that it can be read before the commit."""
    transaction = session.get_nested_transaction() or session.get_transaction()
    effects = _waiting(session).pop(transaction, None) if transaction else None
    rows = spread(session, effects) if effects else []
    if rows:
        _ADDED.each(session, rows)


def _waiting(session: Session) -> dict[SessionTransaction, Effects]:
    waiting: dict[SessionTransaction, Effects] = session.info.setdefault("effects", {})
    return waiting


@event.listens_for(Session, "before_commit")
def _write_counters(session: Session) -> None:
    settle(session)


@event.listens_for(Session, "after_transaction_end")
def _forget_counters(session: Session, transaction: SessionTransaction) -> None:
    """Committed effects are written by now; what is left was rolled back."""
    _waiting(session).pop(transaction, None)


def _add(dialect: Dialect) -> Insert:
    """Add to the counters."""
    upsert: Any = insert_for(dialect)(Tally)
    value = Tally.value + upsert.excluded.value
    added: Insert = upsert.on_conflict_do_update(index_elements=KEY, set_={"value": value})
    return added


_ADDED = Prepared(_add)
_PATH = Prepared(select(Organisation.path).where(Organisation.id == bindparam("village")))


def spread(session: Session, effects: Effects) -> list[dict[str, Any]]:
    """Rows for every rung above each village and every grain, in one order, so that two writers never deadlock."""
    above = _ancestries(session, {village for village, _, _ in effects})
    rows: Counter[tuple[int, str, str, date]] = Counter()
    for (village, day, measure), amount in effects.items():
        if amount:
            for grain, first in starts(day).items():
                for organisation_id in above[village]:
                    rows[organisation_id, grain, measure, first] += amount
    return [
        {"organisation_id": place, "grain": grain, "measure": measure, "starts_on": first, "value": amount}
        for (place, grain, measure, first), amount in sorted(rows.items())
        if amount
    ]


def _ancestries(session: Session, villages: Collection[int]) -> dict[int, list[int]]:
    """Ids from the top down to each village."""
    paths = {village: _PATH.first(session, village=village) for village in villages}
    return {village: [int(part) for part in row.path.strip("/").split("/")] for village, row in paths.items()}


# --- effects ---


def total(parts: Iterable[Effects]) -> Effects:
    """Effects added together."""
    result: Effects = Counter()
    for part in parts:
        for place, amount in part.items():
            result[place] = result.get(place, 0) + amount
    return result


def difference(after: Effects, before: Effects) -> Effects:
    """What has to be counted to get from one state to another (may be negative, so not Counter's own subtraction)."""
    result: Effects = Counter(after)
    for place, amount in before.items():
        result[place] = result.get(place, 0) - amount
    return Counter({place: amount for place, amount in result.items() if amount})


def stock(village_id: int, measure: str, spans: Sequence[tuple[date, date | None]]) -> Effects:
    """+1 on the first and -1 on the day after the last of each span; summed up to a day it tells who is inside."""
    result: Effects = Counter()
    for first, after in spans:
        result[village_id, first, measure] += 1
        if after is not None:
            result[village_id, after, measure] -= 1
    return result


# --- reading ---


def flow(
    session: Session, organisation_ids: Collection[int], measures: Collection[str], first: date | None, last: date
) -> dict[tuple[int, str], int]:
    """(organisation id, measure) -> what was added from `first` to `last`, both included; absent means 0.

    Without `first` from the beginning: for a stock that is its level at the end of `last`.
    """
    settle(session)
    parts = list(pieces(first, last + timedelta(days=1)))
    if not (parts and organisation_ids and measures):
        return {}
    where = (Tally.organisation_id.in_(list(organisation_ids)), Tally.measure.in_(list(measures)))
    summed = select(Tally.organisation_id, Tally.measure, func.sum(Tally.value)).where(*where)
    queries = [summed.where(*_inside(piece)).group_by(Tally.organisation_id, Tally.measure) for piece in parts]
    found: Counter[tuple[int, str]] = Counter()
    for organisation_id, measure, value in session.execute(union_all(*queries) if len(queries) > 1 else queries[0]):
        found[organisation_id, measure] += int(value)
    return dict(found)


def level(
    session: Session, organisation_ids: Collection[int], measures: Collection[str], day: date
) -> dict[tuple[int, str], int]:
    """(organisation id, measure) -> how many are inside a stock at the end of a day."""
    return flow(session, organisation_ids, measures, None, day)


def series(
    session: Session, organisation_ids: Collection[int], measures: Collection[str], grain: str, first: date, last: date
) -> Mapping[tuple[int, str, date], int]:
    """(organisation id, measure, first day) -> what was added in each year, month or day that begins in [first, last].

    One query for a whole table of months, as a report or a chart wants it.
    """
    settle(session)
    query = select(Tally.organisation_id, Tally.measure, Tally.starts_on, Tally.value).where(
        Tally.organisation_id.in_(list(organisation_ids)),
        Tally.grain == grain,
        Tally.measure.in_(list(measures)),
        Tally.starts_on.between(first, last),
    )
    return {(place, measure, day): value for place, measure, day, value in session.execute(query)}


Piece = tuple[str, date | None, date]
"""(grain, first start included, last start excluded)."""


def pieces(first: date | None, after: date, grains: Sequence[str] = GRAINS) -> Iterator[Piece]:
    """The fewest whole years, months and days that make up [first, after)."""
    if first is None:
        year = starts(after)["y"]
        yield "y", None, year
        first = year
    if first >= after:
        return
    grain, finer = grains[0], grains[1:]
    begin, end = _next_start(first, grain), starts(after)[grain]
    if begin < end:
        yield grain, begin, end
        if finer:
            yield from pieces(first, begin, finer)
            yield from pieces(end, after, finer)
    elif finer:
        yield from pieces(first, after, finer)


def _next_start(day: date, grain: str) -> date:
    """The day itself if a year, month or day begins with it, else the next such beginning."""
    begin = starts(day)[grain]
    if begin == day:
        return day
    if grain == "y":
        return date(day.year + 1, 1, 1)
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _inside(piece: Piece) -> list[ColumnElement[bool]]:
    grain, begin, end = piece
    return [Tally.grain == grain, Tally.starts_on < end, *([Tally.starts_on >= begin] if begin else [])]
