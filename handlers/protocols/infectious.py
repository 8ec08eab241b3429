"""Infectious diseases: their class, and within how many hours they are reported. 传染病报告

甲类 and 乙类按甲类管理, and clusters of unknown cause, within 2 hours; other 乙类 and 丙类 within 24 hours. The village
doctor reports to the township, which reports to the national system (domain.md A13). The law was revised in 2025
(M-27): a county adds to the two-hour list by a setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from handlers.decisions import Findings, Outcome, Protocol, Rule, Setting, Urgency
from handlers.protocols.common import emergency, refer
from handlers.protocols.findings import at_least, setting

NORM = "规范(第三版)·传染病及突发公共卫生事件报告和处理 / domain.md A13"

CLASS_A, AS_CLASS_A, CLASS_B, CLASS_C, UNKNOWN = 1, 2, 3, 4, 5
CLASSES = {1: "甲类", 2: "乙类按甲类管理", 3: "乙类", 4: "丙类", 5: "突发原因不明"}
AT_ONCE, WITHIN_A_DAY = timedelta(hours=2), timedelta(hours=24)


class Disease(NamedTuple):
    """A disease of the law's list: its class, its title, and other words for it."""

    kind: int
    title: str
    words: tuple[str, ...] = ()


DISEASES: Mapping[int, Disease] = {
    1: Disease(CLASS_A, "鼠疫"),
    2: Disease(CLASS_A, "霍乱", ("二号病",)),
    3: Disease(AS_CLASS_A, "传染性非典型肺炎", ("非典", "SARS")),
    4: Disease(AS_CLASS_A, "肺炭疽"),
    5: Disease(UNKNOWN, "不明原因的聚集性疾病", ("不明原因", "原因不明", "聚集性发热", "聚集性病例")),
    10: Disease(CLASS_B, "麻疹"),
    11: Disease(CLASS_B, "病毒性肝炎", ("甲肝", "乙肝", "丙肝", "戊肝", "肝炎")),
    12: Disease(CLASS_B, "细菌性和阿米巴性痢疾", ("痢疾", "菌痢")),
    13: Disease(CLASS_B, "肺结核", ("结核病", "疑似肺结核")),
    14: Disease(CLASS_B, "伤寒和副伤寒", ("伤寒", "副伤寒")),
    15: Disease(CLASS_B, "流行性脑脊髓膜炎", ("流脑",)),
    16: Disease(CLASS_B, "流行性乙型脑炎", ("乙脑",)),
    17: Disease(CLASS_B, "百日咳"),
    18: Disease(CLASS_B, "白喉"),
    19: Disease(CLASS_B, "新生儿破伤风"),
    20: Disease(CLASS_B, "猩红热"),
    21: Disease(CLASS_B, "布鲁氏菌病", ("布病", "布氏杆菌病")),
    22: Disease(CLASS_B, "狂犬病"),
    23: Disease(CLASS_B, "流行性出血热", ("出血热",)),
    24: Disease(CLASS_B, "登革热"),
    25: Disease(CLASS_B, "疟疾", ("打摆子",)),
    26: Disease(CLASS_B, "血吸虫病"),
    27: Disease(CLASS_B, "钩端螺旋体病", ("钩体病",)),
    28: Disease(CLASS_B, "炭疽(肺炭疽除外)", ("皮肤炭疽", "炭疽")),
    29: Disease(CLASS_B, "脊髓灰质炎", ("小儿麻痹",)),
    30: Disease(CLASS_B, "人感染禽流感", ("禽流感", "H7N9")),
    31: Disease(CLASS_B, "新型冠状病毒感染", ("新冠", "新冠肺炎")),
    32: Disease(CLASS_B, "猴痘"),
    33: Disease(CLASS_B, "性病和艾滋病(只报专科)", ("淋病", "梅毒", "艾滋病", "HIV")),
    40: Disease(CLASS_C, "手足口病", ("手足口",)),
    41: Disease(CLASS_C, "流行性感冒", ("流感", "甲流", "乙流")),
    42: Disease(CLASS_C, "流行性腮腺炎", ("腮腺炎", "痄腮")),
    43: Disease(CLASS_C, "其他感染性腹泻病", ("感染性腹泻", "诺如", "轮状病毒")),
    44: Disease(CLASS_C, "风疹"),
    45: Disease(CLASS_C, "急性出血性结膜炎", ("红眼病",)),
    46: Disease(CLASS_C, "麻风病"),
    47: Disease(CLASS_C, "包虫病"),
    48: Disease(CLASS_C, "斑疹伤寒"),
    49: Disease(CLASS_C, "黑热病"),
    50: Disease(CLASS_C, "丝虫病"),
}

