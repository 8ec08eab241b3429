"""Type 2 diabetes: what is asked, and what is an emergency. 2型糖尿病危急情况

The norm's list (domain.md A2) with M-3, M-6, M-7 and M-9. Glucose in mmol/L; every value can raise an alarm, fasting
or not. Equality counts against the patient: 16.7 and 3.9 are an emergency.
"""

from __future__ import annotations

from handlers.decisions import Findings, Rule
from handlers.protocols.common import ANY_FORM, COMMON_SIGNS, emergency, low_or_odd_pulse, pressure_rules, safety
from handlers.protocols.findings import (
    above,
    danger_question_answered,
    danger_signs,
    has_sign,
    has_symptom,
    number,
    pregnant_or_postpartum,
    pressure_reaches,
    pulse,
    symptom_question,
)
from handlers.protocols.glucose import (
    ACARBOSE,
    fasting,
    fed_values,
    high_glucose,
    low_glucose,
    low_returns,
    reaches,
    takes,
)

NORM = "规范(第三版)·2型糖尿病 / domain.md A2"

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


def thirst(f: Findings) -> bool:
    return has_symptom(f, THIRST, POLYURIA)


def fast_pulse(f: Findings) -> bool:
    beats = pulse(f)
    return beats is not None and beats > 100


def fast_pulse_stays(f: Findings) -> bool:
    first, repeated = number(f.get("heart_rate")), number(f.get("heart_rate_repeat"))
    return repeated is not None and repeated > 100 and (first is None or first > 100)


def unanswered(f: Findings) -> bool:
    return has_symptom(f, THIRST, POLYURIA, BLURRED) and not danger_question_answered(f)


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it (domain.md M-2, M-3, M-6)."""
    asked = symptom_question(f, DANGER_QUESTIONS)
    alarming = high_glucose(f) or low_glucose(f) or pressure_reaches(f, 180, 110) or low_or_odd_pulse(f, dizziness=())
    return asked or (UNASKED if alarming else "")


DANGER = (  # of equal ones the first is said first: 120 before anything
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
        when=lambda f: above(f, "temperature", 39),
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
)
