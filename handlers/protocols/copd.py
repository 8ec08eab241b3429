"""Chronic obstructive pulmonary disease: oxygen, worsening, inhaling, and what the county must still set. 慢阻肺患者随访

《慢性阻塞性肺疾病患者健康服务规范(试行)》(2024) was not at hand: its form, classes and frequency are not guessed. What
follows is clinical ([K]) with domain.md M-21; every number of the norm is a setting without default.
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.decisions import Findings, Outcome, PastVisit, Protocol, Rule, Setting
from handlers.protocols.common import ANY_FORM, COMMON_SIGNS, CONTACT, emergency, refer, safety, short_chest_pain, soon
from handlers.protocols.county_interval import CountyInterval
from handlers.protocols.findings import (
    at_least,
    before,
    by_telephone,
    danger_question_answered,
    has_sign,
    has_symptom,
    is_yes,
    setting,
    sign_words,
    told,
)
from handlers.protocols.lungs import (
    low_oxygen,
    oxygen_words,
    spo2,
    usual,
)

NORM = "慢阻肺患者健康服务规范(试行) / domain.md A5"

NO_SYMPTOMS = 1
SYMPTOMS = {
    1: "无症状",
    2: "咳嗽",
    3: "咳痰",
    4: "喘息",
    5: "气短、呼吸困难",
    6: "胸闷",
    7: "下肢水肿",
    8: "其他",
}
DANGER_SIGNS = {
    "sudden_breathless": "呼吸困难突然明显加重",
    "cyanosis": "口唇发紫",
    "drowsy": "嗜睡、反应迟钝",
    "new_oedema": "新出现腿肿",
    "new_arrhythmia": "新出现心跳忽快忽慢",
    "treatment_fails": "急性加重,处理后不见好",
    "worse_than_usual": "咳嗽、痰、气短比平时重,或痰变黄",
    **COMMON_SIGNS,
    "none": "以上都没有",
}
QUESTION = "和平时比,有没有下面的情况?"
SUSPICIOUS = 92  # %, with new symptoms, where the usual value is not known (domain.md A5)
OBSTRUCTED = 70  # per cent; FEV1/FVC after a bronchodilator below it is the diagnosis
WRONG_TECHNIQUE = 2
HOW_OFTEN = CountyInterval("copd.visits_per_year", "COPD", "慢阻肺", NORM, unknown="规范原文未得")
SETTINGS = {
    **HOW_OFTEN.setting,
    "copd.min_face_to_face": Setting(None, "其中至少几次面对面", "[K-low],规范原文未得,由县里提供"),
    "copd.min_age": Setting(None, "纳入管理的最小年龄(周岁)", "[K-low],规范原文未得,由县里提供"),
}


def suspicious_oxygen(f: Findings) -> bool:
    """At most 92 with new symptoms, and nobody knows what is usual."""
    value = spo2(f)
    return value is not None and value <= SUSPICIOUS and usual(f) is None and has_sign(f, "worse_than_usual")


def complains(f: Findings) -> bool:
    return has_symptom(f, *(SYMPTOMS.keys() - {NO_SYMPTOMS}))


def danger_question(f: Findings) -> str:
    """Whoever has symptoms is asked whether they are worse than usual."""
    return QUESTION if complains(f) or low_oxygen(f) else ""


def face_to_face(f: Findings) -> int:
    """Visits in person this calendar year, this one included."""

    def counts(visit: PastVisit) -> bool:
        return visit.on.year == f.on.year and not told(visit.answers, visit.mode)

    return sum(map(counts, before(f))) + (not by_telephone(f))


def too_few_in_person(f: Findings) -> bool:
    wanted = setting(f, SETTINGS, "copd.min_face_to_face")
    return bool(wanted) and face_to_face(f) < int(wanted)


def too_young(f: Findings) -> bool:
    least = setting(f, SETTINGS, "copd.min_age")
    return least is not None and f.age is not None and f.age < int(least)


ACT = (  # all that match; the most severe wins, and of equal ones the first is said first
    *ANY_FORM,
    Rule(
        "COPD-11",
        when=lambda f: has_sign(f, "sudden_breathless", "cyanosis", "drowsy"),
        then=emergency("马上打120:扶病人坐着,低流量吸氧1~2升/分(不要开大),有人守着,随身带上正在用的药。"),
        because="呼吸困难突然加重、口唇发紫或嗜睡({signs})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-12",
        when=low_oxygen,
        then=emergency(
            "马上转诊:血氧低了。坐着休息5分钟、暖手再测一次,仍低就低流量吸氧1~2升/分(不要开大),今天送上级医院。"
        ),
        because="静息血氧低于88%,或比平时低3个点以上;不知道平时值的低于90%({spo2},{usual})",
        source=safety(21),
        certainty="[D] 75 %",
    ),
    Rule(
        "COPD-13",
        when=suspicious_oxygen,
        then=emergency("马上转诊:症状加重、血氧又偏低。低流量吸氧1~2升/分(不要开大),今天送上级医院。"),
        because="症状比平时重,血氧不超过92%,平时值不知道({spo2})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-14",
        when=lambda f: has_sign(f, "new_oedema", "new_arrhythmia", "treatment_fails"),
        then=emergency("马上转诊:病情在加重。低流量吸氧1~2升/分(不要开大),有人陪着,今天送上级医院。"),
        because="新出现腿肿、心跳忽快忽慢,或急性加重处理后不见好({signs})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-21",
        when=too_young,
        then=refer("年龄不在纳入范围:按项目外记录,转上级医院查清。", "outside_programme"),
        because="年龄低于县里定的纳入年龄(设置 copd.min_age;现{age}岁)",
        source="慢阻肺患者健康服务规范(试行) / domain.md A5、M-25",
        certainty="[K-low],由县里设置",
    ),
    Rule(
        "COPD-41",
        when=lambda f: has_sign(f, "worse_than_usual") and not suspicious_oxygen(f),
        then=soon("可能是急性加重:今天请医生看要不要加药,一两天没有好转就转上级医院;两周内再随访。"),
        because="咳嗽、痰、气短比平时重",
        source=NORM,
        certainty="[K],两周[D]",
    ),
    short_chest_pain("COPD-42"),
    Rule(
        "COPD-43",
        when=lambda f: complains(f) and not danger_question_answered(f),
        then=soon("问清和平时比有没有加重、口唇紫不紫、腿肿不肿,有一样就转上级医院。", "danger_question_open"),
        because="有症状,和平时比有没有加重还没有问",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "COPD-44",
        when=lambda f: is_yes(f.get("adverse_reaction")),
        then=soon("问清是什么不良反应,请医生看要不要换药,两周内再随访。"),
        because="有药物不良反应",
        source=NORM,
        certainty="[D]",
    ),
    *CONTACT,
    Rule(
        "COPD-51",
        when=lambda f: spo2(f) is None,
        then=Outcome(say="没有测血氧:有指夹血氧仪的请测一次,记下平时的值。"),
        because="本次没有血氧值",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "COPD-52",
        when=lambda f: f.get("inhaler_technique") == WRONG_TECHNIQUE,
        then=Outcome(say="吸入方法不对:当面教一遍,让病人做给您看。"),
        because="吸入技术错误",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-53",
        when=lambda f: f.get("adherence") in (2, 3),
        then=Outcome(say="没有规律用药:不难受也要天天用,问清为什么不用。"),
        because="间断用药或不用药",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-54",
        when=lambda f: at_least(f, "fev1_fvc", OBSTRUCTED),
        then=Outcome(say="肺功能FEV1/FVC不低于70%:请上级医院复核诊断,村里不能只凭症状确诊。"),
        because="吸入支气管舒张剂后FEV1/FVC达到70%,不符合诊断",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-55",
        when=lambda f: at_least(f, "smoking_per_day", 1),
        then=Outcome(say="还在吸烟:戒烟比吃药管用,问愿不愿意定个日子戒。"),
        because="仍在吸烟",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "COPD-56",
        when=too_few_in_person,
        then=Outcome(say="今年面对面的次数还不够,下次请当面随访。"),
        because="今年面对面少于县里定的次数(设置 copd.min_face_to_face;现{in_person}次)",
        source=NORM,
        certainty="[K-low],由县里设置",
    ),
    *HOW_OFTEN.rules,
)


def values(f: Findings) -> Mapping[str, object]:
    return {
        "signs": sign_words(f, DANGER_SIGNS),
        "age": f.age,
        "in_person": face_to_face(f),
        **oxygen_words(f),
    }


protocol = Protocol(
    code="copd",
    title="慢阻肺患者随访",
    version="2024试行+M",
    source="慢性阻塞性肺疾病患者健康服务规范(试行),原文未得,次数、年龄、分类由县里设置",
    classifications={},
    classify=(),
    act=ACT,
    schedule=HOW_OFTEN.schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
