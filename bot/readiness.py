"""What a leased message still needs before it leaves: an hour at which it may, an address, and its words."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

import structlog
from sqlalchemy.orm import Session

from bot.accounts import pick_account
from bot.endings import end, fail
from bot.pacing import Budget
from models.message import OutgoingMessage
from models.outbox import TOO_LATE, OutboxMessage
from models.people import HealthWorker
from models.preferences import QuietHours
from reminders.entry import next_time
from reminders.reminder import Gone

log = structlog.get_logger()

GIVE_UP_AFTER, MOST_TRIES = timedelta(hours=24), 300  # at five minutes from one to the next, about the same
PATIENCE = 2  # tries of an alarm at one account; then it goes to the worker's accounts in turn, rather twice than late
AT_ONCE = ("reply", "alarm")  # kinds that go before what the timetable says, at any hour


class Render(Protocol):
    """Words of something said unasked, at the moment it goes out. Raises Gone."""

    def __call__(
        self, session: Session, reminder: str, arguments: Mapping[str, Any], worker: HealthWorker, now: datetime
    ) -> OutgoingMessage: ...


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of the messages that one process sends over its channels, of which some are `running` at a time."""

    channels: Collection[str]
    render: Render
    budgets: Mapping[str, Budget]
    tz: tzinfo
    quiet: QuietHours | None

    def ready(self, session: Session, row: OutboxMessage, now: datetime, running: Sequence[str]) -> bool:
        """True when the row has words and an address; otherwise what becomes of it is set here."""
        if row.expires_at is not None and now > row.expires_at:
            return end(row, "cancelled", TOO_LATE)
        if row.attempts >= MOST_TRIES and now - row.planned_at > GIVE_UP_AFTER:
            return fail(session, row, f"gave up after {row.attempts} tries: {row.reason or ''}", now)
        if self._postponed(row, now, self._after_quiet_hours):
            return False
        elsewhere = row.channel is not None and row.channel not in self.channels
        restless = row.kind == "alarm" and row.attempts >= PATIENCE and row.worker_id is not None
        if (row.account is None or elsewhere or restless) and not self.addressed(session, row, now, running):
            return False
        if self._postponed(row, now, self._after_busy_minute):
            return False
        if row.reminder is not None:
            worker = session.get_one(HealthWorker, row.worker_id)
            try:
                with session.begin_nested():  # on PostgreSQL an error would take the whole transaction with it
                    message = self.render(session, row.reminder, row.arguments or {}, worker, now)
            except Gone as why:
                return end(row, "cancelled", str(why))
            except Exception as error:
                log.exception("render_failed", reminder=row.reminder, key=row.dedup_key)
                return fail(session, row, f"could not be rendered: {type(error).__name__}", now)
            row.message = message.to_json()
        return True

    def _postponed(
        self, row: OutboxMessage, now: datetime, until: Callable[[OutboxMessage, datetime], datetime | None]
    ) -> bool:
        """Replies and alarms wait for no hour. What would wait past its window is said by the next one of its kind."""
        moment = None if row.kind in AT_ONCE else until(row, now)
        if moment is None:
            return False
        if row.expires_at is not None and moment > row.expires_at:
            end(row, "cancelled", TOO_LATE)
        else:
            row.status, row.leased_until, row.leased_by = "queued", None, None
            row.not_before, row.put_off_at = moment, now
        return True

    def _after_quiet_hours(self, row: OutboxMessage, now: datetime) -> datetime | None:
        if self.quiet is None or now.astimezone(self.tz).time() not in self.quiet:
            return None
        return next_time(now, self.quiet.ends, self.tz)

    def _after_busy_minute(self, row: OutboxMessage, now: datetime) -> datetime | None:
        """Spread, so that not everybody's begins with the very next minute."""
        budget = self.budgets.get(row.channel or "", Budget())
        if now.astimezone(self.tz).minute not in budget.busy_minutes:
            return None
        spread = timedelta(seconds=zlib.crc32(row.dedup_key.encode()) % max(budget.spread, 1))
        return now.replace(second=0, microsecond=0) + timedelta(minutes=1) + spread

    def addressed(self, session: Session, row: OutboxMessage, now: datetime, running: Sequence[str]) -> bool:
        """Pick the account it goes to, rather than the one it was to go to another one.

        Where the channel is another process's, or rests, it is left to whoever comes first.
        """
        account = pick_account(session, row.worker_id, running, list(self.channels), rather_not=row.channel)
        if isinstance(account, str):
            return fail(session, row, account, now)
        if (row.channel, row.account) != (account.channel, account.account):
            row.parts_sent = 0
        if row.channel is not None and row.channel not in self.channels and account.channel not in self.channels:
            row.not_before = now  # nobody has taken it: look again after ELSEWHERE
        row.channel, row.account = account.channel, account.account
        if row.channel in running:
            return True
        row.status, row.leased_until, row.leased_by = "queued", None, None
        return False
