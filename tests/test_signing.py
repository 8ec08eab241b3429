"""Agreements as they stand on a day, and whether what they promise has been given: rows, counters and lists say the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count as numbers
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from handlers.forms import signing
from handlers.steps import Known
from models import agreements, effects, tally
from models.agreements import Standing, State
from models.base import Store
from models.county import COUNTY_SETTINGS
from models.figures import figures
from models.fulfilment import DEFAULT_PACKAGES, ITEMS, Promise, fulfilled_since, progress
from models.line_list import line_list
from models.people import HealthWorker, Organisation, Resident, Status
from models.record import Agreement, Record
from models.recount import recount
from models.scope import Scope
from models.services import SERVICES
from tests.databases import BACKENDS, fresh_store, undone

DAY = timedelta(days=1)
RULES = {
    "signing.fulfilment": "person",
    "signing.package_items": {"1": {"health_education": 1, "hypertension_follow_up": 2}, "2": {"elderly_check": 1}},
}
PROMISE = Promise.of(RULES)


# --- how an agreement stands ---


def standing(starts: str, last: str, **more: Any) -> Standing:
    row = {"id": 1, "record_id": 1, "number": "n", "doctor": "李梅", "mine": True, "packages": [1], "groups": [],
           "end_reason": None, "renewed": False} | more  # fmt: skip
    return Standing(starts_on=date.fromisoformat(starts), last_on=date.fromisoformat(last), **row)


@pytest.mark.parametrize(
    ("agreement", "today", "state"),
    [
        (standing("2026-01-01", "2026-12-31"), "2025-12-31", State.COMING),
        (standing("2026-01-01", "2026-12-31"), "2026-01-01", State.VALID),
        (standing("2026-01-01", "2026-12-31"), "2026-11-01", State.ENDING),  # 60 days before its end
        (standing("2026-01-01", "2026-12-31"), "2026-10-31", State.VALID),
        (standing("2026-01-01", "2026-12-31"), "2026-12-31", State.ENDING),
        (standing("2026-01-01", "2026-12-31"), "2027-01-01", State.EXPIRED),
        (standing("2026-01-01", "2026-12-31", renewed=True), "2027-01-01", State.RENEWED),
        (standing("2026-01-01", "2026-05-01", end_reason=3), "2026-04-30", State.ENDING),
        (standing("2026-01-01", "2026-05-01", end_reason=3), "2026-05-01", State.ENDED),  # its last day
        (standing("2026-01-01", "2026-05-01", end_reason=3), "2026-05-02", State.ENDED),
        (standing("2026-01-01", "2025-12-31", end_reason=4), "2026-01-01", State.ENDED),  # replaced before it began
    ],
)
def test_states(agreement: Standing, today: str, state: State) -> None:
    assert agreement.state(date.fromisoformat(today)) == state


def signed(known: Known) -> Any:
    """What the form asks about the agreements that hold."""
    return signing.form.check(known)


def test_one_doctor_at_a_time_is_said_and_asked() -> None:
    theirs = standing("2026-01-01", "2026-12-31", doctor="赵红", mine=False)
    known = Known(date(2026, 11, 24), {"package": [1]}, agreements=lambda: [theirs])
    doubt = signed(known)
    assert "赵红医生(到2026-12-31)" in doubt.ask
    (_, change), (_, later) = doubt.options
    assert change == {"action": signing.FROM_ANOTHER, "replaces": [1]} and later["starts_on"] == "2027-01-01"
    for settled in (change, later):
        assert signed(Known(date(2026, 11, 24), {"package": [1], **settled}, agreements=lambda: [theirs])) is None


@pytest.mark.parametrize(
    ("answers", "term"),
    [
        ({}, ("2026-11-24", "2027-11-23")),
        ({"term_years": 3}, ("2026-11-24", "2029-11-23")),
        ({"starts_on": "2027-01-01"}, ("2027-01-01", "2027-12-31")),  # M-26
        ({"on": "2028-02-29"}, ("2028-02-29", "2029-02-28")),
        ({"action": signing.RENEWAL}, ("2027-01-11", "2028-01-10")),  # after the last day of the one that holds
        ({"action": signing.ADDITION}, ("2026-11-24", "2027-01-10")),  # ends with it
        ({"action": signing.ADDITION, "term_years": 1}, ("2026-11-24", "2027-11-23")),
    ],
)
def test_terms(answers: dict[str, Any], term: tuple[str, str]) -> None:
    own = standing("2026-01-11", "2027-01-10")
    held = "action" in answers
    known = Known(date(2026, 11, 24), answers, agreements=lambda: [own] if held else [])
    found = signing.derive(answers, known)
    assert (found["starts_on"], found["ends_on"]) == term
    assert found.get("renews") == (1 if answers.get("action") == signing.RENEWAL else None)


def test_after_the_end_it_is_a_renewal_and_a_number_is_used_once() -> None:
    over = standing("2025-01-01", "2025-12-31", number="QY-7")
    known = Known(date(2026, 2, 1), {"package": [1]}, agreements=lambda: [over])
    assert signing.derive({}, known)["action"] == signing.RENEWAL
    again = Known(date(2026, 2, 1), {"package": [1], "agreement_number": "QY-7"}, agreements=lambda: [over])
    assert "已经用过" in signed(again).ask


def test_groups_follow_from_the_register_but_not_those_nobody_should_read() -> None:
    known = Known(date(2026, 2, 1), age=70, programmes=frozenset({"hypertension", "mental_health", "tb"}))
    assert signing.groups_known(known) == [1, 2]


# --- what a package promises ---


def agreement(starts: str = "2026-01-01", ends: str = "2026-12-31", **more: Any) -> Any:
    row = {"status": "current", "village_id": 3, "packages": [1], "groups": [2], "ended_on": None} | more
    return SimpleNamespace(starts_on=date.fromisoformat(starts), ends_on=date.fromisoformat(ends), **row)


def done(service: str, on: str, marks: tuple[str, ...] = (), **more: Any) -> Any:
    row = {"status": "current", "mode": 1, "flags": []} | more
    return SimpleNamespace(service=service, on=date.fromisoformat(on), marks=marks, **row)


EDUCATED = done("signing_service", "2026-03-01", ("item.health_education",))
SEEN, AGAIN = done("hypertension_follow_up", "2026-02-01"), done("hypertension_follow_up", "2026-05-01")


@pytest.mark.parametrize(
    ("records", "since"),
    [
        ([], None),
        ([EDUCATED, SEEN], None),
        ([EDUCATED, SEEN, AGAIN], "2026-05-01"),
        ([SEEN, AGAIN], None),
        ([EDUCATED, SEEN, SEEN], None),  # two records of a day are one
        ([EDUCATED, SEEN, done("hypertension_follow_up", "2025-12-31")], None),  # before the agreement
        ([EDUCATED, SEEN, done("hypertension_follow_up", "2027-01-01")], None),  # after it
        ([EDUCATED, SEEN, done("hypertension_follow_up", "2026-05-01", mode=3)], None),  # a call
        ([EDUCATED, SEEN, done("hypertension_follow_up", "2026-05-01", flags=["not_seen"])], None),
        ([EDUCATED, SEEN, done("hypertension_follow_up", "2026-05-01", status="withdrawn")], None),
        ([EDUCATED, SEEN, done("signing_service", "2026-06-01", ("item.hypertension_follow_up",))], "2026-06-01"),
    ],
)
def test_fulfilled_since(records: list[Any], since: str | None) -> None:
    found = fulfilled_since(agreement(), records, PROMISE)
    assert found == (date.fromisoformat(since) if since else None)


def test_what_is_for_a_group_is_promised_to_that_group_only() -> None:
    assert {one.item.code for one in progress(agreement(groups=[]), [], PROMISE)} == {"health_education"}
    assert fulfilled_since(agreement(groups=[]), [EDUCATED], PROMISE) == date(2026, 3, 1)
    assert {one.item.code for one in progress(agreement(packages=[2], groups=[1]), [], PROMISE)} == {"elderly_check"}
    assert (
        fulfilled_since(agreement(packages=[3]), [EDUCATED], PROMISE) is None
    )  # nothing promised is nothing fulfilled


def test_three_years_promise_three_times_as_much() -> None:
    three = progress(agreement(ends="2028-12-31"), [], PROMISE)
    assert {one.item.code: one.times for one in three} == {"health_education": 3, "hypertension_follow_up": 6}


def test_calls_count_where_the_county_says_so() -> None:
    by_phone = Promise.of({**RULES, "signing.phone_counts": True})
    call = done("hypertension_follow_up", "2026-05-01", mode=3)
    assert fulfilled_since(agreement(), [EDUCATED, SEEN, call], by_phone) == date(2026, 5, 1)


def test_nothing_is_counted_until_the_county_has_decided() -> None:
    undecided = Promise.of({})
    assert not undecided.counts and undecided.packages is DEFAULT_PACKAGES
    assert not effects.fulfilment_effects([agreement()], [], resident(), undecided)
    assert all(setting.certainty for setting in COUNTY_SETTINGS.values())


def test_items_name_services_that_exist() -> None:
    assert {service for item in ITEMS.values() for service in item.services} <= set(SERVICES)
    assert {code for items in DEFAULT_PACKAGES.values() for code in items} <= set(ITEMS)


def resident(**given: Any) -> Any:
    row = {
        "village_id": 3,
        "groups": [],
        "status": "active",
        "status_on": None,
        "registered_on": date(2020, 1, 1),
        "born_on": None,
    }
    return SimpleNamespace(**(row | given))


# --- ended before its time ---


def flows(found: tally.Effects, measure: str) -> dict[str, int]:
    return {str(day): amount for (_, day, name), amount in found.items() if name == measure and amount}


def test_an_ended_agreement_neither_holds_nor_expires() -> None:
    ended = agreement(ended_on=date(2026, 5, 1), packages=[1, 3])
    found = effects.agreement_effects([ended], resident())
    assert flows(found, "signed.general") == {"2026-01-01": 1, "2026-05-02": -1}
    assert flows(found, "agreements_ended") == {"2026-05-01": 1}
    assert flows(found, "agreements_personalised") == {"2026-01-01": 1}
    assert not flows(found, "signing.expired")


def test_another_doctor_takes_over_without_a_gap() -> None:
    ours = agreement("2026-05-02", "2027-05-01")
    found = effects.agreement_effects([agreement(ended_on=date(2026, 5, 1)), ours], resident())
    assert flows(found, "signed.general") == {"2026-01-01": 1, "2027-05-02": -1}
    assert flows(found, "signing.expired") == {"2027-05-02": 1}


# --- everything together ---

PATHS = {1: "/1/", 2: "/1/2/", 3: "/1/2/3/", 4: "/1/2/4/"}


@pytest.fixture(scope="module", params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        with store.write() as session:
            for id, path in PATHS.items():
                level = ("county", "township", "village")[path.count("/") - 2]
                parent = int(path.split("/")[-3]) if id > 1 else None
                row = Organisation(
                    id=id, code=f"c{id}", name=f"地方{id}", level=level, parent_id=parent, path=path, denominators={}
                )
                session.add(row)
                session.flush()
            session.add(HealthWorker(id=1, code="w1", name="李梅", role="doctor", organisation_id=3))
            session.add(HealthWorker(id=2, code="w2", name="赵红", role="doctor", organisation_id=4))
            session.add(
                Resident(
                    id=1,
                    name="张桂兰",
                    village_id=3,
                    groups=["老年人"],
                    status="active",
                    registered_on=date(2020, 1, 1),
                )
            )
            session.flush()
            recount(session, fix=True)
            session.commit()
        store.county = RULES
        yield store


KEYS = numbers(1)


def record(session: Session, service: str, on: date, **more: Any) -> Record:
    row = Record(
        draft_key=f"s.{next(KEYS)}", service=service, resident_id=1, worker_id=1, village_id=3, on=on, channel="console",
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC), status="current", **{"marks": [], "counts": {}, "flags": [], "mode": 1, **more},
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def sign(
    session: Session, on: date, days: int, replaces: tuple[int, ...] = (), worker: int = 1, **more: Any
) -> Agreement:
    made = record(session, "signing", on, **more)
    row = Agreement(
        record_id=made.id, resident_id=1, village_id=3, worker_id=worker, packages=[1], groups=[2], starts_on=on,
        ends_on=on + days * DAY, status="current",
    )  # fmt: skip
    agreements.conclude(session, row, replaces)
    return row


def test_numbers_follow_and_a_correction_keeps_them(store: Store) -> None:
    with undone(store) as session, effects.counted(session, [1]):
        first = sign(session, date(2026, 1, 1), 364)
        assert first.number == f"c3-2026-{first.id:05d}"
        old = session.get_one(Record, first.record_id)
        old.status = "corrected"
        agreements.release(session, old)
        again = sign(session, date(2026, 1, 1), 364, corrects_id=old.id)
        assert (again.number, first.status) == (first.number, "withdrawn")
        renewal = sign(session, date(2027, 1, 1), 364)
        assert renewal.number != again.number


def test_another_doctor_ends_it_and_a_withdrawal_brings_it_back(store: Store) -> None:
    with undone(store) as session, effects.counted(session, [1]):
        first = sign(session, date(2026, 1, 1), 364)
        other = sign(session, date(2026, 6, 1), 364, replaces=(first.id,), worker=2)
        assert (first.ended_on, first.end_reason, first.last_on) == (date(2026, 5, 31), 4, date(2026, 5, 31))
        assert [a.doctor for a in agreements.standing(session, 1, 1) if a.holds_on(date(2026, 7, 1))] == ["赵红"]
        made = session.get_one(Record, other.record_id)
        made.status = "withdrawn"
        agreements.release(session, made)
        assert (first.ended_on, first.end_reason, other.status) == (None, None, "withdrawn")


FIRST = date(2026, 1, 1)
STEPS = ("sign", "visit", "call", "educate", "end", "withdraw", "move", "die", "back")


def test_counters_lists_and_rows_agree(store: Store) -> None:
    """Against a plain reading of the rows, day by day."""

    @given(
        story=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 500), st.integers(0, 3)), max_size=10),
        asked=st.integers(0, 700),
    )
    @settings(max_examples=60 if store.is_sqlite else 12, deadline=None, database=None)
    def told(story: list[tuple[str, int, int]], asked: int) -> None:
        day = FIRST + asked * DAY
        with undone(store) as session:
            for what, later, which in story:
                with effects.counted(session, [1]):
                    _live(session, what, FIRST + later * DAY, which)
            person = session.get_one(Resident, 1)
            found = {
                f.code: f
                for f in figures(session, session.get_one(Organisation, 1), date(day.year, 1, 1), day, day, RULES)
            }
            expected = _fulfilled(session, person, day)
            assert (found["signing_fulfilment_rate"].numerator, found["signing_rate_general"].numerator) == expected
            listed = line_list(session, Scope(1, "/1/", None), "signing_fulfilment_rate", day, day, day)
            if person.status == Status.ACTIVE:
                assert listed is not None and listed.total == expected[1] - expected[0]

    told()


def _fulfilled(session: Session, person: Resident, day: date) -> tuple[int, int]:
    """(fulfilled, signed) on a day, from the rows alone."""
    if person.status == Status.DIED and person.status_on is not None and day >= person.status_on:
        return 0, 0
    rows = [a for a in session.query(Agreement).all() if a.status == "current" and a.starts_on <= day <= a.last_on]
    records = [r for r in session.query(Record).all() if r.on <= day]
    return int(bool(rows) and all(fulfilled_since(a, records, PROMISE) for a in rows)), int(bool(rows))


def _live(session: Session, what: str, on: date, which: int) -> None:
    rows = session.query(Agreement).filter(Agreement.status == "current").order_by(Agreement.id).all()
    made = session.query(Record).filter(Record.status == "current").order_by(Record.id).all()
    person = session.get_one(Resident, 1)
    match what:
        case "sign":
            sign(session, on, (364, 99)[which % 2])
        case "visit" | "call":
            record(session, "hypertension_follow_up", on, mode=3 if what == "call" else 2)
        case "educate":
            record(session, "signing_service", on, marks=["item.health_education"])
        case "end" if rows:
            agreements.end(session, [rows[which % len(rows)].id], on, 3, record(session, "signing_end", on).id)
        case "withdraw" if made:
            chosen = made[which % len(made)]
            chosen.status = "withdrawn"
            agreements.release(session, chosen)
        case "move":
            person.village_id = 3 + which % 2
        case "die":
            person.status, person.status_on = Status.DIED, on
        case "back":
            person.status, person.status_on = Status.ACTIVE, None
