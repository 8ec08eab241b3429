"""Type 2 diabetes follow-up: classification, alarms, referral and the next date. 2型糖尿病患者随访

《国家基本公共卫生服务规范(第三版)》2型糖尿病患者健康管理, with the safety corrections of domain.md M. Glucose in mmol/L,
where "HI" and "LO" of the meter are values; only a fasting value (8 hours) classifies, every value can raise an
alarm. Equality counts against the patient: 7.0 is not controlled, 16.7 and 3.9 are an emergency.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import (
    COMMON_SETTINGS,
    CONTACT,
    emergency,
    refer,
    safety,
    soon,
)
from handlers.protocols.control import CLASSES, Control, complication, reaction
from handlers.protocols.diabetes_danger import (
    DANGER,
    DANGER_SIGNS,
    KETOSIS,
    MILD_SIGNS,
    fast_pulse,
    fast_pulse_stays,
    thirst,
    unanswered,
)
from handlers.protocols.findings import (
    Answers,
    before,
    danger_signs,
    has_sign,
    pressure_reaches,
    pressure_text,
    pulse_text,
    sign_words,
    told_now,
)
from handlers.protocols.glucose import (
    AFTER_MEAL,
    FASTING,
    NOT_MET,
    all_values,
    fasting,
    fed_values,
    glucose,
    glucose_words,
    high_glucose,
    low_glucose,
    reaches,
    untreated,
)

NORM = "规范(第三版)·2型糖尿病 / domain.md A2"

DIABETES_TYPES = {1: "1型糖尿病", 2: "2型糖尿病", 3: "妊娠期糖尿病", 4: "其他类型"}
NOT_IN_PROGRAMME = (1, 3)

SETTINGS = {
    "dm.min_age": Setting(35, "纳入管理的最小年龄(周岁)", "[S:2]"),
    "dm.two_week_revisit_counts": Setting(False, "两周复访是否算作每年4次面对面随访之一", "AMBIG"),
    "dm.like_with_like": Setting(False, "连续两次是否只比同一种(未达标对未达标、不良反应对不良反应)", "AMBIG"),
    "dm.thirst_is_emergency": Setting(False, "单纯多饮、多尿是否按规范原文一律紧急转诊", "AMBIG"),
    "dm.told_values_classify": Setting(False, "本人告知的血糖是否参与分类", "[D] 75 %, M-16"),
    **COMMON_SETTINGS,
}


def unmet(answers: Answers, age: int | None) -> bool | None:
    """The fasting target was missed; None without a fasting value. As typed: 6.95 is below 7.0."""
    value = glucose(answers, FASTING)
    return None if value is None else value >= NOT_MET


CONTROL = Control(
    value="空腹血糖",
    county="dm",
    source=NORM,
    settings=SETTINGS,
    unmet=unmet,
    lacks_value=lambda answers: glucose(answers, FASTING) is None,
)


def met(f: Findings) -> bool:
    return CONTROL.met(f) and not low_glucose(f)


def frequent_lows(f: Findings) -> bool:
    return bool(f.get("hypoglycaemia") == 3)


def foot_pulse_worse(f: Findings) -> bool:
    """Weaker than at the last visit that felt it, or weak and never felt before."""
    now = f.get("dorsalis_pedis")
    return now is not None and now > next(
        (v.answers["dorsalis_pedis"] for v in before(f) if v.answers.get("dorsalis_pedis")), 1
    )


def high_pressure(f: Findings) -> bool:
    return pressure_reaches(f, 150 if f.age is not None and f.age >= 65 else 140, 90)


def counts_as_told(f: Findings) -> bool:
    return told_now(f) and bool(all_values(f)) and not CONTROL.allows(f, "told_values_classify")


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
        when=lambda f: CONTROL.missed(f) or (low_glucose(f) and fasting(f) is not None),
        then=Outcome(classification=2),
        because="空腹血糖达到7.0,或没有用药而不高于3.9({glucose},公卫口径)",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-6",
        certainty="[S:2]",
    ),
    Rule(
        "DM-07",
        when=CONTROL.without_value,
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
    *DANGER,
    Rule(
        "DM-21",
        when=lambda f: thirst(f) and CONTROL.allows(f, "thirst_is_emergency"),
        then=emergency("马上紧急转诊:多饮、多尿,按本县规定送上级医院。"),
        because="多饮或多尿;由县里设置打开",
        source=NORM,
        certainty="AMBIG,默认关闭",
    ),
    CONTROL.complication_refers("DM-31", "[S:2][K]"),
    CONTROL.second_time("DM-32", "[S:2],95 %"),
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
            f.get("pregnancy") == 1 and (reaches(fasting(f), 5.1) or reaches(glucose(f.answers, AFTER_MEAL), 8.5))
        ),
        then=refer("今天就打电话给乡镇卫生院:孕妇血糖偏高,请产科安排。"),
        because="孕期空腹血糖达到5.1,或餐后2小时达到8.5({glucose})",
        source=safety(9),
        certainty="[D] 90 %",
    ),
    CONTROL.too_young("DM-35", "查清类型", "[S:2],70 %"),
    Rule(
        "DM-36",
        when=lambda f: f.get("diabetes_type") in NOT_IN_PROGRAMME,
        then=refer("1型和妊娠期糖尿病不纳入管理:按项目外记录,转上级医院专科。", "outside_programme"),
        because="1型或妊娠期糖尿病",
        source="规范(第三版)·2型糖尿病 / domain.md A2、M-25",
        certainty="[S:2],70 %",
    ),
    CONTROL.first_time("DM-41", "先问清是否按时服药和饮食,需要时请医生调药,两周内再随访。", "[S:2]"),
    CONTROL.first_reaction("DM-42", "[S:2]"),
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
            CONTROL.without_value(f) and any(reaches(value, 11.1) for value in fed_values(f)) and not high_glucose(f)
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
    CONTROL.nothing_measured("DM-51", "没有空腹血糖", "本次没有空腹血糖,请按下次日期当面测空腹血糖。"),
    CONTROL.drug_without_value("DM-52"),
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
    return CONTROL.next_day(f, within)


def values(f: Findings) -> Mapping[str, object]:
    return {
        "pressure": pressure_text(f.answers),
        "pulse": pulse_text(f),
        "glucose": glucose_words(f),
        "signs": sign_words(f, DANGER_SIGNS),
        "age": f.age,
        **CONTROL.earlier_words(f),
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
