"""Campaigns in the database: who is eligible, what a launch writes, what a change, a stop and a result do to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import campaign_work as work
from models import referrals
from models.campaign import Campaign, CampaignResident, Milestone, ScreeningResult, campaigns_for
from models.campaign_figures import all_of, count_guests, guests, reasons_declined, scoreboard
from models.eligibility import Wanted, count_eligible, eligible_residents, months_before, total, years_before
from models.enrolment import Enrolment
from models.outbox import OutboxMessage
from models.people import HealthWorker, Organisation, Resident, full_years
from models.plans import DONE, GOING_ON, open_tasks, tasks_of
from models.record import Record, Referral
from models.scope import Scope, scope_of
from models.screening import (
    HPV,
    KINDS,
    NEGATIVE,
    POSITIVE,
    REFUSED,
    SUSPECT,
    UNSUITABLE,
    Rule,
    county_months,
    intervals_of,
)
from models.screening_results import followed, late, note_result, settle_follow_up
from reminders.timetable import render
from tests.conftest import CHINA
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HELD = date(2026, 12, 8)
COUNTY, TUOKOU, ANJIANG, SHIQIAO, QINGLONG, BAISHI = range(1, 7)
LI, WANG, CHEN, ZHAO = range(1, 5)


@pytest.fixture(params=BACKENDS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A county with two townships, three villages, two doctors and a supervisor on each rung."""
    with fresh_store(request.param) as store, store.write() as session:
        places = (
            (COUNTY, "431281", "示例县", "county", None, "/1/"),
            (TUOKOU, "T1", "托口镇", "township", 1, "/1/2/"),
            (ANJIANG, "T2", "安江镇", "township", 1, "/1/3/"),
            (SHIQIAO, "A1", "石桥村", "village", 2, "/1/2/4/"),
            (QINGLONG, "A2", "青龙村", "village", 2, "/1/2/5/"),
            (BAISHI, "B1", "白石村", "village", 3, "/1/3/6/"),
        )
        for key, code, name, level, parent, path in places:
            session.add(Organisation(id=key, code=code, name=name, level=level, parent_id=parent, path=path))
            session.flush()
        workers = (
            (LI, "V001", "李梅", "doctor", SHIQIAO, [SHIQIAO, QINGLONG]),
            (WANG, "S001", "王主任", "township", TUOKOU, []),
            (CHEN, "C001", "陈科长", "county", COUNTY, []),
            (ZHAO, "V002", "赵医生", "doctor", BAISHI, [BAISHI]),
        )
        for key, code, name, role, seat, villages in workers:
            session.add(HealthWorker(id=key, code=code, name=name, role=role, organisation_id=seat, villages=villages))
        session.commit()
        yield session


def resident(
    session: Session, name: str = "张桂兰", *, sex: str | None = "female", age: int | None = 50, **more: Any
) -> int:
    values: dict[str, Any] = {
        "name": name,
        "sex": sex,
        "born_on": None if age is None else years_before(HELD, age),
        "village_id": SHIQIAO,
        "status": "active",
        "groups": [],
        **more,
    }
    row = Resident(**values)
    session.add(row)
    session.flush()
    return row.id


def result(
    session: Session,
    resident_id: int | None,
    test: str,
    found: int,
    on: date,
    corrects: int | None = None,
    **answers: Any,
) -> Record:
    record = Record(
        draft_key=f"r{session.query(Record).count()}",
        service="screening_result",
        resident_id=resident_id,
        worker_id=LI,
        village_id=session.get_one(Resident, resident_id).village_id if resident_id else SHIQIAO,
        on=on,
        channel="console",
        answers={"kind": test, "result": found, **answers},
        corrects_id=corrects,
        recorded_at=NOW,
    )
    session.add(record)
    note_result(session, record)
    return record


def follow(session: Session, of: Record, on: date, **answers: Any) -> Record:
    record = Record(
        draft_key=f"f{session.query(Record).count()}",
        service="screening_follow_up",
        resident_id=of.resident_id,
        worker_id=LI,
        village_id=of.village_id,
        on=on,
        channel="console",
        answers={"screening": of.id, **answers},
        recorded_at=NOW,
    )
    session.add(record)
    session.flush()
    settle_follow_up(session, session.query(ScreeningResult).filter_by(resident_id=of.resident_id).one())
    return record


