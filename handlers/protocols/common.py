"""What several protocols share: two in a row, the quarter's calendar, and the rules any form has. 通用规则

The shared rules have ids of their own (ANY-…), because they are the same rule wherever they fire.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise

from handlers.decisions import Findings, Outcome, PastVisit, Rule, Setting, Urgency
from handlers.protocols.findings import (
    REACTION,
    Answers,
    before,
    by_telephone,
    diastolic_below,
    has_sign,
    has_symptom,
    pregnant_or_postpartum,
    pressure,
    pressure_reaches,
    pulse,
    readings,
    setting,
    systolic_below,
    tells_a_value,
    told,
)

TWO_WEEKS = 14  # days; 2周内随访
QUARTER_DAYS = 92  # days; at least four visits a year (domain.md K, next_days.ok)
REVISIT_WITHIN = 28  # days; a two-week re-visit that came up to two weeks late is still one [D]


# Two in a row (domain.md M-5)

Unmet = Callable[[Answers, int | None], bool | None]  # answers, age -> the target was missed; None: not assessed


def last_missed(f: Findings, unmet: Unmet) -> PastVisit | None:
    """The last visit that assessed the value, if it missed the target. A told value settles nothing downwards (M-16)."""
    for visit in before(f):
        missed = unmet(visit.answers, f.age if visit.age is None else visit.age)
        if missed or (missed is False and not told(visit.answers, visit.mode)):
            return visit if missed else None
    return None


def last_reaction(f: Findings) -> PastVisit | None:
    """The last visit that asked for a drug reaction, if there was one."""
    asked = next((visit for visit in before(f) if visit.answers.get("adverse_reaction") is not None), None)
    return asked if asked and asked.answers["adverse_reaction"] == REACTION else None


def second_in_a_row(f: Findings, unmet: Unmet, like_with_like: bool) -> PastVisit | None:
    """The earlier visit that makes today's missed target or reaction the second running, if there is one.

    Decided from findings, not classes. The norm names both findings in one breath, so one may follow the other
    unless the county compares like with like.
    """
    missed, reaction = last_missed(f, unmet), last_reaction(f)
    earlier: list[PastVisit | None] = []
    if unmet(f.answers, f.age):
        earlier += [missed] if like_with_like else [missed, reaction]
    if f.get("adverse_reaction") == REACTION:
        earlier += [reaction] if like_with_like else [reaction, missed]
    return next((visit for visit in earlier if visit), None)


def earlier_words(f: Findings, visit: PastVisit | None) -> dict[str, object]:
    """What the reason of a two-in-a-row rule tells: when it was, and how long ago."""
    return {"earlier_on": visit.on if visit else "—", "gap": (f.on - visit.on).days if visit else "—"}


# The quarter's calendar (domain.md M-14)


def last_day_of_quarter(day: date, later: int = 0) -> date:
    """The last day of the calendar quarter of `day`, or of the one `later` quarters on."""
    quarter = day.year * 4 + (day.month - 1) // 3 + later + 1  # the quarter after the wanted one
    return date(quarter // 4, quarter % 4 * 3 + 1, 1) - timedelta(days=1)


def quarterly(on: date, slot_on: date) -> date:
    """The earlier of 92 days from `on` and the last day of the quarter after the one filled on `slot_on`."""
    ends = (last_day_of_quarter(slot_on, 1), last_day_of_quarter(on), last_day_of_quarter(on, 1))
    return min(on + timedelta(days=QUARTER_DAYS), next(end for end in ends if end > on))


def slot_filled_on(f: Findings, standard: Callable[[PastVisit], bool]) -> date:
    """The day of the visit that filled the latest quarterly slot, this one included; two-week re-visits fill none."""
    visits = [*(visit for visit in reversed(before(f)) if standard(visit)), today(f)]
    filled = visits[0].on
    for previous, visit in pairwise(visits):
        if previous.classification == 1 or (visit.on - previous.on).days > REVISIT_WITHIN:
            filled = visit.on
    return filled


def today(f: Findings) -> PastVisit:
    """This visit in the shape of an earlier one, to be judged by the same question."""
    return PastVisit(f.on, "", f.get("mode"), None, f.answers, f.age)


def next_visit(f: Findings, within: int | None, *, standard: Callable[[PastVisit], bool], revisit_counts: bool) -> date:
    """When the patient is seen next.

    1. Face to face with a reading: within the days the rules ask for, else the quarterly date (domain.md M-14).
    2. A call, or a visit without a reading, fulfils nothing: the standing date stays, or comes forward to the days
       the rules ask for (domain.md M-4). Where no date stands in the future, a visit is owed within 14 days.
    """
    asked = f.on + timedelta(days=within) if within is not None else None
    if standard(today(f)):
        return asked or quarterly(f.on, f.on if revisit_counts else slot_filled_on(f, standard))
    standing = f.due_on if f.due_on and f.due_on > f.on else None
    return min(filter(None, (asked, standing)), default=f.on + timedelta(days=TWO_WEEKS))


# The rules any form has

NORM = "规范(第三版)·高血压、糖尿病 / domain.md A1、A2"
COMMON_SETTINGS = {
    "pregnancy.watch_from_120_80": Setting(False, "孕产妇血压120~139/80~89也列为观察,两周内复测", "AMBIG, M-9"),
}
COMMON_SIGNS = {
    "altered_consciousness": "意识不清、叫不醒或行为反常",
    "fainting": "晕倒过",
    "convulsion": "抽搐",
    "one_sided_or_speech": "口角歪、一侧手脚无力或说话不清",
    "chest_pain_10min": "胸痛或胸闷满10分钟",
    "chest_pain": "胸痛或胸闷,不到10分钟",
}
COLLAPSE = ("altered_consciousness", "fainting", "chest_pain", "chest_pain_10min", "cold_sweat", "sweating_palpitation")


def safety(n: int, also: str = "") -> str:
    """The source of a safety correction, as the doctor and as the engineers read it."""
    return f"安全修正第{n}条 / domain.md {also}M-{n}"


def emergency(say: str) -> Outcome:
    """处理后紧急转诊, 2周内主动随访转诊情况."""
    return Outcome(urgency=Urgency.EMERGENCY, refer=True, next_days=TWO_WEEKS, say=say)


def refer(say: str, *flags: str) -> Outcome:
    """建议转诊, 2周内主动随访转诊情况."""
    return Outcome(urgency=Urgency.REFER, refer=True, next_days=TWO_WEEKS, say=say, flags=flags)


def soon(say: str, *flags: str) -> Outcome:
    """2周内随访."""
    return Outcome(urgency=Urgency.SOON, next_days=TWO_WEEKS, say=say, flags=flags)


ANY_FORM = (
    Rule(
        "ANY-01",
        when=lambda f: has_sign(f, "one_sided_or_speech"),
        then=emergency("马上打120:可能是中风。记下发病时间,让病人侧卧,不喂水不喂药,不要等。"),
        because="口角歪、一侧手脚无力或说话不清,血压多少都一样",
        source=safety(17),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANY-02",
        when=lambda f: has_sign(f, "chest_pain_10min"),
        then=emergency("马上打120:可能是心梗。让病人停止活动、半卧休息,不要自己走动,守到救护车来。"),
        because="胸痛或胸闷满10分钟,血压多少都一样",
        source=safety(17),
        certainty="[D] 80 %",
    ),
    Rule(
        "ANY-03",
        when=lambda f: has_sign(f, "altered_consciousness", "fainting", "convulsion"),
        then=emergency("马上打120:让病人侧卧、保持呼吸通畅,不喂任何东西,守到救护车来。"),
        because="意识不清、行为反常、晕倒或抽搐",
        source=NORM,
        certainty="[S:1][S:2],120 [K]",
    ),
)

CONTACT = (
    Rule(
        "ANY-21",
        when=tells_a_value,
        then=Outcome(flags=("self_reported", "not_standard_visit"), say="数值是本人告知的,请尽早当面测一次。"),
        because="数值由本人告知,不是当面测量:处置照算,公卫分类不计",
        source=safety(16),
        certainty="[D] 75 %",
    ),
    Rule(
        "ANY-22",
        when=by_telephone,
        then=Outcome(flags=("not_standard_visit",)),
        because="电话随访有记录,但不算面对面随访",
        source=NORM,
        certainty="[S:1][S:2]",
    ),
)


def low_or_odd_pulse(f: Findings, dizziness: tuple[int, ...]) -> bool:
    """Systolic < 90, pulse < 50 or > 120, or diastolic < 50 with dizziness (domain.md M-2)."""
    beats = pulse(f)
    dizzy = has_symptom(f, *dizziness) or has_sign(f, "fainting")
    return systolic_below(f, 90) or (beats is not None and not 50 <= beats <= 120) or (diastolic_below(f, 50) and dizzy)


CRITICAL_PRESSURE = Rule(
    "ANY-13",
    when=lambda f: pressure_reaches(f, 180, 110),
    then=emergency("马上紧急转诊:让病人静坐、有人守着,告诉乡镇卫生院,今天就送上级医院。"),
    because="收缩压达到180或舒张压达到110({pressure}),有没有症状都一样",
    source=NORM,
    certainty="[S:1][S:2]",
)
ONCE_CRITICAL = Rule(
    "ANY-16",
    when=lambda f: not pressure_reaches(f, 180, 110) and any(s >= 180 or d >= 110 for s, d in readings(f.answers)),
    then=soon("只有第一次测到危急值:今天静坐5分钟再测一次,再到180/110或有不舒服马上转诊。"),
    because="第一次读数达到180/110,复测和平均值({pressure})没有达到",
    source=safety(15),
    certainty="[D] 90 %",
)


def pressure_rules(
    *, dizziness: tuple[int, ...], headache: tuple[int, ...], blurred: tuple[int, ...]
) -> tuple[Rule, ...]:
    """Rules of every form that measures blood pressure; the arguments are that form's symptom codes."""

    def pre_eclampsia_sign(f: Findings) -> bool:
        return has_sign(f, "severe_headache", "sudden_vision", "upper_abdominal_pain", "abdominal_pain", "convulsion")

    def complains(f: Findings) -> bool:
        return has_symptom(f, *headache, *blurred)

    def low(f: Findings) -> bool:
        return low_or_odd_pulse(f, dizziness)

    return (
        Rule(
            "ANY-11",
            when=lambda f: (
                pregnant_or_postpartum(f)
                and (
                    pressure_reaches(f, 160, 110)
                    or pre_eclampsia_sign(f)
                    or (complains(f) and (pressure_reaches(f, 140, 90) or None in pressure(f.answers)))
                )
            ),
            then=emergency("马上打120:孕产妇可能是子痫前期。左侧卧、安静避光、有人守着,同时告诉乡镇卫生院。"),
            because=(
                "孕期或产后12周内,血压达到160/110({pressure}),或有剧烈头痛、看不清、上腹痛、抽搐,"
                "或头痛眼花而血压达到140/90或没有测"
            ),
            source=safety(9),
            certainty="[D] 90 %",
        ),
        Rule(
            "ANY-12",
            when=lambda f: low(f) and has_sign(f, *COLLAPSE),
            then=emergency("马上紧急转诊:让病人平卧、有人守着;没有车马上送就打120。"),
            because="收缩压低于90、脉搏低于50或高于120、或舒张压低于50伴头晕({pressure},脉搏{pulse}),又有意识改变、晕倒、胸痛或冷汗",
            source=safety(2),
            certainty="[D] 90 %",
        ),
        CRITICAL_PRESSURE,
        Rule(
            "ANY-14",
            when=lambda f: pregnant_or_postpartum(f) and (pressure_reaches(f, 140, 90) or complains(f)),
            then=refer("今天就转诊:联系乡镇卫生院安排产科看,不要等到下次随访。"),
            because="孕期或产后12周内,血压达到140/90({pressure})或有头痛眼花",
            source=safety(9, "A7、"),
            certainty="[D] 90 %",
        ),
        Rule(
            "ANY-15",
            when=lambda f: low(f) and not has_sign(f, *COLLAPSE),
            then=soon("静坐5分钟再测一次,问有没有晕倒、胸痛、冷汗,有就打120;没有,14天内请医生看用药是否过量。"),
            because="收缩压低于90、脉搏低于50或高于120、或舒张压低于50伴头晕({pressure},脉搏{pulse})",
            source=safety(2),
            certainty="[D] 90 %",
        ),
        ONCE_CRITICAL,
        Rule(
            "ANY-17",
            when=lambda f: (
                pregnant_or_postpartum(f)
                and bool(setting(f, COMMON_SETTINGS, "pregnancy.watch_from_120_80"))
                and pressure_reaches(f, 120, 80)
                and not pressure_reaches(f, 140, 90)
            ),
            then=soon("孕产妇血压偏高,两周内复测;头痛、看不清、上腹痛马上打120。"),
            because="孕期或产后12周内,血压120~139/80~89({pressure});由县里设置打开",
            source=safety(9),
            certainty="AMBIG,默认关闭",
        ),
    )
