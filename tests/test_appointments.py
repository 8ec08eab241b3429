"""An appointment is in the digest of its day, and in no other once somebody has said what became of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from models.appointment import Appointment, appointments_on
from models.base import Store
from models.people import HealthWorker, Resident
from models.preferences import Preferences
from models.record import Record
from models.scope import scope_of
from reminders.timetable import MORNING, render
from tests.conftest import CHINA, NOW

DAY = date(2026, 11, 26)
AT_HALF_PAST_SEVEN = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)


@pytest.fixture
def appointed(county: Store) -> Store:
    with county.write() as session:
        doctor = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        resident = session.scalars(select(Resident).where(Resident.name == "张桂兰")).one()
        record = Record(
            draft_key="appointed", service="appointment", resident_id=resident.id, worker_id=doctor.id,
            village_id=resident.village_id, on=date(2026, 11, 24), channel="console", answers={"kind": 1}, recorded_at=NOW,
        )  # fmt: skip
        session.add(record)
        session.flush()
        session.add(
            Appointment(
                record_id=record.id, resident_id=resident.id, village_id=resident.village_id, worker_id=doctor.id,
                on=DAY, what="下午3点 上门服务",
            )
        )  # fmt: skip
        session.commit()
    return county


def digest(store: Store, change: str = "") -> str:
    with store.write() as session:
        doctor = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        assert doctor.id in MORNING.listeners(session, DAY, CHINA, Preferences({}))
        return render(session, MORNING.code, {"day": str(DAY)}, doctor, AT_HALF_PAST_SEVEN, tz=CHINA, settings={}).text


def test_the_digest_of_the_day_names_it(appointed: Store) -> None:
    assert "下午3点 上门服务" in digest(appointed)


def test_not_before_its_day(appointed: Store) -> None:
    with appointed.read() as session:
        doctor = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        scope = scope_of(session, doctor)
        assert appointments_on(session, scope, date(2026, 11, 25)) == []
        assert [one.on for one in appointments_on(session, scope, date(2026, 12, 1))] == [DAY]


@pytest.mark.parametrize("end", ["kept", "withdrawn", "died"])
def test_what_ends_it(appointed: Store, end: str) -> None:
    with appointed.write() as session:
        appointment = session.scalars(select(Appointment)).one()
        if end == "kept":
            appointment.kept, appointment.closed_at = True, NOW
        elif end == "withdrawn":
            session.get_one(Record, appointment.record_id).status = "withdrawn"
        else:
            session.get_one(Resident, appointment.resident_id).status = "died"
        session.commit()
    assert "上门服务" not in digest(appointed)
