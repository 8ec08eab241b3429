"""An antenatal visit: danger signs, pressure, blood, the baby's heart, what is reported, and which window comes next. 产前随访

《国家基本公共卫生服务规范(第三版)》孕产妇健康管理 with domain.md M-9 and M-18. Results of the tests for mother-to-child transmission are
never named: a rule says that something has to be looked at again, and where.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from handlers.decisions import Findings, Outcome, Protocol, Rule, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    COMMON_SETTINGS,
    COMMON_SIGNS,
    emergency,
    pressure_rules,
    refer,
    safety,
    soon,
)
from handlers.protocols.findings import (
    at_least,
    below,
    by_telephone,
    codes,
    has_sign,
    has_symptom,
    number,
    pressure_text,
    pulse_text,
    sign_words,
)
from handlers.protocols.glucose import glucose, reaches
from handlers.protocols.pregnancy import (
    CLASSES,
    DELIVERED,
    ENDED,
    POST_TERM,
    began_on,
    days,
    due_date,
    first_visit,
    found_something,
    in_a_gap,
    next_visit_window,
    pregnant,
    reached,
    weeks_and_days,
)
from handlers.protocols.windows import asked, soonest

NORM = "规范(第三版)·孕产妇 / domain.md A7"
RISK_COLOURS = {1: "绿", 2: "黄", 3: "橙", 4: "红", 5: "紫"}
GREEN, YELLOW, ORANGE, RED, PURPLE = RISK_COLOURS
SWOLLEN = 4
PLUS, TWO_PLUS = 2, 3  # urine protein: 0 -, 1 ±, 2 +, 3 ++, 4 +++, 5 ++++
NORMAL_HEART = (110, 160)  # beats a minute of the baby
QUIET_AFTER = 20 * 7  # days; from then on the baby's heart can be heard with what a village has
REACTIVE = 2
DIABETIC = {"fasting_glucose": 7.0, "random_glucose": 11.1}  # mmol/L (M-9)

DANGER_SIGNS = {
    "severe_headache": "头痛",
    "sudden_vision": "看东西模糊",
    "upper_abdominal_pain": "上腹痛",
    "bleeding": "阴道流血",
    "contractions": "腹痛或规律宫缩",
    "waters": "破水",
    "fewer_movements": "胎动减少或消失",
    "fever": "发热38℃以上",
    "breathless": "心慌气促、不能平卧",
    "leg_swelling": "一侧下肢肿痛",
    "cold_sweat": "出冷汗",
    **COMMON_SIGNS,
    "none": "以上都没有",
}
OBSTETRIC = ("bleeding", "contractions", "waters", "fewer_movements", "fever", "breathless", "leg_swelling")


def haemoglobin(f: Findings, low: float, below: float) -> bool:
    value = number(f.get("haemoglobin"))
    return value is not None and low <= value < below


def glucose_reaches(f: Findings, **limits: float) -> bool:
    """One of these fields reaches its limit."""
    return any(reaches(glucose(f.answers, field), limit) for field, limit in limits.items())


def heart(f: Findings) -> float | None:
    return number(f.get("fetal_heart_rate"))


def heart_abnormal(f: Findings) -> bool:
    beats = heart(f)
    return beats is not None and beats != 0 and not NORMAL_HEART[0] <= beats <= NORMAL_HEART[1]


def risk(f: Findings) -> frozenset[int]:
    return codes(f.get("risk_colour"))


def reactive(f: Findings) -> bool:
    return any(f.get(test) == REACTIVE for test in ("hiv", "syphilis", "hbsag"))


def untested(f: Findings) -> bool:
    return first_visit(f) and all(f.get(test) in (None, 3) for test in ("hiv", "syphilis", "hbsag"))


ACT = (
    *ANY_FORM,
    *pressure_rules(dizziness=(3,), headache=(), blurred=()),
    Rule(
        "ANC-11",
        when=lambda f: has_sign(f, *OBSTETRIC),
        then=emergency("马上转上级产科,急的打120:左侧卧,有人陪,带上孕产妇保健手册。"),
        because="有危急征象({signs})",
        source=NORM,
        certainty="危急征象立即转 [S:7],清单 [K]",
    ),
    Rule(
        "ANC-12",
        when=lambda f: heart(f) == 0 and reached(f, QUIET_AFTER),
        then=emergency("马上转上级产科:孕20周以后听不到胎心,不要等。"),
        because="孕20周以后听不到胎心",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-13",
        when=lambda f: below(f, "haemoglobin", 70),
        then=emergency("今天就送上级医院:重度贫血,路上有人陪。"),
        because="血红蛋白低于70({haemoglobin} g/L)",
        source=safety(18, "A7、"),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANC-14",
        when=lambda f: glucose_reaches(f, **DIABETIC),
        then=emergency("今天就送上级医院产科:孕期血糖达到糖尿病水平。"),
        because="孕期空腹血糖达到7.0或随机达到11.1",
        source=safety(9, "A7、"),
        certainty="[D] 90 %",
    ),
    Rule(
        "ANC-21",
        when=lambda f: heart_abnormal(f),
        then=refer("换个体位,5分钟后再听一次;还是不在110~160,今天就送产科。"),
        because="胎心率不在110~160({fetal_heart_rate}次/分)",
        source=NORM,
        certainty="110~160 [K]",
    ),
    Rule(
        "ANC-22",
        when=lambda f: haemoglobin(f, 70, 100),
        then=refer("转上级产科查贫血原因,按医嘱补铁,2周内追访。"),
        because="血红蛋白70~99({haemoglobin} g/L)",
        source=safety(18, "A7、"),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANC-23",
        when=lambda f: (
            glucose_reaches(f, fasting_glucose=5.1, ogtt_1h=10.0, ogtt_2h=8.5) and not glucose_reaches(f, **DIABETIC)
        ),
        then=refer("今天就打电话给乡镇卫生院产科:可能是妊娠期糖尿病,约上级产科。", "tell_township"),
        because="孕期空腹血糖5.1~6.9,或糖耐量1小时达到10.0、2小时达到8.5",
        source=safety(9, "A7、"),
        certainty="[D] 90 %",
    ),
    Rule(
        "ANC-24",
        when=lambda f: (
            at_least(f, "urine_protein", TWO_PLUS) or (at_least(f, "urine_protein", PLUS) and has_symptom(f, SWOLLEN))
        ),
        then=refer("2天内到上级产科查:蛋白尿要排除子痫前期;头痛、看不清、上腹痛马上打120。"),
        because="尿蛋白++及以上,或+并有下肢水肿",
        source=NORM,
        certainty="[D],规范没有写界限",
    ),
    Rule(
        "ANC-25",
        when=lambda f: pregnant(f) and reached(f, POST_TERM),
        then=refer("满41周还没生:今天联系产科住院待产。"),
        because="孕周满41周({gestation})",
        source=safety(18, "A7、"),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANC-26",
        when=reactive,
        then=refer("今天联系乡镇卫生院妇保医生,按母婴阻断流程复核和转介;结果只在专用系统里报,不在群里说。"),
        because="母婴阻断项目里有一项结果要复核",
        source=NORM,
        certainty="[S:39]",
    ),
    Rule(
        "ANC-27",
        when=lambda f: bool(codes(f.get("past_history")) - {1}) or bool(codes(f.get("family_history")) - {1}),
        then=refer("转上级医院评估能不能继续妊娠、在哪里生,2周内追访结果。"),
        because="第1次检查有既往病史或家族史",
        source=NORM,
        certainty="[S:7]",
    ),
    Rule(
        "ANC-28",
        when=lambda f: RED in risk(f),
        then=refer("红色:24小时内报县妇幼,专案管理,转危重孕产妇救治中心。", "tell_township"),
        because="妊娠风险红色(高风险)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-31",
        when=lambda f: ORANGE in risk(f) and RED not in risk(f),
        then=soon("橙色:3天内报县妇幼,专案管理,两周内再随访。", "tell_township"),
        because="妊娠风险橙色(较高风险)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-32",
        when=lambda f: PURPLE in risk(f),
        then=soon("紫色:专案管理,按专门流程转介,两周内再随访;在外面不提原因。", "tell_township"),
        because="妊娠风险紫色",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-33",
        when=lambda f: f.get("urine_protein") == PLUS and not has_symptom(f, SWOLLEN),
        then=soon("一周内留中段尿复查尿蛋白,每天量血压。"),
        because="尿蛋白+",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "ANC-34",
        when=lambda f: has_symptom(f, SWOLLEN) and not at_least(f, "urine_protein", PLUS),
        then=soon("量血压、查尿蛋白;左侧卧抬高下肢,加重或头痛马上来。"),
        because="下肢水肿",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "ANC-35",
        when=lambda f: pregnant(f) and days(f) is None,
        then=soon("孕周不清:两周内到乡镇卫生院做B超定孕周,再补末次月经或预产期。"),
        because="末次月经不详,孕周没有定",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "ANC-41",
        when=lambda f: haemoglobin(f, 100, 110),
        then=Outcome(say="轻度贫血:多吃红肉、动物肝和深色蔬菜,按医嘱补铁,下次复查。"),
        because="血红蛋白100~109({haemoglobin} g/L)",
        source=safety(18, "A7、"),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANC-42",
        when=lambda f: pregnant(f) and first_visit(f) and f.age is not None and not 18 <= f.age < 35,
        then=Outcome(say="年龄小于18或满35岁:请乡镇卫生院做妊娠风险评估,并告知产前诊断。"),
        because="孕妇年龄小于18岁或满35岁({age}岁)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-43",
        when=lambda f: pregnant(f) and untested(f) and not by_telephone(f),
        then=Outcome(say="告知并督促:母婴阻断免费检测、产前筛查,首次产检一起做。"),
        because="第1次产前检查告知免费检测和产前筛查",
        source=NORM,
        certainty="[S:7][S:39]",
    ),
    Rule(
        "ANC-44",
        when=in_a_gap,
        then=Outcome(say="这次照常记,但孕13~15周、25~27周不算规范的五次之一。"),
        because="孕周在两个窗口之间({gestation})",
        source=safety(18, "A7、"),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANC-45",
        when=lambda f: pregnant(f) and by_telephone(f),
        then=Outcome(flags=("not_standard_visit",), say="电话问的不算一次产前检查:窗口内还要当面查。"),
        because="电话联系有记录,但不算产前检查",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-46",
        when=lambda f: f.get("pregnancy_status") == DELIVERED,
        then=Outcome(say="已分娩:出院后7天内上门做产后访视和新生儿访视,血压、恶露、情绪都要看。"),
        because="已经分娩,转入产后管理",
        source=NORM,
        certainty="[S:33b][K]",
    ),
    Rule(
        "ANC-47",
        when=lambda f: f.get("pregnancy_status") == ENDED,
        then=Outcome(say="妊娠已终止:注意出血、发热、情绪,有就马上就医;指导避孕和再孕时间。"),
        because="流产或引产,本次孕期管理结束",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "ANC-48",
        when=lambda f: pregnant(f) and days(f) is not None,
        then=Outcome(),
        because="孕周从末次月经第一天算({gestation},预产期{due_date})",
        source=NORM,
        certainty="[K]",
    ),
)


def abnormal(f: Findings) -> bool:
    """Something of what was looked at is not as it should be."""
    return found_something(ACT, f) or below(f, "haemoglobin", 110)


def looked_at(f: Findings) -> bool:
    measured = (
        "systolic",
        "weight",
        "fundal_height",
        "fetal_heart_rate",
        "urine_protein",
        "haemoglobin",
        "danger_signs",
    )
    return any(f.get(field) is not None for field in measured)


CLASSIFY = (
    Rule("ANC-01", lambda f: not pregnant(f), Outcome(), "已分娩或妊娠终止,不再分类", NORM, "[K]"),
    Rule("ANC-02", abnormal, Outcome(2), "有一项异常", NORM, "[K]"),
    Rule("ANC-03", lambda f: by_telephone(f) or not looked_at(f), Outcome(), "没有检查,不能分类", NORM, "[D]"),
    Rule("ANC-04", lambda f: True, Outcome(1), "检查的各项未见异常", NORM, "[K]"),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """
    从末次月经算:孕13周前、16~20周、21~24周、28~36周、37~40周各一次(按整周,20周+6天在16~20周内),下一个还没有做的窗口最后一天是期限。
    窗口都做完,预产期起问生了没有,最迟41周。转诊和专案的2周内追访。分娩后:出院7天内产后访视(不知道出院日的从分娩日算)。流产、引产结案。
    """
    due = next_visit_window(f)
    return soonest(due.last if due else None, asked(f, within))


def values(f: Findings) -> Mapping[str, object]:
    gone, began = days(f), began_on(f)
    return {
        "pressure": pressure_text(f.answers),
        "pulse": pulse_text(f),
        "signs": sign_words(f, DANGER_SIGNS),
        "gestation": f"孕{weeks_and_days(gone)}" if gone is not None else "孕周不详",
        "due_date": due_date(began) if began else "不详",
        "age": f.age,
    }


protocol = Protocol(
    code="antenatal",
    title="产前随访",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·孕产妇健康管理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=COMMON_SETTINGS,
    danger_signs=DANGER_SIGNS,
)
