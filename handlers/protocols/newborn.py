"""A newborn at home: who must be taken to hospital at once, who is to be seen there, and when the first check is. 新生儿访视

《国家基本公共卫生服务规范(第三版)》0~6岁儿童 and 新生儿访视技术规范 (domain.md A8), with what domain.md M-10 adds. °C, a minute, kg.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.ages import age_words
from handlers.protocols.child_check import SLOTS
from handlers.protocols.common import emergency, refer, safety
from handlers.protocols.findings import at_least, by_telephone, codes, has_sign, number, setting, sign_words
from handlers.protocols.windows import OnTime, asked, kept_open, soonest

NORM = "新生儿访视技术规范 / domain.md A8"
BOOK = "规范(第三版)·0~6岁儿童 / domain.md A8"
JAUNDICE = {1: "无", 2: "面部", 3: "躯干", 4: "四肢", 5: "手足"}
NO_JAUNDICE, FACE, TRUNK, LIMBS, HANDS = JAUNDICE
ABNORMAL = 2
MOST_LOST = 0.10  # of the weight at birth
LOW_BIRTH_WEIGHT, PRETERM_WEEKS = 2.5, 37  # kg, weeks

EXAMINED_TITLES = {
    "eyes": "眼睛",
    "ears": "耳外观",
    "nose": "鼻",
    "mouth": "口腔",
    "heart_lungs": "心肺听诊",
    "abdomen": "腹部触诊",
    "limbs": "四肢活动度",
    "neck_lump": "颈部包块",
    "skin": "皮肤",
    "anus": "肛门",
    "genitals": "外生殖器",
    "spine": "脊柱",
}
EXAMINED = tuple(EXAMINED_TITLES)

AT_ONCE = {
    "poor_response": "反应差、面色发灰、吸吮无力",
    "hard_breathing": "呼吸困难",
    "apnoea": "呼吸暂停伴发绀",
    "irregular_heart": "心律不齐",
    "cold_limbs": "四肢厥冷",
    "pale_or_blue": "皮肤苍白、发绀、出血点",
    "hard_skin": "硬肿",
    "pustules": "脓疱达到5个",
    "convulsion": "惊厥",
    "tense_fontanelle": "囟门张力高",
    "no_movement": "四肢无自主运动",
    "unequal_limbs": "四肢活动不对称",
    "floppy": "肌张力消失、无握持反射",
    "dehydration": "脱水(尿少、眼窝凹陷、皮肤弹性差)",
    "pus_eyes": "眼睑红肿或大量脓性分泌物",
    "pus_ear": "耳部流脓",
    "belly_vomiting": "腹胀伴呕吐",
    "green_vomit": "呕吐物发绿",
    "navel_infected": "脐轮红肿、流脓",
    "navel_granulation": "脐部肉芽",
}
"""立即转诊: the norm's list, then M-10's."""
BY_M10 = (
    "apnoea", "irregular_heart", "cold_limbs", "unequal_limbs", "floppy", "pus_ear", "belly_vomiting", "green_vomit", "navel_granulation",
)  # fmt: skip
TO_BE_SEEN = {
    1: "喂养困难",
    2: "皮疹或指趾甲周红肿",
    3: "流泪或眼分泌物粘",
    4: "颈部包块",
    5: "心脏杂音",
    6: "肝脾大",
    7: "以前没发现的畸形",
    8: "大便灰白",
}
"""建议转诊 (M-10)."""


SETTINGS = {
    "newborn.high_risk_days": Setting(None, "低出生体重、早产、双多胎、畸形的新生儿几天后再访一次", "[K-low]"),
}


def measured(f: Findings, field: str) -> float | None:
    return number(f.get(field))


def outside(f: Findings, field: str, low: float, high: float) -> bool:
    value = measured(f, field)
    return value is not None and not low <= value <= high


def temperature_alarms(f: Findings) -> bool:
    value = measured(f, "temperature")
    return value is not None and (value >= 37.5 or value <= 35.5)


def days_old(f: Findings) -> int | None:
    return (f.on - f.born_on).days if f.born_on else None


def yellow_on_the_first_day(f: Findings) -> bool:
    age = days_old(f)
    return age is not None and age <= 1 and at_least(f, "jaundice", FACE)


def birth_weight(f: Findings) -> float | None:
    return measured(f, "birth_weight") or number(f.details.get("birth_weight"))


def weight_lost(f: Findings) -> float | None:
    """The share of the birth weight that is gone; below nothing where the child has gained."""
    now, then = measured(f, "weight"), birth_weight(f)
    return round((then - now) / then, 4) if now and then else None


def lost_too_much(f: Findings) -> bool:
    lost = weight_lost(f)
    return lost is not None and lost > MOST_LOST


def at_risk(f: Findings) -> bool:
    """高危儿: light, early, twins or a malformation."""
    light = birth_weight(f)
    weeks = measured(f, "birth_weeks")
    return (
        (light is not None and light < LOW_BIRTH_WEIGHT)
        or (weeks is not None and weeks < PRETERM_WEEKS)
        or 5 in codes(f.get("birth_mode"))
        or f.get("malformation") == ABNORMAL
    )


ACT = (
    Rule(
        "NBV-11",
        when=temperature_alarms,
        then=emergency("立即转上级医院:体温不正常可能是感染。冷的贴着妈妈胸口保暖,热的松开包被,不喂退烧药。"),
        because="体温达到37.5或低到35.5({temperature}℃)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NBV-12",
        when=lambda f: outside(f, "respiration", 20, 60),
        then=emergency("马上打120:头稍后仰、清理口鼻,不要喂奶,守到车来。"),
        because="呼吸少于20或多于60次/分({respiration})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NBV-13",
        when=lambda f: outside(f, "heart_rate", 100, 160),
        then=emergency("安静时再数一分钟,还是这样立即转上级医院,有人陪着。"),
        because="心率少于100或多于160次/分({heart_rate})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NBV-14",
        when=lambda f: f.get("jaundice") == HANDS,
        then=emergency("立即转上级医院测胆红素:黄到手掌脚底会伤脑,不要晒太阳等着,也不要停母乳。"),
        because="皮肤黄染到手掌、足底",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NBV-15",
        when=lambda f: has_sign(f, *(sign for sign in AT_ONCE if sign not in BY_M10)),
        then=emergency("立即转上级医院,急的打120:保暖、侧卧、保持呼吸通畅。"),
        because="有立即转诊的情况({signs})",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NBV-16",
        when=lambda f: has_sign(f, *BY_M10),
        then=emergency("立即转上级医院,急的打120:保暖、侧卧、保持呼吸通畅。"),
        because="有立即转诊的情况({signs}),安全修正补充的",
        source=safety(10, "A8、"),
        certainty="[D] 95 %",
    ),
    Rule(
        "NBV-17",
        when=yellow_on_the_first_day,
        then=emergency("立即转上级医院测胆红素:出生一天内就黄,不是生理性的。"),
        because="出生一天内出现黄疸",
        source=safety(10, "A8、"),
        certainty="[D] 95 %",
    ),
    Rule(
        "NBV-21",
        when=lambda f: f.get("jaundice") in (TRUNK, LIMBS),
        then=refer("今天到乡镇卫生院或县医院测胆红素,不要靠晒太阳等。"),
        because="躯干或四肢明显黄染",
        source=safety(10, "A8、"),
        certainty="[D] 95 %",
    ),
    Rule(
        "NBV-22",
        when=lambda f: bool(codes(f.get("refer_signs")) - {0}),
        then=refer("建议转乡镇卫生院儿科看,2周内追访。"),
        because="有建议转诊的情况({reasons})",
        source=safety(10, "A8、"),
        certainty="[D] 95 %",
    ),
    Rule(
        "NBV-23",
        when=lost_too_much,
        then=refer("体重掉了一成以上:看喂养和尿量,今天转乡镇卫生院。"),
        because="体重比出生时少了10%以上({lost})",
        source=safety(10, "A8、"),
        certainty="[D] 95 %",
    ),
    Rule(
        "NBV-24",
        when=lambda f: any(f.get(part) == ABNORMAL for part in EXAMINED),
        then=refer("转乡镇卫生院进一步检查,2周内追访。"),
        because="体格检查有一项异常",
        source=BOOK,
        certainty="[K]",
    ),
    Rule(
        "NBV-25",
        when=lambda f: f.get("hearing") == 2,
        then=refer("42天内回筛查机构复筛听力,3月龄内确诊。"),
        because="听力筛查未通过",
        source="新生儿疾病筛查 / domain.md C",
        certainty="42天 [S:44b],3月 [K]",
    ),
    Rule(
        "NBV-26",
        when=lambda f: not codes(f.get("disease_screening")).isdisjoint({3, 4, 5}),
        then=refer("按筛查机构的召回尽快复查,确诊的2~4周内开始治疗。"),
        because="新生儿疾病筛查有一项要复查",
        source="新生儿疾病筛查 / domain.md C",
        certainty="[K]",
    ),
    Rule(
        "NBV-31",
        when=lambda f: 1 in codes(f.get("disease_screening")) or f.get("hearing") == 3,
        then=Outcome(say="还没做新生儿疾病筛查或听力筛查:出生72小时到7天采足跟血,早产和生病的20天内,请尽快补做。"),
        because="新生儿疾病筛查或听力筛查还没做",
        source="新生儿疾病筛查 / domain.md C",
        certainty="[S:53][K]",
    ),
    Rule(
        "NBV-32",
        when=at_risk,
        then=Outcome(say="高危新生儿:要增加访视次数,多看体温、吃奶、体重和黄疸。"),
        because="低出生体重、早产、双多胎或有畸形",
        source=BOOK,
        certainty="[S:33b][S:50]",
    ),
    Rule(
        "NBV-33",
        when=by_telephone,
        then=Outcome(flags=("not_standard_visit",), say="电话问的不算访视:还要上门看宝宝。"),
        because="电话联系有记录,但不算新生儿访视",
        source=BOOK,
        certainty="[K]",
    ),
    Rule(
        "NBV-34",
        when=lambda f: f.get("feeding") == 3,
        then=Outcome(say="人工喂养:问清母乳不够的原因,指导哺乳和奶具消毒。"),
        because="人工喂养",
        source=BOOK,
        certainty="[K]",
    ),
    Rule(
        "NBV-41",
        when=lambda f: True,
        then=Outcome(),
        because="新生儿访视以后是满月检查(出生{age})",
        source=BOOK,
        certainty="[K][S:44b]",
    ),
)


def window(f: Findings) -> OnTime | None:
    """When the first month's check is on time; after a call, this visit."""
    if f.born_on is None:
        return None
    if by_telephone(f):
        return kept_open(f, f.on, f.on)
    again = setting(f, SETTINGS, "newborn.high_risk_days")
    if again and at_risk(f):
        return OnTime(f.on, f.on + timedelta(days=again))
    month = SLOTS[0]
    return kept_open(f, month.opens(f.born_on), month.closes(f.born_on, 0))


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """
    出院后7天内上门;访视以后是满月检查,出生28到42天。转诊的2周内追访。高危新生儿增加访视次数,规范没有写间隔,县里设置了才按设置。
    """
    due = window(f)
    return soonest(due.last if due else None, asked(f, within))


def values(f: Findings) -> Mapping[str, object]:
    return {
        "age": age_words(f.born_on, f.on) if f.born_on else "日期不详",
        "signs": sign_words(f, AT_ONCE),
        "reasons": "、".join(TO_BE_SEEN[code] for code in sorted(codes(f.get("refer_signs")) - {0})),
        "lost": f"{weight_lost(f) or 0:.0%}",
    }


protocol = Protocol(
    code="newborn",
    title="新生儿家庭访视",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·0~6岁儿童健康管理、新生儿访视技术规范",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs={**AT_ONCE, "none": "以上都没有"},
)
