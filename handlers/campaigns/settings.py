"""What the county settles about campaigns, and the chapter of the rules page that lists kinds, tests and settings. 活动的设置"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handlers.decisions import Setting
from models.screening import KINDS, TESTS, Interval, Kind
from models.screening_results import CLOSE_WITHIN

DAYS_BEFORE, PLAN_DAYS_BEFORE = (7, 3, 1), (14, 7, 1, 0)
"""How many days before a campaign, and before a milestone is due, it is spoken of [D]."""

SETTINGS: Mapping[str, Setting] = {
    "campaign.lung_cancer.age_from": Setting(None, "肺癌筛查起始年龄(周岁)", "AMBIG"),
    "campaign.lung_cancer.age_to": Setting(None, "肺癌筛查最大年龄(周岁)", "AMBIG"),
    "campaign.colorectal_cancer.age_from": Setting(None, "结直肠癌筛查起始年龄(周岁),国家方案40或45", "AMBIG"),
    "campaign.colorectal_cancer.age_to": Setting(None, "结直肠癌筛查最大年龄(周岁),国家方案74", "[K]"),
    "campaign.breast_months": Setting(None, "乳腺癌筛查间隔(月);不设就只按宫颈癌的间隔", "AMBIG"),
    "campaign.gynaecology_months": Setting(None, "困难妇女妇科检查间隔(月);不设就每次都请", "AMBIG"),
    **{
        f"campaign.arrive_within.{test.code}": Setting(
            test.arrive_within, f"{test.heading}需追踪的,几天内应到院", "[D]"
        )
        for test in TESTS.values()
    },
    "campaign.days_before": Setting(list(DAYS_BEFORE), "活动前几天提醒还没通知的人", "[D]"),
    "plan.days_before": Setting(list(PLAN_DAYS_BEFORE), "计划阶段到期前几天提醒", "[D]"),
    "campaign.close_within": Setting(CLOSE_WITHIN, "筛查结果需追踪的,几天内应结案", "[D]"),
}


Rows = list[tuple[str, ...]]


def chapter() -> list[tuple[str, tuple[str, ...], Rows]]:
    """(title, heading, rows) of the tables that belong on the rules page."""
    kinds: Rows = [
        (
            k.title,
            k.rule.words() if k.rule else "由当地定,不设就问",
            "、".join(_intervals(k)) or "没有",
            k.source,
            k.caution,
        )
        for k in KINDS.values()
    ]
    settings: Rows = [
        (name, s.meaning, "不设" if s.default is None else str(s.default), s.certainty) for name, s in SETTINGS.items()
    ]
    return [
        ("对象与间隔", ("类别", "对象", "间隔期内不请", "依据", "登记里没有、要当面问的"), kinds),
        ("由县里决定的设置", ("名称", "含义", "默认", "确定程度"), settings),
    ]  # fmt: skip


def _intervals(kind: Kind) -> Iterator[str]:
    for interval in kind.intervals:
        title = TESTS[interval.test].title
        method = {"hpv": "(HPV)", "cytology": "(细胞学)"}.get(interval.method or "", "")
        yield f"{title}{method}{_length(interval)}"


def _length(interval: Interval) -> str:
    if interval.per == "calendar_year":
        return "本年内"
    if interval.per == "pregnancy":
        return "本次妊娠内"
    return f"{interval.months}个月内"
