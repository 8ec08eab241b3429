"""After a birth: the home visit within a week of discharge, and the check at 42 days that closes the programme. 产后访视

《国家基本公共卫生服务规范(第三版)》孕产妇健康管理 with domain.md M-9. What concerns the mind is never named in a first sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import (
    ANY_FORM,
    COMMON_SETTINGS,
    COMMON_SIGNS,
    emergency,
    pressure_rules,
    refer,
)
from handlers.protocols.findings import (
    at_least,
    by_telephone,
    day_told,
    has_sign,
    number,
    pressure_text,
    pulse_text,
    setting,
)
from handlers.protocols.pregnancy import CLASSES, HOME_VISIT_DAYS, found_something
from handlers.protocols.windows import OnTime, asked, kept_open, soonest

NORM = "规范(第三版)·孕产妇 / domain.md A7"
HOME, CHECK = 1, 2
LATEST_HOME = 28  # days after discharge up to which a visit is a home visit without a question
CHECK_DAY = 42
TWELVE_WEEKS = 84  # days after the birth during which the pressure of a pregnancy is judged (M-9)
EXAMINED = ("general", "breasts", "lochia", "uterus", "wound")
ABNORMAL = 2
LOW, HARM = 2, 3

DANGER_SIGNS = {
    "heavy_bleeding": "大出血(1小时湿透1片夜用卫生巾)",
    "severe_headache": "头痛",
    "sudden_vision": "看东西模糊",
    "upper_abdominal_pain": "上腹痛",
    "breathless": "心慌气促、不能平卧",
    "leg_swelling": "一侧下肢肿痛",
    "foul_lochia": "恶露臭",
    "fever": "发热38℃以上",
    "cold_sweat": "出冷汗",
    **COMMON_SIGNS,
    "none": "以上都没有",
}
SETTINGS = {
    "maternal.check_until_day": Setting(56, "产后42天检查从第42天起,到第几天算按时", "[D],规范没有写窗口"),
    "maternal.scale_refer_from": Setting(None, "产后情绪量表达到几分就转诊", "[K-low],由县里定"),
    **COMMON_SETTINGS,
}


def delivered_on(f: Findings) -> date | None:
    return day_told(f, "delivered_on")


def left_on(f: Findings) -> date | None:
    """The day of discharge; while nobody knows it, the day of the birth."""
    return day_told(f, "discharged_on") or delivered_on(f)


def kind(f: Findings) -> int:
    return int(f.get("kind") or HOME)


def scale_is_high(f: Findings) -> bool:
    limit, score = setting(f, SETTINGS, "maternal.scale_refer_from"), number(f.get("mood_score"))
    return limit is not None and score is not None and score >= limit


def feverish(f: Findings) -> bool:
    return has_sign(f, "fever") or at_least(f, "temperature", 38)


def late(f: Findings) -> bool:
    """The first home visit, more than seven days after discharge."""
    left = left_on(f)
    first = not any(visit.service == "postpartum_visit" for visit in f.history)
    return kind(f) == HOME and first and left is not None and (f.on - left).days > HOME_VISIT_DAYS


def closes(f: Findings) -> bool:
    return kind(f) == CHECK and not by_telephone(f)


ACT = (
    *ANY_FORM,
    *pressure_rules(dizziness=(3,), headache=(), blurred=()),
    Rule(
        "PNV-11",
        when=lambda f: has_sign(f, "heavy_bleeding"),
        then=emergency("马上打120:按摩子宫、平卧保暖,不要离人,同时打电话给接生的医院。"),
        because="产后大出血",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNV-12",
        when=lambda f: f.get("mood") == HARM,
        then=emergency("身边不要离人,收好农药、药品和刀具,马上联系乡镇卫生院和县医院,今天就去看。"),
        because="有伤害自己或孩子的念头",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNV-13",
        when=lambda f: has_sign(f, "breathless", "leg_swelling"),
        then=emergency("马上转上级医院,急的打120:可能是血栓或心衰,不要按揉肿的腿。"),
        because="心慌气促不能平卧,或一侧下肢肿痛",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNV-21",
        when=lambda f: feverish(f) or has_sign(f, "foul_lochia"),
        then=refer("今天就转产科:可能是产褥感染,不要自己吃退烧药等。"),
        because="产后发热达到38℃,或恶露臭",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNV-22",
        when=lambda f: f.get("mood") == LOW or scale_is_high(f),
        then=refer("联系乡镇卫生院安排专业评估,叮嘱家里人多陪;有伤害自己的念头马上就医。"),
        because="产后情绪需要评估",
        source=NORM,
        certainty="[K][S:39]",
    ),
    Rule(
        "PNV-23",
        when=lambda f: any(f.get(part) == ABNORMAL for part in EXAMINED),
        then=refer("转乡镇卫生院或分娩医院检查处理,2周内追访。"),
        because="一般情况、乳房、恶露、子宫或伤口有异常",
        source=NORM,
        certainty="[S:33b][K]",
    ),
    Rule(
        "PNV-31",
        when=by_telephone,
        then=Outcome(flags=("not_standard_visit",), say="电话问的不算访视:还要上门看。"),
        because="电话联系有记录,但不算产后访视",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNV-32",
        when=late,
        then=Outcome(say="过了出院后7天,这次照常记;出院后28天内都计入产后访视率。"),
        because="出院7天以后才访视",
        source="规范(第三版)·孕产妇 / domain.md A7、B",
        certainty="1周 [S:33b][K],28天 [K]",
    ),
    Rule(
        "PNV-33",
        when=lambda f: kind(f) == HOME,
        then=Outcome(say="下次是产后42天健康检查:正常的到乡镇卫生院,有异常的回分娩医院。"),
        because="产后访视以后是产后42天健康检查",
        source=NORM,
        certainty="[S:39]",
    ),
    Rule(
        "PNV-34",
        when=lambda f: kind(f) == CHECK,
        then=Outcome(say="42天检查没有异常就结案;指导避孕、喂养和宝宝的体检接种。"),
        because="产后42天健康检查",
        source=NORM,
        certainty="[S:39][K]",
    ),
)


def looked_at(f: Findings) -> bool:
    fields = ("systolic", "temperature", "danger_signs", "mood", *EXAMINED)
    return any(f.get(field) is not None for field in fields)


CLASSIFY = (
    Rule("PNV-01", lambda f: found_something(ACT, f), Outcome(2), "有一项异常", NORM, "[K]"),
    Rule("PNV-02", lambda f: by_telephone(f) or not looked_at(f), Outcome(), "没有检查,不能分类", NORM, "[D]"),
    Rule("PNV-03", lambda f: True, Outcome(1), "检查的各项未见异常", NORM, "[K]"),
)


def window(f: Findings) -> OnTime | None:
    """When what comes next is on time; None when the programme is closed."""
    born = delivered_on(f)
    if closes(f) or born is None:
        return None
    check = born + timedelta(days=CHECK_DAY), born + timedelta(days=setting(f, SETTINGS, "maternal.check_until_day"))
    left = left_on(f) or born
    if by_telephone(f) and kind(f) == HOME and (f.on - left).days <= LATEST_HOME:
        return kept_open(f, left, left + timedelta(days=HOME_VISIT_DAYS))
    return kept_open(f, *check)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """
    出院后7天内上门访视(不知道出院日的从分娩日算);访视以后,产后第42天起做健康检查,到第56天算按时(设置),做完没有异常就结案。
    转诊的2周内追访。电话联系不算,这一次还要做。
    """
    due = window(f)
    return soonest(due.last if due else None, asked(f, within))


def values(f: Findings) -> Mapping[str, object]:
    return {"pressure": pressure_text(f.answers), "pulse": pulse_text(f)}


protocol = Protocol(
    code="postpartum",
    title="产后访视和产后42天健康检查",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·孕产妇健康管理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
