"""Of every row of the tables of the longer programmes: a worse measurement never makes the class, the urgency or the date better.

Each row of `tests/protocols/<protocol>.csv` is taken as it is and one of its findings is made worse step by step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from handlers.decisions import FLAGS, Decision, Findings, Urgency, decide
from handlers.menu import FORMS
from tests.protocol_tables import PROTOCOLS, findings, judge, rows

PROGRAMMES = ("mental_health", "tb", "tb_first_visit", "copd", "pneumoconiosis", "rehabilitation")
SEVERITY = {"mental_health": {1: 3, 2: 2, None: 1, 3: 0}}
"""How bad a class is, where there are classes: 不稳定, 基本稳定, not classed, 稳定."""

SCALES: tuple[tuple[str, str, Sequence[Any]], ...] = (  # protocol, field, values from good to bad
    ("mental_health", "danger_level", range(6)),
    ("mental_health", "insight", (1, 2, 3)),
    ("mental_health", "social_function", (1, 2, 3)),
    ("mental_health", "severe_physical_illness", (1, 2)),
    ("mental_health", "suicidal", (1, 2, 3)),
    ("tb", "missed_doses", range(91)),
    ("tb", "adverse_reaction", (1, 2)),
    ("tb", "complications", (1, 2)),
    ("tb", "temperature", [t / 10 for t in range(360, 420)]),
    ("tb_first_visit", "temperature", [t / 10 for t in range(360, 420)]),
    ("copd", "spo2", range(100, 49, -1)),
    ("pneumoconiosis", "spo2", range(100, 49, -1)),
    ("pneumoconiosis", "mmrc", range(5)),
    ("rehabilitation", "pressure_sore", (1, 2)),
    ("rehabilitation", "treatment_effect", (1, 2, 3, 4)),
)


def seen(name: str) -> Iterator[tuple[str, Findings]]:
    """The rows at which somebody was seen."""
    for row in rows(name):
        given = findings(row)
        if given.get("outcome", 1) == 1:
            yield row["label"], given


def no_better(name: str, worse: Decision, than: Decision, label: str) -> None:
    severity = SEVERITY.get(name, {None: 0})
    assert severity[worse.classification] >= severity[than.classification], label
    assert worse.urgency.rank <= than.urgency.rank, label
    if than.next_due_on is not None:
        assert worse.next_due_on is not None and worse.next_due_on <= than.next_due_on, label


@pytest.mark.parametrize(("name", "field", "scale"), SCALES, ids=[f"{name}-{field}" for name, field, _ in SCALES])
def test_worse_is_never_better(name: str, field: str, scale: Sequence[Any]) -> None:
    for label, given in seen(name):
        decisions = [decide(PROTOCOLS[name], replace(given, answers={**given.answers, field: v})) for v in scale]
        for milder, worse in pairwise(decisions):
            no_better(name, worse, than=milder, label=label)


@pytest.mark.parametrize("name", PROGRAMMES)
def test_one_danger_sign_more_is_never_better(name: str) -> None:
    for label, given in seen(name):
        asked = {**given.answers, "danger_signs": given.get("danger_signs") or ["none"]}
        milder = decide(PROTOCOLS[name], replace(given, answers=asked))
        for sign in set(PROTOCOLS[name].danger_signs) - {"none"}:
            signs = [*(s for s in asked["danger_signs"] if s != "none"), sign]
            worse = decide(PROTOCOLS[name], replace(given, answers={**asked, "danger_signs": signs}))
            no_better(name, worse, than=milder, label=f"{label} + {sign}")


@pytest.mark.parametrize("name", ("mental_health", "tb", "copd", "pneumoconiosis"))
def test_one_symptom_more_is_never_better(name: str) -> None:
    """Whoever has had the question after it answered with no."""
    (form,) = [form for form in FORMS.values() if form.protocol is PROTOCOLS[name]]
    step = form.step("symptoms")
    for label, given in seen(name):
        asked = {**given.answers, "danger_signs": given.get("danger_signs") or ["none"]}
        milder = decide(PROTOCOLS[name], replace(given, answers=asked))
        for option in step.options:
            if option.code == step.none_code:
                continue
            symptoms = [*(s for s in given.get("symptoms") or [] if s != step.none_code), option.code]
            worse = decide(PROTOCOLS[name], replace(given, answers={**asked, "symptoms": symptoms}))
            if given.get("symptoms") is not None:
                no_better(name, worse, than=milder, label=f"{label} + {option.label}")


@pytest.mark.parametrize("name", PROGRAMMES)
def test_always_decides(name: str) -> None:
    """Whatever is left out, there is a decision, with a referral and words where it is urgent."""
    for row in rows(name):
        given = findings(row)
        for field in (None, *given.answers):
            answers = {k: v for k, v in given.answers.items() if k != field or field == "outcome"}
            decision = judge(PROTOCOLS[name], replace(given, answers=answers))
            assert set(decision.flags) <= set(FLAGS)
            assert decision.next_due_on is None or decision.next_due_on > given.on
            assert not any("{" in words for words in (*decision.reasons, *decision.say))
            if decision.urgency in (Urgency.EMERGENCY, Urgency.REFER):
                assert decision.refer and decision.say


DISCREET_WORDS = ("精神", "结核", "艾滋", "HIV", "TB")


@pytest.mark.parametrize("name", ("mental_health", "tb", "tb_first_visit"))
def test_the_sentence_that_stands_first_names_no_illness(name: str) -> None:
    """An emergency's sentence is a message's first line, on a lock screen (promise 9)."""
    for rule in PROTOCOLS[name].rules:
        if rule.then.urgency is Urgency.EMERGENCY:
            assert not any(word in rule.then.say for word in DISCREET_WORDS), rule.id
    for form in FORMS.values():
        if form.protocol is PROTOCOLS[name]:
            for step in form.steps:
                first_line = (step.ask or f"{step.title}?").split("\n")[0]
                assert not any(word in first_line for word in DISCREET_WORDS), step.field
