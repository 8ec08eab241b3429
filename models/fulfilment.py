"""履约: what a package promises, what has been given of it, and since when all of it has (domain.md B, D).

A record of the item's service within the term is evidence by itself; what has no service of its own is confirmed by a
签约服务 record. Pure functions of rows, shared by the counters, the list of names and the resident's card.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from models.county import decided
from models.record import last_day

MARK = "item."
"""How a mark of a 签约服务 record begins that confirms an item: `item.health_education`."""
TELEPHONE, NOT_SEEN = 3, "not_seen"
OF_ILLNESS = {7, 8}
"""Groups of mental illness and tuberculosis: no message's first line may say that somebody is in them."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing a package may promise. `services` leave records that prove it; `groups` are whom it is for (none: everybody)."""

    code: str
    title: str
    words: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()

    @property
    def public_title(self) -> str:
        """As it may be read over a doctor's shoulder."""
        return "专项随访" if OF_ILLNESS & set(self.groups) else self.title


ITEMS: Mapping[str, Item] = {
    item.code: item
    for item in (
        Item("health_record", "健康档案建立或更新", ("建档", "更新档案", "健康档案"), ("health_record",)),
        Item("health_education", "健康教育", ("健康宣教", "宣教", "发资料", "健康教育")),
        Item("consultation", "健康咨询", ("咨询", "健康咨询", "用药咨询")),
        Item("appointment", "预约和转诊", ("预约", "转诊", "预约转诊"), ("appointment", "referral_up", "referral_down")),
        Item("elderly_check", "老年人体检", ("老年人体检", "老年体检", "年度体检", "体检"), ("elderly_check",), (1,)),
        Item("tcm_guidance", "体质辨识和中医指导", ("体质辨识", "中医指导", "中医药指导"), ("tcm_guidance",), (1,)),
        Item("hypertension_follow_up", "高血压随访", ("高血压随访", "血压随访"), ("hypertension_follow_up",), (2,)),
        Item("diabetes_follow_up", "糖尿病随访", ("糖尿病随访", "血糖随访"), ("diabetes_follow_up",), (3,)),
        Item("chronic_check", "慢病年度检查", ("慢病体检", "年度健康检查"), ("elderly_check",), (2, 3)),
        Item("antenatal_visit", "产前检查随访", ("产检", "产前随访"), ("antenatal_visit",), (4,)),
        Item("postpartum_visit", "产后访视", ("产后访视",), ("postpartum_visit",), (4,)),
        Item("child_check", "儿童健康检查", ("儿童体检", "儿保"), ("child_check", "newborn_visit"), (5,)),
        Item("vaccination", "预防接种", ("打预防针", "预防接种", "打疫苗"), ("vaccination",), (5,)),
        Item("rehabilitation_follow_up", "康复指导", ("康复", "康复指导"), ("rehabilitation_follow_up",), (6,)),
        Item("mental_health_follow_up", "专项随访", (), ("mental_health_follow_up",), (7,)),
        Item("tb_follow_up", "督导服药随访", (), ("tb_follow_up", "tb_first_visit"), (8,)),
        Item("copd_follow_up", "慢阻肺随访", ("慢阻肺随访",), ("copd_follow_up",), (11,)),
        Item("home_visit", "上门服务", ("上门服务", "上门", "走访"), ("home_visit",)),
        Item("medication_guidance", "用药指导", ("用药指导", "指导用药")),
    )
}  # fmt: skip
DEFAULT_PACKAGES: Mapping[str, Mapping[str, int]] = {
    "1": {
        "health_record": 1, "health_education": 1, "elderly_check": 1, "tcm_guidance": 1, "hypertension_follow_up": 4,
        "diabetes_follow_up": 4, "mental_health_follow_up": 4, "antenatal_visit": 5, "postpartum_visit": 1, "child_check": 1,
        "vaccination": 0, "consultation": 0, "appointment": 0,
    },
    "2": {"chronic_check": 1, "medication_guidance": 1, "copd_follow_up": 0, "rehabilitation_follow_up": 1},
    "3": {"home_visit": 1, "medication_guidance": 1},
}  # fmt: skip
"""Items of 基础包, 重点人群包 and 个性化包 and how often a year, 0 on demand: unverified (domain.md D), shown and never counted
until the county has said how its rate is worked out."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What the county has decided. `manner` is "" until it has: then nothing is counted."""

    manner: str
    packages: Mapping[str, Mapping[str, int]]
    by_phone: bool

    @classmethod
    def of(cls, rules: Mapping[str, Any]) -> Promise:
        packages = decided(rules, "signing.package_items") or DEFAULT_PACKAGES
        return cls(str(decided(rules, "signing.fulfilment")), packages, bool(decided(rules, "signing.phone_counts")))

    @staticmethod
    def is_settled(rules: Mapping[str, Any]) -> bool:
        """Has the county said what its packages hold?"""
        return bool(decided(rules, "signing.package_items"))

    @property
    def counts(self) -> bool:
        return self.manner in ("person", "item")

    def items(self, packages: Iterable[Any], groups: Iterable[Any], years: int) -> dict[str, int]:
        """Item -> how often in a term of so many years; of those that are for a group only where the resident is in it."""
        own = set(groups)
        wanted: dict[str, int] = {}
        for package in packages:
            for code, times in self.packages.get(str(package), {}).items():
                item = ITEMS.get(code)
                if item is not None and (not item.groups or own & set(item.groups)):
                    wanted[code] = max(wanted.get(code, 0), int(times) * years)
        return wanted


