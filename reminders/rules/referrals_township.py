"""To the township: referrals nobody has confirmed a week after they were first asked about. 转诊没确认"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, select

from handlers.decisions import Urgency
from models.enrolment import VISITED
from models.message import mark_name
from models.people import HealthWorker, Resident
from models.record import Referral
from reminders.days import working_days
from reminders.digest import Asked, Part, Query, Said, Telling

AFTER = timedelta(days=21)  # two weeks until it is asked, and one for the answer
SHOWN = 4


def rows(asked: Asked) -> Query:
    """Ordinary referrals; an emergency has a clock of its own."""
    return (
        select(
            Referral.village_id.label("organisation_id"),
            Referral.id.label("subject_id"),
            case((Referral.arrived.is_(False), "refused"), else_="unanswered").label("stage"),
            Referral.sent_on,
            Resident.name,
            HealthWorker.name.label("doctor"),
        )
        .join(Resident, Resident.id == Referral.resident_id)
        .join(HealthWorker, HealthWorker.id == Referral.worker_id)
        .where(
            Referral.closed_at.is_(None),
            Referral.direction == "up",
            Referral.arrived.is_not(True),
            Resident.status.in_(VISITED),
            Referral.urgency != Urgency.EMERGENCY,
            Referral.sent_on <= asked.today - AFTER,
        )
    )


def says(telling: Telling) -> Said:
    found = sorted(telling.rows, key=lambda row: (row.sent_on, row.subject_id))
    lines = [f"🏥 {len(found)}位转诊三周还没确认到院:"]
    for row in found[:SHOWN]:
        what = "说没去" if row.stage == "refused" else "没有回音"
        lines.append(f"{mark_name(row.name)} {row.sent_on}由{row.doctor}转出,{what}")
    return Said(lines)


part = Part(
    code="referrals_township",
    title="普通转诊三周没确认,一次",
    rows=rows,
    says=says,
    days=working_days,
    once=True,
    ends="村医答到了,或记录撤回、死亡、迁出",
)
