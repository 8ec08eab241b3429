"""专家下乡支援: visiting experts, what they did and the hours they kept (domain.md F1, F2: 坐诊、带教、赶集日支援、挂职)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.form import Form
from handlers.forms.event import NOTE, Place, count
from handlers.steps import Day, Known, Number, SelectMany, Text, options

WORK = SelectMany(
    field="work",
    title="支援内容",
    ask="专家来做什么?可以多选。",
    none_code="",
    options=options(
        (1, "坐诊", "出诊", "看病", "门诊坐诊", "坐诊查访"),
        (2, "带教", "师带徒", "教学", "指导业务", "查房带教"),
        (3, "赶集日支援", "赶集日", "赶场日", "逢集日", "逢场"),
        (4, "挂职", "挂职院长", "挂职副院长", "任职"),
        (5, "查房或手术", "查房", "手术", "会诊"),
        (6, "远程会诊", "远程", "线上会诊"),
        (7, "讲课", "讲座", "授课"),
    ),
)
HOURS = Number(
    field="hours", title="服务时长", ask="一共几个小时?半天写 4 小时,一天写 8 小时。", words=("时长", "服务时间", "支援时间", "共"), unit="小时",
    units={"小时": 1, "个小时": 1, "天": 8, "个半天": 4}, unit_needed=True, possible=(0.5, 744), sure=(0.5, 240), decimals=1, alone=("小时", "个小时", "天", "个半天"),
    hint="例如 4小时;半天4小时,一天8小时。",
)  # fmt: skip
EXPERT = Text(
    field="expert", title="专家", ask="来的是哪位专家?例如 县医院 李明 心内科 副主任医师", words=("专家",), longest=60, by_itself=True,
    like=r"[\u4e00-\u9fff]{2,12}?(?:副?主任(?:医师)?|医生|医师|院长|教授)",
)  # fmt: skip


def experts(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    """Hours are kept in whole hours: what is under half an hour is not claimed."""
    return {"expert_hours": int(answers["hours"])} if "hours" in answers else {}


form = Form(
    code="expert_support",
    title="专家下乡支援",
    about="event",
    words=("专家下乡", "专家支援", "专家坐诊", "下派专家", "对口支援", "赶集日支援", "赶集日", "来支援", "支援", "挂职", "坐诊查访", "坐诊"),
    steps=(
        Day(field="on", title="支援日期", words=("日期",), asked=False),
        EXPERT,
        WORK,
        HOURS,
        Place(field="place", title="支援地点", words=("地点",), asked=False),
        Text(field="supporting_organisation", title="派出单位", words=("派出单位", "来自", "支援单位"), asked=False, by_itself=True,
             like=r"[^\s,。;\d\ue010]{1,16}?(?:院|中心|疾控|卫健局)"),
        count("attendances", "接诊人次", "接诊", "看了", "坐诊看了", "诊治", "诊疗"),
        count("learners", "带教人数", "带教了", "带了", "学员", unit="人"),
        count("referrals", "转诊", "当场转诊", unit="人"),
        NOTE,
    ),
    counts={"attendances": "expert_patients", "learners": "expert_learners"},
    measures=experts,
)  # fmt: skip