@dataclass(frozen=True, slots=True)
class Progress:
    """One promised item: how often it is due in the term, and the days on which it was given."""

    item: Item
    times: int
    days: tuple[date, ...]

    @property
    def done_on(self) -> date | None:
        """The day since when nothing is missing; of one on demand nothing ever is."""
        return self.days[self.times - 1] if 0 < self.times <= len(self.days) else None

    @property
    def missing(self) -> int:
        return max(0, self.times - len(self.days))

    def words(self) -> str:
        """'高血压随访 2/4'."""
        return (
            f"{self.item.title} {len(self.days)}/{self.times}"
            if self.times
            else f"{self.item.title} {len(self.days)}次"
        )


def progress(agreement: Any, records: Sequence[Any], promise: Promise) -> list[Progress]:
    """What one agreement promises and what the resident's current records prove of it."""
    last = last_day(agreement.ends_on, agreement.ended_on)
    wanted = promise.items(agreement.packages, agreement.groups, _years(agreement.starts_on, agreement.ends_on))
    inside = [r for r in records if r.status == "current" and agreement.starts_on <= r.on <= last]
    return [Progress(ITEMS[code], times, _evidence(ITEMS[code], inside, promise)) for code, times in wanted.items()]


def _evidence(item: Item, records: Iterable[Any], promise: Promise) -> tuple[date, ...]:
    """The days on which an item was given; several records of a day are one."""
    days = {
        record.on
        for record in records
        if f"{MARK}{item.code}" in record.marks or (record.service in item.services and _proves(record, promise))
    }
    return tuple(sorted(days))


def _proves(record: Any, promise: Promise) -> bool:
    """Whoever was not seen was given nothing; a call counts only where the county says so."""
    return NOT_SEEN not in record.flags and (promise.by_phone or record.mode != TELEPHONE)


def _years(starts: date, ends: date) -> int:
    return max(1, round((ends - starts).days / 365.25))


def fulfilled_since(agreement: Any, records: Sequence[Any], promise: Promise) -> date | None:
    """The day since when everything promised has been given; None while something is missing, or nothing was promised."""
    due = [one for one in progress(agreement, records, promise) if one.times]
    days = [one.done_on for one in due]
    return None if not days or None in days else max(day for day in days if day is not None)
