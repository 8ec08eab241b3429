"""Days as people say them. A day without a year is the nearest one in the direction asked for, or it is asked.

Weeks begin on Monday. A lunar day is only offered as a calendar day: the wrong calendar shifts weeks of pregnancy.
Whatever cannot be settled comes back as a doubt, a sentence for the person, and without a day.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from handlers.reading.day_readers import HOW_TO_WRITE, READERS, Doubt, Prefer, add_months
from handlers.reading.day_words import HINT_OF_DAY, VAGUE_DAY, any_day
from handlers.reading.normalise import tidy
from handlers.reading.numerals import read_number

__all__ = ["DayFound", "DayRead", "Prefer", "add_months", "find_day", "read_day"]


class DayFound(NamedTuple):
    """A day and where it stands in the text; exactly one of `on` and `doubt` is given, `maybe` only with a doubt."""

    start: int
    end: int
    on: date | None
    doubt: str | None = None
    maybe: date | None = None


class DayRead(NamedTuple):
    """The day that a whole answer is. Neither `on` nor `doubt`: nothing like a day was said."""

    on: date | None = None
    doubt: str | None = None
    maybe: date | None = None


def find_day(
    text: str, today: date, prefer: Prefer = "past", *, bare: bool = False, protected: Sequence[str] = ()
) -> list[DayFound]:
    """The days named in a tidied text, in order. `bare` also reads "12.20" and "10-8", which might be numbers.

    `protected` are names that look like days (周一鸣, 张国庆, 李明 in "李明早上150/90").
    """
    if not (bare or HINT_OF_DAY.search(text)):
        return []
    for word in sorted(filter(None, protected), key=len, reverse=True):
        text = text.replace(word, "\ue000" * len(word))
    return list(_found(text, today, prefer, bare))


@lru_cache(maxsize=256)
def _found(text: str, today: date, prefer: Prefer, bare: bool) -> tuple[DayFound, ...]:
    """Every form has several steps that look for a day in the same line."""
    found = []
    for match in any_day().finditer(text):
        if match.lastgroup == "bare" and not bare:
            continue
        try:
            on, doubt, maybe = READERS[str(match.lastgroup)](match[0], today, prefer), None, None
            if not 1900 <= on.year <= 2200:
                raise OverflowError(on)
        except Doubt as why:
            on, doubt, maybe = None, str(why), why.maybe
        except (OverflowError, ValueError):  # 9999年后
            on, doubt, maybe = None, f"“{match[0]}”是哪一天？{HOW_TO_WRITE}", None
        found.append(DayFound(match.start(), match.end(), on, doubt, maybe))
    return tuple(found)


def read_day(text: str, today: date, prefer: Prefer = "past") -> DayRead:
    """A whole answer read as one day; two different days, or a day that is denied, are asked.

    >>> read_day("上周五", date(2026, 11, 22)).on
    datetime.date(2026, 11, 13)
    """
    text = tidy(text)
    found = find_day(text, today, prefer, bare=True)
    if not found:
        return DayRead(None, _vague(text))
    if len({day.on for day in found}) > 1:
        return DayRead(None, "这里有两个日期，请只写一个，例如“11月8号”。")
    if "不是" in text:
        return DayRead(None, "请直接写是哪一天，例如“11月8号”。")
    return DayRead(found[0].on, found[0].doubt, found[0].maybe)


def _vague(text: str) -> str | None:
    """A time that is not one day, or a bare number that may be one, is asked by name."""
    if vague := VAGUE_DAY.search(text):
        return f"“{vague[0]}”是哪一天？{HOW_TO_WRITE}"
    number = read_number(text)
    if isinstance(number, int) and 1 <= number <= 31:
        return f"是{number}号吗？请把月份也写上，例如“11月8号”。"
    return None
