"""What the county decides about its figures: the settings that counters depend on, with what holds until it has. 统计口径

They come with the store (`CUNYI_RULES`), so that counting, recounting and showing cannot disagree. After a change of
one that counters depend on, `cunyi recount` puts them right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.orm import Session


class CountySetting(NamedTuple):
    """A question of the figures that no authority has settled."""

    default: Any
    meaning: str
    certainty: str


COUNTY_SETTINGS: Mapping[str, CountySetting] = {
    "signing.renewal_days": CountySetting(60, "到期后多少天内再签算续签(改后要重算:cunyi recount)", "[D] local,60或90"),
    "signing.fulfilment": CountySetting(
        "", "履约率怎么算:person 按人(约定项目全部完成的人数)、item 按项(完成项数);不设不计算(改后要重算)", "AMBIG,全国没有统一口径"
    ),
    "signing.package_items": CountySetting(
        None,
        "各服务包(1基础 2重点人群 3个性化)约定的项目代码和每年次数,0为按需;不设用默认清单,只作提示(改后要重算)",
        "[K-low],2025年基本服务包清单未见原文",
    ),
    "signing.phone_counts": CountySetting(False, "电话随访是否算履约次数(改后要重算)", "AMBIG"),
}  # fmt: skip


def county(session: Session) -> Mapping[str, Any]:
    """The county's settings by dotted name, as the store was opened with them."""
    found: Mapping[str, Any] = session.info.get("county", {})
    return found


def decided(rules: Mapping[str, Any], name: str) -> Any:
    """The county's answer, or the default."""
    return rules.get(name, COUNTY_SETTINGS[name].default)