SETTINGS = {
    "infectious.also_two_hours": Setting(
        (), "还要在2小时内报告的病种代码(2025年修订的法律施行后由县里核对)", "[K-low],M-27"
    ),
}


def kind(f: Findings) -> int | None:
    disease = DISEASES.get(f.get("disease"))
    return disease.kind if disease else None


def at_once(f: Findings) -> bool:
    """Within two hours by its class, or by the county's own list."""
    return kind(f) in (CLASS_A, AS_CLASS_A, UNKNOWN) or f.get("disease") in setting(
        f, SETTINGS, "infectious.also_two_hours"
    )


def several(f: Findings) -> bool:
    """Cases that hang together may be an outbreak whatever the disease."""
    return at_least(f, "cases", CLUSTER)


CLUSTER = 3  # cases at one place within a week that the township has to look at the same day [D]

CLASSIFY = (
    *(
        Rule(
            f"INF-{code:02d}",
            when=lambda f, code=code: kind(f) == code,  # type: ignore[misc]
            then=Outcome(classification=code),
            because=f"属于{title}({{disease_title}})" if code != UNKNOWN else "突发原因不明的聚集性疾病",
            source=NORM,
            certainty="[K]",
        )
        for code, title in CLASSES.items()
    ),
    Rule(
        "INF-06",
        when=lambda f: True,
        then=Outcome(classification=None),
        because="不在法定传染病名单里,由乡镇卫生院判定",
        source=NORM,
        certainty="[D]",
    ),
)

ACT = (
    Rule(
        "INF-11",
        when=at_once,
        then=emergency(
            "2小时内必须报到:现在就打电话给乡镇卫生院,不要等。病人原地留观、戴口罩、单独房间,记下接触过的人。",
            "tell_township",
            within=1,
        ),
        because="甲类、乙类按甲类管理、突发原因不明(或县里指定的病种),2小时内报告",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "INF-12",
        when=several,
        then=refer(
            "同一地方有多例:今天就请乡镇卫生院来看,可能是暴发。病人隔离,别让学校和宴席再聚集。",
            "tell_township",
            within=1,
        ),
        because="一周内同一地方3例及以上",
        source=NORM,
        certainty="[D]",
    ),
    Rule(
        "INF-13",
        when=lambda f: True,
        then=Outcome(say="24小时内报到乡镇卫生院,由卫生院网络直报。", flags=("tell_township",)),
        because="传染病病例或疑似病例,24小时内报告",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """报告有时限,没有随访日期:甲类、乙类按甲类管理和原因不明的2小时,其余24小时,由乡镇卫生院确认收到。"""
    return None


def hours(f: Findings) -> timedelta:
    """How long there is from noticing the case to reporting it."""
    return AT_ONCE if at_once(f) else WITHIN_A_DAY


def values(f: Findings) -> Mapping[str, object]:
    disease = DISEASES.get(f.get("disease"))
    return {"disease_title": disease.title if disease else "其他"}


protocol = Protocol(
    code="infectious",
    title="传染病报告",
    version="2017+M",
    source="国家基本公共卫生服务规范(第三版)·传染病及突发公共卫生事件报告和处理",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
    settings=SETTINGS,
)
