"""The rules any form has: what is an emergency whatever the programme, and how a contact counts. 通用规则

The shared rules have ids of their own (ANY-…), because they are the same rule wherever they fire.
"""

from __future__ import annotations

from handlers.decisions import Findings, Outcome, Rule, Setting, Urgency
from handlers.protocols.findings import (
    by_telephone,
    diastolic_below,
    has_sign,
    has_symptom,
    pregnant_or_postpartum,
    pressure_now,
    pressure_reaches,
    pulse,
    readings,
    setting,
    systolic_below,
    tells_a_value,
)

TWO_WEEKS = 14  # days; 2周内随访


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


def emergency(say: str, *flags: str, within: int = TWO_WEEKS) -> Outcome:
    """处理后紧急转诊, 2周内主动随访转诊情况."""
    return Outcome(urgency=Urgency.EMERGENCY, refer=True, next_days=within, say=say, flags=flags)


def refer(say: str, *flags: str, within: int = TWO_WEEKS) -> Outcome:
    """建议转诊, 2周内主动随访转诊情况."""
    return Outcome(urgency=Urgency.REFER, refer=True, next_days=within, say=say, flags=flags)


def soon(say: str, *flags: str, within: int = TWO_WEEKS) -> Outcome:
    """2周内随访."""
    return Outcome(urgency=Urgency.SOON, next_days=within, say=say, flags=flags)


def short_chest_pain(id: str) -> Rule:
    """Chest pain that is not yet ten minutes old (domain.md M-17), for programmes that do not refer it at once."""
    return Rule(
        id,
        when=lambda f: has_sign(f, "chest_pain"),
        then=soon("胸痛不到10分钟:让病人休息,再痛或满10分钟打120;两周内请医生看。"),
        because="胸痛或胸闷,不到10分钟",
        source=safety(17),
        certainty="[D] 80 %",
    )


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
                    or (complains(f) and (pressure_reaches(f, 140, 90) or None in f.once(pressure_now)))
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
