"""高血压患者随访: the norm's form (domain.md A1), the few questions that matter asked, the rest one tap away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form, as_decided
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.common import told
from handlers.forms.danger import danger_step
from handlers.forms.danger_words import BREATHLESS, CHEST
from handlers.forms.medications import MEDICATIONS
from handlers.measurements import BloodPressure
from handlers.protocols import hypertension
from handlers.steps import Known, SelectMany, SelectOne, options

SYMPTOMS = SelectMany(
    field="symptoms",
    title="症状",
    ask="有什么症状?可以多选。",
    none_code=1,
    options=options(
        common.NO_SYMPTOMS,
        (2, "头痛头晕", "头痛", "头晕", "头昏", "头疼", "脑壳痛", "脑壳疼", "脑壳昏", "脑壳晕", "脑袋晕", "脑袋痛", "=晕", "发晕"),
        (3, "恶心呕吐", "恶心", "呕吐", "想吐", "=吐了", "=吐", "作呕"),
        (4, "眼花耳鸣", "眼花", "眼睛花", "耳鸣", "耳朵响", "耳朵叫", "耳朵嗡嗡", "耳朵嗡嗡叫", "耳朵嗡嗡响", "看东西花"),
        (5, "呼吸困难", "气促", "气短", "出不来气", "喘不上气", "喘不过气", "气喘", "=喘", *BREATHLESS),
        (6, "心悸胸闷", "心悸", "胸闷", "心慌", "胸口闷", "心里慌", *CHEST),
        (7, "鼻衄出血不止", "鼻出血", "流鼻血", "鼻衄", "鼻子出血"),
        (8, "四肢发麻", "手麻", "脚麻", "手脚发麻", "手脚麻", "手脚麻木", "发麻"),
        (9, "下肢水肿", "脚肿", "腿肿", "下肢浮肿", "浮肿", "脚有点肿", "腿有点肿", "腿脚肿"),
        (10, "其他", "=其他"),
    ),
)  # fmt: skip

DANGER = danger_step(
    hypertension.DANGER_SIGNS,
    hypertension.danger_question,
    offered={
        2: ("severe_headache", "one_sided_or_speech", "altered_consciousness", "convulsion"),
        4: ("sudden_vision", "eye_pain"),
        5: ("cannot_lie_flat", "chest_pain_10min", "cold_sweat"),
        7: ("bleeding_not_stopping",),
        8: ("one_sided_or_speech",),
    },
    otherwise=(
        "altered_consciousness",
        "fainting",
        "chest_pain_10min",
        "chest_pain",
        "cold_sweat",
        "one_sided_or_speech",
        "severe_headache",
        "cannot_lie_flat",
    ),
)

SECONDARY = SelectOne(
    field="secondary_hypertension",
    title="继发性高血压",
    options=options((1, "不是", "原发性高血压"), (2, "是", "*继发性高血压", "继发性")),
    asked=False,
)
PRESSURE = BloodPressure(
    field="systolic", title="血压", ask="血压是多少?例如 152/94。没量成可以跳过,不算规范随访。", words=("血压",), optional=True
)  # fmt: skip
"""A value that must be given invites an invented one: a call, or a broken meter, is recorded as it was (promise 8)."""
PRESSURE_TAKEN = replace(PRESSURE, ask="血压是多少?例如 152/94", optional=False, same_as=PRESSURE)
"""Of checks that are nothing without it."""


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Facts for the figures. Control is decided from the values, not from the class (M-5); 150 from 65 years on."""
    if "systolic" not in answers or told(decision) or common.outside(decision):
        return []
    limit = 150 if known.age is not None and known.age >= 65 else 140
    controlled = answers["systolic"] < limit and answers["diastolic"] < 90
    return [
        "assessed",
        *(["controlled"] if controlled else []),
        *(["standard_visit"] if common.face_to_face(answers) else []),
    ]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Secondary hypertension and the too young leave the programme."""
    if common.outside(decision):
        secondary = answers.get("secondary_hypertension") == 2
        return common.closes(decision, "继发性高血压" if secondary else "年龄不满35岁")
    return as_decided(answers, decision, known)


form = Form(
    code="hypertension_follow_up",
    title="高血压随访",
    about="resident",
    words=("高血压随访", "高血压", "血压随访", "高糖都有", "两病", "两样都有"),
    needs=("systolic", "diastolic"),
    programme="hypertension",
    protocol=hypertension.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        PRESSURE,
        SYMPTOMS,
        DANGER,
        common.PREGNANCY,
        common.ADHERENCE,
        common.HEART_RATE,
        common.HEART_RATE_REPEAT,
        common.ADVERSE,
        common.ADVERSE_WHAT,
        common.COMPLICATION,
        common.WEIGHT,
        common.HEIGHT,
        common.WAIST,
        common.BMI_TARGET,
        common.OTHER_SIGNS,
        common.SMOKING,
        common.ALCOHOL,
        common.EXERCISE,
        common.EXERCISE_MINUTES,
        common.SALT,
        common.MENTAL_ADJUSTMENT,
        common.COMPLIANCE,
        common.EXAMINATIONS,
        MEDICATIONS,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        SECONDARY,
        common.SELF_REPORTED,
        common.NEXT,
    ),
    derive=common.bmi,
    marks=marks,
    owes=owes,
)
