"""The first working day of a month: the figures of the month before. 月报"""

from __future__ import annotations

from datetime import timedelta

from handlers.summary import text_for
from models.message import OutgoingMessage
from models.people import Organisation
from models.preferences import KEY
from reminders.reminder import Context, Reminder
from reminders.summaries.supervisor_weekly import BUTTONS, audience, recorded

QUARTERLY = "supervisor_quarterly"


def words(context: Context) -> OutgoingMessage:
    """The month that has ended, as of its last day. At the end of a quarter the rates stand in the quarterly report."""
    worker = context.worker
    organisation = context.session.get_one(Organisation, worker.organisation_id)
    last = context.today.replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    head = f"{worker.name},早上好!{last.year}年{last.month}月的月报。"
    quarterly_comes = last.month % 3 == 0 and not context.preferences.is_off(QUARTERLY, worker.settings.get(KEY, {}))
    if quarterly_comes:
        end = first - timedelta(days=1)
        told = recorded(context, organisation, (first, last), (end.replace(day=1), end), (f"{last.month}月", "上个月"))
        return OutgoingMessage(f"{head}\n{told}\n各项率在季报里。", BUTTONS)
    text = text_for(
        context.session,
        organisation,
        context.scope,
        first,
        last,
        context.today,
        settings=context.settings,
    )
    return OutgoingMessage(f"{head}\n{text}", BUTTONS)


reminder = Reminder(
    code="supervisor_monthly", title="月报", audience=audience, words=words, whom="公卫科、卫健局", ends="过了时间窗"
)
