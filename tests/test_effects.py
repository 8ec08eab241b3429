"""Counters: whatever is recorded, corrected, withdrawn or moved, they say what the rows say (promise 6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count as numbers
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import agreement_effects, effects, tally
from models.base import Store
from models.enrolment import Enrolment
from models.figures import below, figures
from models.line_list import line_list
from models.people import HealthWorker, Organisation, Resident, Status
from models.record import Agreement, Record
from models.recount import recount
from models.scope import Scope
from models.visits import Visit, quarters_complete
from tests.databases import BACKENDS, fresh_store

DAY = timedelta(days=1)
COUNTY, TOWNSHIPS, VILLAGES = 1, (2, 3), (4, 5, 6)
PATHS = {1: "/1/", 2: "/1/2/", 3: "/1/3/", 4: "/1/2/4/", 5: "/1/2/5/", 6: "/1/3/6/"}
PROGRAMMES = ("hypertension", "diabetes")


# --- one row at a time ---


def visit(on: str, *marks: str, id: int = 1) -> Visit:
    return Visit(date.fromisoformat(on), id, marks)


def good(on: str, id: int = 1) -> Visit:
    return visit(on, "assessed", "controlled", "standard_visit", id=id)


def bad(on: str, id: int = 1) -> Visit:
    return visit(on, "assessed", "standard_visit", id=id)


def told(on: str) -> Visit:
    """By telephone: neither measured nor face to face."""
    return visit(on)


@pytest.mark.parametrize(
    ("visits", "day", "controlled"),
    [
        ([], "2026-12-31", 0),  # 失访
        ([good("2026-02-01")], "2026-01-31", 0),
        ([good("2026-02-01")], "2026-02-01", 1),
        ([good("2026-02-01"), bad("2026-05-01")], "2026-04-30", 1),
        ([good("2026-02-01"), bad("2026-05-01")], "2026-05-01", 0),
        ([good("2026-02-01"), told("2026-05-01")], "2026-05-01", 1),  # a call settles nothing
        ([good("2025-12-31")], "2026-01-01", 0),  # last year's value is last year's
        ([bad("2026-02-01", 1), good("2026-02-01", 2)], "2026-02-01", 1),  # the later of one day
        ([bad("2026-02-01", 2), good("2026-02-01", 1)], "2026-02-01", 0),
    ],
)
def test_controlled_is_the_latest_assessed_visit_of_the_year(visits: list[Visit], day: str, controlled: int) -> None:
    found = effects.programme_effects("hypertension", 4, date(2020, 1, 1), visits)
    assert up_to(found, "hypertension.controlled", date.fromisoformat(day)) == controlled


@pytest.mark.parametrize(
    ("since", "visits", "reached"),
    [
        ("2020-01-01", [], []),
        ("2020-01-01", [good("2026-03-31")], [1]),
        ("2020-01-01", [good("2026-04-01")], []),  # the first quarter was missed, and is not made up for
        ("2020-01-01", [good("2026-01-05"), good("2026-01-19"), good("2026-02-02"), good("2026-03-30")], [1]),
        ("2020-01-01", [good("2026-01-05"), told("2026-05-05")], [1]),  # a telephone call fills no quarter
        ("2020-01-01", [good("2026-01-05"), bad("2026-05-05")], [1, 2]),  # not controlled is still a visit
        ("2020-01-01", [good(f"2026-{m:02}-05") for m in (2, 5, 8, 11)], [1, 2, 3, 4]),
        ("2026-05-10", [good("2026-05-10")], [1, 2]),  # enrolled in the second quarter: due from there
        ("2026-05-10", [good("2026-07-10")], []),
        ("2026-05-10", [good("2026-02-10"), good("2026-06-10"), good("2026-07-10")], [1, 2, 3]),
        ("2026-05-10", [good("2026-05-02")], [1, 2]),  # the visit at which the illness was found
        ("2027-01-01", [good("2026-02-10")], []),  # not yet in the programme
    ],
)
def test_on_track_needs_every_quarter_due(since: str, visits: list[Visit], reached: list[int]) -> None:
    found = effects.programme_effects("hypertension", 4, date.fromisoformat(since), visits)
    end = date(2026, 12, 31)
    assert [q for q in (1, 2, 3, 4) if up_to(found, f"hypertension.on_track.q{q}", end)] == reached


def test_nothing_counts_before_the_enrolment() -> None:
    """Else the numerator would be larger than the people managed."""
    found = effects.programme_effects("hypertension", 4, date(2026, 5, 10), [good("2026-05-02")])
    assert {day for _, day, _ in found} == {date(2026, 5, 10)}


def test_a_second_visit_of_a_quarter_moves_nothing() -> None:
    found = effects.programme_effects("hypertension", 4, date(2020, 1, 1), [good("2026-01-05"), good("2026-03-05", 2)])
    assert found == Counter({(4, date(2026, 1, 5), f"hypertension.{m}"): 1 for m in ("controlled", "on_track.q1")})


@pytest.mark.parametrize(
    ("day", "complete"),
    [("2026-01-01", 1), ("2026-03-31", 1), ("2026-06-29", 1), ("2026-06-30", 2), ("2026-12-30", 3), ("2026-12-31", 4)],
)
def test_quarters_complete(day: str, complete: int) -> None:
    assert quarters_complete(date.fromisoformat(day)) == complete


@pytest.mark.parametrize(
    ("terms", "expired", "renewed"),
    [
        ([("2025-01-01", "2025-12-31")], {"2026-01-01"}, set()),
        ([("2025-01-01", "2025-12-31"), ("2026-01-01", "2026-12-31")], {"2026-01-01", "2027-01-01"}, {"2026-01-01"}),
        ([("2025-01-01", "2025-12-31"), ("2026-03-01", "2027-02-28")], {"2026-01-01", "2027-03-01"}, {"2026-01-01"}),
        ([("2025-01-01", "2025-12-31"), ("2026-03-02", "2027-03-01")], {"2026-01-01", "2027-03-02"}, set()),  # day 61
        ([("2025-01-01", "2025-12-31"), ("2025-01-01", "2026-12-31")], {"2027-01-01"}, set()),  # one inside the other
    ],
)
def test_renewals(terms: list[tuple[str, str]], expired: set[str], renewed: set[str]) -> None:
    found = agreement_effects.validity_effects([agreement(*term) for term in terms], resident())
    assert {str(day) for _, day, measure in found if measure == "signing.expired"} == expired
    assert {str(day) for _, day, measure in found if measure == "signing.renewed"} == renewed


def test_overlapping_agreements_are_one_person_signed() -> None:
    terms = [("2026-01-01", "2026-12-31"), ("2026-06-01", "2027-05-31")]
    found = agreement_effects.validity_effects(
        [agreement(*term) for term in terms], resident(groups=["脱贫人口", "老年人"])
    )
    for kind in ("general", "key", "poor"):
        assert up_to(found, f"signed.{kind}", date(2026, 7, 1)) == 1
        assert up_to(found, f"signed.{kind}", date(2027, 5, 31)) == 1
        assert up_to(found, f"signed.{kind}", date(2027, 6, 1)) == 0


def test_the_dead_are_neither_registered_nor_signed_nor_expired() -> None:
    dead = resident(status="died", status_on=date(2026, 5, 1))
    found = tally.total(
        [
            effects.resident_effects(dead),
            agreement_effects.validity_effects([agreement("2026-01-01", "2026-12-31")], dead),
        ]
    )
    for measure in ("residents.registered", "signed.general"):
        assert (up_to(found, measure, date(2026, 4, 30)), up_to(found, measure, date(2026, 5, 1))) == (1, 0)
    assert not any(measure == "signing.expired" for _, _, measure in found)


@pytest.mark.parametrize(
    ("groups", "key", "poor"),
    [
        ([], 0, 0),
        (["一般人群"], 0, 0),
        (["老年人"], 1, 0),
        (["65岁及以上老年人", "高血压患者", "脱贫人口"], 1, 1),
        (["低保户"], 1, 1),
        (["计划生育特殊家庭"], 1, 0),
    ],
)
def test_each_person_is_in_the_key_groups_once(groups: list[str], key: int, poor: int) -> None:
    found = effects.resident_effects(resident(groups=groups))
    day = date(2026, 1, 1)
    assert (up_to(found, "residents.key", day), up_to(found, "residents.poor", day)) == (key, poor)


def up_to(found: tally.Effects, measure: str, day: date) -> int:
    """Summed as the figures do it: a stock from the beginning, a programme's state from 1 January."""
    first = date(day.year, 1, 1) if "hypertension" in measure else date.min
    return sum(amount for (_, on, name), amount in found.items() if name == measure and first <= on <= day)