def wanted(kind: str = "two_cancers", rule: Rule | None = None, areas: tuple[str, ...] = ("/1/",)) -> Wanted:
    declared = KINDS[kind]
    return Wanted(rule or declared.rule or Rule(), declared.intervals, areas, HELD)


def held(session: Session, kind: str = "two_cancers", **more: Any) -> Campaign:
    declared = KINDS[kind]
    values: dict[str, Any] = {
        "code": f"C{session.query(Campaign).count()}",
        "kind": kind,
        "title": declared.title,
        "organisation_id": TUOKOU,
        "areas": [SHIQIAO, QINGLONG],
        "days": [HELD.isoformat()],
        "starts_on": HELD,
        "ends_on": HELD,
        "place": "托口镇卫生院",
        "rule": declared.rule.to_json() if declared.rule is not None and not declared.rule.is_open else None,
        "worker_id": WANG,
        **more,
    }
    campaign = Campaign(**values)
    session.add(campaign)
    session.flush()
    return campaign


def launched(session: Session, kind: str = "two_cancers", **more: Any) -> Campaign:
    campaign = held(session, kind, **more)
    work.launch(session, campaign, NOW, TODAY, by=campaign.worker_id)
    session.commit()
    return campaign


def told(session: Session) -> list[tuple[int | None, str, int]]:
    """(worker, status, edition) of every notice."""
    session.commit()
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == work.NOTICE).order_by(OutboxMessage.id))
    return [(row.worker_id, row.status, (row.arguments or {})["edition"]) for row in rows]


# --- eligible ---


def test_two_cancers_are_for_women_of_35_to_64_on_the_day(session: Session) -> None:
    inside = [resident(session, age=35), resident(session, age=64)]
    resident(session, age=34)
    resident(session, age=65)
    resident(session, sex="male")
    resident(session, born_on=years_before(HELD, 35) + timedelta(days=1))  # 35 the day after
    assert sorted(session.scalars(eligible_residents(wanted()))) == inside


def test_the_count_says_why_somebody_is_left_out(session: Session) -> None:
    resident(session)
    result(session, resident(session), "cervical", NEGATIVE, date(2023, 12, 9))  # within three years
    result(session, resident(session), "cervical", NEGATIVE, date(2023, 12, 8))  # three years are over
    result(session, resident(session), "cervical", NEGATIVE, date(2022, 1, 1), method=HPV)  # within five
    result(session, resident(session), "cervical", NEGATIVE, date(2021, 12, 8), method=HPV)  # five are over
    result(session, resident(session), "cervical", UNSUITABLE, date(2026, 6, 1))
    result(session, resident(session), "cervical", REFUSED, date(2026, 6, 1))
    result(session, resident(session), "cervical", POSITIVE, date(2020, 6, 1))  # still followed: M-22
    closed = result(session, resident(session), "cervical", POSITIVE, date(2020, 6, 1))
    session.get_one(ScreeningResult, closed.id).closed_on = date(2020, 9, 1)
    resident(session, age=None)
    resident(session, sex=None)
    resident(session, status="died")
    resident(session, status="moved")
    resident(session, status="absent", village_id=QINGLONG)
    villages = count_eligible(session, wanted())
    assert [(v.village, v.eligible) for v in villages] == [("石桥村", 6), ("青龙村", 1)]
    assert total(villages) == {"eligible": 7, "recent": 2, "followed": 1, "weeks": 0, "unknown": 2}


def test_with_a_county_interval_whoever_lacks_one_of_two_tests_is_invited(session: Session) -> None:
    both, cervix, neither = resident(session), resident(session), resident(session)
    for who in (both, cervix):
        result(session, who, "cervical", NEGATIVE, date(2026, 1, 1))
    result(session, both, "breast", NEGATIVE, date(2025, 1, 1))
    kind = KINDS["two_cancers"]
    assert total(count_eligible(session, wanted()))["recent"] == 2  # the norm knows no interval for the breast
    intervals = intervals_of(kind, county_months(kind, {"campaign.breast_months": 24}))
    due = Wanted(kind.rule or Rule(), intervals, ("/1/",), HELD)
    assert sorted(session.scalars(eligible_residents(due))) == [cervix, neither]


