"""07:30: whom to visit today. 今日随访提醒. Rendered when it goes out, so a visit done at 07:29 is not in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers import appointments, referrals
from handlers.worklist import PER_PAGE, Line, lines_of
from models.appointment import Appointment, appointments_on
from models.enrolment import VISITED, Enrolment, due_visits
from models.message import Choice, OutgoingMessage, mark_name
from models.people import HealthWorker, Organisation, Resident, Role
from models.record import Referral
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors with a visit due or overdue, or a referral to ask about, in one of their villages."""
    due = (
        select(Enrolment.village_id)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(Enrolment.next_due_on <= day, Enrolment.ended_on.is_(None), Resident.status.in_(VISITED))
        .distinct()
    )
    asked = select(Referral.village_id).where(Referral.closed_at.is_(None), Referral.ask_on <= day).distinct()
    promised = select(Appointment.village_id).where(Appointment.closed_at.is_(None), Appointment.on <= day).distinct()
    villages = {*session.scalars(due), *session.scalars(asked), *session.scalars(promised)}
    doctors = select(HealthWorker.id, HealthWorker.villages).where(
        HealthWorker.role == Role.DOCTOR, HealthWorker.active
    )
    return [worker_id for worker_id, own in session.execute(doctors) if villages & set(own)]


def words(context: Context) -> OutgoingMessage:
    """Overdue and due, most urgent first; a button on each line opens the visit."""
    session, today = context.session, context.today
    scope = scope_of(session, context.worker)
    lines = lines_of(due_visits(session, scope, last=today))
    open_ones = referrals.to_ask(session, scope, today)
    promised = appointments_on(session, scope, today)
    if not lines and not open_ones and not promised:
        raise Gone("nothing due any more")
    late = sum(1 for line in lines if line.is_late(today))
    head = f"{context.worker.name},早上好!今天有{len(lines)}位要访" + (f",其中{late}位已逾期。" if late else "。")
    villages = dict(
        session.execute(
            select(Organisation.id, Organisation.name).where(Organisation.id.in_(scope.villages or ()))
        ).all()
    )
    texts = [
        head,
        *(_line(n, line, today, villages if len(villages) > 1 else {}) for n, line in enumerate(lines[:PER_PAGE], 1)),
    ]
    choices = [
        Choice(f"visit.{line.resident_id}", f"{n} {mark_name(line.visits[0].name)}", str(n))
        for n, line in enumerate(lines[:PER_PAGE], 1)
    ]
    texts[1:1] = [appointments.line(one, one.on == today) for one in promised[: appointments.MOST]]
    if len(lines) > PER_PAGE:
        texts.append(f"还有{len(lines) - PER_PAGE}位,点“今日”看全部。")
        choices.append(Choice("today", "今日"))
    if promised and Choice("today", "今日") not in choices:
        choices.append(Choice("today", "今日"))
    for referral, name in open_ones:
        texts.append(f"{referrals.question(referral, name)}点“今日”回答。")
        if Choice("today", "今日") not in choices:
            choices.append(Choice("today", "今日"))
    return OutgoingMessage("\n".join(texts), tuple(choices))


def _line(number: int, line: Line, today: date, villages: dict[int, str]) -> str:
    return f"{number}. {line.text(today, villages)}"


reminder = Reminder(
    code="morning_digest", title="今日随访提醒", audience=audience, words=words, opens="hypertension_follow_up"
)