def resident(**given: Any) -> Any:
    row = {
        "village_id": 4,
        "groups": [],
        "status": "active",
        "status_on": None,
        "registered_on": date(2020, 1, 1),
        "born_on": None,
    }
    return SimpleNamespace(**(row | given))


def agreement(starts: str, ends: str) -> Any:
    return SimpleNamespace(
        starts_on=date.fromisoformat(starts), ends_on=date.fromisoformat(ends), status="current", village_id=4,
        ended_on=None, packages=[1], groups=[],
    )  # fmt: skip


# --- reading ---


@given(st.dates(date(2023, 11, 1), date(2027, 2, 1)), st.integers(0, 1200))
@settings(max_examples=60, deadline=None, database=None)
def test_a_period_falls_into_whole_pieces(first: date, length: int) -> None:
    after = first + length * DAY
    days: Counter[date] = Counter()
    parts = list(tally.pieces(first, after))
    for grain, begin, end in parts:
        assert begin is not None
        assert begin == tally.starts(begin)[grain]
        assert end == tally.starts(end)[grain]
        days.update(begin + n * DAY for n in range((end - begin).days))
    assert days == Counter(first + n * DAY for n in range(length))
    assert len(parts) <= 5


# --- everything together ---


@dataclass
class World:
    """A small county in which things happen; the rows are the truth that the counters are compared with."""

    session: Session
    residents: list[Resident] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    keys: Iterator[int] = field(default_factory=lambda: numbers(1))

    def enrolment(self, resident: Resident, programme: str) -> Enrolment | None:
        query = select(Enrolment).where(Enrolment.resident_id == resident.id, Enrolment.programme == programme)
        return self.session.scalar(query)

    def register(self, village: int, groups: list[str], on: date | None) -> None:
        resident = Resident(name="居民", village_id=village, groups=groups, status="active", registered_on=on)
        self.session.add(resident)
        self.session.flush()
        tally.count(self.session, effects.resident_effects(resident))
        self.residents.append(resident)

    def enrol(self, who: int, programme: str, on: date) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            if enrolment := self.enrolment(resident, programme):
                enrolment.since, enrolment.ended_on = on, None
            else:
                place = {"resident_id": resident.id, "village_id": resident.village_id}
                self.session.add(Enrolment(**place, programme=programme, since=on))

    def end(self, who: int, programme: str, on: date) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            if enrolment := self.enrolment(resident, programme):
                enrolment.ended_on = on

    def visit(self, who: int, programme: str, on: date, marks: list[str]) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            self._record(f"{programme}_follow_up", on, resident, programme=programme, marks=marks)

    def check(self, who: int, on: date) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            self._record("elderly_check", on, resident, marks=["person.people.elderly_check"])

    def event(self, village: int, on: date, people: int) -> None:
        record = self._record("outreach_clinic", on, None, village_id=village, counts={"outreach_attendances": people})
        tally.count(self.session, effects.record_effects(record))

    def withdraw(self, which: int) -> None:
        if self.records:
            self._set_aside(self.records[which % len(self.records)], "withdrawn")

    def correct(self, which: int, on: date, marks: list[str]) -> None:
        """Blocks nest: the outer one counts what the inner one does."""
        if not self.records:
            return
        old = self.records[which % len(self.records)]
        with effects.counted(self.session, [old.resident_id] if old.resident_id else []):
            self._set_aside(old, "corrected")
            resident = self.session.get(Resident, old.resident_id) if old.resident_id else None
            same = {"programme": old.programme, "village_id": old.village_id, "counts": old.counts}
            record = self._record(old.service, on, resident, marks=marks, corrects_id=old.id, **same)
        if resident is None:
            tally.count(self.session, effects.record_effects(record))

    def sign(self, who: int, starts: date, days: int) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            record = self._record("signing", starts, resident)
            place = {"record_id": record.id, "resident_id": resident.id, "village_id": resident.village_id}
            term = {"starts_on": starts, "ends_on": starts + days * DAY}
            self.agreements.append(Agreement(**place, **term, worker_id=1, status="current"))
            self.session.add(self.agreements[-1])

    def unsign(self, which: int) -> None:
        if self.agreements:
            agreement = self.agreements[which % len(self.agreements)]
            with effects.counted(self.session, [agreement.resident_id]):
                agreement.status = "withdrawn"

    def move(self, who: int, village: int) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            resident.village_id = village
            moved = update(Enrolment).where(Enrolment.resident_id == resident.id).values(village_id=village)
            self.session.execute(moved)

    def status(self, who: int, status: Status, on: date) -> None:
        resident = self._one(who)
        with effects.counted(self.session, [resident.id]):
            resident.status, resident.status_on = status, on

    def fail(self, village: int, on: date) -> None:
        """A message that goes wrong takes back what it counted, and nothing else."""
        tally.settle(self.session)
        with pytest.raises(LookupError), self.session.begin_nested():
            self.event(village, on, 7)
            raise LookupError
        self.records.pop()

    def _one(self, who: int) -> Resident:
        if not self.residents:
            self.register(4, ["老年人"], date(2024, 1, 1))
        return self.residents[who % len(self.residents)]

    def _set_aside(self, record: Record, status: str) -> None:
        with effects.counted(self.session, [record.resident_id] if record.resident_id else []):
            if record.resident_id is None:
                tally.count(self.session, tally.difference(Counter(), effects.record_effects(record)))
            record.status = status

    def _record(self, service: str, on: date, resident: Resident | None, **more: Any) -> Record:
        row = {
            "village_id": resident.village_id if resident else 4,
            "marks": [],
            "counts": {},
            "programme": None,
        } | more
        record = Record(
            draft_key=f"{next(self.keys)}", service=service, resident_id=resident.id if resident else None,
            worker_id=1, on=on, channel="console", recorded_at=datetime(2026, 1, 1, tzinfo=UTC), status="current", **row,
        )  # fmt: skip
        self.session.add(record)
        self.session.flush()
        self.records.append(record)
        return record


