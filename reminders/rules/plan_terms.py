"""The end of a doctor's service-purchase agreement, and the last day of a training duty: 60, 30, 7 days before and on the day.

To the doctor, and in one message to the township. Both days come with the roster (协议到期, 培训截止). 协议与培训到期
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.message import OutgoingMessage
from models.people import HealthWorker, Organisation, Role
from models.terms import TERMS, Term, terms_of
from reminders.reminder import Context, Gone, Reminder

DAYS_BEFORE = (60, 30, 7, 0)
EVERY = 30  # days between two reminders of what has ended
SHOWN = 10


def is_the_day(ends_on: date, day: date) -> bool:
    days = (ends_on - day).days
    return days in DAYS_BEFORE or (days < 0 and -days % EVERY == 0)


def _doctors(session: Session) -> list[tuple[HealthWorker, str]]:
    """The active doctors with the path of the village they sit in."""
    query = (
        select(HealthWorker, Organisation.path)
        .join(Organisation, Organisation.id == HealthWorker.organisation_id)
        .where(HealthWorker.role == Role.DOCTOR, HealthWorker.active)
        .order_by(HealthWorker.code)
    )
    return [(worker, path) for worker, path in session.execute(query)]


def _due(worker: HealthWorker, day: date) -> list[Term]:
    return [term for term in terms_of(worker) if is_the_day(term.ends_on, day)]


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors with a term on one of its days, and the townships above them."""
    due = [(worker, path) for worker, path in _doctors(session) if _due(worker, day)]
    seats = {int(part) for _, path in due for part in path.strip("/").split("/")}
    townships = select(HealthWorker.id).where(
        HealthWorker.role == Role.TOWNSHIP, HealthWorker.active, HealthWorker.organisation_id.in_(sorted(seats))
    )
    return [*(worker.id for worker, _ in due), *(session.scalars(townships) if seats else ())]


def words(context: Context) -> OutgoingMessage:
    """One's own terms; to a township everybody's whose day it is, by name."""
    session, worker, today = context.session, context.worker, context.today
    if worker.role == Role.DOCTOR:
        lines = [f"您的{_line(term, today)}{TERMS[term.code].advice}" for term in _due(worker, today)]
    else:
        seat = session.get_one(Organisation, worker.organisation_id).path
        below = [
            (doctor, term)
            for doctor, path in _doctors(session)
            if path.startswith(seat)
            for term in _due(doctor, today)
        ]
        lines = [f"· {doctor.name} {_line(term, today)}" for doctor, term in below[:SHOWN]]
        lines = [f"村医协议和培训到期提醒({len(below)}项):", *lines] if below else []
        if len(below) > SHOWN:
            lines.append(f"还有{len(below) - SHOWN}项。")
    if not lines:
        raise Gone("renewed or done")
    return OutgoingMessage("\n".join(lines))


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
