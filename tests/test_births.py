"""A pregnancy from the first visit to the check at 42 days: windows, the birth, the child on the register, and the figures."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from handlers.decisions import Findings, decide
from handlers.protocols.antenatal import protocol
from handlers.protocols.pregnancy import WINDOWS, due_date, next_window, weeks_and_days, window_of
from models.enrolment import SEEN_TOGETHER, Enrolment
from models.line_list import line_list
from models.people import Resident
from tests.clinic import Clinic, clinic
from tests.databases import BACKENDS

DAY = timedelta(days=1)
BEGAN = date(2026, 9, 25)
GOOD = "118/76 没有危急征象 体重58公斤 宫高20 胎心140 尿蛋白阴性 血红蛋白115"


@pytest.mark.parametrize(
    ("days", "number"),
    [(0, 1), (90, 1), (91, None), (111, None), (112, 2), (146, 2), (147, 3), (174, 3), (175, None), (195, None), (196, 4),
     (258, 4), (259, 5), (286, 5), (287, None)],
)  # fmt: skip
def test_windows_are_completed_weeks(days: int, number: int | None) -> None:
    window = window_of(days)
    assert (window.number if window else None) == number


def test_weeks_in_words() -> None:
    assert (weeks_and_days(147), weeks_and_days(146)) == ("21周", "20周+6天")
    assert due_date(date(2026, 1, 1)) == date(2026, 10, 8)


@given(days=st.integers(0, 300), filled=st.sets(st.integers(1, 5)))
def test_the_next_window_is_not_over(days: int, filled: set[int]) -> None:
    following = next_window(days, filled)
    assert following is None or (following.last_day > days and following.number not in filled)
    if following is None:
        assert all(w.last_day <= days or w.number in filled for w in WINDOWS)


@given(days=st.integers(0, 300), status=st.sampled_from([1, 2, 3]), mode=st.sampled_from([1, 2, 3]))
def test_something_is_always_due_until_it_ends(days: int, status: int, mode: int) -> None:
    on = BEGAN + days * DAY
    answers = {"pregnancy_status": status, "mode": mode, **({"delivered_on": on.isoformat()} if status == 2 else {})}
    decision = decide(protocol, Findings(on, answers, 27, "female", details={"pregnancy_began_on": BEGAN.isoformat()}))
    if status == 3:
        assert decision.next_due_on is None
    else:
        assert decision.next_due_on is not None and decision.next_due_on > on - DAY


def answered(village: Clinic, text: str, **given: str) -> None:
    """A line, then whatever is still asked, answered by the words for it, else skipped; then 提交."""
    said = village.say(text)
    for _ in range(20):
        asks = village.asks()
        if asks == "confirm":
            break
        said = village.say(given.get(asks, "跳过"))
    else:
        raise AssertionError(said)
    assert "✅ 已记录" in village.press("submit")


def pregnancy(village: Clinic) -> None:
    """Five visits of 罗丽, one in each window; the first at 12 weeks."""
    for n, weeks in enumerate((12, 18, 22, 30, 38)):
        village.day = BEGAN + timedelta(weeks=weeks)
        begin = "产检 末次月经2026-09-25 今天建册 " if n == 0 else ""
        answered(village, f"罗丽 {begin}{GOOD}", danger_signs="都没有", pregnancy_status="还在怀", booked_on="今天")


def birth(village: Clinic, text: str, **given: str) -> None:
    """The birth told eleven days before the due date."""
    village.day = due_date(BEGAN) - 11 * DAY
    answered(village, f"罗丽 {village.day:%-m月%-d号}{text}", **given)


def visited(village: Clinic, after: int, **given: str) -> None:
    village.day += after * DAY
    words = {"danger_signs": "都没有", "lochia": "正常", "breasts": "正常", "wound": "正常", "mood": "平稳", **given}
    answered(village, "罗丽 产后访视 116/74 体温36.6", **words)


@pytest.mark.parametrize("backend", BACKENDS)
def test_from_the_first_visit_to_the_last(backend: str) -> None:
    with clinic(backend) as village:
        pregnancy(village)
        details = village.enrolment("罗丽", "maternal").details
        assert {f"antenatal.{n}" for n in range(1, 6)} <= details.keys()
        assert details["pregnancy_began_on"] == BEGAN.isoformat() and details["booked_on"] == "2026-12-18"
        birth(village, "在县人民医院剖宫产 女孩3.1公斤", live_births="一个")
        mother, child = village.enrolment("罗丽", "maternal"), village.enrolment("罗丽之女", "child")
        assert (mother.next_service, mother.next_due_on) == ("postpartum_visit", village.day + 7 * DAY)
        assert (child.next_service, child.next_due_on) == ("newborn_visit", village.day + 7 * DAY)
        assert mother.details[SEEN_TOGETHER] == [[child.resident_id, "newborn_visit"]]
        assert child.details["birth_weight"] == 3.1
        assert village.enrolment("罗丽之女", "vaccination").next_due_on == village.day
        baby = village.resident("罗丽之女")
        assert (baby.sex, baby.born_on, baby.village_group) == (
            "female",
            village.day,
            village.resident("罗丽").village_group,
        )
        for code in ("live_births", "early_booking_rate", "hospital_delivery_rate"):
            assert village.figure(code).numerator in (1, None) and village.figure(code).value in (1, None)
        assert village.figure("early_booking_rate").numerator == 1
        assert village.names("postpartum_visit_rate") == village.names("maternal_systematic_rate") == ["罗丽"]
        assert village.names("newborn_visit_rate") == ["罗丽之女"]
        visited(village, 5)
        for code in ("postpartum_visit_rate", "maternal_systematic_rate"):
            assert village.figure(code).numerator == 1 and village.names(code) == []
        visited(village, 37)
        mother = village.enrolment("罗丽", "maternal")
        assert mother.ended_on == village.day and "结案" in (mother.end_reason or "")
        assert village.counters_are_right()


def test_booked_at_thirteen_weeks_is_not_early() -> None:
    with clinic(day=BEGAN + 91 * DAY) as village:
        answered(village, f"罗丽 产检 末次月经2026-09-25 {GOOD}", danger_signs="都没有", booked_on="今天")
        birth(village, "在家里顺产 男孩", live_births="一个")
        assert village.figure("early_booking_rate").numerator == village.figure("hospital_delivery_rate").numerator == 0
        assert village.figure("live_births").value == 1
        assert village.names("early_booking_rate") == village.names("hospital_delivery_rate") == ["罗丽"]


def test_twins_are_two_children() -> None:
    with clinic() as village:
        birth(village, "在县医院 顺产 双胞胎", baby_sex="男", baby2_sex="女")
        names = {r.name for r in village.session.scalars(select(Resident).where(Resident.name.startswith("罗丽之")))}
        assert names == {"罗丽之子", "罗丽之次女"}
        assert village.figure("live_births").value == 2


def test_a_stillbirth_registers_nobody_and_is_visited_all_the_same() -> None:
    with clinic() as village:
        birth(village, "在县医院 引产", live_births="死胎", pregnancy_status="已经生了")
        assert not village.session.scalars(select(Resident).where(Resident.name.startswith("罗丽之"))).all()


def test_a_birth_told_by_mistake_takes_the_child_back() -> None:
    with clinic() as village:
        birth(village, "在县医院 顺产 男孩", live_births="一个")
        assert village.resident("罗丽之子").worker_id is not None
        village.say("撤销")
        village.say("1")
        assert not village.session.scalars(select(Resident).where(Resident.name.startswith("罗丽之"))).all()
        assert not village.session.scalars(select(Enrolment).where(Enrolment.details.is_(None))).all()
        assert "delivered_on" not in village.enrolment("罗丽", "maternal").details
        assert village.figure("live_births").value == 0 and village.counters_are_right()


def test_a_corrected_birth_puts_the_child_right() -> None:
    with clinic() as village:
        birth(village, "在县医院 顺产 男孩", live_births="一个")
        first = village.resident("罗丽之子").id
        village.say("更正")
        village.say("1")
        village.say("女孩")
        while village.asks() != "confirm":
            village.say("跳过")
        assert "✅ 已记录" in village.press("submit")
        assert village.resident("罗丽之女").id == first
        assert village.figure("live_births").value == 1 and village.counters_are_right()


def test_a_child_registered_already_is_not_registered_twice() -> None:
    with clinic() as village:
        baby, mother = village.resident("周宝宝"), village.resident("周小燕")
        baby.householder, mother.householder, baby.born_on = "周德生", "周德生", village.day - 3 * DAY
        said = village.say(f"周小燕 {baby.born_on:%-m月%-d号}生了 在县医院 顺产 男孩")
        said = village.press("一个")
        for _ in range(6):
            if "就是这个宝宝吗" in said:
                break
            said = village.say("跳过")
        village.press("就是")
        while village.asks() != "confirm":
            village.say("跳过")
        assert "✅ 已记录" in village.press("submit")
        assert village.enrolment("周小燕", "maternal").details[SEEN_TOGETHER] == [[baby.id, "newborn_visit"]]
        assert village.figure("live_births").value == 1


def test_a_man_is_refused_kindly_and_an_odd_age_asked() -> None:
    with clinic() as village:
        assert "男性" in village.say("产检 王建国")
        village.say("取消")
        assert "67岁" in village.say("产检 张桂兰")
        village.say("取消")
        village.resident("罗丽").born_on = date(1975, 1, 1)
        assert "51岁,是她本人吗" in village.say("产检 罗丽")
        assert "末次月经" in village.press("是她本人")


def test_who_was_born_and_not_screened_is_listed_once_the_days_are_over() -> None:
    """周宝宝 is ten days old on the 24th; heel blood is taken by the seventh day."""
    with clinic() as village:
        assert "周宝宝" in village.names("newborn_screening_rate")
        village.submit("周宝宝 新生儿筛查 阴性")
        assert "周宝宝" not in village.names("newborn_screening_rate")
    with clinic() as village:
        baby = village.resident("周宝宝")
        for days, is_listed in ((6, False), (7, True)):
            baby.born_on = village.day - timedelta(days=days)
            village.session.flush()
            year = date(village.day.year, 1, 1)
            found = line_list(village.session, village.scope, "newborn_screening_rate", year, village.day, village.day)
            assert found is not None and ("周宝宝" in [line.name for line in found.lines]) is is_listed
