"""What is due goes out: leased, paced, sent, and every ending written down as one of five outcomes (promise 4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, cast

import structlog
from sqlalchemy import Table, bindparam, case, select, update
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
from models.outbox import LEASE, OPEN, OutboxMessage, is_open
from models.people import ChannelAccount, HealthWorker
from reminders.reminder import Gone

log = structlog.get_logger()

BATCH = 50  # leased at once: what takes a platform under two seconds, and a writer's transaction not much of one
LONGEST_SEND = 40.0  # seconds; nothing is begun that could outlast its lease, or another sender would say it too
LONGEST_BACKOFF = 300.0
GIVE_UP_AFTER, MOST_TRIES = timedelta(hours=24), 300  # at five minutes from one to the next, about the same
MISCONFIGURED_PAUSE = 300.0
STOP_WITHIN = 10.0  # seconds for what is on its way when the program ends
ELSEWHERE = timedelta(minutes=5)  # how long another process may leave a message of its channel lying
HELD = 5.0  # seconds after which nobody waits any longer for messages that should have been leased again
LAST_RESORT = "console"
AT_ONCE = ("reply", "alarm")  # kinds that go before what the timetable says
OUTBOX = cast(Table, OutboxMessage.__table__)

Chat = tuple[str, str]
"""(channel, account)."""


class Render(Protocol):
    """Words of something said unasked, at the moment it goes out. Raises Gone."""

    def __call__(
        self, session: Session, reminder: str, arguments: Mapping[str, Any], worker: HealthWorker, now: datetime
    ) -> OutgoingMessage: ...


class Sender:
    """Sends outbox rows over the channels that run. Replies come straight from the intake, the rest by polling.

    Within a chat one message goes after the other. When one has to wait (a pause, a backoff), it goes back to the
    table with all that stand behind it, and so does whatever is said in that chat until they are leased again.
    """

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
        self.intake, self.channels, self.render, self.clock = intake, channels, render, clock
        self.poll_every = poll_every
        self._only_worker = only_worker
        self._budgets = budgets
        self._pacers: dict[str, Pacer] = {}
        self._chats: dict[Chat, deque[Row]] = {}
        self._held: dict[Chat, tuple[float, datetime | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Row] = []
        self._writing: asyncio.Task[None] | None = None
        self._wake, self._room, self._stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self) -> None:
        """Lease and send what is due until stopped."""
        while not self._stopping.is_set():
            self._wake.clear()
            if not await self.send_due():
                try:
                    await asyncio.wait_for(self._wake.wait(), timeout=self.poll_every)
                except TimeoutError:
                    continue

    async def stop(self) -> None:
        """Let what is on its way arrive, and write its outcome down; the rest goes back to the table at once."""
        self._stopping.set()
        self._wake.set()
        self._room.set()
        for pacer in self._pacers.values():
            pacer.close()
        await self.intake.hold_replies()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN)
        await self.flush()

    def wake(self) -> None:
        """Look for due rows now (the clock was moved, a reminder was planned)."""
        self._wake.set()

    async def send_due(self) -> bool:
        """Lease what is due and put it on its way; true when there may be more."""
        while len(self._chats) > BATCH and not self._stopping.is_set():  # leased is promised: only what can go soon
            self._room.clear()
            await self._room.wait()
        if self._stopping.is_set():
            return False
        running = [name for name in self.channels if self._pacer(name).paused_until <= self._loop_time()]
        try:
            rows, more = await self.intake.run(lambda session: self._lease(session, running), key="sender")
        except Exception as error:
            log.error("lease_failed", error=type(error).__name__)
            return False
        for row in rows:
            self._held.pop((row["channel"], row["account"]), None)
            self._put(row)
        return bool(more)

    async def settle(self) -> None:
        """Wait until everything taken is sent and written down (tests, the simulator)."""
        while self._tasks or self._results or self._writing:
            if self._tasks:
                await asyncio.wait(self._tasks)
            await self.flush()

    def take(self, rows: Iterable[Row]) -> None:
        """Put replies on their way, each behind what is being said in its chat."""
        for row in rows:
            chat = row["channel"], row["account"]
            until, not_before = self._held.get(chat, (0.0, None))
            if self._stopping.is_set() or (chat not in self._chats and until > self._loop_time()):
                self._give_back(row, not_before)
            else:
                self._put(row)

    def _put(self, row: Row) -> None:
        chat = row["channel"], row["account"]
        if row["channel"] not in self.channels:
            self._give_back(row)
            return
        if chat in self._chats:
            self._chats[chat].append(row)
            return
        self._chats[chat] = deque([row])
        task = asyncio.get_running_loop().create_task(self._serve(chat))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, chat: Chat) -> None:
        waiting = self._chats[chat]
        try:
            while waiting and await self._send(waiting[0]):
                waiting.popleft()
        finally:
            del self._chats[chat]
            self._room.set()

    async def _send(self, row: Row) -> bool:
        """Send one row and note how it ended; False when it has to wait, and with it all that stand behind it."""
        channel, pacer = self.channels[row["channel"]], self._pacer(row["channel"])
        first = row["parts_sent"]
        try:
            parts = fit(OutgoingMessage.from_json(row["message"]), channel.limits)
            for number in range(first, len(parts)):
                if not await pacer.wait(row["account"], rank=row["kind"] not in AT_ONCE, within=self._time_for(row)):
                    self._hold(row, None, tried=False)
                    return False
                again = number == first and row.get("again", False)
                try:
                    async with asyncio.timeout(LONGEST_SEND):
                        row["platform_ref"] = await channel.send(
                            row["account"], parts[number], key=_platform_key(row, number), again=again
                        )
                finally:
                    pacer.rest(row["account"])
                row["parts_sent"] = number + 1
        except SendError as error:
            return self._ended_badly(row, error, pacer)
        except TimeoutError:
            return self._ended_badly(row, ChannelUnavailable(f"no answer within {LONGEST_SEND:g} s"), pacer)
        except Exception as error:  # an adapter's bug must not stop the others
            log.exception("adapter_failed", channel=row["channel"], key=row["dedup_key"])
            return self._ended_badly(row, ChannelUnavailable(type(error).__name__), pacer)
        self._note(row, "sent")
        return True

    def _ended_badly(self, row: Row, error: SendError, pacer: Pacer) -> bool:
        """One outcome, one way to go on. True when the next message of the chat may follow."""
        row["reason"] = _storable(f"{type(error).__name__}: {error}", 400)
        log.warning("send_failed", channel=row["channel"], key=row["dedup_key"], outcome=type(error).__name__)
        match error:
            case RateLimited():
                pacer.limited(row["account"], error.retry_after)
                self._hold(row, error.retry_after)
            case RecipientUnreachable():
                self._note(row, "unreachable")
                return True
            case MessageRejected():
                self._note(row, "failed")
                return True
            case ChannelMisconfigured():
                log.error("channel_misconfigured", channel=row["channel"], reason=str(error))
                pacer.pause(MISCONFIGURED_PAUSE)
                self._hold(row, None)
            case _:
                self._hold(row, min(LONGEST_BACKOFF, 2.0 ** min(row["attempts"] + 1, 9)))
        return False

    def _hold(self, row: Row, seconds: float | None, *, tried: bool = True) -> None:
        """A message has to wait, for so long or until its channel runs again; what stands behind it stays behind it."""
        chat = row["channel"], row["account"]
        at = self.clock() + timedelta(seconds=seconds) if seconds else None
        self._give_back(row, at, tried=tried)
        for later in list(self._chats[chat])[1:]:
            self._give_back(later, at)
        now = self._loop_time()
        pause = max(seconds or 0.0, self._pacer(row["channel"]).paused_until - now)
        self._held = {c: held for c, held in self._held.items() if held[0] > now}
        self._held[chat] = now + pause + HELD, at
        asyncio.get_running_loop().call_later(pause + 0.001, self.wake)

    def _give_back(self, row: Row, not_before: datetime | None = None, *, tried: bool = False) -> None:
        self._note(row | {"retry_at": not_before}, "again" if tried else "back")

    def _note(self, row: Row, outcome: str) -> None:
        """Remember an outcome; outcomes of many sends share one commit."""
        self._results.append(row | {"outcome": outcome})
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def flush(self) -> None:
        """Return when the outcomes known by now are written down."""
        while self._writing is not None:
            await asyncio.wait({self._writing})

    async def _write(self) -> None:
        """Write outcomes down as they come. The database's trouble passes; till then nothing is leased either."""
        try:
            while self._results:
                await asyncio.sleep(0)
                results, self._results = self._results, []
                try:
                    await self.intake.run(partial(self._write_down, results=results), key="sender")
                except Exception as error:
                    log.error("outcomes_not_written", count=len(results), error=type(error).__name__)
                    if self._stopping.is_set():  # the leases run out, and the rows are sent again
                        return
                    self._results = [*results, *self._results]
                    await asyncio.sleep(1)
        finally:
            self._writing = None

    def _pacer(self, channel: str) -> Pacer:
        if channel not in self._pacers:
            self._pacers[channel] = Pacer(self._budgets.get(channel, Budget()), self._loop_time)
        return self._pacers[channel]

    def _time_for(self, row: Row) -> float:
        """Seconds until it is too late to begin sending: by the end of its lease it has to be over."""
        left: timedelta = row["leased_until"] - self.clock()
        return left.total_seconds() - LONGEST_SEND

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()

    # ---- in a writer thread --------------------------------------------------------------------------------------

    def _lease(self, session: Session, running: list[str]) -> tuple[list[Row], bool]:
        """Claim due rows for LEASE, render what is said unasked, pick each worker's account.

        Returns them, and whether there may be more. A message that was to go over another process's channel is looked
        at again when it lies there for ELSEWHERE.
        """
        now = self.clock()
        free = OutboxMessage.leased_until.is_(None) | (OutboxMessage.leased_until < now)
        lying = OutboxMessage.reminder.is_not(None) & (OutboxMessage.not_before < now - ELSEWHERE)
        ours = OutboxMessage.channel.is_(None) | OutboxMessage.channel.in_(running)
        forsaken = OutboxMessage.channel.not_in(list(self.channels)) & lying
        query = (
            select(OutboxMessage)
            .where(is_open(), OutboxMessage.not_before <= now, free, ours | forsaken)
            .order_by(case((OutboxMessage.kind.in_(AT_ONCE), 0), else_=1), OutboxMessage.not_before, OutboxMessage.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        )
        if self._only_worker is not None:
            query = query.where(OutboxMessage.worker_id == self._only_worker)
        due = session.scalars(query).all()
        leased: list[Row] = []
        for row in due:
            crashed = row.status == "leased"
            row.leased_until = now + LEASE
            row.status = "leased"
            if self._ready(session, row, now, running):
                leased.append(_as_row(row, crashed))
        return leased, len(due) == BATCH

    def _ready(self, session: Session, row: OutboxMessage, now: datetime, running: list[str]) -> bool:
        """True when the row has words and an address; otherwise what becomes of it is set here."""
        if row.expires_at is not None and now > row.expires_at:
            return _end(row, "cancelled", "its window passed before it could be sent")
        if row.attempts >= MOST_TRIES and now - row.planned_at > GIVE_UP_AFTER:
            return _end(row, "failed", f"gave up after {row.attempts} tries: {row.reason or ''}")
        elsewhere = row.channel is not None and row.channel not in self.channels
        if (row.account is None or elsewhere) and not self._pick_account(session, row, now, running):
            return False
        if row.reminder is not None:
            worker = session.get_one(HealthWorker, row.worker_id)
            try:
                with session.begin_nested():  # on PostgreSQL an error would take the whole transaction with it
                    message = self.render(session, row.reminder, row.arguments or {}, worker, now)
            except Gone as why:
                return _end(row, "cancelled", str(why))
            except Exception as error:
                log.exception("render_failed", reminder=row.reminder, key=row.dedup_key)
                return _end(row, "failed", f"could not be rendered: {type(error).__name__}")
            row.message = message.to_json()
        return True

    def _pick_account(self, session: Session, row: OutboxMessage, now: datetime, running: list[str]) -> bool:
        """The reachable account the worker was last heard on, best of all on a channel that runs.

        The terminal is used only by who has nothing else. Where the channel is another process's, or rests, the row is
        addressed and left to whoever comes first.
        """
        accounts = session.scalars(
            select(ChannelAccount)
            .where(ChannelAccount.worker_id == row.worker_id)
            .order_by(ChannelAccount.last_heard_at.desc().nulls_last(), ChannelAccount.id)
        ).all()
        reachable = [account for account in accounts if account.unreachable_why is None]
        reachable = [account for account in reachable if account.channel != LAST_RESORT] or reachable
        best = sorted(reachable, key=lambda a: (a.channel not in running, a.channel not in self.channels))
        if not best or (best[0].channel == LAST_RESORT and LAST_RESORT not in self.channels):
            refused = next((account.unreachable_why for account in accounts if account.unreachable_why), None)
            return _end(row, "failed", f"unreachable: {refused}" if refused else "no account bound")
        if row.channel is not None and row.channel not in self.channels and best[0].channel not in self.channels:
            row.not_before = now  # nobody has taken it: look again after ELSEWHERE
        row.channel, row.account = best[0].channel, best[0].account
        if row.channel in running:
            return True
        row.status, row.leased_until = "queued", None
        return False

    def _write_down(self, session: Session, results: list[Row]) -> None:
        """How sends ended. What was sent was sent; of the rest only the sender whose lease it is may speak."""
        now = self.clock()
        sent = [
            {
                "key": result["dedup_key"],
                "ref": _storable(result.get("platform_ref") or "", 160) or None,
                "tries": result["attempts"] + 1,
                "parts": result["parts_sent"],
            }
            for result in results
            if result["outcome"] == "sent"
        ]
        if sent:
            values = {
                "status": "sent",
                "sent_at": now,
                "leased_until": None,
                "platform_ref": bindparam("ref"),
                "attempts": bindparam("tries"),
                "parts_sent": bindparam("parts"),
            }
            session.connection().execute(
                update(OUTBOX).where(OUTBOX.c.dedup_key == bindparam("key")).values(values), sent
            )
        for result in results:
            if result["outcome"] != "sent":
                self._write_trouble(session, result, now)

    def _write_trouble(self, session: Session, result: Row, now: datetime) -> None:
        row = session.scalar(select(OutboxMessage).where(OutboxMessage.dedup_key == result["dedup_key"]))
        if row is None or row.status not in OPEN or row.leased_until != result["leased_until"]:
            return
        row.parts_sent, row.leased_until = result["parts_sent"], None
        outcome = result["outcome"]
        if outcome != "back":
            row.attempts, row.reason = result["attempts"] + 1, result["reason"]
        elif result.get("again"):  # taken over from a crash and not tried: what was in doubt still is
            row.attempts, row.reason = result["attempts"], IN_DOUBT
        if outcome == "failed":
            row.status = "failed"
        elif outcome == "unreachable":
            self._other_channel(session, row, now)
        else:
            row.status = "queued"
            row.not_before = result["retry_at"] or row.not_before

    def _other_channel(self, session: Session, row: OutboxMessage, now: datetime) -> None:
        """The account is marked, and the message falls back to the worker's other channel, if there is one."""
        reason = (row.reason or "")[:200]
        for account in session.scalars(
            select(ChannelAccount).where(ChannelAccount.channel == row.channel, ChannelAccount.account == row.account)
        ):
            account.unreachable_why = reason
        session.flush()
        refused, row.account = row.account, None
        if row.worker_id is not None:
            self._pick_account(session, row, now, list(self.channels))
        if row.account is None:
            row.account = refused
            _end(row, "failed", reason)
        else:
            row.status, row.not_before, row.parts_sent = "queued", now, 0


IN_DOUBT = f"{ChannelUnavailable.__name__}: a sender ended while it was on its way"


def _end(row: OutboxMessage, status: str, reason: str) -> bool:
    row.status, row.reason, row.leased_until = status, reason[:400], None
    return False


def _storable(text: str, limit: int) -> str:
    """What a platform told us, cut to its column and without what a database refuses."""
    return text.replace("\0", "")[:limit]


def _platform_key(row: Row, part: int) -> str:
    """Unique for the platform too: it remembers keys longer than a database that was built anew does."""
    return f"{row['dedup_key']}:{row['planned_at'].timestamp():.0f}.{part}"


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
