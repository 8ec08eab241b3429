"""People on the register: who they are, what becomes of them, and who may chat for them."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Store
from models.effects import counted
from models.enrolment import Enrolment
from models.invitations import (
    ALPHABET,
    InvitationExpired,
    InvitationUnknown,
    InvitationUsed,
    NotBound,
    WorkerInactive,
    bind_account,
    invite,
)
from models.people import ChannelAccount, HealthWorker, Invitation, Organisation, Resident, ResidentKey, Status
from models.record import AuditEntry, Record, Referral
from models.recount import recount
from models.registry import (
    AlreadyRegistered,
    correct_resident,
    enrol,
    last_four,
    possible_duplicates,
    register_resident,
    set_status,
    update_resident_keys,
)
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
NUMBER = "431281198906154521"  # domain.md G: synthetic, female


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A township with two villages, 李梅 in the first."""
    with fresh_store(request.param) as store:
        with store.write() as session:
            for key, code, name, level, parent, path in (
                (1, "T1", "托口镇", "township", None, "/1/"),
                (2, "001", "石桥村", "village", 1, "/1/2/"),
                (3, "002", "白龙村", "village", 1, "/1/3/"),
            ):
                session.add(Organisation(id=key, code=code, name=name, level=level, parent_id=parent, path=path))
                session.flush()
            session.add(HealthWorker(id=1, code="V001", name="李梅", role="doctor", organisation_id=2, villages=[2]))
            session.commit()
        yield store


def told(name: str = "单雄飞", **changes: Any) -> dict[str, Any]:
    return {
        "name": name, "sex": "male", "born_on": date(1965, 3, 2), "identity": None, "phone": None, "village_id": 2,
        "village_group": "2组", "householder": None, "worker_id": 1, "groups": ["老年人"],
        "registered_on": date(2026, 1, 5), "now": NOW, **changes,
    }  # fmt: skip


def register(session: Session, name: str = "单雄飞", **changes: Any) -> Resident:
    return register_resident(session, **told(name, **changes))


def end(session: Session, enrolment: Enrolment, on: date, why: str) -> None:
    """As a record does that closes a programme."""
    with counted(session, [enrolment.resident_id]):
        enrolment.ended_on, enrolment.end_reason = on, why


def keys_of(session: Session, resident: Resident) -> set[str]:
    return set(session.scalars(select(ResidentKey.key).where(ResidentKey.resident_id == resident.id)))


def assert_counters_right(store: Store) -> None:
    with store.write() as session:
        assert list(recount(session)) == []


def test_a_resident_is_sealed_and_found_in_every_way(store: Store) -> None:
    with store.write() as session:
        resident = register(session, identity=NUMBER.lower(), phone="13812345678", householder="单老大")
        session.commit()
    with store.read() as session:
        found = session.scalars(select(Resident)).one()
        assert (found.identity_number(), found.phone()) == (NUMBER, "13812345678")
        assert NUMBER.encode() not in (found.identity_sealed or b"")
        last = "d:" + last_four(store.keyring, "4521")
        assert keys_of(session, resident) >= {"n:单雄飞", "p:shanxiongfei", "p:danxiongfei", "i:sxf", "h:单老大", last}
        assert "4521" not in "".join(keys_of(session, resident))
    assert_counters_right(store)


def test_keys_follow_a_change_of_name_and_village(store: Store) -> None:
    with store.write() as session:
        resident = register(session)
        resident.name, resident.village_id = "陈玉珍", 3
        update_resident_keys(session, resident)
        rows = session.execute(select(ResidentKey.village_id, ResidentKey.key)).all()
        assert {village for village, _ in rows} == {3}
        assert "n:陈玉珍" in {key for _, key in rows} and "n:单雄飞" not in {key for _, key in rows}


