"""On which days a campaign is held: one, several, a span, or the market days of the coming weeks. 活动日期"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from handlers.reading.day_lists import find_days
from handlers.reading.market_days import Market, find_market, lunar_words
from handlers.reading.normalise import tidy
from handlers.steps import Answer, Found, Known, NotUnderstood, Step
from handlers.steps.base import quoted
from models.conversation import Doubt

WEEKDAYS = "一二三四五六日"
MONTH = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, eq=False)
class Days(Step):
    """The days it is held on: one, several, a span, or the market days of the coming weeks. Stores ISO days in order."""

    spans: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, "market")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def question(self, known: Known) -> str:
        if known.answers.get("kind") == "market_day":
            return "哪几天?可以写“逢农历三、八”“逢子、午日”,或具体日期,例如 12月8日。"
        return "哪天办?例如 12月8日;几天的写 12月8日到10日,或 12月8日、15日。"

    def read(self, text: str, known: Known) -> Answer:
        said = tidy(text)
        if market := find_market(said):
            return self._market(market[0], known)
        found = find_days(said, known.today, bare=True)
        if found.doubt or not found.days:
            raise NotUnderstood(found.doubt or f"没看懂日期“{quoted(text)}”。例如 12月8日,或 12月8日到10日。")
        return self._days(found.days, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if market := find_market(line):
            yield Found(market[1], market[2], self._market(market[0], known), announced=True)
            return
        found = find_days(line, known.today)
        answer = Answer({}, Doubt(found.doubt, [])) if found.doubt else self._days(found.days, known)
        for start, end in found.spans:
            yield Found(start, end, answer)

    def _days(self, days: Sequence[date], known: Known) -> Answer:
        if not days:
            return Answer({})
        if days[0] < known.today:
            return Answer({}, Doubt(f"{days[0]}已经过了(今天是{known.today}),请写今天以后的日期。", []))
        return Answer({self.field: [day.isoformat() for day in days]})

    def _market(self, market: Market, known: Known) -> Answer:
        """How long it goes on, and by which calendar, is asked: nobody can hear it in 逢三八."""
        first, needs_calendar = known.today + timedelta(days=1), bool(market.digits or market.days)
        calendars = [market] if market.calendar or not needs_calendar else [
            replace(market, calendar="lunar"), replace(market, calendar="solar")
        ]  # fmt: skip
        choices: list[tuple[str, dict[str, Any]]] = []
        for one in calendars:
            for title, months in (("只下一次", 0), ("一个月", 1), ("三个月", 3)):
                days = one.between(first, first + (months or 2) * MONTH)
                if days:
                    held = days if months else days[:1]
                    iso = [day.isoformat() for day in held]
                    which = {"lunar": "农历", "solar": "公历"}.get(one.calendar or "", "") if len(calendars) > 1 else ""
                    label = (
                        f"{which}{title}{len(held)}次" if months else f"{which}{title} {held[0].month}月{held[0].day}日"
                    )
                    choices.append((label, {self.field: iso, "market": one.words()}))
        nearest = "、".join(
            f"{one.words()}最近是{day.month}月{day.day}日(农历{lunar_words(day)})"
            for one in calendars
            if (days := one.between(first, first + 2 * MONTH))
            for day in days[:1]
        )
        if not choices:
            return Answer({}, Doubt(f"{market.words()}今后两个月里没有,请写具体日期。", []))
        return Answer({}, Doubt(f"{nearest}。办到什么时候?", choices))

    def show(self, answers: Mapping[str, Any]) -> str:
        days = [date.fromisoformat(day) for day in answers[self.field]]
        market = f"{answers['market']},共{len(days)}天:" if "market" in answers else ""
        return market + days_words(days)


def days_words(days: Sequence[date]) -> str:
    """12月8日(周二); 12月8日至10日; 12月1日、6日、11日等6天."""
    if not days:
        return ""
    first, last = days[0], days[-1]
    if len(days) == 1:
        return f"{first.month}月{first.day}日(周{WEEKDAYS[first.weekday()]})"
    if (last - first).days + 1 == len(days):
        month = "" if first.month == last.month else f"{last.month}月"
        return f"{first.month}月{first.day}日至{month}{last.day}日({len(days)}天)"
    shown = [f"{d.month}月{d.day}日" for d in days[:6]]
    return "、".join(shown) + (f"等{len(days)}天" if len(days) > 6 else "")
