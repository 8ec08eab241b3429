"""A plan in words: one line in a list, its scoreboard, a duty that is due or late. 计划的文字"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.campaign import PLAN_KINDS, STATUS_TITLES, Campaign
from models.plans import STATES, Task


def task_line(task: Task, today: date, *, with_plan: bool = False) -> str:
    """实施 托口镇 12月31日前 逾期3天 进行中 12/30家."""
    parts = [task.campaign.title] if with_plan else []
    parts += [task.milestone.title, task.organisation.name, when(task, today)]
    if task.report is not None:
        parts.append(STATES[task.report.state])
    if figure := figure_words(task):
        parts.append(figure)
    return " ".join(parts)


def when(task: Task, today: date) -> str:
    """By when, and how late; of what is done, whether it was in time."""
    due, days = task.milestone.due_on, task.days_late(today)
    day = f"{due.month}月{due.day}日" if due.year == today.year else f"{due}"
    if task.is_done:
        return f"{day}前" + (f"(晚{days}天)" if days > 0 else "")
    return f"{day}前" + (f" ⚠️逾期{days}天" if days > 0 else " 今天到期" if days == 0 else "")


def figure_words(task: Task) -> str:
    """12/30家, as far as both are known."""
    milestone, report = task.milestone, task.report
    if report is None or report.figure is None:
        return f"目标{milestone.target}" if milestone.target else ""
    of = f"/{milestone.figure:g}" if milestone.figure is not None else ""
    return f"{report.figure:g}{of}{milestone.unit or ''}"


def counts(tasks: Sequence[Task], today: date) -> str:
    """共6项 完成2 逾期1 有困难1."""
    done, late = sum(t.is_done for t in tasks), sum(t.is_late(today) for t in tasks)
    trouble = sum(t.is_in_trouble for t in tasks)
    parts = [f"共{len(tasks)}项", f"完成{done}"]
    parts += [f"逾期{late}"] if late else []
    parts += [f"有困难{trouble}"] if trouble else []
    return " ".join(parts)


def head(plan: Campaign) -> str:
    kind = PLAN_KINDS[plan.kind]
    status = "" if plan.status == "launched" else f"({STATUS_TITLES[plan.status]})"
    return f"{plan.title}{status}" if kind in plan.title else f"{plan.title}({kind}){status}"


def by_organisation(tasks: Sequence[Task], today: date) -> list[str]:
    """One line for each organisation: how far it is, and the earliest thing it owes."""
    found: dict[int, list[Task]] = {}
    for task in tasks:
        found.setdefault(task.organisation.id, []).append(task)
    lines = []
    for own in found.values():
        owed = min((t for t in own if not t.is_done), key=lambda t: t.milestone.due_on, default=None)
        following = f" 下一步 {owed.milestone.title} {when(owed, today)}" if owed else " 全部完成"
        lines.append(f"{own[0].organisation.name} 完成{sum(t.is_done for t in own)}/{len(own)}{following}")
    return lines
