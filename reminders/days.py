"""Which days are worked on in China: statutory holidays, the weekends worked for them (调休), and the first days of a week, month or quarter."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache

CATCH_UP = 3  # working days within which what belongs to the first of a week, month or quarter is still said


class Period(StrEnum):
    """How often something is said."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"

    def begins(self, day: date) -> date:
        """The first day of the period a day lies in."""
        match self:
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)
            case Period.QUARTER:
                return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
            case _:
                return day


class Calendar:
    """Holidays as the State Council publishes them each November; days the operator adds come before the published ones.

    A year not yet published has its statutory days, and no weekend worked for them.
    """

    def __init__(self, off: Collection[date] = (), worked: Collection[date] = ()) -> None:
        self.off, self.worked = frozenset(off), frozenset(worked)

    def is_holiday(self, day: date) -> bool:
        """A day of a statutory holiday, the weekends within it included."""
        if day in self.off or day in self.worked:
            return day in self.off
        return published(day.year).get(day) is False

    def is_working_day(self, day: date) -> bool:
        """Does an office work on it?"""
        if day in self.off or day in self.worked:
            return day in self.worked
        return published(day.year).get(day, day.weekday() < 5)

    def working_days_until(self, first: date, day: date) -> int:
        """How many working days there are from `first` to `day`, both included."""
        return sum(self.is_working_day(first + timedelta(days=n)) for n in range((day - first).days + 1))


PUBLISHED = Calendar()
Days = Callable[[date, Calendar], bool]


def every_day(day: date, calendar: Calendar) -> bool:
    return True


def clinic_days(day: date, calendar: Calendar) -> bool:
    """A village clinic is open at weekends, and rests on statutory holidays."""
    return not calendar.is_holiday(day)


def working_days(day: date, calendar: Calendar) -> bool:
    return calendar.is_working_day(day)


DAYS_TITLES: dict[Days, str] = {every_day: "每天", clinic_days: "每天,法定节假日除外", working_days: "工作日(含调休)"}


@lru_cache(maxsize=32)
def published(year: int) -> dict[date, bool]:
    """Days of a year that are not as their weekday says: True is worked, False is off."""
    from lunar_python.util import HolidayUtil  # 8 MB, and nobody needs it before the first plan

    days = {date.fromisoformat(found.getDay()): bool(found.isWork()) for found in HolidayUtil.getHolidays(year)}
    return days or dict.fromkeys(_statutory(year), False)


def _statutory(year: int) -> list[date]:
    """The thirteen days of 全国年节及纪念日放假办法 (2025), without what is arranged around them."""
    from lunar_python import Lunar, Solar

    def lunar(month: int, day: int) -> date:
        return date.fromisoformat(Lunar.fromYmd(year, month, day).getSolar().toYmd())

    spring = lunar(1, 1)
    clear = Solar.fromYmd(year, 4, 1).getLunar().getJieQiTable()["清明"].toYmd()
    return [
        date(year, 1, 1),
        *(spring + timedelta(days=n) for n in (-1, 0, 1, 2)),
        date.fromisoformat(clear),
        date(year, 5, 1),
        date(year, 5, 2),
        lunar(5, 5),
        lunar(8, 15),
        *(date(year, 10, n) for n in (1, 2, 3)),
    ]
