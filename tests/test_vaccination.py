"""The immunisation schedule: never too early, never twice, always something next for whoever is late."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from handlers.decisions import Findings, decide
from handlers.protocols.ages import months_later, months_old
from handlers.protocols.immunisation import Child, Given, all_due_by, doses_of, due_on, plan, series_for, too_early
from handlers.protocols.vaccination import KEY, protocol
from handlers.protocols.vaccines import BY_CODE, LIVE_APART_DAYS, SCHEDULE, dose_title
from tests.clinic import clinic
from tests.databases import BACKENDS

DAY = timedelta(days=1)
BIRTHS = st.dates(date(2015, 1, 1), date(2030, 12, 31))
CHILDREN = st.builds(Child, BIRTHS, st.sampled_from(["male", "female"]), st.sampled_from([None, 1.8, 2.0, 3.2]))


def followed(child: Child, first: date, waits: list[int]) -> tuple[dict[str, date | None], list[tuple[date, str]]]:
    """A child who comes some days after every due day and is given everything that may be given."""
    had: dict[str, date | None] = {}
    story: list[tuple[date, str]] = []
    on = first
    for wait in waits:
        for planned in due_on(child, had, on):
            if too_early(child, {**had, **{d: on for day, d in story if day == on}}, planned.dose, on) is None:
                had[planned.dose] = on
                story.append((on, planned.dose))
        ahead = [planned.earliest for planned in plan(child, had, on) if planned.earliest > on]
        if not ahead:
            break
        on = min(ahead) + wait * DAY
    return had, story


@given(child=CHILDREN, first=st.integers(0, 2500), waits=st.lists(st.integers(0, 400), max_size=30))
@settings(max_examples=150, deadline=None)
def test_nothing_is_given_before_its_age_or_its_interval(child: Child, first: int, waits: list[int]) -> None:
    had, story = followed(child, child.born_on + first * DAY, waits)
    for day, dose in story:
        code, _, number = dose.partition(".")
        rule = doses_of(BY_CODE[code], child)[int(number) - 1]
        assert months_old(child.born_on, day) >= rule.at, (
            f"{dose_title(dose)} at {months_old(child.born_on, day)} months"
        )
        before = had.get(f"{code}.{int(number) - 1}")
        if before is not None:
            assert day >= months_later(before, rule.months) + rule.days * DAY
        until = rule.until or BY_CODE[code].until
        assert until is None or months_old(child.born_on, day) < until
    live = sorted(day for day, dose in story if BY_CODE[dose.partition(".")[0]].live)
    assert all(later == earlier or (later - earlier).days >= LIVE_APART_DAYS for earlier, later in pairwise(live))
    assert len(had) == len(story), "no dose twice"


@given(child=CHILDREN, age=st.integers(0, 2500), told=st.data())
@settings(max_examples=150, deadline=None)
def test_whoever_is_late_always_has_something_next(child: Child, age: int, told: st.DataObject) -> None:
    """Whatever is missing below seven years is planned, on that day or later, and never begun again."""
    on = child.born_on + age * DAY
    assume(months_old(child.born_on, on) < 84)
    had: Given = {
        f"{series.code}.{n}": None
        for series in series_for(child, {})
        for n in range(1, told.draw(st.integers(0, len(doses_of(series, child))), label=series.code) + 1)
    }
    planned = {one.dose.partition(".")[0]: one for one in plan(child, had, on)}
    for series in series_for(child, {}):
        count = sum(dose.startswith(f"{series.code}.") for dose in had)
        outgrown = series.until is not None and months_old(child.born_on, on) >= series.until
        if count < len(doses_of(series, child)) and not outgrown and series.code != "MenA":
            assert planned[series.code].dose == f"{series.code}.{count + 1}"
        elif count == len(doses_of(series, child)):
            assert series.code not in planned
    details = {f"{KEY}{dose}": "" for dose in had}
    decision = decide(
        protocol, Findings(on, {"doses": ["none"]}, sex=child.sex, born_on=child.born_on, details=details)
    )
    if plan(Child(child.born_on, child.sex), had, on):
        assert decision.next_due_on is not None and decision.next_due_on > on
        soonest = min(one.earliest for one in plan(Child(child.born_on, child.sex), had, on))
        assert decision.next_due_on >= soonest


@given(child=CHILDREN)
@settings(max_examples=60, deadline=None)
def test_who_comes_on_every_due_day_is_complete_at_six(child: Child) -> None:
    had, story = followed(child, child.born_on, [0] * 40)
    at_six = months_later(child.born_on, 72)
    for series in series_for(child, {}):
        if series.girls_born_after is None:
            assert all(f"{series.code}.{n}" in had for n in range(1, len(doses_of(series, child)) + 1)), series.title
    assert max(day for day, dose in story if not dose.startswith("HPV")) == at_six
    assert all_due_by(child, at_six) == {
        series.code: len(doses_of(series, child)) for series in series_for(child, {}) if series.code != "HPV"
    }


def test_pertussis_of_a_child_born_on_new_years_day() -> None:
    child = Child(date(2026, 1, 1))
    assert [one.earliest for one in plan(child, {}, date(2026, 1, 1)) if one.dose == "DTP.1"] == [date(2026, 3, 1)]
    assert [dose.at for dose in BY_CODE["DTP"].doses] == [2, 4, 6, 18, 72]


def test_whoever_began_with_the_other_product_goes_on_with_it() -> None:
    child, day = Child(date(2026, 1, 1), "male"), date(2026, 9, 1)
    codes = {one.dose for one in plan(child, {"JEI.1": day}, day)}
    assert "JEI.2" in codes and not any(code.startswith("JE.") for code in codes)
    assert [one.earliest for one in plan(child, {"JEI.1": day}, day) if one.dose == "JEI.2"] == [day + 7 * DAY]


def test_every_series_is_in_order() -> None:
    for series in SCHEDULE:
        ages = [dose.at for dose in series.doses]
        assert ages == sorted(ages) and all(dose.by is None or dose.by > dose.at for dose in series.doses), series.code


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_was_given_is_remembered_and_forgotten_with_its_record(backend: str) -> None:
    with clinic(backend) as village:
        first = village.submit("周宝宝 卡介苗 乙肝1 满30分钟")
        assert first.answers["doses"] == ["BCG.1", "HepB.1"]
        assert first.counts == {"vaccine_doses.BCG": 1, "vaccine_doses.HepB": 1, "vaccine_doses": 2}
        enrolment = village.enrolment("周宝宝", "vaccination")
        assert enrolment.details == {"dose.BCG.1": "2026-11-24", "dose.HepB.1": "2026-11-24"}
        assert enrolment.next_due_on == first.next_due_on == date(2026, 12, 22)  # 28 days after the first
        assert village.figure("vaccine_doses").value == 2
        village.say("撤销")
        village.say("1")
        assert village.enrolment("周宝宝", "vaccination").details == {}
        assert village.figure("vaccine_doses").value == 0
        assert village.counters_are_right()


def test_a_dose_entered_late_is_remembered_too() -> None:
    with clinic() as village:
        village.submit("吴念念 打疫苗", "乙肝3 卡介苗1 脊灰3 百白破3 A群流脑2 麻腮风2 乙脑2 甲肝1", "百白破4", "满了")
        village.day += 3 * DAY
        details = village.enrolment("吴念念", "vaccination").details
        assert details["dose.DTP.4"] == "2026-11-24" and details["dose.JE.2"] == ""
        assert village.enrolment("吴念念", "vaccination").next_due_on == months_later(
            village.resident("吴念念").born_on, 36
        )


def test_correcting_a_dose_does_not_call_it_given_already() -> None:
    with clinic() as village:
        village.submit("周宝宝 卡介苗 乙肝1 满30分钟")
        village.say("更正")
        village.say("1")
        said = village.say("乙肝1")
        assert "已经打过" not in said
        assert "✅ 已记录" in village.press("submit")
        assert village.enrolment("周宝宝", "vaccination").details == {"dose.HepB.1": "2026-11-24"}


def test_a_booklet_that_is_complete() -> None:
    with clinic() as village:
        village.say("吴念念 打疫苗")
        village.press("到今天该打的全打过")
        village.press("今天没打", "选好了")
        said = village.press("其他")
        assert "乙肝3剂" in said and "甲肝减毒1剂" in said and "补种" not in said
