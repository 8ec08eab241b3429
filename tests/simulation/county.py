"""Who lives and works in the county, and what kind of people its doctors are."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select, text

from models.base import Store
from models.everything import metadata
from models.people import ChannelAccount, HealthWorker, Role
from models.secrets import Keyring
from models.seed import seed
from tests.databases import SECRET
from tests.simulation.clock import CHINA, DAY, Time, Wrong
from tests.simulation.platform import Outage

FIRST = date(2026, 1, 12)
"""Ninety days from here see the longest holiday, two weekends worked for it, 清明 and the end of a quarter."""
FILE = "county.db"
ACTED_ON = ("hypertension", "diabetes", "copd", "mental_health", "pneumoconiosis")
ONE_IN = {"child": 10, "maternal": 10, "tb": 1}
"""Whom the county follows otherwise: nobody here records these, so only one in so many is left to fall overdue."""


@dataclass(frozen=True)
class Config:
    """Of one simulation."""

    days: int = 90
    doctors: int = 305
    residents: int = 428_000
    seed: int = 1
    kills: int = 60
    """Processes killed by SIGKILL; about as many more are given up in mid-flight while another one lives on."""
    hours: str = "some"
    url: str = ""
    """Of an empty database; else it is a file of SQLite."""
    first: date = FIRST

    def rng(self, *about: object) -> Random:
        return Random(":".join(map(str, (self.seed, *about))))


@dataclass(frozen=True)
class Doctor:
    """How somebody behaves. `blocked`: account -> the times at which it refuses."""

    worker_id: int
    kind: str
    accounts: dict[str, str]
    blocked: dict[str, list[tuple[float, float]]]

    def works(self, day: int) -> float:
        """The chance of one due visit to be made on a day."""
        if self.kind == "silent" and 5 < (day + self.worker_id) % 23 < 20:
            return 0.0
        return {"diligent": 0.2, "late": 0.08, "careless": 0.04, "silent": 0.2}[self.kind]


def doctor(config: Config, worker_id: int) -> Doctor:
    rng = config.rng("worker", worker_id)
    kind = rng.choices(("diligent", "late", "careless", "silent"), (60, 22, 10, 8))[0]
    channels = rng.choices((("wecom",), ("telegram",), ("wecom", "telegram"), ()), (45, 32, 19, 4))[0]
    accounts = {channel: f"{channel[0]}{worker_id}" for channel in channels}
    blocked: dict[str, list[tuple[float, float]]] = {}
    for account in accounts.values():
        if rng.random() < 0.1:
            begins = rng.uniform(0, config.days) * DAY
            blocked[account] = [(begins, begins + rng.uniform(0.2, 15) * DAY)]
    return Doctor(worker_id, kind, accounts, blocked)


def _wishes(config: Config, worker_id: int) -> dict[str, Any]:
    """A tenth has set something about reminders."""
    rng, found = config.rng("wishes", worker_id), dict[str, Any]()
    if rng.random() < 0.06:
        found["at"] = rng.choice(("06:30", "07:00", "09:10", "11:30"))
    if rng.random() < 0.05:
        found["off"] = rng.sample(("visits", "windows", "agreements", "unserved", "silent"), rng.randint(1, 2))
    return found


def _terms(config: Config, worker_id: int) -> dict[str, str]:
    """The days that contracts end on: most have an agreement, some a training duty; some are past already."""
    rng, found = config.rng("terms", worker_id), dict[str, str]()
    if rng.random() < 0.6:
        found["agreement_ends_on"] = (config.first + timedelta(days=rng.randint(-50, 150))).isoformat()
    if rng.random() < 0.2:
        found["training_due_on"] = (config.first + timedelta(days=rng.randint(-10, 80))).isoformat()
    return found


def supervisor(config: Config, worker_id: int) -> Doctor:
    return Doctor(worker_id, "diligent", {"wecom": f"w{worker_id}"}, {})


def open_county(config: Config, folder: Path) -> Store:
    return Store(config.url or f"sqlite:///{folder / FILE}", Keyring(SECRET))


def build(config: Config, folder: Path, prepared: Path | None = None) -> Store:
    """The county on its first midnight; from a file where one was prepared before."""
    path = folder / FILE
    if prepared is not None and prepared.exists():
        shutil.copy(prepared, path)
        return open_county(config, folder)
    store = open_county(config, folder)
    metadata.create_all(store.engine)
    midnight = datetime.combine(config.first, time(), CHINA)
    with store.write() as session:
        seed(session, config.first, midnight, residents=config.residents, doctors=config.doctors, seed=config.seed)
        for programme, one_in in ONE_IN.items():
            left_out = text("UPDATE enrolments SET ended_on = :on WHERE programme = :of AND id % :n != 0")
            session.execute(left_out, {"on": config.first - timedelta(days=1), "of": programme, "n": one_in})
        for worker in session.scalars(select(HealthWorker).where(HealthWorker.role != Role.ADMIN)).all():
            is_doctor = worker.role == Role.DOCTOR
            person = (doctor if is_doctor else supervisor)(config, worker.id)
            if is_doctor:
                wishes = _wishes(config, worker.id)
                worker.settings = ({"reminders": wishes} if wishes else {}) | _terms(config, worker.id)
            for channel, account in person.accounts.items():
                bound = midnight - timedelta(days=config.rng("bound", account).uniform(0.1, 5))
                session.add(
                    ChannelAccount(
                        channel=channel, account=account, worker_id=worker.id, bound_at=bound, last_heard_at=bound
                    )
                )
        session.commit()
    if prepared is not None:
        with store.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        store.engine.dispose()
        shutil.copy(path, prepared)
    return store


@dataclass(frozen=True)
class Troubles:
    """What goes wrong with machines and platforms, all drawn before the first day."""

    kills: list[float]
    given_up: list[float]
    """When a process that is not the only one dies."""
    second: list[tuple[float, float, float]]
    """From when to when a second process runs, and by how much its clock is ahead."""
    asleep: list[tuple[float, float]]
    """From when, and for how long, the machine sleeps."""
    wrong: list[Wrong]
    outages: dict[str, list[Outage]]


def troubles(config: Config) -> Troubles:
    rng = config.rng("troubles")
    kills = sorted(_busy_moment(rng, config) for _ in range(config.kills))
    second, given_up = [], []
    for day in range(config.days):
        if rng.random() < 0.4:
            begins = (day + rng.uniform(7.2, 9) / 24) * DAY
            ends = begins + rng.uniform(0.3, 10) * 3600
            second.append((begins, ends, rng.uniform(-30, 30)))
            given_up += [rng.uniform(begins, min(ends, begins + 3600)) for _ in range(2)]
    asleep = [((day + 7 / 24) * DAY, 4 * 3600.0) for day in range(config.days) if day % 29 == 3]
    asleep += [((day + 7.55 / 24) * DAY, rng.uniform(0.2, 5.5) * 3600) for day in range(config.days) if day % 31 == 17]
    wrong = []
    for day in range(config.days):
        if day % 17 == 4:
            begins = (day + rng.uniform(8, 15) / 24) * DAY
            wrong.append(Wrong(begins, begins + rng.uniform(300, 3000), rng.choice((-7200, -900, 900, 5400, 86400))))
    outages = {name: _outages(rng, config) for name in ("telegram", "wecom")}
    return Troubles(kills, sorted(given_up), second, asleep, wrong, outages)


def _busy_moment(rng: Random, config: Config) -> float:
    """Most of them when there is something to break."""
    day = rng.randrange(config.days)
    hour = rng.choice((rng.uniform(7.45, 7.9), rng.uniform(7.9, 9.6), rng.uniform(17.3, 18.9), rng.uniform(0, 24)))
    return (day + hour / 24) * DAY


def _outages(rng: Random, config: Config) -> list[Outage]:
    found = []
    for day in range(config.days):
        if rng.random() < 0.2:
            begins = (day + rng.choice((rng.uniform(7.3, 8.5), rng.uniform(0, 24))) / 24) * DAY
            how = rng.choice(("refused", "refused", "hung", "taken"))
            longest = 120.0 if how == "taken" else 1800.0 if rng.random() < 0.9 else 30000.0
            found.append(Outage(begins, begins + rng.uniform(5, longest), how))
    return found


def time_of(config: Config, base: float, found: Troubles) -> Time:
    return Time(config.first, base, found.wrong, found.asleep)
