"""双向转诊(回转)单: a patient sent back by the hospital, to be seen here within two weeks (domain.md A0, F1 下转)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form, day_of
from handlers.forms.common import NEXT
from handlers.forms.medications import MEDICATIONS
from handlers.forms.referral_up import Hospital
from handlers.steps import Day, Known, SelectOne, Text, options
from handlers.turn import Turn
from models import referrals
from models.record import Record

FROM = Hospital(
    field="referred_from", title="转出医院和科室", ask="哪家医院转回来的?", longest=60, by_itself=True,
    words=("转出医院", "下转单位", "出院医院", "从", "由"),
    like=r"[^\s,。;\d\ue010从由]{0,14}?(?:医院|卫生院|保健院|中心)(?:[^\s,。;\d\ue010]{1,8}科)?",
)  # fmt: skip
DIAGNOSIS = Text(
    field="diagnosis", title="诊断结果", ask="医院的诊断是什么?", words=("诊断结果", "出院诊断", "诊断", "确诊"), like=r"[^\s,。;\ue010]{2,40}"
)  # fmt: skip
FINDINGS = Text(field="examinations", title="主要检查结果", words=("主要检查结果", "检查结果"), asked=False)
CASE_NUMBER = Text(
    field="case_number", title="住院病案号", words=("住院病案号", "病案号", "住院号"), asked=False, longest=40
)
ADVICE = Text(
    field="advice",
    title="治疗和康复建议",
    ask="下一步怎么治、怎么康复?没写可以跳过。",
    words=("康复建议", "出院医嘱", "治疗方案", "建议"),
    optional=True,
)
STATE = SelectOne(
    field="discharge_state",
    title="转回时情况",
    words=("转归",),
    options=options((1, "治愈", "痊愈"), (2, "好转"), (3, "稳定", "病情稳定"), (4, "未愈", "没好"), (5, "其他")),
    asked=False,
)


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Seen here within two weeks of coming back, or on the day the hospital wants."""
    return Due(on=day_of(answers, known.today) + referrals.SEEN_WITHIN)


def finish(turn: Turn, record: Record) -> None:
    """The open referral comes to its end, or a row of its own waits until somebody has seen the patient."""
    see_by = record.next_due_on or record.on + timedelta(days=14)
    referrals.send_down(
        turn.session,
        record,
        result=record.answers.get("diagnosis", ""),
        to=record.answers.get("referred_from", ""),
        see_by=see_by,
    )


def undo(turn: Turn, record: Record) -> None:
    referrals.take_back_down(turn.session, record, turn.now)


form = Form(
    code="referral_down",
    title="下转",
    about="resident",
    words=("下转", "回转", "下转单", "回转单", "转回", "转回来", "转回村"),
    shows=("referred_from", "diagnosis"),
    steps=(
        Day(field="on", title="转回日期", words=("日期", "转回日期", "出院日期"), asked=False),
        FROM,
        DIAGNOSIS,
        ADVICE,
        STATE,
        FINDINGS,
        CASE_NUMBER,
        MEDICATIONS,
        NEXT,
    ),
    owes=owes,
    enrols="never",
    finish=finish,
    undo=undo,
)
