"""A message arrives: one transaction (promise 1).

Channels hand messages over with `receive`, which returns after the commit. Writer threads drain what is waiting and
commit it as a group: that is how a commit can be durable and still be shared. On SQLite there is one writer; on
PostgreSQL several, each person always with the same one, and the person's row locked against other processes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

import structlog
from sqlalchemy import select, tuple_
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm import Session

from bot.channels import NotAccepted
from handlers import binding
from handlers.answer import answer
from handlers.turn import Turn
from models.base import Store
from models.conversation import Conversation, ConversationRow, open_conversation, seal_conversation
from models.message import IncomingMessage, OutgoingMessage
from models.outbox import ReceivedEvent, insert_for, say
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from models.scope import Scope

log = structlog.get_logger()

GROUP = 64  # messages that may share one commit
HEARD_EVERY = timedelta(hours=1)  # how exactly we know which channel a worker used last
SORRY = OutgoingMessage("刚才那条没有记下来,请再发一次。还不行的话,请告诉公卫科。")
Row = dict[str, Any]


@dataclass(slots=True)
class Job:
    """Something for a writer thread: a message to answer, or work to do within its next commit."""

    done: Callable[[Any, BaseException | None], None]
    message: IncomingMessage | None = None
    work: Callable[[Session], Any] | None = None
    result: Any = None


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


class Intake:
    """Takes messages in. `replies` is called in the event loop, after the commit, with the rows to send right away."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        tz: tzinfo,
        settings: Mapping[str, Any],
        replies: Callable[[list[Row]], None] | None = None,
        lanes: int | None = None,
    ) -> None:
        self.store, self.clock, self.tz, self.settings, self.replies = store, clock, tz, settings, replies
        count = 1 if store.is_sqlite else (lanes or 4)
        self._queues: list[queue.SimpleQueue[Job | None]] = [queue.SimpleQueue() for _ in range(count)]
        self._threads = [
            threading.Thread(target=self._write, args=(q,), name=f"writer-{n}", daemon=True)
            for n, q in enumerate(self._queues)
        ]
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Start the writers; call within the event loop that channels run in, if there is one."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is waiting, then end the writers."""
        for q in self._queues:
            q.put(None)
        for thread in self._threads:
            thread.join(timeout=30)

    async def receive(self, message: IncomingMessage) -> None:
        """Answer a message. Returns after the commit; raises NotAccepted when it could not be committed."""
        await self._hand_over(Job(_ignore, message=message), message.account)

    async def run(self, work: Callable[[Session], Any], key: str = "") -> Any:
        """Do other work in a writer's next commit, and return its result."""
        return await self._hand_over(Job(_ignore, work=work), key)

    def _hand_over(self, job: Job, key: str) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()

        def done(result: Any, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        job.done = done
        self._queues[zlib.crc32(key.encode()) % len(self._queues)].put(job)
        return future

    # ---- in a writer thread --------------------------------------------------------------------------------------

    def _write(self, q: queue.SimpleQueue[Job | None]) -> None:
        while (job := q.get()) is not None:
            jobs, last = [job], False
            while len(jobs) < GROUP and not q.empty():
                another = q.get()
                if another is None:
                    last = True
                    break
                jobs.append(another)
            self.commit_group(jobs)
            if last:
                return

    def commit_group(self, jobs: Sequence[Job]) -> None:
        """Commit all, or, when anything fails, each alone, so that one bad message costs the others nothing."""
        try:
            replies = self._commit(jobs)
        except Exception as error:
            if len(jobs) > 1:
                log.warning("group_failed", size=len(jobs), error=type(error).__name__)
                for job in jobs:
                    self.commit_group([job])
                return
            self._failed(jobs[0], error)
            return
        self._tell([(job, None) for job in jobs], replies)

    def _commit(self, jobs: Sequence[Job]) -> list[Row]:
        with self.store.write() as session:
            session.info["sends_replies"] = self.replies is not None
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
            replies = [row for row in session.info.get("said", ()) if row["status"] == "leased"]
            session.commit()
        return replies

    def _fresh(self, session: Session, messages: list[IncomingMessage], now: datetime) -> list[IncomingMessage]:
        """The messages not seen before; their event ids are written down in the same transaction."""
        if not messages:
            return []
        rows = {(m.channel, m.event_id): {"channel": m.channel, "event_id": m.event_id, "at": now} for m in messages}
        insert = insert_for(session.get_bind().dialect)
        statement = insert(ReceivedEvent.__table__).on_conflict_do_nothing()
        new = set(
            session.execute(
                statement.returning(ReceivedEvent.channel, ReceivedEvent.event_id), [rows[k] for k in sorted(rows)]
            ).all()
        )
        fresh: dict[tuple[str, str], IncomingMessage] = {}
        for message in messages:
            if (message.channel, message.event_id) in new:
                fresh.setdefault((message.channel, message.event_id), message)
        return list(fresh.values())

    def _load(self, group: Group, messages: Iterable[IncomingMessage]) -> None:
        """Everybody who speaks in this group, with conversation and scope, in one query."""
        wanted = sorted({(m.channel, m.account) for m in messages})
        if not wanted:
            return
        query = (
            select(ChannelAccount, HealthWorker, Organisation.path, ConversationRow.sealed)
            .join(HealthWorker, HealthWorker.id == ChannelAccount.worker_id)
            .join(Organisation, Organisation.id == HealthWorker.organisation_id)
            .outerjoin(ConversationRow, ConversationRow.worker_id == HealthWorker.id)
            .where(tuple_(ChannelAccount.channel, ChannelAccount.account).in_(wanted), HealthWorker.active)
            .order_by(HealthWorker.id)
            .with_for_update(key_share=True, of=HealthWorker)
        )
        people: dict[int, Person] = {}
        for account, worker, path, sealed in group.session.execute(query):
            person = people.get(worker.id)
            if person is None:
                villages = tuple(worker.villages) if worker.role == Role.DOCTOR else None
                scope = Scope(worker.organisation_id, path, villages, names=worker.role != Role.COUNTY)
                person = people[worker.id] = Person(worker, scope, open_conversation(sealed, self.store.keyring))
            group.people[account.channel, account.account] = person
            if account.last_heard_at is None or group.now - account.last_heard_at > HEARD_EVERY:
                account.last_heard_at, account.unreachable_why = group.now, None

    def _answer(self, group: Group, message: IncomingMessage) -> None:
        person = group.people.get((message.channel, message.account))
        if person is None:
            replies = binding.answer_stranger(group.session, message, group.now)
            worker_id = None
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
            say(
                group.session,
                reply,
                dedup_key=f"{message.channel}:{message.event_id}:{number}",
                now=group.now,
                worker_id=worker_id,
                channel=message.channel,
                account=message.account,
            )

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
        insert = insert_for(group.session.get_bind().dialect)
        upsert = insert(ConversationRow.__table__)
        upsert = upsert.on_conflict_do_update(
            index_elements=["worker_id"],
            set_={"sealed": upsert.excluded.sealed, "updated_at": upsert.excluded.updated_at},
        )
        group.session.execute(upsert, rows)

    def _failed(self, job: Job, error: Exception) -> None:
        """A message that fails alone: the database's trouble is not acknowledged, our own is told to the doctor."""
        if job.message is None:
            self._tell([(job, error)], [])
            return
        ids = {"channel": job.message.channel, "event": job.message.event_id}
        if isinstance(error, (OperationalError, InterfaceError)) or (
            isinstance(error, DBAPIError) and error.connection_invalidated
        ):
            log.error("not_committed", error=type(error).__name__, **ids)
            self._tell([(job, NotAccepted(type(error).__name__))], [])
            return
        log.exception("message_failed", **ids)
        try:
            replies = self._apologise(job.message)
        except Exception as second:
            log.error("not_committed", error=type(second).__name__, **ids)
            self._tell([(job, NotAccepted(type(second).__name__))], [])
            return
        self._tell([(job, None)], replies)

    def _apologise(self, message: IncomingMessage) -> list[Row]:
        with self.store.write() as session:
            session.info["sends_replies"] = self.replies is not None
            now = self.clock()
            if self._fresh(session, [message], now):
                key = f"{message.channel}:{message.event_id}:sorry"
                say(session, SORRY, dedup_key=key, now=now, channel=message.channel, account=message.account)
            replies = [row for row in session.info.get("said", ()) if row["status"] == "leased"]
            session.commit()
        return replies

    def _tell(self, outcomes: list[tuple[Job, BaseException | None]], replies: list[Row]) -> None:
        def in_loop() -> None:
            if replies and self.replies:
                self.replies(replies)
            for job, error in outcomes:
                job.done(job.result, error)

        if self._loop is None:
            in_loop()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(in_loop)


def _ignore(result: Any, error: BaseException | None) -> None:
    return None
