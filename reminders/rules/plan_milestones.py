"""A milestone is due soon or late: its organisation is reminded, 14, 7 and 1 day before, on the day, then once a week. 阶段到期"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.settings import PLAN_DAYS_BEFORE
from handlers.plans.texts import task_line
from models.campaign import LAUNCHED, PLAN_KINDS, Campaign, launched_on
from models.county import county
from models.mention import heard, mention
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Role
from models.plans import Task, open_tasks, tasks_of
from reminders.reminder import Context, Gone, Reminder
from reminders.stages import stage

KIND = "milestone"
EVERY = 7
SHOWN = 8


def _stage(session: Session, task: Task, day: date) -> str | None:
    before = county(session).get("plan.days_before", PLAN_DAYS_BEFORE)
    return stage(task.milestone.due_on, day, before, every=EVERY, since=launched_on(task.campaign))


def open_plans(session: Session) -> list[Campaign]:
    query = select(Campaign).where(Campaign.status == LAUNCHED, Campaign.kind.in_(PLAN_KINDS)).order_by(Campaign.id)
    return list(session.scalars(query))


def _owed(session: Session, day: date, but: str = "") -> tuple[list[tuple[Task, str]], set[tuple[int, int, str]]]:
    """What is owed and has come to one of its days; and what was told of it already."""
    tasks = open_tasks(tasks_of(session, open_plans(session)))
    owed = [(task, reached) for task in tasks if (reached := _stage(session, task, day))]
    return owed, heard(session, KIND, {task.milestone.id for task, _ in owed}, but=but)


def audience(session: Session, day: date) -> Iterable[int]:
    """Supervisors of the organisations that owe a milestone, unless they were told of it on its last day."""
    owed, told = _owed(session, day)
    roles = (Role.TOWNSHIP, Role.COUNTY)
    query = select(HealthWorker.id, HealthWorker.organisation_id).where(
        HealthWorker.role.in_(roles), HealthWorker.active,
        HealthWorker.organisation_id.in_(sorted({task.organisation.id for task, _ in owed})),
    )  # fmt: skip
    return {
        worker_id
        for worker_id, seat in session.execute(query)
        if any(t.organisation.id == seat and (worker_id, t.milestone.id, reached) not in told for t, reached in owed)
    }


def words(context: Context) -> OutgoingMessage:
    """What is due and late, the earliest first; a button reports on each."""
    session, worker, today = context.session, context.worker, context.today
    owed, told = _owed(session, today, but=context.message_key)
    matters = {
        task.milestone.id: reached
        for task, reached in owed
        if task.organisation.id == worker.organisation_id and (worker.id, task.milestone.id, reached) not in told
    }
    now = [t for t, _ in owed if t.organisation.id == worker.organisation_id and t.milestone.id in matters]
    if not now:
        raise Gone("everything due is reported")
    mention(session, KIND, worker.id, matters.items(), context.message_key)
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
