"""A milestone is due soon or late: its organisation is reminded, 14, 7 and 1 day before, on the day, then once a week. 阶段到期"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.settings import PLAN_DAYS_BEFORE
from handlers.plans.texts import task_line
from models.campaign import LAUNCHED, PLAN_KINDS, Campaign
from models.county import county
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Role
from models.plans import Task, open_tasks, tasks_of
from reminders.reminder import Context, Gone, Reminder

EVERY = 7
SHOWN = 8


def is_the_day(session: Session, task: Task, day: date) -> bool:
    """Is this one of the days on which the task is spoken of?"""
    late = task.days_late(day)
    return -late in county(session).get("plan.days_before", PLAN_DAYS_BEFORE) or (late > 0 and late % EVERY == 0)


def open_plans(session: Session) -> list[Campaign]:
    query = select(Campaign).where(Campaign.status == LAUNCHED, Campaign.kind.in_(PLAN_KINDS)).order_by(Campaign.id)
    return list(session.scalars(query))


def audience(session: Session, day: date) -> Iterable[int]:
    """Supervisors of the organisations that owe a milestone on one of its days."""
    owing = {
        t.organisation.id for t in open_tasks(tasks_of(session, open_plans(session))) if is_the_day(session, t, day)
    }
    roles = (Role.TOWNSHIP, Role.COUNTY)
    query = select(HealthWorker.id).where(
        HealthWorker.role.in_(roles), HealthWorker.active, HealthWorker.organisation_id.in_(sorted(owing))
    )
    return session.scalars(query).all() if owing else []


def words(context: Context) -> OutgoingMessage:
    """What is due and late, the earliest first; a button reports on each."""
    session, worker, today = context.session, context.worker, context.today
    own = [t for t in open_tasks(tasks_of(session, open_plans(session))) if t.organisation.id == worker.organisation_id]
    now = [t for t in own if is_the_day(session, t, today)]
    if not now:
        raise Gone("everything due is reported")
    lines = ["计划阶段提醒:", *(f"· {_line(t, today)}" for t in now[:SHOWN])]
    if len(now) > SHOWN:
        lines.append(f"还有{len(now) - SHOWN}项,发“计划”看全部。")
    choices = [Choice(f"progress.{t.milestone.id}", f"汇报{t.milestone.title}"[:10]) for t in now[:5]]
    return OutgoingMessage("\n".join(lines), (*choices, Choice("plan", "计划")))


def _line(task: Task, today: date) -> str:
    days = -task.days_late(today)
    return task_line(task, today, with_plan=True) + (f" 还有{days}天" if days > 0 else "")


reminder = Reminder(
    code="plan_milestones",
    title="阶段到期",
    audience=audience,
    words=words,
    opens="progress_report",
    whom="责任单位;到期前14、7、1天、当天,逾期后每7天",
    ends="汇报已完成,计划停止",
)
