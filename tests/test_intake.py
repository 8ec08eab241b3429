"""The intake: one message, one transaction. Nothing acknowledged is lost, nothing is recorded twice (promise 1)."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

import bot.group
from bot.channels import NotAccepted
from bot.intake import Intake
from bot.lanes import GROUP, Job, Lane
from bot.writer import Writer
from handlers.answer import LONGEST
from models.base import Store
from models.conversation import load_conversation
from models.everything import metadata
from models.invitations import invite
from models.message import File, IncomingMessage
from models.outbox import OutboxMessage, ReceivedEvent
from models.people import ChannelAccount, HealthWorker
from models.record import AuditEntry, Record
from models.recount import recount
from models.seed import seed
from tests.databases import BACKENDS, fresh_store

CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00 in the county
TODAY = date(2026, 11, 24)
LI_MEI, WANG = "7", "8"
LINE = "张桂兰 152/94 心率78 规律服药 无症状 家访"


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        yield store


@pytest.fixture
def store(database: Store) -> Iterator[Store]:
    """The seeded village with 李梅 and 王主任 on Telegram, and no message yet."""
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with database.write() as session:
        if database.is_sqlite:
            for table in reversed(metadata.sorted_tables):
                session.execute(table.delete())
        else:
            session.execute(text(f"TRUNCATE {names}"))
        seed(session, TODAY, NOW, residents=30, doctors=3, history=False)
        ids = dict(session.execute(select(HealthWorker.code, HealthWorker.id)).all())
        for account, code in ((LI_MEI, "V001"), (WANG, "S001")):
            session.add(ChannelAccount(channel="telegram", account=account, worker_id=ids[code], bound_at=NOW))
        session.commit()
    with capture_logs():
        yield database


def wrote(said: str | None, account: str = LI_MEI, **more: Any) -> IncomingMessage:
    """A message; its event id is what was said, unless given."""
    event_id = more.pop("event_id", f"{account}-{said}"[:100])
    return IncomingMessage("telegram", account, event_id, more.pop("sent_at", NOW), text=said, **more)


def make(store: Store, at: datetime = NOW, **more: Any) -> Intake:
    return Intake(store, clock=lambda: at, tz=CHINA, settings={}, **more)


def receive(store: Store, *messages: IncomingMessage, at: datetime = NOW) -> list[str]:
    """Hand messages over as fast as can be, as the program does; "" for each acknowledged one, else why not."""

    async def run() -> list[BaseException | None]:
        intake = make(store, at)
        intake.start()
        try:
            return await asyncio.gather(*map(intake.receive, messages), return_exceptions=True)
        finally:
            await asyncio.to_thread(intake.stop)

    outcomes = asyncio.run(run())
    assert all(isinstance(outcome, NotAccepted | None) for outcome in outcomes), outcomes
    return ["" if outcome is None else "refused" for outcome in outcomes]


def commit(store: Store, *messages: IncomingMessage) -> list[str]:
    """Hand messages over as one group, exactly."""
    outcomes: dict[int, str] = {}

    def done(number: int) -> Callable[[Any, BaseException | None], None]:
        return lambda _, error: outcomes.setdefault(number, "" if error is None else "refused")

    make(store).writers[0].commit_group([Job(done(n), message=message) for n, message in enumerate(messages)])
    return [outcomes[n] for n in range(len(messages))]


def heard(store: Store, account: str = LI_MEI) -> list[str]:
    """What was promised to be said to an account, in order."""
    with store.read() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.account == account).order_by(OutboxMessage.id))
        return [(row.message or {}).get("text", "") for row in rows]


def count(store: Store, model: Any, *where: Any) -> int:
    with store.read() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def counters_are_right(store: Store) -> bool:
    with store.write() as session:
        return list(recount(session)) == []


def drafts_of(store: Store, code: str = "V001") -> list[str]:
    """The services of the forms that a worker has open."""
    with store.read() as session:
        worker = session.scalars(select(HealthWorker).where(HealthWorker.code == code)).one()
        return [draft.service for draft in load_conversation(session, worker.id).drafts]


def choose(choice: str, store: Store, account: str = LI_MEI, event_id: str = "") -> IncomingMessage:
    """A press on the newest message that has buttons."""
    with store.read() as session:
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.account == account).order_by(OutboxMessage.id.desc())
        )
        context = next(row.message["context"] for row in rows if row.message and "choices" in row.message)
    return wrote(None, account, event_id=event_id or f"{choice}-{context}", chosen=(choice,), context=context)


@contextmanager
def a_bug(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> Iterator[list[str]]:
    """Whoever says 坏 meets a bug, after much was written; yields what was tried."""
    tried: list[str] = []
    real = bot.group.answer

    def answer(turn: Any) -> None:
        tried.append(turn.incoming.text or "")
        real(turn)
        if "坏" in (turn.incoming.text or ""):
            turn.session.add(AuditEntry(at=turn.now, worker_id=turn.worker.id, action="half", subject="", details={}))
            turn.session.flush()
            raise error or ZeroDivisionError("a handler's bug")

    with monkeypatch.context() as patch:
        patch.setattr(bot.group, "answer", answer)
        yield tried


# Brought again


def test_brought_three_times_is_done_once(store: Store) -> None:
    line = wrote(LINE)
    assert receive(store, line, line, line) == ["", "", ""]
    submit = choose("submit", store)
    for _ in range(3):
        assert receive(store, submit) == [""]
    assert commit(store, submit, line, submit) == ["", "", ""]
    assert count(store, Record) == 1 and count(store, ReceivedEvent) == 2
    assert len(heard(store)) == 2 and heard(store)[1].startswith("✅ 已记录:")
    assert counters_are_right(store)


def test_the_same_id_on_the_other_channel_is_another_event(store: Store) -> None:
    with store.write() as session:
        worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        session.add(ChannelAccount(channel="wecom", account="limei", worker_id=worker.id, bound_at=NOW))
        session.commit()
    first = wrote("今日", event_id="1")
    assert receive(store, first, replace(first, channel="wecom", account="limei")) == ["", ""]
    assert len(heard(store)) == len(heard(store, "limei")) == 1


def test_two_processes_are_brought_the_same_message(store: Store) -> None:
    """Each with its own connections; Telegram and WeCom both repeat what they think unanswered."""
    lines = [wrote(f"义诊 石桥村 {n}人", event_id=str(n)) for n in range(10, 30)]
    with another(store) as other:
        outcomes = at_once(lambda: receive(store, *lines), lambda: receive(other, *lines))
    assert outcomes == [[""] * 20, [""] * 20]
    assert count(store, ReceivedEvent) == len(heard(store)) == 20
    assert drafts_of(store) == ["outreach_clinic"] * 20


def test_two_processes_and_one_doctor_who_writes_to_both(store: Store) -> None:
    """Her conversation is one: neither forgets what the other has just been told."""
    lines = [wrote(f"义诊 石桥村 {n}人", event_id=str(n)) for n in range(10, 30)]
    with another(store) as other:
        at_once(lambda: receive(store, *lines[::2]), lambda: receive(other, *lines[1::2]))
    assert drafts_of(store) == ["outreach_clinic"] * 20


@contextmanager
def another(store: Store) -> Iterator[Store]:
    """The same database, as another process has it open."""
    other = Store(store.engine.url.render_as_string(hide_password=False), store.keyring)
    yield other
    other.close()


def at_once(*works: Callable[[], Any]) -> list[Any]:
    begin, results = threading.Barrier(len(works)), [None] * len(works)

    def work(number: int) -> None:
        begin.wait()
        results[number] = works[number]()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


# One transaction


def test_a_bug_leaves_nothing_half_done(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The doctor is told to send it again, once, and what was open before is still open."""
    receive(store, wrote(LINE))
    before = drafts_of(store)
    bad = wrote("坏 王建国 空腹血糖8.2")
    with a_bug(monkeypatch):
        assert receive(store, bad, bad) == ["", ""]
        assert receive(store, bad) == [""]
    assert count(store, AuditEntry, AuditEntry.action == "half") == 0
    assert drafts_of(store) == before == ["hypertension_follow_up"]
    assert [said for said in heard(store) if "没有记下来" in said] == heard(store)[1:] and len(heard(store)) == 2


