"""2型糖尿病患者随访: the norm's form (domain.md A2) with the safety corrections M-4, M-6 and M-7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form, as_decided
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.common import told
from handlers.forms.danger import danger_step
from handlers.forms.hypertension_follow_up import PRESSURE
from handlers.forms.medications import INSULIN, MEDICATIONS
from handlers.measurements import Glucose
from handlers.protocols import diabetes, diabetes_danger
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, options

GLUCOSE = Glucose(
    field="fasting_glucose", title="血糖", ask="血糖多少?(mmol/L)请带上空腹还是餐后,例如“空腹 6.8”“餐后 9.8”。没测成可以跳过,不算规范随访。",
    words=("血糖", "空腹"), optional=True,
)  # fmt: skip
SYMPTOMS = SelectMany(
    field="symptoms",
    title="糖尿病症状",
    ask="糖尿病方面有什么症状?可以多选。",
    none_code=1,
    options=options(
        common.NO_SYMPTOMS,
        (2, "多饮", "口渴", "口干", "嘴巴干", "老想喝水", "老喝水"),
        (3, "多食", "老饿", "吃得多"),
        (4, "多尿", "尿多", "夜尿多"),
        (5, "视力模糊", "看不清", "眼睛模糊", "眼花"),
        (6, "感染", "伤口不好", "伤口不愈"),
        (7, "手脚麻木", "手麻", "脚麻", "手脚麻", "手脚发麻"),
        (8, "下肢浮肿", "脚肿", "腿肿", "浮肿", "下肢水肿"),
        (9, "体重明显下降", "瘦了", "消瘦"),
        (10, "其他", "=其他"),
    ),
)  # fmt: skip
KETOACIDOSIS = ("acetone_breath", "vomiting", "abdominal_pain", "deep_breathing", "altered_consciousness")
DANGER = danger_step(
    diabetes_danger.DANGER_SIGNS,
    diabetes_danger.danger_question,
    offered={2: KETOACIDOSIS, 4: KETOACIDOSIS, 5: ("sudden_vision", "severe_headache")},
    otherwise=(
        "altered_consciousness",
        "sweating_palpitation",
        *KETOACIDOSIS[:4],
        "chest_pain_10min",
        "one_sided_or_speech",
    ),
    asks_how_long=True,
)
FOOT_PULSE = common.coded(
    "dorsalis_pedis",
    "足背动脉搏动",
    (1, "触及正常", "正常", "可触及", "触及", "摸得到", "摸到了", "有跳动"),
    (2, "减弱", "弱"),
    (3, "消失", "摸不到", "未触及"),
    words=("足背动脉", "脚背动脉", "足背", "脚背"),
)
FOOT_SIDE = common.coded("dorsalis_pedis_side", "足背动脉异常侧", (1, "双侧"), (2, "左侧"), (3, "右侧"))
STAPLE_FOOD = Number(
    field="staple_food", title="主食", per="day", words=("吃饭", "米饭"), unit="克/天", units={"克/天": 1, "克": 1, "g": 1, "两": 50, "斤": 500},
    possible=(0, 1500), sure=(50, 900), target="staple_food_target", asked=False, alone=(),
)  # fmt: skip
HBA1C = Number(
    field="hba1c", title="糖化血红蛋白", words=("糖化", "HbA1c", "A1c"), unit="%", units={"%": 1}, possible=(3, 20), sure=(4, 15),
    decimals=1, asked=False, alone=(),
)  # fmt: skip
HBA1C_ON = Day(field="hba1c_on", title="糖化检查日期", bare=False, asked=False)
TYPE = SelectOne(
    field="diabetes_type",
    title="糖尿病类型",
    options=options((1, "1型糖尿病", "*1型糖尿病", "1型"), (2, "2型糖尿病", "2型"), (3, "妊娠期糖尿病", "*妊娠期糖尿病", "*妊娠糖尿病"), (4, "其他类型")),
    asked=False,
)  # fmt: skip
HYPOGLYCAEMIA = SelectOne(
    field="hypoglycaemia",
    title="低血糖反应",
    ask="上次随访以来有过低血糖反应吗?(心慌、出冷汗、手抖)",
    words=("低血糖",),
    options=options(
        (1, "无", "没有", "*没低血糖", "*无低血糖", "*没有低血糖"),
        (2, "偶尔", "偶尔有", "有过一次", "有一次", "一次"),
        (3, "频繁", "经常", "常有"),
    ),
    optional=True,
)


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Facts for the figures: only a fasting value classifies; LO or <= 3.9 is never 'controlled' (M-6)."""
    fasting = answers.get("fasting_glucose")
    if fasting is None or told(decision) or common.outside(decision):
        return []
    controlled = isinstance(fasting, (int, float)) and 3.9 < fasting < 7.0
    return [
        "assessed",
        *(["controlled"] if controlled else []),
        *(["standard_visit"] if common.face_to_face(answers) else []),
    ]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Type 1 and gestational diabetes, and the too young, leave the programme."""
    if common.outside(decision):
        kind = diabetes.DIABETES_TYPES.get(answers.get("diabetes_type", 2))
        return common.closes(decision, kind if answers.get("diabetes_type") in (1, 3) and kind else "年龄不满35岁")
    return as_decided(answers, decision, known)


form = Form(
    code="diabetes_follow_up",
    title="糖尿病随访",
    about="resident",
    words=("糖尿病随访", "糖尿病", "血糖随访", "高糖都有", "两病", "两样都有"),
    needs=("fasting_glucose", "postprandial_glucose", "random_glucose"),
    programme="diabetes",
    protocol=diabetes.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        GLUCOSE,
        PRESSURE,
        SYMPTOMS,
        DANGER,
        common.PREGNANCY,
        common.ADHERENCE,
        HYPOGLYCAEMIA,
        common.HEART_RATE,
        common.HEART_RATE_REPEAT,
        common.ADVERSE,
        common.ADVERSE_WHAT,
        common.COMPLICATION,
        FOOT_PULSE,
        FOOT_SIDE,
        common.WEIGHT,
        common.HEIGHT,
        common.WAIST,
        common.BMI_TARGET,
        common.TEMPERATURE,
        common.OTHER_SIGNS,
        common.SMOKING,
        common.ALCOHOL,
        common.EXERCISE,
        common.EXERCISE_MINUTES,
        STAPLE_FOOD,
        common.MENTAL_ADJUSTMENT,
        common.COMPLIANCE,
        HBA1C,
        HBA1C_ON,
        common.EXAMINATIONS,
        MEDICATIONS,
        INSULIN,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        TYPE,
        common.SELF_REPORTED,
        common.NEXT,
    ),
    derive=common.bmi,
    marks=marks,
    owes=owes,
)
