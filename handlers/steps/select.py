"""Questions with a closed list of answers, each with the norm's code and the words people use for it; and exactly one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handlers.steps import context
from handlers.steps.base import (
    Answer,
    Found,
    Known,
    NotUnderstood,
    Step,
    any_of,
    beginnings,
    characters,
    digits,
    quoted,
)
from models.conversation import Doubt
from models.message import Choice

_HAN = "\u4e00-\u9fff"
# Apart: no other word touches it, and it is not the label of a telephone number.
_ALONE, _ALONE_END = (
    rf"(?:(?<![A-Za-z{_HAN}])|(?<=[今昨前][天日])|(?<=[上下]午))",
    rf"(?![A-Za-z{_HAN}])(?!\s*:?\s*\d{{7}})",
)
_PARTICLES = re.compile(r"^(?:就?是|都|还|很|比较|蛮|挺|应该|我?说)+|(?:的|了|啊|呀|吧|哦|呢|嘛|哈)+$")
ASKED = re.compile(r"(?:吗|么|没有?$|不$|[??])")


@dataclass(frozen=True, slots=True)
class Option:
    """One possible answer: the norm's code, its label, and the other words people use for it.

    Of these words, `apart` ones count inside a line only where no other word touches them (家庭, but not 家庭困难), and
    `replies` only as a whole reply or after the question's title (没有). Where some are `bare`, only those suffice inside
    a line, and all others need the title before them (副作用 无, but 无副作用).
    """

    code: int | str
    label: str
    words: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()


def options(*rows: tuple[Any, ...]) -> tuple[Option, ...]:
    """Options from rows of (code, label, other words…).

    A word written =家庭 counts only apart, ~没有 only as a reply, and *无副作用 is bare, which the label itself may be too.
    """

    def marked(words: Iterable[str], mark: str) -> tuple[str, ...]:
        return tuple(word.removeprefix(mark) for word in words if word[0] == mark)

    def option(code: int | str, label: str, *words: str) -> Option:
        plain = tuple(word.removeprefix("*") for word in words if word[0] not in "=~" and word != f"*{label}")
        return Option(code, label, plain, marked(words, "="), marked(words, "~"), marked(words, "*"))

    return tuple(option(*row) for row in rows)


@dataclass(frozen=True, kw_only=True, eq=False)
class Select(Step):
    """What SelectOne and SelectMany share: options found by button, code, label or other words."""

    options: tuple[Option, ...]

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return self._buttons

    @cached_property
    def _buttons(self) -> tuple[Choice, ...]:
        return tuple(
            Choice(f"{self.field}.{o.code}", o.label, str(o.code) if isinstance(o.code, int) else "")
            for o in self.options
        )

    def option(self, code: Any) -> Option | None:
        return next((o for o in self.options if str(o.code) == str(code)), None)

    @cached_property
    def _by_word(self) -> dict[str, Option]:
        return {word.lower(): o for o in self.options for word in (*o.replies, *o.apart, *o.words, o.label)}

    def _at(self, said: str) -> Option | None:
        """By its place in the list, where the codes are no numbers themselves."""
        numbered = any(isinstance(option.code, int) for option in self.options)
        at = int(said) if said.isdecimal() and len(said) < 3 and not numbered else 0
        return self.options[at - 1] if 1 <= at <= len(self.options) else None

    def _named(self, said: str) -> Option:
        """The option of a word as it was found; 去…家 is found as 去, the blank of a name, 家."""
        said = said.lower()
        for written in (said, said.replace("1", "一"), re.sub(r"\s+", "…", said)):
            if option := self._by_word.get(written):
                return option
        raise KeyError(said)

    @cached_property
    def _begins(self) -> frozenset[str]:
        return beginnings((*self._by_word, self.title, *self.words))

    @cached_property
    def _apart(self) -> frozenset[str]:
        """A single character (癌, 咸) may be a part of any other word."""
        single = (word for o in self.options for word in (o.label, *o.words) if len(word) == 1)
        return frozenset(word.lower() for word in (*single, *(word for o in self.options for word in o.apart)))

    @cached_property
    def _replies(self) -> frozenset[str]:
        return frozenset(word.lower() for o in self.options for word in o.replies)

    def _words_pattern(self, words: Iterable[str], between: str = "") -> str:
        """Longest words first, so that 不规律 is never read as 规律; those that count only apart, apart."""
        words = set(words) - self._replies
        touching, apart = words - self._apart, words & self._apart
        return rf"(?:{any_of(touching, between)})" + (rf"|{_ALONE}(?:{any_of(apart)}){_ALONE_END}" if apart else "")

    def _expected(self, text: str, known: Known) -> str:
        said = quoted(text)
        choices = self.choices(known)
        listing = (
            ":" + "、".join(f"{c.number or n} {c.label}" for n, c in enumerate(choices, 1)) if len(choices) <= 6 else ""
        )
        return (f"没看懂“{said}”。" if said else "") + f"{self.title}请选一项{listing}。点按钮、回复序号或写文字都行。"

    def _label(self, code: Any) -> str:
        option = self.option(code)
        return option.label if option else str(code)

    def _which_of_all(self, said: str) -> Doubt:
        """Words about this question that are not one of its answers: the list is offered, nothing is taken."""
        return Doubt(f"“{said}”是哪一种{self.title}?", [(o.label, self._values(o.code)) for o in self.options])

    def _values(self, code: int | str) -> dict[str, Any]:
        return {self.field: code}


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectOne(Select):
    """Exactly one of a few. `target` is the field of the goal in a pair like 中/轻."""

    bare: tuple[str, ...] | None = None
    """Words that suffice inside a line, where the options do not mark them; () that the title must announce any (良好, 一般 …)."""
    momentary: tuple[str, ...] = ()
    """Words that make a bare answer true of a moment only (今天没吃药): it is asked."""
    target: str | None = None
    wished: bool = False
    """What is wanted or planned is the answer (an appointment), not what was done."""

    def __post_init__(self) -> None:
        if unknown := {word for word in self.bare or () if word.lower() not in self._by_word}:
            raise ValueError(f"step {self.field}: no option is called {', '.join(sorted(unknown))}")

    @cached_property
    def suffices(self) -> frozenset[str]:
        """The words that count inside a line without the title."""
        marked = [word for option in self.options for word in option.bare] or list(self._by_word)
        return frozenset(word.lower() for word in (marked if self.bare is None else self.bare))

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, self.target) if self.target else (self.field,)

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def choose(self, code: str, known: Known) -> Answer:
        option = self.option(code)
        if option is None:
            raise NotUnderstood(self._expected("", known))
        return Answer({self.field: option.code})

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!,、 ")
        plain = _PARTICLES.sub("", line)
        if option := self.option(line) or self._by_word.get(line.lower()) or self._at(line) or self._by_word.get(plain):
            return Answer({self.field: option.code})
        pair = line.split("/")
        if self.target and len(pair) == 2 and all(self.option(part) or part in self._by_word for part in pair):
            codes = [(self.option(part) or self._by_word[part]).code for part in pair]
            return Answer({self.field: codes[0], self.target: codes[1]})
        seen = [match for match in self._all_words.finditer(line) if not ASKED.search(line)]
        said = {self._named(match[0]).code for match in seen}
        if len(said) == 1 and not any(self._unsure(line, match.start()) for match in seen):
            return Answer({self.field: said.pop()})
        raise NotUnderstood(self._expected(text, known))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if self._begins.isdisjoint(characters(line)):
            return
        for match in self._finder.finditer(line):
            said = match["said"] or match["bare"]
            answer = Answer({self.field: self._named(said).code})
            start = match.start()
            if self.target and match["goal"]:
                answer = Answer({**answer.values, self.target: self._named(match["goal"]).code})
            if match["bare"]:
                if context.advised(line, start) and not self.wished:
                    continue
                if self._unsure(line, start) or (self.momentary and _FOR_A_WHILE.match(line, match.end())):
                    denial = context.denied(line, start)
                    start = start if denial is None else denial
                    answer = Answer({}, self._which_of_all(line[start : match.end()]))
            yield Found(start, match.end(), answer, announced=bool(match["said"]))

    def show(self, answers: Mapping[str, Any]) -> str:
        goal = f"(目标 {self._label(answers[self.target])})" if self.target and self.target in answers else ""
        return self._label(answers[self.field]) + goal if self.field in answers else goal.strip("()")

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        return {name: self._label(answers[name]) for name in self.fields if name in answers}

    def _unsure(self, line: str, start: int) -> bool:
        """The words before deny it (没有规律服药), or say that it is not this time's or not this person's."""
        return (
            any(word in context.before(line, start) for word in self.momentary)
            or context.denied(line, start) is not None
            or (context.advised(line, start) and not self.wished)
            or bool(context.not_todays(line, start))
        )

    @cached_property
    def _all_words(self) -> re.Pattern[str]:
        """In a longer reply; 下 is no answer in 今天下雨, nor 是 in 不对 是1级."""
        long = (word for word in self._by_word if len(word) > 1)
        short = (word for word in self._by_word if len(word) == 1 and word not in self._replies)
        return re.compile(rf"{any_of(long)}|{_ALONE}(?:{any_of(short)}){_ALONE_END}", re.IGNORECASE)

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        title, every = any_of((self.title, *self.words)), any_of(self._by_word)
        bare = self._words_pattern(self.suffices)
        goal = rf"(?:\s*/\s*(?P<goal>{every}))?" if self.target else "(?P<goal>(?!))?"
        end = "(?![吗么没])"  # 并发症有没有
        return re.compile(rf"(?:{title})[\s:是都为比较]*(?P<said>{every}){goal}{end}|(?P<bare>{bare})", re.IGNORECASE)


_FOR_A_WHILE = re.compile(r"了?\s?(?:有|过)?\s?(?:\d+|[一两几])\s?(?:天|顿|次|餐|回|周|个?星期|个?礼拜)")
