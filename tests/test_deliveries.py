"""送达 and the operator's list: what was to be said, what became of it and why, within the viewer's scope; dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

import reminders.timetable
from handlers.delivery_words import tally, why
from models import migrate
from models.base import Store
from models.deliveries import Asked, Counted, counted
from models.message import OutgoingMessage
from models.outbox import TITLES, TOO_LATE, OutboxMessage
from models.people import ChannelAccount, HealthWorker, Organisation
from models.record import AuditEntry
from models.scope import scope_of
from models.secrets import Keyring
from models.seed import seed
from tests.clinic import Clinic, clinic
from tests.databases import BACKENDS, SECRET
from tests.program import environment, run

MORNING = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)  # 07:30 on the 24th in the county
SECRET_WORDS = "张桂兰 152/94"


@pytest.fixture(params=BACKENDS)
def village(request: pytest.FixtureRequest) -> Iterator[Clinic]:
    with clinic(request.param) as village:
        yield village


def worker(village: Clinic, code: str) -> HealthWorker:
    return village.session.scalars(select(HealthWorker).where(HealthWorker.code == code)).one()


def message(village: Clinic, code: str, status: str = "sent", reason: str | None = None, **more: Any) -> None:
    """A message in the outbox; a digest of 07:30 unless said otherwise."""
    number = len(village.session.scalars(select(OutboxMessage)).all())
    values: dict[str, Any] = {
        "dedup_key": f"k{number}", "kind": "morning_digest", "reminder": "morning_digest", "status": status,
        "worker_id": worker(village, code).id, "channel": "telegram", "account": code, "reason": reason,
        "message": OutgoingMessage(SECRET_WORDS).to_json(), "planned_at": MORNING - timedelta(hours=7),
        "not_before": MORNING, "attempts": 1,
    }  # fmt: skip
    village.session.add(OutboxMessage(**values | more))
    village.session.flush()


def seen_by(village: Clinic, code: str) -> Clinic:
    village.worker = worker(village, code)
    village.scope = scope_of(village.session, village.worker)
    return village


def fill(village: Clinic) -> None:
    """李梅 (托口镇) got her list, 于国华's was refused, 曾翠兰 is in another township."""
    message(village, "V001")
    message(village, "V002", "failed", "RecipientUnreachable: Forbidden: bot was blocked by the user")
    message(village, "V003", "cancelled", TOO_LATE)
    message(village, "V001", "cancelled", "nothing due any more", reminder="silent", kind="silent")
    message(village, "V001", "queued", not_before=MORNING + timedelta(hours=9), attempts=0)
    message(village, "V001", "queued", "RateLimited: retry after 5 s", kind="reply", reminder=None)
    message(village, "V001", not_before=MORNING - timedelta(days=1))
    message(village, "S001", kind="alarm", reminder="urgent_result", attempts=3, reason="ChannelUnavailable: 502")


def townships(village: Clinic) -> dict[str, str]:
    """Worker code -> the township they are in."""
    rows = village.session.execute(
        select(HealthWorker.code, Organisation.path).join(Organisation, Organisation.id == HealthWorker.organisation_id)
    )
    names = dict(village.session.execute(select(Organisation.id, Organisation.name)).all())
    return {code: names[int(path.strip("/").split("/")[1])] for code, path in rows if path.count("/") > 2}


def test_each_sees_what_is_below_them_and_nobody_reads_what_was_said(village: Clinic) -> None:
    fill(village)
    places = townships(village)
    own = {code for code, place in places.items() if place == places["S001"]}
    said = seen_by(village, "S001").say("送达")
    assert "· 李梅" not in said and "送达 · 托口镇 · 2026-11-24" in said
    assert ("于国华 今日随访提醒:停用或拉黑了机器人" in said) == ("V002" in own)
    expected = 5 + sum(code in own for code in ("V002", "V003"))
    assert f"应发{expected}条" in said and "急危重症上报 应发1条:已送1\n" in said
    assert "没到时间1" in said and "正在送1(平台要求慢一点)" in said and "取消1(已经办完或不用再说)" in said
    county = seen_by(village, "C001").say("送达")
    assert "应发7条:已送2,没到时间1,正在送1(平台要求慢一点),没送到1(停用或拉黑了机器人),取消2" in county
    people = seen_by(village, "C001").press("sent.who.0.20261124.20261124")
    assert people.splitlines()[1].startswith(("· 于国华 应发1条:没送到1", "· 李梅")), "what did not arrive first"
    doctor = seen_by(village, "V002").say("送达")
    assert "送达 · 于国华" in doctor and "应发1条:没送到1(停用或拉黑了机器人)" in doctor and "李梅" not in doctor
    for words in (said, county, people, doctor):
        assert "张桂兰" not in words and "152" not in words and "Forbidden" not in words


def test_a_place_outside_ones_scope_is_not_shown(village: Clinic) -> None:
    fill(village)
    places = townships(village)
    other = next(code for code, place in sorted(places.items()) if code.startswith("S") and place != places["S001"])
    elsewhere = worker(village, other).organisation_id
    assert "不在您的辖区" in seen_by(village, "S001").press(f"sent.kind.{elsewhere}.20261124.20261124")
    assert "送达 · 托口镇" in village.press("sent.kind.x.y"), "a button nobody made"
    assert "没找到" in village.say(f"送达 {places[other]}")


def test_a_period_in_words(village: Clinic) -> None:
    fill(village)
    seen_by(village, "C001")
    assert "2026-11-23(" in village.say("送达 昨天") and "应发1条:已送1" in village.say("送达昨天")
    assert "应发8条" in village.say("送达 本月") and "应发8条" in village.press("sent.kind.0.20261118.20261124")
    assert "这几天没有要发的消息" in village.say("送达 上个月")


