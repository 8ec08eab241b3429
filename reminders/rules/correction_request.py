"""A doctor asks the township for leave to change an older record. 更正申请"""

from __future__ import annotations

from handlers import leave
from handlers.resident_card import summary_of
from models.message import OutgoingMessage, mark_name
from models.people import HealthWorker, Resident
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """Who wants to change what; nothing once the record was changed or withdrawn."""
    record = context.session.get_one(Record, context.arguments["record_id"])
    if record.status != "current":
        raise Gone("the record was changed already")
    doctor = context.session.get_one(HealthWorker, context.arguments["worker_id"])
    resident = context.session.get(Resident, record.resident_id) if record.resident_id else None
    who = f"{mark_name(resident.name)} " if resident else ""
    text = f"{doctor.name}申请更正一条较早的记录,同意吗?\n{record.on} {who}{summary_of(record)}"
    return OutgoingMessage(text, leave.choices(record.id))


reminder = Reminder(code="correction_request", title="更正申请", words=words)
