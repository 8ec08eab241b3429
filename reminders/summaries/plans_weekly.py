"""Monday: how the plans stand, to whoever holds them: what is late, by organisation, and what falls due this month. 计划周报"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.plans.texts import counts, head, task_line
from models.campaign import campaigns_for, may_manage
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Role
from models.plans import open_tasks, tasks_of
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.plan_milestones import open_plans

SOON = timedelta(days=30)
SHOWN = 6
PLANS = 5


def audience(session: Session, day: date) -> Iterable[int]:
    """Supervisors of the organisations that hold a plan."""
    holders = {plan.organisation_id for plan in open_plans(session)}
    query = select(HealthWorker.id).where(
        HealthWorker.role.in_((Role.TOWNSHIP, Role.COUNTY)),
        HealthWorker.active,
        HealthWorker.organisation_id.in_(sorted(holders)),
    )
    return session.scalars(query).all() if holders else []


def words(context: Context) -> OutgoingMessage:
    """Each plan with its counts, then what is late or due within the month."""
    session, worker, today = context.session, context.worker, context.today
    plans = [p for p in campaigns_for(session, worker, plans=True) if may_manage(session, p, worker)]
    if not plans:
        raise Gone("no plan is under way any more")
    tasks = tasks_of(session, plans)
    lines = [f"计划进度 {today}"]
    lines += [f"{head(plan)} {counts([t for t in tasks if t.campaign is plan], today)}" for plan in plans[:PLANS]]
    near = [t for t in open_tasks(tasks) if t.milestone.due_on <= today + SOON]
    lines += [f"· {task_line(t, today, with_plan=True)}" for t in near[:SHOWN]]
    if len(near) > SHOWN:
        lines.append(f"还有{len(near) - SHOWN}项到期或逾期,发“计划”看。")
    return OutgoingMessage("\n".join(lines), (Choice("plan", "计划"),))


reminder = Reminder(
    code="plans_weekly", title="计划周报", audience=audience, words=words, whom="有计划的牵头单位", ends="计划都结束了"
)
