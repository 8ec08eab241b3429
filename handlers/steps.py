"""Kinds of question. A step asks, reads an answer, recognises itself inside a longer line, and says what it expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from functools import cached_property
from typing import Any

from handlers.reading import dates, normalise, numerals
from models.conversation import Doubt
from models.message import Choice

Values = dict[str, Any]


class NotUnderstood(Exception):
    """An answer the step cannot read. The message is the kind sentence that goes back: what was expected."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a step may look at besides the text: the answers so far and plain facts about the resident and the day."""

    today: date
    answers: Mapping[str, Any] = attribute(default_factory=dict)
    sex: str | None = None
    age: int | None = None
    villages: tuple[tuple[int, str], ...] = ()  # (id, name) within the doctor's scope


@dataclass(frozen=True, slots=True)
class Answer:
    """Values by field, or a doubt to be asked instead. With a doubt, nothing is stored but what `values` already says."""

    values: Values
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An answer recognised in a line, and the characters it took."""

    start: int
    end: int
    answer: Answer


def always(known: Known) -> bool:
    return True


def digits(text: str) -> str:
    """The text as a person would have typed it with a good keyboard: half-width, Chinese numerals as digits."""
    return numerals.to_arabic(normalise.tidy(text))


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One question of a form, standing beside the field it fills.

    `asked` steps are asked one by one; the others are opened from the recap by one tap. An `optional` step offers
    跳过. `words` are what announces the value inside a line. A step shared by two forms is the same object in both,
    so an answer given once serves both.
    """

    field: str
    title: str
    ask: str = ""
    hint: str = ""
    words: tuple[str, ...] = ()
    asked: bool = True
    optional: bool = False
    when: Callable[[Known], bool] = always

    many: bool = attribute(default=False, init=False)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field this step may fill; the first one names it."""
        return (self.field,)

    def question(self, known: Known) -> str:
        return self.ask or f"{self.title}?"

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return ()

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return any(name in answers for name in self.fields)

    def read(self, text: str, known: Known) -> Answer:
        """Read a whole reply. Raises NotUnderstood with what was expected."""
        raise NotImplementedError

    def choose(self, code: str, known: Known) -> Answer:
        """A button's code. Raises NotUnderstood for a button that is not of this question."""
        raise NotUnderstood(self.hint or self.question(known))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Recognise this step's values inside a tidied line."""
        return iter(())

    def show(self, answers: Mapping[str, Any]) -> str:
        """The recap's wording of the value."""
        return str(answers.get(self.field, ""))

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """Chinese words of coded answers, for the export."""
        return {}


def any_of(words: Iterable[str]) -> str:
    """A pattern of alternatives, longest first, so that a short word never hides a longer one."""
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True)) or "(?!)"


_LINK = r"[\s::=是为有约了得在到]*"


