"""Within 72 hours of the notice a TB patient is visited at home (domain.md A4, M-26): the doctor hears of it the day before and on the last day, the township when it has passed. 72小时首次入户"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from handlers.residents import describe_on
from models.enrolment import VISITED, Enrolment
from models.message import Choice, OutgoingMessage, mark_name
from models.people import Resident
from reminders.clock import Moment, at_hour
from reminders.digest import Asked
from reminders.reminder import Context, Gone, Reminder

SERVICE = "tb_first_visit"
MIDNIGHT = 24
HOURS = ((1, "17:00"), (0, "09:00"), (0, "15:00"))
"""(days before the last one, hour): without the hour of the notice, the term ends with the third day after it."""


def moments(asked: Asked, first: date, last: date) -> Iterable[Moment]:
    """The doctor's, of first visits that are owed."""
    for enrolment_id, village_id, due_on, ends_at in _owed(asked, first, last + timedelta(days=1)):
        for number, (before, hour) in enumerate(HOURS):
            day = due_on - timedelta(days=before)
            if first <= day <= last and (before or int(hour[:2]) < ends_at):
                yield _moment(enrolment_id, village_id, due_on, f"{number}", day, hour, asked)


def moments_missed(asked: Asked, first: date, last: date) -> Iterable[Moment]:
    """The township's, the morning after the term."""
    for enrolment_id, village_id, due_on, _ in _owed(asked, first - timedelta(days=1), last - timedelta(days=1)):
        yield _moment(enrolment_id, village_id, due_on, "missed", due_on + timedelta(days=1), "08:00", asked)


def _owed(asked: Asked, first: date, last: date) -> Iterable[tuple[int, int, date, int]]:
    """(enrolment, village, last day, hour at which it ends that day)."""
    query = (
        select(Enrolment.id, Enrolment.village_id, Enrolment.next_due_on, Enrolment.details)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(
            Enrolment.next_service == SERVICE,
            Enrolment.next_due_on.between(first, last),
            Enrolment.ended_on.is_(None),
            Resident.status.in_(VISITED),
        )
        .order_by(Enrolment.next_due_on, Enrolment.id)
    )
    rows = asked.session.execute(query)
    return [(key, village, due_on, _ends_at(told)) for key, village, due_on, told in rows if due_on is not None]


def _ends_at(details: Mapping[str, Any]) -> int:
    """The hour of the notice, where it is known; else the day's end (M-26)."""
    return int(details.get("notified_hour", MIDNIGHT))


def _moment(enrolment_id: int, village_id: int, due_on: date, which: str, day: date, hour: str, asked: Asked) -> Moment:
    arguments = {"enrolment_id": enrolment_id, "due_on": due_on.isoformat()}
    subject = f"{enrolment_id}.{due_on}.{which}"
    return Moment(subject=subject, organisation_id=village_id, at=at_hour(day, hour, asked.tz), arguments=arguments)


def _resident(context: Context) -> tuple[Resident, date, int]:
    """Whom the visit is owed to, and until when. Raises Gone when it was made, or is owed no more."""
    enrolment = context.session.get(Enrolment, context.arguments["enrolment_id"])
    due_on = date.fromisoformat(context.arguments["due_on"])
    if enrolment is None or enrolment.ended_on is not None:
        raise Gone("the enrolment has ended")
    if enrolment.next_service != SERVICE or enrolment.next_due_on != due_on:
        raise Gone("the visit was recorded")
    resident = context.session.get_one(Resident, enrolment.resident_id)
    if resident.status not in VISITED:
        raise Gone("the resident died or moved away")
    return resident, due_on, _ends_at(enrolment.details)


def words(context: Context) -> OutgoingMessage:
    """Whom, and until when; the illness is not named (promise 9)."""
    resident, due_on, hour = _resident(context)
    who = f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)}"
    until = f"今天{hour}点" if due_on == context.today else f"{due_on} {hour}点"
    text = f"⏰ 有一位要在72小时内首次入户,{until}前要见到:\n{who}\n两次没见到也请记一笔,公卫科会接着找。"
    return OutgoingMessage(text, (Choice(f"visit.{resident.id}", "开始记录"),), urgent=True)


def words_missed(context: Context) -> OutgoingMessage:
    """Who was not seen in time; the township calls the doctor, and after two failures the hospital."""
    resident, due_on, _ = _resident(context)
    who = f"{mark_name(resident.name)} {describe_on(context.session, resident, context.today)}"
    return OutgoingMessage(
        f"⏰ 72小时首次入户过了时限({due_on}),还没有记录:\n{who}\n请联系村医,必要时报告上级专业机构。", urgent=True
    )


ENDS = "首次入户已记录,或结案、死亡、迁出"
reminder = Reminder(
    code="first_visit", title="72小时首次入户", words=words, opens=SERVICE, whom="负责的村医", ends=ENDS
)
missed = Reminder(code="first_visit_missed", title="72小时首次入户超时", words=words_missed, whom="公卫科", ends=ENDS)