def test_what_is_logged_of_a_bug_names_nobody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with a_bug(monkeypatch), capture_logs() as logs:
        commit(store, wrote("坏 覃凤英 152/94", event_id="u17"))
    assert logs == [
        {"event": "message_failed", "log_level": "error", "channel": "telegram", "event_id": "u17", "exc_info": True}
    ]


def test_the_writer_outlives_a_fault_of_its_own(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the program would stand there and answer nobody."""
    fault = ZeroDivisionError("in the very place that takes care of faults")
    monkeypatch.setattr(Writer, "_failed", lambda *_: (_ for _ in ()).throw(fault))
    with a_bug(monkeypatch):
        outcomes = receive(store, *(wrote("坏", event_id=f"{n}") for n in range(3 * GROUP)))
        assert outcomes == ["refused"] * 3 * GROUP, "nobody waits for ever"


@pytest.mark.parametrize("size", [2, 10, GROUP])
def test_one_bad_message_costs_the_others_nothing(store: Store, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    accounts = doctors_on(store, size)
    messages = [wrote("坏" if n == size // 2 else "帮助", account) for n, account in enumerate(accounts)]
    with a_bug(monkeypatch) as tried:
        assert commit(store, *messages) == [""] * size
    assert tried.count("坏") == 2, "with the others, and alone"
    for n, account in enumerate(accounts):
        (said,) = heard(store, account)
        assert ("没有记下来" in said) == (n == size // 2)


def doctors_on(store: Store, number: int) -> list[str]:
    """So many doctors, each with a Telegram account."""
    with store.write() as session:
        place = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        for n in range(number):
            worker = HealthWorker(
                id=1000 + n, code=f"X{n:03}", name=f"村医{n}", role=place.role, organisation_id=place.organisation_id,
                villages=place.villages,
            )  # fmt: skip
            session.add(worker)
            session.flush()
            session.add(ChannelAccount(channel="telegram", account=f"{1000 + n}", worker_id=worker.id, bound_at=NOW))
        session.commit()
    return [f"{1000 + n}" for n in range(number)]


def test_what_waits_shares_a_commit(store: Store) -> None:
    accounts, commits = doctors_on(store, 40), []

    def note(connection: Any) -> None:
        commits.append(connection)

    event.listen(store.engine, "commit", note)
    try:
        assert commit(store, *(wrote("帮助", account) for account in accounts)) == [""] * 40
    finally:
        event.remove(store.engine, "commit", note)
    assert len(commits) == 1
    assert {len(heard(store, account)) for account in accounts} == {1}


def test_work_of_the_sender_is_done_in_the_same_commit_or_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes: list[Any] = []
    done = lambda result, error: outcomes.append(result if error is None else type(error))  # noqa: E731
    jobs = [
        Job(done, work=lambda session: session.scalar(select(func.count()).select_from(OutboxMessage))),
        Job(done, message=wrote("坏")),
        Job(done, work=lambda session: session.execute(text("SELECT no_such_column"))),
        Job(done, work=lambda session: "fine"),
    ]
    with a_bug(monkeypatch):
        make(store).writers[0].commit_group(jobs)
    assert outcomes[0] == 0 and outcomes[1] is None and outcomes[3] == "fine"
    assert issubclass(outcomes[2], Exception)


# Outages

Trouble = Callable[[Store], Any]


@contextmanager
def on_connect(store: Store, *statements: str) -> Iterator[None]:
    """Every connection of the store begins with these."""

    def prepare(connection: Any, record: Any) -> None:
        cursor = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        if not store.is_sqlite:
            connection.commit()

    store.engine.dispose()
    event.listen(store.engine, "connect", prepare)
    try:
        yield
    finally:
        event.remove(store.engine, "connect", prepare)
        store.engine.dispose()


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Somebody else writes and does not end."""
    with another(store) as other, other.write() as session:
        session.execute(update(HealthWorker).values(name=HealthWorker.name))
        patience = "PRAGMA busy_timeout=20" if store.is_sqlite else "SET lock_timeout = '20ms'"
        with on_connect(store, patience):
            yield


@contextmanager
def read_only(store: Store) -> Iterator[None]:
    with on_connect(store, "PRAGMA query_only=ON" if store.is_sqlite else "SET default_transaction_read_only = on"):
        yield


@contextmanager
def full(store: Store) -> Iterator[None]:
    """No room for one page more; of PostgreSQL, the same answer to what writes."""
    if store.is_sqlite:
        store.engine.dispose()
        with closing(sqlite3.connect(store.engine.url.database or "")) as connection:
            connection.execute("VACUUM")
            (pages,) = connection.execute("PRAGMA page_count").fetchone()
        with on_connect(store, f"PRAGMA max_page_count={pages}"):
            yield
        return
    trigger = (
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no space left on device' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER no_room BEFORE INSERT ON outbox EXECUTE FUNCTION no_room()",
    )
    with ddl(store, trigger, ("DROP TRIGGER no_room ON outbox", "DROP FUNCTION no_room")):
        yield


@contextmanager
def ddl(store: Store, before: Sequence[str], after: Sequence[str]) -> Iterator[None]:
    for statements, middle in ((before, True), (after, False)):
        with store.write() as session:
            for statement in statements:
                session.execute(text(statement))
            session.commit()
        if middle:
            yield


@contextmanager
def lost_at_commit(store: Store) -> Iterator[None]:
    """The last instant: everything was written, and the commit fails."""
    with committing(store, before=True):
        yield


@contextmanager
def answer_lost(store: Store) -> Iterator[None]:
    """The commit is done, and the connection breaks before we are told so."""
    with committing(store, before=False):
        yield


@contextmanager
def committing(store: Store, *, before: bool) -> Iterator[None]:
    dialect, real = store.engine.dialect, store.engine.dialect.do_commit
    broken = sqlite3.OperationalError("disk I/O error")
    broken.sqlite_errorcode = sqlite3.SQLITE_IOERR  # type: ignore[misc]

    def do_commit(connection: Any) -> None:
        if not before:
            real(connection)
        raise OperationalError("COMMIT", {}, broken, connection_invalidated=True)

    dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield
    finally:
        dialect.do_commit = real  # type: ignore[method-assign]
        store.engine.dispose()


@contextmanager
def connections_cut(store: Store) -> Iterator[None]:
    """An operator ends PostgreSQL's sessions, or the server restarts, in the middle of a transaction."""
    real = bot.group.answer

    def answer(turn: Any) -> None:
        real(turn)
        pid = turn.session.scalar(text("SELECT pg_backend_pid()"))
        with another(store) as other, other.read() as session:
            session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    bot.group.answer = answer  # type: ignore[assignment]
    try:
        yield
    finally:
        bot.group.answer = real  # type: ignore[assignment]
        store.engine.dispose()


TROUBLES = [(on, trouble) for trouble in (locked, read_only, full, lost_at_commit, answer_lost) for on in BACKENDS]
TROUBLES.append(("postgresql", connections_cut))  # SQLite has no server to lose


@pytest.mark.parametrize(("database", "trouble"), TROUBLES, indirect=["database"])
@pytest.mark.parametrize("size", [1, 8])
def test_an_outage_is_acknowledged_by_nobody(store: Store, trouble: Trouble, size: int) -> None:
    """The platform brings all again, and then each is done, once."""
    accounts = doctors_on(store, size)
    morning = "\n".join(f"义诊 石桥村 {n}人 体检30 宣传120 签约12" for n in range(40, 60))
    messages = [wrote(morning, account) for account in accounts]
    with trouble(store):
        assert commit(store, *messages) == ["refused"] * size
    assert commit(store, *messages) == [""] * size
    assert {len(heard(store, account)) for account in accounts} == {1}
    assert {tuple(drafts_of(store, f"X{n:03}")) for n in range(size)} == {("outreach_clinic",) * 20}


def test_what_waits_behind_a_refused_message_waits_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written later must not be answered first: it would answer the wrong question."""
    real, broken = Writer._commit, sqlite3.OperationalError("database is locked")
    broken.sqlite_errorcode = sqlite3.SQLITE_BUSY  # type: ignore[misc]

    def commit_(self: Writer, jobs: Sequence[Job]) -> Any:
        if len(jobs) == 1 and jobs[0].message and jobs[0].message.text == "随访":
            raise OperationalError("BEGIN", {}, broken)
        return real(self, jobs)

    messages = [wrote("随访"), wrote("坏", WANG), wrote("取消"), wrote("帮助", WANG)]
    with a_bug(monkeypatch), monkeypatch.context() as patch:
        patch.setattr(Writer, "_commit", commit_)
        assert commit(store, *messages) == ["refused", "", "refused", ""]
    assert receive(store, messages[0], messages[2]) == ["", ""]
    assert [said[:4] for said in heard(store)] == ["随访哪一", "现在没有"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_postgresql_picks_a_transaction_to_give_way(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A deadlock is tried again at once; the doctor notices nothing."""
    real, left = bot.group.answer, ["40P01", "40001"]

    def answer(turn: Any) -> None:
        real(turn)
        if left:
            turn.session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'give way' USING ERRCODE = '{left.pop()}'; END $$"))

    monkeypatch.setattr(bot.group, "answer", answer)
    assert commit(store, wrote(LINE)) == [""]
    assert not left and len(heard(store)) == 1 and heard(store)[0].startswith("【高血压随访】")


# Order


def test_each_person_is_answered_in_the_order_they_wrote(store: Store) -> None:
    accounts = doctors_on(store, 6)
    said = [(account, f"第{n}句不知所云") for n in range(25) for account in accounts]
    assert set(receive(store, *(wrote(words, account) for account, words in said))) == {""}
    for account in accounts:
        assert [answer.split("”")[0] for answer in heard(store, account)] == [
            f"没看懂“第{n}句不知所云" for n in range(25)
        ]


def test_a_form_answered_faster_than_we_can_read(store: Store) -> None:
    """All her answers wait in the phone and come at once: still one record, as she meant it."""
    answers = ["张桂兰 152/94", "家访", "无症状", "规律", "78", "提交"]
    assert set(receive(store, *map(wrote, answers))) == {""}
    with store.read() as session:
        (record,) = session.scalars(select(Record))
        given = {name: record.answers[name] for name in ("systolic", "diastolic", "mode", "adherence", "heart_rate")}
    assert given == {"systolic": 152, "diastolic": 94, "mode": 2, "adherence": 1, "heart_rate": 78}
    assert counters_are_right(store)


def test_what_was_written_yesterday_is_about_yesterday(store: Store) -> None:
    """Her phone had no signal, or the bot was down over night."""
    written = NOW - timedelta(hours=20)  # 13:00 the day before
    receive(store, wrote(LINE, sent_at=written))
    assert "2026-11-23" in heard(store)[0]
    receive(store, choose("submit", store))
    receive(store, wrote("昨天 覃凤英 130/80 心率70 规律服药 无症状 家访", sent_at=written))
    receive(store, choose("submit", store))
    receive(store, wrote("王建国 空腹血糖6.5 135/80 规律服药 无症状 家访", sent_at=NOW + timedelta(hours=30)))
    with store.read() as session:
        days = [record.on.isoformat() for record in session.scalars(select(Record).order_by(Record.id))]
        worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        open_now = {draft.answers["on"] for draft in load_conversation(session, worker.id).drafts}
    assert days == ["2026-11-23", "2026-11-22"]
    assert open_now == {"2026-11-24"}, "a phone whose clock is ahead wrote it today"


def test_written_before_midnight_of_the_year(store: Store) -> None:
    new_year = datetime(2026, 12, 31, 16, 20, tzinfo=UTC)  # 00:20 on 1 January in the county
    receive(store, wrote(LINE, sent_at=new_year - timedelta(minutes=40)), at=new_year)
    receive(store, choose("submit", store), at=new_year)
    with store.read() as session:
        assert session.scalars(select(Record.on)).all() == [date(2026, 12, 31)]


def test_a_button_of_a_form_that_is_gone(store: Store) -> None:
    receive(store, wrote(LINE))
    submit, cancel = choose("submit", store), choose("cancel", store)
    receive(store, submit)
    receive(store, replace(submit, event_id="tapped again"), cancel)
    assert count(store, Record) == 1
    assert "不会重复记录" in heard(store)[2] and "不会重复记录" in heard(store)[3]


# Whoever and whatever comes


def test_a_stranger_learns_how_to_be_invited_and_nothing_else(store: Store) -> None:
    for said in ("今日", "张桂兰 152/94", "汇总 托口镇", "/today", "查 张桂兰", "", "你好" * 1000):
        assert receive(store, wrote(said, "99", event_id=said[:20] or "empty")) == [""]
    receive(store, wrote(None, "99", event_id="tap", chosen=("today",)))
    answers = set(heard(store, "99"))
    assert len(heard(store, "99")) == 8 and all("邀请码" in answer for answer in answers)
    assert count(store, Record) == 0


def test_a_stranger_is_bound_and_what_they_wrote_meanwhile_is_a_workers(store: Store) -> None:
    with store.write() as session:
        code = invite(session, session.scalars(select(HealthWorker).where(HealthWorker.code == "V002")).one(), NOW)
        session.commit()
    messages = [wrote("今日", "99"), wrote(f"/start {code}", "99"), wrote("帮助", "99")]
    assert commit(store, *messages) == [""] * 3
    first, bound, helped = heard(store, "99")
    assert "邀请码" in first and "已绑定为村医" in bound and "可以这样用" in helped
    assert receive(store, wrote(f"/start {code}", "100")) == [""]
    assert "已经用过了" in heard(store, "100")[0]


def test_who_has_left_is_a_stranger(store: Store) -> None:
    with store.write() as session:
        session.execute(update(HealthWorker).where(HealthWorker.code == "V001").values(active=False))
        session.commit()
    receive(store, wrote("今日"))
    assert "邀请码" in heard(store)[0]


@pytest.mark.parametrize("is_open", [False, True], ids=["nothing open", "a form open"])
@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ({"text": "字" * 5000}, "这条消息有5000个字,太长了"),
        ({"text": "张桂兰 152/94 家访 \n" * 600}, "太长了"),
        ({"text": ""}, "收到一条空消息"),
        ({"text": " \n\t  "}, "收到一条空消息"),
        ({"file": File("photo", "AgAD1", "photo")}, "照片我还看不懂,没有保存"),
        ({"file": File("sticker", "AgAD2", "sticker")}, "收到表情了"),
        ({"file": File("voice", "AgAD3", "voice")}, "语音我还听不懂"),
        ({"file": File("location", "27.2,109.8", "location")}, "位置不用发"),
        ({"file": File("x.bin", "AgAD4", "other")}, "这种文件我还读不了"),
        ({"text": "👍"}, "没看懂“👍”"),
        ({"text": "'; DROP TABLE residents; --"}, "没看懂"),
        ({"chosen": ("no.such.button",), "context": "gone"}, "以前那张表的"),
    ],
)
def test_whatever_is_sent_gets_a_kind_answer(store: Store, is_open: bool, content: dict[str, Any], answer: str) -> None:
    """And when a form is open, its question is asked again and nothing in it has changed."""
    if is_open:
        receive(store, wrote("张桂兰 152/94"))
    before = heard(store)
    assert receive(store, IncomingMessage("telegram", LI_MEI, "odd", NOW, **content)) == [""]
    (said,) = heard(store)[len(before) :]
    assert answer in said and len(said) < 700
    if is_open:
        assert before[0].splitlines()[-1] in said, "the open question again"
        assert drafts_of(store) == ["hypertension_follow_up"]
    assert LONGEST < 5000 and count(store, Record) == 0


