"""How glucose is read, in mmol/L, and the drugs that lower it. 血糖

The meter's "HI" and "LO" are values. A class takes a value as typed; an alarm takes the more severe of the value as
typed and rounded to one decimal, as the meter would show it (domain.md M-15).
"""

from __future__ import annotations

import math

from handlers.decisions import Findings
from handlers.protocols.findings import Answers, injects_insulin, medication_names, number, to_one_decimal

FASTING, AFTER_MEAL, RANDOM = "fasting_glucose", "postprandial_glucose", "random_glucose"
KINDS = {FASTING: "空腹", AFTER_MEAL: "餐后", RANDOM: "随机"}
NOT_MET = 7.0  # fasting; 7.0 itself is not controlled (domain.md A2)
LOW, HIGH = 3.9, 16.7  # an emergency at any time of the day, both included (domain.md A2)
DIABETIC_AFTER_FOOD = 11.1  # after a meal or at random

# Names as villages write them; 格列 alone would also catch 格列净, 格列汀 and 格列酮, which are neither.
ACARBOSE = ("阿卡波糖", "拜唐苹", "拜糖苹", "拜糖平", "卡博平", "伏格列波糖", "米格列醇")
SULPHONYLUREAS = (
    "格列本脲", "优降糖", "格列齐特", "达美康", "格列吡嗪", "美吡达", "瑞易宁", "格列喹酮", "糖适平", "格列美脲", "亚莫利", "消渴丸",
)  # fmt: skip
INSULINS = ("胰岛素", "诺和灵", "诺和锐", "诺和平", "优泌林", "优泌乐", "来得时", "长秀霖", "甘舒霖")


def glucose(answers: Answers, field: str) -> float | None:
    """As typed; the meter's HI is above and its LO below every threshold."""
    value = answers.get(field)
    if isinstance(value, str):
        return {"HI": math.inf, "LO": 0.0}.get(value.upper())
    return number(value)


def fasting(f: Findings) -> float | None:
    return glucose(f.answers, FASTING)


def all_values(f: Findings) -> list[float]:
    return [value for kind in KINDS if (value := glucose(f.answers, kind)) is not None]


def fed_values(f: Findings) -> list[float]:
    return [value for kind in (AFTER_MEAL, RANDOM) if (value := glucose(f.answers, kind)) is not None]


def reaches(value: float | None, threshold: float) -> bool:
    """For an alarm; equality counts."""
    return value is not None and max(value, to_one_decimal(value)) >= threshold


def low_glucose(f: Findings) -> bool:
    return any(min(value, to_one_decimal(value)) <= LOW for value in all_values(f))


def high_glucose(f: Findings) -> bool:
    return any(reaches(value, HIGH) for value in all_values(f))


def glucose_words(f: Findings) -> str:
    """The values of this visit, each with its kind."""
    shown = [f"{name}{f.get(kind)}" for kind, name in KINDS.items() if glucose(f.answers, kind) is not None]
    return "、".join(shown) or "未测血糖"


# --- the drugs ---


def takes(f: Findings, drugs: tuple[str, ...]) -> bool:
    return any(drug in name for name in medication_names(f) for drug in drugs)


def low_returns(f: Findings) -> bool:
    """A sulphonylurea or insulin is used: its hypoglycaemia can recur for a day or two."""
    return takes(f, SULPHONYLUREAS + INSULINS) or injects_insulin(f.answers)


def untreated(f: Findings) -> bool:
    """Said to take nothing. Not knowing is not untreated: a low value is then taken for a drug's."""
    return f.get("adherence") == 3 and not medication_names(f) and not injects_insulin(f.answers)
