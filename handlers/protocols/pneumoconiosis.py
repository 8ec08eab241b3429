"""Pneumoconiosis: oxygen, sudden worsening, and the help that a patient is due. 尘肺病患者随访

No national follow-up form was opened (domain.md A11): how often is a setting without default. Fields and urgent signs
are clinical ([K]).
"""

from __future__ import annotations

from collections.abc import Mapping

from handlers.decisions import Findings, Outcome, Protocol, Rule
from handlers.protocols.common import ANY_FORM, COMMON_SIGNS, CONTACT, emergency, refer, short_chest_pain, soon
from handlers.protocols.county_interval import CountyInterval
from handlers.protocols.findings import (
    at_least,
    before,
    by_telephone,
    codes,
    danger_question_answered,
    has_sign,
    has_symptom,
    is_yes,
    sign_words,
    symptom_question,
)
from handlers.protocols.lungs import (
    LOW_IF_USUAL_UNKNOWN,
    low_oxygen,
    oxygen_words,
    spo2,
)

NORM = "尘肺病患者随访(新划入项目) / domain.md A11"

NO_SYMPTOMS = 1
SYMPTOMS = {
    1: "无症状",
    2: "咳嗽",
    3: "咳痰",
    4: "胸痛",
    5: "气短、呼吸困难",
    6: "咯血",
    7: "发热",
    8: "下肢水肿",
    9: "其他",
}
CHEST_PAIN, BREATHLESS, BLOOD = 4, 5, 6
COMPLICATIONS = {0: "无", 1: "肺结核", 2: "气胸", 3: "肺心病", 4: "呼吸衰竭", 5: "肺部感染", 6: "其他"}
TUBERCULOSIS, PNEUMOTHORAX, HEART, RESPIRATORY_FAILURE, INFECTION, OTHER = range(1, 7)
WEEK = 7  # days; 可疑肺结核转诊后1周内电话随访
DANGER_SIGNS = {
    "sudden_chest_pain": "突然胸痛、气促加重",
    "much_blood": "大口咯血",
    "cyanosis": "口唇发紫",
    "drowsy": "嗜睡、反应迟钝",
    "infection": "发热、痰变多变黄",
    **COMMON_SIGNS,
    "none": "以上都没有",
}
PHLEGM, FEVER = 3, 7
QUESTIONS = {
    CHEST_PAIN: "胸痛是不是突然开始的?有没有下面的情况?",
    BREATHLESS: "气短是不是突然加重?有没有下面的情况?",
    BLOOD: "咯了多少血?有没有下面的情况?",
    PHLEGM: "痰和平时比怎么样?有没有下面的情况?",
    FEVER: "烧到多少度,痰怎么样?有没有下面的情况?",
}
AT_REST = 4  # mMRC: breathless when dressing or speaking
NO_HELP = 2  # 1有 2无
HELP = {
    "injury_insurance": "工伤保险",
    "medical_aid": "医疗救助",
    "subsistence": "最低生活保障",
    "compensation": "赔偿",
}
HOW_OFTEN = CountyInterval("pneumoconiosis.visits_per_year", "PNE", "尘肺病", NORM, unknown="没有全国的随访表")
SETTINGS = HOW_OFTEN.setting


def low(f: Findings) -> bool:
    """Below 90 whatever is usual here (A11), or as for COPD against the usual value (M-21)."""
    value = spo2(f)
    return low_oxygen(f) or (value is not None and value < LOW_IF_USUAL_UNKNOWN)


