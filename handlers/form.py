"""A service is one declaration: its steps, its rules and what it counts (promise 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from handlers.absence import DETAILS, not_seen, only_why
from handlers.decisions import Decision, Protocol
from handlers.steps import Known, Step, always
from models.conversation import Doubt, Draft
from models.record import Record
from models.services import DISCREET

if TYPE_CHECKING:
    from handlers.turn import Turn

About = Literal["resident", "new_resident", "event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a record makes owed in its programme.

    By when (`on`), from which day it counts (`opens_on`), on which form (`service`; None: the same), what the enrolment
    must remember (`details`), and why it is closed (`ended`, in words; "" while it goes on). `urgency` is how urgent that
    next visit is, where it is not as urgent as this one was found to be.
    """

    on: date | None = None
    opens_on: date | None = None
    service: str | None = None
    details: Mapping[str, Any] = attribute(default_factory=dict)
    ended: str = ""
    urgency: str = ""

    @property
    def when(self) -> str:
        """In words: before a day, from one day to another, or not before a day."""
        return due_words(self.on, self.opens_on)

    def to_json(self) -> dict[str, Any] | None:
        """What the record keeps besides the day itself."""
        kept = {
            "opens_on": self.opens_on.isoformat() if self.opens_on else None,
            "service": self.service,
            "details": dict(self.details),
            "ended": self.ended,
            "urgency": self.urgency,
        }
        return {name: value for name, value in kept.items() if value} or None


def due_words(on: date | None, opens_on: date | None) -> str:
    """A visit is made before its day; within its window; and what opens on its very day (a vaccine) not before it."""
    if on is None:
        return ""
    if opens_on == on:
        return f"{on} 起"
    return f"{opens_on} 至 {on}" if opens_on else f"{on} 前"


