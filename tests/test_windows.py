"""What was recorded in a conversation opens the next window of a pregnancy or a child, and the morning digest says so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from models.outbox import OutboxMessage
from reminders.reminder import Gone
from reminders.timetable import plan_day, render
from tests.clinic import Clinic, clinic
from tests.conftest import CHINA
from tests.databases import BACKENDS
from tests.test_births import GOOD, answered

BEGAN = date(2026, 9, 25)
DAY = timedelta(days=1)


@pytest.fixture(params=BACKENDS)
def village(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    with clinic(request.param) as village:
        yield village


def morning(village: Clinic, day: date) -> list[str]:
    """The lines of windows that 李梅 hears on a morning at half past seven, planned and rendered as on that day."""
    now = datetime.combine(day, time(7, 30), CHINA).astimezone(UTC)
    plan_day(village.session, day, tz=CHINA, now=now)
    village.session.flush()
    wanted = OutboxMessage.reminder == "morning_digest", OutboxMessage.worker_id == village.worker.id
    row = village.session.scalar(select(OutboxMessage).where(*wanted, OutboxMessage.dedup_key.endswith(f":{day}")))
    if row is None:
        return []
    try:
        said = render(
            village.session, "morning_digest", row.arguments or {}, village.worker, now, tz=CHINA, settings={}
        ).text
    except Gone:
        row.status = "cancelled"
        return []
    row.status = "sent"
    return [line for line in said.replace("\ue000", "").replace("\ue001", "").split("\n") if "🗓" in line]


def heard(village: Clinic, name: str, first: date, last: date) -> dict[date, str]:
    """Day -> what was said of somebody's window, through every morning of a time."""
    found: dict[date, str] = {}
    for n in range((last - first).days + 1):
        day = first + n * DAY
        for line in morning(village, day):
            if name in line:
                found[day] = line[line.index("🗓") + 2 :]
    return found


def test_a_pregnancy_is_told_when_its_next_window_opens_and_before_it_closes(village: Clinic) -> None:
    """At 12 weeks the second window, weeks 16 to 20, is yet to come."""
    village.day = BEGAN + timedelta(weeks=12)
    answered(
        village,
        f"罗丽 产检 末次月经2026-09-25 今天建册 {GOOD}",
        danger_signs="都没有",
        pregnancy_status="还在怀",
        booked_on="今天",
    )
    opens, last = date(2027, 1, 15), date(2027, 2, 18)
    enrolment = village.enrolment("罗丽", "maternal")
    assert (enrolment.due_from, enrolment.next_due_on) == (opens, last)
    told = heard(village, "罗丽", opens - 3 * DAY, last - 5 * DAY)
    assert told == {opens: "罗丽 产前随访 可以做了,2027-02-18前", last - 7 * DAY: "罗丽 产前随访 只剩7天,2027-02-18前"}
    village.day = last - 5 * DAY
    answered(village, f"罗丽 {GOOD}", danger_signs="都没有", pregnancy_status="还在怀")
    opens = village.enrolment("罗丽", "maternal").due_from or date.max
    assert opens == date(2027, 2, 19), "weeks 21 to 24"
    told = heard(village, "罗丽", village.day + DAY, opens + DAY)
    assert list(told) == [opens]


def test_a_child_is_told_when_its_check_opens_and_before_it_closes(village: Clinic) -> None:
    answered(
        village,
        "周宝宝脐带掉了称了三点八公斤黄疸退了大便正常 出生体重3.4公斤 体温36.8 呼吸42 纯母乳",
        danger_signs="都没有",
        feeding="纯母乳",
    )
    child = village.enrolment("周宝宝", "child")
    opens, last = date(2026, 12, 12), date(2026, 12, 26)
    assert (child.due_from, child.next_due_on, child.next_service) == (opens, last, "child_check")
    told = heard(village, "周宝宝", village.day + DAY, last - DAY)
    assert told == {
        opens: "周宝宝 儿童健康检查 可以做了,2026-12-26前",
        last - 7 * DAY: "周宝宝 儿童健康检查 只剩7天,2026-12-26前",
    }


def test_a_window_that_opened_while_the_machine_was_off_is_told_on_the_next_morning(village: Clinic) -> None:
    window = {"due_from": date(2026, 12, 1), "next_due_on": date(2026, 12, 20)}
    village.enrol("罗丽", "maternal", next_service="antenatal_visit", **window)
    assert heard(village, "罗丽", date(2026, 12, 4), date(2026, 12, 8)) == {
        date(2026, 12, 4): "罗丽 产前随访 可以做了,2026-12-20前"
    }
