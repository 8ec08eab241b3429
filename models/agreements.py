"""What the agreements of a resident are today: 待生效, 有效, 即将到期, 到期, 续签, 解约. Computed, never stored (domain.md D)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from models.people import HealthWorker, Organisation
from models.record import Agreement, Record

SOON = timedelta(days=60)  # 即将到期, domain.md D
ANOTHER_DOCTOR = 4
REASONS = {1: "死亡", 2: "迁出", 3: "本人意愿", 4: "换医生", 5: "其他"}


class State(StrEnum):
    """How one agreement stands on a day."""

    COMING = "待生效"
    VALID = "有效"
    ENDING = "即将到期"
    EXPIRED = "到期"
    RENEWED = "续签"
    ENDED = "解约"


@dataclass(frozen=True, slots=True)
class Standing:
    """One agreement as a form or a card looks at it."""

    id: int
    record_id: int
    number: str
    doctor: str
    mine: bool
    packages: Sequence[int]
    groups: Sequence[int]
    starts_on: date
    last_on: date
    end_reason: int | None
    renewed: bool

    def holds_on(self, day: date) -> bool:
        return self.starts_on <= day <= self.last_on

    def state(self, today: date) -> State:
        """待生效 before its first day; after its last one 解约, 续签 or 到期; in the last 60 days 即将到期.

        One that is ended before its time is so from its last day on.
        """
        if self.end_reason is not None and not self.renewed and today >= self.last_on:
            return State.ENDED
        if today > self.last_on or self.last_on < self.starts_on:
            ended = State.ENDED if self.end_reason is not None else State.EXPIRED
            return State.RENEWED if self.renewed else ended
        if today < self.starts_on:
            return State.COMING
        if self.renewed:
            return State.RENEWED
        return State.ENDING if self.last_on - today <= SOON else State.VALID


def standing(session: Session, resident_id: int, worker_id: int, corrects: int | None = None) -> list[Standing]:
    """The agreements of a resident that were not withdrawn, the latest first; without the one being corrected."""
    session.flush()
    query = (
        select(Agreement, HealthWorker.name)
        .join(HealthWorker, HealthWorker.id == Agreement.worker_id)
        .where(Agreement.resident_id == resident_id, Agreement.status == "current")
        .order_by(Agreement.starts_on.desc(), Agreement.id.desc())
    )
    rows = [(row, name) for row, name in session.execute(query) if row.record_id != corrects]
    renewed = {row.renews_id for row, _ in rows}
    return [
        Standing(
            row.id, row.record_id, row.number or f"#{row.id}", name, row.worker_id == worker_id, row.packages, row.groups,
            row.starts_on, row.last_on, row.end_reason if row.ended_on else None, row.id in renewed,
        )
        for row, name in rows
    ]  # fmt: skip


def last_on() -> ColumnElement[date]:
    """The last day on which an agreement holds, for a query."""
    return case((Agreement.ended_on < Agreement.ends_on, Agreement.ended_on), else_=Agreement.ends_on)


# --- use cases ---


def conclude(session: Session, agreement: Agreement, replaces: Sequence[int]) -> None:
    """A new agreement: it gets its number, and those it replaces end the day before it begins.

    Corrected, it keeps the number and the link to what it renews.
    """
    session.add(agreement)
    session.flush()
    record = session.get_one(Record, agreement.record_id)
    former = select(Agreement).where(Agreement.record_id == record.corrects_id)
    corrected = session.scalar(former) if record.corrects_id else None
    if corrected is not None:
        agreement.number = agreement.number or corrected.number
        agreement.renews_id = agreement.renews_id or corrected.renews_id
        later = session.scalars(select(Agreement).where(Agreement.renews_id == corrected.id))
        for row in later:
            row.renews_id = agreement.id
    if not agreement.number:
        village = session.get_one(Organisation, agreement.village_id)
        agreement.number = f"{village.code}-{agreement.starts_on:%Y}-{agreement.id:05d}"
    end(session, replaces, agreement.starts_on - timedelta(days=1), ANOTHER_DOCTOR, agreement.record_id)


def end(session: Session, ids: Sequence[int], on: date, reason: int, record_id: int) -> list[Agreement]:
    """解约: the agreements no longer hold after a day, for a reason; the rows stay."""
    rows = list(session.scalars(select(Agreement).where(Agreement.id.in_(list(ids)), Agreement.status == "current")))
    for row in rows:
        row.ended_on, row.end_reason, row.ended_by_id = on, reason, record_id
    session.flush()
    return rows


def release(session: Session, record: Record) -> None:
    """A record is corrected or withdrawn: its agreement was none, and what it had ended goes on."""
    for row in session.scalars(select(Agreement).where(Agreement.record_id == record.id)):
        row.status = "withdrawn"
    for row in session.scalars(select(Agreement).where(Agreement.ended_by_id == record.id)):
        row.ended_on = row.end_reason = row.ended_by_id = None
