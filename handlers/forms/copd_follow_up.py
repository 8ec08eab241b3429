"""慢阻肺患者随访: what is useful whatever the county's form says (domain.md A5); its frequency is the county's setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.breathing import MMRC, RESPIRATION, SPO2, USUAL_SPO2
from handlers.forms.danger import danger_step
from handlers.forms.danger_words import BREATHLESS
from handlers.forms.medications import MEDICATIONS
from handlers.forms.next_by_doctor import next_by_doctor
from handlers.protocols import copd
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, Text, options

SYMPTOMS = SelectMany(
    field="symptoms",
    title="呼吸症状",
    ask="呼吸方面有什么症状?可以多选。",
    none_code=copd.NO_SYMPTOMS,
    options=options(
        common.NO_SYMPTOMS,
        (2, "咳嗽", "咳得厉害", "还咳"),
        (3, "咳痰", "痰多", "有痰", "痰黄", "黄痰"),
        (4, "喘息", "喘", "哮", "喘得厉害"),
        (5, "气短、呼吸困难", "气短", "气促", "呼吸困难", "出不来气", "喘不上气", *BREATHLESS),
        (6, "胸闷", "胸口闷"),
        (7, "下肢水肿", "脚肿", "腿肿"),
        (8, "其他症状", "=其他"),
    ),
)
_WORSE = (
    "worse_than_usual",
    "sudden_breathless",
    "cyanosis",
    "drowsy",
    "new_oedema",
    "new_arrhythmia",
    "treatment_fails",
)
DANGER = danger_step(
    copd.DANGER_SIGNS,
    copd.danger_question,
    offered={},
    otherwise=_WORSE,
    said={
        "worse_than_usual": ("比平时重", "痰变黄", "加重了", "咳得比平时厉害"),
        "sudden_breathless": ("突然喘得厉害", "突然喘不上气"),
        "cyanosis": ("嘴唇发紫", "嘴巴发紫", "口唇青紫"),
        "drowsy": ("嗜睡", "老是睡", "叫醒又睡"),
    },
)
TECHNIQUE = SelectOne(
    field="inhaler_technique",
    title="吸入技术",
    ask="吸入药用得对吗?让病人做一遍看看,不用吸入药的可以跳过。",
    words=("吸入方法", "吸药方法"),
    options=options(
        (1, "正确", "对", "~对", "~会", "*吸入方法正确", "吸入药会用", "吸入剂会用"),
        (2, "错误", "不对", "~不会", "*吸入方法不对", "吸入药不会用", "吸入剂不会用"),
    ),
    optional=True,
)
CAT = Number(
    field="cat_score",
    title="CAT评分",
    words=("CAT",),
    unit="分",
    units={"分": 1},
    alone=(),
    possible=(0, 40),
    asked=False,
)
EXACERBATIONS = Number(
    field="exacerbations", title="过去一年急性加重次数", words=("急性加重", "今年加重"), unit="次", units={"次": 1}, alone=(), possible=(0, 50), sure=(0, 12),
    asked=False,
)  # fmt: skip
ADMISSIONS = Number(
    field="admissions", title="过去一年因此住院次数", words=("住院",), unit="次", units={"次": 1}, unit_needed=True, alone=(), possible=(0, 50), sure=(0, 8),
    asked=False,
)  # fmt: skip
SMOKED_YEARS = Number(
    field="smoked_years", title="吸烟年数", words=("烟龄", "吸烟", "抽烟"), unit="年", units={"年": 1}, unit_needed=True, alone=(),
    possible=(0, 80), sure=(0, 65), asked=False,
)  # fmt: skip
INHALER = Text(field="inhaler", title="吸入药名称和用法", words=("吸入药", "吸入剂"), asked=False, longest=80)
OXYGEN = Number(
    field="oxygen_hours", title="每天氧疗", words=("氧疗", "吸氧", "家里吸氧"), unit="小时/天", units={"小时/天": 1, "小时": 1, "个小时": 1, "h": 1},
    alone=(), possible=(0, 24), decimals=1, asked=False,
)  # fmt: skip
FLU = common.coded("influenza_vaccine", "流感疫苗", (1, "打了", "已接种"), (2, "没打", "未接种"))
PNEUMONIA = common.coded("pneumonia_vaccine", "肺炎疫苗", (1, "打了", "已接种"), (2, "没打", "未接种"))
FEV1_FVC = Number(
    field="fev1_fvc", title="FEV1/FVC", words=("FEV1/FVC", "一秒率"), unit="%", units={"%": 1}, alone=(), possible=(10, 100), sure=(20, 95), decimals=1,
    asked=False,
)  # fmt: skip
FEV1 = Number(
    field="fev1_predicted", title="FEV1占预计值", words=("FEV1%", "FEV1占预计"), unit="%", units={"%": 1}, alone=(), possible=(5, 150), sure=(15, 130),
    decimals=1, asked=False,
)  # fmt: skip
LUNG_FUNCTION_ON = Day(field="lung_function_on", title="肺功能检查日期", words=("肺功能日期",), bare=False, asked=False)
CLASS = common.coded(
    "follow_up_class",
    "此次随访分类",
    (1, "控制满意"),
    (2, "控制不满意"),
    (3, "不良反应"),
    (4, "并发症"),
    words=("随访分类",),
)
"""As the county's paper has it (A0); the national text was not at hand, so no rule decides it."""
NEXT = next_by_doctor(copd.HOW_OFTEN)


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """A visit in person; no rate is made of it before the county says how many a year are standard."""
    in_person = common.face_to_face(answers) and not common.told(decision) and not common.outside(decision)
    return ["standard_visit"] if in_person else []


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """What is usual for the patient is remembered."""
    if common.outside(decision):
        return common.closes(decision, "年龄不在纳入范围")
    return common.keeping(answers, decision, ("usual_spo2",))


form = Form(
    code="copd_follow_up",
    title="慢阻肺随访",
    about="resident",
    words=("慢阻肺随访", "慢阻肺", "慢性阻塞性肺疾病", "COPD"),
    needs=("spo2", "cat_score", "mmrc"),
    shows=("spo2", "symptoms", "mmrc"),
    programme="copd",
    protocol=copd.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        SPO2,
        USUAL_SPO2,
        SYMPTOMS,
        DANGER,
        MMRC,
        common.ADHERENCE,
        TECHNIQUE,
        common.HEART_RATE,
        common.ADVERSE,
        common.ADVERSE_WHAT,
        RESPIRATION,
        common.TEMPERATURE,
        common.WEIGHT,
        common.HEIGHT,
        CAT,
        EXACERBATIONS,
        ADMISSIONS,
        common.SMOKING,
        SMOKED_YEARS,
        INHALER,
        OXYGEN,
        FLU,
        PNEUMONIA,
        FEV1_FVC,
        FEV1,
        LUNG_FUNCTION_ON,
        common.OTHER_SIGNS,
        common.EXAMINATIONS,
        MEDICATIONS,
        CLASS,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.SELF_REPORTED,
        NEXT,
    ),
    derive=common.bmi,
    marks=marks,
    owes=owes,
)
