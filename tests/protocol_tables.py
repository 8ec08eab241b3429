"""The tables of `tests/protocols`, one a protocol: how a row becomes findings, and what is concluded from them.

The tables are for a nurse to read. An empty cell means: not asked, and for `on`, `age` and `mode` an ordinary visit
(2026-11-22, 50 years, 门诊). A table has the columns its protocol needs, in any order: those of `ABOUT`, and fields of
the answers by name. `pressure` with several readings gives them all; `other`, `before` and `details` use the answers'
own names. `rules` lists every rule that fires; `next` is a number of days, a date, or empty for none.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

from handlers.decisions import Decision, Findings, PastVisit, Protocol, Urgency, decide, decide_unseen
from handlers.menu import FORMS, protocols
from handlers.steps.select import Select

TABLES = Path(__file__).parent / "protocols"
PROTOCOLS = {protocol.code: protocol for protocol in protocols()}
PARTS = {"diabetes": ("diabetes", "diabetes_danger"), "mental_health": ("mental_health", "mental_health_class")}
"""The modules of a protocol that has more than one."""
ABOUT = {
    "label", "says", "asks", "refer", "contradicts", "opens", "on", "age", "sex", "born_on", "since", "details", "pressure", "symptoms", "danger", "other", "before", "due_on",
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


def page_of(name: str) -> dict[str, Any]:
    """Every name that the modules of a protocol define."""
    parts = [vars(sys.modules[f"handlers.protocols.{part}"]) for part in PARTS.get(name, (name,))]
    return {defined: value for part in parts for defined, value in part.items()}


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
    if isinstance(given.get("medications"), str):
        given["medications"] = [{"name": name} for name in given["medications"].split("、")]
    return given


def past(text: str) -> Iterator[PastVisit]:
    """'2026-11-08 150/96 class=2; 2026-10-20 mode=3' as earlier visits."""
    for visit in filter(None, (part.strip() for part in text.split(";"))):
        day, *rest = visit.split()
        said = named(" ".join(word for word in rest if "=" in word))
        answers = pressures(" ".join(word for word in rest if "/" in word)) | said
        mode, classified, age = answers.pop("mode", 1), answers.pop("class", None), answers.pop("age", None)
        service = answers.pop("service", "")
        yield PastVisit(date.fromisoformat(day), service, mode, classified, answers, age)


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
    """What the protocol says; a row with an `outcome` is a visit at which nobody was seen, often nothing follows."""
    if given.get("outcome", 1) == 1:
        return decide(protocol, given)
    return decide_unseen(protocol, given) or NOTHING_FOLLOWS


NOTHING_FOLLOWS = Decision("", "", None, None, Urgency.ROUTINE, (), (), (), None, False, ())


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
        **({"opens": _opens(protocol.code, given)} if "opens" in row else {}),
        **(
            {"contradicts": "阴性" if page_of(protocol.code)["abnormal"](given) else ""} if "contradicts" in row else {}
        ),
        **({"refer": "转" if decision.refer else ""} if "refer" in row else {}),
    }


def _opens(name: str, given: Findings) -> str:
    """In how many days the window of what comes next opens."""
    page = page_of(name)
    window = (page.get("next_visit_window") or page["window"])(given)
    return str((window[0] - given.on).days) if window and window[0] else ""


def as_expected(name: str, row: dict[str, str], given: Findings) -> bool:
    """Does a row hold, and does the form ask for danger signs as it says?"""
    found = concluded(PROTOCOLS[name], row, given)
    return found == {column: row[column] or "" for column in found} and asks_as_told(name, row, given)


def asks_as_told(name: str, row: dict[str, str], given: Findings) -> bool:
    """`asks` is empty where nothing calls for the question, else 问 or words that stand in it."""
    said = row.get("asks")
    question = page_of(name).get("danger_question")
    if said is None or question is None:
        return True
    asked = question(given)
    return bool(asked) == bool(said) and (said == "问" or said in asked)


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


def codes_disagree(name: str) -> list[str]:
    """Fields that no form has, and those whose buttons have other codes than the protocol's list of that name."""
    found, page = [], page_of(name)
    forms = [form for form in FORMS.values() if form.protocol and form.protocol.code == name]
    fields = {field for form in forms for step in form.steps for field in step.fields}
    for listed in NAMED:
        found += [f"{listed}: {field}" for field in page.get(listed, ()) if field not in fields]
    for form in forms:
        for field, listed in LISTS:
            step, known = form.step(field), page.get(listed)
            if known is None or not isinstance(step, Select):
                continue
            nothing = {
                *UNTOLD.get(field, ()),
                *({getattr(step, "none_code", None)} if listed in WITHOUT_NOTHING else ()),
            }
            if {option.code for option in step.options} - nothing != {*known} - nothing:
                found.append(f"{form.code}.{field}")
        symptoms = form.step("symptoms")
        if getattr(symptoms, "none_code", None) != page.get("NO_SYMPTOMS", getattr(symptoms, "none_code", None)):
            found.append(f"{form.code}.symptoms: nothing")
    return found


UNTOLD = {"disability_grade": {9}}  # 没有评级
"""Buttons for what is not told, which no rule knows."""


LISTS = (
    ("symptoms", "SYMPTOMS"),
    ("danger_signs", "DANGER_SIGNS"),
    ("danger_signs", "AT_ONCE"),
    ("refer_signs", "TO_BE_SEEN"),
    ("tcm_methods", "TCM"),
    ("risks", "RISKS"),
    ("stage", "STAGES"),
    ("adherence", "ADHERENCE"),
    ("jaundice", "JAUNDICE"),
    ("risk_colour", "RISK_COLOURS"),
    ("referral_urgency", "URGENCIES"),
    ("danger_level", "DANGER_LEVELS"),
    ("dangerous_behaviours", "BEHAVIOURS"),
    ("complication_kinds", "COMPLICATIONS"),
    ("rehabilitation_needs", "NEEDS"),
    ("disability_kind", "KINDS"),
    ("disability_grade", "GRADES"),
    ("diabetes_type", "DIABETES_TYPES"),
    ("stop_reason", "STOP_REASONS"),
    ("supervisor", "SUPERVISORS"),
    ("dosage_forms", "DOSAGE_FORMS"),
    ("regimen_use", "REGIMEN_USES"),
    ("phase", "PHASES"),
)
"""Fields, and the name under which a protocol lists their codes."""
WITHOUT_NOTHING = ("AT_ONCE", "TO_BE_SEEN", "TCM")
"""Lists without the answer that nothing is so."""
NAMED = ("EXAMINED", "KNOWLEDGE", "CHECKED", "SELF_CARE", "HELP")
"""Names under which protocols list fields."""


def unknown_words(name: str) -> list[str]:
    """Values that a sentence of the protocol asks for and neither the protocol nor a form of it knows."""
    protocol = PROTOCOLS[name]
    given = next(given for row in rows(name) if (given := findings(row)).get("outcome", 1) == 1)
    forms = [form for form in FORMS.values() if form.protocol and form.protocol.code == name]
    known = {*protocol.values(given), *(field for form in forms for step in form.steps for field in step.fields)}
    texts = [text for rule in protocol.rules for text in (rule.because, rule.then.say)]
    return sorted({field for text in texts for _, field, _, _ in Formatter().parse(text) if field} - known)
