"""Type 2 diabetes follow-up: classification, alarms, referral and the next date. 2型糖尿病患者随访

《国家基本公共卫生服务规范(第三版)》2型糖尿病患者健康管理, with the safety corrections of domain.md M. Glucose in mmol/L,
where "HI" and "LO" of the meter are values; only a fasting value (8 hours) classifies, every value can raise an
alarm. Equality counts against the patient: 7.0 is not controlled, 16.7 and 3.9 are an emergency.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date

from handlers.decisions import Findings, Outcome, PastVisit, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    COMMON_SETTINGS,
    COMMON_SIGNS,
    CONTACT,
    TWO_WEEKS,
    earlier_words,
    emergency,
    low_or_odd_pulse,
    next_visit,
    pressure_rules,
    refer,
    safety,
    second_in_a_row,
    soon,
)
from handlers.protocols.findings import (
    COMPLICATION,
    REACTION,
    Answers,
    before,
    danger_question_answered,
    danger_signs,
    has_sign,
    has_symptom,
    injects_insulin,
    medication_names,
    number,
    pregnant_or_postpartum,
    pressure_reaches,
    pressure_text,
    pulse,
    setting,
    takes_a_drug,
    to_one_decimal,
    told,
    told_now,
)

NORM = "规范(第三版)·2型糖尿病 / domain.md A2"

CLASSES = {1: "控制满意", 2: "控制不满意", 3: "不良反应", 4: "并发症"}

SYMPTOMS = {
    1: "无症状",
    2: "多饮",
    3: "多食",
    4: "多尿",
    5: "视力模糊",
    6: "感染",
    7: "手脚麻木",
    8: "下肢浮肿",
    9: "体重明显下降",
    10: "其他",
}
THIRST, POLYURIA, BLURRED = 2, 4, 5

# The closed list of the question behind DANGER_QUESTIONS (domain.md A2, M-3); "none" excludes the others.
DANGER_SIGNS = {
    "sudden_vision": "视力突然下降",
    "acetone_breath": "呼气有烂苹果味",
    "vomiting": "恶心、呕吐",
    "abdominal_pain": "腹痛",
    "deep_breathing": "呼吸又深又快",
    "sweating_palpitation": "心慌、出汗",
    "flushed_skin": "皮肤潮红",
    "severe_headache": "剧烈头痛",
    **COMMON_SIGNS,
    "poor_appetite": "不想吃东西",
    "cannot_handle": "其他村里处理不了的急症",
    "none": "以上都没有",
}
MILD_SIGNS = {"poor_appetite"}  # like thirst: in the norm's list, an emergency only in company (domain.md A2, note)
KETOSIS = ("acetone_breath", "vomiting", "abdominal_pain", "deep_breathing", "altered_consciousness")

DANGER_QUESTIONS = {
    2: "口渴得厉害时,有没有下面的情况?",
    4: "尿多的同时,有没有下面的情况?",
    5: "视力是不是突然下降的?有没有下面的情况?",
    10: "除了刚才说的,有没有下面的情况?",
}
UNASKED = "现在有没有下面的情况?"

DIABETES_TYPES = {1: "1型糖尿病", 2: "2型糖尿病", 3: "妊娠期糖尿病", 4: "其他类型"}
NOT_IN_PROGRAMME = (1, 3)

# Names as villages write them; 格列 alone would also catch 格列净, 格列汀 and 格列酮, which are neither.
ACARBOSE = ("阿卡波糖", "拜唐苹", "拜糖苹", "拜糖平", "卡博平", "伏格列波糖", "米格列醇")
SULPHONYLUREAS = (
    "格列本脲", "优降糖", "格列齐特", "达美康", "格列吡嗪", "美吡达", "瑞易宁", "格列喹酮", "糖适平", "格列美脲", "亚莫利", "消渴丸",
)  # fmt: skip
INSULINS = ("胰岛素", "诺和灵", "诺和锐", "诺和平", "优泌林", "优泌乐", "来得时", "长秀霖", "甘舒霖")

SETTINGS = {
    "dm.min_age": Setting(35, "纳入管理的最小年龄(周岁)", "[S:2]"),
    "dm.two_week_revisit_counts": Setting(False, "两周复访是否算作每年4次面对面随访之一", "AMBIG"),
    "dm.like_with_like": Setting(False, "连续两次是否只比同一种(未达标对未达标、不良反应对不良反应)", "AMBIG"),
    "dm.thirst_is_emergency": Setting(False, "单纯多饮、多尿是否按规范原文一律紧急转诊", "AMBIG"),
    "dm.told_values_classify": Setting(False, "本人告知的血糖是否参与分类", "[D] 75 %, M-16"),
    **COMMON_SETTINGS,
}


def glucose(answers: Answers, field: str) -> float | None:
    """mmol/L as typed; the meter's HI is above and its LO below every threshold."""
    value = answers.get(field)
    if isinstance(value, str):
        return {"HI": math.inf, "LO": 0.0}.get(value.upper())
    return number(value)


