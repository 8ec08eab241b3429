"""The one composition root: the only module that knows everyone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.channels import Channel
from bot.clock import Clock
from bot.clock import system_clock as system_clock
from bot.config import Settings
from bot.config import open_store as open_store
from bot.intake import Intake
from bot.pacing import BUDGETS, Budget
from bot.seat import AT_THE_TERMINAL, take_seat
from bot.sender import Sender
from models.base import Store
from models.outbox import ReceivedEvent
from models.people import HealthWorker
from models.planned import Occasion
from models.preferences import Preferences
from reminders.timetable import occasions_of, promise_all, render

log = structlog.get_logger()

PUSHES_A_DAY = 200  # WeCom, for each account that the corp may have
CHECKPOINT_EVERY = 1.0  # seconds
KEEP_EVENTS = timedelta(days=30)  # platforms redeliver for hours; a month is more than any of them


def make_telegram(settings: Settings, store: Store, clock: Clock) -> Channel | None:
    if settings.telegram.token is None:
        return None
    from bot.channels.telegram import Telegram

    secret = settings.telegram.webhook_secret
    return Telegram(
        token=settings.telegram.token.get_secret_value(),
        now=clock,
        base_url=settings.telegram.base_url,
        mode=settings.telegram.mode,
        webhook_secret=secret.get_secret_value() if secret else None,
        public_url=settings.web.public_url,
        abroad=settings.telegram.abroad,
        commands=telegram_menu(),
    )


def telegram_menu() -> list[tuple[str, str]]:
    """Slash commands for Telegram's menu."""
    from handlers.commands import COMMANDS

    return [(c.slash.removeprefix("/"), f"{c.word} {c.about}") for c in COMMANDS]


def make_wecom(settings: Settings, store: Store, clock: Clock) -> Channel | None:
    wecom = settings.wecom
    if not wecom.is_on:
        return None
    from bot.channels.wecom import WeCom
    from models.tokens import TokensInDatabase

    assert wecom.corp_id and wecom.agent_id and wecom.secret and wecom.token and wecom.aes_key
    return WeCom(
        corp_id=wecom.corp_id,
        agent_id=wecom.agent_id,
        secret=wecom.secret.get_secret_value(),
        token=wecom.token.get_secret_value(),
        aes_key=wecom.aes_key.get_secret_value(),
        base_url=wecom.base_url,
        tokens=TokensInDatabase(store),
        now=clock,
    )


CHANNELS: dict[str, Callable[[Settings, Store, Clock], Channel | None]] = {
    "telegram": make_telegram,
    "wecom": make_wecom,
}
"""The index of channels that `cunyi run` may start; each is off until it is configured."""


class App:
    """Intake, sender and timetable around one store, for whatever channels it is given."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        channels: Mapping[str, Channel],
        *,
        clock: Clock = system_clock,
        budgets: Mapping[str, Budget] = BUDGETS,
        poll_every: float = 1.0,
        only_worker: int | None = None,
    ) -> None:
        self.settings, self.store, self.channels, self.clock = settings, store, channels, clock
        self.seat = take_seat(store, first=0 if only_worker is None else AT_THE_TERMINAL)
        self.intake = Intake(
            store,
            clock=clock,
            tz=settings.tz,
            settings=settings.county,
            replies=self._take,
            seat=self.seat.number,
        )
        self.sender = Sender(
            self.intake,
            channels,
            self._render,
            clock=clock,
            budgets=budgets,
            poll_every=poll_every,
            only_worker=only_worker,
            seat=self.seat,
            tz=settings.tz,
            quiet=Preferences(settings.reminders).quiet,
        )
        self._running: list[asyncio.Task[Any]] = []

    async def start(self, *, timetable: bool = True) -> None:
        """Start everything; a channel that cannot start is named in the log and does not stop the others."""
        self.intake.start()
        await self.sender.begin()
        self._running += [asyncio.create_task(self.sender.run()), asyncio.create_task(self._keep_the_log_short())]
        if timetable:
            from reminders.scheduler import Scheduler

            self._running.append(asyncio.create_task(self._plan_first()))
            self._scheduler = Scheduler(self.plan_today, self.tidy_up, self.settings.tz)
            self._scheduler.start()
        for channel in self.channels.values():
            await channel.start(self.intake.receive)

    async def stop(self) -> None:
        """Stop listening, finish what is on its way, write it down."""
        for channel in self.channels.values():
            await channel.stop()
        if scheduler := getattr(self, "_scheduler", None):
            scheduler.stop()
        await self.sender.stop()
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.to_thread(self.intake.stop)
        self.seat.leave()

    async def _keep_the_log_short(self) -> None:
        """What the writer would otherwise do by itself, while a message waits."""
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY)
            try:
                await asyncio.to_thread(self.store.checkpoint)
            except Exception as error:  # the writer's own commits say what is wrong with the disk
                log.warning("checkpoint_failed", error=type(error).__name__)

    async def _plan_first(self) -> None:
        """What is due today, while the channels begin to listen: nobody's message waits for it."""
        try:
            await self.plan_today()
        except Exception as error:  # the scheduler plans again within ten minutes
            log.error("planning_failed", error=type(error).__name__)

    async def plan_today(self) -> None:
        """Queue what the timetable says for today; harmless to repeat."""
        now = self.clock()
        day = now.astimezone(self.settings.tz).date()
        found = await asyncio.to_thread(self._occasions, day, now)
        await self.intake.run(lambda session: promise_all(session, found, now))
        self.sender.wake()

    def _occasions(self, day: date, now: datetime) -> list[Occasion]:
        of = self.settings
        with self.store.read() as session:
            return occasions_of(session, day, tz=of.tz, settings=of.county, after=now)

    async def tidy_up(self) -> None:
        """Forget platform events that nobody will redeliver any more."""
        before = self.clock() - KEEP_EVENTS
        await self.intake.run(lambda session: session.execute(delete(ReceivedEvent).where(ReceivedEvent.at < before)))

    def _take(self, rows: list[dict[str, Any]]) -> None:
        self.sender.take(rows)

    def _render(
        self, session: Session, reminder: str, arguments: Mapping[str, Any], worker: HealthWorker, now: datetime
    ) -> Any:
        of = self.settings
        return render(session, reminder, arguments, worker, now, tz=of.tz, settings=of.county)


def make_app(settings: Settings, *, clock: Clock = system_clock) -> App:
    """The program as configured."""
    store = open_store(settings)
    made = {name: make(settings, store, clock) for name, make in CHANNELS.items()}
    running = {name: channel for name, channel in made.items() if channel is not None}
    return App(settings, store, running, clock=clock, budgets=budgets_of(settings))


def budgets_of(settings: Settings) -> dict[str, Budget]:
    """What the platforms allow, of which a day's total on WeCom depends on the corp."""
    people = settings.wecom.account_limit
    return {**BUDGETS, "wecom": replace(BUDGETS["wecom"], a_day=(people or 0) * PUSHES_A_DAY)}
