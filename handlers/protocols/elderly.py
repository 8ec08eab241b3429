"""Yearly health check of residents from 65: self-care score, critical values of the same day, the next check. 老年人健康体检

《国家基本公共卫生服务规范(第三版)》老年人健康管理 and its 健康体检表. Laboratory values in the norm's units (g/L, 10⁹/L,
mmol/L, μmol/L, U/L). The critical values are those of domain.md A6, to be confirmed with the laboratory; each is an
emergency, so that the township hears of it the same day.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    COMMON_SETTINGS,
    COMMON_SIGNS,
    emergency,
    low_or_odd_pulse,
    pressure_rules,
    refer,
    soon,
)
from handlers.protocols.findings import (
    Answers,
    at_least,
    below,
    danger_question_answered,
    danger_signs,
    has_sign,
    has_symptom,
    number,
    pressure_now,
    pressure_reaches,
    pressure_text,
    pulse_text,
    setting,
    symptom_question,
)
from handlers.protocols.glucose import (
    DIABETIC_AFTER_FOOD,
    HIGH,
    NOT_MET,
    all_values,
    fasting,
    glucose_words,
    high_glucose,
    low_glucose,
    reaches,
)
from handlers.protocols.laboratory import (
    LABORATORY,
    LABORATORY_SETTINGS,
    baseline_creatinine,
    critical,
    critical_laboratory,
)

NORM = "规范(第三版)·老年人健康管理 / domain.md A6"
ABNORMAL, POSITIVE, YES = 2, 2, 2

CLASSES = {1: "体检无异常", 2: "有异常"}

SETTINGS = {
    "elderly.min_age": Setting(65, "纳入老年人健康管理的最小年龄(周岁),有的地方户籍60岁起", "[S:9]"),
    "elderly.age_by_year": Setting(False, "年龄按年度算(当年满65岁即算),否则按体检当天的周岁", "AMBIG"),
    **LABORATORY_SETTINGS,
    **COMMON_SETTINGS,
}

# Points of 生活自理能力评估 by the answer's code: 1可自理 2轻度依赖 3中度依赖 4不能自理.
SELF_CARE: Mapping[str, Mapping[int, int]] = {
    "self_care_meals": {1: 0, 3: 3, 4: 5},
    "self_care_washing": {1: 0, 2: 1, 3: 3, 4: 7},
    "self_care_dressing": {1: 0, 3: 3, 4: 5},
    "self_care_toilet": {1: 0, 2: 1, 3: 5, 4: 10},
    "self_care_moving": {1: 0, 2: 1, 3: 5, 4: 10},
}
BANDS = ((3, 1), (8, 2), (18, 3))
"""Score up to which a band reaches, and its code; above the last one it is 4 不能自理."""
BAND_WORDS = {1: "可自理", 2: "轻度依赖", 3: "中度依赖", 4: "不能自理"}

DANGER_SIGNS = {
    "severe_headache": "剧烈头痛或头晕",
    "sudden_vision": "突然看不清",
    "cannot_lie_flat": "喘得不能平卧",
    **COMMON_SIGNS,
    "cold_sweat": "出冷汗",
    "black_stool": "黑便或呕血",
    "cannot_handle": "其他村里处理不了的急症",
    "none": "以上都没有",
}
HEADACHE, DIZZINESS, PALPITATION, TIGHTNESS, CHEST_PAIN, BREATHLESS = 2, 3, 4, 5, 6, 9
BLURRED, NUMBNESS, NAUSEA, DIM = 15, 16, 21, 22
DANGER_QUESTIONS = {
    CHEST_PAIN: "胸痛多久了?有没有下面的情况?",
    TIGHTNESS: "胸闷多久了?有没有下面的情况?",
    BREATHLESS: "喘得能不能平躺?有没有下面的情况?",
    HEADACHE: "头痛是不是很剧烈?有没有下面的情况?",
    DIZZINESS: "头晕厉不厉害?有没有下面的情况?",
    PALPITATION: "心悸时有没有下面的情况?",
    BLURRED: "是不是突然看不清?有没有下面的情况?",
    NUMBNESS: "麻木是不是只在一侧,说话清不清楚?有没有下面的情况?",
    NAUSEA: "呕吐物和大便什么颜色?有没有下面的情况?",
    DIM: "是不是突然看不清?有没有下面的情况?",
}
UNASKED = "现在有没有下面的情况?"


def self_care_score(answers: Answers) -> int | None:
    """The sum of the five items; None while one of them is not answered."""
    points = [SELF_CARE[item].get(answers.get(item)) for item in SELF_CARE]  # type: ignore[arg-type]
    return None if None in points else sum(point or 0 for point in points)


def self_care_band(score: int) -> int:
    """1可自理(0~3) 2轻度依赖(4~8) 3中度依赖(9~18) 4不能自理(19起)."""
    return next((code for most, code in BANDS if score <= most), 4)


def age_that_counts(f: Findings) -> int | None:
    """Completed years on the day, or the age reached in the year where the county counts so."""
    if setting(f, SETTINGS, "elderly.age_by_year") and f.born_on is not None:
        return f.on.year - f.born_on.year
    return f.age


def is_elderly(f: Findings) -> bool:
    """Old enough for the programme; whose birthday nobody knows, as the doctor said."""
    age = age_that_counts(f)
    if age is None:
        return bool(f.get("age_stated") == YES)
    return bool(age >= setting(f, SETTINGS, "elderly.min_age"))


def fasting_too_high(f: Findings) -> bool:
    value = fasting(f)
    return value is not None and value >= NOT_MET


def glucose_abnormal(f: Findings) -> bool:
    return fasting_too_high(f) or low_glucose(f) or any(reaches(value, DIABETIC_AFTER_FOOD) for value in all_values(f))


def arms_apart(f: Findings) -> bool:
    one, other = f.once(pressure_now)[0], number(f.get("other_systolic"))
    return one is not None and other is not None and abs(one - other) > 20


def band(f: Findings) -> int | None:
    """None while the score is not known."""
    score = self_care_score(f.answers)
    return self_care_band(score) if score is not None else None


def anaemic(f: Findings) -> bool:
    """Below 120 g/L in a man, 110 in a woman [K]."""
    return below(f, "haemoglobin", 120 if f.sex == "male" else 110)


ABNORMALITIES: Mapping[str, Callable[[Findings], bool]] = {
    "危急征象": lambda f: bool(danger_signs(f)),
    "血压": lambda f: pressure_reaches(f, 140, 90),
    "血压过低或脉搏异常": lambda f: low_or_odd_pulse(f, (DIZZINESS,)),
    "两臂血压": arms_apart,
    "血糖": glucose_abnormal,
    "体质指数": lambda f: at_least(f, "bmi", 28) or below(f, "bmi", 18.5),
    "血红蛋白": anaemic,
    "自理能力": lambda f: band(f) in (2, 3, 4),
    "认知": lambda f: f.get("cognition") == POSITIVE,
    "情感": lambda f: f.get("mood") == POSITIVE or f.get("self_harm_thought") == YES,
    "心电图": lambda f: f.get("ecg") == ABNORMAL,
    "B超": lambda f: f.get("ultrasound") == ABNORMAL,
    "胸片": lambda f: f.get("chest_x_ray") == ABNORMAL,
    "化验危急值": critical_laboratory,
}
"""What makes a check abnormal, in the order in which it is told; what the doctor says of the whole comes first."""


def abnormalities(f: Findings) -> list[str]:
    return [name for name, is_so in ABNORMALITIES.items() if is_so(f)]


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it."""
    asked = symptom_question(f, DANGER_QUESTIONS)
    alarming = pressure_reaches(f, 180, 110) or high_glucose(f) or low_glucose(f)
    return asked or (UNASKED if alarming else "")


