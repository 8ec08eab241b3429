"""残疾人康复随访: the certificate, what is needed, what was done, and to whom (domain.md A12, F2); how often is a setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.danger import danger_step
from handlers.forms.disability import DisabilityCard
from handlers.forms.event import NOTE
from handlers.forms.next_by_doctor import next_by_doctor
from handlers.protocols import rehabilitation
from handlers.protocols.rehabilitation import GRADES, KINDS, OLDEST_CHILD
from handlers.steps import Known, SelectMany, SelectOne, Text, options

CARD = DisabilityCard(
    field="disability_card", title="残疾人证号", ask="残疾人证号?(20位)没有证或不在手边可以跳过。", words=("残疾证", "残疾人证"), optional=True,
    when=common.untold("disability_grade"),
)  # fmt: skip
KIND = SelectOne(
    field="disability_kind",
    title="残疾类别",
    ask="是哪一类残疾?",
    options=options(*((code, label, f"{label}残疾") for code, label in KINDS.items())),
    when=common.untold("disability_kind"),
    bare=tuple(f"{label}残疾" for label in KINDS.values()),
)
GRADE = SelectOne(
    field="disability_grade",
    title="残疾等级",
    ask="几级?",
    options=options(*((code, label, f"{code}级") for code, label in GRADES.items()), (9, "没有评级", "~没有", "~没评")),
    when=common.untold("disability_grade"),
    bare=tuple(f"{n}级" for n in "1234") + tuple(GRADES.values()),
)
NEEDS = SelectMany(
    field="rehabilitation_needs",
    title="康复需求",
    ask="现在需要什么?可以多选。",
    none_code=0,
    options=options(
        (0, "没有需求", "~没有", "~无", "~没", "无康复需求"),
        (1, "需要手术", "要做手术"),
        (2, "需要康复训练", "要康复训练", "要训练"),
        (3, "需要辅助器具", "要轮椅", "要拐杖", "要助听器", "要假肢", "要辅具"),
        (4, "需要护理", "要护理"),
        (5, "需要药物", "要药"),
    ),
)
ITEMS = SelectMany(
    field="items",
    title="康复服务项目",
    ask="这次做了什么康复服务?可以多选。",
    none_code=0,
    words=("康复服务", "做了"),
    options=options(
        (0, "只是看望", "看望"),
        (1, "康复训练指导", "康复训练", "功能训练", "肢体训练", "训练指导"),
        (2, "辅助器具", "辅具", "轮椅", "拐杖", "助听器", "适配辅具"),
        (3, "护理指导", "护理", "压疮护理", "翻身指导", "翻身", "拍背", "换药"),
        (4, "用药指导", "送药", "药物指导"),
        (5, "心理疏导", "心理支持", "谈心"),
        (6, "知识宣教", "康复知识", "宣教"),
        (7, "转介服务", "转介", "转到康复机构"),
        (8, "体检或评估", "功能评估", "评估"),
    ),
)
EFFECT = SelectOne(
    field="treatment_effect",
    title="康复效果",
    ask="和上次比怎么样?第一次的可以跳过。",
    words=("效果",),
    options=options(
        (1, "明显好转", "明显进步"),
        (2, "好转", "有进步", "好些了", "好一些"),
        (3, "无变化", "没变化", "老样子", "和上次一样"),
        (4, "加重", "变差", "退步"),
    ),
    optional=True,
)
SORE = SelectOne(
    field="pressure_sore",
    title="压疮",
    words=("褥疮",),
    options=options(
        (1, "无", "没有", "*没压疮", "*无压疮", "*没有压疮"), (2, "有", "*有压疮", "*有褥疮", "破了", "烂了")
    ),
    asked=False,
)
FALL = common.coded("fall", "跌倒", (1, "无", "没有"), (2, "有", "摔了"), words=("摔跤",))
CHILD = SelectOne(
    field="child_rescue",
    title="残疾儿童康复救助",
    ask="参加残疾儿童康复救助了吗?",
    options=options((1, "参加了", "~是", "~参加"), (2, "没参加", "~没有", "~没", "没有参加")),
    when=lambda known: known.age is not None and known.age <= OLDEST_CHILD,
    bare=(),
)
ENTERED = common.coded(
    "entered_with_federation",
    "残联系统录入",
    (1, "已录", "已录入", "录了"),
    (2, "未录", "没录", "没有录"),
    words=("残联系统", "精准康复"),
)
GUARDIAN = Text(field="guardian", title="监护人", words=("监护人", "照护人"), asked=False, longest=20)
RELATION = Text(field="guardian_relation", title="与监护人关系", asked=False, longest=20)
PROVIDER = Text(field="provider", title="康复机构", words=("康复机构",), asked=False, longest=40)
DANGER = danger_step(
    rehabilitation.DANGER_SIGNS, lambda findings: "", offered={}, otherwise=tuple(rehabilitation.DANGER_SIGNS)
)
NEXT = next_by_doctor(rehabilitation.HOW_OFTEN)
KEPT = ("disability_kind", "disability_grade", "guardian", "guardian_relation")


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["standard_visit"] if common.face_to_face(answers) else []


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Kind, grade and guardian are remembered."""
    return common.keeping(answers, decision, KEPT)


form = Form(
    code="rehabilitation_follow_up",
    title="康复随访",
    about="resident",
    words=(
        "康复随访",
        "残疾人康复",
        "残疾人随访",
        "康复服务",
        "康复训练",
        "康复护理",
        "康复指导",
        "康复锻炼",
        "康复治疗",
        "做康复",
        "上门康复",
    ),
    shows=("items", "rehabilitation_needs"),
    programme="rehabilitation",
    protocol=rehabilitation.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        CARD,
        KIND,
        GRADE,
        ITEMS,
        EFFECT,
        NEEDS,
        CHILD,
        DANGER,
        SORE,
        FALL,
        GUARDIAN,
        RELATION,
        PROVIDER,
        ENTERED,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        NOTE,
        common.SELF_REPORTED,
        NEXT,
    ),
    derive=lambda answers, known: common.remembered(answers, known, KEPT),
    marks=marks,
    owes=owes,
)