def test_a_withdrawn_result_leaves_somebody_eligible(session: Session) -> None:
    record = result(session, resident(session), "cervical", NEGATIVE, date(2026, 1, 1))
    assert total(count_eligible(session, wanted()))["recent"] == 1
    record.status = "withdrawn"
    assert total(count_eligible(session, wanted()))["eligible"] == 1


def test_only_within_the_areas(session: Session) -> None:
    resident(session)
    resident(session, village_id=BAISHI)
    resident(session, village_id=QINGLONG)
    assert total(count_eligible(session, wanted(areas=("/1/2/",))))["eligible"] == 2
    assert total(count_eligible(session, wanted(areas=("/1/3/", "/1/2/5/"))))["eligible"] == 2


def test_elders_are_checked_once_a_calendar_year(session: Session) -> None:
    resident(session, age=65)
    resident(session, age=64)
    for on, expected in ((date(2026, 1, 1), 1), (date(2025, 12, 31), 2)):
        session.add(
            Record(
                draft_key=f"e{on}", service="elderly_check", resident_id=resident(session, sex="male", age=70),
                worker_id=LI, village_id=SHIQIAO, on=on, channel="console", recorded_at=NOW,
            )
        )  # fmt: skip
        session.flush()
        found = total(count_eligible(session, wanted("elderly_check")))
        assert (found["eligible"], found["recent"]) == (expected, 1)


def test_groups_of_the_register(session: Session) -> None:
    resident(session, groups=["低保户", "高血压"])
    resident(session, groups=["特困人员"])
    resident(session, groups=["脱贫人口"])
    resident(session, sex="male", groups=["低保"])
    assert total(count_eligible(session, wanted("low_income_gynaecology")))["eligible"] == 2


def test_pregnant_women_by_weeks(session: Session) -> None:
    for weeks, days in ((11, 0), (10, 6), (22, 6), (23, 0)):
        pregnant = resident(session, age=28)
        period = (HELD - timedelta(days=weeks * 7 + days)).isoformat()
        session.add(
            Enrolment(
                resident_id=pregnant, village_id=SHIQIAO, programme="maternal", since=TODAY,
                details={"last_menstrual_period": period},
            )
        )  # fmt: skip
    unknown, ended = resident(session, age=30), resident(session, age=30)
    session.add(Enrolment(resident_id=unknown, village_id=SHIQIAO, programme="maternal", since=TODAY))
    session.add(Enrolment(resident_id=ended, village_id=SHIQIAO, programme="maternal", since=TODAY, ended_on=TODAY))
    session.flush()
    found = total(count_eligible(session, wanted("prenatal")))
    assert (found["eligible"], found["weeks"]) == (3, 2)  # with the one whose weeks nobody wrote down


def test_preconception_is_free_once_for_every_child(session: Session) -> None:
    groups = ["计划怀孕"]
    result(session, resident(session, age=28, groups=groups), "preconception", NEGATIVE, date(2025, 1, 1))
    mother = resident(session, age=30, groups=groups)
    result(session, mother, "preconception", NEGATIVE, date(2024, 1, 1))
    session.add(
        Enrolment(
            resident_id=mother, village_id=SHIQIAO, programme="maternal", since=date(2024, 6, 1), ended_on=date(2025, 4, 1)
        )
    )  # fmt: skip
    session.flush()
    found = total(count_eligible(session, wanted("preconception")))
    assert (found["eligible"], found["recent"]) == (1, 1)


def test_newborns_by_days_of_life(session: Session) -> None:
    for days in (2, 3, 20, 21):
        resident(session, born_on=HELD - timedelta(days=days))
    assert total(count_eligible(session, wanted("newborn")))["eligible"] == 2


@given(
    st.dates(date(1900, 1, 1), date(2026, 12, 31)), st.dates(date(2020, 1, 1), date(2030, 12, 31)), st.integers(0, 90)
)
@hypothesis_settings(max_examples=300, deadline=None)
def test_years_before_is_the_last_birthday_of_that_age(born: date, day: date, years: int) -> None:
    assert (born <= years_before(day, years)) == (full_years(born, day) >= years)


