"""An urgent result was recorded: the township hears of it at once. 急危重症上报"""

from __future__ import annotations

from handlers.menu import FORMS
from handlers.residents import describe_on
from models.message import OutgoingMessage, mark_name
from models.people import HealthWorker, Resident
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """What was found, by whom, and the rules; names masked where the channel is abroad."""
    record = context.session.get(Record, context.arguments["record_id"])
    if record is None or record.status == "withdrawn":
        raise Gone("the record was withdrawn")
    resident = context.session.get_one(Resident, record.resident_id)
    doctor = context.session.get_one(HealthWorker, record.worker_id)
    form = FORMS[record.service]
    measured = [
        step.show(record.answers)
        for step in form.steps
        if step.field in ("systolic", "fasting_glucose") and step.is_answered(record.answers)
    ]
    lines = [
        f"🔴 紧急:{doctor.name}刚报来一例,请立即联系。",
        f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)} {'、'.join(measured)}",
        f"依据规则 {'、'.join(record.rules)}({form.title} {record.on})",
        "请确认转诊去向,2周内随访转诊结果。",
    ]
    return OutgoingMessage("\n".join(lines), urgent=True)


reminder = Reminder(code="urgent_result", title="急危重症上报", words=words)