@dataclass(frozen=True, kw_only=True, eq=False)
class Number(Step):
    """A measurement or count.

    `possible` are the outer limits: beyond them it is a wrong unit, order or slip, and is asked, never stored
    (domain.md M-1). `units` maps a word after the number to its factor; with `unit_alone` the unit suffices to
    recognise the value in a line, otherwise one of `words` must stand before it: a bare number is never a value.
    `target` is the field of the goal in a pair like 52/50 (norm: before the slash now, after it the target).
    `zero` are words that mean none, `kinds` words before the number that change its factor (红酒四两 is 白酒一两).
    """

    unit: str = ""
    possible: tuple[float, float]
    decimals: int = 0
    units: Mapping[str, float] = attribute(default_factory=dict)
    unit_alone: bool = True
    suspect: Callable[[float, Known], Doubt | None] = lambda value, known: None
    target: str | None = None
    zero: tuple[str, ...] = ()
    kinds: Mapping[str, float] = attribute(default_factory=dict)

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, self.target) if self.target else (self.field,)

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def read(self, text: str, known: Known) -> Answer:
        tidy = digits(text).strip("。.!, ")
        if any(span.approximate for span in numerals.numbers_in(tidy)):
            raise NotUnderstood(f"“{text.strip()[:20]}”是个大概数,请给准确的{self.title}。{self._example()}")
        if tidy in self.zero:
            return Answer({self.field: 0})
        match = self._whole.fullmatch(tidy)
        if not match:
            raise NotUnderstood(self._expected(text))
        return self._value(match, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in self._by_word.finditer(line):
            yield Found(match.start(), match.end(), self._value(match, known))
        if self.unit_alone and self.units:
            for match in self._by_unit.finditer(line):
                yield Found(match.start(), match.end(), self._value(match, known))
        for word in self.zero:
            if (start := line.find(word)) >= 0:
                yield Found(start, start + len(word), Answer({self.field: 0}))

    def show(self, answers: Mapping[str, Any]) -> str:
        space = " " if self.unit[:1].isascii() and self.unit else ""
        goal = f"(目标 {answers[self.target]:g})" if self.target and self.target in answers else ""
        return f"{answers[self.field]:g}{space}{self.unit}{goal}"

    def _value(self, match: re.Match[str], known: Known) -> Answer:
        number, unit, kind = match["number"], (match["unit"] or "").lower(), match["kind"]
        value = float(number) * self.units.get(unit, 1.0) * self.kinds.get(kind or "", 1.0)
        low, high = self.possible
        if not low <= value <= high:
            return Answer(
                {}, Doubt(f"{self.title} {number}{unit} 不太可能,{self._example()}请再发一次{self.title}。", [])
            )
        if not unit and (doubt := self.suspect(value, known)):
            return Answer({}, doubt)
        values = {self.field: self._rounded(value)}
        if self.target and match["goal"]:
            values[self.target] = self._rounded(float(match["goal"]) * self.units.get(unit, 1.0))
        return Answer(values)

    def _rounded(self, value: float) -> int | float:
        rounded = round(value, self.decimals or 1)
        return int(rounded) if rounded == int(rounded) else rounded

    def _example(self) -> str:
        low, high = self.possible
        return self.hint or f"应在{low:g}到{high:g}{self.unit}之间。"

    def _expected(self, text: str) -> str:
        said = text.strip()[:20]
        return (f"没看懂“{said}”。" if said else "") + f"请发{self.title}的数字。{self._example()}"

    def _pattern(self, before: str, unit_needed: bool) -> re.Pattern[str]:
        unit_words = any_of({self.unit, *self.units} - {""})
        kinds = f"(?P<kind>{any_of(self.kinds)})?" if self.kinds else "(?P<kind>(?!))?"
        goal = r"(?:\s*/\s*(?P<goal>\d+(?:\.\d+)?))?" if self.target else "(?P<goal>(?!))?"
        number = r"(?<![\d./])(?P<number>\d+(?:\.\d+)?)(?!\.?\d)"
        unit = rf"\s*(?P<unit>{unit_words}){'' if unit_needed else '?'}"
        return re.compile(rf"{before}{kinds}{_LINK}(?:一天|每天|每日)?\s*{number}{goal}{unit}", re.IGNORECASE)

    @cached_property
    def _by_word(self) -> re.Pattern[str]:
        announced = any_of((self.title, *self.words, *self.kinds))
        before = (
            rf"(?<![A-Za-z])(?=(?:{announced}))(?:{any_of((self.title, *self.words))})?{_LINK}(?:一天|每天|每日)?\s*"
        )
        return self._pattern(before, unit_needed=False)

    @cached_property
    def _by_unit(self) -> re.Pattern[str]:
        return self._pattern("", unit_needed=True)

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        return self._pattern(rf"(?:{any_of((self.title, *self.words))})?{_LINK}", unit_needed=False)


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer: the norm's code, its label, and the other words people use for it."""

    code: int | str
    label: str
    words: tuple[str, ...] = ()


def options(*rows: tuple[Any, ...]) -> tuple[Option, ...]:
    """Options from rows of (code, label, other words…)."""
    return tuple(Option(code, label, tuple(words)) for code, label, *words in rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Select(Step):
    """What SelectOne and SelectMany share: options found by button, code, label or other words."""

    options: tuple[Option, ...]

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(
            Choice(f"{self.field}.{o.code}", o.label, str(o.code) if isinstance(o.code, int) else "")
            for o in self.options
        )

    def option(self, code: Any) -> Option | None:
        return next((o for o in self.options if str(o.code) == str(code)), None)

    @cached_property
    def _by_word(self) -> dict[str, Option]:
        return {word.lower(): o for o in self.options for word in (o.label, *o.words)}

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        """Longest words first, so that 不规律 is never read as 规律."""
        return re.compile(any_of(self._by_word), re.IGNORECASE)

    def _expected(self, text: str, known: Known) -> str:
        said = text.strip()[:20]
        choices = self.choices(known)
        listing = ":" + "、".join(f"{c.number or n} {c.label}" for n, c in enumerate(choices, 1)) if len(choices) <= 6 else ""
        return (f"没看懂“{said}”。" if said else "") + f"{self.title}请选一项{listing}。点按钮、回复序号或写文字都行。"

    def _label(self, code: Any) -> str:
        option = self.option(code)
        return option.label if option else str(code)


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectOne(Select):
    """Exactly one of a few."""

    bare: tuple[str, ...] | None = None
    """Words that suffice inside a line; None means all of them, () that the title must announce any (良好, 一般 …)."""

    def choose(self, code: str, known: Known) -> Answer:
        option = self.option(code)
        if option is None:
            raise NotUnderstood(self._expected("", known))
        return Answer({self.field: option.code})

    def read(self, text: str, known: Known) -> Answer:
        tidy = digits(text).strip("。.!, ")
        if option := self.option(tidy) or self._by_word.get(tidy.lower()):
            return Answer({self.field: option.code})
        seen = {self._by_word[m[0].lower()].code for m in self._finder.finditer(tidy)}
        if len(seen) == 1:
            return Answer({self.field: seen.pop()})
        raise NotUnderstood(self._expected(text, known))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in self._line_finder.finditer(line):
            word = match["said"] or match["bare"]
            yield Found(match.start(), match.end(), Answer({self.field: self._by_word[word.lower()].code}))

    @cached_property
    def _line_finder(self) -> re.Pattern[str]:
        title = any_of((self.title, *self.words))
        bare = any_of(self._by_word if self.bare is None else self.bare)
        return re.compile(f"(?:{title})[\\s::是都]*(?P<said>{any_of(self._by_word)})|(?P<bare>{bare})", re.IGNORECASE)

    def show(self, answers: Mapping[str, Any]) -> str:
        return self._label(answers[self.field])

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        return {self.field: self._label(answers[self.field])} if self.field in answers else {}


_NEGATED = re.compile(r"(?:没有|无|没|不|未|否认|未见|别的不)(?:再|明显|啥|什么|感觉|觉得)?[\s]*$")


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectMany(Select):
    """Several of a list. `none_code` is the option that excludes all others; its code differs from form to form."""

    none_code: int | str

    def __post_init__(self) -> None:
        object.__setattr__(self, "many", True)

    def choose(self, code: str, known: Known) -> Answer:
        return self.of_codes([code], known)

    def of_codes(self, codes: Sequence[str], known: Known) -> Answer:
        """Several ticked options. 'nothing' together with something is a contradiction and is asked."""
        chosen = [o for o in self.options if str(o.code) in {str(c) for c in codes}]
        if not chosen:
            raise NotUnderstood(self._expected("", known))
        found = [o.code for o in chosen if o.code != self.none_code]
        if found and len(found) < len(chosen):
            return Answer({}, self._contradiction(found))
        return Answer({self.field: found or [self.none_code]})

    def read(self, text: str, known: Known) -> Answer:
        tidy = digits(text)
        if re.fullmatch(r"[\d\s,、.;和及]+", tidy) and (codes := re.findall(r"\d+", tidy)):
            if all(self.option(code) for code in codes):
                return self.of_codes(codes, known)
            raise NotUnderstood(self._expected(text, known))
        found = list(self.find(tidy, known))
        if not found:
            raise NotUnderstood(self._expected(text, known))
        return found[0].answer

    def find(self, line: str, known: Known) -> Iterator[Found]:
        codes: list[Any] = []
        spans: list[tuple[int, int]] = []
        for match in self._finder.finditer(line):
            option = self._by_word[match[0].lower()]
            negation = _NEGATED.search(line[: match.start()]) if option.code != self.none_code else None
            spans.append((negation.start() if negation else match.start(), match.end()))
            if not negation:
                codes.append(option.code)
        if codes:
            answer = self.of_codes([str(c) for c in codes], known)
            for start, end in spans:
                yield Found(start, end, answer)

    def _contradiction(self, found: list[Any]) -> Doubt:
        said = "、".join(self._label(code) for code in found)
        none = self._label(self.none_code)
        return Doubt(
            f"又说{none}又说{said},是哪一个?",
            [(said, {self.field: found}), (none, {self.field: [self.none_code]})],
        )

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join(self._label(code) for code in answers[self.field])

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        return {self.field: self.show(answers)} if self.field in answers else {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Text(Step):
    """Free words, kept as typed. Inside a line only what follows its own title."""

    longest: int = 200

    def read(self, text: str, known: Known) -> Answer:
        said = text.strip()
        if not said:
            raise NotUnderstood(self.hint or f"请写{self.title}。")
        if len(said) > self.longest:
            raise NotUnderstood(f"{self.title}最多{self.longest}个字,刚才有{len(said)}个,请简短一些。")
        return Answer({self.field: said})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if self.words:
            for match in self._finder.finditer(line):
                yield Found(match.start(), match.end(), Answer({self.field: match[1]}))

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{any_of(self.words)})[\s::是为]*([^\s,,。;;]+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Day(Step):
    """A calendar day. `past` days may not lie in the future, and not long ago without a question."""

    past: bool = True
    bare: bool = True
    """Inside a line a bare date is this day; False when its own words must announce it (下次, 末次月经 …)."""

    def read(self, text: str, known: Known) -> Answer:
        found = dates.read_day(text, known.today, prefer="past" if self.past else "future")
        if found.on is None:
            raise NotUnderstood(
                found.doubt or f"没看懂日期“{text.strip()[:20]}”。可以写“今天”“昨天”“11月8号”或“2026-11-08”。"
            )
        return self._checked(found.on, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for day in dates.find_day(line, known.today, prefer="past" if self.past else "future"):
            announced = self._announced.search(line[: day.start])
            if not announced and not (self.bare and not _ANNOUNCES_OTHER.search(line[: day.start])):
                continue
            start = announced.start() if announced else day.start
            if day.on is None:
                yield Found(start, day.end, Answer({}, Doubt(day.doubt or "这个日期没看懂,请写成“11月8号”这样。", [])))
            else:
                yield Found(start, day.end, self._checked(day.on, known))

    @cached_property
    def _announced(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{any_of((self.title, *self.words))})[\s::是为在于约定从]*$")

    def _checked(self, day: date, known: Known) -> Answer:
        if self.past and day > known.today:
            return Answer(
                {}, Doubt(f"{self.title}{day:%Y-%m-%d}还没到(今天是{known.today:%Y-%m-%d}),请写实际的日期。", [])
            )
        if not self.past and day <= known.today:
            return Answer({}, Doubt(f"{self.title}{day:%Y-%m-%d}不在今天之后,请再写一次。", []))
        return Answer({self.field: day.isoformat()})

    def show(self, answers: Mapping[str, Any]) -> str:
        return str(answers[self.field])


_ANNOUNCES_OTHER = re.compile(
    r"(?:下次|下回|预约|复查|复诊|到期|截止|至|出生|生于|生日|末次月经|预产期|约在|约)[\s::是为在于]*$"
)