def unanswered(f: Findings) -> bool:
    return has_symptom(f, *QUESTIONS) and not danger_question_answered(f)


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it."""
    return symptom_question(f, QUESTIONS)


def newly(f: Findings, *kinds: int) -> bool:
    """A complication of these kinds that the last visit which asked did not have."""
    asked = next((v for v in before(f) if v.answers.get("complication_kinds") is not None), None)
    known = codes(asked.answers["complication_kinds"]) if asked else frozenset()
    return not (codes(f.get("complication_kinds")) - known).isdisjoint(kinds)


def without_help(f: Findings) -> list[str]:
    return [title for field, title in HELP.items() if f.get(field) == NO_HELP]


ACT = (  # all that match; the most severe wins, and of equal ones the first is said first
    *ANY_FORM,
    Rule(
        "PNE-11",
        when=lambda f: has_sign(f, "sudden_chest_pain"),
        then=emergency("马上打120:可能是气胸。让病人坐着不动、少说话,有氧气先吸上,不要自己走。"),
        because="突然胸痛、气促加重",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-12",
        when=lambda f: has_sign(f, "much_blood", "cyanosis", "drowsy"),
        then=emergency("马上打120:有人守着,大口咯血的侧卧、头偏低,把血咳出来。"),
        because="大口咯血、口唇发紫或嗜睡({signs})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-13",
        when=low,
        then=emergency("马上转诊:血氧低了。坐着休息5分钟、暖手再测一次,仍低就吸氧,今天送上级医院。"),
        because="血氧低于90%,或比平时低3个点以上({spo2},{usual})",
        source="尘肺病患者随访(新划入项目) / domain.md A11、M-21",
        certainty="[K],75 %",
    ),
    Rule(
        "PNE-14",
        when=lambda f: has_symptom(f, BLOOD),
        then=emergency("马上转诊:有咯血。让病人静卧、别用力咳,今天送上级医院;大口咯血打120。"),
        because="咯血",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-15",
        when=lambda f: newly(f, PNEUMOTHORAX, RESPIRATORY_FAILURE),
        then=emergency("马上转诊:气胸或呼吸衰竭要住院,有人陪着,今天送上级医院。"),
        because="新并发气胸或呼吸衰竭",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-21",
        when=lambda f: newly(f, TUBERCULOSIS),
        then=refer("转结核病定点医疗机构:两种病要一起治,一周内打电话问去了没有。", within=WEEK),
        because="新并发肺结核或可疑",
        source="尘肺病患者随访、规范(第三版)·肺结核 / domain.md A11、A4",
        certainty="[K]",
    ),
    Rule(
        "PNE-22",
        when=lambda f: newly(f, HEART, INFECTION, OTHER),
        then=refer("建议转上级医院:有并发症,两周内主动问结果。"),
        because="新并发肺心病、肺部感染或其他",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-23",
        when=lambda f: f.get("mmrc") == AT_REST,
        then=refer("一两天内转上级医院:穿衣、说话都喘,不要等到下次随访。"),
        because="呼吸困难4级",
        source=NORM,
        certainty="[D],待县里医生确认",
    ),
    Rule(
        "PNE-24",
        when=lambda f: has_sign(f, "infection"),
        then=refer("一两天内转上级医院:可能是肺部感染,查胸片、查痰,排除肺结核。"),
        because="发热、痰变多变黄",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-41",
        when=unanswered,
        then=soon("问清胸痛、气短是不是突然加重,咯血多少,痰黄不黄,有一样就转诊。", "danger_question_open"),
        because="有胸痛、气短、咯血、咳痰或发热,危急征象还没有问清",
        source=NORM,
        certainty="[D]",
    ),
    short_chest_pain("PNE-42"),
    *CONTACT,
    Rule(
        "PNE-51",
        when=lambda f: spo2(f) is None and not by_telephone(f),
        then=Outcome(say="没有测血氧:有指夹血氧仪的请测一次。"),
        because="当面随访没有血氧值",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "PNE-52",
        when=lambda f: bool(without_help(f)),
        then=Outcome(say="没有享受的({help}):告诉病人和家属去哪里申请,报乡镇卫生院。"),
        because="工伤保险、医疗救助、最低生活保障、赔偿中有没享受的({help})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-53",
        when=lambda f: is_yes(f.get("rehabilitation_station")),
        then=Outcome(say="提醒病人去康复站做呼吸训练,看做得怎么样。"),
        because="没有去康复站",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "PNE-54",
        when=lambda f: at_least(f, "smoking_per_day", 1),
        then=Outcome(say="还在吸烟:劝戒烟,不要再接触粉尘。"),
        because="仍在吸烟",
        source=NORM,
        certainty="[K]",
    ),
    *HOW_OFTEN.rules,
)


def values(f: Findings) -> Mapping[str, object]:
    return {
        "signs": sign_words(f, DANGER_SIGNS),
        "help": "、".join(without_help(f)),
        **oxygen_words(f),
    }


protocol = Protocol(
    code="pneumoconiosis",
    title="尘肺病患者随访",
    version="2019+M",
    source="新划入基本公共卫生服务(尘肺病),没有全国的随访表,字段按职业病随访调查",
    classifications={},
    classify=(),
    act=ACT,
    schedule=HOW_OFTEN.schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
