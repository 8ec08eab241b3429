"""Severe mental disorder: what is assessed at a visit, and the class it gives. 严重精神障碍分类

The norm's classes: 1 不稳定, 2 基本稳定, 3 稳定, so a lower number is worse (domain.md A3). Nobody is stable whom one of the
questions has not been asked, or while one of the symptoms stands (M-12).
"""

from __future__ import annotations

from handlers.decisions import Findings, Outcome, Rule, Setting
from handlers.protocols.common import COMMON_SIGNS, TWO_WEEKS, safety
from handlers.protocols.findings import by_telephone, codes, has_sign, has_symptom, is_yes, number, setting

NORM = "规范(第三版)·严重精神障碍 / domain.md A3"

CLASSES = {1: "不稳定", 2: "基本稳定", 3: "稳定"}
UNSTABLE, BASIC, STABLE = 1, 2, 3

DANGER_LEVELS = {
    0: "没有下面任何一种行为",
    1: "口头威胁,喊叫,但没有打砸行为",
    2: "打砸行为,局限在家里,针对财物,能被劝说制止",
    3: "明显打砸行为,不分场合,针对财物,不能接受劝说而停止",
    4: "持续打砸行为,不分场合,针对财物或人,不能接受劝说而停止(包括自伤、自杀)",
    5: "持械针对人的任何暴力行为,或纵火、爆炸等行为,无论家里还是公共场合",
}
SYMPTOMS = {
    0: "没有",
    1: "幻觉",
    2: "交流困难",
    3: "猜疑",
    4: "喜怒无常",
    5: "行为怪异",
    6: "兴奋话多",
    7: "伤人毁物",
    8: "悲观厌世",
    9: "无故外走",
    10: "自语自笑",
    11: "孤僻懒散",
    12: "其他",
}
ACTIVE = range(1, 11)  # with one of these nobody is stable (domain.md M-12)
DESPAIR = 8
BEHAVIOURS = {1: "轻度滋事", 2: "肇事", 3: "肇祸", 4: "其他危害行为", 5: "自伤", 6: "自杀未遂", 7: "无"}
TROUBLE, AGAINST_SELF = (1, 2, 3, 4), (5, 6)
PARTIAL_INSIGHT, NO_INSIGHT = 2, 3
POOR = 3  # of 1良好 2一般 3较差
THOUGHTS, PLANS = 2, 3  # of the question after 悲观厌世: 1没有 2有念头 3有计划或做过
DANGER_SIGNS = {
    **COMMON_SIGNS,
    "poisoned": "吃了农药或大量药片",
    "high_fever_stiff": "高热、肌肉发硬",
    "none": "以上都没有",
}

SETTINGS = {
    "smi.telephone_stable": Setting(False, "电话随访是否可以判为稳定", "[D] 75 %, M-16"),
    "smi.danger_3_days": Setting(TWO_WEEKS, "危险性3级及以上多少天内再随访;有的省要求更勤", "AMBIG,本省有规定的改这里"),
    "smi.yearly_check": Setting(True, "每年提醒一次健康检查(征得监护人或本人同意)", "[S:4],项目[K]"),
}


def level(f: Findings) -> float | None:
    return number(f.get("danger_level"))


def dangerous(f: Findings, least: int) -> bool:
    danger = level(f)
    return danger is not None and danger >= least


def behaved(f: Findings, *kinds: int) -> bool:
    return not codes(f.get("dangerous_behaviours")).isdisjoint(kinds)


def marked(f: Findings) -> bool:
    """The symptoms that there are, are marked."""
    return is_yes(f.get("symptoms_marked")) and has_symptom(f, *(SYMPTOMS.keys() - {0}))


def severe_reaction(f: Findings) -> bool:
    said = is_yes(f.get("adverse_reaction")) and is_yes(f.get("reaction_severe"))
    return said or has_sign(f, "high_fever_stiff")


def severe_illness(f: Findings) -> bool:
    return is_yes(f.get("severe_physical_illness")) or has_sign(f, *COMMON_SIGNS)


def against_self(f: Findings) -> bool:
    return behaved(f, *AGAINST_SELF) or f.get("suicidal") == PLANS or has_sign(f, "poisoned")


