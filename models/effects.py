"""What stored rows add to the figures: pure functions from rows to `Effects` (promise 6).

Everything about a person is counted where they live now, so that numerator and denominator always stand in the same
village; what was done (records, signatures) is counted where it was done. A figure never needs more than these
measures, and a counter never moves except by a difference of these functions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Text, bindparam, cast, select
from sqlalchemy.orm import Session

from models.agreement_effects import RENEWAL_DAYS, agreement_effects, fulfilment_effects
from models.county import county, decided
from models.enrolment import Enrolment
from models.fulfilment import Promise
from models.groups import KEY_GROUPS, POOR_GROUPS, belongs
from models.people import Resident
from models.prepared import Prepared
from models.record import Agreement, Record
from models.spans import BEGINNING, NEVER, gone_on, known_from, while_here
from models.tally import Effects, count, difference, stock, total
from models.visits import Visit, by_year, control_steps, on_track_days

NOTHING_PROMISED = Promise("", {}, by_phone=False)

ELDERLY_FROM = 65
"""The age from which a resident is one of the elderly: from 1 January of the year they reach it, as the county counts a year."""

PERSON = "person."
"""How a mark begins that counts the resident once a year, under the measure named after it: `person.children_followed`."""

IMPLIED = {"referral_up": "referrals_up", "referral_down": "referrals_down"}
"""A record of these services is one of these, unless it says itself how many."""


def resident_effects(resident: Resident | Row[Any]) -> Effects:
    """Stocks `residents.registered`, `residents.elderly`, and `residents.key` and `residents.poor` for whoever belongs there.

    From the day of registration 建档日期 until death or move. Without that day there is no health record to count, but a
    person in a key group still is one: they are counted from the beginning, and an old one from the year they turn 65.
    """
    spans = while_here([(resident.registered_on or BEGINNING, None)], resident)
    kinds = [("key", KEY_GROUPS), ("poor", POOR_GROUPS)]
    parts = [
        stock(resident.village_id, f"residents.{name}", spans) for name, kind in kinds if belongs(resident.groups, kind)
    ]
    if resident.registered_on:
        parts.append(stock(resident.village_id, "residents.registered", spans))
    if resident.born_on:
        old = date(resident.born_on.year + ELDERLY_FROM, 1, 1)
        parts.append(stock(resident.village_id, "residents.elderly", known_from(spans, old)))
    return total(parts)


def enrolment_effects(enrolment: Enrolment | Row[Any], gone: date | None = None) -> Effects:
    """Flows `<programme>.enrolled` and `<programme>.ended`; a death or move ends it even if nobody said so."""
    if gone == NEVER:
        return Counter()
    until = ends_on(enrolment, gone)
    result: Effects = Counter({(enrolment.village_id, enrolment.since, f"{enrolment.programme}.enrolled"): 1})
    if until is not None:
        result[enrolment.village_id, until, f"{enrolment.programme}.ended"] += 1
    return result


def ends_on(enrolment: Enrolment | Row[Any], gone: date | None) -> date | None:
    """The last day in a programme, never before the first."""
    ends = [day for day in (enrolment.ended_on, gone) if day is not None]
    return max(enrolment.since, min(ends)) if ends else None


def record_effects(record: Record | Row[Any]) -> Effects:
    """Flows `count.<service>` 1 and what the record says it counts; of a corrected or withdrawn one nothing."""
    result: Effects = Counter()
    if record.status == "current":
        result[record.village_id, record.on, f"count.{record.service}"] = 1
        counts: Mapping[str, Any] = record.counts
        if implied := IMPLIED.get(record.service):
            counts = {implied: 1, **counts}
        for measure, amount in counts.items():
            result[record.village_id, record.on, measure] += int(amount)
    return result


def programme_effects(
    programme: str, village_id: int, since: date, visits: Iterable[Visit], until: date | None = None
) -> Effects:
    """Of one resident in one programme, per calendar year: `<programme>.controlled` and `<programme>.on_track.q1` … `q4`.

    Summed from 1 January up to a day, `controlled` tells who is controlled at their latest assessed visit of the year,
    and `on_track.q3` who had a standard visit in every quarter due up to the third. Only years in the programme count,
    and nothing before the day of enrolment, so that no numerator exceeds the people managed.
    """
    result: Effects = Counter()
    for year, of_year in by_year(visits):
        if since.year <= year <= (until or date.max).year:
            for day, step in control_steps(of_year):
                result[village_id, max(day, since), f"{programme}.controlled"] += step
            for up_to, day in on_track_days(since, year, of_year):
                result[village_id, day, f"{programme}.on_track.q{up_to}"] += 1
    return result


def people_effects(village_id: int, measure: str, visits: Iterable[Visit]) -> Effects:
    """One resident counts once a year, on the day of the first record."""
    return Counter({(village_id, of_year[0].on, measure): 1 for _, of_year in by_year(visits)})


def people_measures(records: Iterable[Record | Row[Any]]) -> Mapping[str, list[Visit]]:
    """Measure -> the current records of one resident that count them as a person: by a mark."""
    found: defaultdict[str, list[Visit]] = defaultdict(list)
    for record in records:
        if record.status == "current":
            for mark in map(str, record.marks):
                if mark.startswith(PERSON):
                    found[mark.removeprefix(PERSON)].append(Visit(record.on, record.id, record.marks))
    return found


def counts_as(measure: str) -> ColumnElement[bool]:
    """Condition: a record is marked to count the resident under a measure."""
    return cast(Record.marks, Text).contains(f'"{PERSON}{measure}"')


# --- one resident altogether ---

Parts = dict[Any, tuple[Callable[..., Effects], tuple[Any, ...]]]
"""Functions with the rows that they are given, by what each of them is about; their effects add up."""


def person_effects(
    resident: Resident | Row[Any],
    enrolments: Sequence[Enrolment | Row[Any]],
    records: Sequence[Record | Row[Any]],
    agreements: Sequence[Agreement | Row[Any]],
    renewal_days: int = RENEWAL_DAYS,
    promise: Promise = NOTHING_PROMISED,
) -> Effects:
    """Everything about one resident, from all their rows."""
    parts = _person_parts(resident, enrolments, records, agreements, renewal_days, promise)
    return total(effects(*rows) for effects, rows in parts.values())


def _person_parts(
    resident: Resident | Row[Any],
    enrolments: Sequence[Enrolment | Row[Any]],
    records: Sequence[Record | Row[Any]],
    agreements: Sequence[Agreement | Row[Any]],
    renewal_days: int,
    promise: Promise,
) -> Parts:
    gone = gone_on(resident)
    parts: Parts = {
        "resident": (resident_effects, (resident,)),
        "agreements": (agreement_effects, (agreements, resident, renewal_days)),
        "promised": (fulfilment_effects, (agreements, records, resident, promise)),
    }
    for record in records:
        parts["record", record.id] = record_effects, (record,)
    for enrolment in enrolments:
        programme, until = enrolment.programme, ends_on(enrolment, gone)
        parts["enrolment", programme] = enrolment_effects, (enrolment, gone)
        for year, visits in by_year(_visits(record for record in records if record.programme == programme)):
            place = programme, enrolment.village_id, enrolment.since
            parts["programme", programme, year] = programme_effects, (*place, visits, until)
    for measure, visits in people_measures(records).items():
        parts["people", measure] = people_effects, (resident.village_id, measure, visits)
    return parts


def _visits(records: Iterable[Record | Row[Any]]) -> list[Visit]:
    return [Visit(record.on, record.id, record.marks) for record in records if record.status == "current"]


RESIDENT = (
    Resident.id, Resident.village_id, Resident.groups, Resident.status, Resident.status_on, Resident.registered_on,
    Resident.born_on,
)  # fmt: skip
ENROLMENT = (
    Enrolment.resident_id, Enrolment.id, Enrolment.village_id, Enrolment.programme, Enrolment.since, Enrolment.ended_on,
)  # fmt: skip
RECORD = (
    Record.resident_id, Record.id, Record.village_id, Record.service, Record.programme, Record.on.label("on"),
    Record.marks, Record.counts, Record.status, Record.mode, Record.flags,
)  # fmt: skip
AGREEMENT = (
    Agreement.resident_id, Agreement.village_id, Agreement.starts_on, Agreement.ends_on, Agreement.status,
    Agreement.ended_on, Agreement.packages, Agreement.groups,
)  # fmt: skip
"""The columns that effects are made of."""

# the lock keeps two doctors who see one patient at the same moment from counting the same quarter twice
_LOCKED = Prepared(select(*RESIDENT).where(Resident.id == bindparam("resident")).with_for_update(key_share=True))
_ENROLMENTS = Prepared(select(*ENROLMENT).where(Enrolment.resident_id == bindparam("resident")))
_RECORDS = Prepared(select(*RECORD).where(Record.resident_id == bindparam("resident"), Record.status == "current"))
_AGREEMENTS = Prepared(
    select(*AGREEMENT).where(Agreement.resident_id == bindparam("resident"), Agreement.status == "current")
)


def _parts_of(session: Session, resident_ids: Iterable[int]) -> Parts:
    """Everything the database holds about these residents, flushed changes included. Four queries for each."""
    days, promise = renewal_days(session), Promise.of(county(session))
    parts: Parts = {}
    for resident_id in sorted(resident_ids):  # always locked in one order
        if resident := _LOCKED.first(session, resident=resident_id):
            enrolments, records, agreements = (
                query.rows(session, resident=resident_id) for query in (_ENROLMENTS, _RECORDS, _AGREEMENTS)
            )
            of_one = _person_parts(resident, enrolments, records, agreements, days, promise)
            parts |= {(resident_id, about): part for about, part in of_one.items()}
    return parts


def _change(before: Parts, after: Parts) -> Effects:
    """What has to be counted to get from one to the other; what stands in both need not be worked out."""
    changed = {about for about in before.keys() | after.keys() if before.get(about) != after.get(about)}
    was, now = (
        total(effects(*rows) for about, (effects, rows) in parts.items() if about in changed)
        for parts in (before, after)
    )
    return difference(now, was)


def renewal_days(session: Session) -> int:
    """The county's setting; after changing it, the counters are to be recounted."""
    return int(decided(county(session), "signing.renewal_days"))


@contextmanager
def counted(session: Session, resident_ids: Iterable[int]) -> Iterator[None]:
    """Whatever changes about these residents inside the block moves the counters by exactly the difference.

    Blocks nest: a resident whom an outer block already counts is left to it. Nothing about them may be counted by hand
    inside; events without a resident, and residents who did not exist before, are counted by their own effects.
    """
    counting: set[int] = session.info.setdefault("counting", set())
    mine = set(resident_ids) - counting
    session.flush()
    before = _parts_of(session, mine)
    counting |= mine
    try:
        yield
    finally:
        counting -= mine
    session.flush()
    count(session, _change(before, _parts_of(session, mine)))
