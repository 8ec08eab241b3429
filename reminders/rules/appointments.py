"""What was promised for today, and earlier appointments nobody has said anything of. 预约"""

from __future__ import annotations

from sqlalchemy import select

from handlers.appointments import MOST, line
from models.appointment import Appointment, appointments_on
from models.enrolment import VISITED
from models.message import Choice
from models.people import Resident
from models.record import Record
from reminders.digest import Asked, Part, Query, Said, Telling


def rows(asked: Asked) -> Query:
    """Open appointments until today."""
    return (
        select(Appointment.village_id.label("organisation_id"), Appointment.id)
        .join(Resident, Resident.id == Appointment.resident_id)
        .join(Record, Record.id == Appointment.record_id)
        .where(
            Appointment.on <= asked.today,
            Appointment.closed_at.is_(None),
            Record.status == "current",
            Resident.status.in_(VISITED),
        )
    )


def says(telling: Telling) -> Said:
    """As 今日 tells them; there they are answered."""
    context = telling.context
    promised = appointments_on(context.session, context.scope, context.today)
    lines = [line(one, one.on == context.today) for one in promised[:MOST]]
    if len(promised) > MOST:
        lines.append(f"还有{len(promised) - MOST}件预约,点“今日”看。")
    return Said(lines, [Choice("today", "今日")])


part = Part(
    code="appointments",
    title="预约",
    rows=rows,
    says=says,
    pressing=lambda promised: promised,
    opens="appointment",
    ends="村医点了办了或没办成,或记录撤回",
)
