"""Every row of every protocol's table, and what must hold for any findings.

The tables are for a nurse to read. An empty cell means: not asked, and for `on`, `age` and `mode` an ordinary visit
(2026-11-22, 50 years, 门诊). A table has the columns its protocol needs, in any order: those of `ABOUT`, and fields of
the answers by name. `pressure` with several readings gives them all; `other`, `before` and `details` use the answers'
own names. `rules` lists every rule that fires; `next` is a number of days, a date, or empty for none.
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Mapping
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
    decide_unseen,
    explain,
)
from handlers.menu import FORMS, protocols
from handlers.protocols import diabetes, hypertension
from handlers.protocols.common import last_day_of_quarter
from handlers.protocols.findings import VALUES
from handlers.rules_page import page
from handlers.steps.select import Select

TABLES = Path(__file__).parent / "protocols"
PROTOCOLS = {protocol.code: protocol for protocol in protocols()}
BOTH = ("hypertension", "diabetes")  # whose findings are drawn at random below
MODULES = {"hypertension": hypertension, "diabetes": diabetes}
EXAMPLES = 100
AT_LEAST = {"hypertension": 70, "diabetes": 60}
AT_LEAST_OTHERS = 12
RULES = Path(__file__).parent.parent / "docs" / "rules.md"
ABOUT = {
    "label", "says", "asks", "refer", "on", "age", "sex", "born_on", "since", "details", "pressure", "symptoms", "danger", "other", "before", "due_on",
    "settings", "class", "urgency", "next", "flags", "rules",
}  # fmt: skip
"""Columns with a meaning of their own; any other column is a field of the answers."""
ORDINARY_DAY = date(2026, 11, 22)
COLUMNS = {
    "pulse": "heart_rate",
    "reaction": "adverse_reaction",
    "complication": "new_complication",
    "fasting": "fasting_glucose",
    "random": "random_glucose",
    "postprandial": "postprandial_glucose",
    "adherence": "adherence",
    "mode": "mode",
}


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def pressures(text: str) -> dict[str, Any]:
    """'152/94' is one reading, '152/' a systolic alone, two of them are raw readings."""
    pairs = [[float(side) if side else None for side in pair.split("/")] for pair in text.split()]
    if len(pairs) > 1:
        return {"readings": pairs}
    systolic, diastolic = pairs[0] if pairs else (None, None)
    return {name: v for name, v in (("systolic", systolic), ("diastolic", diastolic)) if v is not None}


def value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def named(text: str) -> dict[str, Any]:
    """'pregnancy=1 medications=格列美脲' as answers."""
    given = {COLUMNS.get(name, name): value(said) for name, said in (pair.split("=") for pair in text.split())}
    if "medications" in given:
        given["medications"] = [{"name": name} for name in given["medications"].split("、")]
    return given


def past(text: str) -> Iterator[PastVisit]:
    """'2026-11-08 150/96 class=2; 2026-10-20 mode=3' as earlier visits."""
    for visit in filter(None, (part.strip() for part in text.split(";"))):
        day, *rest = visit.split()
        said = named(" ".join(word for word in rest if "=" in word))
        answers = pressures(" ".join(word for word in rest if "/" in word)) | said
        mode, classified, age = answers.pop("mode", 1), answers.pop("class", None), answers.pop("age", None)
        yield PastVisit(date.fromisoformat(day), "", mode, classified, answers, age)


def findings(row: dict[str, str]) -> Findings:
    said = {column: text.strip() for column, text in row.items() if text and text.strip()}
    answers: dict[str, Any] = {"mode": 1, **pressures(said.get("pressure", "")), **named(said.get("other", ""))}
    answers |= {COLUMNS.get(column, column): value(text) for column, text in said.items() if column not in ABOUT}
    if "symptoms" in said:
        answers["symptoms"] = [int(code) for code in said["symptoms"].split()]
    if "danger" in said:
        answers["danger_signs"] = said["danger"].split()
    return Findings(
        on=day(said.get("on")) or ORDINARY_DAY,
        answers=answers,
        age=None if said.get("age") == "?" else int(said.get("age", 50)),
        sex=said.get("sex"),
        history=tuple(past(said.get("before", ""))),
        due_on=day(said.get("due_on")),
        settings=named(said.get("settings", "")),
        born_on=day(said.get("born_on")),
        since=day(said.get("since")),
        details=named(said.get("details", "")),
    )


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def judge(protocol: Protocol, given: Findings) -> Decision:
    """What the protocol says; a row with an `outcome` is a visit at which nobody was seen."""
    if given.get("outcome", 1) == 1:
        return decide(protocol, given)
    decision = decide_unseen(protocol, given)
    assert decision is not None
    return decision


CASES = [
    pytest.param(PROTOCOLS[name], row, id=f"{name}-{number}")
    for name in PROTOCOLS
    for number, row in enumerate(rows(name), 1)
]


def concluded(protocol: Protocol, row: dict[str, str], given: Findings) -> dict[str, str]:
    """What the protocol says, in the words of the table; `says` is repeated where it stands in a reason or sentence."""
    decision = judge(protocol, given)
    due = decision.next_due_on
    words = " ".join((*decision.reasons, *decision.say))
    said = row.get("says") or ""
    return {
        "class": "" if decision.classification is None else str(decision.classification),
        "urgency": str(decision.urgency),
        "rules": " ".join(decision.rules),
        "next": "" if due is None else str(due) if "-" in row["next"] else str((due - given.on).days),
        "flags": " ".join(flag for flag in decision.flags if flag != "ask_arrival"),
        **({"says": said if said in words else words} if "says" in row else {}),
        **({"refer": "转" if decision.refer else ""} if "refer" in row else {}),
    }


def as_expected(protocol: Protocol, row: dict[str, str], given: Findings, module: Any = None) -> bool:
    """Does a row hold? With the module, also whether its danger question is asked as the table says."""
    found = concluded(protocol, row, given)
    asks = row.get("asks")
    question = getattr(module, "danger_question", None)
    if asks is not None and question is not None and bool(question(given)) != (asks == "问"):
        return False
    return found == {column: row[column] or "" for column in found}


@pytest.mark.parametrize(("protocol", "row"), CASES)
def test_every_row(protocol: Protocol, row: dict[str, str]) -> None:
    found = concluded(protocol, row, findings(row))
    assert found == {column: row[column] or "" for column in found}, row["label"]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_danger_signs_are_asked_for(name: str) -> None:
    """Where a table has the column `asks`, 问 stands in exactly the rows whose findings call for the question."""
    table = [row for row in rows(name) if row.get("asks") is not None]
    steps = [form.step("danger_signs") for form in FORMS.values() if form.protocol is PROTOCOLS[name]]
    for row in table:
        for step in filter(None, steps):
            assert bool(step.wording(findings(row))) == (row["asks"] == "问"), row["label"]  # type: ignore[attr-defined]


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


class Watched(dict[str, Any]):
    """Answers that note which of them are looked at."""

    def __init__(self, answers: Mapping[str, Any], asked: set[str]) -> None:
        super().__init__(answers)
        self.asked = asked

    def get(self, field: str, default: Any = None) -> Any:
        self.asked.add(field)
        return super().get(field, default)

    def __getitem__(self, field: str) -> Any:
        self.asked.add(field)
        return super().__getitem__(field)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_codes_of_form_and_protocol_agree(name: str) -> None:
    """The codes that the rules know are those of the buttons: of symptoms, danger signs and whatever else has a list."""
    disagreeing = codes_disagree(name, sys.modules[PROTOCOLS[name].schedule.__module__])
    assert not disagreeing, disagreeing


def codes_disagree(name: str, module: Any) -> list[str]:
    """Fields whose buttons have other codes than the protocol's list of that name."""
    found = []
    for form in (form for form in FORMS.values() if form.protocol and form.protocol.code == name):
        for field, listed in LISTS.items():
            step, known = form.step(field), getattr(module, listed, None)
            if (
                known is not None
                and isinstance(step, Select)
                and {o.code for o in step.options} - UNTOLD.get(field, set()) != set(known)
            ):
                found.append(f"{form.code}.{field}")
        symptoms = form.step("symptoms")
        if getattr(symptoms, "none_code", None) != getattr(module, "NO_SYMPTOMS", getattr(symptoms, "none_code", None)):
            found.append(f"{form.code}.symptoms: nothing")
    return found


