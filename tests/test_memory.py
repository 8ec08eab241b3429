"""What a writer remembers from one message to the next is never older than the database, whoever changed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, event, select, update
from sqlalchemy.orm import Session

from bot.intake import Intake
from bot.lanes import Job
from bot.memory import Memory
from models.base import Store
from models.enrolment import Enrolment
from models.message import IncomingMessage
from models.outbox import OutboxMessage
from models.people import ChannelAccount, HealthWorker, Resident
from models.record import Record
from models.recount import recount
from models.seed import seed
from tests.databases import BACKENDS, fresh_store

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 24)
ME = "7"
LINE = "张桂兰 152/94 心率78 规律服药 无症状 家访"


class Writes:
    """A doctor who writes to a program that goes on running."""

    def __init__(self, store: Store) -> None:
        self.store, self.number = store, 0
        self.intake = Intake(store, clock=lambda: NOW, tz=ZoneInfo("Asia/Shanghai"), settings={})

    def __call__(self, said: str, account: str = ME) -> str:
        """Write; returns the last thing said to that account."""
        self.number += 1
        failed: list[BaseException] = []
        message = IncomingMessage("telegram", account, f"{id(self)}.{self.number}", NOW, text=said)
        self._do(Job(lambda _, error: failed.append(error) if error else None, message=message))
        assert not failed
        with self.store.read() as session:
            newest = select(OutboxMessage).where(OutboxMessage.account == account).order_by(OutboxMessage.id.desc())
            row = session.scalars(newest).first()
            return str((row.message or {})["text"]) if row else ""

    def work(self, work: Callable[[Session], Any], *, may_be_lost: bool = False) -> None:
        self._do(Job(lambda _, error: None, work=work, may_be_lost=may_be_lost))

    def _do(self, job: Job) -> None:
        self.intake.writers[0].commit_group([job])


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        with store.write() as session:
            seed(session, TODAY, NOW, residents=30, doctors=3, history=False)
            worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
            session.add(ChannelAccount(channel="telegram", account=ME, worker_id=worker.id, bound_at=NOW))
            session.commit()
        yield store


@pytest.fixture
def write(store: Store) -> Iterator[Writes]:
    writes = Writes(store)
    yield writes
    writes.intake.writers[0].memory.forget()


@contextmanager
def another(store: Store) -> Iterator[Store]:
    """The same database, as another process has it open."""
    other = Store(store.engine.url.render_as_string(hide_password=False), store.keyring)
    yield other
    other.close()


def elsewhere(store: Store, statement: Any) -> None:
    """Another process does this."""
    with another(store) as other, other.write() as session:
        session.execute(statement)
        session.commit()


def here(write: Writes, statement: Any) -> None:
    """The same writer does this, for somebody else."""
    write.work(lambda session: session.execute(statement), may_be_lost=True)


def counters_are_right(store: Store) -> bool:
    with store.write() as session:
        return list(recount(session)) == []


CHANGES: dict[str, tuple[Any, str, str]] = {
    "who has left": (update(HealthWorker).where(HealthWorker.code == "V001").values(active=False), "今日", "邀请码"),
    "an account taken away": (delete(ChannelAccount).where(ChannelAccount.account == ME), "今日", "邀请码"),
    "a village taken away": (
        update(HealthWorker).where(HealthWorker.code == "V001").values(villages=[]),
        "查 张桂兰",
        "没",
    ),
    "a death": (
        update(Resident).where(Resident.name == "张桂兰").values(status="died", status_on=date(2026, 1, 1)),
        "提交",
        "死亡",
    ),
}


@pytest.mark.parametrize("where", ["elsewhere", "here"])
@pytest.mark.parametrize(("statement", "said", "answer"), CHANGES.values(), ids=CHANGES)
def test_what_others_change_counts_for_the_next_message(
    store: Store, write: Writes, where: str, statement: Any, said: str, answer: str
) -> None:
    assert "张桂兰" in write(LINE)
    here(write, statement) if where == "here" else elsewhere(store, statement)
    assert answer in write(said)


def test_a_conversation_goes_on_in_another_process_and_back(store: Store, write: Writes) -> None:
    write("张桂兰 152/94")
    with another(store) as other:
        there = Writes(other)
        assert "症状" in there("家访")
        assert "症状" not in write("无症状").split("\n")[0]
        there("规律")
        write("78")
        assert "已记录" in there("提交")
        there.intake.writers[0].memory.forget()
    with store.read() as session:
        assert session.scalars(select(Record.service)).all() == ["hypertension_follow_up"]
    assert counters_are_right(store)


def test_a_failed_message_leaves_nothing_remembered(
    store: Store, write: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its answering had changed in memory was never committed."""
    write("张桂兰 152/94")
    with monkeypatch.context() as patch:
        patch.setattr("bot.group.Group.save", lambda group: 1 / 0)
        assert "没有记下来" in write("取消")
    assert "张桂兰\ue001:这次是怎么随访的" in write("心率78"), "the form is still open"


def test_records_made_one_after_the_other_see_each_other(store: Store, write: Writes) -> None:
    write(LINE)
    assert "已记录" in write("提交")
    assert "已有一条同样的记录" in write(LINE.replace("152/94", "126/76"))
    write("提交")
    with store.read() as session:
        kept = session.scalars(select(Record).order_by(Record.id)).all()
        enrolled = session.scalars(select(Enrolment).where(Enrolment.resident_id == kept[0].resident_id)).all()
        due = {e.next_due_on for e in enrolled if e.programme == "hypertension"}
        assert due == {kept[1].next_due_on} and kept[0].next_due_on != kept[1].next_due_on
    assert counters_are_right(store)


def test_nobody_is_looked_up_twice_while_nobody_else_writes(store: Store, write: Writes) -> None:
    """On SQLite; a PostgreSQL is shared, and asked every time."""
    asked: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda c, cursor, sql, *_: asked.append(sql))
    write("张桂兰 152/94")
    write("家访")
    asked.clear()
    write("无症状")
    found = [sql for sql in asked if "FROM channel_accounts" in sql or "FROM residents" in sql]
    assert (found == []) == store.is_sqlite


def test_what_is_remembered_does_not_grow_for_ever(
    store: Store, write: Writes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.memory.MOST", 0)
    write("张桂兰 152/94")
    memory: Memory = write.intake.writers[0].memory
    assert memory.people == {} and "随访" in write("心率78")
