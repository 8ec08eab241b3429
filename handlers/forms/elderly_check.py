"""老年人健康体检: the norm's 健康体检表 for residents from 65, once a year (domain.md A6).

The few that matter are asked (pressure, weight, height, waist, complaints, self-care, self-rating, the two screens); the
laboratory and everything else of the form is reachable from the recap and by words. It is the yearly check of
hypertension and diabetes as well, and one record: counted once among the checks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form, day_of
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.danger import danger_step
from handlers.forms.danger_words import BREATHLESS, CHEST
from handlers.forms.diabetes_follow_up import GLUCOSE
from handlers.forms.elderly_assessment import (
    ALL_BY_HIMSELF,
    COGNITION,
    COGNITION_SCORE,
    MOOD,
    MOOD_SCORE,
    SELF_CARE,
    SELF_CARE_ALL,
    SELF_HARM,
    SELF_RATED,
    self_care_words,
)
from handlers.forms.elderly_details import DETAILS
from handlers.forms.hypertension_follow_up import PRESSURE_TAKEN
from handlers.protocols import elderly
from handlers.steps import Day, Known, SelectMany, SelectOne, options
from handlers.turn import Turn
from models.appointment import Appointment
from models.conversation import Doubt
from models.effects import PERSON
from models.record import Record

AGAIN_AFTER = timedelta(days=14)  # 非同日复测, 空腹复查
YEARLY_OF = ("hypertension", "diabetes")
"""Programmes whose yearly check this record is too."""

WEIGHT = replace(common.WEIGHT, asked=True, ask="体重多少?(公斤;说斤请写“斤”)", same_as=common.WEIGHT)
HEIGHT = replace(common.HEIGHT, asked=True, ask="身高多少?(厘米)", usual=(130, 190), same_as=common.HEIGHT)
WAIST = replace(
    common.WAIST, asked=True, optional=True, ask="腰围多少?(厘米)没量可以跳过。", words=("腰", "腰为", "腰围为"), same_as=common.WAIST
)  # fmt: skip
SUGAR = replace(
    GLUCOSE,
    optional=True,
    ask="血糖多少?(mmol/L)请带上空腹还是餐后,例如“空腹 6.8”“餐后 9.8”;没抽血可以跳过",
    same_as=GLUCOSE,
)
SYMPTOMS = SelectMany(
    field="symptoms",
    title="体检症状",
    ask="有什么不舒服?可以多选。",
    none_code=1,
    options=options(
        common.NO_SYMPTOMS,
        (2, "头痛", "头疼"), (3, "头晕", "头昏"), (4, "心悸", "心慌"), (5, "胸闷"), (6, "胸痛", *CHEST[1:]), (7, "慢性咳嗽", "老咳嗽", "咳嗽"),
        (8, "咳痰", "有痰"), (9, "呼吸困难", "气喘", "喘不上气", "气促", *BREATHLESS), (10, "多饮", "口渴"), (11, "多尿", "尿多"), (12, "体重下降", "瘦了", "消瘦"),
        (13, "乏力", "没力气", "没劲"), (14, "关节肿痛", "关节痛", "腿痛", "膝盖痛"), (15, "视力模糊", "看不清"), (16, "手脚麻木", "手麻", "脚麻"),
        (17, "尿急"), (18, "尿痛"), (19, "便秘", "解不出大便"), (20, "腹泻", "拉肚子"), (21, "恶心呕吐", "恶心", "呕吐"), (22, "眼花"),
        (23, "耳鸣"), (24, "乳房胀痛"), (25, "其他", "=其他"),
    ),
)  # fmt: skip
_OF_THE_HEAD = ("severe_headache", "altered_consciousness", "one_sided_or_speech", "fainting")
_OF_THE_CHEST = ("chest_pain_10min", "chest_pain", "cold_sweat", "cannot_lie_flat", "fainting")
DANGER = danger_step(
    elderly.DANGER_SIGNS,
    elderly.danger_question,
    offered={
        2: _OF_THE_HEAD, 3: _OF_THE_HEAD, 4: _OF_THE_CHEST, 5: _OF_THE_CHEST, 6: _OF_THE_CHEST, 9: _OF_THE_CHEST,
        15: ("sudden_vision", "severe_headache"), 16: ("one_sided_or_speech",), 21: ("black_stool", "severe_headache"),
        22: ("sudden_vision", "severe_headache"),
    },
    otherwise=(*_OF_THE_HEAD, "chest_pain_10min", "cannot_lie_flat", "cold_sweat"),
)  # fmt: skip
AGE_STATED = SelectOne(
    field="age_stated",
    title="是否满65岁",
    ask="档案里没有出生日期。满65岁了吗?",
    options=options((1, "不满65岁"), (2, "满65岁了", "~满了")),
    when=lambda known: known.age is None,
    bare=(),
)


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Body mass index, the self-care score and its band."""
    found = common.bmi(answers, known)
    independent = answers.get("self_care_all") == ALL_BY_HIMSELF
    score = 0 if independent else elderly.self_care_score(answers)
    if score is not None:
        found |= {"self_care_score": score, "self_care": elderly.self_care_band(score)}
    return found


