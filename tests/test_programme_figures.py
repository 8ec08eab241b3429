"""The figures of tuberculosis and of severe mental disorders, from the record to the names behind them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import registry
from models.effects import counted
from models.figures import Figure, figures
from models.line_list import line_list
from models.people import HealthWorker, Organisation, Resident
from models.record import Record
from models.recount import recount
from models.scope import Scope
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@dataclass
class Village:
    """One village with its doctor, and what happens in it."""

    session: Session
    place: Organisation
    worker: HealthWorker

    def resident(self, name: str, programme: str, since: date) -> Resident:
        resident = registry.register_resident(
            self.session, name=name, sex="male", born_on=date(1960, 1, 1), identity=None, phone=None, village_id=self.place.id,
            village_group=None, householder=None, worker_id=self.worker.id, groups=[], registered_on=date(2020, 1, 1), now=NOW,
        )  # fmt: skip
        registry.enrol(self.session, resident, programme, since, None)
        return resident

    def record(self, resident: Resident, service: str, programme: str, on: date, **more: Any) -> Record:
        with counted(self.session, [resident.id]):
            record = Record(
                draft_key=f"{service}.{resident.id}.{on}", service=service, programme=programme, resident_id=resident.id,
                worker_id=self.worker.id, village_id=self.place.id, on=on, channel="test", recorded_at=NOW, **more,
            )  # fmt: skip
            self.session.add(record)
        return record

    def figure(self, code: str, first: date = date(2026, 1, 1), last: date = TODAY) -> Figure:
        return next(f for f in figures(self.session, self.place, first, last, TODAY) if f.code == code)

    def names(self, code: str) -> list[str]:
        found = line_list(self.session, Scope(self.place.id, self.place.path), code, date(2026, 1, 1), TODAY, TODAY)
        assert found is not None and found.total == len(found.lines)
        return [f"{line.name} {line.detail}" for line in found.lines]


@contextmanager
def village(backend: str) -> Iterator[Village]:
    with fresh_store(backend) as store, store.write() as session:
        place = Organisation(code="1", name="石桥村", level="village", path="/1/", denominators={})
        session.add(place)
        session.flush()
        place.path = f"/{place.id}/"
        worker = HealthWorker(code="V1", name="李梅", role="doctor", organisation_id=place.id, villages=[place.id])
        session.add(worker)
        session.flush()
        yield Village(session, place, worker)
        session.commit()
        with store.read() as reading:
            assert list(recount(reading)) == []


@pytest.mark.parametrize("backend", BACKENDS)
def test_tuberculosis(backend: str) -> None:
    with village(backend) as here:
        seen, unseen, old = (here.resident(n, "tb", date(2026, 3, 1)) for n in ("甲", "乙", "丙"))
        visited = ["person.tb_visited"]
        here.record(seen, "tb_first_visit", "tb", date(2026, 3, 2), marks=visited)
        here.record(seen, "tb_follow_up", "tb", date(2026, 3, 12), marks=visited)
        here.record(unseen, "tb_first_visit", "tb", date(2026, 3, 3), answers={"outcome": 2})
        assert (here.figure("tb_management_rate").numerator, here.figure("tb_management_rate").denominator) == (1, 3)
        assert here.names("tb_management_rate") == ["乙 2026-03-01纳管,本年没有访到", "丙 2026-03-01纳管,本年没有访到"]
        done = {"marks": visited, "counts": {"tb_completed": 1, "tb_regular": 1}, "answers": {"dose_rate": 97.2}}
        here.record(seen, "tb_follow_up", "tb", date(2026, 9, 2), **done)
        poor = {"marks": visited, "counts": {"tb_completed": 1}, "answers": {"dose_rate": 89.4}}
        here.record(old, "tb_follow_up", "tb", date(2026, 9, 20), **poor)
        rate = here.figure("tb_adherence_rate")
        assert (rate.numerator, rate.denominator, rate.value) == (1, 2, 50.0)
        assert here.figure("tb_adherence_rate", date(2026, 9, 1), date(2026, 9, 10)).value == 100.0
        assert here.names("tb_adherence_rate") == ["丙 2026-09-20完成疗程,服药率89.4%"]
        here.place.denominators = {"tb_management_rate": 4}
        assert here.figure("tb_management_rate").value == 50.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_severe_mental_disorder(backend: str) -> None:
    with village(backend) as here:
        good, late = (here.resident(n, "mental_health", date(2025, 1, 1)) for n in ("甲", "乙"))
        for on in (date(2026, 2, 1), date(2026, 5, 1), date(2026, 8, 1)):
            here.record(good, "mental_health_follow_up", "mental_health", on, marks=["assessed", "standard_visit"])
        here.record(late, "mental_health_follow_up", "mental_health", date(2026, 2, 1), marks=["assessed"])
        rate = here.figure("mental_health_standardised_rate")
        assert (rate.numerator, rate.denominator) == (1, 2)
        assert "面对面、评估问全" in rate.definition
        assert here.names("mental_health_standardised_rate") == ["乙 缺1、2、3季度"]
