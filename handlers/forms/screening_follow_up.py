"""筛查追踪: a result that needs more is followed until somebody has seen a doctor and it is closed (domain.md C).

Opened for one result from its list. What was found stands in the screening's own record and is never repeated here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Form
from handlers.steps import Day, Known, SelectOne, Text, options
from handlers.turn import Turn
from models.campaign import ScreeningResult
from models.conversation import Doubt
from models.effects import PERSON
from models.record import Record
from models.screening import TESTS
from models.screening_results import ARRIVED, CLOSE_REASONS, CLOSED, NOT_YET, OPEN, REFUSED_TO_GO, settle_follow_up

HOW_FAR = SelectOne(
    field="arrived",
    title="到院",
    ask="去医院进一步检查了吗?",
    options=options(
        (ARRIVED, "已到院", "到院了", "去了", "到了", "去过了", "已经去了", "检查了", "做了检查"),
        (NOT_YET, "还没去", "没去", "未去", "还没有去", "没到"),
        (REFUSED_TO_GO, "不肯去", "拒绝去", "不去", "不愿意去", "拒绝"),
    ),
)
ARRIVED_ON = Day(
    field="arrived_on", title="到院日期", ask="哪天到院的?跳过就按今天记。", words=("到院日期", "到院"), after=("到院", "去的", "到的", "去了"), bare=False,
    optional=True, when=lambda known: known.answers.get("arrived") == ARRIVED,
)  # fmt: skip
DIAGNOSIS = Text(
    field="diagnosis", title="检查结论", ask="医院怎么说?写结论,例如“慢性宫颈炎”“未见异常”;还没出来可以跳过。", words=("结论", "诊断", "检查结论"), longest=80,
    optional=True, like=r"[^\s,。;\d\ue010]{2,20}",
    when=lambda known: known.answers.get("arrived") == ARRIVED and not _is_discreet(known),
)  # fmt: skip
CLOSING = SelectOne(
    field="closed",
    title="结案",
    ask="这一项可以结案了吗?",
    options=options((OPEN, "继续追踪", "没结", "未结案", "继续"), (CLOSED, "结案", "可以结案", "已结案", "结了")),
)
CLOSE_REASON = SelectOne(
    field="close_reason",
    title="结案原因",
    ask="为什么结案?",
    options=options(*CLOSE_REASONS.items()),
    when=lambda known: known.answers.get("closed") == CLOSED and known.answers.get("arrived") != NOT_YET,
)
STAGED = ("cervical", "breast")
"""Tests whose early detection is a figure: precancer and early stage of all that was found (domain.md B)."""
NOTHING_FOUND, PRECANCER, EARLY, LATE_STAGE, UNKNOWN_STAGE = range(5)
STAGE = SelectOne(
    field="stage",
    title="诊断分期",
    ask="医院诊断到哪一期?(算早诊率用)",
    words=("分期",),
    options=options(
        (NOTHING_FOUND, "不是癌,也没有癌前病变", "排除", "良性"),
        (PRECANCER, "癌前病变", "CIN2", "CIN3", "高级别病变"),
        (EARLY, "早期", "原位癌", "微小浸润", "0期", "1期", "2期", "I期", "II期"),
        (LATE_STAGE, "中晚期", "3期", "4期", "III期", "IV期", "晚期"),
        (UNKNOWN_STAGE, "确诊,分期不清楚", "分期不详"),
    ),
    when=lambda known: (
        known.answers.get("closed") == CLOSED
        and known.answers.get("arrived") == ARRIVED
        and known.answers.get("kind") in STAGED
    ),
    bare=(),
)
INFORMED_ON = Day(
    field="informed_on", title="告知本人日期", words=("告知", "告知日期", "告知本人"), bare=False, asked=False
)


def _is_discreet(known: Known) -> bool:
    test = TESTS.get(str(known.answers.get("kind", "")))
    return test is not None and test.discreet


def check(known: Known) -> Doubt | None:
    """Closed without having been anywhere needs a reason that says so."""
    answers = known.answers
    if answers.get("closed") == CLOSED and answers.get("arrived") == NOT_YET:
        return Doubt(
            "还没去医院,先不结案吧?",
            [
                ("继续追踪", {"closed": OPEN}),
                ("其实已到院", {"arrived": ARRIVED}),
                ("本人不肯去", {"arrived": REFUSED_TO_GO}),
            ],
        )
    return None


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Whoever was found to have a cancer or its forerunner, once a year; and whoever was found early."""
    kind, stage = answers.get("kind"), answers.get("stage", NOTHING_FOUND)
    if kind not in STAGED or stage == NOTHING_FOUND:
        return []
    early = [f"{PERSON}{kind}_early"] if stage in (PRECANCER, EARLY) else []
    return [f"{PERSON}{kind}_detected", *early]


def finish(turn: Turn, record: Record) -> None:
    """The result's row follows what its records say."""
    row = turn.session.get(ScreeningResult, record.answers["screening"])
    if row is not None:
        settle_follow_up(turn.session, row)


def receipt(answers: Mapping[str, Any]) -> str:
    return "已结案" if answers.get("closed") == CLOSED else "继续追踪" if "closed" in answers else ""


form = Form(
    code="screening_follow_up",
    title="筛查追踪",
    about="event",
    steps=(
        Day(field="on", title="日期", asked=False), HOW_FAR, ARRIVED_ON, DIAGNOSIS, CLOSING, CLOSE_REASON, STAGE, INFORMED_ON,
    ),
    check=check,
    marks=marks,
    finish=finish,
    undo=finish,
    receipt=receipt,
    by_command=True,
)  # fmt: skip