# Beginning and ending


def test_what_waits_when_it_ends_is_finished_and_nothing_is_taken_any_more(store: Store) -> None:
    async def run() -> list[Any]:
        intake = make(store)
        intake.start()
        waiting = [asyncio.ensure_future(intake.receive(wrote(f"{n}"))) for n in range(100)]
        await asyncio.sleep(0)
        await asyncio.to_thread(intake.stop)
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(NotAccepted):
            await intake.receive(wrote("too late"))
        return outcomes

    assert asyncio.run(run()) == [None] * 100
    assert len(heard(store)) == 100


def test_replies_are_given_to_the_sender_after_the_commit_and_only_until_it_ends(store: Store) -> None:
    given: list[tuple[str, int]] = []

    async def run() -> None:
        intake = make(store, replies=lambda rows: given.extend((r["dedup_key"], committed()) for r in rows))
        intake.start()
        await intake.receive(wrote("帮助", event_id="1"))
        await intake.hold_replies()
        await intake.receive(wrote("帮助", event_id="2"))
        await asyncio.to_thread(intake.stop)

    def committed() -> int:
        return count(store, OutboxMessage)

    asyncio.run(run())
    assert given == [("telegram:1:0", 1)]
    with store.read() as session:
        rows = session.execute(select(OutboxMessage.dedup_key, OutboxMessage.status))
        assert dict(rows.all()) == {"telegram:1:0": "leased", "telegram:2:0": "queued"}


