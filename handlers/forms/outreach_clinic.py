"""义诊: one event and what was done there. The counts do not nest: more people may be examined than attended (domain.md E)."""

from __future__ import annotations

from dataclasses import replace

from handlers.form import Form
from handlers.forms.event import MANY, MOST, NOTE, STAFF, SUPPORTING_ORGANISATION, TOPIC, Place, count
from handlers.forms.found import ABNORMAL_PEOPLE, refer_the_found
from handlers.steps import Day, Number

ATTENDANCES = Number(
    field="attendances", title="义诊人次", ask="来了多少人次?",
    words=("来了", "来", "接诊", "到场", "义诊", "服务", "看了", "参加", "人数", "人次", "共", "一共", "总共", "接待", "群众", "惠及", "服务群众"),
    unit="人次", units={"人次": 1, "人": 1, "个人": 1, "个": 1}, possible=(0, MOST), sure=(0, MANY), usual=(1, 500), apart=True,
)  # fmt: skip

form = Form(
    code="outreach_clinic",
    title="义诊",
    about="event",
    words=("义诊",),
    steps=(
        Day(field="on", title="义诊日期", words=("日期",), asked=False),
        Place(field="place", title="义诊地点", ask="在哪里义诊?", words=("地点",)),
        ATTENDANCES,
        count("people", "义诊人数(去重)", "实际人数", "实际", "去重", unit="人"),
        replace(
            count("physical_checks", "体检", "免费体检", "体检了", "做体检", asked=True, optional=True),
            ask="免费体检多少人次?没做可以跳过。",
        ),
        count("blood_pressure_checks", "测血压", "量血压", "血压", "量了血压", "测了血压"),
        count("glucose_checks", "测血糖", "血糖", "测了血糖", "查血糖"),
        replace(
            count("publicity_contacts", "面对面宣传", "宣传", "宣传了", "健康宣教", "宣教", asked=True, optional=True),
            ask="面对面宣传多少人次?没做可以跳过。",
        ),
        count(
            "leaflets",
            "资料",
            "发资料",
            "发了资料",
            "健康资料",
            "发放资料",
            "宣传资料",
            "传单",
            "单子",
            "宣传单",
            unit="份",
        ),
        count("lectures", "讲座", unit="场"),
        replace(
            count("agreements", "签约", "签协议", "签了", "家医签约", asked=True, optional=True, unit="份"),
            ask="当场签约多少份?没签可以跳过。",
        ),
        count("records_built", "建档", unit="份"),
        count("follow_ups", "随访"),
        count("consultations", "咨询"),
        count("abnormal_findings", "发现异常", "异常", "查出异常", unit="人"),
        count("referrals", "当场转诊", "转诊", unit="人"),
        ABNORMAL_PEOPLE,
        TOPIC,
        SUPPORTING_ORGANISATION,
        STAFF,
        NOTE,
    ),
    counts={
        "attendances": "outreach_attendances",
        "people": "outreach_people",
        "physical_checks": "physical_checks",
        "blood_pressure_checks": "outreach_blood_pressure_checks",
        "glucose_checks": "outreach_glucose_checks",
        "publicity_contacts": "publicity_contacts",
        "leaflets": "leaflets",
        "lectures": "lectures",
        "agreements": "outreach_agreements",
        "records_built": "outreach_records",
        "follow_ups": "outreach_follow_ups",
        "referrals": "outreach_referrals",
    },
    finish=refer_the_found,
)