def unanswered(f: Findings) -> bool:
    return has_symptom(f, *DANGER_QUESTIONS) and not danger_question_answered(f)


ACT = (
    *ANY_FORM,
    Rule(
        "ELD-01",
        when=lambda f: (
            has_sign(f, "severe_headache", "sudden_vision", "cannot_lie_flat", "chest_pain", "cold_sweat")
            or has_sign(f, "black_stool", "cannot_handle")
        ),
        then=emergency("马上紧急转诊:有危急征象,先处理,有人陪着送上级医院,同时告诉乡镇卫生院。"),
        because="问到危急征象",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-02",
        when=lambda f: f.get("self_harm_thought") == YES,
        then=emergency("不要让老人独处:收好农药、绳索和药品,马上告诉家属和乡镇卫生院,今天请精神科医生看。"),
        because="情感粗筛阳性,又有不想活的念头",
        source="规范(第三版)·老年人健康管理 / domain.md A6、M-12",
        certainty="[D] 85 %",
    ),
    *pressure_rules(dizziness=(DIZZINESS,), headache=(HEADACHE,), blurred=(BLURRED, DIM)),
    critical(
        "ELD-10",
        "血糖达到16.7 mmol/L({glucose})",
        high_glucose,
        "马上紧急转诊:血糖很高,多喝白开水,有人陪着今天就送上级医院;呕吐、腹痛、犯迷糊打120。",
    ),
    critical(
        "ELD-11",
        "血糖3.9 mmol/L及以下({glucose})",
        low_glucose,
        "低血糖:清醒的马上吃15~20克糖,15分钟后复测;叫不醒不要喂东西,打120。",
    ),
    *LABORATORY,
    Rule(
        "ELD-21",
        when=arms_apart,
        then=refer("建议转上级医院查血管:两臂收缩压相差超过20。以后都量高的那一侧。"),
        because="两臂收缩压相差超过20 mmHg({pressure},另一侧{other_systolic})",
        source="国家基层高血压防治管理指南2025版 / domain.md A1",
        certainty="[S:19][S:20]",
    ),
    Rule(
        "ELD-31",
        when=unanswered,
        then=soon(
            "把症状问清楚:胸痛多久、能不能平躺、是不是一侧麻木,有危急征象马上转诊。",
            "danger_question_open",
        ),
        because="有胸痛胸闷、气促、头痛头晕、看不清或麻木,危急征象还没有问清",
        source="安全修正第17条 / domain.md M-17",
        certainty="[D] 80 %",
    ),
    Rule(
        "ELD-32",
        when=lambda f: pressure_reaches(f, 140, 90) and not pressure_reaches(f, 180, 110),
        then=soon("没有确诊高血压的,两周内换一天再量;非同日三次都高转上级确诊。已确诊的按高血压随访办。"),
        because="血压达到140/90({pressure})",
        source="规范(第三版)·高血压(筛查) / domain.md A1、A6",
        certainty="[S:1]",
    ),
    Rule(
        "ELD-33",
        when=lambda f: fasting_too_high(f) and not reaches(fasting(f), HIGH),
        then=soon("没有确诊糖尿病的,两周内空腹复查一次,还高转上级确诊。已确诊的按糖尿病随访办。"),
        because="空腹血糖达到7.0 mmol/L({fasting_glucose})",
        source="规范(第三版)·2型糖尿病 / domain.md A2、A6",
        certainty="[S:2][K]",
    ),
    Rule(
        "ELD-41",
        when=lambda f: band(f) == 4,
        then=Outcome(say="不能自理:和家属说好照护,查压疮、防坠床噎食,登记上门服务。"),
        because="自理能力评估19分起,不能自理({self_care_score}分)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-42",
        when=lambda f: band(f) == 3,
        then=Outcome(say="中度依赖:教家属帮着做,防跌倒,可以评残或申请护理补贴的告诉家属。"),
        because="自理能力评估9~18分,中度依赖({self_care_score}分)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-43",
        when=lambda f: band(f) == 2,
        then=Outcome(say="轻度依赖:鼓励自己做,家里装扶手、去掉绊脚的东西。"),
        because="自理能力评估4~8分,轻度依赖({self_care_score}分)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-44",
        when=lambda f: f.get("cognition") == POSITIVE,
        then=Outcome(say="认知粗筛阳性:请上级做简易智力状态检查,防走失,随身带联系卡。"),
        because="认知功能粗筛阳性",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-45",
        when=lambda f: f.get("mood") == POSITIVE and f.get("self_harm_thought") != YES,
        then=Outcome(say="情感粗筛阳性:请上级做老年抑郁量表,家属多陪伴;有不想活的话马上告诉卫生院。"),
        because="情感状态粗筛阳性",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-51",
        when=lambda f: not is_elderly(f),
        then=Outcome(flags=("outside_programme",), say="不满65岁:记为体检,不计入老年人健康管理。"),
        because="不满65岁(或县里定的年龄)",
        source=NORM,
        certainty="[S:9]",
    ),
    Rule(
        "ELD-52",
        when=lambda f: None in f.once(pressure_now),
        then=Outcome(flags=("no_reading",), say="体检表缺血压,补测后用“更正”补上才算完整。"),
        because="没有完整的血压值,体检表不完整",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ELD-53",
        when=lambda f: True,
        then=Outcome(say="把结果告诉本人和家属,讲防跌倒、疫苗、骨质疏松和意外自救;每个自然年查一次。"),
        because="体检后告知结果并做健康指导,每年一次",
        source=NORM,
        certainty="[S:9]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """下一年的同一天前,从1月1日起就可以查(每个自然年1次)。转诊和两周内复测另有提醒,不占下一年的体检。不满65岁的没有下次。"""
    return a_year_later(f.on) if is_elderly(f) else None


def a_year_later(day: date) -> date:
    """The same day of the next year; 29 February becomes the 28th (domain.md M-26)."""
    return date(day.year + 1, 2, 28) if (day.month, day.day) == (2, 29) else day.replace(year=day.year + 1)


def values(f: Findings) -> Mapping[str, object]:
    """Words for the rules' sentences."""
    return {
        "pressure": pressure_text(f.answers),
        "pulse": pulse_text(f),
        "glucose": glucose_words(f),
        "abnormal": "、".join(abnormalities(f)),
        "self_care_score": self_care_score(f.answers),
        "creatinine_before": baseline_creatinine(f) or "无",
    }


protocol = Protocol(
    code="elderly",
    title="老年人健康体检",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·老年人健康管理",
    classifications=CLASSES,
    classify=(
        Rule("ELD-C1", lambda f: f.get("health_assessment") == 2, Outcome(2), "医生评价有异常", NORM, "[K]"),
        Rule("ELD-C2", lambda f: bool(abnormalities(f)), Outcome(2), "测到或查到异常({abnormal})", NORM, "[K][D]"),
        Rule("ELD-C3", lambda f: None in f.once(pressure_now), Outcome(), "没有完整的血压值,不作健康评价", NORM, "[D]"),
        Rule("ELD-C4", lambda f: True, Outcome(1), "各项没有发现异常", NORM, "[K]"),
    ),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