def fasting(f: Findings) -> float | None:
    return glucose(f.answers, "fasting_glucose")


def all_values(f: Findings) -> list[float]:
    kinds = ("fasting_glucose", "postprandial_glucose", "random_glucose")
    return [value for kind in kinds if (value := glucose(f.answers, kind)) is not None]


def fed_values(f: Findings) -> list[float]:
    return [v for kind in ("postprandial_glucose", "random_glucose") if (v := glucose(f.answers, kind)) is not None]


def reaches(value: float | None, threshold: float) -> bool:
    """An alarm takes the more severe of the value as typed and rounded to one decimal (domain.md M-15)."""
    return value is not None and max(value, to_one_decimal(value)) >= threshold


def low_glucose(f: Findings) -> bool:
    return any(min(value, to_one_decimal(value)) <= 3.9 for value in all_values(f))


def high_glucose(f: Findings) -> bool:
    return any(reaches(value, 16.7) for value in all_values(f))


def unmet(answers: Answers, age: int | None) -> bool | None:
    """The fasting target was missed; None without a fasting value. As typed: 6.95 is below 7.0."""
    value = glucose(answers, "fasting_glucose")
    return None if value is None else value >= 7.0


def missed(f: Findings) -> bool:
    return unmet(f.answers, f.age) is True


def met(f: Findings) -> bool:
    return unmet(f.answers, f.age) is False and not low_glucose(f)


def reaction(f: Findings) -> bool:
    return bool(f.get("adverse_reaction") == REACTION)


def complication(f: Findings) -> bool:
    return bool(f.get("new_complication") == COMPLICATION)


def frequent_lows(f: Findings) -> bool:
    return bool(f.get("hypoglycaemia") == 3)


def untreated(f: Findings) -> bool:
    """Said to take nothing. Not knowing is not untreated: a low value is then taken for a drug's."""
    return f.get("adherence") == 3 and not medication_names(f) and not injects_insulin(f.answers)


def takes(f: Findings, drugs: tuple[str, ...]) -> bool:
    return any(drug in name for name in medication_names(f) for drug in drugs)


def low_returns(f: Findings) -> bool:
    """A sulphonylurea or insulin is used: its hypoglycaemia can recur for a day or two."""
    return takes(f, SULPHONYLUREAS + INSULINS) or injects_insulin(f.answers)


def thirst(f: Findings) -> bool:
    return has_symptom(f, THIRST, POLYURIA)


def fast_pulse(f: Findings) -> bool:
    beats = pulse(f)
    return beats is not None and beats > 100


def fast_pulse_stays(f: Findings) -> bool:
    first, repeated = number(f.get("heart_rate")), number(f.get("heart_rate_repeat"))
    return repeated is not None and repeated > 100 and (first is None or first > 100)


def foot_pulse_worse(f: Findings) -> bool:
    """Weaker than at the last visit that felt it, or weak and never felt before."""
    now = f.get("dorsalis_pedis") or 1
    return now > next((v.answers["dorsalis_pedis"] for v in before(f) if v.answers.get("dorsalis_pedis")), 1)


