"""An urgent result reaches the township at once; one that is not yet submitted, after ten minutes (M-8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from handlers import evaluation, recap
from handlers.menu import FORMS
from handlers.residents import looks_like_name
from handlers.turn import Turn
from models.conversation import Draft
from models.message import mark_name
from models.outbox import cancel, say
from models.people import HealthWorker, Organisation, Role
from models.record import Record

WAIT_FOR_ANSWER = timedelta(minutes=10)  # M-8


def supervisors_of(turn: Turn, village_id: int) -> Sequence[HealthWorker]:
    """The township's public-health staff above a village; the county's where the township has nobody."""
    village = turn.session.get_one(Organisation, village_id)
    for role in (Role.TOWNSHIP, Role.COUNTY):
        above = select(HealthWorker).where(
            HealthWorker.organisation_id.in_(village.ancestry()), HealthWorker.role == role, HealthWorker.active
        )
        if found := turn.session.scalars(above.order_by(HealthWorker.id)).all():
            return [worker for worker in found if worker.id != turn.worker.id]
    return []


def report(turn: Turn, record: Record) -> list[str]:
    """Tell the township about an urgent record now. Returns the names told, for the doctor to read."""
    told = supervisors_of(turn, record.village_id)
    for supervisor in told:
        say(
            turn.session,
            None,
            kind="alarm",
            reminder=FORMS[record.service].alarm,
            arguments={"record_id": record.id},
            worker_id=supervisor.id,
            dedup_key=f"alarm:{record.draft_key}:{supervisor.id}",
            now=turn.now,
        )
    return [supervisor.name for supervisor in told]


def watch(turn: Turn) -> list[str]:
    """If an open draft looks like an emergency, its supervisors hear of it in ten minutes unless it is settled first.

    Returns the advice of drafts seen to be emergencies just now: it is said at once, before any further question.
    """
    advice = []
    for draft in turn.conversation.drafts:
        sentence, resident = _emergency(turn, draft), turn.resident(draft.resident_id)
        if draft.alarmed and not sentence:
            unwatch(turn, draft, "the value was corrected")
        if draft.alarmed and resident is not None and _cancel(turn, draft, None, "it is known whose it is"):
            draft.alarmed = False
        if draft.alarmed or not sentence:
            continue
        draft.alarmed = True
        advice.append(f"🔴 紧急 {_whom(turn, draft)}:{sentence}")
        _tell_in_ten_minutes(turn, draft, sentence)
    return advice


def _whom(turn: Turn, draft: Draft) -> str:
    """The advice waits for no question, not even whose it is."""
    return recap.who(turn, draft) or (
        mark_name(draft.who) if looks_like_name(draft.who) else FORMS[draft.service].heading
    )


def _tell_in_ten_minutes(turn: Turn, draft: Draft, sentence: str) -> None:
    about = FORMS[draft.service].heading
    for supervisor in _supervisors(turn, draft.resident_id):
        say(
            turn.session,
            None,
            kind="alarm",
            reminder="unconfirmed_emergency",
            arguments={
                "resident_id": draft.resident_id, "worker_id": turn.worker.id, "say": sentence, "about": about
            },
            worker_id=supervisor.id,
            dedup_key=_key(turn, draft, draft.resident_id, supervisor),
            now=turn.now,
            not_before=turn.now + WAIT_FOR_ANSWER,
        )  # fmt: skip


def unwatch(turn: Turn, draft: Draft, reason: str = "settled by the doctor") -> None:
    """The draft was submitted, changed to something harmless or thrown away: the delayed alarm is not sent."""
    if draft.alarmed:
        draft.alarmed = False
        for resident_id in {draft.resident_id, None}:
            _cancel(turn, draft, resident_id, reason)


def _cancel(turn: Turn, draft: Draft, resident_id: int | None, reason: str) -> bool:
    """Whether there was anything to take back."""
    told = _supervisors(turn, resident_id)
    return cancel(turn.session, [_key(turn, draft, resident_id, supervisor) for supervisor in told], reason)


def _supervisors(turn: Turn, resident_id: int | None) -> Sequence[HealthWorker]:
    """Of the resident's village, or where nobody is named of the doctor's own."""
    resident = turn.resident(resident_id)
    return supervisors_of(turn, resident.village_id if resident else turn.worker.organisation_id)


def _key(turn: Turn, draft: Draft, resident_id: int | None, supervisor: HealthWorker) -> str:
    whose = resident_id if resident_id is not None else f"form{turn.conversation.drafts.index(draft)}"
    return f"unconfirmed:{turn.conversation.key}:{draft.service}:{whose}:{supervisor.id}"


def _emergency(turn: Turn, draft: Draft) -> str:
    for doubt in draft.doubts.values():
        if doubt.alarm:
            return doubt.alarm.removeprefix("🔴 ")
    return evaluation.emergency(turn, draft)