def test_the_same_number_is_the_same_person(store: Store) -> None:
    with store.write() as session:
        first = register(session, "陈玉珍", identity=NUMBER)
        with pytest.raises(AlreadyRegistered, match="已经登记过") as refused:
            register(session, "陈玉珍", identity=NUMBER)
        assert refused.value.resident is first
        session.commit()
        assert session.scalar(select(func.count()).select_from(Resident)) == 1
    assert_counters_right(store)


def test_two_doctors_register_the_same_person_at_the_same_moment(store: Store) -> None:
    """The unique hash decides; whoever comes second is told, and nothing of theirs stays."""
    outcomes: list[str] = []
    together = threading.Barrier(2)

    def try_it() -> None:
        with store.write() as session:
            together.wait()
            try:
                register(session, "陈玉珍", identity=NUMBER)
                outcomes.append("registered")
            except AlreadyRegistered:
                outcomes.append("known")
            session.commit()

    threads = [threading.Thread(target=try_it) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["known", "registered"]
    assert_counters_right(store)


@pytest.mark.parametrize(
    ("name", "born_on", "village", "alike"),
    [
        ("张桂兰", date(1959, 3, 2), 2, True),
        ("张桂兰", None, 2, True),  # no birthday speaks against it
        ("张桂兰", date(1960, 3, 2), 2, False),
        ("张桂兰", date(1959, 3, 2), 3, False),
        ("张贵兰", date(1959, 3, 2), 2, False),
    ],
)
def test_possible_duplicates(name: str, born_on: date | None, village: int, alike: bool) -> None:
    with fresh_store() as store, store.write() as session:
        session.add(Organisation(id=2, code="2", name="石桥村", level="village", path="/2/"))
        session.add(Organisation(id=3, code="3", name="白龙村", level="village", path="/3/"))
        session.flush()
        register(session, "张桂兰", born_on=date(1959, 3, 2), worker_id=None)
        assert bool(possible_duplicates(session, name, born_on, village)) is alike


def test_a_death_stops_what_must_stop_and_a_mistake_is_undone(store: Store) -> None:
    with store.write() as session:
        resident = register(session)
        pressure = enrol(session, resident, "hypertension", TODAY - timedelta(days=300), TODAY)
        lungs = enrol(session, resident, "tb", TODAY - timedelta(days=300), TODAY)
        end(session, lungs, TODAY - timedelta(days=9), "治愈")
        referral = _referral(session, resident)
        set_status(session, resident, Status.DIED, TODAY, "家属告知", NOW, by=1)
        session.flush()
        session.refresh(referral)
        assert (pressure.ended_on, pressure.end_reason) == (TODAY, "死亡")
        assert (lungs.ended_on, lungs.end_reason) == (TODAY - timedelta(days=9), "治愈")
        assert (referral.closed_at, referral.close_reason) == (NOW, "死亡")
        session.commit()
    assert_counters_right(store)
    with store.write() as session:
        resident = session.get_one(Resident, resident.id)
        set_status(session, resident, Status.ACTIVE, TODAY, "说的是另一位", NOW, by=1)
        session.commit()
        ended = dict(iter(session.execute(select(Enrolment.programme, Enrolment.ended_on))))
        assert ended == {"hypertension": None, "tb": TODAY - timedelta(days=9)}
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "resident.status")).all()
        assert [entry.details["to"] for entry in entries] == ["died", "active"]
    assert_counters_right(store)


def test_the_absent_are_still_due(store: Store) -> None:
    with store.write() as session:
        resident = register(session)
        enrolment = enrol(session, resident, "hypertension", TODAY, TODAY)
        set_status(session, resident, Status.ABSENT, TODAY, "外出打工", NOW)
        assert enrolment.ended_on is None
        session.commit()
    assert_counters_right(store)


def test_programmes_go_along_to_another_village(store: Store) -> None:
    with store.write() as session:
        resident = register(session)
        enrolment = enrol(session, resident, "hypertension", TODAY - timedelta(days=40), TODAY)
        referral = _referral(session, resident)
        session.commit()
        correct_resident(session, resident, by=1, **told(village_id=3, village_group="1组", worker_id=None))
        session.commit()
        session.refresh(enrolment)
        session.refresh(referral)
        assert (resident.village_id, enrolment.village_id, referral.village_id) == (3, 3, 3)
    assert_counters_right(store)


