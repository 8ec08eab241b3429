"""The first working day of a quarter: the figures from the beginning of the year to the end of the quarter (domain.md H1). 季报"""

from __future__ import annotations

from datetime import timedelta

from handlers.summary import text_for
from models.message import OutgoingMessage
from models.people import Organisation
from reminders.days import Period
from reminders.reminder import Context, Reminder
from reminders.summaries.supervisor_weekly import BUTTONS, audience


def words(context: Context) -> OutgoingMessage:
    """The year up to the quarter that has ended; of the fourth quarter that is the whole year."""
    worker = context.worker
    organisation = context.session.get_one(Organisation, worker.organisation_id)
    last = Period.QUARTER.begins(context.today) - timedelta(days=1)
    first, quarter = last.replace(month=1, day=1), (last.month + 2) // 3
    what = f"{last.year}年全年" if quarter == 4 else f"{last.year}年前{'一二三'[quarter - 1]}季度累计"
    text = text_for(context.session, organisation, context.scope, first, last, context.today, settings=context.settings)
    return OutgoingMessage(f"{worker.name},早上好!{what}的季报。\n{text}", BUTTONS)


reminder = Reminder(
    code="supervisor_quarterly", title="季报", audience=audience, words=words, whom="公卫科、卫健局", ends="过了时间窗"
)
