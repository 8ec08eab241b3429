"""A message arrives: one transaction (promise 1).

Channels hand messages over with `receive`, which returns after the commit. Writer threads drain what is waiting and
commit it as a group: that is how a commit can be durable and still be shared. On SQLite there is one writer; on
PostgreSQL several, each person always with the same one, and the person's row locked against other processes.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import structlog
from sqlalchemy import Dialect, Insert, Select, bindparam, select, tuple_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from bot.channels import NotAccepted
from handlers import binding
from handlers.answer import answer
from handlers.turn import Turn
from models.base import Store
from models.charts import charts_of
from models.conversation import Conversation, ConversationRow, open_conversation, seal_conversation
from models.message import IncomingMessage, OutgoingMessage
from models.outbox import ReceivedEvent, insert_for, say
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from models.prepared import Prepared
from models.scope import Scope

log = structlog.get_logger()

GROUP = 64  # messages that may share one commit
GROUP_TIME = 0.03  # seconds a group may take; so long what the sender has to write down may have to wait for it
TRIES = 3  # of a message alone, when only others' locks were in its way
HEARD_EVERY = timedelta(hours=1)  # how exactly we know which channel a worker used last
SORRY = OutgoingMessage("刚才那条没有记下来,请再发一次。还不行的话,请告诉公卫科。")
Row = dict[str, Any]
Replies = Callable[[list[Row]], None]

SQLITE_OUTAGES = frozenset(
    [
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM,
    ]
)  # fmt: skip
POSTGRESQL_OUTAGES = ("08", "25006", "53", "55P03", "57", "58", "XX")
"""SQLSTATE: connection, read-only, resources, lock not available, operator, system, internal."""


@dataclass(slots=True)
class Job:
    """Something for a writer thread: a message to answer, or work to do within its next commit."""

    done: Callable[[Any, BaseException | None], None]
    message: IncomingMessage | None = None
    work: Callable[[Session], Any] | None = None
    may_be_lost: bool = False
    result: Any = None


class Lane:
    """What waits for one writer. Work (how sends ended) goes before messages and alone: what was said and is not yet
    written down would be said again after a crash.
    """

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._works: deque[Job] = deque()
        self._messages: deque[Job] = deque()
        self._ending = False
        self._seconds = GROUP_TIME / 8  # a message takes, about; until we know better, on a slow machine

    def put(self, job: Job | None) -> None:
        """From any thread; None when it was the last."""
        self._arrived.put(job)

    def next_group(self) -> list[Job] | None:
        """What to commit now, waiting until there is something; None when it is over."""
        while True:
            if not (self._works or self._messages or self._ending):
                self._sort(self._arrived.get())
            while not self._arrived.empty():
                self._sort(self._arrived.get())
            if self._works or self._messages:
                break
            if self._ending:
                return None
        waiting, most = (self._works, GROUP) if self._works else (self._messages, self._most())
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def took(self, jobs: Sequence[Job], seconds: float) -> None:
        """How long a group took says how large the next may be."""
        if jobs and jobs[0].message is not None:
            self._seconds += (seconds / len(jobs) - self._seconds) / 8

    def _most(self) -> int:
        return max(1, min(GROUP, round(GROUP_TIME / max(self._seconds, 1e-6))))

    def _sort(self, job: Job | None) -> None:
        if job is None:
            self._ending = True
        else:
            (self._messages if job.work is None else self._works).append(job)


@dataclass(slots=True)
class Person:
    """The worker behind an account, with the conversation as it moves through a group."""

    worker: HealthWorker
    scope: Scope
    conversation: Conversation
    touched: bool = False


@dataclass(slots=True)
class Group:
    """The messages of one transaction."""

    session: Session
    now: datetime
    people: dict[tuple[str, str], Person] = field(default_factory=dict)
    replies: list[Row] = field(default_factory=list)  # born leased to us: to be sent right after the commit


class Intake:
    """Takes messages in. `replies` is called in the event loop, after the commit, with the rows to send right away; they
    are leased to `seat`.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        tz: tzinfo,
        settings: Mapping[str, Any],
        replies: Replies | None = None,
        seat: int = 0,
        lanes: int | None = None,
    ) -> None:
        self.store, self.clock, self.tz, self.settings, self.replies = store, clock, tz, settings, replies
        self.seat = seat
        count = 1 if store.is_sqlite else (lanes or 4)
        self._lanes = [Lane() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._write, args=(lane,), name=f"writer-{n}", daemon=True)
            for n, lane in enumerate(self._lanes)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the writers; call within the event loop that channels run in, if there is one."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        for thread in self._threads:
            thread.start()

    async def hold_replies(self) -> None:
        """The sender is about to stop: once this returns, it is given no more replies; they wait in the outbox."""
        self.replies = None
        if not self._stopped and self._loop is not None:
            await asyncio.gather(*(self._put(Job(_ignore, work=lambda session: None), lane) for lane in self._lanes))

    def stop(self) -> None:
        """Finish what is waiting, then end the writers."""
        self._stopped = True
        for lane in self._lanes:
            lane.put(None)
        for thread in self._threads:
            thread.join(timeout=30)

    async def receive(self, message: IncomingMessage) -> None:
        """Answer a message. Returns after the commit; raises NotAccepted when it could not be committed."""
        await self._hand_over(Job(_ignore, message=message), message.account)

    async def run(self, work: Callable[[Session], Any], key: str = "", *, may_be_lost: bool = False) -> Any:
        """Do other work in a writer's next commit, and return its result.

        `may_be_lost`: it need not wait for the disk, unless it shares the commit with what must (`Store.write`).
        """
        return await self._hand_over(Job(_ignore, work=work, may_be_lost=may_be_lost), key)

    def _hand_over(self, job: Job, key: str) -> asyncio.Future[Any]:
        if self._stopped:
            raise NotAccepted("the program is ending")
        return self._put(job, self._lanes[zlib.crc32(key.encode()) % len(self._lanes)])

    def _put(self, job: Job, lane: Lane) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: BaseException | None) -> None:
            if future.done():  # nobody waits any longer, or it was told already
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        job.done = done
        lane.put(job)
        return future

    # ---- in a writer thread --------------------------------------------------------------------------------------

    def _write(self, lane: Lane) -> None:
        while (jobs := lane.next_group()) is not None:
            begun = time.perf_counter()
            try:
                if jobs:
                    self.commit_group(jobs)
            except Exception as error:  # without its writer the program would stand there and answer nobody
                log.exception("writer_failed")
                self._tell([(job, NotAccepted(type(error).__name__)) for job in jobs])
            lane.took(jobs, time.perf_counter() - begun)

    def commit_group(self, jobs: Sequence[Job]) -> bool:
        """Commit all, or, when anything fails, each alone, so that one bad message costs the others nothing.

        Trouble of the database's own is nobody's fault: then none is acknowledged, and the platforms bring all again.
        Returns whether all were written down.
        """
        tries = TRIES if len(jobs) == 1 else 1
        while True:
            tries -= 1
            try:
                replies, said = self._commit(jobs)
            except Exception as error:
                if tries and is_contention(error):
                    continue
                return self._not_committed(jobs, error)
            self._tell([(job, None) for job in jobs], replies, said)
            return True

    def _not_committed(self, jobs: Sequence[Job], error: Exception) -> bool:
        if len(jobs) == 1:
            return self._failed(jobs[0], error)
        if is_outage(error):
            for job in jobs:
                self._refuse(job, error)
            return False
        log.warning("group_failed", size=len(jobs), error=type(error).__name__)
        refused: set[tuple[str, str]] = set()
        for job in jobs:
            chat = (job.message.channel, job.message.account) if job.message else ("", "")
            if chat in refused:  # what they wrote after it must not be answered ahead of it
                self._refuse(job, error)
            elif not self.commit_group([job]) and job.message:
                refused.add(chat)
        return not refused

    def _commit(self, jobs: Sequence[Job]) -> tuple[Replies | None, list[Row]]:
        replies = self.replies
        with self.store.write(may_be_lost=all(job.may_be_lost for job in jobs)) as session:
            session.info["seat"] = self.seat if replies is not None else None
            now = self.clock()
            fresh = self._fresh(session, [job.message for job in jobs if job.message is not None], now)
            group = Group(session, now)
            self._load(group, fresh)
            for job in jobs:
                if job.work is not None:
                    job.result = job.work(session)
                elif job.message is not None and job.message in fresh:
                    fresh.remove(job.message)
                    self._answer(group, job.message)
            self._save(group)
            session.commit()
        return replies, group.replies

    def _fresh(self, session: Session, messages: list[IncomingMessage], now: datetime) -> list[IncomingMessage]:
        """The messages not seen before; their event ids are written down in the same transaction."""
        if not messages:
            return []
        rows = {(m.channel, m.event_id): {"channel": m.channel, "event_id": m.event_id, "at": now} for m in messages}
        new = {key for key in sorted(rows) if _NOTED.first(session, **rows[key])}
        fresh: dict[tuple[str, str], IncomingMessage] = {}
        for message in messages:
            if (message.channel, message.event_id) in new:
                fresh.setdefault((message.channel, message.event_id), message)
        return list(fresh.values())

    def _load(self, group: Group, messages: Iterable[IncomingMessage]) -> None:
        """Everybody who speaks in this group, with conversation and scope, in one query.

        Other processes wait for their rows to be free. The lock is a statement of its own: what a statement reads is as
        it was when the statement began, and by the time the lock is ours their conversations may have moved on.
        """
        wanted = sorted({(m.channel, m.account) for m in messages})
        if not wanted:
            return
        if not self.store.is_sqlite:
            group.session.execute(_LOCK, {"accounts": wanted})
        people: dict[int, Person] = {}
        for account, worker, path, sealed in group.session.execute(_PEOPLE, {"accounts": wanted}):
            person = people.get(worker.id)
            if person is None:
                villages = tuple(worker.villages) if worker.role == Role.DOCTOR else None
                scope = Scope(worker.organisation_id, path, villages, names=worker.role != Role.COUNTY)
                person = people[worker.id] = Person(worker, scope, open_conversation(sealed, self.store.keyring))
            group.people[account.channel, account.account] = person
            silent = account.last_heard_at is None or group.now - account.last_heard_at > HEARD_EVERY
            if silent or account.unreachable_why is not None:
                account.last_heard_at, account.unreachable_why = group.now, None
        drafts = (draft for person in people.values() for draft in person.conversation.drafts)
        charts_of(group.session).fetch(draft.resident_id for draft in drafts if draft.resident_id is not None)

    def _answer(self, group: Group, message: IncomingMessage) -> None:
        person = group.people.get((message.channel, message.account))
        if person is None:
            replies, worker_id = binding.answer_stranger(group.session, message, group.now), None
            self._load(group, [message])  # bound by now, perhaps: what else they wrote is a worker's
        else:
            turn = Turn(
                session=group.session,
                now=group.now,
                tz=self.tz,
                worker=person.worker,
                scope=person.scope,
                conversation=person.conversation,
                incoming=message,
                settings=self.settings,
            )
            answer(turn)
            replies, worker_id, person.touched = turn.replies, person.worker.id, True
        for number, reply in enumerate(replies):
            if number == 0 and reply.many and message.chosen and message.message_ref:
                reply = replace(reply, replaces=message.message_ref)
            row = say(
                group.session,
                reply,
                dedup_key=f"{message.channel}:{message.event_id}:{number}",
                now=group.now,
                worker_id=worker_id,
                channel=message.channel,
                account=message.account,
            )
            if row["status"] == "leased":
                group.replies.append(row)

    def _save(self, group: Group) -> None:
        people = {p.worker.id: p for p in group.people.values() if p.touched}
        if not people:
            return
        rows = [
            {
                "worker_id": worker_id,
                "sealed": seal_conversation(p.conversation, self.store.keyring),
                "updated_at": group.now,
            }
            for worker_id, p in sorted(people.items())
        ]
        _KEPT.each(group.session, rows)

    def _failed(self, job: Job, error: Exception) -> bool:
        """What fails alone: trouble of the database's own is not acknowledged, ours is told to the doctor.

        Returns whether the message is dealt with.
        """
        if job.message is None or is_outage(error) or is_contention(error):
            self._refuse(job, error)
            return False
        log.exception("message_failed", channel=job.message.channel, event_id=job.message.event_id)
        try:
            replies, said = self._apologise(job.message)
        except Exception as second:
            self._refuse(job, second)
            return False
        self._tell([(job, None)], replies, said)
        return True

    def _refuse(self, job: Job, error: Exception) -> None:
        """Nothing was written down: the platform must bring it again."""
        if job.message is None:
            self._tell([(job, error)])
            return
        log.error(
            "not_committed",
            channel=job.message.channel,
            event_id=job.message.event_id,
            error=type(error).__name__,
        )
        self._tell([(job, NotAccepted(type(error).__name__))])

    def _apologise(self, message: IncomingMessage) -> tuple[Replies | None, list[Row]]:
        replies, said = self.replies, []
        with self.store.write() as session:
            session.info["seat"] = self.seat if replies is not None else None
            now = self.clock()
            if self._fresh(session, [message], now):
                key = f"{message.channel}:{message.event_id}:sorry"
                row = say(session, SORRY, dedup_key=key, now=now, channel=message.channel, account=message.account)
                said = [row] if row["status"] == "leased" else []
            session.commit()
        return replies, said

    def _tell(
        self, outcomes: list[tuple[Job, BaseException | None]], replies: Replies | None = None, said: Sequence[Row] = ()
    ) -> None:
        def in_loop() -> None:
            if said and replies:
                replies(list(said))
            for job, error in outcomes:
                job.done(job.result, error)

        if self._loop is None:
            in_loop()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(in_loop)


