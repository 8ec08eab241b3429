"""Tuberculosis, while treated at home: danger, missed doses, reactions, supervision and its end. 肺结核患者随访

《国家基本公共卫生服务规范(第三版)》肺结核患者健康管理, with domain.md M-11. The norm gives no classes. The first sentence said
never names the illness: it stands in a message's first line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import ANY_FORM, COMMON_SIGNS, CONTACT, TWO_WEEKS, emergency, refer, safety, soon
from handlers.protocols.findings import (
    at_least,
    by_telephone,
    codes,
    danger_question_answered,
    fact,
    has_sign,
    has_symptom,
    is_yes,
    number,
    setting,
    sign_words,
    symptom_question,
)
from handlers.protocols.windows import soonest, standing

NORM = "规范(第三版)·肺结核 / domain.md A4"

NO_SYMPTOMS = 0  # here 0 is no symptom; hypertension and diabetes use 1 (domain.md A4)
SYMPTOMS = {
    0: "没有症状",
    1: "咳嗽咳痰",
    2: "低热盗汗",
    3: "咯血或血痰",
    4: "胸痛消瘦",
    5: "恶心纳差",
    6: "关节疼痛",
    7: "头痛失眠",
    8: "视物模糊",
    9: "皮肤瘙痒、皮疹",
    10: "耳鸣、听力下降",
    11: "其他",
}
BLOOD, CHEST, NAUSEA, BLURRED, RASH, HEARING = 3, 4, 5, 8, 9, 10
DANGER_SIGNS = {
    "much_blood": "大口咯血,一次半杯以上",
    "breathless": "静坐也喘不上气",
    "yellow_eyes": "眼睛、皮肤发黄",
    "dark_urine": "尿像浓茶",
    "severe_rash": "全身皮疹、起泡或脱皮",
    "vision_loss": "视力下降、分不清颜色",
    "hearing_loss": "听力下降",
    "high_fever": "高热38.5℃以上",
    **COMMON_SIGNS,
    "none": "以上都没有",
}
DANGER_QUESTIONS = {
    BLOOD: "咯了多少血?有没有下面的情况?",
    NAUSEA: "眼睛黄不黄,尿黄不黄?有没有下面的情况?",
    BLURRED: "是不是看不清、分不清颜色?有没有下面的情况?",
    RASH: "皮疹重不重?有没有下面的情况?",
    HEARING: "听力是不是下降了?有没有下面的情况?",
    CHEST: "有没有下面的情况?",
}
DOCTOR, SELF, OTHER = 1, 3, 4  # 督导人员: 2 is the family
INTERMITTENT = 2  # 用法: 1 is daily
INJECTION = 4  # 药品剂型
RETREATED, RESISTANT, SMEAR_POSITIVE = 2, 1, 1
INTENSIVE = 1  # 治疗阶段: 2 is the continuation
STOP_REASONS = {1: "完成疗程", 2: "死亡", 3: "丢失", 4: "转入耐多药治疗"}
COMPLETED, DIED, LOST_FROM_TREATMENT, TO_RESISTANT = STOP_REASONS
AWAY, REFUSED, LOST = 2, 3, 4  # outcome

MONTH, TEN_DAYS = 30, 10  # days
WEEK_OF_DAILY, WEEK_OF_INTERMITTENT = 7, 3  # missed doses that are a week (domain.md M-11)
HIGH_FEVER = 38.5  # ℃ (domain.md M-11)
REGULAR = 90  # per cent of the doses due: 规则服药

SETTINGS = {
    "tb.telephone_counts": Setting(False, "电话随访是否算一次督导访视;不算的原定日期不动", "AMBIG"),
    "tb.intensive_months": Setting(2, "初治和复治的强化期到第几个月;治疗记录卡写明的以卡为准", "[D] 80 %, M-11"),
    "tb.resistant_intensive_months": Setting(6, "耐药的强化期到第几个月", "[D] 80 %, M-11"),
}


def intensive(f: Findings) -> bool:
    """In the intensive phase, or while injections are given; when the month is not known, yes (domain.md M-11)."""
    if f.get("phase") is not None:
        return bool(f.get("phase") == INTENSIVE)
    if INJECTION in codes(fact(f, "dosage_forms")):
        return True
    month = number(f.get("treatment_month"))
    if month is None:
        return True
    if fact(f, "resistance") == RESISTANT:
        return month <= int(setting(f, SETTINGS, "tb.resistant_intensive_months"))
    longer = fact(f, "patient_type") == RETREATED and fact(f, "smear_month2") == SMEAR_POSITIVE
    return month <= int(setting(f, SETTINGS, "tb.intensive_months")) + longer


def watched_by_doctor(f: Findings) -> bool:
    return fact(f, "supervisor") == DOCTOR


def interval(f: Findings) -> int:
    """Days to the next supervision: a month with a doctor; else ten days in the intensive phase, then a month."""
    return TEN_DAYS if not watched_by_doctor(f) and intensive(f) else MONTH


def missed(f: Findings) -> float:
    return number(f.get("missed_doses")) or 0


def missed_a_week(f: Findings) -> bool:
    """Of doses: seven daily ones or three intermittent ones; how they are taken is daily unless told."""
    return missed(f) >= (WEEK_OF_INTERMITTENT if fact(f, "regimen_use") == INTERMITTENT else WEEK_OF_DAILY)


def reaction(f: Findings) -> bool:
    return is_yes(f.get("adverse_reaction"))


def complication(f: Findings) -> bool:
    return is_yes(f.get("complications"))


def fever(f: Findings) -> bool:
    return has_sign(f, "high_fever") or at_least(f, "temperature", HIGH_FEVER)


def harmed_by_drugs(f: Findings) -> bool:
    return has_sign(f, "yellow_eyes", "dark_urine", "severe_rash", "vision_loss", "hearing_loss")


def unanswered(f: Findings) -> bool:
    return has_symptom(f, *DANGER_QUESTIONS) and not danger_question_answered(f)


def danger_question(f: Findings) -> str:
    """How to ask for danger signs now, or "" when nothing calls for it (domain.md M-11)."""
    return symptom_question(f, DANGER_QUESTIONS)


def stopped(f: Findings) -> bool:
    return f.get("stop_reason") is not None


def taken(f: Findings) -> float | None:
    """Per cent of the doses due that were taken over the whole course."""
    due, done = number(f.get("doses_due")), number(f.get("doses_taken"))
    return None if not due or done is None else 100 * done / due


def irregular(f: Findings) -> bool:
    share = taken(f)
    return f.get("stop_reason") == COMPLETED and share is not None and share < REGULAR


def quiet(f: Findings) -> bool:
    """On time, without reaction, complication or missed doses, and not at an end."""
    return f.get("missed_doses") == 0 and not (stopped(f) or reaction(f) or complication(f))


DANGER = (
    Rule(
        "TB-11",
        when=lambda f: has_sign(f, "much_blood"),
        then=emergency("马上打120:大咯血。让病人朝出血的一侧侧卧、头偏低,把血咳出来,不要憋、不要喂水,有人守着。"),
        because="大口咯血",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-12",
        when=lambda f: has_sign(f, "breathless"),
        then=emergency("马上打120:扶病人坐着,有氧气先吸上,守到救护车来。"),
        because="静坐也喘不上气",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-13",
        when=harmed_by_drugs,
        then=emergency(
            "马上联系定点医院转诊:可能是药物引起的。带上正在吃的药,要不要停药现在就打电话问定点医院的医生。"
        ),
        because="眼睛发黄、尿像浓茶、全身皮疹、视力或听力下降({signs})",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-14",
        when=fever,
        then=emergency("马上转诊:高热。多喝水、物理降温,带上正在吃的药,今天送定点医院。"),
        because="体温达到38.5℃({temperature})",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-41",
        when=unanswered,
        then=soon(
            "把症状问清楚:大口咯血、喘、眼睛黄、尿像浓茶、全身皮疹、看不清、听不清,有一样马上联系定点医院。",
            "danger_question_open",
        ),
        because="有咯血、胸痛、恶心、视物模糊、皮疹或听力下降,危急征象还没有问清",
        source=safety(11),
        certainty="[D] 80 %",
    ),
    Rule(
        "TB-42",
        when=lambda f: has_symptom(f, BLOOD) and not has_sign(f, "much_blood"),
        then=soon("有咯血或血痰:打电话告诉定点医院,静养、别用力咳;量多了马上打120。"),
        because="咯血或血痰,量不多",
        source=safety(11),
        certainty="[D] 80 %",
    ),
)

ACT = (  # all that match; the most severe wins, and of equal ones the first is said first
    *ANY_FORM,
    *DANGER,
    Rule(
        "TB-21",
        when=reaction,
        then=refer("今天就转诊到定点医院:有药物不良反应,药怎么吃听定点医院的;两周内主动问结果。"),
        because="有药物不良反应,立即转诊,两周内随访",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-22",
        when=complication,
        then=refer("今天就转诊到定点医院:有并发症或合并症;两周内主动问结果。"),
        because="有并发症或合并症,立即转诊,两周内随访",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-43",
        when=missed_a_week,
        then=soon(
            "漏服满一周:今天报告上级专业机构(疾控、定点医院),问清为什么漏,和督导人员重新定好怎么看着吃。",
            "tell_township",
        ),
        because="漏服药达到一周(每日服药7次,间歇服药3次;漏{missed_doses}次)",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-44",
        when=lambda f: f.get("stop_reason") == LOST_FROM_TREATMENT,
        then=soon("治疗中断:今天报告上级专业机构(疾控、定点医院),和村干部、家属一起找人。", "tell_township"),
        because="停止治疗的原因是丢失",
        source=NORM,
        certainty="[K]",
    ),
    *CONTACT,
    Rule(
        "TB-51",
        when=lambda f: bool(missed(f)) and not missed_a_week(f),
        then=Outcome(say="有漏服:问清原因,讲清漏服会耐药、难治,请督导人员看着吃下去。"),
        because="没有按医嘱服药(漏{missed_doses}次)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-52",
        when=quiet,
        then=Outcome(say="继续督导服药,提醒按时到定点医院复诊查痰,外出要带够药。"),
        because="按时服药,没有不良反应和并发症",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-53",
        when=lambda f: watched_by_doctor(f) and not stopped(f),
        then=Outcome(),
        because="医务人员督导:看着服下每次的药,至少每月记录一次",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TB-54",
        when=lambda f: not watched_by_doctor(f) and intensive(f) and not stopped(f),
        then=Outcome(),
        because="家属督导或自服药,强化期或注射期:每10天随访一次",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-55",
        when=lambda f: not watched_by_doctor(f) and not intensive(f) and not stopped(f),
        then=Outcome(),
        because="家属督导或自服药,继续期:每月随访一次",
        source="规范(第三版)·肺结核 / domain.md A4、M-11",
        certainty="[K],80 %",
    ),
    Rule(
        "TB-61",
        when=lambda f: f.get("stop_reason") in (COMPLETED, TO_RESISTANT),
        then=Outcome(
            refer=True,
            next_days=TWO_WEEKS,
            say="收回治疗记录卡,评估全程服药管理情况,推荐病人到定点医院做治疗转归评估;两周内会问您去了没有。",
        ),
        because="停止治疗,两周内电话随访是否去了定点医院",
        source=NORM,
        certainty="[S:6][K]",
    ),
    Rule(
        "TB-62",
        when=irregular,
        then=Outcome(say="服药率不到90%,不算规则服药,请在评估里写明原因。"),
        because="完成疗程,实际服药不到应服药的90%({rate})",
        source="规范(第三版)·肺结核(规则服药率) / domain.md B",
        certainty="[K]",
    ),
    Rule(
        "TB-63",
        when=stopped,
        then=Outcome(),
        because="停止治疗,结束管理",
        source=NORM,
        certainty="[S:6]",
    ),
)

UNSEEN = (
    Rule(
        "TB-91",
        when=lambda f: f.get("outcome") == AWAY,
        then=Outcome(
            next_days=TEN_DAYS, say="打电话问:药带够没有、有没有按时吃;外出超过一个月的,告诉乡镇卫生院联系外出地。"
        ),
        because="病人外出",
        source=NORM,
        certainty="[K],间隔[D]",
    ),
    Rule(
        "TB-92",
        when=lambda f: f.get("outcome") in (REFUSED, LOST),
        then=soon("治疗不能断:今天告诉乡镇卫生院和上级专业机构,和家属、村干部一起劝或找。", "tell_township"),
        because="拒访或失访",
        source=NORM,
        certainty="[K],[D]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """医务人员督导的每30天;家属督导、自服药的,强化期或注射期每10天,继续期每30天;规则要求更早的提前。

    电话随访:原定日期不动,规则要求更早的提前;没有原定日期的,按上面的间隔。停止治疗的结束管理,不再有下次。
    """
    if stopped(f):
        return None
    days = interval(f) if within is None else min(within, interval(f))
    due = f.on + timedelta(days=days)
    if by_telephone(f) and not setting(f, SETTINGS, "tb.telephone_counts"):
        return soonest(due, standing(f))
    return due


def values(f: Findings) -> Mapping[str, object]:
    share = taken(f)
    temperature = number(f.get("temperature"))
    return {
        "signs": sign_words(f, DANGER_SIGNS),
        "temperature": "问到高热" if temperature is None else f"{temperature:g}℃",
        "rate": "未填" if share is None else f"{share:.1f}%",
    }


protocol = Protocol(
    code="tb",
    title="肺结核患者随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·肺结核患者健康管理",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
    unseen=UNSEEN,
)