def high_pressure(f: Findings) -> bool:
    return pressure_reaches(f, 150 if f.age is not None and f.age >= 65 else 140, 90)


def county(f: Findings, name: str) -> bool:
    return bool(setting(f, SETTINGS, name))


def counts_as_told(f: Findings) -> bool:
    return told_now(f) and bool(all_values(f)) and not county(f, "dm.told_values_classify")


def earlier(f: Findings) -> PastVisit | None:
    return second_in_a_row(f, unmet, like_with_like=county(f, "dm.like_with_like"))


def standard(visit: PastVisit) -> bool:
    """A visit that counts: face to face, with a fasting value we measured."""
    return glucose(visit.answers, "fasting_glucose") is not None and not told(visit.answers, visit.mode)


def unanswered(f: Findings) -> bool:
    return has_symptom(f, THIRST, POLYURIA, BLURRED) and not danger_question_answered(f)


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it (domain.md M-2, M-3, M-6)."""
    asked = next((words for code, words in DANGER_QUESTIONS.items() if has_symptom(f, code)), "")
    alarming = high_glucose(f) or low_glucose(f) or pressure_reaches(f, 180, 110) or low_or_odd_pulse(f, dizziness=())
    return asked or (UNASKED if alarming else "")


CLASSIFY = (  # the first match decides; 4 > 3 > 2 > 1
    Rule(
        "DM-01",
        when=complication,
        then=Outcome(classification=4),
        because="有新发或加重的并发症",
        source=NORM,
        certainty="[S:2][K]",
    ),
    Rule(
        "DM-02",
        when=reaction,
        then=Outcome(classification=3),
        because="有药物不良反应",
        source=NORM,
        certainty="[S:2][K]",
    ),
    Rule(
        "DM-03",
        when=frequent_lows,
        then=Outcome(classification=3),
        because="低血糖反应频繁",
        source=safety(6),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-04",
        when=counts_as_told,
        then=Outcome(classification=None),
        because="血糖由本人告知({glucose}),公卫口径不分类",
        source=safety(16),
        certainty="[D] 75 %",
    ),
    Rule(
        "DM-05",
        when=lambda f: low_glucose(f) and not untreated(f),
        then=Outcome(classification=3),
        because="用药的病人血糖不高于3.9({glucose}),按药物不良反应",
        source=safety(6),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-06",
        when=lambda f: missed(f) or (low_glucose(f) and fasting(f) is not None),
        then=Outcome(classification=2),
        because="空腹血糖达到7.0,或没有用药而不高于3.9({glucose},公卫口径)",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-6",
        certainty="[S:2]",
    ),
    Rule(
        "DM-07",
        when=lambda f: fasting(f) is None,
        then=Outcome(classification=None),
        because="没有空腹血糖({glucose}),不能分类",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-4",
        certainty="[S:2],95 %",
    ),
    Rule(
        "DM-08",
        when=met,
        then=Outcome(classification=1),
        because="空腹血糖低于7.0({glucose},公卫口径)",
        source=NORM,
        certainty="[S:2]",
    ),
)

ACT = (  # all that match; the most severe wins, and of equal ones the first is said first: 120 before anything
    Rule(
        "DM-11",
        when=lambda f: low_glucose(f) and has_sign(f, "altered_consciousness", "fainting", "convulsion"),
        then=emergency("马上打120:低血糖昏迷。让病人侧卧,嘴里不要喂任何东西,守到救护车来。"),
        because="血糖不高于3.9({glucose}),又意识不清、晕倒或抽搐",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-6",
        certainty="[K]",
    ),
    *ANY_FORM,
    *pressure_rules(dizziness=(), headache=(), blurred=(BLURRED,)),
    Rule(
        "DM-12",
        when=low_glucose,
        then=emergency(
            "马上处理低血糖并紧急转诊:清醒的吃15~20克葡萄糖(没有就喝白糖水),15分钟后复测,仍不高于3.9再吃一次;"
            "叫不醒的什么都不喂,打120。"
        ),
        because="血糖不高于3.9({glucose})",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-6",
        certainty="[S:2][K]",
    ),
    Rule(
        "DM-13",
        when=lambda f: low_glucose(f) and takes(f, ACARBOSE),
        then=emergency("病人在用阿卡波糖一类的药:只能用葡萄糖,白糖、饼干起效太慢;15分钟后复测。"),
        because="血糖不高于3.9({glucose}),在用阿卡波糖一类的药",
        source=safety(6),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-14",
        when=lambda f: low_glucose(f) and low_returns(f),
        then=emergency("病人在用磺脲类药或胰岛素:低血糖会反复,24~48小时内要有人守着、多次测血糖。"),
        because="血糖不高于3.9({glucose}),在用磺脲类药或胰岛素",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "DM-15",
        when=lambda f: (thirst(f) or high_glucose(f)) and has_sign(f, *KETOSIS),
        then=emergency("马上紧急转诊:可能是酮症酸中毒。能喝水就多喝水,不要自己加药,有人陪着送上级医院。"),
        because="多饮、多尿或血糖达到16.7({glucose}),又有烂苹果味、呕吐、腹痛、深大呼吸或意识改变",
        source=NORM,
        certainty="[S:2][D]",
    ),
    Rule(
        "DM-16",
        when=high_glucose,
        then=emergency("马上紧急转诊:血糖过高。能喝水就多喝水,不要自己加药,告诉乡镇卫生院,今天就送上级医院。"),
        because="血糖达到16.7({glucose}),空腹、餐后、随机都算",
        source=NORM,
        certainty="[S:2]",
    ),
    Rule(
        "DM-17",
        when=lambda f: bool(danger_signs(f) - MILD_SIGNS),
        then=emergency(
            "马上紧急转诊:有危急征象({signs})。先测血糖,心慌出汗又测不了的先按低血糖处理,有人陪着送上级医院。"
        ),
        because="问到危急征象({signs})",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-3",
        certainty="[S:2],85 %",
    ),
    Rule(
        "DM-18",
        when=fast_pulse_stays,
        then=emergency("马上紧急转诊:心跳一直过快。让病人休息、有人守着,告诉乡镇卫生院。"),
        because="脉搏超过100,休息5分钟再测仍超过100(脉搏{pulse})",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-7",
        certainty="[S:2],80 %",
    ),
    Rule(
        "DM-19",
        when=lambda f: (number(f.get("temperature")) or 0) > 39,
        then=emergency("马上紧急转诊:高热容易引起酮症酸中毒。多喝水、物理降温,告诉乡镇卫生院。"),
        because="体温超过39℃({temperature}℃)",
        source=NORM,
        certainty="[S:2]",
    ),
    Rule(
        "DM-20",
        when=lambda f: (
            pregnant_or_postpartum(f) and (reaches(fasting(f), 7.0) or any(reaches(v, 11.1) for v in fed_values(f)))
        ),
        then=emergency("马上紧急转诊:孕产妇血糖过高。联系乡镇卫生院,今天送能看产科的上级医院。"),
        because="孕期或产后12周内,空腹血糖达到7.0,或餐后、随机血糖达到11.1({glucose})",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-9",
        certainty="[S:2],90 %",
    ),
    Rule(
        "DM-21",
        when=lambda f: thirst(f) and county(f, "dm.thirst_is_emergency"),
        then=emergency("马上紧急转诊:多饮、多尿,按本县规定送上级医院。"),
        because="多饮或多尿;由县里设置打开",
        source=NORM,
        certainty="AMBIG,默认关闭",
    ),
    Rule(
        "DM-31",
        when=complication,
        then=refer("建议转上级医院:有新发或加重的并发症,两周内主动问转诊结果。"),
        because="有新发或加重的并发症,第一次也要转诊",
        source=NORM,
        certainty="[S:2][K]",
    ),
    Rule(
        "DM-32",
        when=lambda f: earlier(f) is not None,
        then=refer("建议转上级医院:连续两次没有控制好,两周内主动问转诊结果。", "two_in_a_row"),
        because="空腹血糖未达标或不良反应,上一次评估时也是(上次{earlier_on},相隔{gap}天)",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-5",
        certainty="[S:2],95 %",
    ),
    Rule(
        "DM-33",
        when=frequent_lows,
        then=refer("建议转上级医院调药:低血糖反应频繁。问清是否用磺脲类药或胰岛素,随身带糖。"),
        because="低血糖反应频繁",
        source=safety(6),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-34",
        when=lambda f: (
            f.get("pregnancy") == 1
            and (reaches(fasting(f), 5.1) or reaches(glucose(f.answers, "postprandial_glucose"), 8.5))
        ),
        then=refer("今天就打电话给乡镇卫生院:孕妇血糖偏高,请产科安排。"),
        because="孕期空腹血糖达到5.1,或餐后2小时达到8.5({glucose})",
        source=safety(9),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-35",
        when=lambda f: f.age is not None and f.age < setting(f, SETTINGS, "dm.min_age"),
        then=refer("不满35岁不纳入管理:按项目外记录,转上级医院查清类型。", "outside_programme"),
        because="年龄不满35岁(设置 dm.min_age;现{age}岁)",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-25",
        certainty="[S:2],70 %",
    ),
    Rule(
        "DM-36",
        when=lambda f: f.get("diabetes_type") in NOT_IN_PROGRAMME,
        then=refer("1型和妊娠期糖尿病不纳入管理:按项目外记录,转上级医院专科。", "outside_programme"),
        because="1型或妊娠期糖尿病",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-25",
        certainty="[S:2],70 %",
    ),
    Rule(
        "DM-41",
        when=lambda f: missed(f) and earlier(f) is None,
        then=soon("先问清是否按时服药和饮食,需要时请医生调药,两周内再随访。"),
        because="空腹血糖第一次未达标",
        source=NORM,
        certainty="[S:2]",
    ),
    Rule(
        "DM-42",
        when=lambda f: reaction(f) and earlier(f) is None,
        then=soon("问清是什么不良反应,请医生看要不要换药,两周内再随访。"),
        because="第一次出现药物不良反应",
        source=NORM,
        certainty="[S:2]",
    ),
    Rule(
        "DM-43",
        when=lambda f: f.get("hypoglycaemia") == 2,
        then=soon("问清是否用磺脲类药或胰岛素、是否漏餐,请医生看用药,两周内再随访。"),
        because="偶尔有低血糖反应",
        source=safety(6),
        certainty="[D] 90 %",
    ),
    Rule(
        "DM-44",
        when=lambda f: (
            fasting(f) is None and any(reaches(value, 11.1) for value in fed_values(f)) and not high_glucose(f)
        ),
        then=soon("约病人两周内空腹8小时以上再测一次血糖。"),
        because="餐后或随机血糖11.1~16.6({glucose}),没有空腹值",
        source=safety(7),
        certainty="[D] 80 %",
    ),
    Rule(
        "DM-45",
        when=lambda f: fast_pulse(f) and not fast_pulse_stays(f),
        then=soon("休息5分钟再测一次脉搏,仍超过100就紧急转诊。"),
        because="一次脉搏超过100(脉搏{pulse}),还没有复测",
        source=safety(7),
        certainty="[D] 80 %",
    ),
    Rule(
        "DM-46",
        when=unanswered,
        then=soon(
            "把症状问清楚:视力突然下降、烂苹果味、呕吐、腹痛、呼吸深快或意识改变,有一样就紧急转诊。",
            "danger_question_open",
        ),
        because="有多饮、多尿或视力模糊,危急征象还没有问清",
        source=safety(3),
        certainty="[D] 85 %",
    ),
    Rule(
        "DM-47",
        when=lambda f: thirst(f) and not all_values(f),
        then=soon("今天就测一次血糖:达到16.7马上转诊。"),
        because="多饮或多尿,又没有测血糖",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "DM-48",
        when=lambda f: bool(danger_signs(f)) and danger_signs(f) <= MILD_SIGNS,
        then=soon("不想吃东西:问清是否呕吐、腹痛,提醒用药的人漏餐会低血糖,两周内再看。"),
        because="食欲减退,没有其他危急征象",
        source=NORM,
        certainty="[D] AMBIG",
    ),
    *CONTACT,
    Rule(
        "DM-51",
        when=lambda f: fasting(f) is None,
        then=Outcome(flags=("no_reading", "not_standard_visit"), say="本次没有空腹血糖,请按下次日期当面测空腹血糖。"),
        because="没有空腹血糖,不算规范随访,应访日期不往后推",
        source=safety(4),
        certainty="[D] 95 %",
    ),
    Rule(
        "DM-52",
        when=lambda f: fasting(f) is None and (takes_a_drug(f) or reaction(f) or complication(f)),
        then=Outcome(next_days=TWO_WEEKS),
        because="没有空腹血糖而在用药,或有不良反应、并发症:最迟两周内再随访",
        source=safety(4),
        certainty="[D] 95 %",
    ),
    Rule(
        "DM-53",
        when=lambda f: met(f) and not (reaction(f) or complication(f) or frequent_lows(f)),
        then=Outcome(say="继续目前治疗、饮食和运动,按下次日期随访。"),
        because="空腹血糖达标,没有不良反应和并发症,没有更急的安排时按季度随访",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-14",
        certainty="[S:2],90 %",
    ),
    Rule(
        "DM-54",
        when=lambda f: (
            thirst(f) and bool(all_values(f)) and not (high_glucose(f) or low_glucose(f) or has_sign(f, *KETOSIS))
        ),
        then=Outcome(say="多饮、多尿要留意:出现呕吐、腹痛、烂苹果味或呼吸深快,马上转诊。"),
        because="单纯多饮、多尿而血糖4.0~16.6,提醒不报警",
        source=NORM,
        certainty="[D] AMBIG",
    ),
    Rule(
        "DM-55",
        when=lambda f: foot_pulse_worse(f) and not complication(f),
        then=Outcome(say="足背动脉比上次弱:确认是不是新发并发症,是的请把“新发并发症”改为有。"),
        because="足背动脉减弱或消失,比上次差",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "DM-56",
        when=high_pressure,
        then=Outcome(say="血压也偏高:已确诊高血压的另填高血压随访,没有确诊的改日再测,三次不同日都高就转诊确诊。"),
        because="收缩压达到140(65岁及以上150)或舒张压达到90({pressure}),不影响糖尿病分类",
        source="规范(第三版)·高血压(筛查) / domain.md A1",
        certainty="[S:1]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """当面测了空腹血糖:规则要求两周内的14天;其余最迟92天,且不晚于下一季度最后一天,两周复访不顶替季度随访。

    电话或没有空腹血糖:原定日期不动;规则要求更早的提前;原定日期已到或没有原定日期的,14天内补一次。
    """
    return next_visit(f, within, standard=standard, revisit_counts=county(f, "dm.two_week_revisit_counts"))


def values(f: Findings) -> Mapping[str, object]:
    beats = pulse(f)
    named = {"空腹": "fasting_glucose", "餐后": "postprandial_glucose", "随机": "random_glucose"}
    shown = [f"{name}{f.get(kind)}" for name, kind in named.items() if glucose(f.answers, kind) is not None]
    return {
        "pressure": pressure_text(f.answers),
        "pulse": "未测" if beats is None else f"{beats:g}",
        "glucose": "、".join(shown) or "未测血糖",
        "signs": "、".join(label for code, label in DANGER_SIGNS.items() if has_sign(f, code)) or "其他急症",
        "age": f.age,
        **earlier_words(f, earlier(f)),
    }


protocol = Protocol(
    code="diabetes",
    title="2型糖尿病患者随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·2型糖尿病患者健康管理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