UNTOLD = {"disability_grade": {9}}  # 没有评级
"""Buttons for what is not told, which no rule knows."""


LISTS = {
    "symptoms": "SYMPTOMS",
    "danger_signs": "DANGER_SIGNS",
    "danger_level": "DANGER_LEVELS",
    "dangerous_behaviours": "BEHAVIOURS",
    "complication_kinds": "COMPLICATIONS",
    "rehabilitation_needs": "NEEDS",
    "disability_kind": "KINDS",
    "disability_grade": "GRADES",
    "diabetes_type": "DIABETES_TYPES",
    "stop_reason": "STOP_REASONS",
    "supervisor": "SUPERVISORS",
    "dosage_forms": "DOSAGE_FORMS",
    "regimen_use": "REGIMEN_USES",
    "phase": "PHASES",
}
"""Field -> the name under which a protocol lists its codes."""


# What must hold for any findings

HYPERTENSION_DANGER = st.lists(st.sampled_from([*hypertension.DANGER_SIGNS]), max_size=2)
DIABETES_DANGER = st.lists(st.sampled_from([*diabetes.DANGER_SIGNS]), max_size=2)
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
    assert text == page([*PROTOCOLS.values()]), "run `make rules`"
    assert all(f"| {rule.id} |" in text for rule in protocol.rules)
    assert all(f"| {setting} |" in text for setting in protocol.settings)
    assert protocol.source in text and "{" not in text
    assert all(re.search(r" / .*domain\.md [A-M]", row.source) for row in explain(protocol))


