"""尘肺病患者随访: the survey's fields (domain.md A11); how often is the county's setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.breathing import MMRC, SPO2, USUAL_SPO2
from handlers.forms.danger import danger_step
from handlers.forms.danger_words import BREATHLESS
from handlers.forms.medications import MEDICATIONS
from handlers.forms.next_by_doctor import next_by_doctor
from handlers.protocols import pneumoconiosis
from handlers.steps import Day, Known, SelectMany, SelectOne, Text, options

SYMPTOMS = SelectMany(
    field="symptoms",
    title="尘肺症状",
    ask="有什么症状?可以多选。",
    none_code=pneumoconiosis.NO_SYMPTOMS,
    options=options(
        common.NO_SYMPTOMS,
        (2, "咳嗽", "还咳", "有点咳", "有1点咳", "老咳", "天天咳"),
        (3, "咳痰", "有痰", "痰多"),
        (4, "胸痛", "胸口痛"),
        (5, "气短、呼吸困难", "气短", "气促", "呼吸困难", "喘", "出不来气", *BREATHLESS),
        (6, "咯血", "痰中带血", "痰里有血"),
        (7, "发热", "发烧"),
        (8, "下肢水肿", "脚肿", "腿肿"),
        (9, "其他症状", "=其他"),
    ),
)
DANGER = danger_step(
    pneumoconiosis.DANGER_SIGNS,
    pneumoconiosis.danger_question,
    offered={
        4: ("sudden_chest_pain", "chest_pain_10min", "cyanosis"),
        5: ("sudden_chest_pain", "cyanosis", "drowsy"),
        3: ("infection",),
        6: ("much_blood", "fainting"),
        7: ("infection", "drowsy"),
    },
    otherwise=("sudden_chest_pain", "much_blood", "cyanosis", "drowsy"),
    said={
        "sudden_chest_pain": ("突然胸痛", "突然胸口痛", "突然喘得厉害"),
        "much_blood": ("大咯血",),
        "cyanosis": ("嘴唇发紫",),
    },
)
KIND = SelectOne(
    field="kind",
    title="尘肺种类",
    ask="是哪一种尘肺?",
    options=options(
        (1, "矽肺", "*矽肺", "*硅肺"), (2, "煤工尘肺", "*煤工尘肺", "*煤尘肺"), (3, "石棉肺", "*石棉肺"), (4, "电焊工尘肺", "*电焊工尘肺", "*电焊尘肺"), (5, "其他尘肺", "其他")
    ),
    when=common.untold("kind"),
)  # fmt: skip
STAGE = SelectOne(
    field="stage",
    title="期别",
    ask="诊断是几期?",
    words=("分期",),
    options=options((1, "壹期", "一期", "1期", "I期", "~1"), (2, "贰期", "二期", "2期", "II期", "~2"), (3, "叁期", "三期", "3期", "III期", "~3")),
    when=common.untold("stage"),
)  # fmt: skip
COMPLICATIONS = SelectMany(
    field="complication_kinds",
    title="并发症",
    ask="现在有哪些并发症?可以多选。",
    none_code=0,
    options=options(
        (0, "没有并发症", "~无", "~没有", "~没", "无并发症"),
        (1, "肺结核", "合并结核"),
        (2, "气胸"),
        (3, "肺心病", "肺源性心脏病"),
        (4, "呼吸衰竭"),
        (5, "肺部感染", "肺炎"),
        (6, "其他并发症"),
    ),
)
DIAGNOSED_ON = Day(field="diagnosed_on", title="诊断日期", words=("诊断日期", "确诊日期"), bare=False, asked=False)
DIAGNOSED_AT = Text(field="diagnosed_at", title="诊断机构", words=("诊断机构",), asked=False, longest=60)
EMPLOYER = SelectOne(
    field="employer",
    title="用人单位",
    options=options((1, "存在", "*单位还在"), (2, "不存在", "*单位没了", "*单位倒闭了", "没有单位")),
    asked=False,
)
EMPLOYER_NAME = Text(field="employer_name", title="用人单位名称", words=("单位名称",), asked=False, longest=60)


def has(field: str, title: str, *words: str) -> SelectOne:
    """有 or 无 of one kind of help."""
    return common.coded(field, title, (1, "有", "享受", "办了"), (2, "无", "没有", "没办", "没享受"), words=words)  # fmt: skip


HELP = (
    has("injury_insurance", "工伤保险", "工伤"),
    has("medical_aid", "医疗救助"),
    has("subsistence", "最低生活保障", "低保"),
    has("compensation", "赔偿", "赔付"),
)
STATION = SelectOne(
    field="rehabilitation_station",
    title="康复站",
    words=("去康复站",),
    options=options((1, "去过", "*在康复站训练"), (2, "没去", "没去过")),
    asked=False,
)
WANTS = Text(field="wants", title="本人的需求", words=("需求", "要求", "困难"), asked=False, longest=120)
NEXT = next_by_doctor(pneumoconiosis.HOW_OFTEN)
KEPT = ("kind", "stage", "usual_spo2")


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["standard_visit"] if common.face_to_face(answers) and not common.told(decision) else []


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Kind, stage and what is usual are remembered."""
    return common.keeping(answers, decision, KEPT)


form = Form(
    code="pneumoconiosis_follow_up",
    title="尘肺病随访",
    about="resident",
    words=("尘肺病随访", "尘肺随访", "尘肺病", "尘肺", "矽肺", "煤工尘肺"),
    needs=("spo2",),
    shows=("spo2", "symptoms", "stage"),
    programme="pneumoconiosis",
    protocol=pneumoconiosis.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        KIND,
        STAGE,
        SPO2,
        USUAL_SPO2,
        SYMPTOMS,
        DANGER,
        MMRC,
        COMPLICATIONS,
        common.HEART_RATE,
        common.TEMPERATURE,
        DIAGNOSED_ON,
        DIAGNOSED_AT,
        EMPLOYER,
        EMPLOYER_NAME,
        *HELP,
        STATION,
        common.SMOKING,
        MEDICATIONS,
        WANTS,
        common.EXAMINATIONS,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.SELF_REPORTED,
        NEXT,
    ),
    derive=lambda answers, known: common.remembered(answers, known, ("kind", "stage")),
    marks=marks,
    owes=owes,
)