# few days and few people, so that things meet: quarters, year ends, the 60 days of a renewal
days = st.sampled_from(
    [
        date.fromisoformat(f"{y}-{d}")
        for y in (2025, 2026)
        for d in "01-01 02-10 03-31 04-01 05-20 07-15 11-02 12-31".split()
    ]
)
who = st.integers(0, 1)
programmes = st.sampled_from(PROGRAMMES)
villages = st.sampled_from(VILLAGES)
marks = st.sampled_from(
    ([], ["standard_visit"], ["assessed", "standard_visit"], ["assessed", "controlled", "standard_visit"], ["assessed"])
)
groups = st.sampled_from(([], ["老年人"], ["高血压患者", "脱贫人口"], ["一般人群"]))
happenings = st.lists(
    st.one_of(
        st.tuples(st.just("register"), villages, groups, st.one_of(st.none(), days)),
        st.tuples(st.just("enrol"), who, programmes, days),
        st.tuples(st.just("enrol"), who, st.just("hypertension"), days),
        st.tuples(st.just("end"), who, programmes, days),
        st.tuples(st.just("visit"), who, programmes, days, marks),
        st.tuples(st.just("visit"), who, st.just("hypertension"), days, marks),
        st.tuples(st.just("check"), who, days),
        st.tuples(st.just("event"), villages, days, st.integers(0, 50)),
        st.tuples(st.just("withdraw"), who),
        st.tuples(st.just("correct"), who, days, marks),
        st.tuples(st.just("sign"), who, days, st.sampled_from((49, 364))),
        st.tuples(st.just("unsign"), who),
        st.tuples(st.just("move"), who, villages),
        st.tuples(st.just("status"), who, st.sampled_from([s for s in Status if s != Status.MERGED]), days),
        st.tuples(st.just("fail"), villages, days),
    ),
    min_size=1,
    max_size=14,
)


