"""A case of an infectious disease was reported: the township hears of it at once and confirms. 传染病报告"""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy import select

from handlers import infectious
from handlers.decisions import Urgency
from handlers.menu import FORMS
from models.infectious import InfectiousReport
from models.message import OutgoingMessage
from models.people import HealthWorker
from models.record import Record
from reminders.reminder import Context, Gone, Reminder

TOLD = (
    "disease",
    "case_kind",
    "patient",
    "patient_about",
    "onset_on",
    "place",
    "cases",
    "symptoms",
    "school",
    "contacts",
)


def words(context: Context) -> OutgoingMessage:
    """Who reports, until when it has to be confirmed, and the case. No disease and no name stands in the first line."""
    record, report = _of(context)
    if report.confirmed_at is not None:
        raise Gone("the township has confirmed it")
    doctor = context.session.get_one(HealthWorker, record.worker_id)
    form = FORMS[record.service]
    urgent = record.urgency == Urgency.EMERGENCY
    mark, due = ("🔴", "2小时") if urgent else ("🟠", "24小时")
    shown = [
        f"{s.title}:{s.show(record.answers)}" for s in form.steps if s.field in TOLD and s.is_answered(record.answers)
    ]
    lines = [
        f"{mark} {doctor.name}报来{infectious.REPORTED[record.service][1]},请在{clock(report.due_at, context.tz)}前({due}内)确认。",
        *shown,
        f"依据规则 {'、'.join(record.rules)}({form.title} {record.on})",
    ]
    return OutgoingMessage("\n".join(lines), (infectious.button(record.id),), urgent=urgent)


def _of(context: Context) -> tuple[Record, InfectiousReport]:
    record = context.session.get(Record, context.arguments["record_id"])
    query = select(InfectiousReport).where(InfectiousReport.record_id == context.arguments["record_id"])
    report = context.session.scalar(query)
    if record is None or report is None or record.status != "current":
        raise Gone("the report was withdrawn or corrected")
    return record, report


def clock(at: datetime, tz: tzinfo) -> str:
    """'11月24日11:00'."""
    local = at.astimezone(tz)
    return f"{local.month}月{local.day}日{local:%H:%M}"


reminder = Reminder(code="infectious_report", title="传染病报告", words=words)
