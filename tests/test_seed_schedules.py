"""The synthetic county leaves its mothers and children as the forms would have left them."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.protocols.child_check import SLOTS
from handlers.protocols.immunisation import Child, plan
from handlers.protocols.pregnancy import WINDOWS, made, next_window
from models.base import Store
from models.enrolment import Enrolment, open_windows
from models.people import HealthWorker, Resident
from models.scope import scope_of
from models.seed_schedules import ANTENATAL, check_window
from tests.conftest import TODAY


def enrolled(session: Session, programme: str) -> list[tuple[Enrolment, Resident]]:
    query = select(Enrolment, Resident).join(Resident, Resident.id == Enrolment.resident_id)
    running = query.where(Enrolment.programme == programme, Enrolment.ended_on.is_(None))
    return [(enrolment, resident) for enrolment, resident in session.execute(running)]


def test_the_next_dose_is_the_schedules_own(county: Store) -> None:
    with county.read() as session:
        children = enrolled(session, "vaccination")
        assert children
        for enrolment, resident in children:
            told = {k.removeprefix("dose."): date.fromisoformat(v) for k, v in enrolment.details.items()}
            assert resident.born_on is not None
            child = Child(resident.born_on, resident.sex)
            first = min(planned.earliest for planned in plan(child, told, TODAY))
            assert enrolment.next_due_on == enrolment.due_from, resident.born_on
            assert first in (enrolment.next_due_on, TODAY), (resident.born_on, told)


def test_a_pregnancy_is_in_its_window_or_before_it(county: Store) -> None:
    assert [(w.number, w.first_week, w.last_week) for w in WINDOWS] == list(ANTENATAL)
    with county.read() as session:
        told = [(e, r) for e, r in enrolled(session, "maternal") if "last_menstrual_period" in e.details]
        assert told
        for enrolment, _ in told:
            began = date.fromisoformat(enrolment.details["last_menstrual_period"])
            window = next_window((TODAY - began).days, set(made(enrolment.details)))
            assert window is not None
            assert (enrolment.due_from, enrolment.next_due_on) == window.days(began)


def test_checks_by_age_open_and_close_as_the_norm_has_it() -> None:
    born_on = date(2024, 1, 31)
    for slot in SLOTS:
        opens, closes = check_window(born_on, slot.months)
        grace = 0 if slot.months == 1 else 3 if slot.months >= 48 else 1
        assert (opens, closes) == (slot.opens(born_on), slot.closes(born_on, grace))


def test_windows_are_open_today(county: Store) -> None:
    """What the village doctors' 今日 shows of mothers and children."""
    with county.read() as session:
        worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "C001")).one()
        open_now = open_windows(session, scope_of(session, worker), TODAY)
        programmes = {visit.programme for visit in open_now}
        assert "child" in programmes
        late = [e for e, _ in enrolled(session, "vaccination") if e.next_due_on and e.next_due_on <= TODAY]
        assert all(TODAY - e.next_due_on <= timedelta(days=60) for e in late if e.next_due_on)
