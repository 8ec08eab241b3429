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
        resident = turn.resident(draft.resident_id)
        sentence = _emergency(turn, draft)
        if resident is None:
            advice += _before_it_is_known_whose(turn, draft, sentence)
            continue
        if draft.alarmed and not sentence:
            unwatch(turn, draft, "the value was corrected")
        if draft.alarmed or not sentence:
            continue
        draft.alarmed = True
        advice.append(f"🔴 紧急 {recap.who(turn, draft)}:{sentence}")
        for supervisor in supervisors_of(turn, resident.village_id):
            say(
                turn.session,
                None,
                kind="alarm",
                reminder="unconfirmed_emergency",
                arguments={"resident_id": resident.id, "worker_id": turn.worker.id, "say": sentence},
                worker_id=supervisor.id,
                dedup_key=_key(turn, draft, supervisor),
                now=turn.now,
                not_before=turn.now + WAIT_FOR_ANSWER,
            )
    return advice


def _before_it_is_known_whose(turn: Turn, draft: Draft, sentence: str) -> list[str]:
    """The advice does not wait for the question who it is, nor for the last one of an event's report."""
    form = FORMS[draft.service]
    said, draft.alarmed = draft.alarmed, bool(sentence) and form.about == "event"
    who = recap.who(turn, draft) or (mark_name(draft.who) if looks_like_name(draft.who) else form.heading)
    return [f"🔴 紧急 {who}:{sentence}"] if sentence and not said else []


def unwatch(turn: Turn, draft: Draft, reason: str = "settled by the doctor") -> None:
    """The draft was submitted, changed to something harmless or thrown away: the delayed alarm is not sent."""
    resident = turn.resident(draft.resident_id)
    if draft.alarmed and resident is not None:
        draft.alarmed = False
        for supervisor in supervisors_of(turn, resident.village_id):
            cancel(turn.session, _key(turn, draft, supervisor), reason)


def _key(turn: Turn, draft: Draft, supervisor: HealthWorker) -> str:
    return f"unconfirmed:{turn.conversation.key}:{draft.service}:{draft.resident_id}:{supervisor.id}"


def _emergency(turn: Turn, draft: Draft) -> str:
    for doubt in draft.doubts.values():
        if doubt.alarm:
            return doubt.alarm.removeprefix("🔴 ")
    return evaluation.emergency(turn, draft)
