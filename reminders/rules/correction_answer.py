"""The township's answer to a request to change an older record. 更正答复"""

from __future__ import annotations

from models.message import Choice, OutgoingMessage
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """Yes with the button that opens the record, or no."""
    record = context.session.get_one(Record, context.arguments["record_id"])
    if record.status != "current":
        raise Gone("the record was changed already")
    by, allowed = context.arguments["by"], context.arguments["allowed"]
    if not allowed:
        return OutgoingMessage(f"{by}不同意更正{record.on}的那条记录。有疑问请电话联系。")
    return OutgoingMessage(f"{by}同意您更正{record.on}的记录,7天内有效。", (Choice(f"fix.{record.id}", "打开更正"),))


reminder = Reminder(code="correction_answer", title="更正答复", words=words)
