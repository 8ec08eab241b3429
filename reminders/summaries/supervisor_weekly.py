"""Monday 08:00: last week's figures and who is late, for each township and the county. 每周简报"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.summary import text_for
from models.enrolment import count_due
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Organisation, Role
from models.scope import scope_of
from reminders.reminder import Context, Reminder


def audience(session: Session, day: date) -> Iterable[int]:
    """Every active supervisor."""
    roles = (Role.TOWNSHIP, Role.COUNTY)
    return session.scalars(select(HealthWorker.id).where(HealthWorker.role.in_(roles), HealthWorker.active)).all()


def words(context: Context) -> OutgoingMessage:
    """The week before this Monday, with numerators, denominators and the day they are as of."""
    session, worker = context.session, context.worker
    scope = scope_of(session, worker)
    organisation = session.get_one(Organisation, worker.organisation_id)
    monday = context.today - timedelta(days=context.today.weekday())
    first, last = monday - timedelta(days=7), monday - timedelta(days=1)
    late = count_due(session, scope, last=context.today - timedelta(days=1))
    head = f"{worker.name},早上好!上周({first}至{last})简报。现在逾期未访 {late} 人次。"
    text = text_for(session, organisation, scope, first, last, context.today)
    return OutgoingMessage(f"{head}\n{text}", (Choice("overdue", "逾期"), Choice("summary", "汇总")))


reminder = Reminder(code="supervisor_weekly", title="每周简报", audience=audience, words=words)
