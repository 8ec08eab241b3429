"""The first working day of a week: last week's figures and who is late, for each township and the county. 每周简报"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from handlers.summary import text_for
from models.enrolment import count_due
from models.message import Choice, OutgoingMessage
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from reminders.digest import covering
from reminders.reminder import Context, Reminder

BUTTONS = (Choice("overdue", "逾期"), Choice("summary", "汇总"))


def audience(session: Session, day: date) -> Iterable[int]:
    """Every active supervisor."""
    roles = (Role.TOWNSHIP, Role.COUNTY)
    return session.scalars(select(HealthWorker.id).where(HealthWorker.role.in_(roles), HealthWorker.active)).all()


def words(context: Context) -> OutgoingMessage:
    """The week before this one, with numerators, denominators and the day they are as of."""
    session, worker = context.session, context.worker
    organisation = session.get_one(Organisation, worker.organisation_id)
    monday = context.today - timedelta(days=context.today.weekday())
    first, last = monday - timedelta(days=7), monday - timedelta(days=1)
    late = count_due(session, context.scope, last=context.today - timedelta(days=1))
    head = f"{worker.name},早上好!上周({first}至{last})简报。现在逾期未访 {late} 人次。{_unbound(context)}"
    text = text_for(session, organisation, context.scope, first, last, context.today, settings=context.settings)
    return OutgoingMessage(f"{head}\n{text}", BUTTONS)


def _unbound(context: Context) -> str:
    """How many doctors cannot be told anything, because they are bound to no channel."""
    cover = covering(context.session, Role(context.worker.role)).subquery()
    below = select(cover.c.organisation_id).where(cover.c.worker_id == context.worker.id)
    bound = exists(select(1).where(ChannelAccount.worker_id == HealthWorker.id))
    doctors = select(HealthWorker.id).where(
        HealthWorker.role == Role.DOCTOR, HealthWorker.active, HealthWorker.organisation_id.in_(below), ~bound
    )
    number = len(context.session.scalars(doctors).all())
    return f"还有 {number} 位村医没有绑定,收不到提醒。" if number else ""


reminder = Reminder(
    code="supervisor_weekly", title="每周简报", audience=audience, words=words, whom="公卫科、卫健局", ends="过了时间窗"
)
