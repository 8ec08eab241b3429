"""Follow-up of people with pneumoconiosis: alarms, and an interval that the county has to set. 尘肺病患者随访

No national follow-up form of the basic public-health services was at hand (domain.md A11): how often somebody is seen
is a setting without a default, and a visit says so as long as the county has not set it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import ANY_FORM, CONTACT, TWO_WEEKS, emergency, refer
from handlers.protocols.findings import codes, has_sign, number, setting

NORM = "尘肺病患者随访管理(新划入项目) / domain.md A11"

SPO2_URGENT = 90  # per cent, at rest
BREATHLESS_AT_REST, BREATHLESS_INDOORS = 4, 3  # mMRC
ALIVE = 1

DANGER_SIGNS = {
    "sudden_chest_pain": "突然胸痛、气促加重(可能是气胸)",
    "haemoptysis": "咯血",
    "cyanosis": "口唇发紫",
    "altered_consciousness": "意识不清、叫不醒或嗜睡",
    "fever": "发热、痰变多变黄",
    "none": "以上都没有",
}
COMPLICATIONS = {1: "无", 2: "肺结核", 3: "气胸", 4: "肺心病", 5: "呼吸衰竭", 6: "肺部感染", 7: "其他"}
TUBERCULOSIS, INFECTION = 2, 6

SETTINGS = {
    "pneumoconiosis.visits_per_year": Setting(None, "每年随访几次", "[K-low]"),
}


def saturation(f: Findings) -> float | None:
    return number(f.get("spo2"))


def low_saturation(f: Findings) -> bool:
    value = saturation(f)
    return value is not None and value < SPO2_URGENT


def very_breathless(f: Findings) -> bool:
    return (number(f.get("mmrc")) or 0) >= BREATHLESS_AT_REST


def new_complication(f: Findings) -> bool:
    return bool(codes(f.get("complications")) - {1})


def not_set(f: Findings) -> bool:
    return not setting(f, SETTINGS, "pneumoconiosis.visits_per_year")


ACT = (
    *ANY_FORM,
    Rule(
        "PNE-11",
        when=lambda f: has_sign(f, "sudden_chest_pain"),
        then=emergency("马上打120:可能是气胸。让病人坐着、不要用力、不要走动,不要自己送。"),
        because="突然胸痛、气促加重",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-12",
        when=lambda f: has_sign(f, "haemoptysis"),
        then=emergency("马上紧急转诊:咯血。让病人侧卧、头低,把血咳出来,不要咽;量大马上打120。"),
        because="咯血",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-13",
        when=lambda f: low_saturation(f) or has_sign(f, "cyanosis"),
        then=emergency("马上紧急转诊:缺氧。有氧气的低流量(每分钟1~2升)吸上,坐着送,意识不清马上打120。"),
        because="静息血氧低于90%({spo2})或口唇发紫",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "PNE-14",
        when=very_breathless,
        then=refer("一两天内转到定点医院:穿衣、说话都喘,不要等到下次随访。"),
        because="呼吸困难4级:穿衣、脱衣或说话就喘",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "PNE-15",
        when=lambda f: new_complication(f) or has_sign(f, "fever"),
        then=refer("转定点医院看并发症:查胸片、查痰,肺结核要按传染病报告。"),
        because="有并发症,或发热、痰变多变黄",
        source=NORM,
        certainty="[K]",
    ),
    *CONTACT[1:],
    Rule(
        "PNE-16",
        when=not_set,
        then=Outcome(say="县里还没有设置尘肺病多久随访一次:下次日期请您自己定,点“补充其他项”填“下次随访”。"),
        because="尘肺病随访间隔全国没有统一规定,县里没有设置",
        source=NORM,
        certainty="[K-low]",
    ),
    Rule(
        "PNE-17",
        when=lambda f: True,
        then=Outcome(say="继续戒烟、防感冒、做呼吸锻炼;胸痛气促突然加重马上打120。"),
        because="病情平稳,按期随访",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """需要转诊的两周内追访;其余按县里设置的每年次数平均分开,没有设置就不排期,由医生自己定。"""
    if within is not None:
        return f.on + timedelta(days=min(within, TWO_WEEKS))
    times = setting(f, SETTINGS, "pneumoconiosis.visits_per_year")
    return f.on + timedelta(days=365 // int(times)) if times else None


def values(f: Findings) -> Mapping[str, object]:
    value = saturation(f)
    return {"spo2": "未测" if value is None else f"{value:g}%"}


protocol = Protocol(
    code="pneumoconiosis",
    title="尘肺病患者随访",
    version="2019+M",
    source="新划入基本公共卫生服务相关工作规范·职业病(尘肺病)",
    classifications={},
    classify=(),
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
    danger_signs=DANGER_SIGNS,
)
