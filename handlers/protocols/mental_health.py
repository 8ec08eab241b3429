"""Severe mental disorder follow-up: what to do, whom to tell and the next date. 严重精神障碍患者随访

《国家基本公共卫生服务规范(第三版)》严重精神障碍患者管理, with domain.md M-12; what is assessed and the classes stand in
mental_health_class. The first sentence said never names the illness: it stands in a message's first line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, PastVisit, Protocol, Rule, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    CONTACT,
    CRITICAL_PRESSURE,
    ONCE_CRITICAL,
    TWO_WEEKS,
    emergency,
    refer,
    safety,
    soon,
)
from handlers.protocols.findings import (
    before,
    by_telephone,
    fact,
    has_sign,
    has_symptom,
    is_yes,
    pressure_text,
    setting,
)
from handlers.protocols.glucose import high_glucose, low_glucose
from handlers.protocols.mental_health_class import (
    BASIC,
    CLASSES,
    CLASSIFY,
    DANGER_SIGNS,
    DESPAIR,
    NO_INSIGHT,
    NORM,
    SETTINGS,
    SYMPTOMS,
    THOUGHTS,
    against_self,
    basic,
    county,
    dangerous,
    level,
    marked,
    not_assessed,
    only_told,
    severe_illness,
    severe_reaction,
    stable,
    unstable,
)
from handlers.protocols.quarters import quarterly
from handlers.protocols.windows import asked

ONE_MONTH = 30  # days; 1个月时随访 (domain.md K, basic_then_unresolved)
IN_HOSPITAL, DISCHARGED = 1, 2
LOCKED_UP = 2
LOST, WANDERED_OFF = 4, 3  # outcome 4 失访, lost_reason 3 走失
CHECKED = ("check_on", "blood_routine", "transaminase", "electrocardiogram")


def was_basic(f: Findings) -> bool:
    """At the visit before this one as well."""
    classed = next((visit for visit in before(f) if visit.classification is not None), None)
    return classed is not None and classed.classification == BASIC


def no_consent(f: Findings) -> bool:
    return fact(f, "consent") == 0


def checked(visit: PastVisit, year: int) -> bool:
    return visit.on.year == year and any(visit.answers.get(field) is not None for field in CHECKED)


def check_is_owed(f: Findings) -> bool:
    """No yearly check this year so far, and nobody has refused it this year."""
    refused = any(v.answers.get("check_consent") == 2 for v in before(f) if v.on.year == f.on.year)
    refused = refused or f.get("check_consent") == 2
    done = any(f.get(field) is not None for field in CHECKED) or any(checked(v, f.on.year) for v in before(f))
    return county(f, "smi.yearly_check") and not (refused or done or unstable(f))


def discharged_on(f: Findings) -> date | None:
    said = f.get("discharged_on")
    return date.fromisoformat(said) if f.get("hospitalised") == DISCHARGED and said else None


def to_be_seen_by(f: Findings) -> date | None:
    """Two weeks after coming home, for whoever was only spoken to on the telephone since."""
    home = discharged_on(f)
    last = home + timedelta(days=TWO_WEEKS) if home and by_telephone(f) else None
    return last if last and last >= f.on else None


ACT = (  # all that match; the most severe wins, and of equal ones the first is said first
    Rule(
        "SMI-21",
        when=lambda f: has_sign(f, "poisoned"),
        then=emergency("马上打120:带上瓶子和药盒,不要催吐,守到救护车来。"),
        because="吃了农药或大量药片",
        source=NORM,
        certainty="[K]",
    ),
    *ANY_FORM,
    CRITICAL_PRESSURE,
    ONCE_CRITICAL,
    Rule(
        "SMI-22",
        when=lambda f: dangerous(f, 4),
        then=emergency(
            "马上打110:您和家人先离开到安全处,不要一个人靠近;同时告诉乡镇卫生院,和民警、家属一起送专科医院。",
            "tell_township",
        ),
        because="危险性评估4~5级({danger})",
        source="规范(第三版)·严重精神障碍 / domain.md A3、M-12",
        certainty="[S:3],85 %",
    ),
    Rule(
        "SMI-23",
        when=lambda f: dangerous(f, 3) and not dangerous(f, 4),
        then=emergency(
            "现在就报告派出所和乡镇卫生院:不要单独入户,和民警、家属、村干部一起处置,今天转专科医院。", "tell_township"
        ),
        because="危险性评估3级({danger})",
        source="规范(第三版)·严重精神障碍 / domain.md A3、M-12",
        certainty="[S:3],85 %",
    ),
    Rule(
        "SMI-24",
        when=against_self,
        then=emergency(
            "今天就送专科医院:一刻也不离人,收好农药、药片、刀和绳子;有伤或吃了药打120,告诉乡镇卫生院。", "tell_township"
        ),
        because="有自伤、自杀未遂,或有自杀的计划",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-25",
        when=severe_reaction,
        then=emergency("马上转诊:带上正在吃的药,联系专科医生;高热、肌肉发硬或叫不醒就打120,药先问医生再停。"),
        because="有严重的药物不良反应,立即转诊",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-26",
        when=severe_illness,
        then=emergency("马上转诊:先处理躯体疾病,有人陪着送上级医院,告诉接诊医生正在吃的药。"),
        because="有严重的躯体疾病或急症,立即转诊",
        source=NORM,
        certainty="[S:3]",
    ),
    Rule(
        "SMI-27",
        when=lambda f: has_sign(f, "high_fever_stiff"),
        then=emergency("马上打120:可能是药物的严重反应。带上正在吃的药,松开衣服降温。"),
        because="高热、肌肉发硬",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "SMI-28",
        when=lambda f: high_glucose(f) or low_glucose(f),
        then=emergency("马上处理并转诊:血糖不高于3.9的,清醒的吃15~20克糖、15分钟后复测;达到16.7的,今天就送上级医院。"),
        because="健康检查的血糖不高于3.9或达到16.7,按糖尿病的危急值",
        source="规范(第三版)·2型糖尿病 / domain.md A2",
        certainty="[S:2]",
    ),
    Rule(
        "SMI-31",
        when=lambda f: marked(f) or f.get("insight") == NO_INSIGHT,
        then=refer("今天就联系转诊:对症处理后转专科医院;不住院的请专科医生、村委会和民警一起看,两周内再随访。"),
        because="症状明显或自知力缺失,立即转诊",
        source=NORM,
        certainty="[S:3],转诊后两周内[K]",
    ),
    Rule(
        "SMI-41",
        when=lambda f: has_symptom(f, DESPAIR) or f.get("suicidal") == THOUGHTS,
        then=soon("悲观厌世的要单独问有没有想过死:家里有人陪着,农药、药片锁好,一有计划马上送医院;两周内再来看。"),
        because="悲观厌世或有自杀念头,最迟两周内再随访",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-42",
        when=lambda f: basic(f) and not was_basic(f),
        then=soon("先看药有没有按时按量吃:在规定范围内调药或对因处理,必要时请专科医生指导,两周时再随访。"),
        because="基本稳定,两周时随访",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SMI-43",
        when=lambda f: basic(f) and was_basic(f),
        then=Outcome(next_days=ONE_MONTH, say="处理后还没有达到稳定:请专科医生技术指导,一个月时再随访。"),
        because="连续两次基本稳定,请专科医生指导,一个月时随访",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SMI-44",
        when=lambda f: f.get("confinement") == LOCKED_UP,
        then=soon("有关锁:今天告诉乡镇卫生院,联系解锁救治,不能一直锁着。", "tell_township"),
        because="有关锁",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "SMI-45",
        when=lambda f: to_be_seen_by(f) is not None,
        then=soon("出院后要当面看:出院10个工作日内上门或请来门诊,问清出院带的药。"),
        because="出院不到两周,只通了电话",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-46",
        when=lambda f: by_telephone(f) and not before(f),
        then=soon("第一次随访要当面:10个工作日内上门或请来门诊。"),
        because="第一次随访用的电话",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-47",
        when=lambda f: f.get("hospitalised") == IN_HOSPITAL,
        then=soon("正在住院:和家属约好出院告诉您,出院10个工作日内当面随访。"),
        because="正在住院,两周内问出院没有",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-48",
        when=no_consent,
        then=Outcome(
            say="没有同意参加社区管理:只报告乡镇卫生院,不纳入随访;出现危险行为照样报告派出所。",
            flags=("outside_programme", "no_consent", "tell_township"),
        ),
        because="知情同意书写明不同意",
        source=NORM,
        certainty="[K]",
    ),
    *CONTACT,
    Rule(
        "SMI-51",
        when=lambda f: not_assessed(f) and not unstable(f) and not basic(f),
        then=Outcome(flags=("no_reading", "not_standard_visit"), say="危险性和几项评估要问全,才算一次规范随访。"),
        because="评估没有问全",
        source=safety(12),
        certainty="[D] 85 %",
    ),
    Rule(
        "SMI-52",
        when=lambda f: stable(f) and not only_told(f),
        then=Outcome(say="继续现在的治疗和康复,三个月时再随访。"),
        because="病情稳定,没有更急的安排时三个月时随访",
        source=NORM,
        certainty="[S:4]",
    ),
    Rule(
        "SMI-53",
        when=lambda f: f.get("adherence") in (2, 3),
        then=Outcome(say="药没有按时吃:请监护人管药、看着吃下去,问清为什么不吃。"),
        because="间断用药或不用药",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SMI-54",
        when=lambda f: is_yes(f.get("adverse_reaction")) and not severe_reaction(f),
        then=Outcome(say="有药物不良反应:告诉开药的医生,看要不要调药。"),
        because="有药物不良反应,不严重",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SMI-55",
        when=check_is_owed,
        then=Outcome(say="今年还没有做健康检查:征得监护人或本人同意,查血压、体重、血常规、转氨酶、血糖、心电图。"),
        because="每年一次健康检查,今年还没有",
        source=NORM,
        certainty="[S:4],项目[K]",
    ),
)

UNSEEN = (
    Rule(
        "SMI-91",
        when=lambda f: f.get("outcome") == LOST and f.get("lost_reason") == WANDERED_OFF,
        then=soon("人走失了:现在就报告派出所和乡镇卫生院,和家属、村干部一起找。", "tell_township"),
        because="走失",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "SMI-92",
        when=lambda f: f.get("outcome") == LOST and f.get("lost_reason") != WANDERED_OFF,
        then=soon("失访:告诉乡镇卫生院,向家属、邻居和村干部打听,两周后再访。", "tell_township"),
        because="失访",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """规则要求两周、一个月的,按规则;稳定的最迟92天,且不晚于下一季度最后一天。危险性3级及以上按县里的设置,默认14天。

    电话随访,或评估没有问全:原定日期不动,规则要求更早的提前;没有原定日期的,14天内补一次。出院不到两周的,最迟出院后14天
    当面看。
    """
    if dangerous(f, 3) and within is not None:
        within = min(within, int(setting(f, SETTINGS, "smi.danger_3_days")))
    if not by_telephone(f) and classification is not None:
        return asked(f, within) or quarterly(f.on, f.on)
    days = [day for day in (asked(f, within), f.due_on, to_be_seen_by(f)) if day and day > f.on]
    return min(days, default=f.on + timedelta(days=TWO_WEEKS))


def values(f: Findings) -> Mapping[str, object]:
    danger = level(f)
    shown = [label for code, label in SYMPTOMS.items() if code and has_symptom(f, code)]
    return {
        "danger": "未评估" if danger is None else f"{danger:g}级",
        "symptoms": "、".join(shown) or "无",
        "pressure": pressure_text(f.answers),
    }


protocol = Protocol(
    code="mental_health",
    title="严重精神障碍患者随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·严重精神障碍患者管理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
    unseen=UNSEEN,
)
