"""How far a pregnancy has gone: the last menstrual period with its calendar asked, weeks and days, who is asked at all. 孕周"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from handlers.protocols.pregnancy import KEY, LATEST_EARLY, LONGEST, due_date, weeks_and_days
from handlers.reading import dates, lunar
from handlers.steps import Answer, Day, Found, Known, NotUnderstood, Step, digits
from handlers.steps.base import quoted
from handlers.steps.context import of_another_time
from models.conversation import Doubt

YOUNGEST, OLDEST = 12, 60  # years; outside nobody is pregnant
USUALLY = (15, 49)
EARLIEST_KNOWN = 21  # days after the last period before which a pregnancy is hardly known
_N = r"[\d一二三四五六七八九十]{1,3}"
_PLAIN = re.compile(rf"\s*{_N}\s*(?:月|[./-])\s*{_N}\s*[日号]?\s*")
_WEEKS = re.compile(
    r"(?:(?P<word>怀孕|孕周|孕|妊娠)\s*:?\s*(?P<a>\d{1,2})\s*(?:周\s*[+＋又零]?\s*(?P<b>[0-6])\s*(?:天|d)?(?!\d)|[+＋]\s*(?P<c>[0-6])\s*周?|周)"
    r"|(?<![\d.])(?P<d>\d{1,2})\s*(?:周\s*[+＋]\s*(?P<e>[0-6])\s*天?|[+＋]\s*(?P<f>[0-6])\s*周))"
)
_WHOLE = re.compile(r"(?P<weeks>\d{1,2})\s*周?\s*(?:[+＋又]?\s*(?P<days>[0-6])\s*天?)?")


def began_on(answers: Mapping[str, Any], known: Known) -> date | None:
    """The first day of the last period, as told or reckoned back from what was told; else as it is remembered."""
    if answers.get("by_weeks") and "gestational_weeks" in answers:
        return known.on - timedelta(days=told_days(answers))
    if period := answers.get("last_menstrual_period"):
        return date.fromisoformat(period)
    if expected := answers.get("due_date"):
        return date.fromisoformat(expected) - timedelta(days=280)
    if remembered := known.details.get("pregnancy_began_on") or known.details.get("last_menstrual_period"):
        return date.fromisoformat(str(remembered))
    return known.on - timedelta(days=told_days(answers)) if "gestational_weeks" in answers else None


def told_days(answers: Mapping[str, Any]) -> int:
    return int(answers["gestational_weeks"]) * 7 + int(answers.get("gestational_days", 0))


def pregnant_days(known: Known) -> int | None:
    """Days of pregnancy on the day of the visit."""
    began = began_on(known.answers, known)
    return (known.on - began).days if began else None


def booked_early(answers: Mapping[str, Any], known: Known) -> bool:
    """Booked and first examined before 13w0d: days up to 90 (domain.md M-18)."""
    began = began_on(answers, known)
    booked = answers.get("booked_on") or known.details.get("booked_on") or known.details.get(f"{KEY}1")
    return began is not None and booked is not None and (date.fromisoformat(str(booked)) - began).days <= LATEST_EARLY


def may_be_pregnant(known: Known) -> bool:
    return known.sex != "male" and known.age is not None and YOUNGEST <= known.age <= OLDEST


def of_a_woman(known: Known) -> Doubt | None:
    """Asked first of whoever can hardly be with child."""
    if known.sex == "male":
        return Doubt("档案里这位居民是男性,孕产妇的表不能记在他名下。请发“取消”,再发孕产妇本人的姓名。", [])
    if known.age is None or USUALLY[0] <= known.age <= USUALLY[1]:
        return None
    if not YOUNGEST <= known.age <= OLDEST:
        return Doubt(f"档案里这位居民{known.age}岁,不像是孕产妇,请核对是不是这一位。不是请发“取消”。", [])
    return Doubt(f"档案里这位居民{known.age}岁,是她本人吗?不是请发“取消”。", [("是她本人", {"outside": 0})])


def about_the_dates(known: Known) -> Doubt | None:
    """A last period that cannot be, or weeks told that do not go with it."""
    answers = known.answers
    told = answers.get("last_menstrual_period")
    if told is not None:
        gone = (known.on - date.fromisoformat(told)).days
        if gone > LONGEST or gone < 0:
            weeks = f"到{known.on}是{weeks_and_days(gone)}" if gone > 0 else f"在{known.on}之后"
            return Doubt(f"末次月经 {told},{weeks},不可能,是不是年份或农历写错了?请再写一次末次月经。", [])
        if gone < EARLIEST_KNOWN and "period_checked" not in answers:
            return Doubt(f"末次月经 {told} 才过{gone}天,已经确定怀孕了吗?", [("确定,没写错", {"period_checked": 1})])
    if "gestational_weeks" in answers and not answers.get("by_weeks"):
        return _weeks_against_dates(known)
    return None


def _weeks_against_dates(known: Known) -> Doubt | None:
    without = {name: value for name, value in known.answers.items() if name not in ("gestational_weeks", "by_weeks")}
    began = began_on(without, known)
    if began is None:
        return None
    by_date, by_words = (known.on - began).days, told_days(known.answers)
    if abs(by_date - by_words) <= 7:
        return None
    weeks, rest = divmod(by_date, 7)
    return Doubt(
        f"写的是孕{weeks_and_days(by_words)},按末次月经{began}是孕{weeks_and_days(by_date)}。以哪个为准?",
        [
            (f"按末次月经,孕{weeks_and_days(by_date)}", {"gestational_weeks": weeks, "gestational_days": rest}),
            (f"按B超或手册,孕{weeks_and_days(by_words)}", {"by_weeks": 1}),
        ],
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class LastPeriod(Day):
    """The first day of the last period. The wrong calendar shifts the pregnancy by weeks, so a bare month and day is
    read back in both calendars with the weeks it makes (domain.md A0)."""

    def read(self, text: str, known: Known) -> Answer:
        if both := self._both(text, known):
            return Answer({}, both)
        return super().read(text, known)

    def _found(self, day: dates.DayFound, line: str, known: Known) -> Answer:
        if both := self._both(line[day.start : day.end], known):
            return Answer({}, both)
        return super()._found(day, line, known)

    def _offered(self, said: str, day: date, known: Known) -> Answer:
        checked = self._checked(day, known)
        if not checked.values:
            return checked
        ask = f"“{said}”像是农历,{self.title}是公历 {day}({_makes(day, known)})吗?不是请写公历的日期。"
        return Answer({}, Doubt(ask, [(f"是,公历{day}", checked.values)]))

    def _both(self, text: str, known: Known) -> Doubt | None:
        """Month and day without a year or calendar: 3月5号 may be either."""
        read = dates.read_day(text, known.today, prefer="past").on if _PLAIN.fullmatch(digits(text)) else None
        if read is None:
            return None
        other = lunar.in_calendar(lunar.LunarDay(read.month, read.day), known.today, "past")
        possible = [(f"公历 {read}({_makes(read, known)})", read)]
        if other is not None and other <= known.on:
            name = f"农历{read.month}月{read.day}"
            possible.append((f"{name} = 公历 {other}({_makes(other, known)})", other))
        possible = [(label, day) for label, day in possible if 0 <= (known.on - day).days <= LONGEST]
        if len(possible) < 2:
            return None
        return Doubt(
            f"末次月经“{quoted(text)}”是公历还是农历?",
            [(label, {self.field: day.isoformat()}) for label, day in possible],
        )


def _makes(day: date, known: Known) -> str:
    return f"{known.on}孕{weeks_and_days((known.on - day).days)},预产期{due_date(day)}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Gestation(Step):
    """Weeks of pregnancy, with the days beyond: 孕20周+3天, 孕20+3周."""

    @property
    def fields(self) -> tuple[str, ...]:
        return ("gestational_weeks", "gestational_days", "by_weeks")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return "gestational_weeks" in answers

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!, ")
        found = next(self.find(line, known), None)
        if found is not None:
            return found.answer
        if match := _WHOLE.fullmatch(line):
            return self._weeks(int(match["weeks"]), int(match["days"] or 0))
        raise NotUnderstood(f"没看懂“{quoted(text)}”。请发孕周,例如 20周+3天。")

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _WEEKS.finditer(line):
            if of_another_time(line, match.start()):
                continue
            weeks = int(match["a"] or match["d"])
            days = next((int(match[name]) for name in "bcef" if match[name]), 0)
            yield Found(*match.span(), self._weeks(weeks, days), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        return weeks_and_days(told_days(answers))

    def _weeks(self, weeks: int, days: int) -> Answer:
        if weeks * 7 + days > LONGEST - 7:
            return Answer({}, Doubt(f"孕{weeks}周不太可能(最多43周),请再发一次孕周,例如 20周+3天。", []))
        return Answer({"gestational_weeks": weeks, "gestational_days": days})


def has_no_beginning(known: Known) -> bool:
    """Nothing is remembered of when the pregnancy began."""
    return not (known.details.get("pregnancy_began_on") or known.details.get("last_menstrual_period"))


LAST_PERIOD = LastPeriod(
    field="last_menstrual_period", title="末次月经", ask="末次月经第一天是哪天?(写上公历或农历;不详请跳过)",
    words=("末次月经第一天", "末次月经", "末次", "LMP", "最后一次月经", "停经日期"), bare=False, optional=True, calls=has_no_beginning,
)  # fmt: skip
GESTATION = Gestation(
    field="gestational_weeks", title="孕周", ask="现在孕多少周?(B超或手册上的,例如 20周+3天)", words=("孕周",), optional=True,
    calls=lambda known: began_on(known.answers, known) is None,
)  # fmt: skip
DUE_DATE = Day(field="due_date", title="预产期", words=("预产期", "EDC"), bare=False, either_way=True, asked=False)
