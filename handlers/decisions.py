"""What a protocol may conclude, and how it concludes it: findings go in, one decision comes out. 判定

The hit policy, said aloud: of `classify` the FIRST matching rule decides the class; of `act` ALL matching rules
are kept, the most severe urgency and the shortest interval win. Knows no form, no database and no clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar


class Urgency(StrEnum):
    """How soon somebody must act; declared from the most severe to the least."""

    EMERGENCY = "emergency"  # now
    REFER = "refer"  # see the township or county hospital
    SOON = "soon"  # again within two weeks
    ROUTINE = "routine"  # at the next planned visit

    @property
    def rank(self) -> int:
        """0 is the most severe, so `min` by rank is the worst."""
        return list(Urgency).index(self)

    @property
    def label(self) -> str:
        return _LABELS[self]


_LABELS = {
    Urgency.EMERGENCY: "紧急",
    Urgency.REFER: "转诊",
    Urgency.SOON: "两周内",
    Urgency.ROUTINE: "按期",
}

FLAGS = {
    "no_reading": "本次没有可用于分类的测量值",
    "self_reported": "数值由本人电话告知,不是当面测量",
    "not_standard_visit": "不计入面对面规范随访",
    "outside_programme": "不符合纳入条件,项目外记录,不计数",
    "two_in_a_row": "连续两次未达标或不良反应",
    "danger_question_open": "危急征象还没有问清",
    "ask_arrival": "次日(24~48小时内)追问是否到达上级医院",
    "tell_township": "提交时同时告诉乡镇卫生院",
    "beyond_72_hours": "第一次入户超过72小时",
    "interval_not_set": "县里还没有设置随访间隔,下次日期由医生定",
    "no_consent": "没有同意参加社区管理,只报告",
}

T = TypeVar("T")


class UncoveredFinding(Exception):
    """No rule of the protocol covers these findings. 没有规则覆盖"""


@dataclass(frozen=True, slots=True)
class PastVisit:
    """One earlier visit of the same programme, as far as a rule may look at it."""

    on: date
    service: str
    mode: int | None
    classification: int | None
    answers: Mapping[str, Any]
    age: int | None = None  # completed years on that day; unknown: today's age is used


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a rule may look at."""

    on: date
    answers: Mapping[str, Any]
    age: int | None = None  # completed years on `on`
    sex: str | None = None  # "male" or "female"
    history: Sequence[PastVisit] = ()  # same programme, newest first, current records only
    due_on: date | None = None  # the due date standing before this visit
    born_on: date | None = None
    since: date | None = None  # the day of enrolment
    details: Mapping[str, Any] = field(default_factory=dict)  # of the enrolment: last_menstrual_period …
    settings: Mapping[str, Any] = field(default_factory=dict)  # county settings by dotted name
    _once: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    def get(self, field: str, default: Any = None) -> Any:
        return self.answers.get(field, default)

    def once(self, read: Callable[[Findings], T]) -> T:
        """What many rules read from the same findings, worked out once."""
        if read not in self._once:
            self._once[read] = read(self)
        found: T = self._once[read]
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a matching rule concludes. `next_days` means: see the patient again within so many days."""

    classification: int | None = None
    urgency: Urgency = Urgency.ROUTINE
    next_days: int | None = None
    refer: bool = False
    say: str = ""  # one action sentence a frightened doctor can act on
    flags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.urgency in (Urgency.EMERGENCY, Urgency.REFER) and not (self.refer and self.say and self.next_days):
            raise ValueError(f"{self.urgency} must refer, say what to do, and set a date")
        if unknown := set(self.flags) - set(FLAGS):
            raise ValueError(f"unknown flags {unknown}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One declaration of a protocol. `because` and `then.say` may use {answers} and the protocol's own {values}."""

    id: str
    when: Callable[[Findings], bool]
    then: Outcome
    because: str
    source: str  # what the doctor reads, then " / ", then what the engineers read
    certainty: str

    @property
    def cited(self) -> str:
        """The rule as the recap cites it: its id and the norm's own section."""
        return f"依据 {self.id} {self.source.split(' / ')[0]}"


def no_values(findings: Findings) -> Mapping[str, object]:
    return {}


class Setting(NamedTuple):
    """A question the regulation leaves to the county, and what holds until the county answers it."""

    default: Any
    meaning: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """One disease: its classes, its rules, and when the patient is seen next."""

    code: str
    title: str
    version: str
    source: str
    classifications: Mapping[int, str]
    classify: tuple[Rule, ...]  # first match decides the class
    act: tuple[Rule, ...]  # all that match; most severe wins
    schedule: Callable[[Findings, int | None, Urgency, int | None], date | None]
    values: Callable[[Findings], Mapping[str, object]] = no_values  # words for the rules' sentences
    settings: Mapping[str, Setting] = field(default_factory=dict)
    danger_signs: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[Rule, ...] = ()  # of a visit at which nobody was seen, all that match; mostly none do

    emergencies: tuple[Rule, ...] = field(init=False)

    def __post_init__(self) -> None:
        urgent = tuple(rule for rule in self.act if rule.then.urgency is Urgency.EMERGENCY)
        object.__setattr__(self, "emergencies", urgent)
        if self.classifications and not self.classify:
            raise ValueError(f"{self.code}: no rule decides the class")
        if any(rule.then.urgency is not Urgency.ROUTINE or rule.then.next_days for rule in self.classify):
            raise ValueError(f"{self.code}: a class rule decides the class only, what to do belongs in `act`")
        ids = [rule.id for rule in self.rules]
        if len(ids) != len(set(ids)):
            raise ValueError(f"{self.code}: a rule id is used twice")
        if unknown := {rule.then.classification for rule in self.rules} - {None, *self.classifications}:
            raise ValueError(f"{self.code}: unknown classes {unknown}")

    @property
    def rules(self) -> tuple[Rule, ...]:
        return self.classify + self.act + self.unseen


