"""A referral is one row whatever opened it, counts once, and loses nothing when what opened it is changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count as numbers

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from models import effects, referrals, tally
from models.base import Store
from models.people import HealthWorker, Organisation, Resident
from models.record import Record, Referral
from models.referrals import Stage, stage
from models.scope import Scope
from tests.databases import BACKENDS, fresh_store, undone

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, tzinfo=UTC)
SCOPE = Scope(1, "/1/", None)
KEYS = numbers(1)


@pytest.fixture(scope="module", params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        with store.write() as session:
            for id, path, level in ((1, "/1/", "county"), (2, "/1/2/", "township"), (3, "/1/2/3/", "village")):
                session.add(
                    Organisation(id=id, code=str(id), name=f"地方{id}", level=level, path=path, denominators={})
                )
                session.flush()
            session.add(HealthWorker(id=1, code="w1", name="李梅", role="doctor", organisation_id=3))
            session.add(Resident(id=1, name="张桂兰", village_id=3, groups=[], status="active"))
            session.commit()
        yield store


def record(session: Session, service: str, on: date = TODAY, **more: object) -> Record:
    row = Record(
        draft_key=f"k.{next(KEYS)}", service=service, resident_id=1, worker_id=1, village_id=3, on=on, channel="console",
        recorded_at=NOW, status="current", marks=[], counts={}, **{"programme": None, **more},
    )  # fmt: skip
    with effects.counted(session, [1]):
        session.add(row)
    return row


def refer(session: Session, made: Record, urgency: str = "refer") -> Referral:
    return referrals.refer(session, made, urgency=urgency, reason="血压高", to="县医院", today=made.on)


def set_aside(session: Session, made: Record, status: str) -> None:
    with effects.counted(session, [1]):
        made.status = status
    referrals.release(session, made, NOW, status)


def counted(session: Session) -> int:
    return tally.flow(session, [1], ["referrals_up"], None, date(2027, 12, 31)).get((1, "referrals_up"), 0)


def open_ones(session: Session, today: date) -> list[Referral]:
    return [row for row, _ in referrals.open_referrals(session, SCOPE, referrals.waiting(today), 10)]


def test_an_urgent_visit_counts_once_the_patient_arrived(store: Store) -> None:
    with undone(store) as session:
        row = refer(session, record(session, "hypertension_follow_up"), "emergency")
        assert (row.ask_on, stage(row), counted(session)) == (TODAY + timedelta(days=1), Stage.ARRIVED, 0)
        referrals.arrive(session, row, TODAY + timedelta(days=2))
        assert (stage(row), row.confirmed_on, counted(session)) == (Stage.RESULT, TODAY, 1)
        referrals.note_result(session, row, "高血压急症", TODAY)
        assert stage(row) == Stage.BACK
        referrals.come_back(row, TODAY, NOW)
        assert counted(session) == 1


def test_a_slip_joins_the_visit_and_is_not_counted_twice(store: Store) -> None:
    with undone(store) as session:
        row = refer(session, record(session, "hypertension_follow_up"), "emergency")
        referrals.arrive(session, row, TODAY)
        assert counted(session) == 1
        row.arrived = None  # the slip is written before anybody says so
        slip = record(session, "referral_up", TODAY + timedelta(days=1))
        assert refer(session, slip) is row
        assert (row.joined, row.urgency, row.sent_on) == ([slip.id], "emergency", slip.on)
        referrals.arrive(session, row, TODAY + timedelta(days=1))
        assert counted(session) == 1


def test_two_diseases_of_one_visit_are_one_transfer(store: Store) -> None:
    with undone(store) as session:
        first = refer(session, record(session, "hypertension_follow_up", programme="hypertension"))
        second = refer(session, record(session, "diabetes_follow_up", programme="diabetes"), "emergency")
        assert first is second and first.urgency == "emergency"
        later = record(session, "diabetes_follow_up", TODAY + timedelta(days=3), programme="diabetes")
        assert refer(session, later) is not first  # the row is of the hypertension visit, and three days old


@pytest.mark.parametrize("status", ["corrected", "withdrawn"])
def test_what_a_slip_still_tells_stays_open(store: Store, status: str) -> None:
    with undone(store) as session:
        visit = record(session, "hypertension_follow_up")
        row = refer(session, visit)
        slip = record(session, "referral_up")
        refer(session, slip)
        set_aside(session, visit, status)
        assert (row.record_id, row.joined, row.closed_at) == (slip.id, [], None)
        set_aside(session, slip, status)
        assert (row.closed_at, row.close_reason, counted(session)) == (NOW, f"record {status}", 0)


def test_a_corrected_visit_keeps_what_is_known_of_its_referral(store: Store) -> None:
    with undone(store) as session:
        visit = record(session, "hypertension_follow_up")
        row = refer(session, visit, "emergency")
        referrals.arrive(session, row, TODAY)
        set_aside(session, visit, "corrected")
        assert counted(session) == 0
        again = record(session, "hypertension_follow_up", corrects_id=visit.id)
        assert refer(session, again) is row
        assert (row.record_id, row.closed_at, row.arrived, counted(session)) == (again.id, None, True, 1)


def test_a_slip_that_was_withdrawn_leaves_the_confirmed_visit_counted(store: Store) -> None:
    with undone(store) as session:
        row = refer(session, record(session, "hypertension_follow_up"))
        slip = record(session, "referral_up")
        refer(session, slip)
        referrals.arrive(session, row, TODAY)
        assert (counted(session), row.confirmed_on) == (1, None)
        set_aside(session, slip, "withdrawn")
        assert (counted(session), row.confirmed_on) == (1, TODAY)


def test_down_closes_the_loop_and_waits_for_a_visit(store: Store) -> None:
    with undone(store) as session:
        row = refer(session, record(session, "referral_up"))
        down = record(session, "referral_down", TODAY + timedelta(days=9))
        see_by = down.on + timedelta(days=14)
        assert referrals.send_down(session, down, result="脑梗塞", to="县医院", see_by=see_by) is row
        assert (row.arrived, row.result, stage(row)) == (True, "脑梗塞", Stage.SEEN)
        assert open_ones(session, see_by - timedelta(days=1)) == []
        assert open_ones(session, see_by) == [row]
        record(session, "hypertension_follow_up", see_by, mode=3)
        assert open_ones(session, see_by) == [row]  # a call is no visit
        record(session, "hypertension_follow_up", see_by, mode=2)
        assert open_ones(session, see_by) == [] and referrals.count_open(session, SCOPE) == 0


def test_down_without_up_and_taken_back(store: Store) -> None:
    with undone(store) as session:
        down = record(session, "referral_down")
        row = referrals.send_down(session, down, result="骨折", to="县医院", see_by=TODAY)
        assert (row.direction, stage(row), counted(session)) == ("down", Stage.SEEN, 0)
        set_aside(session, down, "withdrawn")
        referrals.take_back_down(session, down, NOW)
        assert row.closed_at == NOW and open_ones(session, TODAY) == []


def test_down_taken_back_asks_about_the_way_up_again(store: Store) -> None:
    with undone(store) as session:
        row = refer(session, record(session, "referral_up"))
        down = record(session, "referral_down")
        referrals.send_down(session, down, result="骨折", to="县医院", see_by=TODAY)
        set_aside(session, down, "withdrawn")
        referrals.take_back_down(session, down, NOW)
        assert (row.closed_at, stage(row), row.down_record_id) == (None, Stage.BACK, None)


STEPS = ("visit", "other_visit", "slip", "arrive", "result", "back", "down", "withdraw", "correct", "no")


def test_any_order_of_events_counts_each_transfer_once(store: Store) -> None:
    """Whatever happens, the counters say what the rows say, and no row with a slip counts by itself."""

    @given(story=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 30), st.integers(0, 5)), max_size=12))
    @settings(max_examples=60 if store.is_sqlite else 12, deadline=None, database=None)
    def told(story: list[tuple[str, int, int]]) -> None:
        with undone(store) as session:
            made: list[Record] = []
            for what, later, which in story:
                _live(session, what, TODAY + timedelta(days=later), which, made)
            rows = referrals.of_resident(session, 1)
            slips = {r.id for r in made if r.service == "referral_up" and r.status == "current"}
            for row in rows:
                assert not (row.confirmed_on and slips & {row.record_id, *row.joined})
            confirmed = sum(row.confirmed_on is not None for row in rows)
            assert counted(session) == len(slips) + confirmed

    told()


def _live(session: Session, what: str, on: date, which: int, made: list[Record]) -> None:
    rows = referrals.of_resident(session, 1)
    row = rows[which % len(rows)] if rows else None
    current = [r for r in made if r.status == "current"]
    old = current[which % len(current)] if current else None
    services = {"visit": "hypertension_follow_up", "other_visit": "diabetes_follow_up", "slip": "referral_up"}
    if what in services:
        made.append(record(session, services[what], on, programme=None if what == "slip" else what))
        refer(session, made[-1], "emergency" if which % 2 else "refer")
    elif what == "down":
        made.append(record(session, "referral_down", on))
        referrals.send_down(session, made[-1], result="好转", to="县医院", see_by=on)
    elif what in ("withdraw", "correct") and old is not None:
        set_aside(session, old, "withdrawn" if what == "withdraw" else "corrected")
        if what == "withdraw":
            if old.service == "referral_down":
                referrals.take_back_down(session, old, NOW)
            return
        made.append(record(session, old.service, on, programme=old.programme, corrects_id=old.id))
        if old.service == "referral_down":
            referrals.send_down(session, made[-1], result="好转", to="县医院", see_by=on)
        elif which % 3:
            refer(session, made[-1])
    elif row is not None and row.closed_at is None:
        if what == "arrive" and stage(row) == Stage.ARRIVED:
            referrals.arrive(session, row, on)
        elif what == "result" and stage(row) == Stage.RESULT:
            referrals.note_result(session, row, "好转", on)
        elif what == "back" and stage(row) == Stage.BACK:
            referrals.come_back(row, on, NOW)
        elif what == "no" and stage(row) == Stage.ARRIVED:
            row.arrived = False
