"""Newborn home visit: what has to go to hospital at once, and what within days. 新生儿家庭访视

新生儿访视技术规范 with domain.md M-1 and M-10. Temperature in °C, breaths and beats a minute, weights in kg. Equality
counts against the child: 37.5 and 35.5 °C are referred at once; 20 and 60 breaths, 100 and 160 beats are still normal.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import CONTACT, emergency, refer, safety
from handlers.protocols.findings import codes, has_sign, number, setting

NORM = "规范(第三版)·0~6岁儿童(新生儿家庭访视) / domain.md A8"
M10 = safety(10, "A8、")

NEWBORN_DAYS = 28
FULL_MONTH = (28, 42)  # days of life between which the check of the full month is planned [S:44b]
PALMS_AND_SOLES, TRUNK, LIMBS = 5, 3, 4  # jaundice: 1无 2面部 3躯干 4四肢 5手足
LOST = 0.10  # of the birth weight

DANGER_SIGNS = {
    "dull": "反应差、面色发灰、吸吮无力",
    "hard_breathing": "呼吸困难,或呼吸暂停伴发紫",
    "irregular_heart": "心律明显不齐",
    "pale_blue_cold": "苍白、青紫或手脚冰凉",
    "bleeding": "出血点、皮肤发硬、脓疱5个以上",
    "convulsion": "抽搐",
    "tense_fontanelle": "囟门鼓、张力高",
    "not_moving": "四肢不动、两边不一样,或软、不会握",
    "dehydration": "眼窝凹、尿少、皮肤没弹性",
    "eye_pus": "眼睑肿、眼红、脓多",
    "ear_pus": "耳朵流脓",
    "belly": "肚子胀又吐,或吐绿水",
    "navel": "脐部脓多、周围红肿或长肉芽",
    "first_day_jaundice": "出生24小时内就黄",
    "pale_stool": "大便发白",
    "none": "以上都没有",
}
EARLIER = ("none", "first_day_jaundice", "hard_breathing", "convulsion", "dull", "pale_blue_cold")
"""Signs that rules of their own have named already."""
REFER_SIGNS = {
    "feeding": "喂养困难",
    "skin": "皮疹、指(趾)甲周围红肿",
    "tears": "一直流泪或眼屎多",
    "neck_lump": "颈部包块",
    "murmur": "心脏杂音",
    "liver": "肝脾肿大",
    "malformation": "没查过的畸形",
    "none": "以上都没有",
}

SETTINGS = {
    "newborn.high_risk_days": Setting(None, "低出生体重、早产、双多胎、出生缺陷的新生儿多少天后再访", "[K-low]"),
}


def value(f: Findings, name: str) -> float | None:
    return number(f.get(name))


def temperature_alarms(f: Findings) -> bool:
    degrees = value(f, "temperature")
    return degrees is not None and (degrees >= 37.5 or degrees <= 35.5)


def breathing_alarms(f: Findings) -> bool:
    breaths = value(f, "respiration")
    return breaths is not None and not 20 <= breaths <= 60


def heart_alarms(f: Findings) -> bool:
    beats = value(f, "heart_rate")
    return beats is not None and not 100 <= beats <= 160


def lost_weight(f: Findings) -> float | None:
    """The share of the birth weight that is lost; None where one of the two is not known."""
    now, birth = value(f, "weight"), value(f, "birth_weight") or number(f.details.get("birth_weight"))
    return (birth - now) / birth if now is not None and birth else None


def signs_to_refer(f: Findings) -> bool:
    return bool(codes(f.get("refer_signs")) - {"none"}) or f.get("jaundice") in (TRUNK, LIMBS)


def high_risk(f: Findings) -> bool:
    birth, weeks = value(f, "birth_weight"), value(f, "gestational_weeks")
    small = birth is not None and birth < 2.5
    early = weeks is not None and weeks < 37
    return small or early or f.get("twins") == 2 or f.get("malformation") == 2


ACT = (
    Rule(
        "NEW-11",
        when=temperature_alarms,
        then=emergency("马上送医院:新生儿体温不正常可能是感染。冷的贴着妈妈胸口保暖,热的松开包被,不要喂退烧药。"),
        because="体温达到37.5℃或低到35.5℃({temperature}℃)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NEW-12",
        when=breathing_alarms,
        then=emergency("马上打120:呼吸不正常。头稍后仰、清理口鼻,不要喂奶,守到车来。"),
        because="呼吸每分钟少于20次或多于60次({respiration}次)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NEW-13",
        when=heart_alarms,
        then=emergency("马上送医院:心率不正常;叫不醒或发紫打120。"),
        because="心率每分钟低于100次或高于160次({heart_rate}次)",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "NEW-14",
        when=lambda f: f.get("jaundice") == PALMS_AND_SOLES or has_sign(f, "first_day_jaundice"),
        then=emergency("今天就送医院:黄疸重,会伤脑子。不要晒太阳等着,也不要停母乳。"),
        because="黄到手掌脚底,或出生24小时内就黄",
        source=M10,
        certainty="[K][D] 95 %",
    ),
    Rule(
        "NEW-15",
        when=lambda f: has_sign(f, "hard_breathing", "convulsion", "dull", "pale_blue_cold"),
        then=emergency("马上打120:孩子情况危险。侧卧、保暖、清理口鼻,不要喂奶喂水,守到车来。"),
        because="呼吸困难或暂停、抽搐、反应差,或苍白青紫、手脚冰凉",
        source=M10,
        certainty="[D] 95 %",
    ),
    Rule(
        "NEW-16",
        when=lambda f: has_sign(f, *(code for code in DANGER_SIGNS if code not in EARLIER)),
        then=emergency("今天就送医院:这是新生儿立即转诊的情况,路上保暖,不要等。"),
        because="有立即转诊的征象({signs})",
        source=M10,
        certainty="[K][D] 95 %",
    ),
    Rule(
        "NEW-17",
        when=lambda f: (lost_weight(f) or 0) > LOST,
        then=refer("一两天内去医院看:体重掉得太多,先看喂奶够不够。"),
        because="体重比出生时少了10%以上({lost}%)",
        source=M10,
        certainty="[D] 95 %",
    ),
    Rule(
        "NEW-18",
        when=signs_to_refer,
        then=refer("建议转到乡镇卫生院或医院儿科看,两周内问结果。"),
        because="喂养困难、躯干或四肢黄、皮疹、溢泪、包块、杂音、肝脾大或畸形",
        source=M10,
        certainty="[D] 95 %",
    ),
    *CONTACT[1:],
    Rule(
        "NEW-31",
        when=high_risk,
        then=Outcome(say="低体重、早产、双胎或有缺陷的孩子要多访几次;提醒按时做听力、眼底和疾病筛查复查。"),
        because="出生体重不到2.5公斤、不满37周、双多胎或出生缺陷",
        source=NORM,
        certainty="[S:33b][S:50]",
    ),
    Rule(
        "NEW-32",
        when=lambda f: True,
        then=Outcome(say="母乳按需喂,脐部保持干燥,按时接种;满月到乡镇卫生院体检、打乙肝第2针。"),
        because="新生儿家庭访视;下次是满月检查",
        source=NORM,
        certainty="[S:33b]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """转诊的两周内追访;高危的按县里设置的天数再访;其余出生28天起做满月检查,最迟42天。"""
    if within is not None:
        return f.on + timedelta(days=within)
    again = setting(f, SETTINGS, "newborn.high_risk_days")
    if high_risk(f) and again:
        return f.on + timedelta(days=again)
    return max(f.born_on + timedelta(days=FULL_MONTH[1]), f.on + timedelta(days=1)) if f.born_on else None


def values(f: Findings) -> Mapping[str, object]:
    lost = lost_weight(f)
    shown = {
        name: "未测" if (v := value(f, name)) is None else f"{v:g}"
        for name in ("temperature", "respiration", "heart_rate")
    }
    signs = "、".join(label for code, label in DANGER_SIGNS.items() if code != "none" and has_sign(f, code))
    return {**shown, "lost": "—" if lost is None else round(lost * 100), "signs": signs}


protocol = Protocol(
    code="newborn",
    title="新生儿家庭访视",
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
