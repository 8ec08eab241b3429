"""筹划免费活动: what, when, where, for whom; how many are eligible stands in the recap, and one tap launches it (domain.md C)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from handlers.campaigns.days import Days
from handlers.campaigns.places import Areas, Place
from handlers.campaigns.texts import foresee
from handlers.campaigns.whom import Whom, rule_for
from handlers.form import Form
from handlers.steps import Answer, Found, Known, Number, SelectOne, Text, options
from handlers.turn import Turn
from models import campaign_work
from models.campaign import PLANNED, Campaign, doctors_of, paths_of
from models.record import Record
from models.screening import KINDS


@dataclass(frozen=True, kw_only=True, eq=False)
class Note(Text):
    """What residents have to know besides, kept as typed: 说明 早上空腹; 记得带身份证."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        said = list(_NOTE.finditer(line))
        answer = Answer({self.field: " ".join((match["named"] or match[0]).strip() for match in said)})
        for match in said:
            yield Found(*match.span(), answer, announced=True)


_NOTE = re.compile(
    r"(?:说明|备注|注意事项)\s*:?\s*(?P<named>[^\s,。;\d\ue010][^\s,。;\ue010]*)"
    r"|(?:请|要|需|记得|都|自)*(?:携?带|空腹)[^\s,。;\d\ue010]*"
)

KIND = SelectOne(
    field="kind",
    title="活动类别",
    ask="办什么活动?",
    options=options(*((kind.code, kind.title, *kind.words) for kind in KINDS.values())),
)
DAYS = Days(field="days", title="日期")
PLACE = Place(field="place", title="地点", ask="在哪里办?例如 托口镇卫生院。")
AREAS = Areas(field="areas", title="范围", ask="给哪些地方办?可以多选,或写村名,用、隔开。")
WHOM = Whom(field="whom", title="对象")
_CLOCK = r"(?:早上|上午|中午|下午|晚上|早|晚)?\d{1,2}(?:点(?:半|钟|一刻|三刻|\d{1,2}分?)?|:\d\d|时)"
HOURS = Text(
    field="hours", title="时间", words=("时间", "时段"), asked=False, longest=40, by_itself=True, verbatim=True,
    like=rf"{_CLOCK}(?:\s*[-~到至]\s*{_CLOCK})?(?:开始)?|(?:上|下)午|全天",
)  # fmt: skip
TARGET = Number(
    field="target", title="目标人数", words=("目标人数", "目标", "计划检查", "任务数", "任务"), unit="人",
    units={"人": 1, "名": 1, "例": 1, "对": 1}, possible=(1, 500_000), sure=(1, 20000), alone=(), asked=False,
)  # fmt: skip
NOTE = Note(field="note", title="说明", words=("说明", "备注", "注意事项"), asked=False)


def finish(turn: Turn, record: Record) -> None:
    """Launch the campaign, or, of a corrected record, change the one it launched."""
    answers = record.answers
    campaign = turn.session.get(Campaign, answers["campaign"]) if "campaign" in answers else None
    told_before = campaign_work.workers_of(turn.session, campaign) if campaign is not None else []
    before = campaign_work.when_and_where(campaign) if campaign is not None else None
    if campaign is None:
        campaign = Campaign(
            code=f"C{record.id}", organisation_id=turn.scope.organisation_id, worker_id=turn.worker.id, status=PLANNED
        )
    settle(campaign, answers, turn.settings)
    campaign.record_id = record.id
    turn.session.add(campaign)
    turn.session.flush()
    if campaign.status == PLANNED:
        invited = campaign_work.launch(
            turn.session, campaign, turn.now, turn.today, by=turn.worker.id, tell_at=turn.tell_at
        )
    else:
        invited = campaign_work.change(
            turn.session,
            campaign,
            turn.now,
            turn.today,
            by=turn.worker.id,
            tell_at=turn.tell_at,
            told_before=told_before,
            before=before,
        )
    doctors = len(doctors_of(turn.session, paths_of(turn.session, campaign)))
    told = {"invited": invited, "doctors": doctors, "changed": campaign.edition > 1}
    record.answers = {**answers, "campaign": campaign.id, **told}


def settle(campaign: Campaign, answers: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """What was said, as the campaign's columns."""
    kind, rule = KINDS[answers["kind"]], rule_for(answers, settings)
    campaign.kind, campaign.title = kind.code, kind.title
    campaign.areas, campaign.days = list(answers["areas"]), list(answers["days"])
    campaign.starts_on = date.fromisoformat(campaign.days[0])
    campaign.ends_on = date.fromisoformat(campaign.days[-1])
    campaign.place, campaign.hours, campaign.note = answers.get("place"), answers.get("hours"), answers.get("note")
    campaign.rule = campaign_work.rule_column(rule, kind, settings)
    campaign.target = f"{answers['target']:g}人" if "target" in answers else None


def undo(turn: Turn, record: Record) -> None:
    """The record was withdrawn: the campaign does not take place."""
    for campaign in turn.session.scalars(select(Campaign).where(Campaign.record_id == record.id)):
        campaign_work.stop(turn.session, campaign, "撤销", turn.now, by=turn.worker.id, tell_at=turn.tell_at)


def receipt(answers: Mapping[str, Any]) -> str:
    """After the launch or a change: how many are invited, and how many doctors hear of it."""
    if "doctors" not in answers:
        return ""
    invited = f"应邀{answers['invited']}人" if answers["invited"] else "不列名单"
    done = f"改为{DAYS.show(answers)}" if answers.get("changed") else "启动"
    return f"{KINDS[answers['kind']].title}已{done}:{invited},通知{answers['doctors']}位村医。发“活动”看进度"


form = Form(
    code="campaign",
    title="免费活动",
    about="event",
    steps=(KIND, DAYS, PLACE, AREAS, WHOM, HOURS, TARGET, NOTE),
    foresees=foresee,
    receipt=receipt,
    finish=finish,
    undo=undo,
    submits="启动",
    by_command=True,
)
