"""Market days as villages count them: by the last digit of a day, lunar or solar, or by its stem and branch. 赶集日

Which calendar is meant is asked where it was not said; the days themselves are always shown in both before anything is
settled on them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

STEMS, BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_CALENDARS: dict[str, Literal["lunar", "solar"]] = {
    "农历": "lunar", "阴历": "lunar", "旧历": "lunar", "老历": "lunar", "公历": "solar", "阳历": "solar", "新历": "solar",
}  # fmt: skip
_CALENDAR = "|".join(_CALENDARS)
_NUMBER = r"(?:[初廿卅]?[一二三四五六七八九十]{1,3}|[廿卅]|初?\d{1,2})"
_JOIN = r"[、,和及与\s]*(?:逢\s*)?"
_PAIRS = re.compile(rf"(?:逢\s*)?((?:[{STEMS}][{BRANCHES}]{_JOIN})+)日")
_BRANCHES = re.compile(rf"逢\s*((?:[{BRANCHES}]日?{_JOIN})+)日?|((?:[{BRANCHES}]{_JOIN})+)日")
_STEMS = re.compile(rf"逢\s*((?:[{STEMS}]日?{_JOIN})+)日?")
_DIGITS = re.compile(
    rf"(?P<calendar>{_CALENDAR})?每?月?逢\s*(?P<within>{_CALENDAR})?(?P<numbers>(?:{_NUMBER}[日号]?{_JOIN})+)"
)
_FAIR = re.compile(rf"(?P<calendar>{_CALENDAR})?(?P<numbers>[一二三四五六七八九十]{{2,3}})(?:场|集(?!中|体)|圩)")


def _lunar(day: date) -> Any:
    from lunar_python import Solar  # 0.1 s: only where a market is spoken of

    return Solar.fromYmd(day.year, day.month, day.day).getLunar()


@dataclass(frozen=True, slots=True)
class Market:
    """When a market is held. `calendar` None: digits were said without the calendar they belong to."""

    calendar: Literal["lunar", "solar"] | None = None
    digits: tuple[int, ...] = ()
    """Last digits of the day of the month; 0 is the 10th, 20th and 30th."""
    days: tuple[int, ...] = ()
    """Days of the month."""
    stems: str = ""
    branches: str = ""
    pairs: tuple[str, ...] = ()

    def is_on(self, day: date) -> bool:
        """Is the market held on a day?"""
        lunar = _lunar(day)
        if self.stems or self.branches or self.pairs:
            stem, branch = lunar.getDayGan(), lunar.getDayZhi()
            return stem in self.stems or branch in self.branches or stem + branch in self.pairs
        of_month: int = lunar.getDay() if self.calendar == "lunar" else day.day
        return of_month % 10 in self.digits or of_month in self.days

    def between(self, first: date, last: date) -> list[date]:
        """Its days from `first` to `last`, both included."""
        count = (last - first).days + 1
        return [day for n in range(count) if self.is_on(day := first + timedelta(days=n))]

    def words(self) -> str:
        """逢农历三、八."""
        if self.stems or self.branches or self.pairs:
            return f"逢{'、'.join([*self.pairs, *self.stems, *self.branches])}日"
        calendar = {"lunar": "农历", "solar": "公历"}.get(self.calendar or "", "")
        each = [str(digit or 10) for digit in self.digits] + [f"{day}日" for day in self.days]
        return f"逢{calendar}{'、'.join(each)}"


def find_market(text: str) -> tuple[Market, int, int] | None:
    """A market rule and where it stands: 逢农历三、八, 逢初三、十三、廿三, 三八场, 逢子午日, 甲子日. None without one."""
    if match := _PAIRS.search(text):
        pairs = re.findall(rf"[{STEMS}][{BRANCHES}]", match[1])
        return Market(pairs=tuple(dict.fromkeys(pairs))), *match.span()
    if match := _DIGITS.search(text):
        said = re.findall(_NUMBER, match["numbers"])
        market = _by_day(said, match["calendar"] or match["within"])
        return (market, *match.span()) if market else None
    if match := _FAIR.search(text):
        market = _by_day(list(match["numbers"]), match["calendar"])
        return (market, *match.span()) if market else None
    if match := _BRANCHES.search(text):
        branches = re.findall(rf"[{BRANCHES}]", match[1] or match[2])
        return Market(branches="".join(dict.fromkeys(branches))), *match.span()
    if match := _STEMS.search(text):
        return Market(stems="".join(dict.fromkeys(re.findall(rf"[{STEMS}]", match[1])))), *match.span()
    return None


def _by_day(said: list[str], calendar: str | None) -> Market | None:
    """By last digit where only digits were said; 初三 and 十三 are days of the month, and 初 is lunar by itself."""
    words = [c for word in said for c in (word if re.fullmatch("[一二三四五六七八九]{2,3}", word) else [word])]
    numbers = [_number(word) for word in words]
    if not numbers or any(not 1 <= number <= 31 for number in numbers):
        return None
    early = any(word.startswith("初") for word in words)
    which = "lunar" if early else _CALENDARS.get(calendar or "")
    if early or any(number > 10 for number in numbers):
        return Market(which, days=tuple(dict.fromkeys(numbers)))
    return Market(which, digits=tuple(dict.fromkeys(number % 10 for number in numbers)))


def _number(word: str) -> int:
    """初三 3, 十三 13, 廿三 23, 二十三 23, 三十 30."""
    word = word.removeprefix("初")
    if word.isdecimal():
        return int(word)
    digits = {c: n for n, c in enumerate("〇一二三四五六七八九")}
    tens = {"廿": 20, "卅": 30}.get(word[0])
    if tens is not None:
        return tens + digits.get(word[1:], 0)
    head, ten, tail = word.partition("十")
    if not ten:
        return digits.get(word, 0)
    return digits.get(head, 1) * 10 + digits.get(tail, 0)


def lunar_words(day: date) -> str:
    """十月三十 甲子日, for showing a day in the other calendar."""
    lunar = _lunar(day)
    return f"{lunar.getMonthInChinese()}月{lunar.getDayInChinese()} {lunar.getDayInGanZhi()}日"