def test_enrolling_twice_changes_nothing_and_again_later_goes_on(store: Store) -> None:
    with store.write() as session:
        resident = register(session)
        first = enrol(session, resident, "diabetes", TODAY, TODAY + timedelta(days=3))
        assert enrol(session, resident, "diabetes", TODAY, TODAY + timedelta(days=60)) is first
        assert first.next_due_on == TODAY + timedelta(days=3)
        end(session, first, TODAY, "1型糖尿病")
        later = TODAY + timedelta(days=90)
        assert enrol(session, resident, "diabetes", later, later) is first
        assert (first.since, first.next_due_on, first.ended_on, first.end_reason) == (later, later, None, None)
        session.commit()
    assert_counters_right(store)


def _referral(session: Session, resident: Resident) -> Referral:
    record = Record(
        draft_key="k.0", service="referral_up", resident_id=resident.id, worker_id=1, village_id=2, on=TODAY,
        channel="console", status="withdrawn", recorded_at=NOW,
    )  # fmt: skip
    session.add(record)
    session.flush()
    referral = Referral(
        record_id=record.id, resident_id=resident.id, village_id=2, worker_id=1, urgency="refer", reason="血压高",
        sent_on=TODAY, ask_on=TODAY + timedelta(days=1),
    )  # fmt: skip
    session.add(referral)
    session.flush()
    return referral


# --- invitations ---


def test_a_code_binds_an_account_once(store: Store) -> None:
    with store.write() as session:
        worker = session.get_one(HealthWorker, 1)
        code = invite(session, worker, NOW)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", code)  # what Telegram takes as a start payload
        assert set(code) <= {*ALPHABET, "-"} and not set(code) & set("0O1IL")
        assert code.replace("-", "") not in session.scalars(select(Invitation.code_hash)).one()
        assert bind_account(session, "telegram", "77", f" {code.lower().replace('-', '')} ", NOW) is worker
        assert bind_account(session, "telegram", "77", code, NOW) is worker  # the link pressed twice
        with pytest.raises(InvitationUsed, match="已经用过"):
            bind_account(session, "telegram", "78", code, NOW)
        session.commit()
        assert session.scalars(select(ChannelAccount.account)).all() == ["77"]


def test_codes_that_bind_nothing(store: Store) -> None:
    with store.write() as session:
        worker = session.get_one(HealthWorker, 1)
        code = invite(session, worker, NOW, days=14)
        with pytest.raises(InvitationUnknown, match="没有找到"):
            bind_account(session, "wecom", "liMei", "ABCD-EFGH", NOW)
        with pytest.raises(InvitationExpired, match="过期"):
            bind_account(session, "wecom", "liMei", code, NOW + timedelta(days=14))
        worker.active = False
        with pytest.raises(WorkerInactive, match="停用"):
            bind_account(session, "wecom", "liMei", code, NOW)
        assert issubclass(InvitationUsed, NotBound)
        assert session.scalar(select(func.count()).select_from(ChannelAccount)) == 0


def test_a_handed_on_phone_belongs_to_the_new_worker(store: Store) -> None:
    with store.write() as session:
        first = session.get_one(HealthWorker, 1)
        second = HealthWorker(id=2, code="V002", name="周医生", role="doctor", organisation_id=3, villages=[3])
        session.add(second)
        session.flush()
        bind_account(session, "wecom", "phone", invite(session, first, NOW), NOW)
        bind_account(session, "wecom", "phone", invite(session, second, NOW), NOW)
        assert session.scalars(select(ChannelAccount.worker_id)).all() == [2]
        bound = session.scalars(select(AuditEntry).where(AuditEntry.action == "account.bound")).all()
        assert bound[-1].details == {"channel": "wecom", "from": "worker:1"}
