"""All of a day's messages into the outbox, for as many doctors as a province has: once each, however often it is planned."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from benchmarks.county import NOW, TODAY
from benchmarks.row import Row, rate_row
from bot.config import Settings
from models.base import Store
from models.message import OutgoingMessage
from models.outbox import OutboxMessage
from models.people import HealthWorker, Organisation, Role
from reminders.entry import daily, plan
from reminders.reminder import Context, Reminder
from tests.databases import BACKENDS, fresh_store

DOCTORS = 30_500  # a hundred counties of 305
ROUNDS = 3
GOALS = {"sqlite": 15.0, "postgresql": 7.0}
TITLES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
TZ = Settings().tz


def measure(*, quick: bool = False) -> list[Row]:
    doctors = 500 if quick else DOCTORS
    rows = []
    for backend in BACKENDS:
        with fresh_store(backend) as store:
            _settle(store, doctors)
            ours, orm = (statistics.median(rates) for rates in _race(store, doctors))
        name = f"planning a day's messages, {TITLES[backend]}"
        rows.append(rate_row(name, ours, orm, "ORM add_all", at_least=GOALS[backend], unit="messages/s"))
    return rows


def _race(store: Store, doctors: int) -> tuple[list[float], list[float]]:
    ours, orm = [], []
    for _ in range(ROUNDS):
        ours.append(doctors / _seconds(store, _plan, doctors))
        orm.append(doctors / _seconds(store, _add_all, doctors))
    return ours, orm


def _seconds(store: Store, work: Callable[[Session, int], None], doctors: int) -> float:
    """How long until they are committed; the table is empty before and after."""
    with store.write() as session:
        begin = time.perf_counter()
        work(session, doctors)
        session.commit()
        took = time.perf_counter() - begin
        if session.scalar(select(func.count()).select_from(OutboxMessage)) != doctors:
            raise RuntimeError("not every doctor has a message")
        session.execute(delete(OutboxMessage))
        session.commit()
    return took


def _settle(store: Store, doctors: int) -> None:
    with store.write() as session:
        session.execute(insert(Organisation), [{"code": "1", "name": "省", "level": "county", "path": "/1/"}])
        session.execute(
            insert(HealthWorker),
            [
                {"code": f"V{n}", "name": "村医", "role": Role.DOCTOR, "organisation_id": 1, "villages": [n]}
                for n in range(doctors)
            ],
        )
        session.commit()


def _nothing(context: Context) -> OutgoingMessage:
    return OutgoingMessage("")


def _plan(session: Session, doctors: int) -> None:
    digest = Reminder(
        code="morning_digest", title="今日随访提醒", words=_nothing, audience=lambda session, day: range(1, doctors + 1)
    )
    plan(session, daily("07:30", digest, window=timedelta(hours=5)), TODAY, tz=TZ, now=NOW)


def _add_all(session: Session, doctors: int) -> None:
    session.add_all(
        [
            OutboxMessage(
                dedup_key=f"morning_digest:{worker}:{TODAY}",
                kind="morning_digest",
                worker_id=worker,
                reminder="morning_digest",
                arguments={"day": TODAY.isoformat()},
                planned_at=NOW,
                not_before=NOW,
                expires_at=NOW + timedelta(hours=5),
            )
            for worker in range(1, doctors + 1)
        ]
    )
