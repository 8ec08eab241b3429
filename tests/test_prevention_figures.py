"""Figures of prevention and the names behind them: as many lines as the figure says, each person once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import count as numbers
from typing import Any

import pytest
from sqlalchemy.orm import Session

from models import effects
from models.base import Store
from models.figures import Figure, figures
from models.line_list import line_list
from models.people import HealthWorker, Organisation, Resident
from models.record import Record
from models.recount import recount
from models.scope import Scope
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 24)
SCOPE = Scope(1, "/1/", None)
KEYS = numbers(1)
ELDER, YOUNGER, WOMAN = 1, 2, 3


@pytest.fixture(params=BACKENDS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    with fresh_store(request.param) as store:
        yield from _county(store)


def _county(store: Store) -> Iterator[Session]:
    with store.write() as session:
        for id, path, level in ((1, "/1/", "county"), (2, "/1/2/", "village")):
            parent = 1 if id == 2 else None
            session.add(
                Organisation(
                    id=id, code=f"c{id}", name=f"地方{id}", level=level, path=path, parent_id=parent, denominators={}
                )
            )
            session.flush()
        session.add(HealthWorker(id=1, code="w1", name="李梅", role="doctor", organisation_id=2))
        for id, born in ((ELDER, date(1950, 5, 1)), (YOUNGER, date(1962, 1, 1)), (WOMAN, date(1985, 1, 1))):
            session.add(
                Resident(
                    id=id,
                    name=f"居民{id}",
                    born_on=born,
                    village_id=2,
                    groups=[],
                    status="active",
                    registered_on=date(2020, 1, 1),
                )
            )
        session.flush()
        recount(session, fix=True)
        yield session
        session.flush()
        assert list(recount(session, fix=True)) == []


def record(session: Session, who: int, service: str, on: str, *marks: str, **more: Any) -> None:
    with effects.counted(session, [who]):
        session.add(
            Record(
                draft_key=f"p.{next(KEYS)}",
                service=service,
                resident_id=who,
                worker_id=1,
                village_id=2,
                on=date.fromisoformat(on),
                channel="console",
                recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
                status="current",
                marks=[f"person.{mark}" for mark in marks],
                **{"counts": {}, "flags": [], **more},
            )
        )


def found(session: Session, first: date = date(2026, 1, 1), last: date = TODAY) -> dict[str, Figure]:
    return {f.code: f for f in figures(session, session.get_one(Organisation, 1), first, last, TODAY)}


def names(session: Session, code: str, first: date = date(2026, 1, 1), last: date = TODAY) -> list[int | None]:
    listed = line_list(session, SCOPE, code, first, last, TODAY)
    assert listed is not None and listed.total == len(listed.lines)
    return [line.resident_id for line in listed.lines]


def test_the_rate_of_the_elderly_lists_who_is_missing(session: Session) -> None:
    assert names(session, "elderly_managed_rate") == [ELDER]  # the other one turns 65 next year
    record(session, ELDER, "elderly_check", "2026-03-01", "people.elderly_check", "people.yearly_check.hypertension")
    record(session, ELDER, "elderly_check", "2026-09-01", "people.elderly_check")
    figure = found(session)["elderly_managed_rate"]
    assert (figure.numerator, figure.denominator) == (1, 1)
    assert names(session, "elderly_managed_rate") == [] and names(session, "elderly_managed") == [ELDER]
    assert found(session)["hypertension_yearly_check"].value == 1 and names(session, "hypertension_yearly_check") == [
        ELDER
    ]
    assert found(session)["count.elderly_check"].value == 2  # 人次 counts records, 人数 counts people


def test_the_county_s_own_denominator_comes_first(session: Session) -> None:
    session.get_one(Organisation, 1).denominators = {"elderly_managed_rate": 40}
    assert found(session)["elderly_managed_rate"].denominator == 40


def test_a_woman_screened_twice_is_one_person(session: Session) -> None:
    record(session, WOMAN, "screening_result", "2026-02-10", "two_cancer_screened")
    record(session, WOMAN, "screening_result", "2026-10-10", "two_cancer_screened")
    autumn = date(2026, 10, 1), date(2026, 10, 31)
    assert found(session)["two_cancer_screened"].value == 1 and names(session, "two_cancer_screened") == [WOMAN]
    assert (
        found(session, *autumn)["two_cancer_screened"].value == 0
        and names(session, "two_cancer_screened", *autumn) == []
    )
    winter = date(2026, 2, 1), date(2026, 2, 28)
    assert found(session, *winter)["two_cancer_screened"].value == 1 and names(
        session, "two_cancer_screened", *winter
    ) == [WOMAN]


def test_early_detection_is_of_those_who_were_found(session: Session) -> None:
    assert found(session)["cervical_early_rate"].value is None
    record(session, WOMAN, "screening_follow_up", "2026-05-10", "cervical_detected", "cervical_early")
    record(session, ELDER, "screening_follow_up", "2026-06-10", "cervical_detected")
    figure = found(session)["cervical_early_rate"]
    assert (figure.value, figure.numerator, figure.denominator) == (50.0, 1, 2)


def test_couples_and_people_stand_beside_each_other(session: Session) -> None:
    record(
        session, WOMAN, "screening_result", "2026-05-10", counts={"preconception_people": 2, "preconception_couples": 1}
    )
    assert (found(session)["preconception_couples"].value, found(session)["preconception_people"].value) == (1, 2)
