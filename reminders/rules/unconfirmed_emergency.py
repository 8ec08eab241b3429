"""A value that would be an emergency was typed and not confirmed for ten minutes: the township hears of it (M-8). 未确认的急症"""

from __future__ import annotations

from handlers.residents import describe_on
from models.message import OutgoingMessage, mark_name
from models.people import HealthWorker, Resident
from reminders.reminder import Context, Reminder


def words(context: Context) -> OutgoingMessage:
    """Who typed what about whom, or on which form when nobody is named; it is cancelled when the doctor submits, corrects or throws the draft away."""
    resident = context.session.get(Resident, context.arguments["resident_id"] or 0)
    doctor = context.session.get_one(HealthWorker, context.arguments["worker_id"])
    about = context.arguments.get("about", "还没说是谁")
    if resident is not None:
        about = f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)}"
    text = f"🔴 {doctor.name}10分钟前填到一例可能的急症,还没有提交,请打电话核实:\n{about}\n{context.arguments['say']}"
    return OutgoingMessage(text, urgent=True)


reminder = Reminder(
    code="unconfirmed_emergency",
    title="未确认的急症",
    words=words,
    whom="公卫科(没有则卫健局)",
    ends="村医十分钟内提交、改正或作废",
)
