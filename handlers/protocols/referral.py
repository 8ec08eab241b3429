"""Referral slip, up and down: how soon the patient must be there, and when the village asks. 双向转诊

《国家基本公共卫生服务规范(第三版)》 has every referral followed within two weeks; an emergency is asked about the next
day (domain.md M-13). What the slip says decides; only danger told in the reason is an emergency whatever it says.
"""

from __future__ import annotations

from datetime import date, timedelta

from handlers.decisions import Findings, Protocol, Rule, Urgency
from handlers.protocols.common import TWO_WEEKS, emergency, refer, safety
from handlers.protocols.findings import is_yes

NORM = "规范(第三版)·双向转诊 / domain.md A1、A2、A7"
URGENCIES = {1: "紧急", 2: "一般"}
URGENT, ORDINARY = URGENCIES
ONE_WEEK = 7  # days; 可疑肺结核患者推介转诊后1周内电话随访


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """转诊后14天内主动随访转诊情况,可疑肺结核的7天内电话随访;下转的14天内接续随访。紧急转诊第二天先问到了没有。"""
    return f.on + timedelta(days=within or TWO_WEEKS)


protocol = Protocol(
    code="referral",
    title="双向转诊(上转)",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·双向转诊",
    classifications={},
    classify=(),
    act=(
        Rule(
            "REF-10",
            when=lambda f: is_yes(f.get("danger")),
            then=emergency("马上打120,不要等:病人侧卧或半卧、不喂水不喂药,守到救护车来,同时打电话告诉接收医院。"),
            because="转诊原因里有危急征象(叫不醒、嘴歪说话不清、抽搐、胸痛满10分钟、不能平卧、大出血等)",
            source=safety(17, "A1、"),
            certainty="[D] 80 %",
        ),
        Rule(
            "REF-11",
            when=lambda f: f.get("referral_urgency") == URGENT,
            then=emergency("马上送:先打电话给接收医院,说清病情和到达时间,有人陪着;没有车或病情在变重就打120。"),
            because="转诊单写明紧急",
            source=safety(13),
            certainty="[D] 85 %",
        ),
        Rule(
            "REF-12",
            when=lambda f: f.get("referral_urgency") != URGENT,
            then=refer("把转诊单交给病人,说清去哪个科、带什么资料;两周内会问您到了没有。"),
            because="转诊后两周内主动随访转诊情况",
            source=NORM,
            certainty="[S:1][S:2]",
        ),
        Rule(
            "REF-13",
            when=lambda f: is_yes(f.get("suspected_tb")),
            then=refer(
                "转结核病定点医疗机构,提醒戴口罩、带痰去查;一周内打电话问去了没有,到时会问您。", within=ONE_WEEK
            ),
            because="可疑肺结核:咳嗽咳痰满两周,或咯血、痰中带血;转诊后一周内电话随访",
            source="规范(第三版)·肺结核(推介转诊) / domain.md A4",
            certainty="[S:6][S:47]",
        ),
    ),
    schedule=schedule,
)
