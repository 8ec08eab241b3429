"""Hypertension follow-up: classification, alarms, referral and the next date. 高血压患者随访

《国家基本公共卫生服务规范(第三版)》高血压患者健康管理, with the safety corrections of domain.md M. Pressures in mmHg,
pulse in beats a minute, ages in completed years on the day of the visit. Equality counts against the patient:
140, 90 and 150 are not controlled, 180 and 110 are an emergency.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    COMMON_SETTINGS,
    COMMON_SIGNS,
    CONTACT,
    emergency,
    low_or_odd_pulse,
    pressure_rules,
    refer,
    safety,
    soon,
)
from handlers.protocols.control import CLASSES, Control, complication, reaction
from handlers.protocols.findings import (
    Answers,
    before,
    danger_question_answered,
    danger_signs,
    has_sign,
    has_symptom,
    is_yes,
    pregnant_or_postpartum,
    pressure,
    pressure_now,
    pressure_reaches,
    pressure_text,
    pulse_text,
    sign_words,
    symptom_question,
    told_now,
)

NORM = "规范(第三版)·高血压 / domain.md A1"
AMBULANCE = "规范(第三版)·高血压(先打120的情形) / domain.md A1"

SYMPTOMS = {
    1: "无症状",
    2: "头痛头晕",
    3: "恶心呕吐",
    4: "眼花耳鸣",
    5: "呼吸困难",
    6: "心悸胸闷",
    7: "鼻衄出血不止",
    8: "四肢发麻",
    9: "下肢水肿",
    10: "其他",
}
HEADACHE_DIZZINESS, VOMITING, BLURRED, BREATHLESS, PALPITATION, SWOLLEN_LEGS = 2, 3, 4, 5, 6, 9

# The closed list of the question behind DANGER_QUESTIONS (domain.md M-3); "none" excludes the others.
DANGER_SIGNS = {
    "severe_headache": "剧烈头痛或头晕",
    "sudden_vision": "突然看不清",
    "eye_pain": "眼痛",
    "cannot_lie_flat": "喘得不能平卧",
    "bleeding_not_stopping": "出血止不住",
    **COMMON_SIGNS,
    "cold_sweat": "出冷汗",
    "back_pain": "胸背部持续剧烈疼痛",
    "upper_abdominal_pain": "上腹痛(孕产妇)",
    "cannot_handle": "其他村里处理不了的急症",
    "none": "以上都没有",
}

DANGER_QUESTIONS = {
    2: "头痛头晕是不是很剧烈?有没有下面的情况?",
    4: "眼花是不是突然看不清?有没有下面的情况?",
    5: "喘得能不能平躺?有没有下面的情况?",
    7: "出血止住了没有?有没有下面的情况?",
    8: "发麻是不是只在一侧,说话清不清楚?有没有下面的情况?",
    10: "除了刚才说的,有没有下面的情况?",
}
UNASKED = "现在有没有下面的情况?"

SETTINGS = {
    "htn.min_age": Setting(35, "纳入管理的最小年龄(周岁)", "[S:1]"),
    "htn.two_week_revisit_counts": Setting(False, "两周复访是否算作每年4次面对面随访之一", "AMBIG"),
    "htn.like_with_like": Setting(False, "连续两次是否只比同一种(未达标对未达标、不良反应对不良反应)", "AMBIG"),
    "htn.low_values_not_satisfied": Setting(True, "血压过低或脉搏异常时不判控制满意,判控制不满意", "[D] 90 %, M-2"),
    "htn.told_values_classify": Setting(False, "本人告知的血压是否参与分类", "[D] 75 %, M-16"),
    **COMMON_SETTINGS,
}


def limit(age: int | None) -> int:
    """Systolic below this is controlled: 150 from the 65th birthday, else 140, also when the age is unknown."""
    return 150 if age is not None and age >= 65 else 140


def unmet(answers: Answers, age: int | None) -> bool | None:
    """The target was missed; None when the pressure does not tell. Either side alone can miss it, both must meet it."""
    systolic, diastolic = pressure(answers)
    if (systolic is not None and systolic >= limit(age)) or (diastolic is not None and diastolic >= 90):
        return True
    return None if systolic is None or diastolic is None else False


CONTROL = Control(
    value="血压",
    county="htn",
    source=NORM,
    settings=SETTINGS,
    unmet=unmet,
    lacks_value=lambda answers: None in pressure(answers),
)


def low(f: Findings) -> bool:
    return low_or_odd_pulse(f, dizziness=(HEADACHE_DIZZINESS,))


def counts_as_told(f: Findings) -> bool:
    return told_now(f) and f.once(pressure_now) != (None, None) and not CONTROL.allows(f, "told_values_classify")


def overweight_and_not_weighed(f: Findings) -> bool:
    """No weight today, and the last one known was overweight: 24 kg/m² or more."""
    if f.get("weight") is not None:
        return False
    last = next((v.answers for v in before(f) if v.answers.get("bmi") is not None), None)
    return last is not None and last["bmi"] >= 24


def unanswered(f: Findings) -> bool:
    return has_symptom(f, 2, 4, 5, 7, 8) and not danger_question_answered(f)


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it (domain.md M-2, M-3, M-9)."""
    asked = symptom_question(f, DANGER_QUESTIONS)
    alarming = pressure_reaches(f, 180, 110) or low(f) or (pregnant_or_postpartum(f) and pressure_reaches(f, 140, 90))
    return asked or (UNASKED if alarming else "")


