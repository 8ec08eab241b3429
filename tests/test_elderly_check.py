"""The yearly check: the self-care score, what makes a check no better, and who counts as elderly in which year."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decisions import Decision, Findings, decide
from handlers.forms.elderly_assessment import SELF_CARE
from handlers.forms.elderly_check import derive, form
from handlers.protocols import elderly
from handlers.steps import Known
from models import effects

TODAY = date(2026, 11, 24)
ITEMS = st.fixed_dictionaries({name: st.sampled_from(sorted(points)) for name, points in elderly.SELF_CARE.items()})


@given(ITEMS)
def test_the_score_is_the_sum_of_the_norms_points(items: dict[str, int]) -> None:
    score = elderly.self_care_score(items)
    assert score is not None and 0 <= score <= 37
    found = derive({"self_care_all": 2, **items}, Known(TODAY))
    assert (found["self_care_score"], found["self_care"]) == (score, elderly.self_care_band(score))
    for name, points in elderly.SELF_CARE.items():
        for worse in (code for code in points if code > items[name]):
            assert (elderly.self_care_score({**items, name: worse}) or 0) > score or points[worse] == points[
                items[name]
            ]


def test_the_questions_offer_exactly_the_norms_answers() -> None:
    for step in SELF_CARE:
        assert [option.code for option in step.options] == sorted(elderly.SELF_CARE[step.field])


def test_independent_is_no_points_and_an_open_item_no_score() -> None:
    assert derive({"self_care_all": 1}, Known(TODAY)) == {"self_care_score": 0, "self_care": 1}
    assert derive({"self_care_all": 2, "self_care_meals": 1}, Known(TODAY)) == {}


@pytest.mark.parametrize(("score", "band"), [(0, 1), (3, 1), (4, 2), (8, 2), (9, 3), (18, 3), (19, 4), (37, 4)])
def test_bands(score: int, band: int) -> None:
    assert elderly.self_care_band(score) == band


WORSE_HIGHER = {"systolic": (90, 250), "diastolic": (50, 140), "creatinine": (30, 2000), "alt": (5, 3000)}
WORSE_LOWER = {"haemoglobin": (20, 200), "platelets": (5, 400)}
OTHERS = st.fixed_dictionaries(
    {
        "systolic": st.integers(90, 220),
        "diastolic": st.integers(50, 130),
        "fasting_glucose": st.one_of(st.none(), st.integers(30, 250).map(lambda tenth: tenth / 10)),
        "ecg": st.sampled_from([None, 1, 2]),
        "mood": st.sampled_from([None, 1, 2]),
        "symptoms": st.lists(st.integers(1, 25), max_size=3),
    }
)  # fmt: skip


def no_better(worse: Decision, than: Decision) -> None:
    assert (worse.classification or 0) >= (than.classification or 0)
    assert worse.urgency.rank <= than.urgency.rank


@given(data=st.data(), name=st.sampled_from([*WORSE_HIGHER, *WORSE_LOWER]))
@settings(max_examples=150, deadline=None)
def test_a_worse_value_is_never_better(data: st.DataObject, name: str) -> None:
    low, high = {**WORSE_HIGHER, **WORSE_LOWER}[name]
    one, other = sorted(data.draw(st.lists(st.integers(low, high), min_size=2, max_size=2)))
    milder, worse = (one, other) if name in WORSE_HIGHER else (other, one)
    given_ = {key: value for key, value in data.draw(OTHERS).items() if value is not None}

    def decided(value: int) -> Decision:
        return decide(elderly.protocol, Findings(TODAY, {**given_, name: value}, 70, "male"))

    no_better(decided(worse), than=decided(milder))


@given(data=st.data(), age=st.one_of(st.none(), st.integers(0, 110)))
@settings(max_examples=100, deadline=None)
def test_next_years_check_is_due_within_the_next_calendar_year(data: st.DataObject, age: int | None) -> None:
    on = data.draw(st.dates(date(2024, 1, 1), date(2030, 12, 31)))
    answers = {key: value for key, value in data.draw(OTHERS).items() if value is not None}
    decision = decide(elderly.protocol, Findings(on, answers, age))
    due = form.owes(answers, decision, Known(on, age=age))
    assert due.urgency == "routine"
    assert due.on is None if age is None or age < 65 else due.on is not None and due.on.year == on.year + 1


def resident(**given: Any) -> Any:
    row = {"village_id": 4, "groups": [], "status": "active", "status_on": None, "registered_on": date(2020, 1, 1)}
    return SimpleNamespace(**(row | given))


@pytest.mark.parametrize(
    ("given", "day", "counts"),
    [
        ({"born_on": date(1961, 12, 31)}, "2025-12-31", 0),
        ({"born_on": date(1961, 12, 31)}, "2026-01-01", 1),  # turns 65 on the last day of the year
        ({"born_on": date(1962, 1, 1)}, "2026-12-31", 0),
        ({"born_on": date(1950, 1, 1), "registered_on": date(2026, 5, 1)}, "2026-04-30", 0),
        ({"born_on": date(1950, 1, 1), "registered_on": None}, "2026-01-01", 1),  # on the roster, without a record
        ({"born_on": date(1950, 1, 1), "status": "died", "status_on": date(2026, 3, 1)}, "2026-03-01", 0),
        ({"born_on": None}, "2026-12-31", 0),
    ],
)  # fmt: skip
def test_who_is_elderly_on_the_register(given: dict[str, Any], day: str, counts: int) -> None:
    found = effects.resident_effects(resident(**given))
    until = date.fromisoformat(day)
    assert sum(n for (_, on, name), n in found.items() if name == "residents.elderly" and on <= until) == counts


def test_one_record_is_the_yearly_check_of_every_disease() -> None:
    known = Known(TODAY, age=70, programmes=frozenset({"hypertension", "diabetes", "copd"}))
    decision = decide(elderly.protocol, Findings(TODAY, {"systolic": 130, "diastolic": 80}, 70))
    assert form.marks({}, decision, known) == [
        "person.people.elderly_check", "person.people.yearly_check.hypertension", "person.people.yearly_check.diabetes",
    ]  # fmt: skip
    young = decide(elderly.protocol, Findings(TODAY, {"systolic": 130, "diastolic": 80}, 50))
    assert form.marks({}, young, known) == [
        "person.people.yearly_check.hypertension", "person.people.yearly_check.diabetes",
    ]  # fmt: skip
