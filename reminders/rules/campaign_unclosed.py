"""Results followed to the hospital and not closed in time: the doctor and the township, once a week. 追踪未结案"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from handlers.campaigns.positives import followed_words
from models.campaign import ScreeningResult
from models.county import county
from models.enrolment import VISITED
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Organisation, Resident, Role
from models.record import Record
from models.scope import scope_of
from models.screening import TRACKED
from models.screening_results import close_within, followed, is_past, late
from reminders.reminder import Context, Gone, Reminder

SHOWN = 6


def audience(session: Session, day: date) -> Iterable[int]:
    """Whoever sees a village with a result that has been open for long, though its resident reached the hospital."""
    query = (
        select(ScreeningResult.village_id, Organisation.path)
        .join(Organisation, Organisation.id == ScreeningResult.village_id)
        .join(Record, Record.id == ScreeningResult.record_id)
        .outerjoin(Resident, Resident.id == ScreeningResult.resident_id)
        .where(
            ScreeningResult.result.in_(TRACKED), ScreeningResult.closed_on.is_(None),
            ScreeningResult.arrived_on.is_not(None), is_past(close_within, county(session), day),
            Record.status == "current", or_(Resident.id.is_(None), Resident.status.in_(VISITED)),
        )
        .distinct()
    )  # fmt: skip
    villages: dict[int, str] = dict(session.execute(query).all())
    if not villages:
        return []
    seats = {int(part) for path in villages.values() for part in path.strip("/").split("/")}
    workers = session.scalars(
        select(HealthWorker).where(HealthWorker.role.in_((Role.DOCTOR, Role.TOWNSHIP)), HealthWorker.active)
    )
    return [
        worker.id
        for worker in workers
        if (set(worker.villages) & villages.keys() if worker.role == Role.DOCTOR else worker.organisation_id in seats)
    ]


def words(context: Context) -> OutgoingMessage:
    """Who arrived and is not closed yet, the longest first. Nothing of the result itself."""
    scope = scope_of(context.session, context.worker)
    found = [f for f in late(followed(context.session, scope, context.settings), context.today) if f.arrived]
    if not found:
        raise Gone("everything is closed")
    lines = [f"有{len(found)}项检查后还没有结案,请问清结论后结案:"]
    lines += [f"{n}. {followed_words(one, context.today)}" for n, one in enumerate(found[:SHOWN], 1)]
    if len(found) > SHOWN:
        lines.append(f"还有{len(found) - SHOWN}项,发“活动 追踪”看全部。")
    choices = [Choice(f"follow.{one.row.record_id}", f"{n} 记追踪", str(n)) for n, one in enumerate(found[:5], 1)]
    return OutgoingMessage("\n".join(lines), tuple(choices))


reminder = Reminder(
    code="campaign_unclosed",
    title="追踪未结案",
    audience=audience,
    words=words,
    opens="screening_follow_up",
    whom="村医、公卫科",
    ends="都结案了",
)
