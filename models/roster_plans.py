"""Import of plans: one row a milestone. 计划编码, 计划名称, 牵头机构编码, 阶段, 完成期限 and 类别, 开始日期, 责任机构, 目标, 总目标, 说明. 计划导入

Rows of one code are one plan; a milestone keeps its reports as long as it keeps its name. 责任机构 (names or codes) answer
for the milestone; left out, whoever leads the plan does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import campaign_work
from models.campaign import CLOSED, LAUNCHED, PLAN_KINDS, PLANNED, STOPPED, Campaign
from models.people import Organisation
from models.roster_campaigns import areas_of, holder_of
from models.roster_organisations import Known
from models.roster_rows import FIRST_LINE, Imported, Refusal, Row, Run, code, day, needed, numbered, text

Numbered = tuple[int, Row]
_FIGURE = re.compile(r"(\d+(?:\.\d+)?)\s*([%％]|[个家人次场间所台张户名科])")


def import_plans(
    session: Session,
    rows: Sequence[Row],
    *,
    now: datetime,
    today: date,
    by: int | None = None,
    first_line: int = FIRST_LINE,
    tell_at: datetime | None = None,
) -> Imported:
    """Take plans one by one, each whole or not at all: without a row that cannot be read, a milestone and its reports
    would be taken out of a plan that runs, and the rows that come back would be taken for the whole plan."""
    run = Run(session, "plans", now, by)
    places = {organisation.code: organisation for organisation in session.scalars(select(Organisation))}
    plans: dict[str, list[Numbered]] = {}
    for line, row in numbered("plans", rows, first_line):
        own = code(row, "计划编码")
        if not own:
            run.result.refuse(line, row, "计划编码没有填")
        else:
            plans.setdefault(own, []).append((line, row))
    for own, its_rows in plans.items():
        _take(run, own, its_rows, places, today, tell_at)
    return run.finish()


def _take(run: Run, own: str, rows: Sequence[Numbered], places: Known, today: date, tell_at: datetime | None) -> None:
    session = run.session
    milestones: list[dict[str, Any]] = []
    columns: dict[str, Any] = {}
    areas: list[int] = []
    refused: dict[int, str] = {}
    for line, row in rows:
        try:
            said = _columns(row, places)
            if columns and said["organisation_id"] != columns["organisation_id"]:
                raise Refusal("同一个计划的牵头机构要一样")
            milestone = _milestone(row, places, run, [one["title"] for one in milestones])
        except Refusal as reason:
            refused[line] = str(reason)
            continue
        columns = columns or said
        milestones.append(milestone)
        areas += [area for area in milestone["organisations"] if area not in areas]
    if refused:
        why = f"第{'、'.join(map(str, refused))}行有问题,这个计划整个没有导入,改好后一起再导入"
        for line, row in rows:
            run.result.refuse(line, row, refused.get(line, why))
        return
    columns["areas"] = areas or [columns["organisation_id"]]
    plan = session.scalar(select(Campaign).where(Campaign.code == own))
    if plan is not None and not plan.is_plan:
        for line, row in rows:
            run.result.refuse(line, row, f"编码 {own} 已经是一个活动,计划请用另一个编码")
        return
    is_new = plan is None
    told_before = campaign_work.workers_of(session, plan) if plan is not None else []
    if plan is None:
        plan = Campaign(code=own, status=PLANNED, worker_id=run.by, **columns)
    changes = {} if is_new else {name: value for name, value in columns.items() if getattr(plan, name) != value}
    for name, value in changes.items():
        setattr(plan, name, value)
    campaign_work.set_days(plan, milestones)
    session.add(plan)
    session.flush()
    different = campaign_work.set_milestones(session, plan, milestones)
    if is_new:
        run.result.added += 1
        campaign_work.launch(session, plan, run.now, today, by=run.by, tell_at=tell_at)
        return
    if (changes or different) and plan.status in (LAUNCHED, STOPPED, CLOSED):
        campaign_work.change(session, plan, run.now, today, by=run.by, told_before=told_before, tell_at=tell_at)
    shown = {name: str(value) for name, value in changes.items()}
    run.settle(f"campaign:{plan.id}", {**shown, **({"阶段": "改过"} if different else {})})


def _columns(row: Row, places: Known) -> dict[str, Any]:
    word = text(row, "类别", 32) or PLAN_KINDS["other_plan"]
    meant = [code for code, title in PLAN_KINDS.items() if word == code or (len(word) > 1 and word in title)]
    kind = meant[0] if len(meant) == 1 else None
    if kind is None:
        raise Refusal(f"类别“{word}”不认识,可以填:{'、'.join(PLAN_KINDS.values())}")
    return {
        "kind": kind,
        "title": needed("计划名称", text(row, "计划名称", 64)),
        "organisation_id": holder_of(row, "牵头机构编码", places).id,
        "target": text(row, "总目标", 200) or None,
        "note": text(row, "说明", 400) or None,
    }


def _milestone(row: Row, places: Known, run: Run, titles: Sequence[str]) -> dict[str, Any]:
    title, due = needed("阶段", text(row, "阶段", 64)), day(row, "完成期限")
    if title in titles:
        raise Refusal(f"阶段“{title}”在这个计划里已经有了")
    if due is None:
        raise Refusal("完成期限没有填")
    starts, target = day(row, "开始日期"), text(row, "目标", 120) or None
    if starts is not None and starts > due:
        raise Refusal(f"开始日期 {starts} 在完成期限 {due} 之后,请核对")
    figures = _FIGURE.findall(target or "")
    holder = holder_of(row, "牵头机构编码", places)
    return {
        "title": title,
        "starts_on": starts.isoformat() if starts else None,
        "due_on": due.isoformat(),
        "organisations": [place.id for place in areas_of(row, "责任机构", holder, places)],
        "target": target,
        "figure": float(figures[0][0]) if len(figures) == 1 else None,
        "unit": figures[0][1].replace("％", "%") if len(figures) == 1 else None,
    }
