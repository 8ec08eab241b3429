"""A plan was set, changed or stopped: the organisations responsible hear of it once, as it stands. 计划通知"""

from __future__ import annotations

from handlers.plans.milestones import words_of
from handlers.plans.texts import head
from models.campaign import LAUNCHED, STOPPED, Campaign
from models.campaign_work import PLAN_NOTICE, responsible_for, was_told
from models.message import Choice, OutgoingMessage
from models.people import Organisation
from models.plans import for_seat, tasks_of
from reminders.reminder import Context, Gone, Reminder

SHOWN = 8


def words(context: Context) -> OutgoingMessage:
    """What the organisation answers for, and until when; a stop only to those who had heard of the plan."""
    session, worker = context.session, context.worker
    plan = session.get(Campaign, context.arguments["campaign_id"])
    if plan is None or context.arguments["edition"] != plan.edition:
        raise Gone("told as it stands now")
    leads = worker.organisation_id == plan.organisation_id
    heard = was_told(session, plan, worker.id) or (leads and plan.edition > 1)
    if plan.status == STOPPED or not (leads or worker.id in responsible_for(session, plan)):
        if not heard:
            raise Gone("stopped or changed before anybody was told")
        why = f"原因:{plan.end_reason}。" if plan.end_reason else ""
        done = f"停止了。{why}" if plan.status == STOPPED else "不再由您单位负责。"
        return OutgoingMessage(f"计划{plan.title}{done}不用再汇报。")
    if plan.status != LAUNCHED:
        raise Gone(f"the plan is {plan.status}")
    seat = session.get_one(Organisation, worker.organisation_id)
    tasks = tasks_of(session, [plan])
    milestones = {t.milestone.id: t.milestone for t in (tasks if leads else for_seat(tasks, seat))}
    lines = [f"{'计划有变动' if heard else '新计划'}:{head(plan)}"]
    lines += [f"总目标:{plan.target}"] if plan.target else []
    for milestone in list(milestones.values())[:SHOWN]:
        said = {"title": milestone.title, "due_on": milestone.due_on, "starts_on": milestone.starts_on}
        lines.append(f"· {words_of({**said, 'target': milestone.target})}")
    lines.append("有进展就发:汇报 阶段 进展。")
    return OutgoingMessage("\n".join(lines), (Choice(f"plan.{plan.id}", "看计划"),))


reminder = Reminder(
    code=PLAN_NOTICE,
    title="计划通知",
    words=words,
    whom="责任单位的公卫科、卫健局;别人改动、停止的还有牵头单位",
    ends="计划又改了(说最新的),没听说过就停了",
)
