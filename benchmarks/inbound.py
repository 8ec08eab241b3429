"""A doctor's message in, the reply out: the same dialog of five messages with ourselves and with every peer.

Ours goes through the real Telegram adapter, checks who it is and whom they mean, judges by the protocol, and commits
every message, reply and state durably. The peers keep their answers in memory and commit a form, or nothing.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from benchmarks.county import NOW, SECRET, TODAY, WORK, copied, seeded
from benchmarks.peers import AiogramOrm, Peer, Ptb, PtbOrm, PtbPickle
from benchmarks.row import Row, percentile, rate_row, speed_row
from benchmarks.sockets import NoSockets, update
from bot.app import App
from bot.channels.telegram import Telegram
from bot.channels.telegram_payloads import to_incoming
from bot.clock import MovableClock
from bot.config import Settings
from models.base import Store
from models.enrolment import Enrolment
from models.people import ChannelAccount, HealthWorker, Resident, Role
from models.record import Record

PEOPLE = 16
KNOWN = 305  # doctors of a county who have written before; what a peer keeps in one file has an entry of each
ANSWERS = ("家庭", "无症状", "规律", "提交")
MESSAGES = 1 + len(ANSWERS)
OLD_ENOUGH = TODAY - timedelta(days=51 * 366)  # whom nobody asks about a pregnancy: each form takes five messages


@dataclass(frozen=True, slots=True)
class Size:
    """How many forms each person fills in a round, how many rounds, and how many forms one fills alone in a round."""

    residents: int = 6000
    forms: int = 8
    rounds: int = 5
    alone: int = 60
    rounds_alone: int = 3


SMALL = Size(residents=3000, forms=1, rounds=1, alone=2, rounds_alone=1)

Take = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Times:
    """What one contender took: messages a second of every round, and how long single messages waited."""

    rates: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def wait(self, share: float) -> float:
        """Milliseconds that this share of the messages did not exceed."""
        return percentile(self.waits, share) * 1000

    def add(self, more: Times) -> None:
        self.rates += more.rates
        self.waits += more.waits


@dataclass(slots=True)
class Doctor:
    """Someone who types, and the names of their patients."""

    account: int
    patients: Sequence[str]
    forms: int = 0

    def next_form(self) -> list[str]:
        self.forms += 1
        name = self.patients[self.forms % len(self.patients)]
        return [f"{name} 13{self.forms % 10}/8{self.forms % 9} 心率78", *ANSWERS]


class Ours:
    """The program as `run` puts it together, without a timetable and with the platform's limits lifted."""

    name = "Cunyi"

    def __init__(self, store: Store) -> None:
        self.store = store

    async def start(self) -> None:
        self.request = NoSockets()
        self.clock = MovableClock(NOW)
        telegram = Telegram(  # by webhook, so that nobody asks the stand-in for updates
            token="1:a",
            now=self.clock,
            request=self.request,
            mode="webhook",
            webhook_secret="s",
            public_url="https://bench.example",
        )
        settings = Settings(secret_key=SECRET)  # type: ignore[arg-type]
        self.app = App(settings, self.store, {"telegram": telegram}, clock=self.clock, budgets={})
        await self.app.start(timetable=False)

    async def take(self, update: dict[str, Any]) -> None:
        message = to_incoming(update, self.clock())
        assert message is not None
        await self.app.intake.receive(message)

    async def take_and_see(self, update: dict[str, Any]) -> None:
        """Wait for the reply as well, as the person does."""
        self.request.said.clear()
        await self.take(update)
        await self.request.said.wait()

    async def settle(self) -> None:
        await self.app.sender.settle()

    async def stop(self) -> None:
        await self.app.stop()


class Numbers:
    """Update numbers, one after the other."""

    last = 0

    @classmethod
    def next(cls) -> int:
        cls.last += 1
        return cls.last


async def at_once(
    take: Take, doctors: Sequence[Doctor], forms: int, settle: Callable[[], Awaitable[None]] | None = None
) -> Times:
    """Everybody fills forms at the same time; each sends the next message when the last one was taken."""
    times = Times()

    async def type_forms(doctor: Doctor) -> None:
        for _ in range(forms):
            for text in doctor.next_form():
                begin = time.perf_counter()
                await take(update(Numbers.next(), doctor.account, text))
                times.waits.append(time.perf_counter() - begin)

    begin = time.perf_counter()
    await asyncio.gather(*map(type_forms, doctors))
    if settle:
        await settle()
    times.rates.append(len(times.waits) / (time.perf_counter() - begin))
    return times


