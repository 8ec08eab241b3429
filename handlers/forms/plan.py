"""制定计划: its milestones, who answers for them, and what is to be reached (domain.md F2 to F5). A campaign without residents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from handlers.areas import Area
from handlers.campaigns.places import Areas
from handlers.form import Form
from handlers.forms import campaign
from handlers.plans.milestones import Milestones, calendar_year, is_relative, may_be_calendar, resolved
from handlers.reading.dates import find_day
from handlers.reading.normalise import tidy
from handlers.steps import Answer, Known, NotUnderstood, SelectOne, Step, Text, options
from handlers.steps.base import quoted
from handlers.turn import Turn
from models import campaign_work
from models.campaign import PLAN_KINDS, PLANNED, Campaign
from models.conversation import Doubt
from models.message import Choice
from models.record import Record

EARLIEST, LATEST = 2015, 2100
_MONTH = re.compile(r"(?:(?P<year>\d{4})\s*[年.-])?\s*(?P<month>\d{1,2})\s*月?(?:份)?")


@dataclass(frozen=True, kw_only=True, eq=False)
class Begin(Step):
    """The month in which a plan begins; a plan may have begun some time ago."""

    def choices(self, known: Known) -> tuple[Choice, ...]:
        months = [known.today.replace(day=1), _next_month(known.today), date(known.today.year + 1, 1, 1)]
        return tuple(Choice(f"{self.field}.{m:%Y-%m}", f"{m.year}年{m.month}月") for m in dict.fromkeys(months))

    def choose(self, code: str, known: Known) -> Answer:
        return self.read(code, known)

    def read(self, text: str, known: Known) -> Answer:
        said = tidy(text)
        if match := _MONTH.fullmatch(said.strip(" 。起从开始")):
            year = int(match["year"]) if match["year"] else known.today.year
            month = int(match["month"])
            if 1 <= month <= 12 and EARLIEST <= year <= LATEST:
                return Answer({self.field: date(year, month, 1).isoformat()})
        days = find_day(said, known.today, "future", bare=True)
        if len(days) == 1 and days[0].on is not None:
            return Answer({self.field: days[0].on.replace(day=1).isoformat()})
        raise NotUnderstood(f"没看懂“{quoted(text)}”。请写年月,例如 2027年1月。")

    def show(self, answers: Mapping[str, Any]) -> str:
        begins = date.fromisoformat(answers[self.field])
        return f"{begins.year}年{begins.month}月"


def _next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class Responsible(Areas):
    """Who answers for it. Of a county's plan 全部 means each of its townships, not the county itself."""

    def choices(self, known: Known) -> tuple[Choice, ...]:
        top, below = self._places(known)
        if top is None:
            return ()
        if top.path.count("/") == 2:  # a county: townships answer, or it does itself
            whole = Choice(f"{self.field}.{self.none_code}", "全部乡镇")
            return (
                whole,
                Choice(f"{self.field}.{top.id}", top.name),
                *(Choice(f"{self.field}.{a.id}", a.name) for a in below),
            )
        return (Choice(f"{self.field}.{top.id}", top.name), *(Choice(f"{self.field}.{a.id}", a.name) for a in below))

    def of_codes(self, codes: Sequence[str], known: Known) -> Answer:
        top, below = self._places(known)
        places = [*([top] if top else []), *below]
        chosen = below if str(self.none_code) in codes else [area for area in places if str(area.id) in codes]
        if not chosen:
            raise NotUnderstood(self.question(known))
        return self._answer(chosen)

    def _everywhere(self, top: Area, below: Sequence[Area]) -> list[Area]:
        return list(below) if top.path.count("/") == 2 else [top]


