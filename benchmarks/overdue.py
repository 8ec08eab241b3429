"""Who is overdue in a whole county: read from the due dates that every record keeps, or worked out again from the visits."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.county import TODAY, opened, seeded
from benchmarks.row import Row, fastest_ms, rate_row
from models.enrolment import VISITED, Enrolment, due_visits
from models.people import Organisation, Resident
from models.record import Record
from models.scope import Scope

CHT = 27_600  # contacts/s of the Community Health Toolkit's rules engine, computation only; measured elsewhere
YESTERDAY = TODAY - timedelta(days=1)


def measure(*, quick: bool = False) -> list[Row]:
    with opened(seeded(3000, 16) if quick else seeded(428_000, 305)) as store, store.read() as session:
        county = session.scalars(select(Organisation).where(Organisation.level == "county")).one()
        scope = Scope(county.id, county.path)
        contacts = session.scalar(select(func.count()).select_from(Enrolment)) or 0
        listed = {(visit.resident_id, visit.programme) for visit in due_visits(session, scope, last=YESTERDAY)}
        if listed != set(worked_out(session, YESTERDAY)):
            raise RuntimeError("the maintained due dates and the rule over the visits name different people")
        ours = contacts / fastest_ms(lambda: due_visits(session, scope, last=YESTERDAY), 25) * 1000
        again = contacts / fastest_ms(lambda: worked_out(session, YESTERDAY), 3) * 1000
    name, unit = "overdue, everyone in a county with name, programme and days", "contacts/s"
    return [
        rate_row(name, ours, CHT, "CHT rules engine, computation only, measured elsewhere", at_least=50, unit=unit),
        rate_row(name, ours, again, "the same rule over the visits, in Python", at_least=None, unit=unit),
    ]


def worked_out(session: Session, last: date) -> list[tuple[int, str]]:
    """The way of a rules engine: load everybody and their visits, and look at each.

    Whoever's latest visit set a day that has passed; a first visit is due when enrolment said so.
    """
    visits = select(Record.resident_id, Record.programme, Record.on, Record.next_due_on)
    latest: dict[tuple[int, str], tuple[date, date]] = {}
    for resident, programme, on, due in session.execute(visits.where(Record.next_due_on.is_not(None))):
        latest[resident, programme] = max(latest.get((resident, programme), (on, due)), (on, due))
    enrolled = select(Enrolment.resident_id, Enrolment.programme, Enrolment.next_due_on).join(
        Resident, Resident.id == Enrolment.resident_id
    )
    found = []
    for resident, programme, first_due in session.execute(
        enrolled.where(Enrolment.ended_on.is_(None), Resident.status.in_(VISITED))
    ):
        due = latest[resident, programme][1] if (resident, programme) in latest else first_due
        if due is not None and due <= last:
            found.append((resident, programme))
    return found