def check(known: Known) -> Doubt | None:
    """A body mass index that is hardly a person's is asked (domain.md M-15)."""
    answers = known.answers
    if known.age is None and "age_stated" not in answers:
        return Doubt(
            "档案里没有出生日期。满65岁了吗?", [("满65岁了", {"age_stated": 2}), ("不满65岁", {"age_stated": 1})]
        )
    bmi = common.bmi(answers, known).get("bmi")
    if bmi is not None and not 16 <= bmi <= 35 and "bmi_checked" not in answers:
        half = answers["weight"] * common.JIN_IN_KG
        halved = [(f"{answers['weight']:g} 是斤,即{half:g} 公斤", {"weight": half})] if bmi > 35 else []
        return Doubt(
            f"身高 {answers['height']:g} 厘米、体重 {answers['weight']:g} 公斤,体质指数 {bmi:g},对吗?不对请重新发体重或身高。",
            [*halved, ("没错", {"bmi_checked": 1})],
        )
    return None


def counted(decision: Decision | None) -> bool:
    """Does the record count as a check of the elderly programme?"""
    return decision is not None and "outside_programme" not in decision.flags


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Once a year each: the elderly person managed, and the patient who had the yearly check of their disease."""
    elder = [f"{PERSON}people.elderly_check"] if counted(decision) else []
    return [*elder, *(f"{PERSON}people.yearly_check.{code}" for code in YEARLY_OF if code in known.programmes)]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """By the same day of the next year. An urgent finding of today does not make next year's check urgent."""
    return Due(on=decision.next_due_on if decision else None, urgency="routine")


def finish(turn: Turn, record: Record) -> None:
    """A raised value of somebody who is not in that programme is measured again on another day: it stands in the list."""
    programmes = {code for code, e in turn.enrolments(record.resident_id).items() if e.ended_on is None}
    again = [
        ("ELD-32", "hypertension", "换一天再量血压(体检时偏高)"),
        ("ELD-33", "diabetes", "空腹复查血糖(体检时偏高)"),
    ]
    for rule, programme, what in again:
        if rule in record.rules and programme not in programmes and record.resident_id is not None:
            turn.session.add(
                Appointment(
                    record_id=record.id,
                    resident_id=record.resident_id,
                    village_id=record.village_id,
                    worker_id=record.worker_id,
                    on=day_of({"on": record.on.isoformat()}, turn.today) + AGAIN_AFTER,
                    what=what,
                )
            )


WORDS = (
    "老年人健康体检", "老年人体检", "老年体检", "老人体检", "老年人梯检", "老年梯检", "老人梯检", "65岁体检", "六十五岁体检", "年度体检", "年度健康检查",
    "健康体检", "体检表",
)  # fmt: skip

form = Form(
    code="elderly_check",
    title="老年人健康体检",
    about="resident",
    words=WORDS,
    hints=("体检", "65岁以上体检", "65岁及以上体检"),
    shows=("systolic", "fasting_glucose", "haemoglobin", "platelets", "white_cells", "alt", "creatinine", "potassium", "ecg"),
    programme="elderly",
    protocol=elderly.protocol,
    steps=(
        Day(field="on", title="体检日期", words=("日期", "体检日期"), asked=False),
        *ABSENCE,
        AGE_STATED,
        PRESSURE_TAKEN,
        common.HEART_RATE,
        common.PREGNANCY,
        WEIGHT,
        HEIGHT,
        WAIST,
        SUGAR,
        SYMPTOMS,
        DANGER,
        SELF_CARE_ALL,
        *SELF_CARE,
        SELF_RATED,
        COGNITION,
        MOOD,
        SELF_HARM,
        COGNITION_SCORE,
        MOOD_SCORE,
        *DETAILS,
    ),
    check=check,
    derive=derive,
    marks=marks,
    owes=owes,
    enrols="always",
    fits=lambda known: known.age is None or known.age >= elderly.SETTINGS["elderly.min_age"].default,
    finish=finish,
    foresees=lambda turn, answers: self_care_words(answers),
)  # fmt: skip
