"""The end of a doctor's service-purchase agreement, and the last day of a training duty: 60, 30, 7 days before and on the day.

To the doctor, and in one message to the township. Both days come with the roster (协议到期, 培训截止). 协议与培训到期
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.mention import heard, mention
from models.message import OutgoingMessage
from models.people import HealthWorker, Organisation, Role
from models.terms import TERMS, Term, terms_of
from reminders.reminder import Context, Gone, Reminder
from reminders.stages import stage

DAYS_BEFORE = (60, 30, 7, 0)
EVERY = 30  # days between two reminders of what has ended
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Due:
    """A term of which it is time to speak, and with whom: the doctor, and whoever supervises the township."""

    doctor: HealthWorker
    path: str
    term: Term
    stage: str

    def is_untold(self, told: dict[str, set[tuple[int, int, str]]], worker_id: int) -> bool:
        return (worker_id, self.doctor.id, self.stage) not in told[self.term.code]


def _due(session: Session, day: date) -> list[Due]:
    """Of the active doctors, by code."""
    query = (
        select(HealthWorker, Organisation.path)
        .join(Organisation, Organisation.id == HealthWorker.organisation_id)
        .where(HealthWorker.role == Role.DOCTOR, HealthWorker.active)
        .order_by(HealthWorker.code)
    )
    return [
        Due(doctor, path, term, reached)
        for doctor, path in session.execute(query)
        for term in terms_of(doctor)
        if (reached := stage(term.ends_on, day, DAYS_BEFORE, every=EVERY))
    ]


def _told(session: Session, due: Iterable[Due], but: str = "") -> dict[str, set[tuple[int, int, str]]]:
    doctors = {one.doctor.id for one in due}
    return {code: heard(session, code, doctors, but=but) for code in TERMS}


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors with a term of which they were not told yet, and the supervisors of their townships who were not."""
    due = _due(session, day)
    told = _told(session, due)
    supervisors: dict[int, list[int]] = {}
    township = HealthWorker.role == Role.TOWNSHIP
    for worker_id, seat in session.execute(
        select(HealthWorker.id, HealthWorker.organisation_id).where(township, HealthWorker.active)
    ):
        supervisors.setdefault(seat, []).append(worker_id)
    return {
        listener
        for one in due
        for listener in (one.doctor.id, *(s for seat in _seats(one.path) for s in supervisors.get(seat, ())))
        if one.is_untold(told, listener)
    }


def _seats(path: str) -> list[int]:
    return [int(part) for part in path.strip("/").split("/")]


def words(context: Context) -> OutgoingMessage:
    """One's own terms; to a township everybody's of which it was not told yet, by name."""
    session, worker, today = context.session, context.worker, context.today
    due = _due(session, today)
    told = _told(session, due, but=context.message_key)
    seat = worker.organisation_id
    own = worker.role == Role.DOCTOR
    due = [one for one in due if (one.doctor.id == worker.id if own else seat in _seats(one.path))]
    due = [one for one in due if one.is_untold(told, worker.id)]
    if not due:
        raise Gone("renewed or done")
    for code in TERMS:
        matters = [(one.doctor.id, one.stage) for one in due if one.term.code == code]
        mention(session, code, worker.id, matters, context.message_key)
    if own:
        return OutgoingMessage("\n".join(f"您的{_line(one.term, today)}{TERMS[one.term.code].advice}" for one in due))
    lines = [f"· {one.doctor.name} {_line(one.term, today)}" for one in due[:SHOWN]]
    if len(due) > SHOWN:
        lines.append(f"还有{len(due) - SHOWN}项。")
    return OutgoingMessage("\n".join([f"村医协议和培训到期提醒({len(due)}项):", *lines]))


def _line(term: Term, today: date) -> str:
    days = (term.ends_on - today).days
    when = f"还有{days}天" if days > 0 else "今天" if days == 0 else f"已过{-days}天"
    return f"{TERMS[term.code].title}{term.ends_on}到期({when})。"


reminder = Reminder(
    code="plan_terms",
    title="协议与培训到期",
    audience=audience,
    words=words,
    whom="村医本人和公卫科;到期前60、30、7天、当天,过期后每30天",
    ends="续签或完成(花名册改了日期)",
)
