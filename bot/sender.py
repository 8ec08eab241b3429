"""What is due goes out: leased, paced, sent, and every ending written down as one of five outcomes (promise 4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from bot.channels import (
    Channel,
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    RateLimited,
    RecipientUnreachable,
    SendError,
    fit,
)
from bot.intake import Intake, Row
from bot.pacing import BUDGETS, Budget, Pacer
from models.message import OutgoingMessage
from models.outbox import LEASE, OutboxMessage
from models.people import ChannelAccount, HealthWorker
from reminders.reminder import Gone

log = structlog.get_logger()

BATCH = 200
GIVE_UP_AFTER = timedelta(hours=24)
LONGEST_BACKOFF = 300.0
MISCONFIGURED_PAUSE = 300.0
ELSEWHERE = timedelta(minutes=5)
LAST_RESORT = "console"
OUTBOX = OutboxMessage.__table__


class Render(Protocol):
    """Words of something said unasked, at the moment it goes out. Raises Gone."""

    def __call__(
        self, session: Session, reminder: str, arguments: Mapping[str, Any], worker: HealthWorker, now: datetime
    ) -> OutgoingMessage: ...


class Sender:
    """Sends outbox rows over the channels that run. Replies come straight from the intake, the rest by polling."""

    def __init__(
        self,
        intake: Intake,
        channels: Mapping[str, Channel],
        render: Render,
        *,
        clock: Callable[[], datetime],
        budgets: Mapping[str, Budget] = BUDGETS,
        poll_every: float = 1.0,
        only_worker: int | None = None,
    ) -> None:
        self._only_worker = only_worker
        self.intake, self.channels, self.render, self.clock, self.poll_every = (
            intake,
            channels,
            render,
            clock,
            poll_every,
        )
        self._budgets = budgets
        self._pacers: dict[str, Pacer] = {}
        self._chats: dict[tuple[str, str], deque[Row]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Row] = []
        self._flushing: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._stopping = False

    async def run(self) -> None:
        """Lease and send what is due until stopped."""
        while not self._stopping:
            self._wake.clear()
            more = await self.send_due()
            if not more:
                try:
                    await asyncio.wait_for(self._wake.wait(), timeout=self.poll_every)
                except TimeoutError:
                    continue

    async def stop(self) -> None:
        """Let what is on its way finish, and write its outcome down."""
        self._stopping = True
        self._wake.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=10)
        await self.flush()

    def wake(self) -> None:
        """Look for due rows now (the clock was moved, a reminder was planned)."""
        self._wake.set()

    async def send_due(self) -> bool:
        """Lease what is due and put it on its way; true when there may be more."""
        try:
            rows: list[Row] = await self.intake.run(self._lease, key="sender")
        except Exception as error:
            log.error("lease_failed", error=type(error).__name__)
            return False
        self.take(rows)
        return len(rows) >= BATCH

    async def settle(self) -> None:
        """Wait until everything taken is sent and written down (tests, the simulator)."""
        while self._tasks or self._results or self._flushing:
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self.flush()

    def take(self, rows: list[Row]) -> None:
        """Put leased rows on their way, in order within each chat."""
        for row in rows:
            chat = (row["channel"], row["account"])
            waiting = self._chats.get(chat)
            if waiting is not None:
                waiting.append(row)
                continue
            self._chats[chat] = deque([row])
            task = asyncio.get_running_loop().create_task(self._serve(chat))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, chat: tuple[str, str]) -> None:
        waiting = self._chats[chat]
        try:
            while waiting:
                await self._send(waiting.popleft())
        finally:
            del self._chats[chat]

    async def _send(self, row: Row) -> None:
        channel = self.channels.get(row["channel"])
        if channel is None:
            self._note(row, "queued", f"channel {row['channel']} is not running", delay=MISCONFIGURED_PAUSE)
            return
        pacer = self._pacers.setdefault(
            row["channel"], Pacer(self._budgets.get(row["channel"], Budget()), asyncio.get_running_loop().time)
        )
        parts = fit(OutgoingMessage.from_json(row["message"]), channel.limits)
        try:
            for number in range(row["parts_sent"], len(parts)):
                await pacer.wait(row["account"])
                key = row["dedup_key"] if len(parts) == 1 else f"{row['dedup_key']}:{number}"
                row["platform_ref"] = await channel.send(
                    row["account"], parts[number], key=key, again=row["attempts"] > 0
                )
                row["parts_sent"] = number + 1
        except SendError as error:
            self._ended_badly(row, error, pacer)
        except Exception as error:  # an adapter's bug must not stop the others
            log.exception("adapter_failed", channel=row["channel"], key=row["dedup_key"])
            self._ended_badly(row, ChannelUnavailable(type(error).__name__), pacer)
        else:
            self._note(row, "sent", None)

    def _ended_badly(self, row: Row, error: SendError, pacer: Pacer) -> None:
        """One outcome, one way to go on."""
        reason = f"{type(error).__name__}: {error}"[:400]
        match error:
            case RateLimited():
                pacer.pause(error.retry_after)
                self._note(row, "queued", reason, delay=error.retry_after)
            case RecipientUnreachable():
                self._note(row, "unreachable", reason)
            case MessageRejected():
                self._note(row, "failed", reason)
            case ChannelMisconfigured():
                log.error("channel_misconfigured", channel=row["channel"], reason=str(error))
                pacer.pause(MISCONFIGURED_PAUSE)
                self._note(row, "queued", reason, delay=MISCONFIGURED_PAUSE)
            case _:
                self._note(row, "queued", reason, delay=min(LONGEST_BACKOFF, 2.0 ** (row["attempts"] + 1)))
        log.warning("send_failed", channel=row["channel"], key=row["dedup_key"], outcome=type(error).__name__)

    def _note(self, row: Row, status: str, reason: str | None, delay: float = 0.0) -> None:
        """Remember an outcome; outcomes of many sends share one commit."""
        row |= {"outcome": status, "why": reason, "retry_in": delay}
        self._results.append(row)
        if self._flushing is None:
            self._flushing = asyncio.get_running_loop().create_task(self.flush())

    async def flush(self) -> None:
        """Write the outcomes that are known down."""
        await asyncio.sleep(0)
        results, self._results = self._results, []
        if results:
            try:
                await self.intake.run(lambda session: self._write_down(session, results), key="sender")
            except Exception as error:  # the leases run out and the rows are sent again
                log.error("outcomes_not_written", count=len(results), error=type(error).__name__)
        self._flushing = asyncio.get_running_loop().create_task(self.flush()) if self._results else None

    # ---- in a writer thread --------------------------------------------------------------------------------------

    def _lease(self, session: Session) -> list[Row]:
        """Claim due rows for LEASE, render what is said unasked, pick each worker's account."""
        now = self.clock()
        free = OutboxMessage.leased_until.is_(None) | (OutboxMessage.leased_until < now)
        query = (
            select(OutboxMessage)
            .where(OutboxMessage.status.in_(("queued", "leased")), OutboxMessage.not_before <= now, free)
            .where(OutboxMessage.channel.is_(None) | OutboxMessage.channel.in_(list(self.channels)))
            .order_by(OutboxMessage.not_before, OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        if self._only_worker is not None:
            query = query.where(OutboxMessage.worker_id == self._only_worker)
        leased: list[Row] = []
        for row in session.scalars(query):
            crashed = row.status == "leased"
            row.leased_until = now + LEASE
            row.status = "leased"
            if self._ready(session, row, now):
                leased.append(_as_row(row, crashed))
        return leased

    def _ready(self, session: Session, row: OutboxMessage, now: datetime) -> bool:
        """True when the row has words and an address; otherwise its ending is set here."""
        if row.expires_at is not None and now > row.expires_at:
            return _end(row, "cancelled", "its window passed before it could be sent")
        if now - row.not_before > GIVE_UP_AFTER and row.attempts:
            return _end(row, "failed", f"gave up after {row.attempts} tries: {row.reason or ''}")
        if row.account is None and not self._pick_account(session, row):
            return False
        if row.reminder is not None:
            worker = session.get_one(HealthWorker, row.worker_id)
            try:
                row.message = self.render(session, row.reminder, row.arguments or {}, worker, now).to_json()
            except Gone as why:
                return _end(row, "cancelled", str(why))
            except Exception as error:
                log.exception("render_failed", reminder=row.reminder, key=row.dedup_key)
                return _end(row, "failed", f"could not be rendered: {type(error).__name__}")
        return True

    def _pick_account(self, session: Session, row: OutboxMessage) -> bool:
        """The reachable account the worker was last heard on. The terminal is used only by who has nothing else."""
        accounts = session.scalars(
            select(ChannelAccount)
            .where(ChannelAccount.worker_id == row.worker_id)
            .order_by(ChannelAccount.last_heard_at.desc(), ChannelAccount.id)
        ).all()
        reachable = [account for account in accounts if account.unreachable_why is None]
        reachable = [account for account in reachable if account.channel != LAST_RESORT] or reachable
        here = [account for account in reachable if account.channel in self.channels]
        if here:
            row.channel, row.account = here[0].channel, here[0].account
            return True
        if reachable and reachable[0].channel != LAST_RESORT:  # another process runs that channel
            row.status, row.leased_until, row.not_before = "queued", None, self.clock() + ELSEWHERE
            return False
        why = f"unreachable: {accounts[0].unreachable_why}" if accounts and not reachable else "no account bound"
        return _end(row, "failed", why)

    def _write_down(self, session: Session, results: list[Row]) -> None:
        now = self.clock()
        sent = [r for r in results if r["outcome"] == "sent"]
        if sent:
            statement = (
                update(OUTBOX)
                .where(OUTBOX.c.dedup_key == bindparam("key"))
                .values(
                    status="sent",
                    sent_at=now,
                    leased_until=None,
                    platform_ref=bindparam("ref"),
                    attempts=bindparam("tries"),
                    parts_sent=bindparam("parts"),
                )
            )
            session.execute(
                statement,
                [
                    {
                        "key": r["dedup_key"],
                        "ref": r.get("platform_ref"),
                        "tries": r["attempts"] + 1,
                        "parts": r["parts_sent"],
                    }
                    for r in sent
                ],
            )
        for result in results:
            if result["outcome"] != "sent":
                self._write_trouble(session, result, now)

    def _write_trouble(self, session: Session, result: Row, now: datetime) -> None:
        row = session.scalar(select(OutboxMessage).where(OutboxMessage.dedup_key == result["dedup_key"]))
        if row is None or row.status not in ("queued", "leased"):
            return
        row.attempts, row.parts_sent = result["attempts"] + 1, result["parts_sent"]
        row.reason, row.leased_until = result["why"], None
        if result["outcome"] == "failed":
            row.status = "failed"
        elif result["outcome"] == "unreachable":
            self._other_channel(session, row, now)
        else:
            row.status = "queued"
            row.not_before = now + timedelta(seconds=result["retry_in"])

    def _other_channel(self, session: Session, row: OutboxMessage, now: datetime) -> None:
        """The account is marked, and the message falls back to the worker's other channel, if there is one."""
        reason = (row.reason or "")[:200]
        for account in session.scalars(
            select(ChannelAccount).where(ChannelAccount.channel == row.channel, ChannelAccount.account == row.account)
        ):
            account.unreachable_why = reason
        session.flush()
        row.channel = row.account = None
        row.parts_sent = 0
        row.status, row.not_before = "queued", now
        if row.worker_id is None:
            _end(row, "failed", reason)
        elif not self._pick_account(session, row) and row.status == "failed":
            row.reason = reason


def _end(row: OutboxMessage, status: str, reason: str) -> bool:
    row.status, row.reason, row.leased_until = status, reason[:400], None
    return False


def _platform_key(row: Row, part: int) -> str:
    """Unique for the platform too: it remembers keys longer than a database that was built anew does."""
    return f"{row['dedup_key']}@{row['planned_at'].timestamp():.0f}.{part}"


def _as_row(row: OutboxMessage, crashed: bool) -> Row:
    return {
        "dedup_key": row.dedup_key,
        "channel": row.channel,
        "account": row.account,
        "message": row.message,
        "planned_at": row.planned_at,
        "attempts": row.attempts + (1 if crashed else 0),
        "parts_sent": row.parts_sent,
    }
