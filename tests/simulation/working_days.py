"""Which days are worked in 2026, as the oracle knows them: copied from the notice, not from the program."""

from __future__ import annotations

from datetime import date, timedelta

# 国务院办公厅关于2026年部分节假日安排的通知
OFF = {
    date(2026, month, day)
    for month, first, last in ((1, 1, 3), (2, 15, 23), (4, 4, 6), (5, 1, 5))
    for day in range(first, last + 1)
}
WORKED = {date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9)}


def is_working_day(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


def is_holiday(day: date) -> bool:
    return day in OFF


def first_working_days(begins: date) -> list[date]:
    """The first one of a week, month or quarter, and the two after it."""
    days = (begins + timedelta(days=n) for n in range(31))
    found = [day for day in days if is_working_day(day)]
    return found[:3]
