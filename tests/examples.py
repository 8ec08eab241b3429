"""The 116 entry examples as given, their illustrative names of fields and answers put into the contract's.

`tests/examples/entry.jsonl` says `expect`: record, ask, none or command, and under `also_ok` what is as good.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from handlers.menu import FORMS
from handlers.steps import Number, Select
from tests.readings import ANYTHING, Expected, Line

FILE = Path(__file__).parent / "examples" / "entry.jsonl"

NAMES = {
    "weight_kg": "weight", "weight_target_kg": "weight_target", "waist_cm": "waist", "alcohol_liang_per_day": "alcohol_per_day",
    "alcohol_target_liang": "alcohol_target", "psych": "mental_adjustment", "staple_g_per_day": "staple_food",
    "fee_personal": "fee", "groups": "population_groups", "attendance": "attendances", "unique_people": "people",
    "bp_measured": "blood_pressure_checks", "glucose_measured": "glucose_checks", "id_number": "identity_number",
    "group": "village_group", "hospital": "supporting_organisation", "hemoglobin": "haemoglobin",
    "social": "social_contact", "started_on": "starts_on",
    "dosage_form": "dosage_forms",
}  # fmt: skip
CODES: Mapping[str, Mapping[str, Any]] = {
    "mode": {"clinic": 1, "home": 2, "phone": 3},
    "adherence": {"regular": 1, "none": 3},
    "symptoms": {"none": 1, "headache_dizziness": 2, "nausea_vomiting": 3, "edema": 4},
    "salt": {"light": 1, "medium": 2},
    "salt_target": {"light": 1},
    "psych": {"good": 1},
    "compliance": {"good": 1},
    "adverse_reaction": {"none": 1, "吃了不舒服": 2},
    "package": {"basic": [1], "key_group": [2], "personalised": [3]},
    "groups": {"elderly": 1, "hypertension": 2, "diabetes": 3},
    "kind": {"lecture": 1},
    "sex": {"male": 1, "female": 2},
    "urine_protein": {"++": 3},
    "umbilical_cord": {"fallen": 2},
    "jaundice_site": {"none": 1},
    "housework": {"fair": 2},
    "dosage_form": {"combination_blister": [3]},
    "supervisor": {"doctor": 1},
    "work": {"not_applicable": 9},
    "social": {"poor": 3},
    "lab_tests": {"none": 1},
}
ASKS = {
    "which resident": "resident", "which reading": "systolic", "date": "on", "fasting_or_not": "fasting_glucose", "unit": "weight",
    "meaning": "number", **NAMES,
}  # fmt: skip
UNSAID = frozenset({"action", "package_name", "spouse", "expert_count", "days"})
"""What a word of the example stands for and no field of ours: signing is the form itself."""
BY_NUMBER = {"born_on": "1984-11-20"}
OURS: Mapping[str, tuple[Expected | tuple[Expected, ...], ...]] = {
    "p2-0934": (
        Expected("mental_health_follow_up", "黄阿贵", {"medications": [{"name": "olanzapine", "dose": 10, "unit": "mg", "times": 1}]}),
    ),
    "p2-0438": (
        Expected("postpartum_visit", "罗丽", {"delivered_on": "2026-11-12", "discharged_on": "2026-11-10"}, ("check",)),
    ),
    "p2-0486": (Expected("vaccination", "周宝宝", {"doses": ["DTP.1"]}, ("check",)),),  # too early: asked whether it is so
    "p2-0214": (
        Expected("referral_up", "罗丽", {"referral_to": "市人民医院", "referral_reason": "HPV16阳性 做阴道镜"}),
    ),
    "p2-0518": (  # two examinations, two records
        (Expected("screening_result", "罗丽", {"kind": "cervical", "postponed": 1}),
         Expected("screening_result", "罗丽", {"kind": "breast", "postponed": 1})),
    ),
    "p2-0054": (Expected("signing", "李秀英", {"action": 3, "package": [2], "fee": 30}),),
    "p2-0038": (Expected("signing_end", "龙老四", {"end_reason": 2, "on": "2026-11-15"}, ("check",)),),
    "p2-0374": (
        Expected(
            "elderly_check", "陈玉珍",
            {"height": 152, "weight": 49.5, "waist": 78, "systolic": 136, "diastolic": 80, "fasting_glucose": 5.6, "ecg": 1,
             "ultrasound": 2, "ultrasound_what": "脂肪肝"},
        ),
    ),
    # "unit" is of the glucose here, and the form that is opened asks the pressure by itself
    "p1-0614": (Expected("diabetes_follow_up", "欧阳春梅", {}, ("fasting_glucose",)),),
    "p1-0566": (Expected("hypertension_follow_up", "张桂兰"),),
    # he came; how she was seen, whoever she is, is asked with her name
    "p1-0550": (
        (Expected("hypertension_follow_up", "单雄飞", {"systolic": 142, "diastolic": 88, "mode": 1}),
         Expected("hypertension_follow_up", None, {"systolic": 136, "diastolic": 84}, ("resident",))),
    ),
    "p1-0838": (  # only the visit for diabetes asks the glucose
        (Expected("hypertension_follow_up", "赵大山", {"systolic": 150, "diastolic": 98}),
         Expected("diabetes_follow_up", "赵大山", {"systolic": 150, "diastolic": 98}, ("fasting_glucose",))),
    ),
    # one number for two counts is asked as a number: it is neither of them
    "p2-0198": (Expected("outreach_clinic", None, {}, ("number",)),),
    # why the doctor went is asked; what was seen is quoted back, for a remark is no finding
    "p2-0230": (Expected("home_visit", "杨二狗"),),
    # a grandson whom nobody registered: whom a report or referral is about must be said, so the menu is offered
    "p2-0550": ((),),
    # a township is no village of hers: the words are quoted back, and the place is a tap away
    "p2-0566": (
        Expected("expert_support", None, {"supporting_organisation": "市中医院", "work": [3]}),
    ),
    # three people are three registrations: the first one's name is asked, and 三口人 is quoted back
    "p2-0598": (Expected("health_record", None, {"village": "石桥村"}),),
    # every follow-up has a place for somebody who was not seen
    "p1-0502": (Expected("hypertension_follow_up", "覃凤英", {"outcome": 4}), Expected("hypertension_follow_up", "覃凤英", {"mode": 3})),
    "p2-0262": (
        Expected("hypertension_follow_up", None, {"outcome": 5, "died_on": "2026-11-21"}, ("resident",)),
        Expected("hypertension_follow_up", None, {"outcome": 5, "on": "2026-11-21"}, ("resident",)),
    ),
    "p2-0870": (Expected("newborn_visit", "周宝宝", {"weight": 3.8, "umbilical_cord": 2, "jaundice": 1, "stool": 1}),),
    "p2-0534": (Expected("screening_result", "王建国", {"kind": "breast", "birads": 2}),),  # that he is a man is asked
    "p2-0246": (Expected("hypertension_follow_up", "欧阳春梅", {"outcome": 3}),),
}  # fmt: skip
SERVICES = {"both": ("hypertension_follow_up", "diabetes_follow_up")}


def examples() -> list[Line]:
    """Every example as a line of the corpus; commands and chatter are to leave no record."""
    return [_line(json.loads(text)) for text in FILE.read_text().splitlines() if text.strip()]


def _line(row: dict[str, Any]) -> Line:
    ways = [row, *({**row, **way} for way in row.get("also_ok", []))]
    readings = tuple(tuple(_records(way)) for way in ways)
    readings += tuple(ours if isinstance(ours, tuple) else (ours,) for ours in OURS.get(row["id"], ()))
    return Line(row["id"], row["text"], readings, tuple(row.get("candidates", ())))


def _records(way: Mapping[str, Any]) -> Iterator[Expected]:
    if way["expect"] in ("none", "command"):
        return
    for record in way.get("records") or [way]:
        told = [] if record.get("expect") == "record" else record.get("ask_about", [])
        asks = tuple(dict.fromkeys(ASKS.get(name, name) for name in told if name != "service"))
        who, fields = record.get("resident"), dict(_fields(record.get("fields", {})))
        if "identity_number" in fields:  # somebody new: the name is an answer, and the number tells the birthday
            yield Expected(record["service"], None, {**fields, "name": who}, asks, BY_NUMBER)
            continue
        for service in SERVICES.get(record["service"], (record["service"],)):
            if service is not None:
                own = fields if service not in FORMS else _of(service, fields)
                may = {ANYTHING: ANYTHING} if own.keys() != fields.keys() and service not in SERVICES["both"] else {}
                yield Expected(service, None if "resident" in asks else who, own, asks, may)


def _of(service: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """What a form has a place for under the same name; words that stand for a code of ours are not compared."""
    steps = {name: FORMS[service].step(name) for name in fields}
    coded = {
        name for name, step in steps.items() if isinstance(step, (Select, Number)) and isinstance(fields[name], str)
    }
    return {name: value for name, value in fields.items() if steps[name] and name not in coded}


def _fields(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in fields.items():
        codes = CODES.get(name, {})
        if name == "readings":
            yield name, [[reading["systolic"], reading["diastolic"]] for reading in value]
        elif name == "market_day":
            yield "work", [3]
        elif name == "term_months":
            yield "term_years", value // 12
        elif name not in UNSAID:
            coded = [codes.get(v, v) for v in value] if isinstance(value, list) else codes.get(value, value)
            yield NAMES.get(name, name), coded
