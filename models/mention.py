"""What a worker was told once within a digest: this visit so late, that agreement ending, not every morning anew."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, String, cast, delete, exists, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Key
from models.outbox import OutboxMessage, insert_for

UNHEARD = ("failed", "cancelled")


class Mention(Base):
    """A stage of a matter that a worker was told of, and the last message that did; it counts unless that was not sent.

    Every stage is kept, not the latest alone: after a clock that was a day ahead, the earlier one is not told again.
    """

    __tablename__ = "mentions"

    kind: Mapped[str] = mapped_column(String(24), primary_key=True)
    subject_id: Mapped[int] = mapped_column(Key, primary_key=True)
    """The key of the row it is about: an enrolment, an agreement, a referral …"""
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Which of its moments: the due day that was missed, 60, 30 or 7 days before the end."""
    message_key: Mapped[str] = mapped_column(String(200), index=True)


def told(kind: str, worker_id: Any, subject_id: Any, stage: Any, *, but: Any = "") -> ColumnElement[bool]:
    """SQL: the worker has been told, or is about to be, by another message than the one whose key is `but`.

    A message that ended unsent told nothing.
    """
    return exists(
        select(1)
        .select_from(Mention)
        .outerjoin(OutboxMessage, OutboxMessage.dedup_key == Mention.message_key)
        .where(
            Mention.kind == kind,
            Mention.worker_id == worker_id,
            Mention.subject_id == subject_id,
            Mention.stage == stage,
            Mention.message_key != but,
            or_(OutboxMessage.status.is_(None), OutboxMessage.status.not_in(UNHEARD)),
        )
        .correlate_except(Mention, OutboxMessage)
    )


def heard(session: Session, kind: str, subjects: Collection[int], *, but: str = "") -> set[tuple[int, int, str]]:
    """(worker, subject, stage) of what was told of these subjects, or is about to be, by another message than `but`."""
    query = (
        select(Mention.worker_id, Mention.subject_id, Mention.stage)
        .outerjoin(OutboxMessage, OutboxMessage.dedup_key == Mention.message_key)
        .where(
            Mention.kind == kind,
            Mention.subject_id.in_(sorted(subjects)),
            Mention.message_key != but,
            or_(OutboxMessage.status.is_(None), OutboxMessage.status.not_in(UNHEARD)),
        )
    )
    return {(worker_id, subject_id, stage) for worker_id, subject_id, stage in session.execute(query)}


def mention(session: Session, kind: str, worker_id: int, told_of: Iterable[tuple[int, str]], message_key: str) -> None:
    """Write down what a message is going to tell: (subject, stage) of each matter."""
    rows = [
        {"kind": kind, "subject_id": subject, "worker_id": worker_id, "stage": stage, "message_key": message_key}
        for subject, stage in sorted(told_of)
    ]
    if not rows:
        return
    upsert = insert_for(session.get_bind().dialect)(Mention.__table__)
    keys = ["kind", "subject_id", "worker_id", "stage"]
    changed = {"message_key": upsert.excluded.message_key}
    session.execute(upsert.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def unmention(session: Session, message_key: str) -> None:
    """A message is about to be worded anew: what it was going to tell before, it may tell no longer."""
    session.execute(delete(Mention).where(Mention.message_key == message_key))


def day_word(column: Any) -> Any:
    """SQL: a day as its ISO word, for a stage."""
    return cast(column, String(10))
