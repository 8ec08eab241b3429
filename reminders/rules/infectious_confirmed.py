"""The township has confirmed a reported case: the doctor hears of it. 传染病报告已确认"""

from __future__ import annotations

from handlers.infectious import REPORTED
from models.message import OutgoingMessage
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """Who has confirmed, and what goes on meanwhile."""
    record = context.session.get(Record, context.arguments["record_id"])
    if record is None or record.status != "current":
        raise Gone("the report was withdrawn or corrected")
    what, _, _, meanwhile = REPORTED[record.service]
    return OutgoingMessage(f"{context.arguments['by']}已确认收到您{record.on}的{what}报告。{meanwhile}")


reminder = Reminder(code="infectious_confirmed", title="传染病报告已确认", words=words)