CLASSIFY = (  # the first match decides; 4 > 3 > 2 > 1
    Rule(
        "HTN-01",
        when=complication,
        then=Outcome(classification=4),
        because="有新发或加重的并发症",
        source=NORM,
        certainty="[S:11][K]",
    ),
    Rule(
        "HTN-02",
        when=reaction,
        then=Outcome(classification=3),
        because="有药物不良反应",
        source=NORM,
        certainty="[S:11][K]",
    ),
    Rule(
        "HTN-03",
        when=counts_as_told,
        then=Outcome(classification=None),
        because="血压由本人告知({pressure}),公卫口径不分类",
        source=safety(16),
        certainty="[D] 75 %",
    ),
    Rule(
        "HTN-04",
        when=CONTROL.missed,
        then=Outcome(classification=2),
        because="收缩压达到140(65岁及以上150)或舒张压达到90({pressure},公卫口径)",
        source=NORM,
        certainty="[K][S:42]",
    ),
    Rule(
        "HTN-05",
        when=CONTROL.without_value,
        then=Outcome(classification=None),
        because="没有完整的血压值,不能分类",
        source=safety(4),
        certainty="[D] 95 %",
    ),
    Rule(
        "HTN-06",
        when=lambda f: low(f) and CONTROL.allows(f, "low_values_not_satisfied"),
        then=Outcome(classification=2),
        because="血压过低或脉搏异常({pressure},脉搏{pulse}),不判控制满意",
        source=safety(2),
        certainty="[D] 90 %",
    ),
    Rule(
        "HTN-07",
        when=CONTROL.met,
        then=Outcome(classification=1),
        because="收缩压低于140(65岁及以上150)且舒张压低于90({pressure},公卫口径)",
        source=NORM,
        certainty="[K][S:42]",
    ),
)

