"""A child's check by age, from the first month to the sixth year: what is looked at, when it is alarming, what comes next. 儿童健康检查

《国家基本公共卫生服务规范(第三版)》0~6岁儿童健康管理. Ages in completed months, haemoglobin in g/L.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import NamedTuple

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.ages import age_words, months_later, months_old
from handlers.protocols.common import emergency, refer
from handlers.protocols.findings import before, by_telephone, codes, has_sign, number, setting, sign_words
from handlers.protocols.windows import OnTime, asked, kept_open, soonest

NORM = "规范(第三版)·0~6岁儿童 / domain.md A8"
EYES = "儿童眼保健服务规范(2021) / domain.md A8"
TCM_NORM = "规范(第三版)·中医药健康管理 / domain.md A8、A10"
YEARLY = 48  # months; from here on once a year
LEAVES_AT = 7 * 12  # months; the programme is for children of 0 to 6 years
FIRST_CHECK_DAYS = 28  # 满月: 28 to 30 days; before that it is a newborn's home visit
FIRST_CHECK_UNTIL = 42  # days; a planning window of 28 to 42 days [S:44b]


class Slot(NamedTuple):
    """One check of the norm: its age in months, its title, and what belongs to it."""

    months: int
    title: str
    blood: bool = False
    hearing: bool = False
    vision: bool = False
    tcm: tuple[int, ...] = ()

    def opens(self, born_on: date) -> date:
        """The first day on which it counts."""
        return born_on + timedelta(days=FIRST_CHECK_DAYS) if self.months == 1 else months_later(born_on, self.months)

    def closes(self, born_on: date, grace_months: int) -> date:
        """The last day on which it is on time, so many months after the age is reached; of the first month day 42."""
        if self.months == 1:
            return born_on + timedelta(days=FIRST_CHECK_UNTIL)
        return months_later(born_on, self.months + grace_months) - timedelta(days=1)


RUB_BELLY, PINCH_SPINE, YINGXIANG, ZUSANLI, SISHENCONG = 1, 2, 3, 4, 5
TCM = {
    RUB_BELLY: "摩腹",
    PINCH_SPINE: "捏脊",
    YINGXIANG: "按揉迎香穴",
    ZUSANLI: "按揉足三里穴",
    SISHENCONG: "按揉四神聪穴",
}

SLOTS = (
    Slot(1, "满月"),
    Slot(3, "3月龄"),
    Slot(6, "6月龄", blood=True, hearing=True, tcm=(RUB_BELLY, PINCH_SPINE)),
    Slot(8, "8月龄", blood=True),
    Slot(12, "12月龄", hearing=True, tcm=(RUB_BELLY, PINCH_SPINE)),
    Slot(18, "18月龄", blood=True, tcm=(YINGXIANG, ZUSANLI)),
    Slot(24, "24月龄", hearing=True, tcm=(YINGXIANG, ZUSANLI)),
    Slot(30, "30月龄", blood=True, tcm=(SISHENCONG,)),
    Slot(36, "36月龄", hearing=True, tcm=(SISHENCONG,)),
    Slot(48, "4岁", blood=True, vision=True),
    Slot(60, "5岁", blood=True, vision=True),
    Slot(72, "6岁", blood=True, vision=True),
)
"""血常规 at 6-8, 18 and 30 months and yearly from 4 years; 听力 at 6, 12, 24, 36 months; 视力 from 4 years."""

SIX, EIGHT = 6, 8
ONE_TEST = tuple(slot for slot in SLOTS if slot.months in (SIX, EIGHT))

SETTINGS = {
    "child.grace_months": Setting(1, "3到36月龄的检查,满月龄后几个月内算按时", "[D],规范没有写窗口"),
    "child.yearly_grace_months": Setting(3, "4、5、6岁的检查,满岁后几个月内算按时", "[D],规范没有写窗口"),
    "child.early_days": Setting(14, "比月龄提前几天来检查,也算这一次(满月检查不提前)", "[D],规范没有写窗口"),
}
DANGER_SIGNS = {
    "convulsion": "抽搐",
    "altered_consciousness": "叫不醒、精神很差",
    "cannot_drink": "不能吃奶或喝水",
    "hard_breathing": "呼吸困难、口唇发紫",
    "dehydration": "频繁呕吐腹泻、尿少眼窝凹陷",
    "none": "以上都没有",
}
ANAEMIA, MARKED_ANAEMIA = 110, 90  # g/L, at 6 to 59 months
NOT_PASSED = ABNORMAL = 2
LOW = 3  # 下, of 1上 2中 3下
EXAMINED = (
    "fontanelle_look",
    "heart_lungs",
    "abdomen",
    "limbs",
    "hip",
    "neck_lump",
    "genitals",
    "skin",
    "ears",
    "mouth",
)


def slot_on(born_on: date, on: date, early_days: int = 14) -> Slot | None:
    """The check that a visit on a day is: the latest whose age is reached, or will be within a few days."""
    reached = [s for s in SLOTS if s.opens(born_on) <= on + timedelta(days=0 if s.months == 1 else early_days)]
    return reached[-1] if reached and months_old(born_on, on) < LEAVES_AT else None


def next_slot(born_on: date, on: date, early_days: int = 14) -> Slot | None:
    """The check after the one of this day; None when the child has had the last one, or leaves the programme."""
    this = slot_on(born_on, on, early_days)
    later = [slot for slot in SLOTS if this is None or slot.months > this.months]
    return later[0] if later and months_old(born_on, on) < LEAVES_AT else None


def this_slot(f: Findings) -> Slot | None:
    return slot_on(f.born_on, f.on, setting(f, SETTINGS, "child.early_days")) if f.born_on else None


def months(f: Findings) -> int | None:
    return months_old(f.born_on, f.on) if f.born_on else None


def weight_lost(f: Findings) -> float | None:
    """The weight of the last visit, where the child weighs less now, kg."""
    now = number(f.get("weight"))
    last = next((number(v.answers["weight"]) for v in before(f) if "weight" in v.answers), None)
    return last if now is not None and last is not None and now < last else None


def haemoglobin_below(f: Findings, limit: float) -> bool:
    value, age = number(f.get("haemoglobin")), months(f)
    return value is not None and age is not None and 6 <= age <= 59 and value < limit


def lacks(f: Findings, field: str) -> bool:
    return f.get(field) in (None, [], [0])


def belongs(f: Findings, what: Callable[[Slot], object]) -> bool:
    """Does this belong to the check made today? Nothing is examined over the telephone."""
    slot = this_slot(f)
    return slot is not None and bool(what(slot)) and not by_telephone(f)


def tested_already(f: Findings, slot: Slot) -> bool:
    """At eight months, where the blood was taken at six: from 6 to 8 months it is one test (domain.md A8)."""
    tested = [visit.on for visit in before(f) if number(visit.answers.get("haemoglobin"))]
    return slot.months == EIGHT and any(this_slot(replace(f, on=on)) in ONE_TEST for on in tested)


def grown_out(f: Findings) -> bool:
    age = months(f)
    return age is not None and age >= LEAVES_AT


ACT = (
    Rule(
        "CHD-11",
        when=lambda f: has_sign(f, *DANGER_SIGNS),
        then=emergency("马上送医院或打120:保持呼吸通畅、侧卧,抽搐时不掐不喂。"),
        because="有急症表现({signs})",
        source=NORM,
        certainty="[K] 儿童危险征象",
    ),
    Rule(
        "CHD-12",
        when=lambda f: haemoglobin_below(f, MARKED_ANAEMIA),
        then=refer("转乡镇卫生院或县妇幼查贫血原因,2周内追访结果。"),
        because="6~59月龄血红蛋白低于90({haemoglobin} g/L),中度以上贫血",
        source=NORM,
        certainty="110 [K],90 [K]",
    ),
    Rule(
        "CHD-13",
        when=lambda f: haemoglobin_below(f, ANAEMIA) and not haemoglobin_below(f, MARKED_ANAEMIA),
        then=Outcome(say="轻度贫血:指导添加含铁食物,按医嘱补铁,1个月后复查血红蛋白。", next_days=30),
        because="6~59月龄血红蛋白低于110({haemoglobin} g/L)",
        source=NORM,
        certainty="110 [K],1个月复查 [K]",
    ),
    Rule(
        "CHD-14",
        when=lambda f: LOW in (f.get("weight_grade"), f.get("length_grade")),
        then=refer("转乡镇卫生院儿保门诊:生长偏离要找原因,2周内追访。"),
        because="体重或身长(身高)评价为下",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-15",
        when=lambda f: weight_lost(f) is not None,
        then=refer("先复称一次;确实没长或减了,转乡镇卫生院儿保门诊找原因。"),
        because="体重比上次({last_weight} kg)还轻",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-16",
        when=lambda f: bool(codes(f.get("development")) - {0}),
        then=refer("转县妇幼保健院复筛:发育预警征或孤独症初筛要由专业机构判断。"),
        because="有心理行为发育预警征",
        source=NORM,
        certainty="[K] 预警征初筛、县级复筛",
    ),
    Rule(
        "CHD-17",
        when=lambda f: f.get("hearing") == NOT_PASSED,
        then=refer("转县妇幼或耳鼻喉科复查听力。"),
        because="听力筛查未通过",
        source=NORM,
        certainty="[K][S:51]",
    ),
    Rule(
        "CHD-18",
        when=lambda f: f.get("vision") == ABNORMAL or f.get("eyes") == ABNORMAL,
        then=refer("转县妇幼或眼科复查。"),
        because="视力或眼外观异常",
        source=EYES,
        certainty="[K][S:51]",
    ),
    Rule(
        "CHD-19",
        when=lambda f: bool(codes(f.get("rickets_signs")) - {1}) or any(f.get(part) == ABNORMAL for part in EXAMINED),
        then=refer("转乡镇卫生院儿保门诊进一步检查。"),
        because="有可疑佝偻病体征,或体格检查有一项异常",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-31",
        when=grown_out,
        then=Outcome(say="已满7周岁,0~6岁儿童健康管理到此结案。"),
        because="满7周岁({age})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-32",
        when=lambda f: belongs(f, lambda slot: slot.blood and not tested_already(f, slot)) and lacks(f, "haemoglobin"),
        then=Outcome(say="这次该查血常规(血红蛋白),还没有结果:请安排到乡镇卫生院查。"),
        because="6~8、18、30月龄和4~6岁要查血红蛋白({slot})",
        source=NORM,
        certainty="[S:50][S:51]",
    ),
    Rule(
        "CHD-33",
        when=lambda f: belongs(f, lambda slot: slot.hearing) and lacks(f, "hearing"),
        then=Outcome(say="这次该做听力筛查,还没有结果。"),
        because="6、12、24、36月龄要做听力筛查({slot})",
        source=NORM,
        certainty="[K][S:51]",
    ),
    Rule(
        "CHD-34",
        when=lambda f: belongs(f, lambda slot: slot.vision) and lacks(f, "vision"),
        then=Outcome(say="这次该查视力,还没有结果。"),
        because="4~6岁每年查视力({slot})",
        source=EYES,
        certainty="[S:51]",
    ),
    Rule(
        "CHD-35",
        when=lambda f: belongs(f, lambda slot: slot.tcm) and lacks(f, "tcm_methods"),
        then=Outcome(say="这次该教家长中医调养({tcm})。"),
        because="6、12、18、24、30、36月龄做中医药健康指导({slot})",
        source=TCM_NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-36",
        when=by_telephone,
        then=Outcome(flags=("not_standard_visit",), say="电话问的不算检查:这个月龄的检查还要当面做。"),
        because="电话联系有记录,但不算一次健康检查",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "CHD-41",
        when=lambda f: True,
        then=Outcome(),
        because="下次检查按规范的月龄(这次{age},{slot})",
        source=NORM,
        certainty="[S:50]",
    ),
)


def window(f: Findings) -> OnTime | None:
    """When the next check is on time; None when there is none any more."""
    if f.born_on is None:
        return None
    slot = next_slot(f.born_on, f.on, setting(f, SETTINGS, "child.early_days"))
    if by_telephone(f):
        slot = this_slot(f) or slot
    if slot is None:
        return None
    grace = setting(f, SETTINGS, "child.yearly_grace_months" if slot.months >= YEARLY else "child.grace_months")
    return kept_open(f, slot.opens(f.born_on), slot.closes(f.born_on, grace))


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """
    满月(28到42天)、3、6、8、12、18、24、30、36月龄和4、5、6岁各一次,日期从生日推算:满月龄的那天起可以做,一个月内算按时,
    4岁以后三个月内算按时(设置)。错过的月龄不补做,做离现在最近的一次。转诊的2周内追访,轻度贫血的1个月内复查,月龄检查更早的按月龄。6岁检查以后不再安排,满7周岁结案。
    电话联系不算检查,这一次还要做。
    """
    due = window(f)
    return soonest(due.last if due else None, asked(f, within))


def values(f: Findings) -> Mapping[str, object]:
    slot = this_slot(f)
    return {
        "age": age_words(f.born_on, f.on) if f.born_on else "月龄不详",
        "slot": slot.title if slot else "不在检查月龄",
        "tcm": "、".join(TCM[code] for code in slot.tcm) if slot else "",
        "last_weight": weight_lost(f),
        "signs": sign_words(f, DANGER_SIGNS),
    }


protocol = Protocol(
    code="child_check",
    title="0~6岁儿童健康检查",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·0~6岁儿童健康管理",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
