"""Vaccines as people name them: the doses of today, and what the booklet shows of earlier ones. 剂次、接种证"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from handlers.protocols.immunisation import Child, Given, all_due_by, due_on, last_age
from handlers.protocols.vaccination import remembered
from handlers.protocols.vaccines import DIPHTHERIA_TETANUS, SCHEDULE, TITLES, dose_title
from handlers.steps import Answer, Found, Known, NotUnderstood, SelectMany, Step, any_of, digits, options
from handlers.steps.base import beginnings, characters
from handlers.steps.context import advised, of_another_time
from models.message import Choice

NONE = "none"
WORDS = {word: series.code for series in SCHEDULE for word in (series.title, *series.words, f"{series.title}疫苗")} | {
    "白破": DIPHTHERIA_TETANUS,
    "白破疫苗": DIPHTHERIA_TETANUS,
}
EVERY_DOSE = [f"{series.code}.{n}" for series in SCHEDULE for n in range(1, len(series.doses) + 1)] + [
    f"{DIPHTHERIA_TETANUS}.1",
    "HepB.4",
]
BIRTH_WEIGHT = "birth_weight"


def child_of(known: Known) -> Child | None:
    """What the schedule depends on, as far as it is known."""
    if known.born_on is None:
        return None
    weight = known.answers.get(BIRTH_WEIGHT, known.details.get(BIRTH_WEIGHT))
    return Child(known.born_on, known.sex, float(weight) if weight is not None else None)


def given_before(known: Known) -> dict[str, Any]:
    """Doses remembered, and those told from the booklet."""
    booklet = known.answers.get("booklet") or {}
    told: Given = {f"{code}.{n}": None for code, had in booklet.items() for n in range(1, had + 1)}
    return {**told, **remembered(known.details)}


def numbered(said: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """Doses with their numbers: a vaccine named without one (百白破) is the next dose of it."""
    found: list[str] = []
    for dose in said:
        code, _, number = dose.partition(".")
        had = [int(n) for c, _, n in (d.partition(".") for d in (*given, *found)) if c == code]
        found.append(dose if number or dose == NONE else f"{code}.{max(had, default=0) + 1}")
    return list(dict.fromkeys(found))


@dataclass(frozen=True, kw_only=True, eq=False)
class Doses(SelectMany):
    """What was given: 百白破第2剂 is `DTP.2`, 百白破 alone the next one. The doses possible today are offered.

    `early_doses` are those that were given too early all the same, and do not count.
    """

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, "early_doses")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def choices(self, known: Known) -> tuple[Choice, ...]:
        child = child_of(known)
        offered = [planned.dose for planned in due_on(child, given_before(known), known.on)] if child else []
        rows = [*((dose, dose_title(dose)) for dose in offered), (NONE, "今天没打")]
        return tuple(Choice(f"{self.field}.{code}", label) for code, label in rows)

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!,、 ")
        choices = self.choices(known)
        if re.fullmatch(r"[\d\s,、.;和及]+", line):
            numbers = [int(number) for number in re.findall(r"\d+", line)]
            if all(1 <= number <= len(choices) for number in numbers):
                return self.of_codes([choices[n - 1].id.removeprefix(f"{self.field}.") for n in numbers], known)
            raise NotUnderstood(self._expected(text, known))
        found = next(self.find(line, known), None)
        if found is not None:
            return found.answer
        return super().read(text, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if self._starts.isdisjoint(characters(line)):
            return
        spans, doses, not_given = [], [], None
        for match in self._dose.finditer(line):
            if advised(line, match.start()) or of_another_time(line, match.start()):
                continue
            if _WILL.match(line, match.end()) or _NOT_GIVEN.search(line[: match.start()]):
                not_given = not_given or _LEFT_OUT.match(line, match.end())
                continue
            spans.append(match.span())
            numbers = re.findall(r"\d", match["number"] or "")
            code = WORDS[self._as_written(match["vaccine"])]
            doses += [f"{code}.{n}" for n in numbers] or [code]
        answer = Answer({self.field: list(dict.fromkeys(doses))})
        for start, end in spans:
            yield Found(start, end, answer, announced=True)
        if not spans and (none := not_given or _NOTHING_GIVEN.search(line)):
            yield Found(*none.span(), Answer({self.field: [NONE]}))

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join("今天没打" if dose == NONE else dose_title(dose) for dose in answers[self.field])

    def _as_written(self, said: str) -> str:
        return next(word for word in WORDS if word.lower() == said.lower())

    @cached_property
    def _starts(self) -> frozenset[str]:
        return beginnings((*WORDS, "今", "没", "打", "接", "种"))

    @cached_property
    def _dose(self) -> re.Pattern[str]:
        number = r"(?:\s*(?:接种|打了?|种了?)?\s*第?(?P<number>\d(?:[、,和]\d)*)(?!\d|[./]\d)\s*(?:针|剂|剂次|次|支)?)?"
        given = r"(?:(?<![没未要该])(?:打|接种|种)[了的过]?\s?)?"
        return re.compile(rf"{given}(?P<vaccine>{any_of(WORDS)}){number}", re.IGNORECASE)


_WILL = re.compile(r"\s*(?:没打|没接种|未接种|未打|还没|没有打|缺货|没苗|缺苗|要打|该打|下次)")
_LEFT_OUT = re.compile(r"\s*(?:没打|没接种|未接种|未打|没有打)(?!过)")
_NOT_GIVEN = re.compile(r"(?:没打|没接种|未接种|未打|还差|缺|欠|该打|要打|通知打|通知接种|预约)[^\s,。;]{0,3}$")
_NOTHING_GIVEN = re.compile(r"今[天日]没(?:有)?(?:打|接种|种)|(?<!没)没(?:有)?打成|没打上|没(?:有)?接种|未接种|没打针")


@dataclass(frozen=True, kw_only=True, eq=False)
class Booklet(Step):
    """What the booklet shows from before: a count for each vaccine, without days: {"HepB": 3}."""

    coded: ClassVar[bool] = True

    takes_all = True

    def choices(self, known: Known) -> tuple[Choice, ...]:
        child = child_of(known)
        age = last_age(child, known.on) if child else ""
        return (
            *((Choice(f"{self.field}.before", f"{age}以前的都打过"),) if age else ()),
            Choice(f"{self.field}.all", "到今天该打的全打过"),
            Choice(f"{self.field}.nothing", "一针都没打过"),
        )

    def choose(self, code: str, known: Known) -> Answer:
        child = child_of(known)
        if code == "nothing":
            return Answer({self.field: {}})
        if child is None or code not in ("all", "before"):
            raise NotUnderstood(self.question(known))
        return Answer({self.field: all_due_by(child, known.on, before_last_age=code == "before")})

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text)
        if re.search(r"[一1]针(?:都|也)?没|都没打|从没打", line):
            return self.choose("nothing", known)
        counts = self._counts(line)
        if not counts:
            raise NotUnderstood("请照接种证写各打过几剂,例如:乙肝3 卡介苗1 脊灰3 百白破3;或点下面的按钮。")
        return Answer({self.field: counts})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _BOOKLET.finditer(line):
            if counts := self._counts(match["shows"]):
                yield Found(*match.span(), Answer({self.field: counts}), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        told = answers[self.field]
        return "、".join(f"{TITLES.get(code, code)}{had}剂" for code, had in told.items()) or "一针都没打过"

    def _counts(self, text: str) -> dict[str, int]:
        found = re.finditer(rf"(?P<vaccine>{any_of(WORDS)})\D{{0,3}}?(?P<had>\d)(?!\d)", text, re.IGNORECASE)
        by_lower = {word.lower(): code for word, code in WORDS.items()}
        return {by_lower[match["vaccine"].lower()]: int(match["had"]) for match in found if match["had"] != "0"}


_BOOKLET = re.compile(r"(?:接种证|以前打过|之前打过|接种本|预防接种证)[上是有::\s]*(?P<shows>[^。;\n]+)")


def dose_step() -> Doses:
    return Doses(
        field="doses",
        title="接种疫苗",
        ask="今天打了哪几针?可以多选。",
        none_code=NONE,
        options=options(*((dose, dose_title(dose)) for dose in EVERY_DOSE), (NONE, "今天没打")),
    )
