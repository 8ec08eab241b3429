"""The timetable, told as timelines: given these facts, who hears what, when, and when no more."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from structlog.testing import capture_logs

from bot.config import BadSettings, load_settings
from handlers.settings import USUAL
from models.base import Store
from models.outbox import OutboxMessage
from models.people import HealthWorker, Role
from models.preferences import CAN_BE_OFF, Preferences, QuietHours
from models.seed import seed
from reminders.days import PUBLISHED, Calendar, Period
from reminders.digest import Digest
from reminders.entry import awake
from reminders.page import page
from reminders.scheduler import Scheduler
from reminders.stages import stage
from reminders.timetable import TIMETABLE, plan_day, render
from tests.conftest import CHINA, NOW, TODAY
from tests.databases import BACKENDS, SECRET, fresh_store
from tests.timelines import play
from tests.virtual_time import play as play_in_virtual_time

TIMELINES = sorted((Path(__file__).parent / "timelines").glob("*.timeline"))


@pytest.mark.parametrize("path", TIMELINES, ids=lambda path: path.stem)
@pytest.mark.parametrize("backend", BACKENDS)
def test_timeline(path: Path, backend: str) -> None:
    with fresh_store(backend) as store, capture_logs():
        play(path, store)


def test_the_page_is_up_to_date() -> None:
    assert (Path(__file__).parent.parent / "docs" / "timetable.md").read_text() == page(), "run `make rules`"


@pytest.mark.parametrize(
    ("day", "worked", "holiday"),
    [
        ("2026-09-20", True, False),  # 周日,国庆调休上班
        ("2026-10-01", False, True),
        ("2026-10-04", False, True),  # 假期里的周日
        ("2026-10-08", True, False),
        ("2026-10-10", True, False),  # 周六,调休上班
        ("2026-10-11", False, False),  # 普通周日
        ("2026-02-14", True, False),
        ("2027-02-05", False, True),  # 除夕;2027年的安排还没公布,只有法定的十三天
        ("2027-02-09", True, False),
        ("2028-02-29", True, False),
    ],
)
def test_days(day: str, worked: bool, holiday: bool) -> None:
    on = date.fromisoformat(day)
    assert (PUBLISHED.is_working_day(on), PUBLISHED.is_holiday(on)) == (worked, holiday)


def test_the_operator_knows_better_than_the_published_calendar() -> None:
    calendar = Calendar(off=[date(2027, 2, 9)], worked=[date(2027, 2, 14)])
    assert not calendar.is_working_day(date(2027, 2, 9)) and calendar.is_holiday(date(2027, 2, 9))
    assert calendar.is_working_day(date(2027, 2, 14)) and not calendar.is_holiday(date(2027, 2, 14))


def test_periods_begin_on_their_first_day() -> None:
    day = date(2028, 2, 29)
    begins = [Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER]
    assert [period.begins(day) for period in begins] == [day, date(2028, 2, 28), date(2028, 2, 1), date(2028, 1, 1)]


def test_an_own_hour_moves_what_comes_in_the_morning_and_nothing_else() -> None:
    wish = {"at": "07:00"}
    hours = {entry.reminder.code: Preferences({}).at(entry.reminder.code, wish, entry.at) for entry in TIMETABLE}
    assert hours["morning_digest"] == hours["campaign_to_tell"] == time(7)
    assert (hours["campaign_standing"], hours["campaign_eve"]) == (time(17, 20), time(18, 40))


def test_nothing_is_promised_for_the_quiet_hours() -> None:
    china, quiet = ZoneInfo("Asia/Shanghai"), QuietHours()
    for minute in range(0, 24 * 60, 7):
        at = datetime(2026, 11, 25, tzinfo=china) + timedelta(minutes=minute)
        begins, ends = awake(at, timedelta(hours=10), quiet, china)
        assert begins >= at and begins.astimezone(china).time() not in quiet
        assert ends.astimezone(china).time() not in quiet and ends - begins <= timedelta(hours=10)
        assert (begins == at) == (at.time() not in quiet)


def test_settings_that_cannot_be_are_named_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNYI_SECRET_KEY", SECRET)
    monkeypatch.setenv("CUNYI_REMINDERS__TOWNSHIP_DAYS", "1")
    monkeypatch.setenv("CUNYI_REMINDERS__MORNING_DIGEST__AT", "23:00")
    monkeypatch.setenv("CUNYI_REMINDERS__URGENT_RESULT__OFF", "true")
    monkeypatch.setenv("CUNYI_REMINDERS__NONSENSE", "1")
    with pytest.raises(BadSettings) as refused:
        load_settings()
    for name in ("TOWNSHIP_DAYS", "MORNING_DIGEST", "URGENT_RESULT", "NONSENSE"):
        assert f"CUNYI_REMINDERS__{name}" in str(refused.value)


def test_settings_from_the_environment_reach_the_timetable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUNYI_SECRET_KEY", SECRET)
    monkeypatch.setenv("CUNYI_REMINDERS__TOWNSHIP_DAYS", "10")
    monkeypatch.setenv("CUNYI_REMINDERS__MORNING_DIGEST__AT", "07:00")
    monkeypatch.setenv("CUNYI_REMINDERS__DAYS_OFF", '["2027-02-09"]')
    wishes = Preferences(load_settings().county["reminders"])
    assert wishes.days("township_days") == 10
    assert wishes.at("morning_digest", None, time(7, 30)) == time(7)
    assert wishes.listed_days("days_off") == {date(2027, 2, 9)}


def test_what_can_be_turned_off_and_when_it_comes_are_those_of_the_timetable() -> None:
    digests = {entry.reminder.code: entry for entry in TIMETABLE if isinstance(entry.reminder, Digest)}
    for role, code in (
        (Role.DOCTOR, "morning_digest"),
        (Role.TOWNSHIP, "township_digest"),
        (Role.COUNTY, "county_digest"),
    ):
        assert USUAL[role] == digests[code].at
    for entry in TIMETABLE:
        parts = entry.reminder.parts if isinstance(entry.reminder, Digest) else ()
        for part in parts:
            assert part.code not in CAN_BE_OFF or entry.reminder.to in CAN_BE_OFF[part.code][1]  # type: ignore[attr-defined]


def test_no_entry_of_the_timetable_reaches_into_the_quiet_hours() -> None:
    quiet = QuietHours()
    for entry in TIMETABLE:
        last = (datetime.combine(date(2026, 11, 25), entry.at) + entry.window).time()
        assert entry.at not in quiet and last not in quiet, entry.reminder.code


@pytest.mark.parametrize("backend", BACKENDS)
def test_planning_a_day_twice_adds_nothing(backend: str) -> None:
    with fresh_store(backend) as store:
        with store.write() as session:
            seed(session, TODAY, NOW, residents=600, doctors=3)
            session.commit()
        for day in (TODAY, date(2026, 11, 30), date(2026, 12, 1), date(2027, 1, 4)):
            with store.write() as session:
                would = plan_day(session, day, tz=CHINA, now=NOW, dry_run=True)
                assert would == plan_day(session, day, tz=CHINA, now=NOW) and sum(would.values()) > 0
                session.commit()
            with store.write() as session:
                assert set(plan_day(session, day, tz=CHINA, now=NOW).values()) == {0}
                assert set(plan_day(session, day, tz=CHINA, now=NOW, dry_run=True).values()) == {0}


def test_every_reminder_of_the_timetable_renders_with_the_seed_people(county: Store) -> None:
    now = datetime(2027, 1, 4, 3, tzinfo=UTC)
    with county.write() as session:
        planned = plan_day(session, date(2027, 1, 4), tz=CHINA, now=now)
        session.flush()
        rows = session.execute(select(OutboxMessage.reminder, OutboxMessage.arguments, OutboxMessage.worker_id)).all()
        assert sum(planned.values()) == len(rows)
        for reminder, arguments, worker_id in rows:
            worker = session.get_one(HealthWorker, worker_id)
            message = render(session, reminder, arguments, worker, now, tz=CHINA, settings={})
            first = message.text.split("\n")[0]
            assert first and not any(word in first for word in ("结核", "精神", "艾滋"))


def test_a_clock_that_jumped_times_the_jobs_anew() -> None:
    async def story() -> None:
        shown, planned = [1000.0], []

        async def plan() -> None:
            planned.append(asyncio.get_running_loop().time())

        scheduler = Scheduler(plan, plan, CHINA, clock=lambda: shown[0] + asyncio.get_running_loop().time())
        scheduler.start()
        await asyncio.sleep(100)
        assert planned == []
        shown[0] += 365 * 86400
        await asyncio.sleep(40)
        shown[0] -= 365 * 86400
        await asyncio.sleep(40)
        assert len(planned) == 2
        scheduler.stop()

    play_in_virtual_time(story())


@given(st.lists(st.integers(-70, 120), min_size=1, unique=True).map(sorted))
def test_whenever_the_machine_runs_each_stage_is_said_once_and_the_latest_always(left: list[int]) -> None:
    """`left` are the days on which it runs, as days before the end."""
    end, days, said = date(2028, 3, 1), (60, 30, 7, 0), set[str]()
    for n in reversed(left):
        reached = stage(end, end - timedelta(days=n), days, every=30)
        newest = min((d for d in (60, 30, 7, 0, -30, -60) if d >= n), default=None)
        assert reached == (None if newest is None else f"{newest}:{end}")
        said |= {reached} if reached else set()
    assert len(said) == len({min(d for d in (60, 30, 7, 0, -30, -60) if d >= n) for n in left if n <= 60})


def test_what_began_after_a_stage_is_not_told_of_it() -> None:
    end = date(2028, 3, 1)
    assert stage(end, end - timedelta(days=10), (14, 7), since=end - timedelta(days=10)) is None
    assert stage(end, end - timedelta(days=6), (14, 7), since=end - timedelta(days=10)) == "7:2028-03-01"
    assert stage(end, end - timedelta(days=14), (14, 7), since=end - timedelta(days=14)) == "14:2028-03-01"