async def one_after_another(take: Take, doctor: Doctor, forms: int) -> Times:
    """One person, each message only after the reply to the one before."""
    times = Times()
    begin = time.perf_counter()
    for _ in range(forms):
        for text in doctor.next_form():
            sent = time.perf_counter()
            await take(update(Numbers.next(), doctor.account, text))
            times.waits.append(time.perf_counter() - sent)
    times.rates.append(len(times.waits) / (time.perf_counter() - begin))
    return times


def bind_doctors(store: Store) -> list[Doctor]:
    """The county's doctors with an account each, and patients with high blood pressure whose names are their own."""
    doctors = []
    with store.write() as session:
        workers = session.scalars(select(HealthWorker).where(HealthWorker.role == Role.DOCTOR)).all()
        for number, worker in enumerate(workers[:PEOPLE], 1000):
            account = ChannelAccount(channel="telegram", account=str(number), worker_id=worker.id, bound_at=NOW)
            session.add(account)
            of_village = Resident.village_id.in_(worker.villages)
            alone = select(Resident.name).where(of_village).group_by(Resident.name).having(func.count() == 1)
            patients = (
                select(Resident.name)
                .join(Enrolment, Enrolment.resident_id == Resident.id)
                .where(
                    of_village,
                    Resident.name.in_(alone),
                    Resident.status == "active",
                    Resident.born_on < OLD_ENOUGH,
                    Enrolment.programme == "hypertension",
                )
            )
            doctors.append(Doctor(number, list(session.scalars(patients))))
        session.commit()
    return doctors


async def race(
    store: Store, doctors: list[Doctor], folder: Path, size: Size
) -> tuple[dict[str, Times], dict[str, Times]]:
    """All contenders in turn, round after round, so that what else the machine does meets all alike."""
    ours = Ours(store)
    peers: list[Peer] = []
    for kind in (PtbOrm, Ptb, PtbPickle, AiogramOrm):
        own = folder / kind.__name__
        own.mkdir()
        peers.append(kind(own, KNOWN))
    together: dict[str, Times] = {x.name: Times() for x in (ours, *peers)}
    alone: dict[str, Times] = {x.name: Times() for x in (ours, peers[0])}
    for contender in (ours, *peers):
        await contender.start()
    gc.collect()
    gc.freeze()  # for all contenders, as `cunyi run` does: what is there from the start need not be looked at again
    for number in range(1 + size.rounds):
        found = {ours.name: await at_once(ours.take, doctors, size.forms, ours.settle)}
        for peer in peers:
            found[peer.name] = await at_once(peer.take, doctors, size.forms)
        if number:  # the first one warms everything up
            for name, times in found.items():
                together[name].add(times)
    for _ in range(size.rounds_alone):
        for name, take in ((ours.name, ours.take_and_see), (peers[0].name, peers[0].take)):
            alone[name].add(await one_after_another(take, doctors[0], size.alone))
        await ours.settle()
    for contender in (ours, *peers):
        await contender.stop()
    return together, alone


def measure(*, quick: bool = False) -> list[Row]:
    size = SMALL if quick else Size()
    WORK.mkdir(exist_ok=True)
    with copied(seeded(size.residents, PEOPLE)) as store, tempfile.TemporaryDirectory(dir=WORK) as folder:
        doctors = bind_doctors(store)
        together, alone = asyncio.run(race(store, doctors, Path(folder), size))
        check(store, len(doctors) * size.forms * (1 + size.rounds) + size.rounds_alone * size.alone)
    ours, c, nothing, pickle, aiogram = together.values()
    us, them = alone.values()
    many, rate = f"inbound, {PEOPLE} people at once", "messages/s"
    one, wait = "inbound, one after another", "inbound, one after another, until the reply is out"
    return [
        rate_row(many, ours.rate, c.rate, PtbOrm.name, at_least=1.5, unit=rate),
        rate_row(many, ours.rate, nothing.rate, Ptb.name, at_least=0.75, unit=rate),
        rate_row(many, ours.rate, pickle.rate, PtbPickle.name, at_least=6, unit=rate),
        rate_row(many, ours.rate, aiogram.rate, AiogramOrm.name, at_least=1.5, unit=rate),
        rate_row(one, us.rate, them.rate, PtbOrm.name, at_least=0.8, unit=rate),
        speed_row(f"{wait}, p50", us.wait(0.5), them.wait(0.5), PtbOrm.name, at_least=0.8),
        speed_row(f"{wait}, p99", us.wait(0.99), them.wait(0.99), PtbOrm.name, at_least=1),
    ]


def check(store: Store, forms: int) -> None:
    """A measurement that did not do the work would be worth nothing."""
    with store.read() as session:
        made = session.scalar(select(func.count()).select_from(Record).where(Record.channel == "telegram"))
    if made != forms:
        raise RuntimeError(f"{made} records for {forms} forms: the dialog no longer takes {MESSAGES} messages")
