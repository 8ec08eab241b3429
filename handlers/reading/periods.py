"""Periods as supervisors say them: first and last day, both inclusive, with a title that says exactly which days.

Words that lean on today (本月, 本周, 今年, …至今, …以来) end today, because figures are as of today. A period called by its
name (2026年, 11月, 2026Q4) is given whole, even when it is still running. A month, quarter or half-year without a year is
the latest one that has begun.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from handlers.reading.chinese import small_number
from handlers.reading.dates import add_months, find_day
from handlers.reading.day_readers import year_number
from handlers.reading.normalise import tidy
from handlers.reading.period_words import DAY_RANGE, PERIOD_YEARS, a_period


class Period(NamedTuple):
    """A span of days, both ends included, and what it is called."""

    first: date
    last: date
    title: str


def read_period(text: str, today: date) -> Period | None:
    """A whole answer or setting that is a period, and nothing else.

    >>> read_period("三季度", date(2026, 11, 22)).title
    '2026年第三季度'
    """
    found = find_period(text, today)
    return found[0] if found and not found[1].strip(" 的,。.") else None


def find_period(text: str, today: date) -> tuple[Period, str] | None:
    """The first period named in a text, and the text without it; None when there is none or its days do not exist."""
    text = tidy(text)
    for match in a_period().finditer(text):
        try:
            period = _READERS[str(match.lastgroup)](match[0].removesuffix("的").strip(), today)
        except (ValueError, OverflowError):
            period = None
        if period is not None and period.first <= period.last:
            rest = f"{text[: match.start()].rstrip()} {text[match.end() :].lstrip()}"
            return period, rest.strip()
    return None


def _days(first: date, last: date) -> Period:
    """A period under the name of its days; whole months, quarters and years get their short names."""
    if last == _month_end(last) and first == first.replace(day=1):
        months = (last.year - first.year) * 12 + last.month - first.month + 1
        if months == 1:
            return Period(first, last, f"{first.year}年{first.month}月")
        if months == 3 and first.month % 3 == 1:
            return Period(first, last, f"{first.year}年第{'一二三四'[first.month // 3]}季度")
        if months == 6 and first.month % 6 == 1:
            return Period(first, last, f"{first.year}年{'上半年' if first.month == 1 else '下半年'}")
        if months == 12 and first.month == 1:
            return Period(first, last, f"{first.year}年")
        year = f"{last.year}年" if last.year != first.year else ""
        return Period(first, last, f"{first.year}年{first.month}月至{year}{last.month}月")
    start = f"{first.year}年{first.month}月{first.day}日"
    if first == last:
        return Period(first, last, start)
    year = f"{last.year}年" if last.year != first.year else ""
    return Period(first, last, f"{start}至{year}{last.month}月{last.day}日")


def _month_end(day: date) -> date:
    return add_months(day.replace(day=1), 1) - timedelta(days=1)


def _months(first: date, count: int) -> Period:
    return _days(first, add_months(first, count) - timedelta(days=1))


def _number(said: str) -> int:
    number = small_number(said)
    if number is None:
        raise ValueError(said)
    return number


def _year_and_rest(said: str, today: date) -> tuple[int | None, str]:
    """The year at the head of what was said, or None."""
    if said[:2] in PERIOD_YEARS:
        return today.year + PERIOD_YEARS[said[:2]], said[2:].lstrip("的度 ")
    head = re.match(r"((?:19|20)\d\d)(?!\d)年?度?|(\d\d|[〇零一二三四五六七八九]{2,4})年度?", said)
    if head:
        return year_number(head[1] or head[2], today), said[head.end() :].lstrip("的 -./")
    return None, said


def _begun(month: int, year: int | None, today: date) -> date:
    """The first of a month; without a year, the latest that has begun."""
    first = date(year or today.year, month, 1)
    return first if year or first <= today else date(today.year - 1, month, 1)


def _relative(said: str, today: date) -> Period:
    monday, month = today - timedelta(days=today.weekday()), today.replace(day=1)
    quarter = date(today.year, (today.month - 1) // 3 * 3 + 1, 1)
    said = said.replace("个", "").replace("星期", "周").replace("礼拜", "周").replace("月份", "月")
    back = 2 if said.startswith("上上") else 1 if said[0] in "上" else 0
    if "周" in said:
        first = monday - timedelta(days=7 * back)
        return _days(first, first + timedelta(days=6) if back else today)
    first, count = (quarter, 3) if "季" in said else (month, 1)
    return _months(add_months(first, -count * back), count) if back else _days(first, today)


def _recent(said: str, today: date) -> Period | None:
    count, unit = re.findall(r"(\d+|[一二三四五六七八九十两半]+)个?(天|日|周|星期|礼拜|月|年|季度)", said)[0]
    number = 0 if count == "半" else 2 if count == "两" else int(count) if count.isdecimal() else _number(count)
    if unit in {"月", "年", "季度"} and (number or unit == "年"):
        months = number * {"月": 1, "年": 12, "季度": 3}[unit] or 6
        return _days(add_months(today, -months) + timedelta(days=1), today)
    if count != "半" and number < 1:
        return None
    days = number * (1 if unit in "天日" else 7) or 15
    return _days(today - timedelta(days=days - 1), today)


def _to_today(said: str, today: date) -> Period | None:
    said = re.sub("(?:到|至|-)?(?:今天?|现在|目前|为止)+$|以来$|起$", "", said).rstrip("的 ")
    if days := find_day(said, today, bare=True):
        return _days(days[0].on, today) if days[0].on else None
    period = read_period(said, today)
    return _days(period.first, today) if period else None


def _day_range(said: str, today: date) -> Period | None:
    parts = DAY_RANGE.fullmatch(said)
    if parts is None:
        return None
    year, plain = _year_and_rest(parts[1].rstrip("日号"), today)
    month, day = (_number(part) for part in re.split("[-./月]", plain))
    first, end = date(year or today.year, month, day), parts[2].rstrip("日号")
    if year is None and first > today:  # the latest that has begun
        first = first.replace(year=today.year - 1)
    if small_number(end) is not None:  # 11月1日到15日
        return _days(first, first.replace(day=_number(end)))
    year, plain = _year_and_rest(end, today)
    if year is None:
        month, day = (_number(part) for part in re.split("[-./月]", plain))
        last = date(first.year, month, day)
        return _days(first, last if last >= first else last.replace(year=first.year + 1))
    found = find_day(parts[2], today)
    return _days(first, found[0].on) if found and found[0].on else None


def _month_range(said: str, today: date) -> Period:
    year, rest = _year_and_rest(said, today)
    start, end = re.split("[-~到至]", rest)
    end_year, end = _year_and_rest(end, today)
    first_month, last_month = _number(start.strip("月份 ")), _number(end.strip("月份 "))
    over_new_year = first_month > last_month
    if year is None:
        last = _begun(last_month, end_year, today)
        year = last.year - over_new_year
    first = date(year, first_month, 1)
    return _days(first, _month_end(date(end_year or year + over_new_year, last_month, 1)))


def _part_of_month(said: str, today: date) -> Period:
    year, rest = _year_and_rest(said, today)
    if said[0] in "上本这":
        month = add_months(today.replace(day=1), -1 if said[0] == "上" else 0)
    else:
        month = _begun(_number(rest.split("月")[0]), year, today)
    start = {"上": 1, "中": 11, "下": 21}[said[-2]]
    first = month.replace(day=start)
    return _days(first, _month_end(month) if start == 21 else first + timedelta(days=9))


def _quarter(said: str, today: date) -> Period:
    year, rest = _year_and_rest(said, today)
    first, last = 1, 1
    if rest.startswith("前"):
        last = _number(re.sub("[前个季度]", "", rest))
    else:
        numbers = [_number(part) for part in re.findall("[1-4一二三四]", rest)]
        first, last = numbers[0], numbers[-1]
    start = _begun(first * 3 - 2, year, today)
    return _months(start, (last - first + 1) * 3)


def _half(said: str, today: date) -> Period:
    year, rest = _year_and_rest(said, today)
    return _months(_begun(1 if "上" in rest else 7, year, today), 6)


def _month(said: str, today: date) -> Period:
    year, rest = _year_and_rest(said, today)
    return _months(_begun(_number(rest.strip("月份 ")), year, today), 1)


def _maternal_year(said: str, today: date) -> Period:
    """妇幼年报 runs from October to September, and is called by the year in which it ends."""
    year, _ = _year_and_rest(said, today)
    year = year or today.year
    return Period(date(year - 1, 10, 1), date(year, 9, 30), f"{year}年妇幼年度（{year - 1}年10月1日至{year}年9月30日）")


def _year(said: str, today: date) -> Period:
    year, _ = _year_and_rest(said, today)
    if year is None or (year == today.year and not said[0].isdecimal()):  # 今年, 本年度, 全年
        return _days(date(today.year, 1, 1), today)
    return _months(date(year, 1, 1), 12)


def _one_day(said: str, today: date) -> Period | None:
    """A day without a year may also lie ahead: a free clinic on 12月8号."""
    for day in (*find_day(said, today), *find_day(said, today, prefer="future")):
        if day.on is not None:
            return _days(day.on, day.on)
    return None


_READERS: dict[str, Callable[[str, date], Period | None]] = {
    "to_today": _to_today,
    "day_range": _day_range,
    "part_of_month": _part_of_month,
    "one_day": _one_day,
    "maternal_year": _maternal_year,
    "quarter": _quarter,
    "half": _half,
    "month_range": _month_range,
    "month": _month,
    "relative": _relative,
    "recent": _recent,
    "year": _year,
}