def as_decided(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The next visit on the same form, on the day the protocol says."""
    return Due(on=decision.next_due_on if decision else None)


def nothing_wrong(known: Known) -> Doubt | None:
    return None


def nothing_noticed(turn: Turn, draft: Draft) -> tuple[str, Doubt] | None:
    return None


def nothing_derived(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    return {}


def no_marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return []


def no_measures(answers: Mapping[str, Any], known: Known) -> dict[str, int]:
    return {}


def no_receipt(answers: Mapping[str, Any]) -> str:
    return ""


def nothing_more(turn: Turn, record: Record) -> None:
    return None


def nothing_foreseen(turn: Turn, answers: Mapping[str, Any]) -> list[str]:
    return []


@dataclass(frozen=True, kw_only=True, eq=False)
class Form:
    """One service.

    `about` tells whether a resident must be chosen first. `words` are how a line says which service it is, `hints`
    name it only for somebody it is for (体检 of a child, 产后) and where nothing else does, as does what looks like the
    pattern `hinting`; `needs`
    are fields of which a line must show at least one for the form to recognise itself without those words; `shows` are
    those that a list or an alarm shows, where they are others.
    `derive` computes fields from others (BMI), `check` finds contradictions, `notices` what the register has against the
    answers (by field), `marks` decides the facts that figures
    need, `counts` maps fields to measures, `measures` are those that more than one field decides, `owes` tells what is
    due next, `finish` does what else follows a record (an agreement, a registration), `receipt` what the doctor reads of
    it after submitting. `foresees` adds to the recap what only the database can say of the answers, `undo` takes back what
    `finish` did when the record is withdrawn. `enrols` tells whether recording it takes the resident into the programme: "ask" the doctor,
    "always", or "never". `fits` tells whether it is for this resident now, as far as sex and age tell: of a programme
    with several forms (a newborn's home visit, a child's check) the first that fits is due.
    """

    code: str
    title: str
    about: About
    steps: tuple[Step, ...]
    words: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    hinting: str = ""
    needs: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    """Services by code: a line that names one of them only mentions this one (HPV16阳性, why somebody is referred)."""
    programme: str | None = None
    protocol: Protocol | None = None
    check: Callable[[Known], Doubt | None] = nothing_wrong
    notices: Callable[[Turn, Draft], tuple[str, Doubt] | None] = nothing_noticed
    derive: Callable[[Mapping[str, Any], Known], dict[str, Any]] = nothing_derived
    marks: Callable[[Mapping[str, Any], Decision | None, Known], list[str]] = no_marks
    counts: Mapping[str, str] = attribute(default_factory=dict)
    measures: Callable[[Mapping[str, Any], Known], dict[str, int]] = no_measures
    owes: Callable[[Mapping[str, Any], Decision | None, Known], Due] = as_decided
    enrols: Literal["ask", "always", "never"] = "ask"
    fits: Callable[[Known], bool] = always
    admits: Callable[[Known], Doubt | None] = nothing_wrong
    """What is asked before anything else of a resident whom the form is not for; settled by the answer `outside`."""
    discreet: bool = False
    """Its title never stands in a message's first line (promise 9)."""
    receipt: Callable[[Mapping[str, Any]], str] = no_receipt
    finish: Callable[[Turn, Record], None] = nothing_more
    undo: Callable[[Turn, Record], None] = nothing_more
    foresees: Callable[[Turn, Mapping[str, Any]], list[str]] = nothing_foreseen
    at_once: bool = False
    """What `check` finds is asked before anything further, and not after the last question."""
    submits: str = "提交"
    """What its last button says."""
    alarm: str = "urgent_result"
    """The reminder, by code, that tells the township of an urgent record."""
    each: str = ""
    """A line that tells several values of this field is as many records (两癌都做了: the cervix and the breast)."""
    rest: str = ""
    """The field that takes, in the doctor's own words, what a line says beyond all others: why somebody is referred."""
    by_command: bool = False
    """Opened by its own command only, and never recognised in a line."""

    def __post_init__(self) -> None:
        names = [name for step in self.steps for name in step.fields]
        if not self.steps:
            raise ValueError(f"form {self.code} has no steps")
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"form {self.code} has two steps for {', '.join(sorted(doubled))}")

    @property
    def heading(self) -> str:
        """The title where anybody may see it: on a lock screen, in a list."""
        return "专项随访" if self.discreet or self.programme in DISCREET else self.title

    def step(self, field: str) -> Step | None:
        """The step that fills a field."""
        return self._filled_by.get(field)

    @cached_property
    def _filled_by(self) -> dict[str, Step]:
        return {name: step for step in self.steps for name in step.fields}

    @cached_property
    def needed(self) -> tuple[Step, ...]:
        """The steps of the fields it needs."""
        return tuple(dict.fromkeys(step for name in self.needs if (step := self.step(name))))

    def told_together(self, names: Iterable[str]) -> set[str]:
        """These fields and those that the same steps fill: a new pressure replaces the old readings too."""
        names = set(names)
        return names | {name for step in self.steps if names & set(step.fields) for name in step.fields}

    def in_doubt(self, draft: Draft) -> Step | None:
        """The first step whose value was said and is doubtful."""
        if not draft.doubts:
            return None
        return next((step for step in self.steps if any(name in draft.doubts for name in step.fields)), None)

    def next_step(self, draft: Draft, known: Known) -> Step | None:
        """The first step asked and not yet answered or skipped; None when ready for the recap."""
        for step in self._asked:
            if step.field not in draft.skipped and not step.is_answered(draft.answers) and self.asks(step, known):
                return step
        return None

    @cached_property
    def _asked(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.asked)

    def asks(self, step: Step, known: Known) -> bool:
        """Is a step asked one by one, given the answers so far? Of somebody not seen only why."""
        if not_seen(known.answers) and step.field not in DETAILS:
            return False
        return step.asked and step.when(known) and step.calls(known)

    def complete(self, answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
        """The answers with derived fields, and without those whose condition no longer holds."""
        kept = dict(answers)
        for step in self.steps:
            if step.asked and not step.when(known):
                for name in step.fields:
                    kept.pop(name, None)
        return only_why(kept) if not_seen(kept) else {**kept, **self.derive(kept, known)}

    def amounts(self, answers: Mapping[str, Any], known: Known) -> dict[str, int]:
        """What the record adds to the measures."""
        if not_seen(answers):
            return {}
        plain = {measure: answers[name] for name, measure in self.counts.items() if answers.get(name)}
        return {**plain, **self.measures(answers, known)}

    def decisive(self, answers: Mapping[str, Any]) -> list[str]:
        """The values that decide, as a list or an alarm shows them."""
        steps = dict.fromkeys(step for name in self.shows or self.needs if (step := self.step(name)))
        return [step.show(answers) for step in steps if step.is_answered(answers)]

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        """Chinese words of the coded answers."""
        return {name: words for step in self.steps for name, words in step.labels(answers).items()}


def day_of(answers: Mapping[str, Any], today: date) -> date:
    """The day a draft is about: its `on`, else today."""
    return date.fromisoformat(answers["on"]) if "on" in answers else today
