"""日饮酒量: drink a day in 两 of spirit, whatever is drunk; what the norm has no equivalent for is asked (domain.md A0)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from handlers.steps import Answer, Found, Known, Number, any_of
from handlers.steps.base import characters
from handlers.steps.context import not_todays
from handlers.steps.number import of_another_period
from models.conversation import Doubt

# 日饮酒量 is told in 两 of spirit: 白酒1两 = 葡萄酒4两 = 黄酒半斤 = 啤酒1瓶 = 果酒4两 (follow-up form, domain A0).
# 米酒, 药酒 and beer in cans are not in the norm and are asked.
_LIANG_FOR_ONE = {"白酒": 1, "葡萄酒": 4, "红酒": 4, "果酒": 4, "黄酒": 5}
DRINKS = (*_LIANG_FOR_ONE, "啤酒")
_OTHERS = ("米酒", "甜酒", "水酒", "药酒", "补酒", "烧酒", "散酒", "谷酒", "苞谷酒", "包谷酒", "高粱酒", "洋酒")
_DRINK = any_of((*DRINKS, *_OTHERS))
_AMOUNT = re.compile(
    rf"(?:(?P<before>{_DRINK})[\s:是喝]*(?:[一1]天|每天|每日)?\s?)?(?<![\d./])(?P<number>\d+(?:\.\d+)?)(?![\d/])\s?"
    rf"(?P<measure>两|斤|瓶|杯|罐|碗|毫升|ml)(?:的?(?P<after>{_DRINK}))?",
    re.IGNORECASE,
)


class Spirit(NamedTuple):
    """两 of spirit, and the sentence that echoes how they were reckoned."""

    value: float | int
    said: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Alcohol(Number):
    """红酒四两 is 白酒一两, 啤酒两瓶 is 白酒二两; 米酒, or beer in glasses, is asked."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        yield from super().find(line, known)
        if "酒" not in characters(line):
            return
        for match in _AMOUNT.finditer(line):
            drink = match["before"] or match["after"]
            if drink:
                answer = self._drunk(drink, match)
                if of_another_period(line, *match.span(), self.per):
                    answer = self.asked_per(match[0], answer)
                elif answer.values and (why := not_todays(line, match.start())):
                    answer = Answer(
                        {}, Doubt(f"“{match[0]}”{why},对吗?", [(f"就是这次的,{match[0]}", answer.values), ("不记", {})])
                    )
                yield Found(*match.span(), answer, announced=True)

    def _drunk(self, drink: str, match: re.Match[str]) -> Answer:
        spirit = drink_to_spirit(drink, float(match["number"]), match["measure"])
        if spirit is None:
            return Answer({}, Doubt(f"“{match[0]}”相当于多少两白酒?(红酒4两、黄酒半斤、啤酒1瓶都算1两)", []))
        low, high = self.possible
        if not low <= spirit.value <= high:
            return Answer({}, Doubt(f"{spirit.said},不太可能,请再发一次{self.title}。", []))
        return Answer({self.field: spirit.value})


def drink_to_spirit(drink: str, amount: float | int, measure: str) -> Spirit | None:
    """Drink in 两 of spirit; None where the norm has no equivalent (米酒, 药酒, 啤酒 not in 瓶), which is asked.

    >>> drink_to_spirit("红酒", 4, "两").said
    '红酒4两 = 白酒1两'
    """
    if drink == "啤酒":
        liang = _exact(amount) if measure == "瓶" else None
    elif drink in _LIANG_FOR_ONE and measure in {"两", "斤"}:
        liang = _exact(amount) * (10 if measure == "斤" else 1) / _LIANG_FOR_ONE[drink]
    else:
        liang = None
    if liang is None:
        return None
    value = _plain(round_half_up(liang, 1))
    return Spirit(value, f"{drink}{_plain(amount)}{measure} = 白酒{value}两")


def round_half_up(value: Decimal | float | int, places: int = 0) -> float | int:
    """Half is rounded up, as people do it on paper (2.5 is 3, 6.95 is 7.0)."""
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return int(rounded) if places == 0 else float(rounded)


def _exact(value: float | int) -> Decimal:
    return Decimal(str(value))


def _plain(value: Decimal | float | int) -> float | int:
    number = float(value)
    return int(number) if number.is_integer() else number
