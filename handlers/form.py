"""A service is one declaration: its steps, its rules and what it counts (promise 3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from handlers.decisions import Decision, Protocol
from handlers.steps import Known, Step
from models.conversation import Doubt, Draft
from models.record import Record

if TYPE_CHECKING:
    from handlers.turn import Turn

About = Literal["resident", "new_resident", "event"]


def nothing_wrong(known: Known) -> Doubt | None:
    return None


def nothing_derived(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    return {}


def no_marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return []


def nothing_more(turn: Turn, record: Record) -> None:
    return None


@dataclass(frozen=True, kw_only=True, eq=False)
class Form:
    """One service.

    `about` tells whether a resident must be chosen first. `words` are how a line says which service it is; `needs`
    are fields of which a line must show at least one for the form to recognise itself without those words.
    `derive` computes fields from others (BMI), `check` finds contradictions, `marks` decides the facts that figures
    need, `counts` maps fields to measures, `finish` does what else follows a record (an agreement, a registration).
    """

    code: str
    title: str
    about: About
    steps: tuple[Step, ...]
    words: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    programme: str | None = None
    protocol: Protocol | None = None
    check: Callable[[Known], Doubt | None] = nothing_wrong
    derive: Callable[[Mapping[str, Any], Known], dict[str, Any]] = nothing_derived
    marks: Callable[[Mapping[str, Any], Decision | None, Known], list[str]] = no_marks
    counts: Mapping[str, str] = attribute(default_factory=dict)
    finish: Callable[[Turn, Record], None] = nothing_more

    def __post_init__(self) -> None:
        names = [name for step in self.steps for name in step.fields]
        if not self.steps:
            raise ValueError(f"form {self.code} has no steps")
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"form {self.code} has two steps for {', '.join(sorted(doubled))}")

    def step(self, field: str) -> Step | None:
        """The step that fills a field."""
        return next((step for step in self.steps if field in step.fields), None)

    def next_step(self, draft: Draft, known: Known) -> Step | None:
        """The first doubt, else the first step asked and not yet answered or skipped; None when ready for the recap."""
        for step in self.steps:
            if any(name in draft.doubts for name in step.fields):
                return step
        for step in self.steps:
            if (
                step.asked
                and step.field not in draft.skipped
                and not step.is_answered(draft.answers)
                and step.when(known)
            ):
                return step
        return None

    def complete(self, answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
        """The answers with derived fields, and without those whose condition no longer holds."""
        kept = dict(answers)
        for step in self.steps:
            if step.asked and not step.when(known):
                for name in step.fields:
                    kept.pop(name, None)
        return {**kept, **self.derive(kept, known)}

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """Chinese words of the coded answers."""
        return {name: words for step in self.steps for name, words in step.labels(answers).items()}


def day_of(answers: Mapping[str, Any], today: date) -> date:
    """The day a draft is about: its `on`, else today."""
    return date.fromisoformat(answers["on"]) if "on" in answers else today
