"""Folic acid for women who plan a pregnancy or are in its first twelve weeks. 增补叶酸预防神经管缺陷

0.4 mg a day from three months before to three months into the pregnancy; more only where a physician orders it
(domain.md C).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import refer
from handlers.protocols.findings import above, codes, setting

NORM = "增补叶酸预防神经管缺陷项目 / domain.md C"
STAGES = {1: "备孕", 2: "孕早期"}
PLANNING, EARLY_PREGNANCY = STAGES
ADHERENCE = {1: "每天吃", 2: "间断", 3: "没吃"}
REGULAR, INTERMITTENT, NOT_TAKEN = ADHERENCE
DAILY_MG = 0.4
LAST_WEEK = 12  # completed weeks of pregnancy up to which it is given

RISKS = {
    "none": "都没有",
    "ntd": "生过神经管缺陷儿或家族里有",
    "epilepsy": "在吃抗癫痫药",
    "diabetes": "糖尿病或很胖",
}

SETTINGS = {
    "folic_acid.follow_up_days": Setting(None, "发放后多少天随访服用情况", "[K-low]"),
}


def needs_a_physician(f: Findings) -> bool:
    return bool(codes(f.get("risks")) - {"none"}) or above(f, "dose_mg", DAILY_MG)


def beyond(f: Findings) -> bool:
    return above(f, "gestational_weeks", LAST_WEEK)


ACT = (
    Rule(
        "FOL-11",
        when=needs_a_physician,
        then=refer("请妇产科医生定剂量(可能要4~5毫克),不要自己加量,也不要停;先按每天0.4毫克吃。"),
        because="有神经管缺陷史、在吃抗癫痫药、糖尿病或肥胖,或剂量超过每天0.4毫克",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "FOL-12",
        when=beyond,
        then=Outcome(say="已过孕12周:叶酸项目发到孕3个月为止,以后按产检医生的意见吃。"),
        because="孕周超过12周",
        source=NORM,
        certainty="[S:26]",
    ),
    Rule(
        "FOL-13",
        when=lambda f: f.get("adherence") in (INTERMITTENT, NOT_TAKEN),
        then=Outcome(say="讲清楚:每天1片0.4毫克,从怀孕前3个月吃到怀孕满3个月,漏了当天补上,不要一次吃两天的。"),
        because="叶酸没有每天吃",
        source=NORM,
        certainty="[S:26]",
    ),
    Rule(
        "FOL-14",
        when=lambda f: True,
        then=Outcome(),
        because="备孕和孕早期每天0.4毫克,怀孕前3个月到怀孕满3个月",
        source=NORM,
        certainty="[S:26]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """需要医生定剂量的两周内问;其余由县里设置发放后多少天随访,没有设置就不排期。"""
    days = within or setting(f, SETTINGS, "folic_acid.follow_up_days")
    return f.on + timedelta(days=days) if days else None


def values(f: Findings) -> Mapping[str, object]:
    return {}


protocol = Protocol(
    code="folic_acid",
    title="增补叶酸",
    version="2009",
    source="增补叶酸预防神经管缺陷项目管理方案",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
)