def unstable(f: Findings) -> bool:
    return (
        dangerous(f, 3)
        or against_self(f)
        or marked(f)
        or f.get("insight") == NO_INSIGHT
        or severe_reaction(f)
        or severe_illness(f)
    )


def not_assessed(f: Findings) -> bool:
    """What stability depends on has not all been asked."""
    needed = ("danger_level", "symptoms", "insight", "social_function", "severe_physical_illness")
    return any(f.get(field) is None for field in needed) or (
        is_yes(f.get("adverse_reaction")) and f.get("reaction_severe") is None
    )


def basic(f: Findings) -> bool:
    return not unstable(f) and (
        dangerous(f, 1)
        or behaved(f, *TROUBLE)
        or f.get("suicidal") == THOUGHTS
        or has_symptom(f, *ACTIVE)
        or f.get("insight") == PARTIAL_INSIGHT
        or f.get("social_function") == POOR
    )


def stable(f: Findings) -> bool:
    return not (unstable(f) or basic(f) or not_assessed(f))


def only_told(f: Findings) -> bool:
    """Nobody saw the patient, and the county lets nobody be stable by telephone."""
    return by_telephone(f) and not county(f, "smi.telephone_stable")


def county(f: Findings, name: str) -> bool:
    return bool(setting(f, SETTINGS, name))


CLASSIFY = (  # the first match decides; 不稳定 before 基本稳定 before 稳定
    Rule(
        "SMI-01",
        when=lambda f: dangerous(f, 3),
        then=Outcome(classification=UNSTABLE),
        because="危险性评估3~5级({danger})",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-02",
        when=against_self,
        then=Outcome(classification=UNSTABLE),
        because="有自伤、自杀未遂,或有自杀的计划",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-03",
        when=marked,
        then=Outcome(classification=UNSTABLE),
        because="症状明显({symptoms})",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-04",
        when=lambda f: f.get("insight") == NO_INSIGHT,
        then=Outcome(classification=UNSTABLE),
        because="自知力缺失",
        source="规范(第三版)·严重精神障碍 / domain.md A3、M-12",
        certainty="[S:3],85 %",
    ),
    Rule(
        "SMI-05",
        when=severe_reaction,
        then=Outcome(classification=UNSTABLE),
        because="有严重的药物不良反应",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-06",
        when=severe_illness,
        then=Outcome(classification=UNSTABLE),
        because="有严重的躯体疾病或急症",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-07",
        when=lambda f: dangerous(f, 1) or behaved(f, *TROUBLE),
        then=Outcome(classification=BASIC),
        because="危险性评估1~2级({danger}),或上次随访以来有滋事、肇事、肇祸等行为",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-08",
        when=lambda f: has_symptom(f, *ACTIVE) or f.get("suicidal") == THOUGHTS,
        then=Outcome(classification=BASIC),
        because="还有症状({symptoms}),不判稳定",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-09",
        when=lambda f: f.get("insight") == PARTIAL_INSIGHT,
        then=Outcome(classification=BASIC),
        because="自知力不全",
        source="规范(第三版)·严重精神障碍 / domain.md A3、M-12",
        certainty="[K],85 %",
    ),
    Rule(
        "SMI-10",
        when=lambda f: f.get("social_function") == POOR,
        then=Outcome(classification=BASIC),
        because="社会功能较差",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SMI-11",
        when=not_assessed,
        then=Outcome(classification=None),
        because="危险性、症状、自知力、社会功能、躯体疾病或不良反应轻重还没有问全,不能分类",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-12",
        when=only_told,
        then=Outcome(classification=None),
        because="电话随访没有见到本人,不判稳定(设置 smi.telephone_stable)",
        source=safety(16),
        certainty="[D] 75 %",
    ),
    Rule(
        "SMI-13",
        when=stable,
        then=Outcome(classification=STABLE),
        because="危险性0级,症状基本消失,自知力基本恢复,社会功能一般或良好,没有严重不良反应,躯体疾病稳定",
        source=NORM,
        certainty="[S:4]",
    ),
)
