"""Lunar days put into the calendar, to be offered and never taken: the wrong calendar shifts weeks of pregnancy. 农历

腊月初三, 农历八月十五, 闰六月初一, 端午节. A day without a year is the nearest one in the direction asked for.
"""

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from handlers.reading.chinese import small_number

_MONTHS = {"正": 1, "冬": 11, "腊": 12}
_FEASTS = {"春节": (1, 1), "元宵": (1, 15), "端午": (5, 5), "中秋": (8, 15), "重阳": (9, 9), "腊八": (12, 8)}
_SAID = re.compile(
    r"(?:(?P<year>(?:19|20)\d\d)年\s?)?(?:农历|阴历|旧历|老历|古历)?\s?(?:(?P<leap>闰?)(?P<month>[\d正冬腊一二三四五六七八九十]{1,3})月)?"
    r"(?P<day>初?[\d一二三四五六七八九十廿卅]{1,3})[日号]?"
)


class LunarDay(NamedTuple):
    """`month` is negative in a leap month (闰六月 is -6) and 0 when it was not said; `day` 0 is the last of the month."""

    month: int
    day: int
    year: int | None = None


def read_lunar(said: str) -> LunarDay | None:
    """The lunar day that words mean; None where they name no single day (腊月, 清明节)."""
    if feast := next((day for name, day in _FEASTS.items() if said.startswith(name)), None):
        return LunarDay(*feast)
    if said.startswith(("除夕", "大年三十")):
        return LunarDay(12, 0)
    if said.startswith("大年"):
        said = f"正月{said[2:]}"
    match = _SAID.fullmatch(said)
    if match is None:
        return None
    month, day = _month(match["month"] or ""), _day(match["day"])
    if month is None or day is None:
        return None
    return LunarDay(-month if match["leap"] else month, day, int(match["year"]) if match["year"] else None)


@lru_cache(maxsize=64)
def in_calendar(lunar: LunarDay, today: date, prefer: str) -> date | None:
    """The calendar day, or None where there is none such (a leap month of another year, a 30th of a short month)."""
    from lunar_python import Solar  # 0.1 s: only when somebody speaks of a lunar day

    def lunar_of(day: date) -> Any:
        return Solar.fromYmd(day.year, day.month, day.day).getLunar()

    if lunar.month == 0:  # 初八: of this month, or of the one before or after it
        days = (today + timedelta(days=n if prefer == "future" else -n) for n in range(31))
        return next((day for day in days if lunar_of(day).getDay() == lunar.day), None)
    if lunar.year is not None:
        return _solar(lunar.year, lunar)
    this = lunar_of(today).getYear()
    around = [day for year in range(this - 1, this + 2) if (day := _solar(year, lunar))]
    if prefer == "past":
        return max((day for day in around if day <= today), default=None)
    return min((day for day in around if day >= today), default=None)


def _solar(year: int, lunar: LunarDay) -> date | None:
    from lunar_python import Lunar, LunarMonth

    month = LunarMonth.fromYm(year, lunar.month)
    if month is None:
        return None
    day = lunar.day or month.getDayCount()
    if day > month.getDayCount():
        return None
    solar = Lunar.fromYmd(year, lunar.month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())


def _month(said: str) -> int | None:
    if not said:
        return 0
    month = _MONTHS.get(said) or small_number(said)
    return month if month and 1 <= month <= 12 else None


def _day(said: str) -> int | None:
    plain = said.removeprefix("初").replace("卅", "三十").replace("廿", "二十")
    day = small_number(plain)
    return day if day and 1 <= day <= 30 else None