@pytest.mark.parametrize(
    ("day", "months", "before"),
    [
        (date(2026, 12, 8), 36, date(2023, 12, 8)),
        (date(2026, 3, 31), 1, date(2026, 2, 28)),
        (date(2028, 3, 31), 1, date(2028, 2, 29)),
        (date(2026, 1, 1), 1, date(2025, 12, 1)),
        (date(2026, 5, 31), 0, date(2026, 5, 31)),
    ],
)
def test_months_before(day: date, months: int, before: date) -> None:
    assert months_before(day, months) == before


def test_the_query_and_a_plain_loop_agree(session: Session) -> None:
    """Three hundred people at random, with results at random, judged once by SQL and once in Python."""
    rng = Random(7)
    kind = KINDS["two_cancers"]
    expected = dict.fromkeys(("eligible", "recent", "followed", "weeks", "unknown"), 0)
    for _ in range(300):
        sex, age = rng.choice(["female", "female", "male", None]), rng.choice([None, *range(34, 67)])
        status, village = rng.choice(["active", "active", "absent", "died"]), rng.choice([SHIQIAO, SHIQIAO, BAISHI])
        who = resident(session, sex=sex, age=age, status=status, village_id=village)
        found = []
        for _ in range(rng.choice([0, 1, 1, 2])):
            on = HELD - timedelta(days=rng.randrange(1, 2200))
            method, value, closed = rng.choice([None, HPV]), rng.randint(1, 5), rng.random() < 0.7
            record = result(session, who, "cervical", value, on, **({"method": method} if method else {}))
            session.get_one(ScreeningResult, record.id).closed_on = on if closed else None
            found.append((on, method, value, closed))
        if (
            status in ("moved", "died")
            or village != SHIQIAO
            or sex == "male"
            or (age is not None and not 35 <= age <= 64)
        ):
            continue
        if sex is None or age is None:
            expected["unknown"] += 1
        elif any(value in (SUSPECT, POSITIVE) and not closed for _, _, value, closed in found):
            expected["followed"] += 1
        elif any(
            value in (NEGATIVE, SUSPECT, POSITIVE)
            and (on > months_before(HELD, 36) or (method == HPV and on > months_before(HELD, 60)))
            for on, method, value, _ in found
        ):
            expected["recent"] += 1
        else:
            expected["eligible"] += 1
    assert min(expected[name] for name in ("eligible", "recent", "followed", "unknown")) > 3
    assert total(count_eligible(session, Wanted(kind.rule or Rule(), kind.intervals, ("/1/2/",), HELD))) == expected


# --- launched, changed, stopped ---


def test_a_launch_lists_the_eligible_and_tells_the_doctors_once(session: Session) -> None:
    resident(session)
    resident(session, village_id=QINGLONG)
    resident(session, village_id=BAISHI)
    campaign = held(session)
    assert work.launch(session, campaign, NOW, TODAY, by=WANG) == 2
    assert work.launch(session, campaign, NOW, TODAY, by=WANG) == 2
    assert campaign.counted is not None and campaign.counted["eligible"] == 2
    assert told(session) == [(LI, "queued", 1)]


def test_the_county_tells_townships_too(session: Session) -> None:
    launched(session, organisation_id=COUNTY, areas=[TUOKOU, ANJIANG], worker_id=CHEN)
    assert {worker for worker, _, _ in told(session)} == {LI, ZHAO, WANG}


def test_moving_cancels_what_is_queued_and_tells_once(session: Session) -> None:
    resident(session)
    campaign = launched(session)
    campaign.days, campaign.starts_on = ["2026-12-10"], date(2026, 12, 10)
    campaign.ends_on = campaign.starts_on
    work.change(session, campaign, NOW, TODAY, by=WANG, told_before=[LI])
    assert told(session) == [(LI, "cancelled", 1), (LI, "queued", 2)]


