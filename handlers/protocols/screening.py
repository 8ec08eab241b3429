"""Free screening: what each result calls for. A reaction to a first test is no diagnosis. 免费筛查结果

domain.md C with M-22. What is called early or late detection is the hospital's; the village doctor sees that the person
is told in private, goes, and that the end is known.
"""

from __future__ import annotations

from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import refer, soon
from handlers.protocols.findings import above, number, setting

NORM = "免费筛查项目方案 / domain.md C"

NEGATIVE, SUSPECT, POSITIVE, UNSUITABLE, REFUSED = range(1, 6)
DISCREET = ("hiv", "syphilis", "hepatitis_b")
HPV_16_18, HPV_OTHER = 2, 3
NILM = 1
BIRADS_UNCLEAR, BIRADS_SUSPECT = (0, 3), (4, 5, 6)

SETTINGS = {
    "screening.t21_one_in": Setting(270, "21三体风险达到几分之一转产前诊断", "[K],以实验室为准"),
    "screening.t18_one_in": Setting(350, "18三体风险达到几分之一转产前诊断", "[K],以实验室为准"),
}


def kind(f: Findings) -> str:
    return str(f.get("kind") or "")


def tracked(f: Findings) -> bool:
    return f.get("result") in (SUSPECT, POSITIVE)


def reactive(f: Findings) -> bool:
    return kind(f) in DISCREET and tracked(f)


def needs_colposcopy(f: Findings) -> bool:
    return kind(f) == "cervical" and (f.get("hpv_type") == HPV_16_18 or above(f, "tbs", NILM))


def needs_cytology(f: Findings) -> bool:
    return kind(f) == "cervical" and f.get("hpv_type") == HPV_OTHER and f.get("tbs") is None


def birads(f: Findings, grades: tuple[int, ...]) -> bool:
    return kind(f) == "breast" and f.get("birads") in grades


def high_risk_pregnancy(f: Findings) -> bool:
    """A risk of one in so many or more; 1:270 itself is high."""
    t21, t18 = number(f.get("t21_one_in")), number(f.get("t18_one_in"))
    return kind(f) == "prenatal" and (
        (t21 is not None and t21 <= setting(f, SETTINGS, "screening.t21_one_in"))
        or (t18 is not None and t18 <= setting(f, SETTINGS, "screening.t18_one_in"))
    )


def hearing_failed(f: Findings) -> bool:
    return kind(f) == "newborn" and f.get("hearing") == 2


def abnormal(f: Findings) -> bool:
    """Some finding that a negative result would contradict."""
    return (
        needs_colposcopy(f)
        or f.get("hpv_type") == HPV_OTHER
        or birads(f, BIRADS_UNCLEAR + BIRADS_SUSPECT)
        or high_risk_pregnancy(f)
        or hearing_failed(f)
    )


ACT = (
    Rule(
        "SCR-11",
        when=reactive,
        then=refer("这是初筛有反应,待复检,不是确诊:当面单独告诉本人,到县疾控或妇幼复检;不告诉家人、对方和旁人。"),
        because="检测有反应,待复检",
        source=NORM,
        certainty="[K][S:39]",
    ),
    Rule(
        "SCR-12",
        when=needs_colposcopy,
        then=refer("转县妇幼做阴道镜;结果出来问病理,一直追到结案。"),
        because="HPV16/18阳性或TBS异常",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SCR-13",
        when=needs_cytology,
        then=refer("其他高危型HPV阳性:转去做细胞学分流。"),
        because="其他高危型HPV阳性,还没有细胞学结果",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SCR-14",
        when=lambda f: birads(f, BIRADS_SUSPECT),
        then=refer("尽快转上级医院活检,陪着预约好;两周内问结果。"),
        because="BI-RADS 4类及以上(这次{birads}类)",
        source=NORM,
        certainty="[S:23]",
    ),
    Rule(
        "SCR-15",
        when=lambda f: birads(f, BIRADS_UNCLEAR),
        then=refer("转去做乳腺X线或请高级职称医生评估。"),
        because="BI-RADS 0类或3类,需要再评估(这次{birads}类)",
        source=NORM,
        certainty="[S:23]",
    ),
    Rule(
        "SCR-16",
        when=high_risk_pregnancy,
        then=refer("转产前诊断中心:这是风险高,不是孩子有病;当面讲清楚,孕22周前去。"),
        because="产前筛查高风险(21三体1/{t21_one_in},18三体1/{t18_one_in})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SCR-17",
        when=hearing_failed,
        then=refer("听力初筛没过:42天内带去复筛,3个月内诊断。"),
        because="新生儿听力筛查未通过",
        source=NORM,
        certainty="[S:44b]",
    ),
    Rule(
        "SCR-18",
        when=lambda f: kind(f) == "newborn" and tracked(f),
        then=refer("马上通知家长带去召回复查:甲低、苯丙酮尿症要在出生2到4周前开始治疗。"),
        because="新生儿疾病筛查可疑或阳性",
        source=NORM,
        certainty="[S:53][K]",
    ),
    Rule(
        "SCR-19",
        when=lambda f: tracked(f) and kind(f) not in (*DISCREET, "newborn"),
        then=refer("把结果当面告诉本人,转去复查或确诊;两周内问到了没有,一直追到结案。"),
        because="结果可疑或阳性",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "SCR-20",
        when=lambda f: f.get("result") == UNSUITABLE,
        then=soon("样本不合格:通知本人重新采样,这次不算做过。"),
        because="样本不合格",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "SCR-21",
        when=lambda f: f.get("result") == REFUSED,
        then=Outcome(say="自愿原则:记下原因,以后愿意了随时可以来。"),
        because="本人拒绝",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "SCR-23",
        when=lambda f: f.get("postponed") is not None,
        then=Outcome(say="这次没做,不算做过也不算拒绝:月经干净3天后、产后或下一场再来,名额保留。"),
        because="月经期、妊娠期或没到场,改期再做",
        source="免费筛查项目方案 / domain.md C、M-22",
        certainty="[D] 85 %",
    ),
    Rule(
        "SCR-22",
        when=lambda f: True,
        then=Outcome(),
        because="结果告知本人,按项目间隔再做",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """可疑、阳性和高风险的两周内问到了没有;样本不合格的两周内重采;其余没有日期,到了项目间隔由活动邀请。"""
    return f.on + timedelta(days=within) if within else None


protocol = Protocol(
    code="screening",
    title="免费筛查结果",
    version="2022+M",
    source="宫颈癌、乳腺癌筛查工作方案等免费筛查项目方案",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    settings=SETTINGS,
)
