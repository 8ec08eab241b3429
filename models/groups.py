"""Groups of the register that figures are asked for: whose words mean a key group, and whose poverty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

KEY_GROUPS = (
    "老年", "孕产", "孕妇", "产妇", "儿童", "残疾", "高血压", "糖尿病", "慢阻肺", "结核", "精神",
    "脱贫", "贫困", "监测", "低保", "特困", "计划生育特殊", "计生特殊",
)  # fmt: skip
"""重点人群: a group whose words contain one of these (domain.md D). Each person counts once, however many they are in."""

POOR_GROUPS = ("脱贫", "贫困", "低保", "特困", "监测")

STOCKS = {"general": (), "key": KEY_GROUPS, "poor": POOR_GROUPS}


def belongs(groups: Sequence[Any], kind: Sequence[str]) -> bool:
    """Does any of a resident's groups contain one of these words?"""
    return any(word in str(group) for group in groups for word in kind)
