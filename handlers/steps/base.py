"""What every step is: a question beside the field it fills, and how an answer or a doubt comes back from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from handlers.areas import Area
from handlers.decisions import PastVisit
from handlers.reading import normalise, numerals
from models.agreements import Standing
from models.conversation import Doubt
from models.message import Choice

Values = dict[str, Any]

TAKEN = "\ue010"
"""Stands in a line where something has been recognised already, so that nothing else is read across it."""


class NotUnderstood(Exception):
    """An answer the step cannot read. The message is the kind sentence that goes back: what was expected."""


def nothing_recorded(field: str) -> Any:
    return None


@dataclass(frozen=True, slots=True)
class Known:
    """What a step may look at besides the text: the answers so far and plain facts about the resident and the day."""

    today: date
    answers: Mapping[str, Any] = attribute(default_factory=dict)
    sex: str | None = None
    age: int | None = None
    villages: tuple[tuple[int, str], ...] = ()  # (id, name) within the doctor's scope
    born_on: date | None = None
    programmes: frozenset[str] = frozenset()  # those the resident is enrolled in
    since: date | None = None  # the day of enrolment in the form's programme
    details: Mapping[str, Any] = attribute(default_factory=dict)  # of that enrolment
    areas: Callable[[], Sequence[Area]] = tuple  # townships and villages within the scope; read when called
    settings: Mapping[str, Any] = attribute(default_factory=dict)  # the county's, by dotted name
    agreements: Callable[[], Sequence[Standing]] = tuple  # of the family doctor, the latest first; read when called
    past: Callable[[], Sequence[PastVisit]] = tuple  # earlier visits of the programme, newest first; read when called
    last: Callable[[str], Any] = nothing_recorded  # a field's value in the resident's latest record that has it

    @property
    def on(self) -> date:
        """The day the visit is about."""
        return date.fromisoformat(self.answers["on"]) if "on" in self.answers else self.today


@dataclass(frozen=True, slots=True)
class Answer:
    """Values by field, or a doubt to be asked instead. With a doubt, nothing is stored but what `values` already says.

    Neither values nor doubt: the words were understood and say nothing to be stored ("没有头晕").
    """

    values: Values
    doubt: Doubt | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """An answer recognised in a line, and the characters it took.

    `announced` tells that its own words stood there (体重52/50): it is taken before what only looks like a value.
    """

    start: int
    end: int
    answer: Answer
    announced: bool = False
    at_last: bool = False
    """It only looks so, and takes what all others leave."""


def always(known: Known) -> bool:
    return True


def digits(text: str) -> str:
    """The text as a person would have typed it with a good keyboard: half-width, Chinese numerals as digits."""
    return numerals.to_arabic(normalise.tidy(text))


def quoted(text: str) -> str:
    """What was typed, short enough to be said back."""
    return text.strip()[:20]


def is_vague(line: str) -> bool:
    """Holds a number that is only about right (一百六七, 九点几, 左右): it is asked, never read."""
    return any(span.approximate for span in numerals.numbers_in(line))


def begun(text: str, doubt: Doubt) -> int | None:
    """The one option of a doubt whose label begins with these words: 心率 of 心率 80 次/分."""
    said = text.strip()
    meant = [n for n, (label, _) in enumerate(doubt.options) if len(said) > 1 and label.startswith(said)]
    return meant[0] if len(meant) == 1 else None


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
    example: str = ""
    """How to change it in words ("心率 76"), shown at the recap."""
    asked: bool = True
    optional: bool = False
    when: Callable[[Known], bool] = always
    calls: Callable[[Known], bool] = always
    """Asked one by one only where this visit calls for it, and taken whenever it is told (血红蛋白 at other ages)."""

    spans: bool = attribute(default=False, kw_only=True)
    """A span is an answer to it (12月8-10日, 35-64岁), and not a number that is only about right."""
    verbatim: bool = attribute(default=False, kw_only=True)
    """It sees names and times of day as they were said; all other steps must not take them for values."""

    same_as: Step | None = attribute(default=None, kw_only=True)
    """The step of another form that this one stands for, asked or left out otherwise: an answer serves both."""

    many: ClassVar[bool] = False
    """Several of its choices may be ticked at once."""
    coded: ClassVar[bool] = False
    """It is stored in codes, of which `show` tells the words."""
    takes_all: ClassVar[bool] = False
    """A reply to it is this answer and nothing else, whatever other steps would see in it."""

    @property
    def takes_names(self) -> bool:
        """A name may be its answer (监护人 王建国)."""
        return self.verbatim

    def is_same(self, other: Step) -> bool:
        """Does one answer serve both?"""
        return (self.same_as or self) is (other.same_as or other)

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field this step may fill; the first one names it."""
        return (self.field,)

    @property
    def spoken(self) -> tuple[str, ...]:
        """The words by which a line announces it."""
        return (self.title, *self.words)

    @cached_property
    def announcing(self) -> re.Pattern[str]:
        """Its words of more than one character, wherever they stand."""
        return re.compile(any_of(word for word in self.spoken if len(word) > 1))

    def question(self, known: Known) -> str:
        return self.ask or f"{self.title}?"

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return ()

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        for name in self.fields:  # noqa: SIM110  # asked a hundred times a message: `any` takes longer than the answer
            if name in answers:
                return True
        return False

    def read(self, text: str, known: Known) -> Answer:
        """Read a whole reply. Raises NotUnderstood with what was expected."""
        raise NotImplementedError

    def read_in_line(self, words: str, known: Known) -> Answer:
        """What stands in a line, read as a whole reply; what is wrong with it is a doubt, without anything to choose."""
        try:
            return self.read(words, known)
        except NotUnderstood as error:
            return Answer({}, Doubt(str(error), []))

    def choose(self, code: str, known: Known) -> Answer:
        """A button's code. Raises NotUnderstood for a button that is not of this question."""
        raise NotUnderstood(self.hint or self.question(known))

    def settles(self, text: str, doubt: Doubt) -> int | None:
        """Which option of its doubt is meant in other words than its label's; None when it is none, or could be two."""
        return begun(text, doubt)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Recognise this step's values inside a tidied line."""
        return iter(())

    def guess(self, number: float, known: Known) -> list[tuple[str, Values]]:
        """What a number standing without any word could be: (label, values) to be offered, never taken."""
        return []

    def taken_back(self, answers: Mapping[str, Any]) -> Values:
        """What stays of its answer when the doctor goes one step back: nothing, unless it is given bit by bit."""
        return {}

    def show(self, answers: Mapping[str, Any]) -> str:
        """The recap's wording of the value."""
        return str(answers.get(self.field, ""))

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """Chinese words of coded answers, for the export."""
        return {self.field: self.show(answers)} if self.coded and self.field in answers else {}


@lru_cache(maxsize=64)
def characters(line: str) -> frozenset[str]:
    """The characters of a line, for a quick look whether a step's words can stand there at all."""
    return frozenset(line)


def beginnings(words: Iterable[str]) -> frozenset[str]:
    """The characters that one of these words begins with."""
    return frozenset(
        c for word in words if word for c in (word[0].lower(), word[0].upper(), word[0].replace("一", "1"))
    )


_LOOSE = re.compile("(?!.*[无没不未])[\u4e00-\u9fff]{2,4}")


def any_of(words: Iterable[str], between: str = "") -> str:
    """A pattern of alternatives, longest first, so that a short word never hides a longer one.

    一周 and 一次 stand in the table as people write them, and in a line as 1周 and 1次 as well; 去…家 is 去张桂兰家.
    `between` may stand between the characters of a short word (头有点晕).
    """
    longest_first = sorted(words, key=len, reverse=True)
    written = (_written(word, between if _LOOSE.fullmatch(word) else "") for word in longest_first)
    return "|".join(written) or "(?!)"


def _written(word: str, between: str) -> str:
    if between:
        return between.join(word).replace("一", "[一1]")
    return re.escape(word).replace("一", "[一1]").replace("…", r"\s{1,8}")