@pytest.mark.parametrize("name", BOTH)
def test_questions_ask_for_signs_the_rules_know(name: str) -> None:
    """Every symptom that opens the danger question exists, and every sign offered alone is at least `soon`."""
    module = MODULES[name]
    assert set(module.DANGER_QUESTIONS) <= set(module.SYMPTOMS)
    for sign in set(module.DANGER_SIGNS) - {"none"}:
        assert decide(module.protocol, Findings(ORDINARY_DAY, {"danger_signs": [sign]})).urgency.rank <= 2


def test_danger_question() -> None:
    def asked(module: Any, **answers: Any) -> str:
        return str(module.danger_question(Findings(ORDINARY_DAY, answers)))

    assert asked(hypertension, symptoms=[1], systolic=130, diastolic=80) == ""
    assert "平躺" in asked(hypertension, symptoms=[5])
    assert asked(hypertension, systolic=180, diastolic=80) == hypertension.UNASKED
    assert asked(hypertension, systolic=89, diastolic=60) == hypertension.UNASKED
    assert asked(hypertension, systolic=140, diastolic=80, pregnancy=1) == hypertension.UNASKED
    assert asked(hypertension, systolic=179, diastolic=109) == asked(diabetes, systolic=179, diastolic=109) == ""
    assert asked(hypertension, systolic=139, diastolic=89, pregnancy=1) == ""
    assert asked(hypertension, systolic=120, diastolic=90, pregnancy=1) == hypertension.UNASKED
    assert "突然" in asked(diabetes, symptoms=[5])
    assert asked(diabetes, systolic=180, diastolic=80) == asked(diabetes, heart_rate=49) == diabetes.UNASKED
    assert asked(diabetes, fasting_glucose=3.9) == asked(diabetes, random_glucose="HI") == diabetes.UNASKED
    assert asked(diabetes, fasting_glucose=4.0) == ""


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
