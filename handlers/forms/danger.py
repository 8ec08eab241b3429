"""危险征象: the one question behind an alarming symptom (domain.md M-2, M-3), offering only the signs that belong to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.decisions import Findings
from handlers.steps import Answer, Known, SelectMany, always, options
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


def _findings(known: Known) -> Findings:
    return Findings(on=known.today, answers=known.answers, age=known.age, sex=known.sex)


def danger_step(
    signs: Mapping[str, str],
    wording: Callable[[Findings], str],
    offered: Mapping[int, Sequence[str]],
    otherwise: Sequence[str],
    no_symptoms: int = NO_SYMPTOMS,
    said: Mapping[str, Sequence[str]] = NO_OTHER_WORDS,
) -> DangerSigns:
    """The question of one protocol. Somebody without any symptom (`no_symptoms`) is not asked for dangerous ones.

    `said` are other words for a sign, as a line may have them.
    """

    def when(known: Known) -> bool:
        if "danger_signs" in known.answers:  # told without being asked
            return True
        symptoms = known.answers.get("symptoms")
        return symptoms is not None and symptoms != [no_symptoms] and bool(wording(_findings(known)))

    return _step(signs, said, "现在有没有下面的情况?", when=when, wording=wording, offered=offered, otherwise=otherwise)


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
    rows = ((code, label, *said.get(code, ())) for code, label in signs.items())
    return DangerSigns(
        field="danger_signs", title="危险征象", ask=ask, none_code="none", options=options(*rows), **more
    )
