"""残疾人康复随访: the card, what is needed and what was done (domain.md A12, F2)."""

from __future__ import annotations

from handlers.form import Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.disability import GRADES, KINDS, DisabilityCard
from handlers.forms.event import NOTE
from handlers.protocols import rehabilitation
from handlers.steps import SelectMany, SelectOne, Text, options

CARD = DisabilityCard(
    field="disability_card", title="残疾人证号", ask="残疾人证号?(20位)以前登记过或没有可以跳过。", words=("残疾证", "残疾人证"), optional=True,
)  # fmt: skip
ITEMS = SelectMany(
    field="items",
    title="康复服务项目",
    ask="这次做了什么康复服务?可以多选。",
    none_code="",
    words=("康复服务", "做了"),
    options=options(
        (1, "康复训练指导", "康复训练", "功能训练", "肢体训练", "训练指导"),
        (2, "辅助器具", "辅具", "轮椅", "拐杖", "助听器", "适配辅具"),
        (3, "护理指导", "护理", "压疮护理", "翻身指导"),
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
    ask="和上次比怎么样?",
    words=("效果", "康复效果"),
    options=options(
        (1, "明显好转", "明显进步"),
        (2, "好转", "有进步", "好些了", "好一些"),
        (3, "无变化", "没变化", "老样子", "和上次一样"),
        (4, "加重", "变差", "退步"),
    ),
)
PRESSURE_SORE = SelectOne(
    field="pressure_sore",
    title="压疮",
    words=("压疮", "褥疮"),
    options=options((1, "无", "没有", "没压疮", "没有压疮", "无压疮"), (2, "有", "有压疮", "破了", "烂了")),
    asked=False,
    bare=("无压疮", "没压疮", "没有压疮", "有压疮"),
)

form = Form(
    code="rehabilitation_follow_up",
    title="康复随访",
    about="resident",
    words=("康复随访", "残疾人康复", "残疾人随访", "康复服务", "康复训练", "康复护理"),
    programme="rehabilitation",
    protocol=rehabilitation.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        common.MODE,
        ITEMS,
        EFFECT,
        CARD,
        SelectOne(field="disability_kind_told", title="残疾类别", words=("残疾类别",), options=options(*KINDS.items()), asked=False, bare=()),
        SelectOne(field="disability_grade_told", title="残疾等级", words=("残疾等级",), options=options(*GRADES.items()), asked=False, bare=()),
        SelectMany(
            field="needs", title="康复需求", words=("需求", "需要"), none_code=0, asked=False,
            options=options((0, "无", "~没有"), (1, "手术"), (2, "训练"), (3, "辅具"), (4, "护理"), (5, "药物"), (6, "儿童康复救助", "康复救助")),
        ),
        PRESSURE_SORE,
        SelectOne(field="fall", title="跌倒", words=("跌倒", "摔跤"), options=options((1, "无", "没有"), (2, "有", "摔了")), asked=False, bare=()),
        Text(field="guardian", title="监护人", words=("监护人", "照护人"), asked=False, longest=20),
        Text(field="provider", title="康复机构", words=("康复机构",), asked=False, longest=40),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        NOTE,
        common.NEXT,
    ),
    marks=lambda answers, decision, known: ["standard_visit"] if answers.get("mode") in (1, 2) else [],
)  # fmt: skip