def test_a_caller_who_has_gone_does_not_stop_the_writer(store: Store) -> None:
    """A webhook's client hangs up before we are done."""

    async def run() -> None:
        intake = make(store)
        intake.start()
        waiting = asyncio.ensure_future(intake.receive(wrote("1")))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        await intake.receive(wrote("2"))
        await asyncio.to_thread(intake.stop)

    asyncio.run(run())
    assert len(heard(store)) == 2


# What waits for a writer


def lane_of(*jobs: Job | None) -> Lane:
    lane = Lane()
    for job in jobs:
        lane.put(job)
    return lane


def test_how_sends_ended_is_written_before_anything_is_answered() -> None:
    messages = [Job(print, message=wrote(f"{n}")) for n in range(3)]
    works = [Job(print, work=lambda session: None) for _ in range(2)]
    lane = lane_of(messages[0], works[0], messages[1], works[1], messages[2], None)
    assert [lane.next_group(), lane.next_group(), lane.next_group()] == [works, messages, None]


def test_a_slow_machine_commits_smaller_groups() -> None:
    """So that what was sent is never long unwritten; a fast one shares a commit among many."""
    lane = lane_of(*(Job(print, message=wrote(f"{n}")) for n in range(1000)))
    sizes = []
    for _ in range(30):
        group = lane.next_group() or []
        lane.took(group, len(group) * 0.006)
        sizes.append(len(group))
    assert sizes[0] == 8 and sizes[-1] == 5, "of 6 ms each in 30 ms"
    for _ in range(60):
        lane.took([Job(print, message=wrote("x"))], 0.0001)
    assert len(lane.next_group() or []) == GROUP