ACT = (  # all that match; the most severe wins, and of equal ones the first is said first: 120 before anything
    *ANY_FORM,
    Rule(
        "HTN-11",
        when=lambda f: pressure_reaches(f, 180, 110) and (has_sign(f, "severe_headache") or has_symptom(f, VOMITING)),
        then=emergency("马上打120:血压很高又剧烈头痛或呕吐,可能是脑出血。让病人平卧、头偏一侧,不要等。"),
        because="血压达到180/110({pressure}),又有剧烈头痛或呕吐",
        source=AMBULANCE,
        certainty="[K]",
    ),
    Rule(
        "HTN-12",
        when=lambda f: (
            pressure_reaches(f, 140, 90)
            and (has_sign(f, "cannot_lie_flat") or (has_symptom(f, BREATHLESS) and has_symptom(f, SWOLLEN_LEGS)))
        ),
        then=emergency("马上打120:可能是心力衰竭。扶病人坐起、两腿下垂,不要让他走动。"),
        because="血压达到140/90({pressure}),又不能平卧,或呼吸困难加下肢水肿",
        source=AMBULANCE,
        certainty="[K]",
    ),
    Rule(
        "HTN-13",
        when=lambda f: has_sign(f, "back_pain"),
        then=emergency("马上打120:可能是主动脉夹层。让病人躺着不动,不要自己走动。"),
        because="胸背部持续剧烈疼痛",
        source=AMBULANCE,
        certainty="[K]",
    ),
    *pressure_rules(dizziness=(HEADACHE_DIZZINESS,), headache=(HEADACHE_DIZZINESS,), blurred=(BLURRED,)),
    Rule(
        "HTN-14",
        when=lambda f: has_symptom(f, VOMITING, PALPITATION),
        then=emergency("马上紧急转诊:先处理,有人陪着送上级医院,同时告诉乡镇卫生院;胸闷满10分钟打120。"),
        because="恶心呕吐或心悸胸闷,属于规范的危急情况",
        source="规范(第三版)·高血压 / domain.md A1、M-3",
        certainty="[S:1]",
    ),
    Rule(
        "HTN-15",
        when=lambda f: bool(danger_signs(f)),
        then=emergency("马上紧急转诊:有危急征象({signs}),先处理,有人陪着送上级医院,同时告诉乡镇卫生院。"),
        because="问到危急征象({signs})",
        source="规范(第三版)·高血压 / domain.md A1、M-3",
        certainty="[S:1],85 %",
    ),
    Rule(
        "HTN-16",
        when=lambda f: has_symptom(f, BREATHLESS) and pressure_reaches(f, 140, 90),
        then=emergency("马上紧急转诊:扶病人坐着,送上级医院;不能平卧或腿肿就打120。"),
        because="呼吸困难,血压达到140/90({pressure})",
        source=safety(3),
        certainty="[D] 85 %",
    ),
    CONTROL.complication_refers("HTN-31", "[K]"),
    CONTROL.second_time("HTN-32", "[K],95 %"),
    CONTROL.too_young("HTN-33", "查清原因", "[S:1],70 %"),
    Rule(
        "HTN-34",
        when=lambda f: is_yes(f.get("secondary_hypertension")),
        then=refer("继发性高血压不纳入管理:按项目外记录,转上级医院治疗原发病。", "outside_programme"),
        because="继发性高血压",
        source="规范(第三版)·高血压 / domain.md A1、M-25",
        certainty="[S:1],70 %",
    ),
    CONTROL.first_time("HTN-41", "先问清是否按时服药,需要时请医生调药,两周内再随访。", "[K]"),
    CONTROL.first_reaction("HTN-42", "[K]"),
    Rule(
        "HTN-43",
        when=unanswered,
        then=soon(
            "把症状问清楚:剧烈头痛、突然看不清、不能平卧、出血止不住或一侧发麻,有一样就紧急转诊。",
            "danger_question_open",
        ),
        because="有头痛头晕、眼花、呼吸困难、出血或发麻,危急征象还没有问清",
        source=safety(3),
        certainty="[D] 85 %",
    ),
    Rule(
        "HTN-44",
        when=lambda f: has_symptom(f, BREATHLESS) and CONTROL.without_value(f),
        then=soon("今天就当面量一次血压:达到140/90或不能平卧马上转诊。"),
        because="呼吸困难,又没有测血压",
        source=safety(3),
        certainty="[D] 85 %",
    ),
    Rule(
        "HTN-45",
        when=lambda f: has_symptom(f, BREATHLESS) and has_symptom(f, SWOLLEN_LEGS),
        then=soon("呼吸困难又腿肿:两周内请上级医生看心脏,一旦不能平卧马上打120。"),
        because="呼吸困难加下肢水肿,血压不高也不放过",
        source=AMBULANCE,
        certainty="[D],待县里医生确认",
    ),
    *CONTACT,
    CONTROL.nothing_measured("HTN-51", "没有完整的血压值", "本次没有血压值,请按下次日期当面测量。"),
    CONTROL.drug_without_value("HTN-52"),
    Rule(
        "HTN-53",
        when=lambda f: CONTROL.met(f) and not (reaction(f) or complication(f) or low(f)),
        then=Outcome(say="继续目前治疗和生活方式,按下次日期随访。"),
        because="血压达标且不过低,没有不良反应和并发症,没有更急的安排时按季度随访",
        source="规范(第三版)·高血压 / domain.md A1、M-14",
        certainty="[K],90 %",
    ),
    Rule(
        "HTN-54",
        when=lambda f: CONTROL.met(f) and f.age is not None and f.age < 80 and pressure_reaches(f, 130, 80),
        then=Outcome(),
        because="公卫口径达标;《国家基层高血压防治管理指南2025版》80岁以下临床目标低于130/80,用药目标由医生定",
        source="国家基层高血压防治管理指南2025版 / domain.md A1",
        certainty="[S:20],AMBIG",
    ),
    Rule(
        "HTN-55",
        when=overweight_and_not_weighed,
        then=Outcome(say="上次体重超标:超重或肥胖的每次随访都要称体重。"),
        because="上次体质指数达到24,这次没有称体重",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """当面测了血压:规则要求两周内的14天;其余最迟92天,且不晚于下一季度最后一天,两周复访不顶替季度随访。

    电话或没有血压值:原定日期不动;规则要求更早的提前;原定日期已到或没有原定日期的,14天内补一次。
    """
    return CONTROL.next_day(f, within)


def values(f: Findings) -> Mapping[str, object]:
    return {
        "pressure": pressure_text(f.answers),
        "pulse": pulse_text(f),
        "signs": sign_words(f, DANGER_SIGNS),
        "age": f.age,
        **CONTROL.earlier_words(f),
    }


protocol = Protocol(
    code="hypertension",
    title="高血压患者随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·高血压患者健康管理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
