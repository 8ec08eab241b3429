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
from tests.protocol_tables import PROTOCOLS, Watched, findings, judge, rows

SEVERITY = {"mental_health": {1: 3, 2: 2, None: 1, 3: 0}}
"""How bad a class is where a higher number is not worse: 不稳定, 基本稳定, not classed, 稳定."""
PRESSURE = (90, 119, 120, 129, 130, 139, 140, 149, 150, 159, 160, 179, 180, 250)
LOWER_SIDE = (50, 79, 80, 89, 90, 109, 110, 140)
GLUCOSE = (4.0, 5.04, 5.05, 5.1, 6.94, 6.95, 7.0, 11.0, 11.05, 11.1, 16.64, 16.65, 16.7, 35, "HI")
HIGH_TEMPERATURE = (36.6, 37.4, 37.5, 37.9, 38.0, 38.4, 38.5, 39.0, 39.1, 41.5)

WITH_PRESSURE = ("hypertension", "diabetes", "elderly", "antenatal", "postpartum")
WITH_GLUCOSE = ("diabetes", "mental_health", "elderly")
KINDS_OF_GLUCOSE = ("fasting_glucose", "postprandial_glucose", "random_glucose")

Scale = tuple[str, str, Sequence[Any]]  # protocol, field, values from good to bad


def both_ways(name: str, field: str, best: float, higher: Sequence[float], lower: Sequence[float]) -> Iterator[Scale]:
    """A measurement that is worse on either side of the best."""
    yield name, field, (best, *higher)
    yield name, field, (best, *lower)


SCALES: tuple[Scale, ...] = (
    *((name, "systolic", PRESSURE) for name in (*WITH_PRESSURE, "mental_health")),
    *((name, "systolic", (110, 90, 89, 40)) for name in WITH_PRESSURE),
    *((name, "diastolic", LOWER_SIDE) for name in (*WITH_PRESSURE, "mental_health")),
    *((name, "diastolic", (70, 50, 49, 20)) for name in WITH_PRESSURE),
    *(scale for name in WITH_PRESSURE for scale in both_ways(name, "heart_rate", 72, (100, 101, 120, 121), (50, 49, 30))),
    *(scale for name in WITH_PRESSURE for scale in both_ways(name, "heart_rate_repeat", 72, (100, 101, 120, 121), (50, 49, 30))),
    *((name, field, GLUCOSE) for name in WITH_GLUCOSE for field in KINDS_OF_GLUCOSE),
    *((name, field, (4.0, 3.95, 3.94, 3.9, "LO")) for name in WITH_GLUCOSE for field in KINDS_OF_GLUCOSE),
    *(("antenatal", field, GLUCOSE[:-1]) for field in ("fasting_glucose", "random_glucose", "ogtt_1h", "ogtt_2h")),
    ("diabetes", "temperature", HIGH_TEMPERATURE),
    ("diabetes", "hypoglycaemia", (1, 2, 3)),
    ("diabetes", "adverse_reaction", (1, 2)),
    ("diabetes", "new_complication", (1, 2)),
    ("diabetes", "dorsalis_pedis", (1, 2, 3)),
    ("hypertension", "adverse_reaction", (1, 2)),
    ("hypertension", "new_complication", (1, 2)),
    ("mental_health", "danger_level", range(6)),
    ("mental_health", "insight", (1, 2, 3)),
    ("mental_health", "social_function", (1, 2, 3)),
    ("mental_health", "severe_physical_illness", (1, 2)),
    ("mental_health", "suicidal", (1, 2, 3)),
    ("tb", "missed_doses", (0, 1, 2, 3, 6, 7, 90)),
    ("tb", "adverse_reaction", (1, 2)),
    ("tb", "complications", (1, 2)),
    ("tb", "temperature", HIGH_TEMPERATURE),
    ("tb_first_visit", "temperature", HIGH_TEMPERATURE),
    ("copd", "spo2", range(100, 49, -1)),
    ("copd", "smoking_per_day", range(3)),
    ("pneumoconiosis", "spo2", range(100, 49, -1)),
    ("pneumoconiosis", "mmrc", range(5)),
    ("pneumoconiosis", "smoking_per_day", range(3)),
    ("rehabilitation", "pressure_sore", (1, 2)),
    ("rehabilitation", "treatment_effect", (1, 2, 3, 4)),
    ("elderly", "haemoglobin", (150, 120, 119, 110, 109, 60, 59)),
    ("elderly", "platelets", (150, 50, 49, 30, 29)),
    ("elderly", "alt", (40, 200, 201)),
    ("elderly", "creatinine", (60, 120, 199, 200, 441, 442)),
    *both_ways("elderly", "white_cells", 6, (30, 30.1), (2.0, 1.9)),
    *both_ways("elderly", "potassium", 4.5, (6.2, 6.3), (2.8, 2.7)),
    ("elderly", "mood", (1, 2)),
    ("elderly", "cognition", (1, 2)),
    ("elderly", "self_harm_thought", (1, 2)),
    ("antenatal", "haemoglobin", (130, 110, 109, 100, 99, 70, 69)),
    ("antenatal", "urine_protein", range(6)),
    ("antenatal", "risk_colour", (1, 2, 3, 4)),
    *both_ways("antenatal", "fetal_heart_rate", 135, (160, 161, 200), (110, 109, 1)),
    ("postpartum", "temperature", HIGH_TEMPERATURE),
    ("postpartum", "mood", (1, 2, 3)),
    ("postpartum", "mood_score", range(31)),
    *(("postpartum", part, (1, 2)) for part in ("general", "breasts", "lochia", "uterus", "wound")),
    *both_ways("newborn", "temperature", 36.5, (37.4, 37.5, 42), (35.6, 35.5, 30)),
    *both_ways("newborn", "respiration", 40, (60, 61, 100), (20, 19, 5)),
    *both_ways("newborn", "heart_rate", 130, (160, 161, 220), (100, 99, 20)),
    ("newborn", "jaundice", (1, 2, 3, 4, 5)),
    ("newborn", "weight", (3.2, 2.88, 2.87, 2.25, 2.24, 1.5)),
    ("child_check", "haemoglobin", (130, 110, 109, 90, 89, 50)),
    ("child_check", "weight", (15, 11, 10.9, 6)),
    ("child_check", "weight_grade", (1, 2, 3)),
    ("child_check", "length_grade", (1, 2, 3)),
    ("child_check", "hearing", (1, 2)),
    ("folic_acid", "dose_mg", (0.4, 0.5, 4)),
    ("screening", "t21_one_in", (1000, 271, 270, 100, 2)),
    ("screening", "t18_one_in", (1000, 351, 350, 100, 2)),
    ("screening", "birads", (1, 3, 4, 5, 6)),
    ("screening", "tbs", (1, 2, 3)),
    ("infectious", "cases", range(1, 9)),
    ("referral", "referral_urgency", (2, 1)),
)  # fmt: skip
NO_SCALE = {
    "readings": "the pressure itself is made worse, which stands before the mean of readings",
    "birth_weight": "how much was lost is made worse by the weight",
    "birth_weeks": "early birth only adds visits",
    "fundal_height": "any value shows that somebody looked",
    "weight": "any value shows that somebody looked",
    "transaminase": "any value shows that the yearly check was made",
    "gestational_weeks": "no better and no worse",
    "treatment_month": "no better and no worse",
    "doses_due": "a course that is over",
    "doses_taken": "a course that is over",
    "notified_hour": "no measurement",
    "visited_hour": "no measurement",
    "fev1_fvc": "a good value doubts the diagnosis",
    "usual_spo2": "what oxygen is compared with",
    "other_systolic": "the difference between the arms counts, whichever is higher",
}
"""Numbers that rules look at and that do not get worse, with the reason."""
MEASUREMENTS = ("Number", "BloodPressure", "OtherArm", "Glucose", "MissedDoses", "BirthWeight", "DangerLevel")
"""Steps that ask for one."""


