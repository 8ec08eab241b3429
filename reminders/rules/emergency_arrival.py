"""Two days after an emergency was sent on nobody has said that it arrived: the township hears of it (M-13). 急症转诊没确认"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select

from handlers.decisions import Urgency
from handlers.residents import describe_on
from models.enrolment import VISITED
from models.message import OutgoingMessage, mark_name
from models.people import HealthWorker, Resident
from models.record import Referral
from reminders.clock import Moment, at_hour
from reminders.digest import Asked
from reminders.reminder import Context, Gone, Reminder

AFTER = timedelta(days=2)  # 24 to 48 hours (M-13), and the doctor is asked on the first morning


def moments(asked: Asked, first: date, last: date) -> Iterable[Moment]:
    """Two mornings after it was sent, of emergencies not confirmed."""
    query = (
        select(Referral.id, Referral.village_id, Referral.sent_on)
        .join(Resident, Resident.id == Referral.resident_id)
        .where(
            Referral.urgency == Urgency.EMERGENCY,
            Referral.closed_at.is_(None),
            Referral.direction == "up",
            Referral.arrived.is_not(True),
            Referral.sent_on.between(first - AFTER, last - AFTER),
            Resident.status.in_(VISITED),
        )
        .order_by(Referral.id)
    )
    for referral_id, village_id, sent_on in asked.session.execute(query):
        at = at_hour(sent_on + AFTER, "08:00", asked.tz)
        yield Moment(
            subject=str(referral_id), organisation_id=village_id, at=at, arguments={"referral_id": referral_id}
        )


def words(context: Context) -> OutgoingMessage:
    """Who was sent, by whom, and what the doctor said since."""
    referral = context.session.get(Referral, context.arguments["referral_id"])
    if referral is None or referral.closed_at is not None or referral.arrived:
        raise Gone("the referral is closed, or the patient arrived")
    resident = context.session.get_one(Resident, referral.resident_id)
    if resident.status not in VISITED:
        raise Gone("the resident died or moved away")
    doctor = context.session.get_one(HealthWorker, referral.worker_id)
    who = f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)}"
    said = "村医说还没去医院" if referral.arrived is False else "村医还没有回音"
    return OutgoingMessage(f"🔴 {referral.sent_on}急症转诊,{said},请打电话核实({doctor.name}转出):\n{who}", urgent=True)


reminder = Reminder(
    code="emergency_arrival",
    title="急症转诊两天没确认",
    words=words,
    whom="公卫科",
    ends="村医答到了,或记录撤回、死亡、迁出",
)