def is_outage(error: Exception) -> bool:
    """Is the database itself in trouble (locked, full, gone, read-only), so that no other message would fare better?"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    code, state = _codes(error)
    if code is not None:
        return code in SQLITE_OUTAGES
    if state is not None:
        return state.startswith(POSTGRESQL_OUTAGES)
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def is_contention(error: Exception) -> bool:
    """Did PostgreSQL pick this transaction to give way, in a deadlock or a conflict? Then it can be tried again."""
    return isinstance(error, DBAPIError) and (_codes(error)[1] or "").startswith("40")


def _codes(error: DBAPIError) -> tuple[int | None, str | None]:
    """(SQLite's primary error code, PostgreSQL's SQLSTATE); both None where the connection itself was lost."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return (None if code is None else code & 0xFF), getattr(error.orig, "sqlstate", None)


def _note(dialect: Dialect) -> Insert:
    """Write an event down; returns it unless it was seen before."""
    return insert_for(dialect)(ReceivedEvent).on_conflict_do_nothing().returning(ReceivedEvent.event_id)


def _keep(dialect: Dialect) -> Insert:
    """Keep a conversation as it is now."""
    insert = insert_for(dialect)(ConversationRow)
    now = {"sealed": insert.excluded.sealed, "updated_at": insert.excluded.updated_at}
    return insert.on_conflict_do_update(index_elements=["worker_id"], set_=now)


_NOTED = Prepared(_note)
_KEPT = Prepared(_keep)


def _of_accounts(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The active workers behind some accounts, always in one order, so that two processes never wait for each other."""
    account = tuple_(ChannelAccount.channel, ChannelAccount.account)
    return (
        query.join(HealthWorker, HealthWorker.id == ChannelAccount.worker_id)
        .where(account.in_(bindparam("accounts", expanding=True)), HealthWorker.active)
        .order_by(HealthWorker.id)
    )


_LOCK = _of_accounts(select(HealthWorker.id).select_from(ChannelAccount)).with_for_update(
    key_share=True, of=HealthWorker
)
_PEOPLE = (
    _of_accounts(select(ChannelAccount, HealthWorker, Organisation.path, ConversationRow.sealed))
    .join(Organisation, Organisation.id == HealthWorker.organisation_id)
    .outerjoin(ConversationRow, ConversationRow.worker_id == HealthWorker.id)
)


def _ignore(result: Any, error: BaseException | None) -> None:
    return None