def test_doctors_left_out_of_new_areas_hear_of_it(session: Session) -> None:
    campaign = launched(session)
    before = work.workers_of(session, campaign)
    campaign.areas = [BAISHI]
    work.change(session, campaign, NOW, TODAY, by=WANG, told_before=before)
    assert {(worker, edition) for worker, status, edition in told(session) if status == "queued"} == {
        (LI, 2),
        (ZHAO, 2),
    }


def test_stopping_cancels_and_tells_once_and_only_once(session: Session) -> None:
    campaign = launched(session)
    assert work.stop(session, campaign, "下雪", NOW, by=WANG)
    assert not work.stop(session, campaign, "下雪", NOW, by=WANG)
    assert told(session) == [(LI, "cancelled", 1), (LI, "queued", 2)]
    assert (campaign.status, campaign.end_reason) == ("stopped", "下雪")


def test_stopping_in_the_same_transaction_as_the_launch(session: Session) -> None:
    campaign = held(session)
    work.launch(session, campaign, NOW, TODAY, by=WANG)
    work.stop(session, campaign, "弄错了", NOW, by=WANG)
    assert told(session) == [(LI, "queued", 2)]


def test_a_changed_rule_makes_the_list_anew_and_keeps_ticks(session: Session) -> None:
    young, old = resident(session, age=36), resident(session, age=60)
    campaign = launched(session)
    work.tick(session, campaign, [young], "told", TODAY, by=LI)
    campaign.rule = Rule(sex="female", ages=(50, 64)).to_json()
    work.change(session, campaign, NOW, TODAY, by=WANG, told_before=[])
    rows = {row.resident_id: row.listed for row in session.scalars(select(CampaignResident))}
    assert rows == {young: False, old: True}
    campaign.rule = Rule(sex="female", ages=(35, 64)).to_json()
    work.change(session, campaign, NOW, TODAY, by=WANG, told_before=[])
    assert session.get_one(CampaignResident, (campaign.id, young)).told_on == TODAY
    assert work.invited(session, campaign) == 2


# --- ticked off ---


def test_ticks(session: Session) -> None:
    a, b, c, stranger = (resident(session, name) for name in "甲乙丙丁")
    campaign = launched(session)
    session.execute(CampaignResident.__table__.delete().where(CampaignResident.resident_id == stranger))
    li = scope_of(session, session.get_one(HealthWorker, LI))
    assert work.tick(session, campaign, [a, b], "told", TODAY, by=LI) == 2
    assert work.tick(session, campaign, [a, b], "told", HELD, by=LI) == 0
    assert work.tick(session, campaign, [b], "declined", TODAY, by=LI, reason="在外打工") == 1
    assert work.tick(session, campaign, [stranger, a], "came", HELD, by=LI) == 2
    assert [g.resident_id for g in guests(session, campaign, li, "to_tell")] == [c]
    assert count_guests(session, campaign, li, "to_come") == 1
    score = all_of(scoreboard(session, campaign, li))
    assert (score.invited, score.told, score.came, score.declined, score.unlisted) == (3, 2, 2, 1, 1)
    assert reasons_declined(session, campaign, li) == [("在外打工", 1)]
    work.tick(session, campaign, [b], "came", HELD, by=LI)
    work.tick(session, campaign, [a], "not_come", HELD, by=LI)
    score = all_of(scoreboard(session, campaign, li))
    assert (score.came, score.declined) == (2, 0)


def test_whoever_died_or_moved_drops_out(session: Session) -> None:
    a, b, c = (resident(session) for _ in range(3))
    campaign = launched(session)
    work.tick(session, campaign, [a], "came", HELD, by=LI)
    for gone in (a, b):
        session.get_one(Resident, gone).status = "died"
    session.flush()
    li = scope_of(session, session.get_one(HealthWorker, LI))
    assert [g.resident_id for g in guests(session, campaign, li, "to_tell")] == [c]
    score = all_of(scoreboard(session, campaign, li))
    assert (score.invited, score.came) == (2, 1)  # a came while alive


