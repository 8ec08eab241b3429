"""Checks by age: what is due when, what a check counts for, and what its correction takes back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.decisions import Findings, decide
from handlers.protocols.ages import age_words, months_later, months_old
from handlers.protocols.child_check import SLOTS, next_slot, protocol, slot_on
from tests.clinic import clinic
from tests.databases import BACKENDS

DAY = timedelta(days=1)
BIRTHS = st.dates(date(2016, 1, 1), date(2030, 12, 31))


@given(born_on=BIRTHS, months=st.integers(0, 120))
def test_months_of_age(born_on: date, months: int) -> None:
    """On the day itself the month is complete, on the day before it is not."""
    reached = months_later(born_on, months)
    assert months_old(born_on, reached) == months
    assert months_old(born_on, reached - DAY) < months
    assert (reached.year * 12 + reached.month) - (born_on.year * 12 + born_on.month) == months


@pytest.mark.parametrize(
    ("born", "on", "words"),
    [
        ("2026-11-12", "2026-11-24", "12天"),
        ("2026-10-25", "2026-11-24", "30天"),
        ("2026-10-24", "2026-11-24", "1个月"),
        ("2024-10-31", "2026-11-24", "2岁"),
        ("2024-08-31", "2026-11-30", "2岁3个月"),
        ("2019-11-24", "2026-11-24", "7岁"),
    ],
)
def test_age_in_words(born: str, on: str, words: str) -> None:
    assert age_words(date.fromisoformat(born), date.fromisoformat(on)) == words


@given(born_on=BIRTHS, days=st.integers(0, 2900))
def test_the_next_check_lies_ahead(born_on: date, days: int) -> None:
    """It is never due before its age, never before today, and always while the child is under six."""
    on = born_on + days * DAY
    decision = decide(protocol, Findings(on, {"mode": 1}, born_on=born_on))
    slot = next_slot(born_on, on)
    if slot is None:
        assert decision.next_due_on is None and months_old(born_on, on) >= 71
        return
    assert decision.next_due_on is not None
    assert decision.next_due_on > on and decision.next_due_on >= slot.opens(born_on) > on - DAY * 14
    assert slot.opens(born_on) >= months_later(born_on, slot.months) - DAY * (3 if slot.months == 1 else 0)


@given(born_on=BIRTHS)
def test_every_check_comes_once(born_on: date) -> None:
    """Seen on the first day of each window, a child has all twelve checks, and then no more."""
    on, made = born_on + 28 * DAY, []
    while (slot := slot_on(born_on, on)) is not None:
        made.append(slot.months)
        following = next_slot(born_on, on)
        if following is None:
            break
        on = following.opens(born_on)
    assert made == [slot.months for slot in SLOTS]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_check_counts_once_a_year_and_a_withdrawal_takes_it_back(backend: str) -> None:
    with clinic(backend) as village:
        children = set(village.names("child_management_rate"))
        assert "吴念念" in children and village.figure("child_management_rate").numerator == 0
        line = "吴念念 儿童体检 身高86 体重11公斤 体重评价中 身高评价中 听力通过 发育正常 迎香 足三里"
        record = village.submit(line)
        assert record.next_due_on is not None and record.answers["check_month"] == 24
        assert village.figure("child_management_rate").numerator == village.figure("child_tcm_rate").numerator == 1
        assert set(village.names("child_management_rate")) == children - {"吴念念"}
        assert "吴念念" not in village.names("child_tcm_rate")
        enrolment = village.enrolment("吴念念", "child")
        assert enrolment.due_from is not None and enrolment.due_from < enrolment.next_due_on
        village.submit(line)
        assert village.figure("child_management_rate").numerator == 1
        for _ in range(2):
            village.say("撤销")
            village.say("1")
        assert village.figure("child_management_rate").numerator == village.figure("child_tcm_rate").numerator == 0
        assert set(village.names("child_management_rate")) == children
        assert village.counters_are_right()


def test_a_call_is_no_check() -> None:
    with clinic() as village:
        record = village.submit("儿童体检 吴念念 电话随访 发育正常")
        assert record.marks == [] and "not_standard_visit" in record.flags
        assert village.figure("child_management_rate").numerator == 0


def test_whoever_is_seven_leaves() -> None:
    with clinic() as village:
        child = village.resident("吴念念")
        child.born_on = date(2019, 11, 24)
        record = village.submit("儿童体检 吴念念")
        assert "CHD-31" in record.rules and record.marks == []
        assert village.enrolment("吴念念", "child").ended_on == village.day
