"""A day that is being drawn: who works in the county, what the clock of an action is, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import HealthWorker, Role
from tests.simulation.clock import DAY
from tests.simulation.county import Config, Doctor, doctor

Action = dict[str, Any]
"""What somebody does: `do`, `at` (seconds of the simulation), `who`, and what it takes."""


@dataclass
class Day:
    """The rows as they are at its midnight, and the people who will act on them."""

    config: Config
    session: Session
    number: int
    doctors: dict[int, Doctor] = field(init=False)
    doctor_of: dict[int, int] = field(init=False)
    """Village -> its doctor."""
    supervisors: list[HealthWorker] = field(init=False)

    def __post_init__(self) -> None:
        workers = self.session.scalars(select(HealthWorker).where(HealthWorker.active).order_by(HealthWorker.id)).all()
        self.doctors = {w.id: doctor(self.config, w.id) for w in workers if w.role == Role.DOCTOR}
        self.doctor_of = {v: w.id for w in workers if w.role == Role.DOCTOR for v in w.villages}
        self.supervisors = [w for w in workers if w.role in (Role.TOWNSHIP, Role.COUNTY)]

    @property
    def today(self) -> date:
        return self.config.first + timedelta(days=self.number)

    def rng(self, about: str, *whose: object) -> Random:
        return self.config.rng(about, self.number, *whose)

    def at(self, hour: float) -> float:
        return round((self.number + hour / 24) * DAY, 3)

    def ahead(self, days: int) -> str:
        return (self.today + timedelta(days=days)).isoformat()

    def submit(
        self, hour: float, who: int, service: str, answers: dict[str, Any], resident: int | None = None
    ) -> Action:
        """A form, filled in and submitted."""
        return {"do": "submit", "at": self.at(hour), "who": who, "service": service, "resident": resident,
                "answers": answers}  # fmt: skip

    def say(self, person: Doctor, hour: float, rng: Random, **what: Any) -> Action:
        """Something said to the bot itself, on one of their phones."""
        channel = rng.choice(sorted(person.accounts))
        return {"do": "say", "at": self.at(hour), "who": person.worker_id, "channel": channel,
                "account": person.accounts[channel], **what}  # fmt: skip
