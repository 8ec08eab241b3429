"""The kill test: `python -m tests.crash --kills 200`. Prints what it found as JSON; exits with 1 when a promise was broken.

`cunyi run` on SQLite under a stream of messages from twenty people, killed with SIGKILL again and again: while it
starts, at any time, right after messages came in, and right while replies go out. Telegram (an emulator) brings again
what was not acknowledged. In the end every acknowledged message must be recorded exactly once, every reply be queued
exactly once, and the counters be right. How many replies a person saw twice (a crash between sending and recording) is
counted: Telegram takes no message ids from us, so that number can be made small, but not nought.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import select

from models import migrate
from models.base import Store
from models.message import OutgoingMessage
from models.outbox import OutboxMessage, ReceivedEvent
from models.people import ChannelAccount, HealthWorker, Organisation
from models.record import Record
from models.recount import recount
from models.secrets import Keyring
from models.seed import seed
from tests.databases import SECRET
from tests.platforms.telegram_server import TelegramServer
from tests.program import Program, environment

PEOPLE = 20
AHEAD = 4  # messages a person writes before the bot has taken the first of them
MOMENTS = ("starting", "any", "receiving", "sending")
OFTEN = (1, 3, 3, 3)
STARTS_IN = 60.0  # seconds; a machine that is busy with other things takes long
DRAINS_IN = 150.0


@dataclass
class Report:
    """What was done and what was found. `broken` names each promise that was not kept; it has to be empty."""

    kills: dict[str, int] = field(default_factory=dict)
    messages: int = 0
    records: int = 0
    replies: int = 0
    seen_twice: dict[str, int] = field(default_factory=dict)
    """Replies that had gone out and were not written down at a kill, so that they went out again, by its moment."""
    seconds: float = 0.0
    broken: list[str] = field(default_factory=list)


@dataclass
class Person:
    """A village doctor at a phone: a line for a clinic, 提交, the next line, without waiting for answers."""

    account: int
    worker_id: int
    village: str
    said: list[str] = field(default_factory=list)

    def write(self, telegram: TelegramServer) -> None:
        clinic = len(self.said) // 2
        line = f"义诊 {self.village} {20 + clinic % 400}人 体检{clinic % 20} 宣传120 签约12"
        self.said.append("提交" if len(self.said) % 2 else line)
        telegram.user_sends(self.account, self.said[-1])


def crash(kills: int, folder: Path, *, number: int = 1, drain: bool = True, way_back: float = 0.0) -> Report:
    """Kill the program so many times; `drain` waits until every reply has gone out, to count those seen twice."""
    report, begun, rng = Report(), time.monotonic(), random.Random(number)
    url = f"sqlite:///{folder}/cunyi.db"
    with opened(url) as store, TelegramServer() as telegram:
        telegram.way_back = way_back
        people = furnish(store)
        settings = {"CUNYI_TELEGRAM__TOKEN": telegram.token, "CUNYI_TELEGRAM__BASE_URL": telegram.url}
        program = Program(environment(url, **settings), folder)
        twice, moments = Twice(folder, telegram, people), Counter[str]()
        for _ in range(kills):
            moment = rng.choices(MOMENTS, OFTEN)[0]
            moments[moment] += 1
            program.start()
            try:
                wait_for(moment, program, telegram, people, rng)
            finally:
                program.kill()
            twice.note(moment)
        report.kills, report.seen_twice = dict(moments), dict(twice.by_moment)
        finish(program, telegram, people, store, drain=drain)
        if drain:
            before = twice.total
            twice.note("afterwards")
            expect(report, twice.total == before, f"nothing is sent twice but by a kill ({twice.total - before} were)")
        examine(report, store, telegram, people, drain=drain)
    report.seconds = round(time.monotonic() - begun, 1)
    return report


def furnish(store: Store) -> list[Person]:
    """An empty database becomes a county of twenty doctors, each with a phone."""
    migrate.upgrade(store)
    now = datetime.now(UTC)
    with store.write() as session:
        seed(session, now.date(), now, residents=PEOPLE * 5, doctors=PEOPLE, history=False)
        doctors = session.scalars(select(HealthWorker).where(HealthWorker.role == "doctor").order_by(HealthWorker.id))
        people = [
            Person(1000 + worker.id, worker.id, session.get_one(Organisation, worker.villages[0]).name)
            for worker in doctors
        ]
        for person in people:
            account = str(person.account)
            session.add(ChannelAccount(channel="telegram", account=account, worker_id=person.worker_id, bound_at=now))
        session.commit()
    return people


def wait_for(moment: str, program: Program, telegram: TelegramServer, people: list[Person], rng: random.Random) -> None:
    """Return at the moment of the next kill; people write all the while."""
    speak(telegram, people, rng)
    if moment == "starting":
        time.sleep(rng.uniform(0, 1.5))
        return
    program.ready(STARTS_IN)
    speak(telegram, people, rng)
    if moment == "any":
        until = time.monotonic() + rng.uniform(0, 1.5)
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
            speak(telegram, people, rng)
        return
    if moment == "receiving":
        telegram.wait_until(lambda: telegram.polled, STARTS_IN)
        speak(telegram, people, rng, everybody=True)
    else:
        said = telegram.calls["sendmessage"] + rng.randrange(1, 10)
        telegram.wait_until(lambda: telegram.calls["sendmessage"] >= said, STARTS_IN)
    time.sleep(rng.uniform(0, 0.03))


def speak(telegram: TelegramServer, people: list[Person], rng: random.Random, *, everybody: bool = False) -> None:
    """Some of them write, who have not written far ahead of the bot."""
    waiting = Counter(update["message"]["from"]["id"] for update in telegram.pending)
    for person in people:
        if waiting[person.account] < AHEAD and (everybody or rng.random() < 0.4):
            person.write(telegram)


def finish(program: Program, telegram: TelegramServer, people: list[Person], store: Store, *, drain: bool) -> None:
    """One last run that nobody kills: what is waiting is taken in, and what was promised goes out."""
    for person in people:
        if len(person.said) % 2:
            person.write(telegram)
    program.start()
    try:
        program.ready(STARTS_IN)
        telegram.wait_until(lambda: not telegram.unconfirmed, STARTS_IN)
        if drain:
            deadline = time.monotonic() + DRAINS_IN + len(telegram.confirmed) / PEOPLE
            while open_replies(store) and time.monotonic() < deadline:
                time.sleep(0.5)
    finally:
        program.stop()


def open_replies(store: Store) -> int:
    with store.read() as session:
        open_ = select(OutboxMessage.id).where(OutboxMessage.status.in_(("queued", "leased")))
        return len(session.scalars(open_.where(OutboxMessage.kind == "reply")).all())


class Twice:
    """Counts the messages people got and we do not know of: each of them will be sent again, so will be seen twice."""

    def __init__(self, folder: Path, telegram: TelegramServer, people: list[Person]) -> None:
        self._folder, self._telegram, self._people = folder, telegram, people
        self.by_moment: Counter[str] = Counter()
        self._surplus = 0

    def note(self, moment: str) -> None:
        """A kill has just happened. What was shown above what is written down grew by what this one left in doubt."""
        shown = sum(len(self._telegram.chat(person.account)) for person in self._people)
        surplus = shown - self._written_down()
        self.by_moment[moment] += surplus - self._surplus
        self._surplus = surplus

    @property
    def total(self) -> int:
        return self._surplus

    def _written_down(self) -> int:
        """From a copy: the file itself is for the program alone to repair."""
        with tempfile.TemporaryDirectory(dir=self._folder) as aside:
            for name in ("cunyi.db", "cunyi.db-wal"):
                if (self._folder / name).exists():
                    shutil.copy(self._folder / name, aside)
            with closing(sqlite3.connect(Path(aside) / "cunyi.db")) as copy:
                (sent,) = copy.execute("SELECT count(*) FROM outbox WHERE status = 'sent'").fetchone()
                return int(sent)


def examine(report: Report, store: Store, telegram: TelegramServer, people: list[Person], *, drain: bool) -> None:
    """Hold what is in the database against what Telegram was told is done."""
    updates = telegram.confirmed
    report.messages = len(updates)
    sent = Counter(update["message"]["from"]["id"] for update in updates)
    expect(report, all(sent[p.account] == len(p.said) for p in people), "every message was acknowledged in the end")
    with store.read() as session:
        events = set(session.scalars(select(ReceivedEvent.event_id)))
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "reply")).all()
        records = session.execute(select(Record.worker_id, Record.answers).where(Record.service == "outreach_clinic"))
        held = Counter((worker, answers["attendances"]) for worker, answers in records)
    report.replies, report.records = len(rows), held.total()
    keys = [row.dedup_key for row in rows]
    expect(report, events == {f"u{update['update_id']}" for update in updates}, "every event is known, and no other")
    expect(
        report, sorted(keys) == sorted(f"telegram:u{u['update_id']}:0" for u in updates), "one reply to each message"
    )
    texts = {row.dedup_key: (row.message or {}).get("text", "") for row in rows}
    wrong = [u for u in updates if not fits(u["message"]["text"], texts.get(f"telegram:u{u['update_id']}:0", ""))]
    expect(report, not wrong, f"every reply answers its message ({len(wrong)} do not)")
    meant = Counter((p.worker_id, 20 + clinic % 400) for p in people for clinic in range(len(p.said) // 2))
    expect(report, held == meant, f"every clinic is recorded once (lost {meant - held}, twice {held - meant})")
    with store.write() as session:
        expect(report, list(recount(session)) == [], "the counters agree with the records")
    with closing(sqlite3.connect(store.engine.url.database or "")) as connection:
        expect(report, connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the file is whole")
    if drain:
        expect(report, {row.status for row in rows} == {"sent"}, "every reply was sent")
        expect(report, not out_of_order(rows, telegram, people), "everybody read the replies in their order")


def fits(said: str, answered: str) -> bool:
    if said == "提交":
        return answered.startswith("✅ 已记录")
    return "义诊" in answered and said.split()[2].removesuffix("人") in answered


def out_of_order(rows: Any, telegram: TelegramServer, people: list[Person]) -> list[int]:
    """Accounts that read something before what had been promised earlier; what came twice may come late."""
    wrong = []
    for person in people:
        own = [row for row in sorted(rows, key=lambda row: row.id) if row.account == str(person.account)]
        promised = [OutgoingMessage.from_json(row.message or {}).for_reader(abroad=True).text for row in own]
        seen = [message.text for message in telegram.chat(person.account) if message.text in set(promised)]
        if [text for text, _ in groupby(seen)] != promised:
            wrong.append(person.account)
    return wrong


def expect(report: Report, kept: bool, promise: str) -> None:
    if not kept:
        report.broken.append(promise)


@contextmanager
def opened(url: str) -> Iterator[Store]:
    store = Store(url, Keyring(SECRET))
    try:
        yield store
    finally:
        store.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="the same number kills at the same moments, nearly")
    parser.add_argument("--way-back", type=float, default=0.0, help="seconds Telegram's answers take to reach us")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cunyi-crash-") as folder:
        report = crash(chosen.kills, Path(folder), number=chosen.seed, way_back=chosen.way_back)
    print(json.dumps(asdict(report), ensure_ascii=False))
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
