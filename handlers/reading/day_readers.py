"""From the words for a day to the day, or to a sentence that asks."""

import re
from calendar import isleap, monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Literal

from handlers.reading.chinese import DIGITS, small_number
from handlers.reading.day_words import HOLIDAYS, OFFSETS, WEEKDAYS, WEEKS_AWAY, YEARS_AWAY
from handlers.reading.lunar import in_calendar, read_lunar
from handlers.reading.numerals import read_number

Prefer = Literal["past", "future"]

# A visit typed as 11月25号 on 22 November is a slip and not last year's; on 5 January 12月28号 is last year's.
LONGEST_LOOK_BACK = timedelta(days=183)
# An agreement may end next spring, but a "next visit" some weeks ago is a slip.
JUST_PASSED = timedelta(days=60)
HOW_TO_WRITE = "请写成“11月8号”这样。"


class Doubt(Exception):
    """Why no day can be given, in a sentence for the person; `maybe` is a day to be offered with it."""

    def __init__(self, why: str, maybe: date | None = None) -> None:
        super().__init__(why)
        self.maybe = maybe


def add_months(day: date, months: int) -> date:
    """The same day some months on; from a 31st it ends on the last day of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(f"{day} and {months} months")
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def year_number(said: str, today: date) -> int:
    """ "2026", "二〇二六", "26": two digits are this century unless that lies more than ten years ahead."""
    digits = "".join(str(DIGITS.get(c, c)) for c in said)
    year = int(digits)
    if len(digits) > 2:
        return year
    return 2000 + year if 2000 + year <= today.year + 10 else 1900 + year


def day_of(year: int, month: int, day: int) -> date:
    if not 1 <= month <= 12:
        raise Doubt(f"没有{month}月，请再看一下是哪一天。")
    days = monthrange(year, month)[1] if 1900 <= year <= 2200 else 31
    if not 1 <= day <= days or not 1900 <= year <= 2200:
        leap = f"{year}年" if month == 2 else ""
        raise Doubt(f"{leap}{month}月没有{day}号（只有{days}天），请再看一下是哪一天。")
    return date(year, month, day)


def nearest(month: int, day: int, today: date, prefer: Prefer) -> date:
    """A day without a year, in the direction asked for."""
    other = today.year - 1 if prefer == "past" else today.year + 1
    if (month, day) == (2, 29) and not isleap(today.year) and isleap(other):
        leap_day = date(other, 2, 29)
        if abs(leap_day - today) <= LONGEST_LOOK_BACK:
            return leap_day
    this_year = day_of(today.year, month, day)
    if prefer == "past":
        if this_year <= today:
            return this_year
        last_year = day_of(today.year - 1, month, day)
        if today - last_year <= LONGEST_LOOK_BACK:
            return last_year
        raise Doubt(f"{month}月{day}号还没有到。如果是去年，请写“{last_year.year}年{month}月{day}号”。")
    if this_year >= today:
        return this_year
    if today - this_year <= JUST_PASSED:
        raise Doubt(f"{month}月{day}号已经过了。如果是明年，请写“{today.year + 1}年{month}月{day}号”。")
    return day_of(today.year + 1, month, day)


def _small(said: str) -> int:
    number = small_number(said)
    if number is None:
        raise Doubt(f"“{said}”是几号？{HOW_TO_WRITE}")
    return number


def _with_year(said: str, today: date, prefer: Prefer) -> date:
    year, month, day = (said[:4], said[4:6], said[6:]) if said.isdecimal() else re.findall(r"[^-./年月日号 ]+", said)
    return day_of(year_number(year, today), _small(month), _small(day))


def _said_year(said: str, today: date, prefer: Prefer) -> date:
    month, day = said[2:].lstrip("的 ").rstrip("日号").split("月")
    return day_of(today.year + YEARS_AWAY[said[:2]], _small(month), _small(day))


def _said_month(said: str, today: date, prefer: Prefer) -> date:
    away = WEEKS_AWAY[said[:2] if said[:2] in WEEKS_AWAY else said[0]]
    first = add_months(today.replace(day=1), away)
    return day_of(first.year, first.month, _small(said.split("月")[1].strip("份的日号 ")))


def _range(said: str, today: date, prefer: Prefer) -> date:
    raise Doubt(f"“{said}”是一段时间，请只写一天，例如“11月8号”。")


def _month_and_day(said: str, today: date, prefer: Prefer) -> date:
    month, day = (_small(part.strip()) for part in re.split("[-./月]", said.rstrip("日号")))
    return nearest(month, day, today, prefer)


def _day_of_month(said: str, today: date, prefer: Prefer) -> date:
    day, first = _small(said.rstrip("日号")), today.replace(day=1)
    if prefer == "past" and day > today.day:
        first = add_months(first, -1)
    elif prefer == "future" and day < today.day:
        first = add_months(first, 1)
    return day_of(first.year, first.month, day)


def _near_today(said: str, today: date, prefer: Prefer) -> date:
    return today + timedelta(days=next(days for word, days in OFFSETS if said.startswith(word)))


def _weekday(said: str, today: date, prefer: Prefer) -> date:
    if said.endswith("末"):
        raise Doubt(f"“{said}”是星期六还是星期天？{HOW_TO_WRITE}")
    weekday = WEEKDAYS[said[-1]]
    prefix = said[:2] if said[:2] in WEEKS_AWAY else said[0]
    if prefix in WEEKS_AWAY:
        return today + timedelta(days=7 * WEEKS_AWAY[prefix] + weekday - today.weekday())
    days = (weekday - today.weekday()) % 7
    return today + timedelta(days=days if prefer == "future" or days == 0 else days - 7)


_AWAY = re.compile(r"(?:再?过)?([^个天日周星礼月年]+)(个半|个)?(天|日|周|星期|礼拜|月|年半|年)")


def _away(said: str, today: date, prefer: Prefer) -> date:
    parts = _AWAY.match(said)
    number = read_number(parts[1]) if parts else None
    if parts is None or number is None or parts[2] == "个半":
        raise Doubt(f"“{said}”是哪一天？{HOW_TO_WRITE}")
    sign, unit = -1 if said.endswith("前") else 1, parts[3]
    if unit in {"年", "年半"}:
        months = number * 12 + (6 if unit == "年半" else 0)
        return add_months(today, sign * int(months))
    if unit == "月" and number == 0.5:
        return today + timedelta(days=sign * 15)
    if number != int(number):
        raise Doubt(f"“{said}”是哪一天？{HOW_TO_WRITE}")
    if unit == "月":
        return add_months(today, sign * int(number))
    return today + timedelta(days=sign * int(number) * (1 if unit in "天日" else 7))


def _lunar(said: str, today: date, prefer: Prefer) -> date:
    lunar = read_lunar(said)
    day = in_calendar(lunar, today, prefer) if lunar else None
    raise Doubt(f"“{said}”像是农历，请写公历（阳历）的日期，例如“11月8号”。", day)


def _holiday(said: str, today: date, prefer: Prefer) -> date:
    if said[-1] in "前后间期":
        raise Doubt(f"“{said}”是哪一天？请写成“10月1号”这样。")
    month, day = next(when for word, when in HOLIDAYS.items() if word in said)
    if said[:2] in YEARS_AWAY:
        return day_of(today.year + YEARS_AWAY[said[:2]], month, day)
    return nearest(month, day, today, prefer)


READERS: dict[str, Callable[[str, date, Prefer], date]] = {
    "with_year": _with_year,
    "said_year": _said_year,
    "said_month": _said_month,
    "range": _range,
    "month_and_day": _month_and_day,
    "labelled": _month_and_day,
    "bare": _month_and_day,
    "day_of_month": _day_of_month,
    "near_today": _near_today,
    "weekday": _weekday,
    "away": _away,
    "lunar": _lunar,
    "holiday": _holiday,
}
