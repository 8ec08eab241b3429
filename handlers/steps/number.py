"""A measurement or count: with its unit traps, its outer limits, and what may not be read as it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from functools import cached_property
from typing import Any

from handlers.steps import context
from handlers.steps.base import (
    Answer,
    Found,
    Known,
    NotUnderstood,
    Step,
    Values,
    any_of,
    beginnings,
    characters,
    digits,
    is_vague,
    quoted,
)
from models.conversation import Doubt

LINK = r"[\s:=是为有了得在到的]*"
_DAILY = r"(?:[一1]天|每天|每日)?\s*"
_HAN = "\u4e00-\u9fff"
_START = rf"(?<![A-Za-z{_HAN}])|(?<=[天日周])"  # a word of one character (烟, 重) may be the end of another
# A number with another thing's unit is another thing: 体重61岁, 心率3天, 心率5点.
_FOREIGN = r"(?!公斤|千克|kg|[斤克两尺寸米磅支根包瓶杯碗勺罐袋颗管针餐顿遍台次岁年月号元块片粒盒度级组层楼里点%℃人份个]|天(?!天)|日(?!服|吃)|分(?!类)|小时|c?m\b|mm|ml|mg|cm)"
_PERIODS = {  # the periods that are another one than this
    "day": r"(?:[一1半每]|两|几|\d+)\s?(?:餐|顿|次|周|星期|礼拜|个?月|年)|(?:两|几|隔|[2-9]|\d\d)\s?天",
    "week": r"(?:[一1半每])\s?(?:天|日|个?月|年)|(?:两|几|[2-9]|\d\d)\s?(?:天|周|个?星期|个?礼拜|个?月)",
}
_LIKE_A_DAY = re.compile(r"(?:0?[1-9]|1[0-2])\.(?:[12]\d|3[01]|0[1-9])")
_BY_ITSELF = r"(?:(?<![\w./])|(?<=称)|(?<=抽)|(?<=称了)|(?<=才)|(?<=共)|(?<=来了)|(?<=到场))"


@dataclass(frozen=True, kw_only=True, eq=False)
class Number(Step):
    """A measurement or count.

    `possible` are the outer limits: beyond them it is a wrong unit, order or slip, and is asked, never stored
    (domain.md M-1). `units` maps a word after the number to its factor; those in `alone` (None: all of them) suffice
    to recognise the value in a line, otherwise one of `words` must stand before it: a bare number is never a value.
    With `unit_needed` the unit must be there even then (一周3次, not 一周3), with `apart` a unit alone counts only
    where no other word touches it (46人, not 46人转诊), and `per` "day" or "week" asks what is said of a meal, or of two days. `target` is the field of the goal in a pair like 52/50 (norm:
    before the slash now, after it the target). `zero` are words that mean none. Between `usual` limits a number without any word is offered as this one.
    """

    unit: str = ""
    possible: tuple[float, float]
    decimals: int = 0
    units: Mapping[str, float] = attribute(default_factory=dict)
    alone: tuple[str, ...] | None = None
    unit_needed: bool = False
    apart: bool = False
    per: str = ""
    suspect: Callable[[float, Known], Doubt | None] = lambda value, known: None
    target: str | None = None
    zero: tuple[str, ...] = ()
    usual: tuple[float, float] | None = None
    sure: tuple[float, float] | None = None
    """Beyond these limits a value is extreme: echoed, and kept after one confirmation (domain.md M-1)."""

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, self.target) if self.target else (self.field,)

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!,~ ")
        if is_vague(line):
            raise NotUnderstood(f"“{quoted(text)}”不够准确,请给准确的{self.title}。{self._example()}")
        if line in self.zero:
            return Answer({self.field: 0})
        if match := self._whole.fullmatch(line):
            return self._value(match, known)
        found = list(self.find(line, known))
        others = re.search(
            r"\d", "".join(c for i, c in enumerate(line) if not any(f.start <= i < f.end for f in found))
        )
        if len(found) == 1 and not others and found[0].answer.values:
            return found[0].answer
        raise NotUnderstood(self._expected(text))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        here = characters(line)
        if not self._begins.isdisjoint(here):
            for match in self._by_word.finditer(line):
                if self._is_another(match):
                    continue
                yield Found(match.start(), match.end(), self._in_line(match, line, known), announced=True)
        if self._by_unit is not None and not self._unit_begins.isdisjoint(here):
            for match in self._by_unit.finditer(line):
                yield Found(match.start(), match.end(), self._in_line(match, line, known))
        for word in self.zero:
            start = line.find(word)
            if start >= 0 and context.denied(line, start) is None and not context.advised(line, start):
                yield Found(start, start + len(word), Answer({self.field: 0}))

    def _is_another(self, match: re.Match[str]) -> bool:
        """喝酒 140/86 is a word and a pressure; 义诊 11.20 is a day, and no count."""
        pressure = self.target is not None and match["goal"] and float(match["number"]) > self.possible[1]
        a_day = not (self.decimals or match["unit"]) and _LIKE_A_DAY.fullmatch(match["number"])
        return bool(pressure or a_day)

    def guess(self, number: float, known: Known) -> list[tuple[str, Values]]:
        if self.usual and self.usual[0] <= number <= self.usual[1] and (self.decimals or number == int(number)):
            return [(f"{self.title} {number:g} {self.unit}".strip(), {self.field: self._rounded(number)})]
        return []

    def show(self, answers: Mapping[str, Any]) -> str:
        space = " " if self.unit[:1].isascii() and self.unit not in ("", "%") else ""
        goal = f"(目标 {answers[self.target]:g})" if self.target and self.target in answers else ""
        if self.field not in answers:
            return goal.strip("()")
        return f"{answers[self.field]:g}{space}{self.unit}{goal}"

    def _in_line(self, match: re.Match[str], line: str, known: Known) -> Answer:
        """The value, unless the words before it say that it is a goal, an earlier one or somebody else's."""
        answer = self._value(match, known)
        why = context.not_todays(line, match.start())
        if self.per and of_another_period(line, *match.span(), self.per):
            return self.asked_per(match[0], answer)
        if not why or not answer.values:
            return answer
        if self.target and context.a_goal(line, match.start()):
            return Answer({self.target: answer.values[self.field]})
        shown = f"{self.title} {answers_shown(answer.values, self.field)}"
        return Answer(
            {}, Doubt(f"“{match[0].strip()}”{why},对吗?", [(f"{shown}(就是这次的)", answer.values), ("不记", {})])
        )

    def _value(self, match: re.Match[str], known: Known) -> Answer:
        number, unit = match["number"], (match["unit"] or "").lower()
        value = float(number) * self.units.get(unit, 1.0)
        low, high = self.possible
        if not low <= value <= high:
            shown = f"{self.title} {number}{match['unit'] or ''}"
            return Answer({}, Doubt(f"{shown} 不太可能,{self._example()}请再发一次{self.title}。", []))
        if not unit and (doubt := self.suspect(value, known)):
            return Answer({}, doubt)
        values = {self.field: self._rounded(value)}
        if self.target and match["goal"]:
            values[self.target] = self._rounded(float(match["goal"]) * self.units.get(unit, 1.0))
        if self.sure and not self.sure[0] <= value <= self.sure[1]:
            return Answer({}, self._extreme(value, values, float(number)))
        return Answer(values)

    def _extreme(self, value: float, values: Values, number: float) -> Doubt:
        """What is rare and possible; the number without its unit, or its two digits turned, where that is not rare."""
        assert self.sure is not None
        options = [(f"就是 {self.show(values)}", values)]
        if number != value and self.sure[0] <= number <= self.sure[1]:
            plain = {**values, self.field: self._rounded(number)}
            options.append((f"单位写错了,是 {self.show(plain)}", plain))
        turned = float(f"{value:g}"[::-1]) if value == int(value) and 10 <= value < 100 else value
        if turned != value and self.sure[0] <= turned <= self.sure[1]:
            other = {**values, self.field: self._rounded(turned)}
            options.append((f"写反了,是 {self.show(other)}", other))
        return Doubt(f"{self.title} {self.show(values)},没写错吗?写错了请重新发。", options)

    def asked_per(self, said: str, answer: Answer) -> Answer:
        """主食一餐二两: how much is that a day?"""
        period = {"day": "一天", "week": "一周"}[self.per]
        shown = f"{self.title} {answers_shown(answer.values, self.field)}" if answer.values else ""
        options = [(f"{shown},是{period}的", answer.values)] if answer.values else []
        return Answer({}, Doubt(f"“{said.strip()}”合{period}多少?请发{period}的量。", options))

    def _rounded(self, value: float) -> int | float:
        rounded = round(value + 1e-9, self.decimals or 1)
        return int(rounded) if rounded == int(rounded) else rounded

    def _example(self) -> str:
        low, high = self.possible
        return self.hint or f"应在{low:g}到{high:g}{self.unit}之间。"

    def _expected(self, text: str) -> str:
        said = quoted(text)
        return (f"没看懂“{said}”。" if said else "") + f"请发{self.title}的数字。{self._example()}"

    def _number(self) -> str:
        goal = r"(?:\s*/\s*(?P<goal>\d+(?:\.\d+)?))?" if self.target else r"(?!/\d)(?P<goal>(?!))?"
        return rf"(?<![\d./])(?P<number>\d+(?:\.\d+)?)(?!\.?\d){goal}"

    def _unit(self, words: tuple[str, ...], *, needed: bool) -> str:
        unit = rf"\s?(?P<unit>{any_of(words)})"
        return unit if needed else rf"(?:{unit}|{_FOREIGN})"

    @property
    def _unit_words(self) -> tuple[str, ...]:
        return tuple({self.unit, *self.units} - {""})

    @cached_property
    def _begins(self) -> frozenset[str]:
        return beginnings((self.title, *self.words))

    @cached_property
    def _unit_begins(self) -> frozenset[str]:
        return beginnings(self._unit_words if self.alone is None else self.alone)

    @cached_property
    def _by_word(self) -> re.Pattern[str]:
        long = [word for word in (self.title, *self.words) if len(word) > 1]
        short = [word for word in self.words if len(word) == 1]
        latin, han = [w for w in long if w[0].isascii()], [w for w in long if not w[0].isascii()]
        word = rf"(?<![A-Za-z])(?:{any_of(latin)})|(?<![高低])(?:{any_of(han)})|(?:{_START})(?:{any_of(short)})"
        each = rf"(?:(?:{_PERIODS[self.per]})\s?|{_DAILY})" if self.per else _DAILY
        announced = rf"(?:{word}){LINK}{each}{LINK}"
        unit = self._unit(self._unit_words, needed=self.unit_needed)
        return re.compile(announced + self._number() + unit, re.IGNORECASE)

    @cached_property
    def _by_unit(self) -> re.Pattern[str] | None:
        words = self._unit_words if self.alone is None else self.alone
        if not words:
            return None
        end = rf"(?![{_HAN}])" if self.apart else ""
        return re.compile(rf"{_BY_ITSELF}{self._number()}{self._unit(words, needed=True)}{end}", re.IGNORECASE)

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        word = rf"(?:{any_of((self.title, *self.words))})?"
        unit = rf"(?:\s?(?P<unit>{any_of(self._unit_words)}))?"
        return re.compile(rf"{word}{LINK}{_DAILY}{self._number()}{unit}", re.IGNORECASE)


def of_another_period(line: str, start: int, end: int, per: str) -> bool:
    """Said of a meal, a week, two days: right before, inside or right after."""
    period, before = _PERIODS[per], line[max(0, start - 8) : start]
    return bool(
        re.search(rf"(?:{period})[^\s,。;]*$", before)
        or re.search(period, line[start:end])
        or re.compile(rf"\s?(?:{period})(?![^\s,。;])(?!\s*\d)").match(line, end)
    )


def answers_shown(values: Values, name: str) -> str:
    value = values[name]
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)
