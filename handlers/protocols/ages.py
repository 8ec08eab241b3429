"""Ages of children in months and days, and the months' arithmetic behind every schedule by age. 月龄

Month arithmetic that starts from a 31st ends on the last day of a shorter month (domain.md M-26): a child born on
31 December is two months old on the last day of February.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date


def months_later(day: date, months: int) -> date:
    """The same day some months later, or the last of that month.

    >>> months_later(date(2025, 12, 31), 2)
    datetime.date(2026, 2, 28)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def months_old(born_on: date, on: date) -> int:
    """Completed months of age on a day; negative before the birth."""
    months = (on.year - born_on.year) * 12 + on.month - born_on.month
    return months if months_later(born_on, months) <= on else months - 1


def age_words(born_on: date, on: date) -> str:
    """How old a child is, as people say it: 12天, 7个月, 2岁3个月, 6岁."""
    months = months_old(born_on, on)
    if months < 1:
        return f"{(on - born_on).days}天"
    years, rest = divmod(months, 12)
    if not years:
        return f"{months}个月"
    return f"{years}岁{rest}个月" if rest else f"{years}岁"