KIND = SelectOne(
    field="kind",
    title="计划类别",
    ask="什么计划?",
    options=options(
        ("flagship", PLAN_KINDS["flagship"], "特色科室", "一院一品建设"),
        ("hundred_counties", PLAN_KINDS["hundred_counties"], "医院百县工程", "千县工程"),
        ("three_years", PLAN_KINDS["three_years"], "三年行动计划", "三年计划"),
        ("mentoring", PLAN_KINDS["mentoring"], "带教", "对口帮扶", "对口支援", "结对帮扶"),
        ("other_plan", PLAN_KINDS["other_plan"], "其他"),
    ),
)
TITLE = Text(
    field="title",
    title="计划名称",
    ask="叫什么名字?例如 托口镇一院一品(康复科)。",
    words=("名称", "计划名称"),
    longest=40,
)
BEGIN = Begin(
    field="begins_on", title="开始年月", ask="从哪个月开始?", when=lambda known: is_relative(known.answers.get("milestones", []))
)  # fmt: skip
MILESTONES = Milestones(field="milestones", title="阶段")
RESPONSIBLE = Responsible(field="areas", title="责任单位", ask="由谁负责?可以多选,或写名称,用、隔开。")
TARGET = Text(
    field="target", title="总目标", ask="要达到什么目标?可以跳过。", words=("总目标",), optional=True, longest=120
)
NOTE = Text(field="note", title="说明", words=("说明", "备注"), asked=False)


def check(known: Known) -> Doubt | None:
    """Months up to twelve may be months of the calendar or of the plan; they differ unless it begins in January."""
    answers = known.answers
    if "month_basis" in answers or "begins_on" not in answers or not may_be_calendar(answers["milestones"]):
        return None
    begins = date.fromisoformat(answers["begins_on"])
    if begins.month == 1:
        return None
    first, last = next(one["months"] for one in answers["milestones"] if "months" in one)
    return Doubt(
        f"“{first}-{last}月”是日历上的月份,还是从{begins.year}年{begins.month}月算起的第几个月?",
        [(f"{calendar_year(answers['milestones'], begins)}年{first}月到{last}月", {"month_basis": "calendar"}),
         (f"开始后第{first}到{last}个月", {"month_basis": "plan"})],
    )  # fmt: skip


def foresee(turn: Turn, answers: Mapping[str, Any]) -> list[str]:
    """Who will be told, and what lies in the past already."""
    if not {"areas", "milestones"} <= answers.keys():
        return []
    late = [
        one["title"]
        for one in resolved(answers, answers.get("begins_on"))
        if one.get("due_on", "9") < turn.today.isoformat()
    ]
    lines = [f"⚠️ 期限已经过了:{'、'.join(late)}"] if late else []
    return [*lines, "启动后通知责任单位一次;到期前14、7、1天和逾期后每周提醒。"]


def finish(turn: Turn, record: Record) -> None:
    """Set the plan, or change the one this record set before."""
    answers, session = record.answers, turn.session
    plan = session.get(Campaign, answers["campaign"]) if "campaign" in answers else None
    told_before = campaign_work.workers_of(session, plan) if plan is not None else []
    milestones = resolved(answers, answers.get("begins_on"))
    if plan is None:
        plan = Campaign(
            code=f"P{record.id}", organisation_id=turn.scope.organisation_id, worker_id=turn.worker.id, status=PLANNED
        )
    plan.kind, plan.title, plan.areas = answers["kind"], answers["title"], list(answers["areas"])
    plan.target, plan.note, plan.record_id = answers.get("target"), answers.get("note"), record.id
    campaign_work.set_days(plan, milestones)
    session.add(plan)
    session.flush()
    campaign_work.set_milestones(session, plan, milestones)
    if plan.status == PLANNED:
        campaign_work.launch(session, plan, turn.now, turn.today, by=turn.worker.id, tell_at=turn.tell_at)
    else:
        campaign_work.change(
            session, plan, turn.now, turn.today, by=turn.worker.id, tell_at=turn.tell_at, told_before=told_before
        )
    told = {*campaign_work.workers_of(session, plan)} - {turn.worker.id}
    record.answers = {**answers, "campaign": plan.id, "told": len(told)}


def receipt(answers: Mapping[str, Any]) -> str:
    if "told" not in answers:
        return ""
    told = f"通知{answers['told']}人" if answers["told"] else "由您单位负责"
    return f"{answers['title']}已启动,{len(answers['milestones'])}个阶段,{told}。发“计划”看进度"


form = Form(
    code="plan",
    title="工作计划",
    about="event",
    steps=(KIND, TITLE, MILESTONES, BEGIN, RESPONSIBLE, TARGET, NOTE),
    check=check,
    foresees=foresee,
    receipt=receipt,
    finish=finish,
    undo=campaign.undo,
    submits="启动",
    by_command=True,
)
