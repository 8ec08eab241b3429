"""The first working day of a month: the figures of the month before. 月报"""

from __future__ import annotations

from datetime import timedelta

from handlers.summary import text_for
from models.message import OutgoingMessage
from models.people import Organisation
from reminders.reminder import Context, Reminder
from reminders.summaries.supervisor_weekly import BUTTONS, audience


def words(context: Context) -> OutgoingMessage:
    """The month that has ended, as of its last day."""
    worker = context.worker
    organisation = context.session.get_one(Organisation, worker.organisation_id)
    last = context.today.replace(day=1) - timedelta(days=1)
    text = text_for(
        context.session,
        organisation,
        context.scope,
        last.replace(day=1),
        last,
        context.today,
        settings=context.settings,
    )
    return OutgoingMessage(f"{worker.name},早上好!{last.year}年{last.month}月的月报。\n{text}", BUTTONS)


reminder = Reminder(
    code="supervisor_monthly", title="月报", audience=audience, words=words, whom="公卫科、卫健局", ends="过了时间窗"
)