@pytest.fixture(scope="module", params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A county without people, on each database."""
    with fresh_store(request.param) as store:
        with store.write() as session:
            for id, path in PATHS.items():
                level = {1: "county", 2: "township"}.get(path.count("/") - 1, "village")
                above = [int(part) for part in path.strip("/").split("/")][:-1]
                parent = above[-1] if above else None
                more = {"level": level, "parent_id": parent, "path": path, "population": 10 * id, "denominators": {}}
                session.add(Organisation(id=id, code=f"4312{id}", name=f"地方{id}", **more))
                session.flush()
            session.add(HealthWorker(id=1, code="w1", name="李梅", role="doctor", organisation_id=4))
            session.commit()
        yield store


@contextmanager
def world(store: Store) -> Iterator[World]:
    """Everything happens in one transaction that is rolled back."""
    with store.write() as session:
        yield World(session)
        session.rollback()


def test_counters_equal_the_rows(store: Store) -> None:
    """Fewer stories on PostgreSQL: there only the statements differ, not the arithmetic."""

    @given(story=happenings, first=days, last=days, today=days)
    @settings(max_examples=50 if store.is_sqlite else 10, deadline=None, database=None)
    def told(story: list[tuple[Any, ...]], first: date, last: date, today: date) -> None:
        live(store, story, first, last, today)

    told()


GOOD = ["assessed", "controlled", "standard_visit"]
NEW_YEAR, MAY = date(2026, 1, 1), date(2026, 5, 20)
PATIENT = [("register", 4, ["老年人"], date(2025, 1, 1)), ("enrol", 0, "hypertension", date(2025, 1, 1))]


@pytest.mark.parametrize(
    "story",
    [
        [*PATIENT, ("end", 0, "hypertension", NEW_YEAR - DAY)],  # not managed this year
        [*PATIENT, ("end", 0, "hypertension", NEW_YEAR)],  # still managed this year
        [*PATIENT, ("end", 0, "hypertension", MAY)],
        [*PATIENT, ("end", 0, "hypertension", date(2024, 5, 1))],  # ended before it began: a slip
        [*PATIENT, ("end", 0, "hypertension", NEW_YEAR - DAY), ("visit", 0, "hypertension", MAY, GOOD)],
        [*PATIENT, ("status", 0, Status.DIED, MAY), ("visit", 0, "hypertension", NEW_YEAR, GOOD)],
        [*PATIENT, ("visit", 0, "hypertension", MAY, GOOD), ("move", 0, 6), ("withdraw", 0)],
        [*PATIENT, ("sign", 0, MAY - 30 * DAY, 29), ("status", 0, Status.DIED, MAY)],  # dead the day after the last
        [*PATIENT, ("sign", 0, MAY - 30 * DAY, 29), ("status", 0, Status.DIED, MAY + DAY)],
        [("register", 4, ["老年人"], MAY + DAY), ("sign", 0, NEW_YEAR, 364)],  # signed before the record was opened
        [("register", 4, ["脱贫人口"], None), ("sign", 0, NEW_YEAR, 364)],  # signed without a record
    ],
)
def test_at_the_edges(store: Store, story: list[tuple[Any, ...]]) -> None:
    for day in (MAY, date(2026, 12, 31)):
        live(store, story, NEW_YEAR, day, day)


def live(store: Store, story: list[tuple[Any, ...]], first: date, last: date, today: date) -> None:
    """Let it happen, then compare counters, figures and lists with the rows."""
    with world(store) as w:
        for name, *arguments in story:
            with w.session.begin_nested() if name != "fail" else contextless():
                getattr(w, name)(*arguments)
        w.session.flush()
        checked = recount_inside(w.session)
        assert checked.differing == 0, checked.differences
        for organisation_id, path in PATHS.items():
            organisation = w.session.get_one(Organisation, organisation_id)
            found = {f.code: f for f in figures(w.session, organisation, first, last, today)}
            assert said(found) == naive(w, path, first, min(last, today)), organisation_id
        for organisation_id in (COUNTY, *TOWNSHIPS):
            organisation = w.session.get_one(Organisation, organisation_id)
            for child, same in below(w.session, organisation, first, last, today):
                assert same == figures(w.session, child, first, last, today)
        township = w.session.get_one(Organisation, 2)
        found = {f.code: f for f in figures(w.session, township, first, last, today)}
        lists_agree(w.session, township, found, first, last, today)


@contextmanager
def contextless() -> Iterator[None]:
    yield


def recount_inside(session: Session) -> Any:
    """`fix` locks instead of asking for a transaction of its own, which has begun long ago here."""
    return recount(session, fix=True)


def said(found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {code: (found[code].numerator, found[code].denominator) for code in naive_codes()}


def naive_codes() -> list[str]:
    rates = [f"{p}_{rate}" for p in PROGRAMMES for rate in ("managed", "standardised_rate", "control_rate")]
    signing = [f"signing_rate_{kind}" for kind in ("general", "key", "poor")]
    counts = ["count.hypertension_follow_up", "count.elderly_check", "outreach_sessions", "outreach_attendances"]
    more = ["health_record_coverage", "elderly_managed", "signing_renewal_rate", "agreements_signed"]
    return [*rates, *signing, *counts, *more]


def naive(w: World, path: str, first: date, day: date) -> dict[str, tuple[int, int | None]]:
    """The same figures, counted over the rows as a person with a pencil would."""
    places = {place for place, below in PATHS.items() if below.startswith(path)}
    residents = [r for r in w.session.scalars(select(Resident)) if r.village_id in places]
    records = [r for r in w.session.scalars(select(Record)) if r.status == "current"]
    agreements = [a for a in w.session.scalars(select(Agreement)) if a.status == "current"]
    enrolments = [e for e in w.session.scalars(select(Enrolment)) if e.village_id in places]
    january = date(day.year, 1, 1)

    def here(r: Resident) -> bool:
        return r.status in ("active", "absent") or (r.status_on is not None and r.status_on > day)

    def gone(r: Resident) -> date:
        return date.max if r.status in ("active", "absent") else r.status_on or date.min

    result: dict[str, tuple[int, int | None]] = {}
    for p in PROGRAMMES:
        in_care = [
            e
            for e in enrolments
            if e.programme == p
            and e.since <= day
            and max(e.since, min(e.ended_on or date.max, gone(w.session.get_one(Resident, e.resident_id)))) >= january
        ]
        on_track = controlled = 0
        for e in in_care:
            mine = [
                r for r in records if r.resident_id == e.resident_id and r.programme == p and january <= r.on <= day
            ]
            measured = sorted((r for r in mine if "assessed" in r.marks), key=lambda r: (r.on, r.id))
            controlled += bool(measured) and "controlled" in measured[-1].marks
            begin = (e.since.month - 1) // 3 if e.since.year == day.year else 0
            over = [q for q in range(4) if date(day.year + (q == 3), (3 * q + 3) % 12 + 1, 1) <= day + DAY] or [0]
            due = {q for q in over if q >= begin} | {begin}
            on_track += due <= {(r.on.month - 1) // 3 for r in mine if "standard_visit" in r.marks}
        result[f"{p}_managed"] = len(in_care), None
        result[f"{p}_standardised_rate"] = on_track, len(in_care)
        result[f"{p}_control_rate"] = controlled, len(in_care)

    def signed(r: Resident) -> bool:
        return any(a.resident_id == r.id and a.starts_on <= day <= a.ends_on for a in agreements)

    known = [r for r in residents if here(r) and (r.registered_on is None or r.registered_on <= day)]
    key = [r for r in known if any(g in ("老年人", "高血压患者", "脱贫人口") for g in r.groups)]
    poor = [r for r in known if "脱贫人口" in r.groups]
    people = 10 * next(id for id, p in PATHS.items() if p == path)
    result["signing_rate_general"] = sum(signed(r) for r in residents if here(r)), people
    result["signing_rate_key"] = sum(signed(r) for r in key), len(key)
    result["signing_rate_poor"] = sum(signed(r) for r in poor), len(poor)
    result["health_record_coverage"] = sum(r.registered_on is not None for r in known), people
    checked = [r for r in records if "person.people.elderly_check" in r.marks and january <= r.on <= day]
    result["elderly_managed"] = len({r.resident_id for r in checked} & {r.id for r in residents}), None
    within = [r for r in records if first <= r.on <= day and r.village_id in places]
    for service in ("hypertension_follow_up", "elderly_check"):
        result[f"count.{service}"] = sum(r.service == service for r in within), None
    clinics = [r for r in within if r.service == "outreach_clinic"]
    result["outreach_sessions"] = len(clinics), None
    result["outreach_attendances"] = sum(r.counts["outreach_attendances"] for r in clinics), None
    result["agreements_signed"] = (
        sum(first <= a.starts_on <= day and a.village_id in places for a in agreements),
        None,
    )
    expired = renewed = 0
    for r in residents:
        terms = {(a.starts_on, a.ends_on) for a in agreements if a.resident_id == r.id}
        for end in {e for s, e in terms if not any(s2 <= s and e2 > e for s2, e2 in terms)}:
            if first <= end + DAY <= day and end + DAY < gone(r):
                expired += 1
                renewed += any(e2 > end and s2 <= end + 60 * DAY for s2, e2 in terms)
    result["signing_renewal_rate"] = renewed, expired
    return result


def lists_agree(
    session: Session, organisation: Organisation, found: dict[str, Any], first: date, last: date, today: date
) -> None:
    """As many names behind a figure as the figure says."""
    scope = Scope(organisation.id, organisation.path)
    for code in naive_codes():
        listed = line_list(session, scope, code, first, last, today, limit=100)
        if listed is None or code in ("health_record_coverage", *(c for c in found if c.startswith("signing_rate"))):
            continue  # these lists hold more than the figure misses: people off the register, agreements about to end
        figure = found[code]
        expected = figure.value if figure.unit != "%" else figure.denominator - figure.numerator
        assert (listed.total, len(listed.lines)) == (expected, expected), code


def test_recount_finds_and_mends(store: Store) -> None:
    with world(store) as w:
        w.register(4, ["老年人"], date(2026, 1, 1))
        w.event(5, date(2026, 3, 3), 20)
        tally.settle(w.session)
        right = w.session.execute(select(tally.Tally).order_by(*tally.Tally.__table__.primary_key)).scalars().all()
        before = [(t.organisation_id, t.grain, t.measure, t.starts_on, t.value) for t in right]
        w.session.execute(update(tally.Tally).where(tally.Tally.grain == "m").values(value=tally.Tally.value + 1))
        months = sum(grain == "m" for _, grain, *_ in before)
        found = recount(w.session, fix=True)
        assert len(found) == months
        assert str(next(iter(found))).startswith("organisation ")
        w.session.expire_all()
        again = w.session.execute(select(tally.Tally).order_by(*tally.Tally.__table__.primary_key)).scalars().all()
        assert [(t.organisation_id, t.grain, t.measure, t.starts_on, t.value) for t in again] == before
        assert not recount(w.session, fix=True)
