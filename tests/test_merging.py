"""One person registered twice: found, put together, taken apart; the counters say at every moment what the rows say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Store
from models.enrolment import Enrolment
from models.everything import metadata
from models.merging import CannotMerge, merge, merged_since, restore, suspected, tell_apart
from models.people import HealthWorker, Resident, ResidentKey, Status
from models.record import Agreement, AuditEntry, Record, Referral
from models.recount import recount
from models.registry import enrol, register_resident, set_status, update_resident_keys
from models.scope import scope_of
from models.seed import seed
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
NUMBER = "431281195909121249"


@pytest.fixture(params=BACKENDS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """The county of the demo with a year of work, small."""
    with fresh_store(request.param) as store:
        with store.write() as writing:
            seed(writing, TODAY, NOW, residents=200, doctors=3)
            writing.commit()
        yield from _open(store)


def _open(store: Store) -> Iterator[Session]:
    with store.write() as session:
        yield session


def the_first(session: Session) -> Resident:
    return session.scalars(select(Resident).where(Resident.name == "张桂兰").order_by(Resident.id).limit(1)).one()


def again(session: Session, name: str = "张桂兰", **changes: Any) -> Resident:
    """Somebody of the cast registered once more, without an identity number."""
    first = the_first(session)
    given: dict[str, Any] = {
        "sex": "female", "born_on": first.born_on, "identity": None, "phone": None, "village_id": first.village_id,
        "village_group": None, "householder": None, "worker_id": first.worker_id, "groups": ["低保"],
        "registered_on": date(2026, 11, 3), "now": NOW,
    }  # fmt: skip
    return register_resident(session, name=name, **given | changes)


def everything(session: Session) -> dict[str, list[Any]]:
    """Every row of every table but the audit, which only grows, and counters that stand at nothing."""
    session.flush()
    return {
        table.name: sorted(tuple(map(str, row)) for row in session.execute(select(table)) if row[-1] != 0)
        for table in metadata.sorted_tables
        if table.name != "audit"
    }


def counters_are_right(session: Session) -> bool:
    session.commit()  # the recount looks at one moment, in a transaction of its own
    different = list(recount(session))
    session.commit()
    return different == []


def township(session: Session) -> Any:
    return scope_of(session, session.scalars(select(HealthWorker).where(HealthWorker.code == "S001")).one())


def test_whoever_is_put_together_is_one_person_and_goes_back_without_a_trace(session: Session) -> None:
    """Any two entries, with whatever hangs on them."""
    rng = Random(7)
    everybody = session.scalars(select(Resident).where(Resident.status == Status.ACTIVE)).all()
    busy = [r for r in everybody if session.scalar(select(func.count()).where(Record.resident_id == r.id))]
    pairs = 0
    while pairs < 5:
        stays, goes = rng.sample(busy, 2)
        if stays.sex != goes.sex:
            continue
        pairs += 1
        goes.identity_hash = goes.identity_sealed = None
        update_resident_keys(session, goes)
        before = everything(session)
        records = session.scalar(select(func.count()).where(Record.resident_id.in_([stays.id, goes.id])))
        merge(session, stays, goes, NOW, by=1)
        assert counters_are_right(session)
        assert session.scalar(select(func.count()).where(Record.resident_id == stays.id)) == records
        for table in (Record, Agreement, Referral, ResidentKey):
            assert not session.scalar(select(func.count()).where(table.resident_id == goes.id))
        assert restore(session, goes, NOW, by=1) is stays
        assert counters_are_right(session)
        after = everything(session)
        assert {name: rows for name, rows in after.items() if rows != before[name]} == {}


def test_the_entry_that_stays_takes_what_it_lacks(session: Session) -> None:
    numbered = the_first(session)
    typed = again(session, "张桂兰", village_group="2组")
    merge(session, typed, numbered, NOW, by=1)
    assert typed.identity_number() and typed.phone() and typed.householder == "张桂兰"
    assert typed.registered_on == numbered.registered_on and "低保" in typed.groups and "高血压" in typed.groups
    assert (numbered.status, numbered.merged_into_id, numbered.identity_hash) == (Status.MERGED, typed.id, None)
    programmes = session.scalars(select(Enrolment.programme).where(Enrolment.resident_id == typed.id)).all()
    assert set(programmes) == {"hypertension", "diabetes"}


def test_of_two_enrolments_in_one_programme_the_later_visit_says_what_is_due(session: Session) -> None:
    first = the_first(session)
    second = again(session)
    own = session.scalars(
        select(Enrolment).where(Enrolment.resident_id == first.id, Enrolment.programme == "hypertension")
    ).one()
    since, due = own.since, own.next_due_on
    theirs = enrol(session, second, "hypertension", since=date(2026, 11, 3), next_due_on=date(2027, 2, 3))
    session.add(
        Record(
            draft_key="x.0", service="hypertension_follow_up", programme="hypertension", resident_id=second.id, worker_id=1,
            village_id=second.village_id, on=TODAY, channel="console", answers={}, marks=[], counts={}, flags=[], rules=[],
            urgency="routine", status="current", recorded_at=NOW,
        )
    )  # fmt: skip
    session.flush()
    merge(session, first, second, NOW, by=1)
    assert (own.since, own.next_due_on) == (since, date(2027, 2, 3))
    assert theirs.resident_id == second.id, "the second place in one programme stays where it counts for nothing"
    restore(session, second, NOW, by=1)
    assert (own.since, own.next_due_on) == (since, due)


def test_what_came_after_stays_where_it_is(session: Session) -> None:
    first = the_first(session)
    second = again(session)
    merge(session, first, second, NOW, by=1)
    first.groups = [*first.groups, "残疾人"]
    session.flush()
    restore(session, second, NOW, by=1)
    assert second.status == Status.ACTIVE and first.merged_into_id is None


def test_two_people_are_never_put_together(session: Session) -> None:
    first = the_first(session)
    for other in (
        again(session, identity=NUMBER, born_on=date(1959, 9, 12)),
        again(session, sex="male"),
    ):
        with pytest.raises(CannotMerge):
            merge(session, first, other, NOW, by=1)
    dead = again(session)
    set_status(session, dead, Status.DIED, TODAY, "", NOW)
    with pytest.raises(CannotMerge, match="状态"):
        merge(session, first, dead, NOW, by=1)
    with pytest.raises(CannotMerge):
        restore(session, first, NOW, by=1)


def test_entries_that_may_be_one_person_are_listed(session: Session) -> None:
    first = the_first(session)
    assert suspected(session, township(session)) == []
    same = again(session)
    unknown = again(session, born_on=None)
    heard = again(session, "章桂兰")
    other = again(session, born_on=date(1990, 1, 1))
    pairs = {(a.id, b.id) for a, b in suspected(session, township(session))}
    assert {(first.id, same.id), (first.id, unknown.id), (first.id, heard.id)} <= pairs
    assert (first.id, other.id) not in pairs and all(a < b for a, b in pairs)
    tell_apart(session, heard, first, NOW, by=1)
    assert (first.id, heard.id) not in {(a.id, b.id) for a, b in suspected(session, township(session))}
    merge(session, first, same, NOW, by=1)
    assert same.id not in {r.id for pair in suspected(session, township(session)) for r in pair}
    assert [r.id for r in merged_since(session, township(session), NOW - timedelta(days=1))] == [same.id]


def test_the_audit_says_who_did_what_and_names_nobody(session: Session) -> None:
    first = the_first(session)
    second = again(session, phone="13812345678", householder="张老大")
    merge(session, first, second, NOW, by=1)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "resident.merged")).one()
    assert (entry.worker_id, entry.subject, entry.details["into"]) == (1, f"resident:{second.id}", first.id)
    assert not any(word in str(entry.details) for word in ("张桂兰", "张老大", "1381234"))