def test_lists_keep_to_the_scope(session: Session) -> None:
    resident(session)
    resident(session, village_id=BAISHI)
    campaign = launched(session, organisation_id=COUNTY, areas=[COUNTY])
    zhao, county = (scope_of(session, session.get_one(HealthWorker, w)) for w in (ZHAO, CHEN))
    assert [g.village_id for g in guests(session, campaign, zhao, "all")] == [BAISHI]
    assert guests(session, campaign, county, "all") == []  # figures only
    assert [line.village for line in scoreboard(session, campaign, county)] == ["石桥村", "白石村"]


def test_whose_campaigns(session: Session) -> None:
    launched(session)
    county = launched(session, organisation_id=COUNTY, areas=[ANJIANG])
    workers = {w: session.get_one(HealthWorker, w) for w in (LI, WANG, CHEN, ZHAO)}
    of = {w: len(campaigns_for(session, worker)) for w, worker in workers.items()}
    assert of == {LI: 1, WANG: 2, CHEN: 2, ZHAO: 1}
    assert campaigns_for(session, workers[ZHAO]) == [county]
    assert campaigns_for(session, workers[LI], since=HELD + timedelta(days=1)) == []


# --- results ---


def test_results_belong_to_their_campaign_and_say_who_came(session: Session) -> None:
    a, b, elsewhere = resident(session), resident(session), resident(session, village_id=BAISHI)
    campaign = launched(session)
    result(session, a, "cervical", NEGATIVE, HELD + timedelta(days=9))
    result(session, a, "breast", SUSPECT, HELD + timedelta(days=9))
    result(session, b, "cervical", REFUSED, HELD)
    result(session, elsewhere, "cervical", NEGATIVE, HELD)
    before = result(session, b, "cervical", NEGATIVE, HELD - timedelta(days=1))
    assert session.get_one(ScreeningResult, before.id).campaign_id is None
    score = all_of(scoreboard(session, campaign, Scope(TUOKOU, "/1/2/")))
    assert (score.results, score.negative, score.tracked, score.refused, score.came) == (3, 1, 1, 1, 1)


def test_a_corrected_result_keeps_its_follow_up_and_a_withdrawn_one_counts_no_more(session: Session) -> None:
    campaign = launched(session)
    first = result(session, resident(session), "cervical", POSITIVE, HELD)
    follow(session, first, HELD + timedelta(days=3), arrived=1)
    first.status = "corrected"
    second = result(session, first.resident_id, "cervical", SUSPECT, HELD, corrects=first.id)
    row = session.get_one(ScreeningResult, second.id)
    assert (row.result, row.arrived_on) == (SUSPECT, HELD + timedelta(days=3))
    assert all_of(scoreboard(session, campaign, Scope(TUOKOU, "/1/2/"))).tracked == 1
    second.status = "withdrawn"
    assert all_of(scoreboard(session, campaign, Scope(TUOKOU, "/1/2/"))).results == 0


def test_positives_are_followed_until_they_are_closed(session: Session) -> None:
    scope, on = Scope(TUOKOU, "/1/2/"), date(2026, 11, 1)
    record = result(session, resident(session), "cervical", POSITIVE, on)
    result(session, resident(session), "cervical", NEGATIVE, on)
    gone = result(session, resident(session), "cervical", POSITIVE, on)
    session.get_one(Resident, gone.resident_id).status = "died"
    (one,) = followed(session, scope, {})
    assert one.row.record_id == record.id and one.days_late(date(2026, 11, 15)) == 0
    assert [f.days_late(date(2026, 11, 16)) for f in late([one], date(2026, 11, 16))] == [1]
    assert followed(session, scope, {"campaign.arrive_within.cervical": 30})[0].arrive_by == date(2026, 12, 1)
    referral = Referral(
        record_id=record.id, resident_id=record.resident_id, village_id=SHIQIAO, worker_id=LI, urgency="refer",
        reason="", sent_on=on, ask_on=on,
    )  # fmt: skip
    session.add(referral)
    session.flush()
    referrals.arrive(session, referral, date(2026, 11, 10))
    referrals.note_result(session, referral, "慢性宫颈炎", date(2026, 11, 12))
    row = session.get_one(ScreeningResult, record.id)
    assert (row.arrived_on, row.diagnosis) == (date(2026, 11, 10), "慢性宫颈炎")
    session.flush()
    (one,) = followed(session, scope, {})
    assert one.arrived and one.days_late(date(2026, 11, 16)) < 0 and one.days_late(on + timedelta(days=91)) == 1
    session.get_one(ScreeningResult, record.id).closed_on = TODAY
    assert followed(session, scope, {}) == []


