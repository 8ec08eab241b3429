"""Several days said together: 12月8日、9日和15日, 12月8日到10日, 12月28日至1月3日. 几个日子"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

from handlers.reading.dates import DayFound, find_day
from handlers.reading.day_readers import Prefer

LONGEST = 92  # days from the first to the last of a span; more is a slip, or a plan
_TO = re.compile(r"\s*(?:一直)?(?:至|到|[-~—–]+)\s*")
_FIRST_OF_SEVERAL = re.compile(r"\d{1,2}月\d{1,2}(?=\s*(?:至|到|[-~—–、])\s*\d{1,2}[日号])")
_SPAN = re.compile(r"(?<=[日号\d])\s*(?:一直)?(?:至|到|[-~—–]+)\s*(?=(?:\d{1,2}月)?\d{1,2}[日号]|\d{4}[-/年])")
_AND = re.compile(r"\s*[、,和及与]\s*")
_REST = re.compile(r"(?:(\d{1,2})月)?(\d{1,2})[日号](?!\d)")


class DaysFound(NamedTuple):
    """The days named in a text, in order, and the characters they took; or a doubt, as a sentence for the person, and
    where it stands."""

    days: tuple[date, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    doubt: str | None = None


def find_days(text: str, today: date, prefer: Prefer = "future", *, bare: bool = False) -> DaysFound:
    """Every day named in a tidied text, spans filled in. A day that cannot be settled makes the whole a doubt."""
    found: set[date] = set()
    spans: list[tuple[int, int]] = []
    at = 0
    singles = {day.start: day for day in find_day(ends_apart(text), today, prefer, bare=bare)}
    for match in _FIRST_OF_SEVERAL.finditer(text):  # 12月8到10号: the second day brings the 号 for both
        day = find_day(f"{match[0]}日", today, prefer)[0]
        singles.setdefault(match.start(), DayFound(match.start(), match.end(), day.on, day.doubt))
    for start in sorted(singles):
        if start < at:
            continue
        day = singles[start]
        if day.on is None:
            return DaysFound(spans=((day.start, day.end),), doubt=day.doubt)
        found.add(day.on)
        last, at = day.on, day.end
        while True:
            joined, to = _next(text, at, last, singles)
            if joined is None:
                break
            on, end = joined
            if on is None:
                return DaysFound(
                    spans=((start, end),), doubt=f"“{text[start:end]}”里有一天没看懂,请写成“12月8日到10日”这样。"
                )
            if to and not 0 < (on - last).days <= LONGEST:
                return DaysFound(
                    spans=((start, end),),
                    doubt=f"“{text[start:end]}”的开始和结束对不上,请再写一次,例如“12月8日到10日”。",
                )
            found.update([on] if not to else [last + timedelta(days=n) for n in range((on - last).days + 1)])
            last, at = on, end
        spans.append((start, at))
    return DaysFound(tuple(sorted(found)), tuple(spans))


def ends_apart(text: str) -> str:
    """The same length, with the two days of a span no longer joined: find_day would ask for one day of it."""
    return _SPAN.sub(lambda match: "、" * len(match[0]), text)


def _next(
    text: str, at: int, last: date, singles: Mapping[int, DayFound]
) -> tuple[tuple[date | None, int] | None, bool]:
    """The day joined to one that ended at `at`, with its end, and whether a span leads to it."""
    for pattern, to in ((_TO, True), (_AND, False)):
        if not (joint := pattern.match(text, at)):
            continue
        if rest := _REST.match(text, joint.end()):
            return (_after(last, int(rest[1] or last.month), int(rest[2])), rest.end()), to
        if following := singles.get(joint.end()):
            return (following.on, following.end), to
    return None, False


def _after(last: date, month: int, day: int) -> date | None:
    """A day without its year, or without month and year, that follows another."""
    year = last.year + (month < last.month)
    try:
        return date(year, month, day)
    except ValueError:
        return None
