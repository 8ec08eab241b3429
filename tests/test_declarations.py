"""What every declared step must hold: limits, units and hints of numbers, and codes that stay within their own form."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from handlers.form import Form
from handlers.forms.health_record import PROGRAMME_CODES
from handlers.menu import FORMS, labels
from handlers.steps import Known, Number, Select, SelectMany
from models.enrolment import Enrolment
from models.services import PROGRAMMES
from tests.clinic import clinic
from tests.conftest import TODAY

SCALES = {
    "cat_score", "cognition_score", "mood_score", "apgar_1", "apgar_5", "birads", "vision_left", "vision_right", "term_years",
    "oxygen_hours", "notified_hour", "visited_hour", "t21_one_in", "t18_one_in",
}  # fmt: skip
"""Numbers of a scale, a clock or a ratio: every value within their limits is as likely as any other."""
COUNTED_BY_THE_COUNTY = {"figure"}
KEPT_ONE_BY_ONE = {"knowledge"}  # nine fields of their own, 1 掌握 2 未掌握
NO_UNIT = {"bmi_target", "vision_left", "vision_right", "mood_score", "t21_one_in", "t18_one_in", "figure"}


def numbers() -> list[Number]:
    """Every number step once, however many forms ask it."""
    steps = {id(step): step for form in FORMS.values() for step in form.steps if isinstance(step, Number)}
    return list(steps.values())


@pytest.mark.parametrize("step", numbers(), ids=lambda step: step.field)
def test_a_number_has_limits_a_unit_and_a_hint(step: Number) -> None:
    low, high = step.possible
    assert low < high
    assert step.unit or step.field in NO_UNIT, "a unit, or listed as having none"
    if step.field not in SCALES | COUNTED_BY_THE_COUNTY:
        asks_by_itself = step.suspect.__name__ != "<lambda>"  # 斤 or 公斤, g/dL or g/L
        assert step.sure is not None or asks_by_itself, "no soft limits"
    if step.sure is not None:
        assert low <= step.sure[0] < step.sure[1] <= high
        assert step.sure != step.possible
    beyond = step.read(f"{high * 10 + 1:.0f}", Known(TODAY))
    assert not beyond.values and beyond.doubt is not None, "beyond the hard limit nothing is kept"
    assert step.title in beyond.doubt.ask and len(beyond.doubt.ask) > len(step.title) + 8, (
        "and what is expected is said"
    )


@pytest.mark.parametrize("step", [step for step in numbers() if step.sure], ids=lambda step: step.field)
def test_an_extreme_number_is_kept_after_one_question(step: Number) -> None:
    assert step.sure is not None
    for limit, extreme in zip(step.possible, step.sure, strict=True):
        if limit == extreme:
            continue
        unit = next(iter(word for word, factor in step.units.items() if factor == 1), step.unit)
        answer = step.read(f"{limit:g}{unit}", Known(TODAY))
        assert not answer.values and answer.doubt is not None
        assert any(values.get(step.field) == pytest.approx(limit) for _, values in answer.doubt.options)


@pytest.mark.parametrize("form", [form for form in FORMS.values() if not form.by_command], ids=lambda form: form.code)
def test_codes_are_a_forms_own(form: Form) -> None:
    """Every code that a form can store has words in that form, and no two of its answers share one."""
    for step in form.steps:
        if not isinstance(step, Select) or step.field in KEPT_ONE_BY_ONE:
            continue
        codes = [option.code for option in step.options]
        assert len(set(map(str, codes))) == len(codes), step.field
        for option in step.options:
            value = [option.code] if isinstance(step, SelectMany) else option.code
            assert labels(form.code, {step.field: value}).get(step.field), (step.field, option.code)


def test_nothing_wrong_has_each_forms_own_code() -> None:
    """TB's no symptom is 0, hypertension's 1: said once of one man in two programmes, each record has its own."""
    with clinic() as village:
        village.say("龙老四 高血压 肺结核 142/86 没漏服 没有不舒服")
        drafts = {draft.service: draft.answers for draft in village._turn(None).conversation.drafts}
        assert drafts["hypertension_follow_up"]["symptoms"] == [1]
        assert drafts["tb_follow_up"]["symptoms"] == [0]
        for code, answers in drafts.items():
            assert "症状" in labels(code, answers)["symptoms"]


def test_the_same_words_are_read_with_each_forms_own_codes() -> None:
    for form in FORMS.values():
        step = form.step("symptoms")
        if isinstance(step, SelectMany) and step.none_code != "":
            words = step.options[0].label
            assert step.read(words, Known(TODAY)).values == {"symptoms": [step.none_code]}, form.code


def test_registration_offers_every_programme() -> None:
    assert set(PROGRAMME_CODES.values()) == set(PROGRAMMES)


def test_somebody_new_is_enrolled_where_they_belong() -> None:
    with clinic() as village:
        village.say("建档 粟长青 男 1950年3月2日 石桥村2组")
        while village.asks() not in ("programmes", "confirm", ""):
            village.say("跳过")
        said = village.press("programmes.7", "programmes.9", "programmes.10", "programmes.done")
        assert "登记的是男性" in said
        village.press("o.0")
        said = village.press("submit")
        assert "已记录" in said or "已登记" in said, said
        resident = village.resident("粟长青")
        enrolled = {
            e.programme for e in village.session.scalars(select(Enrolment).where(Enrolment.resident_id == resident.id))
        }
        assert enrolled == {"elderly", "rehabilitation"}


def test_the_help_of_a_doctor_leaves_out_what_is_the_townships() -> None:
    with clinic() as village:
        said = village.say("帮助").splitlines()
        assert any(line.startswith("今日 ") for line in said)
        assert not any(line.startswith(("计划 ", "汇报 ", "送达 ")) for line in said)