def test_follow_ups_add_up_and_a_withdrawn_one_is_taken_back(session: Session) -> None:
    record = result(session, resident(session), "cervical", POSITIVE, HELD)
    row = session.get_one(ScreeningResult, record.id)
    follow(session, record, date(2026, 12, 12), arrived=2, informed_on="2026-12-10")
    assert (row.arrived_on, row.informed_on) == (None, date(2026, 12, 10))
    follow(session, record, date(2026, 12, 20), arrived=1, arrived_on="2026-12-18", diagnosis="CIN1", closed=0)
    last = follow(session, record, date(2027, 1, 5), closed=1, close_reason=2)
    assert (row.arrived_on, row.diagnosis) == (date(2026, 12, 18), "CIN1")
    assert (row.closed_on, row.close_reason) == (date(2027, 1, 5), "已治疗")
    last.status = "withdrawn"
    settle_follow_up(session, row)
    assert (row.arrived_on, row.closed_on, row.close_reason) == (date(2026, 12, 18), None, None)


def test_an_anonymous_result_is_counted_and_followed_without_a_name(session: Session) -> None:
    campaign = launched(session, "voluntary_testing")
    result(session, None, "hiv", SUSPECT, HELD)
    assert all_of(scoreboard(session, campaign, Scope(TUOKOU, "/1/2/"))).tracked == 1
    (one,) = followed(session, Scope(TUOKOU, "/1/2/"), {}, campaign_id=campaign.id)
    assert one.name is None and one.test.words(one.row.result) == "待复检"


# --- plans ---


def test_milestones_are_owed_by_each_organisation_until_reported_done(session: Session) -> None:
    plan = held(session, "two_cancers", organisation_id=COUNTY, areas=[TUOKOU, ANJIANG], rule=None)
    plan.kind = "flagship"
    for position, (title, due) in enumerate((("启动", date(2026, 11, 20)), ("验收", date(2027, 3, 31)))):
        session.add(Milestone(campaign_id=plan.id, position=position, title=title, due_on=due))
    session.flush()
    tasks = tasks_of(session, [plan])
    assert [(t.milestone.title, t.organisation.name, t.is_late(TODAY)) for t in tasks] == [
        ("启动", "托口镇", True), ("启动", "安江镇", True), ("验收", "托口镇", False), ("验收", "安江镇", False),
    ]  # fmt: skip
    first = tasks[0].milestone.id
    for n, (state, on) in enumerate(((GOING_ON, date(2026, 11, 10)), (DONE, date(2026, 11, 22)))):
        session.add(
            Record(
                draft_key=f"p{n}", service="progress_report", worker_id=WANG, village_id=TUOKOU, on=on, channel="console",
                answers={"plan": plan.id, "milestone": first, "state": state, "summary": "好了"}, recorded_at=NOW,
            )
        )  # fmt: skip
    session.flush()
    done = tasks_of(session, [plan])[0]
    assert done.is_done and not done.is_late(TODAY) and done.days_late(TODAY) == 2
    assert [(t.milestone.title, t.organisation.name) for t in open_tasks(tasks_of(session, [plan]))] == [
        ("启动", "安江镇"), ("验收", "托口镇"), ("验收", "安江镇"),
    ]  # fmt: skip


def test_how_a_campaign_stands_is_told_to_its_holder_and_not_to_those_above(session: Session) -> None:
    """Not even when the one above holds another: what it hears would depend on chance."""
    county = session.query(HealthWorker).filter_by(code="C001").one()
    launched(session)
    launched(session, organisation_id=county.organisation_id, areas=[], title="县里的", worker_id=county.id)
    arguments = {"day": HELD.isoformat()}
    at = datetime.combine(HELD, time(17, 20), CHINA)
    said = render(session, "campaign_standing", arguments, county, at, tz=CHINA, settings={}).text
    assert said.count("今天") == 1 and "县里的" in said
