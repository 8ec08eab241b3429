"""Every row of every protocol's table (see protocol_tables), and what must hold for any findings."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.decisions import (
    FLAGS,
    Decision,
    Findings,
    Outcome,
    PastVisit,
    Protocol,
    Rule,
    UncoveredFinding,
    Urgency,
    decide,
    explain,
)
from handlers.menu import FORMS
from handlers.protocols import diabetes, diabetes_danger, hypertension
from handlers.protocols.findings import VALUES
from handlers.protocols.quarters import last_day_of_quarter
from handlers.rules_page import page as page_of_rules
from tests import protocol_lists
from tests.protocol_tables import (
    ORDINARY_DAY,
    PROTOCOLS,
    Watched,
    asks_as_told,
    codes_disagree,
    concluded,
    findings,
    judge,
    page_of,
    rows,
    unknown_words,
)

BOTH = ("hypertension", "diabetes")  # whose findings are drawn at random below
EXAMPLES = 100
AT_LEAST = {"hypertension": 70, "diabetes": 60}
AT_LEAST_OTHERS = 12
RULES = Path(__file__).parent.parent / "docs" / "rules.md"
CASES = [
    pytest.param(PROTOCOLS[name], row, id=f"{name}-{number}")
    for name in PROTOCOLS
    for number, row in enumerate(rows(name), 1)
]


@pytest.mark.parametrize(("protocol", "row"), CASES)
def test_every_row(protocol: Protocol, row: dict[str, str]) -> None:
    found = concluded(protocol, row, findings(row))
    assert found == {column: row[column] or "" for column in found}, row["label"]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_danger_signs_are_asked_for(name: str) -> None:
    """Where a table has the column `asks`, it is filled in exactly the rows whose findings call for the question."""
    steps = [form.step("danger_signs") for form in FORMS.values() if form.protocol is PROTOCOLS[name]]
    for row in rows(name):
        assert asks_as_told(name, row, findings(row)), row["label"]
        for step in filter(None, steps if row.get("asks") is not None else ()):
            assert bool(step.wording(findings(row))) == bool(row["asks"]), row["label"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_table_is_complete(name: str, record_property: Any) -> None:
    """Enough rows, and each rule of the protocol fires in at least one of them."""
    table = rows(name)
    record_property("figure", f"boundary rows of {name}: {len(table)}")
    assert len(table) >= AT_LEAST.get(name, AT_LEAST_OTHERS)
    fired = {rule for row in table for rule in row["rules"].split()}
    assert fired == {rule.id for rule in PROTOCOLS[name].rules}
    assert len({row["label"] for row in table}) == len(table), "a label tells one row from another"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_whatever_a_rule_asks_can_be_answered(name: str) -> None:
    """Each answer that the rules of a protocol look at is a field of the form, or of another one of its programme."""
    forms = [form for form in FORMS.values() if form.protocol and form.protocol.code == name]
    asked: set[str] = set()
    for row in rows(name):
        given = findings(row)
        judge(PROTOCOLS[name], replace(given, answers=Watched(given.answers, asked)))
    for form in forms:
        family = [
            other for other in FORMS.values() if other is form or (form.programme and other.programme == form.programme)
        ]
        fields = {field for other in family for step in other.steps for field in step.fields}
        assert asked <= fields | DERIVED | OF_ANY_FORM


DERIVED = {"bmi", "pregnancy", "pregnancy_began_on"}
OF_ANY_FORM = {"outcome", *VALUES, "insulin", "medications", "adherence", "self_reported"}
"""What rules that several protocols share look at; a form has those that its programme knows."""


@pytest.mark.parametrize("name", PROTOCOLS)
def test_codes_of_form_and_protocol_agree(name: str) -> None:
    """The codes that the rules know are those of the buttons: of symptoms, danger signs and whatever else has a list."""
    disagreeing = codes_disagree(name)
    assert not disagreeing, disagreeing


@pytest.mark.parametrize("name", protocol_lists.LISTS)
def test_lists_are_told_as_they_are_checked(name: str, record_property: Any) -> None:
    _, told = protocol_lists.LISTS[name]
    table = protocol_lists.table(name)
    record_property("figure", f"lines of the list {name}: {len(table)}")
    assert table and list(told(table)) == table


# What must hold for any findings

HYPERTENSION_DANGER = st.lists(st.sampled_from([*hypertension.DANGER_SIGNS]), max_size=2)
DIABETES_DANGER = st.lists(st.sampled_from([*diabetes_danger.DANGER_SIGNS]), max_size=2)
DAYS = st.dates(date(2026, 1, 1), date(2027, 12, 31))
GLUCOSE = st.one_of(
    st.integers(3, 600).map(lambda tenth: tenth / 10),
    st.integers(30, 6000).map(lambda n: n / 100),
    st.just("HI"),
    st.just("LO"),
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


SHARED = {
    "mode": maybe(st.sampled_from([1, 2, 3])),
    "systolic": maybe(st.integers(40, 320)),
    "diastolic": maybe(st.integers(10, 200)),
    "readings": maybe(st.lists(st.tuples(st.integers(40, 320), st.integers(10, 200)).map(list), max_size=3)),
    "heart_rate": maybe(st.integers(15, 300)),
    "heart_rate_repeat": maybe(st.integers(15, 300)),
    "symptoms": maybe(st.lists(st.integers(1, 10), max_size=3)),
    "pregnancy": maybe(st.sampled_from([0, 1, 2])),
    "adherence": maybe(st.sampled_from([1, 2, 3])),
    "adverse_reaction": maybe(st.sampled_from([1, 2])),
    "new_complication": maybe(st.sampled_from([1, 2])),
    "self_reported": maybe(st.booleans()),
    "medications": maybe(
        st.lists(st.sampled_from(["氨氯地平", "格列美脲", "阿卡波糖", "达格列净"]).map(lambda n: {"name": n}))
    ),
}
ANSWERS = {
    "hypertension": st.fixed_dictionaries(
        SHARED
        | {"danger_signs": maybe(HYPERTENSION_DANGER), "secondary_hypertension": maybe(st.sampled_from([1, 2, True]))}
    ),
    "diabetes": st.fixed_dictionaries(
        SHARED
        | {
            "danger_signs": maybe(DIABETES_DANGER),
            "fasting_glucose": maybe(GLUCOSE),
            "postprandial_glucose": maybe(GLUCOSE),
            "random_glucose": maybe(GLUCOSE),
            "hypoglycaemia": maybe(st.sampled_from([1, 2, 3])),
            "dorsalis_pedis": maybe(st.sampled_from([1, 2, 3])),
            "temperature": maybe(st.integers(250, 450).map(lambda tenth: tenth / 10)),
            "diabetes_type": maybe(st.sampled_from([1, 2, 3, 4])),
            "insulin": maybe(st.sampled_from(["无", "甘精胰岛素 10U"])),
        }
    ),
}


@st.composite
def any_findings(draw: st.DrawFn, name: str) -> Findings:
    said = ANSWERS[name].map(lambda answers: {field: given for field, given in answers.items() if given is not None})
    on = draw(DAYS)
    visits = [
        PastVisit(on - timedelta(days=draw(st.integers(-5, 200))), "", v.get("mode"), draw(maybe(st.integers(1, 4))), v)
        for v in draw(st.lists(said, max_size=2))
    ]
    switches = {n: draw(st.booleans()) for n, s in PROTOCOLS[name].settings.items() if isinstance(s.default, bool)}
    return Findings(
        on=on,
        answers=draw(said),
        age=draw(maybe(st.integers(0, 110))),
        history=visits,
        due_on=draw(maybe(DAYS)),
        settings=switches if draw(st.booleans()) else {},
    )


def no_better(worse: Decision, than: Decision) -> None:
    assert (worse.classification or 0) >= (than.classification or 0)
    assert worse.urgency.rank <= than.urgency.rank


@pytest.mark.parametrize("name", BOTH)
@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_always_decides(name: str, data: st.DataObject) -> None:
    """No plausible findings are left without an answer, a date in the future and, if urgent, a referral and words."""
    given = data.draw(any_findings(name))
    decision = decide(PROTOCOLS[name], given)
    assert decision.next_due_on and given.on < decision.next_due_on <= max(
        given.on + timedelta(days=92), given.due_on or given.on
    )
    assert set(decision.flags) <= set(FLAGS)
    assert len(decision.reasons) == len(decision.rules)
    assert not any("{" in words for words in (*decision.reasons, *decision.say))
    if decision.urgency in (Urgency.EMERGENCY, Urgency.REFER):
        assert decision.refer and decision.say
    if decision.urgency is not Urgency.ROUTINE:
        assert (decision.next_due_on - given.on).days <= 14
    if given.get("mode") == 3:
        assert "not_standard_visit" in decision.flags


@given(data=st.data(), more=st.integers(1, 60))
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.parametrize("side", ["systolic", "diastolic"])
@pytest.mark.parametrize("name", BOTH)
def test_higher_pressure_is_never_better(name: str, side: str, data: st.DataObject, more: int) -> None:
    given = data.draw(any_findings(name))
    floor = {"systolic": 90, "diastolic": 50}[side]
    now = data.draw(st.integers(floor, 250))
    milder = replace(given, answers={**given.answers, side: now})
    worse = replace(given, answers={**given.answers, side: now + more})
    no_better(decide(PROTOCOLS[name], worse), than=decide(PROTOCOLS[name], milder))


@given(data=st.data(), now=st.integers(400, 5000), more=st.integers(1, 1000))
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.parametrize("field", ["fasting_glucose", "random_glucose", "postprandial_glucose"])
def test_higher_glucose_is_never_better(field: str, data: st.DataObject, now: int, more: int) -> None:
    given = data.draw(any_findings("diabetes"))
    milder = replace(given, answers={**given.answers, field: now / 100})
    worse = replace(given, answers={**given.answers, field: (now + more) / 100})
    no_better(decide(diabetes.protocol, worse), than=decide(diabetes.protocol, milder))


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None)
@pytest.mark.parametrize("name", BOTH)
def test_one_danger_sign_more_is_never_better(name: str, data: st.DataObject) -> None:
    given = data.draw(any_findings(name))
    sign = data.draw(st.sampled_from([sign for sign in PROTOCOLS[name].danger_signs if sign != "none"]))
    worse = replace(given, answers={**given.answers, "danger_signs": [*(given.get("danger_signs") or []), sign]})
    no_better(decide(PROTOCOLS[name], worse), than=decide(PROTOCOLS[name], given))


@given(on=DAYS)
def test_last_day_of_quarter(on: date) -> None:
    end = last_day_of_quarter(on)
    assert on <= end < on + timedelta(days=92)
    assert (end + timedelta(days=1)).day == 1 and end.month % 3 == 0
    assert last_day_of_quarter(on, 1) == last_day_of_quarter(end + timedelta(days=1))


# The words


@pytest.mark.parametrize("name", PROTOCOLS)
def test_page_lists_every_rule_and_setting(name: str) -> None:
    protocol, text = PROTOCOLS[name], RULES.read_text(encoding="utf-8")
    assert text == page_of_rules([*PROTOCOLS.values()]), "run `make rules`"
    assert all(f"| {rule.id} |" in text for rule in protocol.rules)
    assert all(f"| {setting} |" in text for setting in protocol.settings)
    assert protocol.source in text and "{" not in text
    assert all(re.search(r" / .*domain\.md [A-M]", row.source) for row in explain(protocol))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_sentences_ask_for_values_there_are(name: str) -> None:
    assert not unknown_words(name)


@pytest.mark.parametrize("name", BOTH)
def test_questions_ask_for_signs_the_rules_know(name: str) -> None:
    """Every symptom that opens the danger question exists, and every sign offered alone is at least `soon`."""
    page = page_of(name)
    assert set(page["DANGER_QUESTIONS"]) <= set(page["SYMPTOMS"])
    for sign in set(page["DANGER_SIGNS"]) - {"none"}:
        assert decide(page["protocol"], Findings(ORDINARY_DAY, {"danger_signs": [sign]})).urgency.rank <= 2


def test_gap_is_told() -> None:
    """Two in a row says when the first was, because months can lie between (domain.md M-5)."""
    before = PastVisit(date(2026, 8, 1), "", 1, 2, {"systolic": 150, "diastolic": 80})
    decision = decide(
        hypertension.protocol, Findings(ORDINARY_DAY, {"systolic": 142, "diastolic": 88}, 50, history=[before])
    )
    assert any("2026-08-01" in reason and "113天" in reason for reason in decision.reasons)


def test_ambulance_is_said_first() -> None:
    answers = {"systolic": 190, "diastolic": 100, "symptoms": [3], "danger_signs": ["cold_sweat"]}
    assert "120" in decide(hypertension.protocol, Findings(ORDINARY_DAY, answers)).say[0]


def test_uncovered_finding_is_an_error() -> None:
    with pytest.raises(UncoveredFinding):
        decide(replace(hypertension.protocol, act=()), Findings(ORDINARY_DAY, {}))


def test_a_protocol_checks_itself() -> None:
    with pytest.raises(ValueError, match="must refer"):
        Outcome(urgency=Urgency.EMERGENCY, say="马上打120。")
    with pytest.raises(ValueError, match="unknown flags"):
        Outcome(flags=("no_such_flag",))
    twice = Rule("HTN-01", lambda f: True, Outcome(), "", "", "")
    with pytest.raises(ValueError, match="used twice"):
        replace(hypertension.protocol, act=(twice,))
    with pytest.raises(ValueError, match="unknown classes"):
        replace(hypertension.protocol, classifications={1: "控制满意"})
