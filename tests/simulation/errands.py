"""What doctors do beside the visits that are due: appointments, results of screenings, infectious cases; and what comes of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from sqlalchemy import func, select

from models.appointment import Appointment
from models.campaign import ScreeningResult
from models.people import Resident
from models.screening import TRACKED
from tests.simulation.county import Doctor
from tests.simulation.day import Action, Day

APPOINTMENTS, RESULTS, CASES = 0.03, 0.03, 0.01  # a doctor and day
ANSWERED, FOLLOWED = 0.5, 0.04  # of what is open, by its doctor on a day
TAKEN_BACK = ("appointment", "screening_result", "infectious_report")
"""Services of which a record turns out to be wrong now and then."""
TESTS = ("cervical", "breast", "lung", "prenatal")
HAND_FOOT_MOUTH, MEASLES, CLUSTER = 40, 10, 5  # the last within two hours


def errands(day: Day) -> Iterator[Action]:
    """Of every doctor who has a telephone."""
    newest = day.session.scalar(select(func.max(Resident.id))) or 1
    waiting, tracked = _appointments(day), _tracked(day)
    for person in day.doctors.values():
        rng = day.rng("errands", person.worker_id)
        if not person.accounts or not person.works(day.number):
            continue
        if rng.random() < APPOINTMENTS:
            yield from _appointment(day, person, rng, newest)
        if rng.random() < RESULTS:
            yield from _result(day, person, rng, newest)
        if rng.random() < CASES:
            yield from _case(day, person, rng)
        for one in waiting[person.worker_id]:
            if rng.random() < ANSWERED:
                yield day.say(person, rng.uniform(7.4, 19), rng, chosen=f"kept.{one}.{rng.choice(('yes', 'no'))}")
        for row in tracked[person.worker_id]:
            if rng.random() < FOLLOWED:
                yield day.submit(
                    rng.uniform(7.6, 19), person.worker_id, "screening_follow_up", _followed(row, rng), row.resident_id
                )


def _appointments(day: Day) -> dict[int, list[int]]:
    """Doctor -> appointments whose day has come."""
    query = select(Appointment.id, Appointment.village_id).where(
        Appointment.closed_at.is_(None), Appointment.on <= day.today
    )
    found = defaultdict(list)
    for one, village in day.session.execute(query.order_by(Appointment.id)):
        found[day.doctor_of[village]].append(one)
    return found


def _tracked(day: Day) -> dict[int, list[ScreeningResult]]:
    """Doctor -> results that are followed."""
    query = select(ScreeningResult).where(ScreeningResult.closed_on.is_(None), ScreeningResult.result.in_(TRACKED))
    found = defaultdict(list)
    for row in day.session.scalars(query.order_by(ScreeningResult.record_id)):
        found[day.doctor_of[row.village_id]].append(row)
    return found


def _own_resident(day: Day, person: Doctor, rng: Random, newest: int) -> int | None:
    """One of those whom the doctor answers for, chosen without reading all of them."""
    villages = [village for village, doctor in day.doctor_of.items() if doctor == person.worker_id]
    query = select(Resident.id).where(Resident.village_id.in_(villages)).order_by(Resident.id).limit(1)
    first = rng.randint(1, newest)
    return day.session.scalar(query.where(Resident.id >= first)) or day.session.scalar(query)


def _appointment(day: Day, person: Doctor, rng: Random, newest: int) -> Iterator[Action]:
    resident = _own_resident(day, person, rng, newest)
    if resident is not None:
        answers = {"kind": rng.randint(1, 7), "appointed_on": day.ahead(rng.choice((0, 1, 1, 2, 3, 7, 14)))}
        yield day.submit(rng.uniform(7, 19), person.worker_id, "appointment", answers, resident)


def _result(day: Day, person: Doctor, rng: Random, newest: int) -> Iterator[Action]:
    """The laboratory's list comes weeks after the test, some of it months."""
    resident = _own_resident(day, person, rng, newest)
    if resident is not None:
        ago = rng.choice((0, rng.randint(1, 30), rng.randint(8, 120)))
        answers = {"kind": rng.choice(TESTS), "result": rng.choice((1, 2, 3)), "result_checked": 1}
        answers["on"] = (day.today - timedelta(days=ago)).isoformat()
        yield day.submit(rng.uniform(8, 18), person.worker_id, "screening_result", answers, resident)


def _followed(row: ScreeningResult, rng: Random) -> dict[str, Any]:
    """Told, gone, or at its end."""
    known: dict[str, Any] = {"screening": row.record_id, "kind": row.test, "village_id": row.village_id}
    arrived = rng.choice((1, 1, 2, 3))
    closed = arrived != 2 and rng.random() < 0.4
    return (
        known
        | {"arrived": arrived, "closed": int(closed)}
        | ({"close_reason": 1 if arrived == 1 else 4} if closed else {})
    )


def _case(day: Day, person: Doctor, rng: Random) -> Iterator[Action]:
    """Most townships confirm it, some too late, and one doctor's report is taken back."""
    hour = rng.choice((rng.uniform(7, 19), rng.uniform(0, 24)))
    disease = rng.choice((HAND_FOOT_MOUTH, HAND_FOOT_MOUTH, MEASLES, CLUSTER))
    answers = {"disease": disease, "case_kind": 1, "patient": "小明", "place": "村里", "cases": 1}
    yield day.submit(hour, person.worker_id, "infectious_report", answers)
    late = rng.choice((0.05, 0.5, 1.5, 3, 12, 30, None))
    if late is not None:
        yield {"do": "confirm", "at": day.at(hour + late), "doctor": person.worker_id}
