"""An urgent result was recorded: the township hears of it at once. 急危重症上报"""

from __future__ import annotations

from collections.abc import Sequence

from handlers.decisions import RuleRow, Urgency, explain
from handlers.form import Form
from handlers.menu import FORMS
from handlers.residents import describe_on
from models.message import OutgoingMessage, mark_name
from models.people import HealthWorker, Resident
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """What was found, by whom, why and what the doctor was told to do; names masked where the channel is abroad."""
    record = context.session.get(Record, context.arguments["record_id"])
    if record is None or record.status == "withdrawn":
        raise Gone("the record was withdrawn")
    resident = context.session.get_one(Resident, record.resident_id)
    doctor = context.session.get_one(HealthWorker, record.worker_id)
    form = FORMS[record.service]
    emergency = record.urgency == Urgency.EMERGENCY
    measured = "、".join(form.decisive(record.answers))
    decisive = _decisive_rules(form, record.rules)
    lines = [
        f"🔴 紧急:{doctor.name}刚报来一例,请立即联系。" if emergency else f"🟠 上报:{doctor.name}刚报来一例,请处理。",
        f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)} {measured}".rstrip(),
        *(f"{row.because}" for row in decisive),
        *(f"👉 已告诉村医:{row.then.say}" for row in decisive[:1] if row.then.say),
        f"依据规则 {'、'.join(record.rules)}({form.title} {record.on})",
        *(["请确认转诊去向,2周内随访转诊结果。"] if record.referral else []),
    ]
    return OutgoingMessage("\n".join(lines), urgent=emergency)


def _decisive_rules(form: Form, fired: Sequence[str]) -> list[RuleRow]:
    """The rules that made it urgent, or that ask for the township to be told; the most severe first."""
    rows = [row for row in explain(form.protocol) if row.id in fired] if form.protocol else []
    worst = min((row.then.urgency.rank for row in rows), default=0)
    urgent = [row for row in rows if row.then.urgency.rank == worst and worst < Urgency.SOON.rank]
    return urgent or [row for row in rows if "tell_township" in row.then.flags]


reminder = Reminder(
    code="urgent_result", title="急危重症上报", words=words, whom="公卫科(没有则卫健局)", ends="记录撤回"
)
