"""项目进度: an organisation reports on a milestone of a plan: a line, a figure, a photo (domain.md F2, F5).

Opened for one milestone, from its button or by `汇报 <milestone> …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.form import Form
from handlers.plans.milestones import words_of
from handlers.steps import Day, Number, SelectOne, Text, options
from handlers.steps.photo import Photo
from handlers.turn import Turn
from models.campaign import Campaign, Milestone
from models.plans import DONE, GOING_ON, IN_TROUBLE, STATES

STATE = SelectOne(
    field="state",
    title="状态",
    ask="这个阶段怎么样了?",
    options=options(
        (GOING_ON, STATES[GOING_ON], "正在做", "推进中", "在建", "顺利", "正常推进", "进展顺利"),
        (DONE, STATES[DONE], "完成了", "做完了", "已经完成", "全部完成", "已竣工", "已验收", "=完成"),
        (IN_TROUBLE, STATES[IN_TROUBLE], "遇到困难", "卡住了", "做不下去", "滞后", "停工"),
    ),
)
SUMMARY = Text(
    field="summary", title="进展", ask="写一句进展,例如:设备已到位,两名医生进修回院。", words=("进展", "情况"), longest=200
)  # fmt: skip
FIGURE = Number(
    field="figure", title="完成数", ask="完成了多少?写数字,没有可以跳过。", words=("完成", "完成了", "已完成", "完成数", "达到", "进度", "累计"),
    unit="", units=dict.fromkeys(("%", "个", "家", "人", "次", "场", "间", "所", "台", "张", "户", "名", "科", "人次"), 1),
    possible=(0, 10_000_000), decimals=2, alone=(), optional=True,
)  # fmt: skip
PHOTO = Photo(field="photo", title="照片", ask="有照片就发一张,没有就跳过。", optional=True)


def foresee(turn: Turn, answers: Mapping[str, Any]) -> list[str]:
    """Which milestone of which plan it is about."""
    milestone = turn.session.get(Milestone, answers.get("milestone", 0))
    plan = turn.session.get(Campaign, answers.get("plan", 0))
    if milestone is None or plan is None:
        return []
    one = {
        "title": milestone.title,
        "starts_on": milestone.starts_on.isoformat() if milestone.starts_on else None,
        "due_on": milestone.due_on.isoformat(),
        "target": milestone.target,
    }
    return [f"计划:{plan.title}", f"阶段:{words_of(one)}"]


def receipt(answers: Mapping[str, Any]) -> str:
    return STATES.get(answers.get("state", 0), "")


form = Form(
    code="progress_report",
    title="项目进度",
    about="event",
    steps=(Day(field="on", title="日期", asked=False), STATE, SUMMARY, FIGURE, PHOTO),
    foresees=foresee,
    receipt=receipt,
    by_command=True,
)
