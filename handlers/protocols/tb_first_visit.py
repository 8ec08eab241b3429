"""Tuberculosis: the first home visit within 72 hours of the notice, or the report that nobody was met. 肺结核第一次入户随访

《国家基本公共卫生服务规范(第三版)》肺结核患者健康管理, with domain.md M-11 and M-26: 72 hours end with the third day after the
notice, unless its hour is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Urgency
from handlers.protocols import tb
from handlers.protocols.common import ANY_FORM, TWO_WEEKS, safety, soon
from handlers.protocols.findings import day_told, fact, number

NORM = "规范(第三版)·肺结核(第一次入户) / domain.md A4"
DAYS = 3  # 72 hours
SEEN = 1  # outcome: met
NOT_MASTERED = 2
KNOWLEDGE = {
    "knows_card": "服药记录卡的填写",
    "knows_taking": "服药方法及药品存放",
    "knows_course": "治疗疗程",
    "knows_harm": "不规律服药危害",
    "knows_reactions": "服药后不良反应及处理",
    "knows_sputum": "治疗期间复诊查痰",
    "knows_travel": "外出期间如何坚持服药",
    "knows_habits": "生活习惯及注意事项",
    "knows_contacts": "密切接触者检查",
}


def noticed_on(f: Findings) -> date | None:
    return day_told(f, "notified_on")


def last_day(f: Findings) -> date | None:
    """The day on which the 72 hours end."""
    noticed = noticed_on(f)
    return noticed + timedelta(days=DAYS) if noticed else None


def too_late(f: Findings) -> bool:
    """After the third day; on the third day after the hour of the notice, where both hours are known."""
    last = last_day(f)
    if last is None or f.on < last:
        return False
    told, came = number(fact(f, "notified_hour")), number(f.get("visited_hour"))
    return f.on > last or (told is not None and came is not None and came > told)


def attempted_before(f: Findings) -> bool:
    """Has somebody come in vain lately? 72小时内2次访视均未见到患者: report."""
    lately = (visit for visit in f.history if 0 <= (f.on - visit.on).days <= TWO_WEEKS)
    return any(visit.answers.get("outcome", SEEN) != SEEN for visit in lately)


def unmet(f: Findings) -> bool:
    return f.get("outcome") in (tb.AWAY, tb.REFUSED, tb.LOST)


def over(f: Findings) -> bool:
    """Twice in vain, or in vain when the 72 hours end."""
    last = last_day(f)
    return unmet(f) and (attempted_before(f) or (last is not None and f.on >= last))


ACT = (
    *ANY_FORM,
    *tb.DANGER,
    Rule(
        "TBF-51",
        when=too_late,
        then=Outcome(say="已超过72小时,请在备注写明原因并告诉乡镇卫生院。", flags=("beyond_72_hours",)),
        because="首次入户超过收到管理通知单后72小时({noticed}通知)",
        source="规范(第三版)·肺结核(第一次入户) / domain.md A4、M-26",
        certainty="[S:5][S:6],80 %",
    ),
    Rule(
        "TBF-52",
        when=lambda f: not too_late(f),
        then=Outcome(say="确定好督导人员和服药的地点、时间,把治疗记录卡和服药卡交给病人,约好下次随访。"),
        because="第一次入户的内容",
        source=NORM,
        certainty="[S:5]",
    ),
    Rule(
        "TBF-53",
        when=lambda f: any(f.get(field) == NOT_MASTERED for field in KNOWLEDGE),
        then=Outcome(say="没掌握的再讲一遍,下次随访再问({gaps})。"),
        because="九项中有没掌握的",
        source=NORM,
        certainty="[S:13]",
    ),
    Rule(
        "TBF-54",
        when=lambda f: f.get("single_room") == 2 or f.get("ventilation") == 3,
        then=Outcome(say="住得挤、不通风:让病人单独住一间,常开窗,咳嗽捂嘴、戴口罩,痰吐在纸里烧掉。"),
        because="没有单独的居室或通风差",
        source=NORM,
        certainty="[S:5]",
    ),
    Rule(
        "TBF-55",
        when=lambda f: fact(f, "supervisor") in (tb.SELF, tb.OTHER),
        then=Outcome(say="最好由医务人员或家属看着吃:自服药的按家属督导的间隔随访。"),
        because="没有医务人员或家属督导",
        source=safety(11),
        certainty="[D] 80 %",
    ),
)

UNSEEN = (
    Rule(
        "TBF-91",
        when=over,
        then=soon(
            "今天就打电话报告上级专业机构(疾控、定点医院):72小时内没有见到病人;三天后再提醒您。",
            "tell_township",
            within=DAYS,
        ),
        because="72小时内两次访视都没见到病人,或72小时已到",
        source="规范(第三版)·肺结核(第一次入户) / domain.md A4、M-26",
        certainty="[S:5][S:6],80 %",
    ),
    Rule(
        "TBF-92",
        when=lambda f: unmet(f) and not over(f),
        then=soon("72小时内再去一次:先打电话约好,问问邻居和村干部;两次都没见到要报告上级专业机构。", within=1),
        because="第一次没见到,72小时内还要再去一次",
        source=NORM,
        certainty="[S:5][S:6]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """第一次入户后:医务人员督导的30天内,家属督导、自服药的10天内(强化期);有危急情况的两周内,两者取早。没见到本人的,第二天再去;
    两次没见到或72小时已到的,报告后三天再提醒。"""
    days = tb.interval(f)
    return f.on + timedelta(days=days if within is None else min(days, within))


def values(f: Findings) -> Mapping[str, object]:
    gaps = "、".join(title for field, title in KNOWLEDGE.items() if f.get(field) == NOT_MASTERED)
    return {**tb.values(f), "gaps": gaps, "noticed": noticed_on(f)}


protocol = Protocol(
    code="tb_first_visit",
    title="肺结核患者第一次入户随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·肺结核患者健康管理",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=tb.SETTINGS,
    danger_signs=tb.DANGER_SIGNS,
    unseen=UNSEEN,
)
