"""What is due goes out: leased, paced, sent, and every ending written down as one of five outcomes (promise 4)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial

import structlog

from bot.channels import (
    Channel,
    ChannelMisconfigured,
    ChannelUnavailable,
    MessageRejected,
    RateLimited,
    RecipientUnreachable,
    SendError,
)
from bot.endings import storable
from bot.group import Row
from bot.intake import Intake
from bot.ledger import BATCH, Chat, Ledger
from bot.pacing import ALARM, BUDGETS, PLANNED, REPLY, Budget, Pacer
from bot.readiness import AT_ONCE, Render
from bot.seat import OnlySeat, Seat
from models.message import OutgoingMessage
from models.outbox import CLOCKS_APART, LEASE
from models.preferences import QuietHours

log = structlog.get_logger()

LONGEST_SEND = 40.0  # seconds; nothing is begun that could outlast its lease, or another sender would say it too
LONGEST_BACKOFF = 300.0
MISCONFIGURED_PAUSE = 300.0
STOP_WITHIN = 10.0  # seconds for what is on its way when the program ends
HELD = 5.0  # seconds after which nobody waits any longer for messages that should have been leased again


class Sender:
    """Sends outbox rows over the channels that run. Replies come straight from the intake, the rest by polling.

    Within a chat one message goes after the other. When one has to wait (a pause, a backoff), it goes back to the
    table with all that stand behind it, and so does whatever is said in that chat until they are leased again. What a
    process that died, or another one that lives, has begun to say in a chat goes first there, too.
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
        seat: Seat | None = None,
        tz: tzinfo = UTC,
        quiet: QuietHours | None = None,
    ) -> None:
        self.intake, self.channels, self.clock, self.tz = intake, channels, clock, tz
        self.ledger = Ledger(
            channels, render, clock=clock, seat=seat or OnlySeat(), budgets=budgets, tz=tz, quiet=quiet,
            only_worker=only_worker,
        )  # fmt: skip
        self.poll_every = poll_every
        self._budgets = budgets
        self._pacers: dict[str, Pacer] = {}
        self._chats: dict[Chat, deque[Row]] = {}
        self._held: dict[Chat, tuple[float, datetime | None]] = {}
        self._behind: frozenset[Chat] = frozenset()
        self._given_back: set[Chat] = set()
        """Chats whose messages the lease now under way may not find in the table yet."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._results: list[Row] = []
        self._writing: asyncio.Task[None] | None = None
        self._shown: tuple[float, datetime] | None = None
        self._wake, self._room, self._stopping = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def begin(self) -> None:
        """Take over what a process that died had leased, before anything new is said in those chats."""
        await self.intake.run(self.ledger.free_own_seat, key="sender")
        await self.intake.run(self.ledger.put_right, key="sender")
        await self.send_due()

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
        running = [name for name in self.channels if self._runs(self._pacer(name))]
        mine = {row["dedup_key"] for chat in self._chats.values() for row in chat}
        steady = self._loop_time()
        try:
            if self._was_set_back(steady):
                await self.intake.run(self.ledger.put_right, key="sender")
            leased = await self.intake.run(
                lambda session: self.ledger.lease(session, running, mine, steady), key="sender"
            )
        except Exception as error:
            log.error("lease_failed", error=type(error).__name__)
            return False
        self._behind = leased.behind | self._given_back
        for (channel, account), ago, calls in leased.elsewhere:
            for _ in range(calls):
                self._pacer(channel).note(account, self._loop_time() - ago)
            if ago <= self._into_the_day():
                self._pacer(channel).day.spend(calls)
        for name in self.channels:
            self._pacer(name).share(leased.senders)
        for row in leased.rows:
            if row["kind"] in AT_ONCE:
                self._held.pop((row["channel"], row["account"]), None)
            self._put(row)
        return bool(leased.more)

    def _was_set_back(self, steady: float) -> bool:
        """Does the machine's clock show less than it should since the last look?"""
        before, self._shown = self._shown, (steady, self.clock())
        if before is None:
            return False
        shown = (self._shown[1] - before[1]).total_seconds()
        return steady - before[0] - shown > CLOCKS_APART.total_seconds()

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
            held = until > self._loop_time() and chat not in self._chats
            if self._stopping.is_set() or held or chat in self._behind:
                self._give_back(row, not_before)
            else:
                self._put(row)

    def _put(self, row: Row) -> None:
        chat = row["channel"], row["account"]
        if row["channel"] not in self.channels:
            self._give_back(row)
            return
        row["over_at"] = self._loop_time() + LEASE.total_seconds()
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
            parts = channel.parts(OutgoingMessage.from_json(row["message"]))
            for number in range(first, len(parts)):
                rank = _rank(row)
                if not await pacer.wait(row["account"], rank=rank, within=self._time_for(row)):
                    if not pacer.day.has_room(rank):
                        self._give_back(row, self._midnight())
                        return True
                    self._hold(row, self._wait_for(pacer, row["account"]), tried=False)
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
                if number + 1 < len(parts):
                    self._note(row, "part")  # a crash from now on repeats none of it
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
        row["reason"] = storable(f"{type(error).__name__}: {error}", 400)
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
        self._given_back.add((row["channel"], row["account"]))
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
                    # after a power cut the leases tell that these are in doubt, as after any crash
                    write_down = partial(self.ledger.write_down, results=results)
                    await self.intake.run(write_down, key="sender", may_be_lost=True)
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
            self._pacers[channel] = Pacer(self._budgets.get(channel, Budget()), self._loop_time, self._counted_day)
        return self._pacers[channel]

    def _runs(self, pacer: Pacer) -> bool:
        """Does anything go out on this channel just now?"""
        return pacer.paused_until <= self._loop_time() and pacer.day.has_room(ALARM)

    def _wait_for(self, pacer: Pacer, chat: str) -> float | None:
        """Seconds after which a message that could not wait here for its turn is looked at again; None: when it can be."""
        seconds = pacer.rests_until(chat) - self._loop_time()
        return seconds if seconds > 0 else None

    def _today(self) -> date:
        return self.clock().astimezone(self.tz).date()

    def _counted_day(self) -> date:
        """The day whose total is used up: it ends a little late, for this clock may be ahead of the platform's."""
        return (self.clock() - CLOCKS_APART).astimezone(self.tz).date()

    def _midnight(self) -> datetime:
        """When a new total begins."""
        following = self._counted_day() + timedelta(days=1)
        return datetime.combine(following, time(), self.tz).astimezone(UTC) + CLOCKS_APART

    def _into_the_day(self) -> float:
        """Seconds since the county's midnight."""
        now = self.clock()
        return (now - datetime.combine(self._today(), time(), self.tz)).total_seconds()

    def _time_for(self, row: Row) -> float:
        """Seconds until it is too late to begin sending: by the end of its lease it has to be over, by any clock."""
        left: timedelta = row["leased_until"] - self.clock()
        steadily: float = row["over_at"] - self._loop_time()
        return min(left.total_seconds(), steadily) - LONGEST_SEND

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()


def _rank(row: Row) -> int:
    """What has begun to be said is said to its end, as if somebody waited for it."""
    if row["kind"] == "alarm":
        return ALARM
    return REPLY if row["kind"] == "reply" or row["parts_sent"] else PLANNED


def _platform_key(row: Row, part: int) -> str:
    """Unique for the platform too: it remembers keys longer than a database that was built anew does."""
    return f"{row['dedup_key']}:{row['planned_at'].timestamp():.0f}.{part}"
