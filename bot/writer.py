"""A thread that commits what waits in its lane: messages as a group, or, when anything fails, each alone (promise 1)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog
from sqlalchemy.orm import Session

from bot.channels import NotAccepted
from bot.group import County, Group, Row
from bot.lanes import Job, Lane
from bot.memory import Memory
from bot.outages import is_contention, is_outage
from models.message import IncomingMessage, OutgoingMessage
from models.outbox import say

log = structlog.get_logger()

TRIES = 3  # of a message alone, when only others' locks were in its way
SORRY = OutgoingMessage("刚才那条没有记下来,请再发一次。还不行的话,请告诉公卫科。")
Outcome = tuple[Job, BaseException | None]


@dataclass
class Replies:
    """Where replies go right after the commit: leased to `seat`, or, without `take`, to whoever leases them."""

    take: Callable[[list[Row]], None] | None = None
    seat: int = 0


@dataclass
class Said:
    """What one transaction said, and who takes it from here."""

    rows: list[Row] = field(default_factory=list)
    take: Callable[[list[Row]], None] | None = None


class Writer:
    """`tell` brings what happened back to those who wait, in their own thread."""

    def __init__(
        self, county: County, replies: Replies, tell: Callable[[Callable[[], None]], None], *, name: str = "writer"
    ) -> None:
        self.county, self.replies, self.tell = county, replies, tell
        self.lane = Lane()
        self.memory = Memory(county.store)
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    def _run(self) -> None:
        while (jobs := self.lane.next_group()) is not None:
            begun = time.perf_counter()
            try:
                self.commit_group(jobs)
            except Exception as error:  # without its writer the program would stand there and answer nobody
                log.exception("writer_failed")
                self._tell([(job, NotAccepted(type(error).__name__)) for job in jobs])
            self.lane.took(jobs, time.perf_counter() - begun)
        self.memory.forget()

    def commit_group(self, jobs: Sequence[Job]) -> bool:
        """Commit all, or, when anything fails, each alone, so that one bad message costs the others nothing.

        Trouble of the database's own is nobody's fault: then none is acknowledged, and the platforms bring all again.
        Returns whether all were written down.
        """
        tries = TRIES if len(jobs) == 1 else 1
        while True:
            tries -= 1
            try:
                said = self._commit(jobs)
            except Exception as error:
                if tries and is_contention(error):
                    continue
                return self._not_committed(jobs, error)
            self._tell([(job, None) for job in jobs], said)
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

    def _commit(self, jobs: Sequence[Job]) -> Said:
        """One transaction. A lane gives either messages or work; where both come together, nothing is remembered."""
        said = Said(take=self.replies.take)
        messages = [job.message for job in jobs if job.message is not None]
        if not messages:
            with self.memory.work(may_be_lost=all(job.may_be_lost for job in jobs)) as session:
                self._prepare(session, said)
                for job in jobs:
                    job.do(session)
            return said
        with self.memory.messages() as session:
            self._prepare(session, said)
            group = Group(self.county, session, self.county.clock(), self.memory.people)
            fresh = group.fresh(messages)
            group.load(fresh)
            for job in jobs:
                job.do(session)
                if job.message in fresh:
                    fresh.remove(job.message)
                    group.answer(job.message)
            group.save()
        if len(messages) < len(jobs):
            self.memory.forget()
        said.rows = group.replies
        return said

    def _prepare(self, session: Session, said: Said) -> None:
        session.info["seat"] = self.replies.seat if said.take is not None else None

    def _failed(self, job: Job, error: Exception) -> bool:
        """What fails alone: trouble of the database's own is not acknowledged, ours is told to the doctor.

        Returns whether the message is dealt with.
        """
        if job.message is None or is_outage(error) or is_contention(error):
            self._refuse(job, error)
            return False
        log.exception("message_failed", channel=job.message.channel, event_id=job.message.event_id)
        try:
            said = self._apologise(job.message)
        except Exception as second:
            self._refuse(job, second)
            return False
        self._tell([(job, None)], said)
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

    def _apologise(self, message: IncomingMessage) -> Said:
        said = Said(take=self.replies.take)
        with self.memory.messages() as session:
            self._prepare(session, said)
            group = Group(self.county, session, self.county.clock(), self.memory.people)
            if group.fresh([message]):
                key = f"{message.channel}:{message.event_id}:sorry"
                row = say(
                    session, SORRY, dedup_key=key, now=group.now, channel=message.channel, account=message.account
                )
                said.rows = [row] if row["status"] == "leased" else []
        return said

    def _tell(self, outcomes: Sequence[Outcome], said: Said | None = None) -> None:
        def told() -> None:
            if said and said.rows and said.take:
                said.take(said.rows)
            for job, error in outcomes:
                job.done(job.result, error)

        self.tell(told)
