"""Rehabilitation of the disabled at home: what calls for somebody else, and an interval the county sets. 残疾人康复随访

There is no national follow-up form (domain.md A12): the interval is a setting without a default.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import CONTACT, refer
from handlers.protocols.findings import is_yes, setting

NORM = "残疾人康复服务(全国没有统一的随访表) / domain.md A12"
WORSE = 4
TRANSFER = 7

SETTINGS = {"rehabilitation.visits_per_year": Setting(None, "每年康复随访几次", "[K-low]")}


def not_set(f: Findings) -> bool:
    return not setting(f, SETTINGS, "rehabilitation.visits_per_year")


ACT = (
    Rule(
        "REH-11",
        when=lambda f: is_yes(f.get("pressure_sore")),
        then=refer("今天就教家属减压、翻身(两小时一次),请乡镇卫生院来换药;发热或发黑马上转诊。"),
        because="有压疮",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "REH-12",
        when=lambda f: f.get("treatment_effect") == WORSE,
        then=refer("功能变差了:请乡镇卫生院或康复机构评估,查有没有新的脑卒中、骨折或感染。"),
        because="康复效果比上次差",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "REH-13",
        when=lambda f: is_yes(f.get("fall")),
        then=Outcome(say="看有没有骨折和头部受伤;家里加扶手、防滑垫,夜里留灯。"),
        because="跌倒过",
        source=NORM,
        certainty="[D]",
    ),
    CONTACT[1],
    Rule(
        "REH-14",
        when=not_set,
        then=Outcome(say="县里还没有设置康复多久随访一次:下次日期请您自己定,点“补充其他项”填“下次随访”。"),
        because="康复随访间隔全国没有统一规定,县里没有设置",
        source=NORM,
        certainty="[K-low]",
    ),
    Rule(
        "REH-15",
        when=lambda f: True,
        then=Outcome(),
        because="按康复计划随访",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """需要转诊的两周内追访;其余按县里设置的每年次数平均分开,没有设置就不排期,由医生自己定。"""
    if within is not None:
        return f.on + timedelta(days=within)
    times = setting(f, SETTINGS, "rehabilitation.visits_per_year")
    return f.on + timedelta(days=365 // int(times)) if times else None


def values(f: Findings) -> Mapping[str, object]:
    return {}


protocol = Protocol(
    code="rehabilitation",
    title="残疾人康复随访",
    version="M",
    source="残疾人康复服务",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
)