@dataclass(frozen=True, slots=True)
class Decision:
    """What was concluded, and why: stored with the record, shown in the recap."""

    protocol: str
    version: str
    classification: int | None
    label: str | None
    urgency: Urgency
    rules: tuple[str, ...]
    reasons: tuple[str, ...]
    say: tuple[str, ...]
    next_due_on: date | None
    refer: bool
    flags: tuple[str, ...]


def decide(protocol: Protocol, findings: Findings) -> Decision:
    """One decision from everything known at a visit.

    1. The first matching rule of `classify` gives the class, which may be none: nothing was measured. A programme
       without classes has no such rules.
    2. Every matching rule of `act` is kept, the most severe first; its urgency wins, and so does the shortest interval.
    3. A routine sentence is not said beside a more severe one.
    4. The protocol's schedule turns the interval into the next date.

    Raises UncoveredFinding when step 1 or step 2 finds no rule: silence is never an answer.
    """
    deciding = next((rule for rule in protocol.classify if rule.when(findings)), None)
    acting = sorted((rule for rule in protocol.act if rule.when(findings)), key=lambda rule: rule.then.urgency.rank)
    if (deciding is None and protocol.classify) or not acting:
        raise UncoveredFinding(f"{protocol.code} {protocol.version}: {sorted(findings.answers)}")
    classification = deciding.then.classification if deciding else None
    next_due_on = protocol.schedule(findings, classification, acting[0].then.urgency, _within(acting))
    return _conclusion(protocol, findings, deciding, acting, next_due_on)


def emergency(protocol: Protocol, findings: Findings) -> str:
    """The first sentence `decide` would say of an emergency; "" when it is none. Only the rules of emergencies are tried."""
    for rule in protocol.emergencies:
        if rule.when(findings):
            return rule.then.say.format_map(_words(protocol, findings))
    return ""


def decide_unseen(protocol: Protocol, findings: Findings) -> Decision | None:
    """What follows from a visit at which nobody was seen, when to try again included; None: nothing special.

    `findings.history` holds the earlier attempts too.
    """
    acting = sorted((rule for rule in protocol.unseen if rule.when(findings)), key=lambda rule: rule.then.urgency.rank)
    if not acting:
        return None
    within = _within(acting)
    next_due_on = findings.on + timedelta(days=within) if within is not None else None
    return _conclusion(protocol, findings, None, acting, next_due_on)


def _within(acting: Sequence[Rule]) -> int | None:
    return min((rule.then.next_days for rule in acting if rule.then.next_days is not None), default=None)


def _conclusion(
    protocol: Protocol, findings: Findings, deciding: Rule | None, acting: Sequence[Rule], next_due_on: date | None
) -> Decision:
    fired = (deciding, *acting) if deciding else (*acting,)
    urgency = acting[0].then.urgency
    classification = deciding.then.classification if deciding else None
    words = _words(protocol, findings)
    spoken = [rule for rule in acting if urgency is Urgency.ROUTINE or rule.then.urgency is not Urgency.ROUTINE]
    flags = [flag for rule in fired for flag in rule.then.flags]
    return Decision(
        protocol=protocol.code,
        version=protocol.version,
        classification=classification,
        label=None if classification is None else protocol.classifications[classification],
        urgency=urgency,
        rules=tuple(rule.id for rule in fired),
        reasons=tuple(f"{rule.because.format_map(words)}({rule.cited})" for rule in fired),
        say=_once(rule.then.say.format_map(words) for rule in spoken if rule.then.say),
        next_due_on=next_due_on,
        refer=any(rule.then.refer for rule in acting),
        flags=_once(flags + (["ask_arrival"] if urgency is Urgency.EMERGENCY else [])),
    )


def _words(protocol: Protocol, findings: Findings) -> _Words:
    return _Words({**findings.answers, **protocol.values(findings)})


class RuleRow(NamedTuple):
    """One rule as documentation shows it: `because` is its condition in words, `then` its outcome."""

    id: str
    because: str
    source: str
    certainty: str
    then: Outcome


def explain(protocol: Protocol) -> list[RuleRow]:
    """The rules in the order they are tried; a value in brackets, known only at a visit, is left out."""
    return [
        RuleRow(
            rule.id,
            _VALUE.sub("", rule.because),
            rule.source,
            rule.certainty,
            replace(rule.then, say=_VALUE.sub("", rule.then.say)),
        )
        for rule in protocol.rules
    ]


_VALUE = re.compile(r"\([^(]*\{\w+\}[^)]*\)")


class _Words(dict[str, object]):
    """A sentence never fails for want of a value."""

    def __missing__(self, key: str) -> str:
        return "—"


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
