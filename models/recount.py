"""Recompute every counter from the rows behind it; there must be no difference (promise 6).

The tree of organisations is walked once, depth first: of each the own rows are added up by day, compared at every
grain, and handed to the organisation above. What is held in memory is the way from one village to the top, never the
records, so a million of them need no more than one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Row, Text, cast, select, text
from sqlalchemy.orm import Session

from models import agreement_effects, effects, referrals
from models.county import county
from models.effects import AGREEMENT, ENROLMENT, PERSON, RECORD, RESIDENT
from models.enrolment import Enrolment
from models.fulfilment import Promise
from models.outbox import insert_for
from models.people import Organisation, Resident
from models.record import Agreement, Record, Referral
from models.spans import gone_on
from models.tally import KEY, Effects, Tally, settle, starts
from models.visits import Visit

KEPT = 1000  # differences kept to be shown; the rest are only counted
AT_ONCE = 2000  # rows fetched or written together

Days = Counter[tuple[date, str]]
"""(day, measure) -> amount, of one organisation and everything below it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A counter that does not say what the rows behind it say."""

    organisation_id: int
    grain: str
    measure: str
    starts_on: date
    stored: int
    recomputed: int

    def __str__(self) -> str:
        where = f"organisation {self.organisation_id}, {self.grain} {self.starts_on}, {self.measure}"
        return f"{where}: counted {self.stored}, rows say {self.recomputed}"


@dataclass(slots=True)
class Recount:
    """How many counters were compared and how many differed; of these the first are kept."""

    compared: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    def __len__(self) -> int:
        return self.differing

    def __iter__(self) -> Iterator[Difference]:
        return iter(self.differences)

    def note(self, found: Sequence[Difference]) -> None:
        self.differing += len(found)
        self.differences += found[: max(0, KEPT - len(self.differences))]


def recount(session: Session, *, fix: bool = False) -> Recount:
    """Compare all counters with the rows, and with `fix` put them right, in the caller's transaction.

    Without `fix`, PostgreSQL needs a session that has not been used yet: all queries see one instant. With `fix` nobody
    else counts until the commit.
    """
    _hold_still(session, fix)
    settle(session)
    result = Recount()
    above: list[tuple[int, str, Days]] = []
    organisations = session.execute(select(Organisation.id, Organisation.path)).all()
    for organisation_id, path in sorted(organisations, key=lambda row: row.path):
        while above and not path.startswith(above[-1][1]):
            _leave(session, above, result, fix)
        above.append((organisation_id, path, _own(session, organisation_id)))
    while above:
        _leave(session, above, result, fix)
    return result


def _hold_still(session: Session, fix: bool) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(
            text(
                "LOCK TABLE tallies IN SHARE ROW EXCLUSIVE MODE"
                if fix
                else "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
            )
        )


def _leave(session: Session, above: list[tuple[int, str, Days]], result: Recount, fix: bool) -> None:
    """Everything below this organisation is added up: compare it and hand it on."""
    organisation_id, _, days = above.pop()
    found = _compare(session, organisation_id, days, result)
    result.note(found)
    if fix:
        _put_right(session, found)
    if above:
        for key, amount in days.items():
            above[-1][2][key] += amount


def _compare(session: Session, organisation_id: int, days: Days, result: Recount) -> list[Difference]:
    recomputed: Counter[tuple[str, str, date]] = Counter()
    for (day, measure), amount in days.items():
        for grain, first in starts(day).items():
            recomputed[grain, measure, first] += amount
    query = select(Tally.grain, Tally.measure, Tally.starts_on, Tally.value)
    rows = session.execute(query.where(Tally.organisation_id == organisation_id).execution_options(yield_per=AT_ONCE))
    found = []
    for grain, measure, first, stored in rows:
        result.compared += 1
        expected = recomputed.pop((grain, measure, first), 0)
        if stored != expected:
            found.append(Difference(organisation_id, grain, measure, first, stored, expected))
    result.compared += len(recomputed)
    found += [Difference(organisation_id, *key, 0, amount) for key, amount in recomputed.items() if amount]
    return found


def _put_right(session: Session, found: Sequence[Difference]) -> None:
    insert: Any = insert_for(session.get_bind().dialect)(Tally)
    upsert = insert.on_conflict_do_update(index_elements=KEY, set_={"value": insert.excluded.value})
    keys = [{name: getattr(difference, name) for name in KEY} for difference in found]
    rows = [{**key, "value": difference.recomputed} for key, difference in zip(keys, found, strict=True)]
    for begin in range(0, len(rows), AT_ONCE):
        session.connection().execute(upsert, rows[begin : begin + AT_ONCE])


# --- what one organisation's own rows add up to ---


def _own(session: Session, organisation_id: int) -> Days:
    days: Days = Counter()
    for part in _effects_at(session, organisation_id):
        for (_, day, measure), amount in part.items():
            days[day, measure] += amount
    return days


def _effects_at(session: Session, organisation_id: int) -> Iterator[Effects]:
    """The same functions that move the counters, over the rows that count for one organisation."""
    yield from _of_residents(session, organisation_id)
    yield from _of_enrolments(session, organisation_id)
    here = Record.village_id == organisation_id, Record.status == "current"
    yield from map(effects.record_effects, _stream(session, select(*RECORD).where(*here)))
    signed_here = Agreement.village_id == organisation_id, Agreement.status == "current"
    yield from map(agreement_effects.signature_effects, _stream(session, select(*AGREEMENT).where(*signed_here)))
    confirmed = select(Referral.confirmed_in, Referral.confirmed_on).where(Referral.confirmed_in == organisation_id)
    yield from map(referrals.effects, _stream(session, confirmed))


def _of_residents(session: Session, organisation_id: int) -> Iterator[Effects]:
    here = Resident.village_id == organisation_id
    residents = {row.id: row for row in _stream(session, select(*RESIDENT).where(here))}
    yield from map(effects.resident_effects, residents.values())
    agreements = select(*AGREEMENT).join(Resident, Resident.id == Agreement.resident_id)
    days, promise = effects.renewal_days(session), Promise.of(county(session))
    served = _served(session, organisation_id) if promise.counts else {}
    for resident_id, signed in _of_each(session, agreements.where(here).order_by(Agreement.resident_id), "resident_id"):
        resident = residents[resident_id]
        yield agreement_effects.validity_effects(signed, resident, days)
        yield agreement_effects.fulfilment_effects(signed, served.get(resident_id, ()), resident, promise)
    records = select(*RECORD).join(Resident, Resident.id == Record.resident_id)
    marked = cast(Record.marks, Text).contains(f'"{PERSON}')
    counted = records.where(here, marked, Record.status == "current")
    for _, of_resident in _of_each(session, counted.order_by(Record.resident_id), "resident_id"):
        for measure, given in effects.people_measures(of_resident).items():
            yield effects.people_effects(organisation_id, measure, given)


def _served(session: Session, organisation_id: int) -> dict[int, list[Row[Any]]]:
    """What was done for each resident of a village who has an agreement."""
    signed = select(Agreement.resident_id).where(Agreement.status == "current")
    query = select(*RECORD).join(Resident, Resident.id == Record.resident_id)
    here = Resident.village_id == organisation_id, Record.status == "current", Record.resident_id.in_(signed)
    return dict(_of_each(session, query.where(*here).order_by(Record.resident_id), "resident_id"))


def _of_enrolments(session: Session, organisation_id: int) -> Iterator[Effects]:
    here = Enrolment.village_id == organisation_id
    enrolments = {}
    of_resident = select(*ENROLMENT, Resident.status, Resident.status_on).join(
        Resident, Resident.id == Enrolment.resident_id
    )
    for row in _stream(session, of_resident.where(here)):
        gone = gone_on(row)
        enrolments[row.id] = row, effects.ends_on(row, gone)
        yield effects.enrolment_effects(row, gone)
    visits = (
        select(Enrolment.id.label("enrolment_id"), Record.on, Record.id, Record.marks)
        .join(Record, (Record.resident_id == Enrolment.resident_id) & (Record.programme == Enrolment.programme))
        .where(here, Record.status == "current")
        .order_by(Enrolment.id)
    )
    for enrolment_id, rows in _of_each(session, visits, "enrolment_id"):
        enrolment, until = enrolments[enrolment_id]
        given = [Visit(row.on, row.id, row.marks) for row in rows]
        yield effects.programme_effects(enrolment.programme, organisation_id, enrolment.since, given, until)


def _stream(session: Session, query: Any) -> Iterator[Row[Any]]:
    yield from session.execute(query.execution_options(yield_per=AT_ONCE))


def _of_each(session: Session, query: Any, key: str) -> Iterator[tuple[int, list[Row[Any]]]]:
    for value, rows in groupby(_stream(session, query), key=attrgetter(key)):
        yield value, list(rows)