def seen(name: str) -> Iterator[tuple[str, Findings]]:
    """The rows at which somebody was seen."""
    for row in rows(name):
        given = findings(row)
        if given.get("outcome", 1) == 1:
            yield row["label"], given


def severity(name: str, decision: Decision) -> int:
    return SEVERITY[name][decision.classification] if name in SEVERITY else decision.classification or 0


def no_better(name: str, worse: Decision, than: Decision, label: str) -> None:
    assert severity(name, worse) >= severity(name, than), label
    assert worse.urgency.rank <= than.urgency.rank, label
    if than.next_due_on is not None:
        assert worse.next_due_on is not None and worse.next_due_on <= than.next_due_on, label


@pytest.mark.parametrize(
    ("name", "field", "scale"), SCALES, ids=[f"{name}-{field}-{values[-1]}" for name, field, values in SCALES]
)
def test_worse_is_never_better(name: str, field: str, scale: Sequence[Any]) -> None:
    for label, given in seen(name):
        if given.get("other_systolic") is not None:
            continue
        decisions = [decide(PROTOCOLS[name], replace(given, answers={**given.answers, field: v})) for v in scale]
        for milder, worse in pairwise(decisions):
            no_better(name, worse, than=milder, label=label)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_measurement_has_its_scale(name: str) -> None:
    """Whatever number a rule looks at, is made worse above, or cannot get worse."""
    asked: set[str] = set()
    for row in rows(name):
        given = findings(row)
        judge(PROTOCOLS[name], replace(given, answers=Watched(given.answers, asked)))
    forms = [form for form in FORMS.values() if form.protocol and form.protocol.code == name]
    steps = [step for form in forms for step in form.steps if type(step).__name__ in MEASUREMENTS]
    measured = asked & {field for step in steps for field in step.fields}
    assert not measured - {field for code, field, _ in SCALES if code == name} - NO_SCALE.keys()


@pytest.mark.parametrize("name", PROTOCOLS)
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


@pytest.mark.parametrize("name", PROTOCOLS)
def test_always_decides(name: str) -> None:
    """Whatever is left out, there is a decision, with a referral and words where it is urgent."""
    for row in rows(name):
        given = findings(row)
        for field in (None, *given.answers):
            answers = {k: v for k, v in given.answers.items() if k != field or field == "outcome"}
            decision = judge(PROTOCOLS[name], replace(given, answers=answers))
            assert set(decision.flags) <= set(FLAGS)
            assert decision.next_due_on is None or decision.next_due_on >= given.on
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
