"""危险征象: the one question behind an alarming symptom (domain.md M-2, M-3), offering only the signs that belong to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from handlers.decisions import Findings
from handlers.forms.danger_words import BEYOND_A_VILLAGE, CHEST, LOOKS_LIKE, SPOKEN
from handlers.steps import Answer, Found, Known, SelectMany, always, any_of, context, digits, options
from handlers.steps.select import Option
from models.conversation import Doubt
from models.message import Choice

NO_SYMPTOMS = 1
NO_OTHER_WORDS: Mapping[str, Sequence[str]] = {}
NONE_WORDS = ("都没有", "没有", "无", "没", "以上都没有", "都不是", "没有的")


@dataclass(frozen=True, kw_only=True, eq=False)
class DangerSigns(SelectMany):
    """`wording` is the protocol's own question, "" when nothing calls for one; `offered` the signs by symptom code."""

    wording: Callable[[Findings], str]
    offered: Mapping[int, Sequence[str]]
    otherwise: Sequence[str]
    asks_how_long: bool = False
    """The form has no symptom for a pain of the chest."""

    def question(self, known: Known) -> str:
        return self.wording(_findings(known)) or self.ask

    def choices(self, known: Known) -> tuple[Choice, ...]:
        symptoms = known.answers.get("symptoms", ())
        signs = [sign for code in symptoms for sign in self.offered.get(code, ())] or list(self.otherwise)
        shown = dict.fromkeys([*signs, str(self.none_code)])
        return tuple(choice for choice in super().choices(known) if choice.id.removeprefix(f"{self.field}.") in shown)

    def read(self, text: str, known: Known) -> Answer:
        if text.strip("。.!,, ") in NONE_WORDS:
            return Answer({self.field: [self.none_code]})
        numbers = [int(word) for word in text.replace("、", " ").replace(",", " ").split() if word.isdigit()]
        choices = self.choices(known)
        if numbers and all(1 <= number <= len(choices) for number in numbers):
            return self.of_codes([choices[n - 1].id.removeprefix(f"{self.field}.") for n in numbers], known)
        return super().read(text, known)

    @cached_property
    def _patterns(self) -> dict[str, str]:
        return {code: LOOKS_LIKE[code] for code in map(str, (o.code for o in self.options)) if code in LOOKS_LIKE}

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        return re.compile("|".join([*self._patterns.values(), super()._finder.pattern]), re.IGNORECASE)

    @cached_property
    def _begins(self) -> frozenset[str]:
        return super()._begins | _PATTERNS_BEGIN

    def _named(self, said: str) -> Option:
        like = self._like(said)
        return super()._named(said) if like is None else like

    def _is_written(self, said: str) -> bool:
        return super()._is_written(said) or self._like(said) is not None

    def _like(self, said: str) -> Option | None:
        """The sign whose pattern this is."""
        for option in self.options:
            pattern = self._patterns.get(str(option.code))
            if pattern and re.fullmatch(_AROUND.sub("", pattern), said, re.IGNORECASE):
                return option
        return None

    def _another(self, line: str, start: int, end: int) -> bool:
        """Also what is left of an old stroke, and what somebody is told to do if it should happen: both are asked."""
        lasting = _FOR_YEARS.match(line, end) or _LEFT_BEHIND.search(line[max(0, start - 12) : start])
        return bool(lasting or _SHOULD.match(line, end)) or super()._another(line, start, end)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Pain of the chest without a word of how long is asked: from ten minutes on it is another danger (M-17)."""
        found = list(super().find(line, known))
        pain = _CHEST.search(line) if self.asks_how_long else None
        if pain is None or context.denied(line, pain.start()) is not None or any(_within(pain, f) for f in found):
            yield from found
            return
        others: list[str] = next((found.answer.values[self.field] for found in found if found.answer.values), [])
        lasted = {"满10分钟": "chest_pain_10min", "不到10分钟": "chest_pain"}
        options = [(how_long, {self.field: [*others, code]}) for how_long, code in lasted.items()]
        answer = Answer({}, Doubt(f"“{pain[0]}”有多久了?", options))
        for start, end in [pain.span(), *((f.start, f.end) for f in found)]:
            yield Found(start, end, answer)


_FOR_YEARS = re.compile(r"[^\s,。;\d]{0,3}\s?(?:\d+|好几|几)\s?年")
_LEFT_BEHIND = re.compile(r"后遗症|老毛病")
_SHOULD = re.compile(r"[^\s,。;]{0,4}(?<!还)要(?:马上|赶紧|及时|立即|赶快)?(?:吃|打|来|去|送|喝|找|就医|报告|停)")
_AROUND = re.compile(r"\(\?<?=[^)]*\)")
_CHEST = re.compile(any_of((*CHEST, "胸闷", "胸口闷")))


def _within(match: re.Match[str], found: Found) -> bool:
    return match.start() < found.end and found.start < match.end()


_PATTERNS_BEGIN = frozenset("左右一1半单偏胸心得的剧要嘴口唇脸面指出喘药吃喝吞吐咳咯")


def _options(signs: Mapping[str, str], said: Mapping[str, Sequence[str]]) -> tuple[Option, ...]:
    """Each sign with its words; what a form has no sign for and no village can handle is 其他村里处理不了的急症."""
    elsewhere = [word for code in BEYOND_A_VILLAGE if code not in signs for word in SPOKEN[code]]
    words = {code: [*said.get(code, ()), *SPOKEN.get(code, ())] for code in signs}
    if "cannot_handle" in signs:
        words["cannot_handle"] += elsewhere
    return options(*((code, label, *dict.fromkeys(words[code])) for code, label in signs.items()))


def _findings(known: Known) -> Findings:
    return Findings(on=known.today, answers=known.answers, age=known.age, sex=known.sex)


def danger_step(
    signs: Mapping[str, str],
    wording: Callable[[Findings], str],
    offered: Mapping[int, Sequence[str]],
    otherwise: Sequence[str],
    no_symptoms: int = NO_SYMPTOMS,
    said: Mapping[str, Sequence[str]] = NO_OTHER_WORDS,
    asks_how_long: bool = False,
) -> DangerSigns:
    """The question of one protocol. Somebody without any symptom (`no_symptoms`) is not asked for dangerous ones.

    `said` are words for a sign that only this form takes for it; those of every form are in handlers.forms.danger_words.
    """

    def when(known: Known) -> bool:
        if "danger_signs" in known.answers:  # told without being asked
            return True
        symptoms = known.answers.get("symptoms")
        return symptoms is not None and symptoms != [no_symptoms] and bool(wording(_findings(known)))

    return _step(
        signs,
        said,
        "现在有没有下面的情况?",
        when=when,
        wording=wording,
        offered=offered,
        otherwise=otherwise,
        asks_how_long=asks_how_long,
    )


def plain_danger_step(
    signs: Mapping[str, str],
    ask: str,
    *,
    said: Mapping[str, Sequence[str]] = NO_OTHER_WORDS,
    shown: Sequence[str] = (),
    asked: bool = True,
    when: Callable[[Known], bool] = always,
) -> DangerSigns:
    """The same question where no symptom has to call for it: every sign is offered, or those that are `shown`."""
    return _step(
        signs, said, ask, asked=asked, when=when, wording=lambda _: "", offered={}, otherwise=[*shown] or [*signs]
    )


def _step(signs: Mapping[str, str], said: Mapping[str, Sequence[str]], ask: str, **more: Any) -> DangerSigns:
    return DangerSigns(
        field="danger_signs", title="危险征象", ask=ask, none_code="none", options=_options(signs, said), **more
    )


_IN_ANY_WORDS = plain_danger_step(
    {
        code: code
        for code in (
            "altered_consciousness", "convulsion", "one_sided_or_speech", "chest_pain_10min", "cannot_lie_flat", "cyanosis", "much_blood",
            "black_stool", "bleeding_not_stopping", "poisoned", "none",
        )
    },
    "",
)  # fmt: skip


def in_danger(text: str, known: Known) -> bool:
    """Does a sentence tell a sign that calls for an ambulance, now and of the resident?"""
    return any(found.answer.values for found in _IN_ANY_WORDS.find(digits(text), known))
