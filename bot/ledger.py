"""The outbox as the sender sees it, in a writer's transaction: what is due is leased, and how a send ended is written down.

What *at least once* means. A lease is on the disk before a message leaves, so nothing is lost and nothing is begun twice.
What a crash leaves in doubt is a message that has left and of which "sent" is not yet written:

- killed (`kill -9`, out of memory): from the platform taking the message until the commit after its answer, that is the
  answer's way back and a median of 1 ms on SQLite, 5 ms on PostgreSQL (two busy cores; 99 of 100 within 80 ms);
- the connection breaks, or nothing is answered for LONGEST_SEND: nobody can know whether it arrived;
- power cut: "sent" does not wait for the disk. SQLite's log is brought there each second, PostgreSQL's within three times
  its `wal_writer_delay` (0.6 s by default): what was sent within that time is in doubt, at most 30 messages on Telegram.

What is in doubt is sent again: a doctor rather reads something twice than never. WeCom is told that it is a repetition
and drops it. Telegram has no such word, there it is read twice: one message of a chat, of a long one the part in doubt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select, update
from sqlalchemy.orm import Session, aliased

from bot.channels import Channel, ChannelUnavailable
from bot.endings import write_down
from bot.group import Row
from bot.pacing import Budget
from bot.readiness import AT_ONCE, Readiness, Render
from bot.seat import AT_THE_TERMINAL, SENDERS, Seat
from models.outbox import CLOCKS_APART, LEASE, OutboxMessage, is_open
from models.preferences import QuietHours

BATCH = 50  # leased at once: what takes a platform under two seconds, and a writer's transaction not much of one
STUCK = LEASE.total_seconds() + 30.0  # seconds a lease was seen to stand; its holder has ended or given it back by then
ELSEWHERE = timedelta(minutes=5)  # how long another process may leave a message of its channel lying
LONGEST_QUOTA = timedelta(hours=1, seconds=5)
COMMITTING = 2.0  # seconds that may pass between a send and its being seen in the table by others
CLAIMING = (SENDERS + 1, 0)  # the key of the lock that processes claim under, one after the other

Chat = tuple[str, str]
"""(channel, account)."""


@dataclass(frozen=True, slots=True)
class Leased:
    """What one look at the outbox gave."""

    rows: list[Row]
    more: bool
    """There may be more that is due."""
    behind: frozenset[Chat]
    """Chats in which something said earlier lies in the table: what is said there now has to go behind it."""
    elsewhere: list[tuple[Chat, float, int]]
    """Said since the last look by other processes, or before by this one: where, how many seconds ago, in how many calls."""
    senders: int
    """Processes that send just now, this one included."""


class Ledger:
    """All methods run in a writer's transaction."""

    def __init__(
        self,
        channels: Mapping[str, Channel],
        render: Render,
        *,
        clock: Callable[[], datetime],
        seat: Seat,
        budgets: Mapping[str, Budget],
        tz: tzinfo,
        quiet: QuietHours | None = None,
        only_worker: int | None = None,
    ) -> None:
        self.channels, self.clock, self.seat = channels, clock, seat
        self._tz, self._only_worker = tz, only_worker
        self._readiness = Readiness(channels, render, budgets, tz, quiet)
        self._looks_back = {name for name in channels if budgets.get(name, Budget()).looks_back}
        self._rest_between = {name for name in channels if budgets.get(name, Budget()).per_chat}
        self._looked_at: datetime | None = None
        self._looked = 0.0  # the same by the steady clock
        self._known: set[int] = set()
        self._standing: dict[tuple[int, int, datetime], float] = {}
        """A lease, and since when it was seen, by the steady clock."""

    def free_own_seat(self, session: Session) -> None:
        """Whoever held this seat before is dead: what it had leased is anybody's."""
        before = is_open(), OutboxMessage.leased_by == self.seat.number
        session.execute(update(OutboxMessage).where(*before).values(leased_by=None, leased_until=None))

    def put_right(self, session: Session) -> None:
        """A clock was set back: what was put off by the former time waits as long as it was meant to, from now on."""
        now = self.clock()
        query = select(OutboxMessage).where(is_open(), OutboxMessage.put_off_at > now + CLOCKS_APART)
        for row in session.scalars(query):
            wait = row.not_before - row.put_off_at if row.attempts and row.put_off_at else timedelta()
            row.not_before, row.put_off_at = now + max(wait, timedelta()), now

    def lease(self, session: Session, running: Sequence[str], mine: Collection[str], steady: float) -> Leased:
        """Claim due rows for LEASE, render what is said unasked, pick each worker's account.

        Of a chat in which another process is speaking, or something earlier waits for its next try, nothing is claimed. A
        message that was to go over another process's channel is looked at again when it lies there for ELSEWHERE.
        `mine` are the keys of what is already on its way here, `steady` are seconds of a clock that nobody sets.
        """
        now, alive = self.clock(), self.seat.taken()
        if session.get_bind().dialect.name == "postgresql":  # what one process is just claiming, another cannot see
            session.execute(select(func.pg_advisory_xact_lock(*CLAIMING)))
        stuck = self._stuck(session, alive, mine, steady)
        others = sorted(set(alive) - {self.seat.number})
        due = session.scalars(self._due(now, alive, running, stuck)).all()
        leased: list[Row] = []
        for row in due:
            if row.dedup_key in mine:
                continue
            crashed, fresh = row.status == "leased", row.account is None
            row.status, row.leased_until, row.leased_by = "leased", now + LEASE, self.seat.number
            if self._readiness.ready(session, row, now, running):
                if fresh and others and self._speaks_there(session, row, others, stuck):
                    row.status, row.leased_until, row.leased_by = "queued", None, None
                else:
                    leased.append(_as_row(row, crashed))
        behind, elsewhere = self._behind(session, now, running), self._said_elsewhere(session, now, steady, others)
        return Leased(leased, len(due) == BATCH, behind, elsewhere, sum(seat < AT_THE_TERMINAL for seat in alive))

    def _stuck(self, session: Session, alive: Collection[int], mine: Collection[str], steady: float) -> frozenset[int]:
        """Messages whose lease a living process lets stand too long: it hangs, or has lost them.

        Reckoned from when each was first seen here. Whose clock showed what when it was written means nothing: two
        machines' clocks differ, and one may be set while a message is on its way.
        """
        query = select(OutboxMessage.id, OutboxMessage.leased_by, OutboxMessage.leased_until, OutboxMessage.dedup_key)
        known = is_open(), OutboxMessage.account.is_not(None)  # what is leased has an address, and these have an index
        leases = session.execute(query.where(*known, OutboxMessage.leased_by.in_(sorted(alive))))
        seen = [(row.id, row.leased_by, row.leased_until) for row in leases if row.dedup_key not in mine]
        self._standing = {lease: self._standing.get(lease, steady) for lease in seen}
        return frozenset(lease[0] for lease, since in self._standing.items() if steady - since > STUCK)

    def _due(
        self, now: datetime, alive: Collection[int], running: Sequence[str], stuck: Collection[int]
    ) -> Select[OutboxMessage]:
        free = OutboxMessage.leased_by.is_(None) | OutboxMessage.leased_by.not_in(sorted(alive))
        free |= OutboxMessage.id.in_(sorted(stuck))
        lying = OutboxMessage.reminder.is_not(None) & (OutboxMessage.not_before < now - ELSEWHERE)
        ours = OutboxMessage.channel.is_(None) | OutboxMessage.channel.in_(running)
        forsaken = OutboxMessage.channel.not_in(list(self.channels)) & lying
        query = (
            select(OutboxMessage)
            .where(is_open(), OutboxMessage.not_before <= now, free, ours | forsaken)
            .where(~self._stands_behind(now, alive, stuck))
            .order_by(case((OutboxMessage.kind.in_(AT_ONCE), 0), else_=1), OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True, of=OutboxMessage)
        )
        return query if self._only_worker is None else query.where(OutboxMessage.worker_id == self._only_worker)

    def _stands_behind(self, now: datetime, alive: Collection[int], stuck: Collection[int]) -> ColumnElement[bool]:
        """Another process is speaking in its chat, or something earlier there waits for its next try."""
        earlier = aliased(OutboxMessage)
        others = earlier.leased_by.in_(sorted(set(alive) - {self.seat.number})) & earlier.id.not_in(sorted(stuck))
        same_chat = (earlier.channel == OutboxMessage.channel) & (earlier.account == OutboxMessage.account)
        # a reply without a try was put off until midnight, for lack of room
        unhurried = (earlier.kind == "reply") & (OutboxMessage.kind != "alarm")
        waits = ((earlier.attempts > 0) | unhurried) & (earlier.not_before > now) & (earlier.id < OutboxMessage.id)
        first = select(earlier.id).where(same_chat, is_open(earlier), others | waits)
        return first.exists()

    def _speaks_there(
        self, session: Session, row: OutboxMessage, others: Sequence[int], stuck: Collection[int]
    ) -> bool:
        """What has got its address only now is in a chat in which another process is just speaking."""
        there = OutboxMessage.channel == row.channel, OutboxMessage.account == row.account, is_open()
        theirs = OutboxMessage.leased_by.in_(others), OutboxMessage.id.not_in(sorted(stuck))
        return session.scalar(select(OutboxMessage.id).where(*there, *theirs).limit(1)) is not None

    def _behind(self, session: Session, now: datetime, running: Sequence[str]) -> frozenset[Chat]:
        not_ours = OutboxMessage.leased_by.is_(None) | (OutboxMessage.leased_by != self.seat.number)
        untried = (OutboxMessage.attempts == 0) & (OutboxMessage.kind != "reply")
        only_planned = untried & (OutboxMessage.not_before > now)
        query = (
            select(OutboxMessage.channel, OutboxMessage.account)
            .where(is_open(), OutboxMessage.account.is_not(None), OutboxMessage.channel.in_(running))
            .where(not_ours, ~only_planned)
            .distinct()
        )
        return frozenset((str(channel), str(account)) for channel, account in session.execute(query))

    def _said_elsewhere(
        self, session: Session, now: datetime, steady: float, others: Sequence[int]
    ) -> list[tuple[Chat, float, int]]:
        """What counts against budgets that outlast a process, or are shared with others."""
        channels = self._looks_back | (self._rest_between if others else set())
        if not channels:
            return []
        sent = select(
            OutboxMessage.id,
            OutboxMessage.channel,
            OutboxMessage.account,
            OutboxMessage.sent_at,
            OutboxMessage.parts_sent,
            (OutboxMessage.leased_by == self.seat.number).label("ours"),
        ).where(OutboxMessage.channel.in_(sorted(channels)))
        if self._looked_at is None:
            midnight = datetime.combine(now.astimezone(self._tz).date(), time(), self._tz)
            since = min(midnight, now - LONGEST_QUOTA) - CLOCKS_APART
        else:  # others may have been about to commit when we looked last, and their clocks may be slow
            since = min(self._looked_at, now) - CLOCKS_APART
            sent = sent.where(OutboxMessage.leased_by.is_distinct_from(self.seat.number))
        rows = session.execute(sent.where(OutboxMessage.sent_at > since)).all()
        longest = steady - self._looked + COMMITTING if self._looked_at else math.inf
        self._looked_at, self._looked, known = now, steady, self._known
        self._known = {row.id for row in rows}
        return [
            ((row.channel, row.account), min(_ago(row, now), longest), row.parts_sent)
            for row in rows
            if row.id not in known
        ]

    def write_down(self, session: Session, results: Sequence[Row]) -> None:
        """How sends ended."""
        write_down(session, results, seat=self.seat.number, now=self.clock(), readdress=self._readdress)

    def _readdress(self, session: Session, row: OutboxMessage, now: datetime) -> bool:
        return self._readiness.addressed(session, row, now, list(self.channels))


def _ago(row: Any, now: datetime) -> float:
    """Seconds since something was sent, or fewer: another machine's clock may be slow."""
    seconds: float = (now - row.sent_at).total_seconds() - (0.0 if row.ours else CLOCKS_APART.total_seconds())
    return max(seconds, 0.0)


def _as_row(row: OutboxMessage, crashed: bool) -> Row:
    """What a send needs. `again`: an earlier try may have gone out, by a crash or an answer that never came."""
    lost = (row.reason or "").startswith(ChannelUnavailable.__name__)
    return {
        "dedup_key": row.dedup_key,
        "kind": row.kind,
        "channel": row.channel,
        "account": row.account,
        "message": row.message,
        "planned_at": row.planned_at,
        "leased_until": row.leased_until,
        "attempts": row.attempts + (1 if crashed else 0),
        "parts_sent": row.parts_sent,
        "again": crashed or lost,
    }