@pytest.mark.parametrize("words", ["失败", "没送到的有哪些", "未送达", "没收到 今天", "失败🙂"])
def test_only_what_failed(village: Clinic, words: str) -> None:
    fill(village)
    said = seen_by(village, "C001").say(f"送达 {words}")
    assert said.endswith("没送到的1条:\n· 于国华 今日随访提醒:停用或拉黑了机器人")
    assert village.say(f"送达 {words.replace('今天', '')} 昨天").endswith("没送到的:没有。")


def test_words_that_are_no_place(village: Clinic) -> None:
    fill(village)
    assert "没找到“20261345”" in seen_by(village, "C001").say("送达 2026-13-45")
    assert "应发7条" in village.say("送达!!🙂")
    assert "没有找到“🙂”" in village.say("汇总 🙂")


def test_many_failures_and_many_people_take_pages(village: Clinic) -> None:
    for n in range(30):
        boss = worker(village, "V001")
        added = HealthWorker(
            code=f"X{n}", name=f"村医{n:02}", role="doctor", organisation_id=boss.organisation_id, villages=[]
        )
        village.session.add(added)
        village.session.flush()
        message(village, f"X{n}", "failed", "no account bound")
    said = seen_by(village, "S001").say("送达")
    assert said.count("没有绑定账号\n") == 8 and "还有22项" in said and len(said) < 900
    failed = village.press("sent.failed.0.20261124.20261124")
    assert "没送到的30条:" in failed and failed.count("没有绑定账号") == 20
    assert village.press("sent.failed.0.20261124.20261124.20").count("没有绑定账号") == 10
    first = village.press("sent.who.0.20261124.20261124")
    second = village.press("sent.who.0.20261124.20261124.20")
    assert first.count("· 村医") == 20 and second.count("· 村医") == 10


@pytest.mark.parametrize(
    ("outcome", "reason", "words"),
    [
        ("cancelled", TOO_LATE, "过了时间,并到下一次说"),
        ("cancelled", "the record was withdrawn", "记录已撤销或改过"),
        ("cancelled", "the resident died or moved away", "居民已死亡或迁出"),
        ("cancelled", "the campaign is closed", "活动或计划有变"),
        ("cancelled", "the visit was recorded", "已经办完或不用再说"),
        ("failed", "unreachable: RecipientUnreachable: blocked", "停用或拉黑了机器人"),
        ("failed", "gave up after 300 tries: ChannelUnavailable: 502", "试了一整天都没送到"),
        ("failed", "MessageRejected: Bad Request", "平台不收这条消息"),
        ("failed", "something new", "没送到"),
        ("waiting", "ChannelUnavailable: 502", "平台连不上,还在试"),
        ("waiting", "", ""),
        ("sent", "", ""),
    ],
)
def test_reasons_in_words(outcome: str, reason: str, words: str) -> None:
    assert why(outcome, reason) == words


def test_several_reasons_are_counted() -> None:
    found = [
        Counted(1, "李梅", "visits", outcome, reason, count)
        for outcome, reason, count in (("sent", "", 40), ("failed", "no account bound", 2), ("failed", "gave up", 5))
    ]
    assert tally(found) == "应发47条:已送40,没送到7(试了一整天都没送到5、没有绑定账号2)"


def test_every_reminder_has_a_title() -> None:
    assert set(reminders.timetable.REMINDERS) <= set(TITLES)


def test_nothing_is_counted_of_a_day_without_messages(village: Clinic) -> None:
    asked = Asked(MORNING, MORNING + timedelta(days=1), worker_id=village.worker.id)
    assert counted(village.session, asked, MORNING) == []


# The operator


def test_dead_letters_are_listed_and_tried_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/cunyi.db"
    store = Store(url, Keyring(SECRET))
    migrate.upgrade(store)
    with store.write() as session:
        seed(session, MORNING.date(), MORNING, residents=30, doctors=3, history=False)
        village = Clinic(session, MORNING.date())
        fill(village)
        refused = ChannelAccount(
            channel="telegram", account="V002", worker_id=worker(village, "V002").id, bound_at=MORNING,
            unreachable_why="RecipientUnreachable: blocked", unreachable_since=MORNING,
        )  # fmt: skip
        session.add(refused)
        session.commit()
    environ = environment(url)
    every = run("deliveries", environ=environ, folder=tmp_path).stdout.splitlines()
    failed = run(
        "deliveries", "--failed", "--since", "2026-11-20", environ=environ, folder=tmp_path
    ).stdout.splitlines()
    assert len(every) == 3 and len(failed) == 1
    assert failed[0].startswith("2026-11-24 00:30 failed morning_digest V002 telegram tries=1 k1 RecipientUnreachable")
    assert SECRET_WORDS not in "".join(every)
    wrong = run("retry", environ=environ, folder=tmp_path)
    assert wrong.returncode == 2
    again = run("retry", "k1", "k0", environ=environ, folder=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (1, "queued again: 1\n", "not failed or not known: k0\n")
    assert run("retry", "--all", environ=environ, folder=tmp_path).stdout == "queued again: 0\n"
    with store.read() as session:
        row = session.scalars(select(OutboxMessage).where(OutboxMessage.dedup_key == "k1")).one()
        assert (row.status, row.attempts, row.reason, row.expires_at) == ("queued", 0, None, None)
        assert session.scalars(select(ChannelAccount.unreachable_why)).all() == [None]
        assert session.scalars(select(AuditEntry.subject).where(AuditEntry.action == "delivery.retried")).all() == [
            f"outbox:{row.id}"
        ]
    store.close()
