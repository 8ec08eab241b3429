"""What a doctor has promised until a day: the service-purchase agreement and training duties. 购买服务协议、培训任务

Both days come with the roster and are kept in the worker's settings, as ISO days (domain.md F1: 305 agreements).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from models.people import HealthWorker


@dataclass(frozen=True, slots=True)
class Kind:
    """What ends on the day: its name, its column in the roster, what to do about it."""

    title: str
    column: str
    advice: str


TERMS: Mapping[str, Kind] = {
    "agreement_ends_on": Kind("购买服务协议", "协议到期", "要续签请联系公卫科。"),
    "training_due_on": Kind("培训任务", "培训截止", "请按时完成,并告诉公卫科。"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """One of a worker's terms."""

    code: str
    ends_on: date


def terms_of(worker: HealthWorker) -> list[Term]:
    """The terms of a worker that have a day, in the order of `TERMS`."""
    return [Term(code, date.fromisoformat(worker.settings[code])) for code in TERMS if worker.settings.get(code)]
