"""A draft as it would be recorded: what is known of the resident, what the protocol concludes, and what is due next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from handlers import decisions
from handlers.absence import gone_since, not_seen
from handlers.areas import areas_in
from handlers.decisions import Decision, Findings, PastVisit, Urgency, decide, decide_unseen
from handlers.form import Due, day_of
from handlers.menu import FORMS
from handlers.steps import Known
from handlers.turn import Turn
from models.agreements import standing
from models.conversation import Draft
from models.enrolment import VISITED, Enrolment
from models.people import Resident
from models.prepared import Prepared
from models.record import Record

HISTORY = 8  # visits looked back on: two years of quarterly ones


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A draft as it would be recorded: complete answers and what the protocol says to them."""

    on: date
    answers: dict[str, Any]
    decision: Decision | None
    enrolment: Enrolment | None
    due: Due

    @property
    def is_enrolled(self) -> bool:
        """In the programme on that day, or from this record on."""
        return _stands(self.enrolment, self.on) or self.answers.get("enrol") == 1


def _stands(enrolment: Enrolment | None, on: date) -> bool:
    return enrolment is not None and (enrolment.ended_on is None or enrolment.since <= on <= enrolment.ended_on)


def is_in_programme(turn: Turn, draft: Draft) -> bool:
    """Is the resident in the form's programme on the draft's day?"""
    enrolment = turn.enrolments(draft.resident_id).get(FORMS[draft.service].programme or "")
    return _stands(enrolment, day_of(draft.answers, turn.today))


def known_of(turn: Turn, draft: Draft) -> Known:
    """What the draft's steps may look at; it sees the answers change, so it is put together once a message."""
    key = id(draft), id(draft.answers), draft.resident_id, draft.answers.get("on")
    known: Known | None = turn.known.get(key)
    if known is None:
        known = turn.known[key] = _known_of(turn, draft)
    return known


def _known_of(turn: Turn, draft: Draft) -> Known:
    resident = turn.resident(draft.resident_id)
    day = day_of(draft.answers, turn.today)
    villages = turn.villages if FORMS[draft.service].about != "resident" else ()
    if resident is None:
        return Known(
            turn.said_on,
            draft.answers,
            villages=villages,
            areas=lambda: areas_in(turn.session, turn.scope),
            settings=turn.settings,
        )
    enrolments = turn.enrolments(resident.id)
    own = enrolments.get(FORMS[draft.service].programme or "")
    return Known(
        turn.said_on,
        draft.answers,
        resident.sex,
        resident.age_on(day),
        villages,
        born_on=resident.born_on,
        programmes=frozenset(code for code, enrolment in enrolments.items() if enrolment.ended_on is None),
        since=own.since if own else None,
        details=_details(turn, own, draft),
        settings=turn.settings,
        agreements=lambda: standing(turn.session, resident.id, turn.worker.id, draft.corrects),
        past=lambda: past_visits(turn, draft),
        last=lambda field: last_value(turn, resident.id, day, field, draft.corrects),
    )


def plainly_known(turn: Turn, resident: Resident) -> Known:
    """What is known of somebody about whom nothing is being said: enough to see which form is due."""
    return Known(turn.today, sex=resident.sex, age=resident.age_on(turn.today), born_on=resident.born_on)


def _details(turn: Turn, enrolment: Enrolment | None, draft: Draft) -> Mapping[str, Any]:
    """What the enrolment remembers; a record being corrected has told it nothing."""
    if enrolment is None:
        return {}
    corrected = turn.session.get(Record, draft.corrects) if draft.corrects else None
    return without(enrolment.details, corrected.owes) if corrected else enrolment.details


def without(details: Mapping[str, Any], owes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Details without those that a record had added."""
    told = (owes or {}).get("details", {})
    return {name: value for name, value in details.items() if name not in told or told[name] != value}


@cache
def _past(programme: str | None, service: str) -> Prepared:
    """The current records of a programme's services up to a day, newest first; of a service alone without one."""
    same = [form.code for form in FORMS.values() if form.programme == programme] if programme else [service]
    columns = Record.id, Record.on, Record.service, Record.mode, Record.classification, Record.answers
    return Prepared(
        select(*columns)
        .where(
            Record.resident_id == bindparam("resident"),
            or_(*(Record.service == code for code in same)),
            Record.status == "current",
            Record.on <= bindparam("day"),
        )
        .order_by(Record.on.desc(), Record.id.desc())
        .limit(HISTORY)
    )


def past_visits(turn: Turn, draft: Draft, *, attempts: bool = False) -> list[PastVisit]:
    """The earlier visits of this programme (or service) up to the draft's day, newest first, as a protocol sees them.

    Visits at which nobody was seen say nothing but that they were attempts.
    """
    form, day = FORMS[draft.service], day_of(draft.answers, turn.today)
    rows = _past(form.programme, form.code).rows(turn.session, resident=draft.resident_id, day=day)
    return [
        PastVisit(on, service, mode, classification, answers)
        for key, on, service, mode, classification, answers in rows
        if key != draft.corrects and (attempts or not not_seen(answers))
    ]


def last_value(turn: Turn, resident_id: int, day: date, field: str, corrects: int | None = None) -> Any:
    """What the latest records before a day say of a field, whatever the service; None where none of them has it."""
    query = (
        select(Record.id, Record.answers)
        .where(Record.resident_id == resident_id, Record.status == "current", Record.on <= day)
        .order_by(Record.on.desc(), Record.id.desc())
        .limit(HISTORY)
    )
    return next((a[field] for key, a in turn.session.execute(query) if key != corrects and field in a), None)


def last_seen_on(turn: Turn, draft: Draft) -> date | None:
    """The last day on which any service was recorded for the resident."""
    query = select(func.max(Record.on)).where(Record.resident_id == draft.resident_id, Record.status == "current")
    return turn.session.scalar(query)


def evaluate(turn: Turn, draft: Draft, **assumed: Any) -> Evaluation:
    """What would be recorded. `assumed` values stand in for a doubtful one, to see whether it would be an emergency."""
    form = FORMS[draft.service]
    known = known_of(turn, draft)
    answers = form.complete({**draft.answers, **assumed}, known)
    enrolment = turn.enrolments(draft.resident_id).get(form.programme or "")
    day = day_of(answers, turn.today)
    enrols = form.enrols == "always" and form.programme is not None and draft.resident_id is not None
    if not_seen(answers):
        seen_or_not = {"enrol": 1, **answers} if enrols else answers
        return _evaluate_unseen(turn, draft, known, seen_or_not, enrolment)
    decision = None
    if form.protocol is not None and draft.resident_id is not None:
        due_on = due_before(turn, draft, enrolment)
        decision = decide(form.protocol, _findings(turn, known, answers, known.past(), due_on))
    elif form.protocol is not None and form.about == "event":
        decision = decide(form.protocol, _findings(turn, known, answers, (), None))
    outside = decision is not None and "outside_programme" in decision.flags
    if enrols and not outside:
        answers.setdefault("enrol", 1)
    resident = turn.resident(draft.resident_id)
    if resident is not None and resident.status not in VISITED:  # recorded late, and nothing is due any more
        return Evaluation(day, answers, decision, enrolment, Due())
    due = form.owes(answers, decision, replace(known, answers=answers))
    return Evaluation(day, answers, decision, enrolment, replace(due, on=_next_due(answers, decision, due.on)))


def due_before(turn: Turn, draft: Draft, enrolment: Enrolment | None) -> date | None:
    """The due date that stood before this record; for a correction, before the record it corrects."""
    corrected = turn.session.get(Record, draft.corrects) if draft.corrects else None
    return corrected.due_before if corrected else enrolment.next_due_on if enrolment else None


def _evaluate_unseen(
    turn: Turn, draft: Draft, known: Known, answers: dict[str, Any], enrolment: Enrolment | None
) -> Evaluation:
    """Nobody was seen: the protocol may say when to try again, and whom to tell."""
    protocol, day = FORMS[draft.service].protocol, day_of(answers, turn.today)
    if protocol is None or not protocol.unseen or gone_since(answers, day):
        return Evaluation(day, answers, None, enrolment, Due())
    attempts = past_visits(turn, draft, attempts=True)
    decision = decide_unseen(protocol, _findings(turn, known, answers, attempts, None))
    return Evaluation(day, answers, decision, enrolment, Due(on=decision.next_due_on if decision else None))


def _findings(
    turn: Turn, known: Known, answers: dict[str, Any], past: Sequence[PastVisit], due_on: date | None
) -> Findings:
    return Findings(
        on=day_of(answers, turn.today),
        answers=answers,
        age=known.age,
        sex=known.sex,
        history=past,
        due_on=due_on,
        settings=turn.settings,
        born_on=known.born_on,
        since=known.since,
        details=known.details,
    )


def emergency(turn: Turn, draft: Draft, **assumed: Any) -> str:
    """What to do at once if the values alone, without any history, are an emergency; "" when they are none."""
    form, known = FORMS[draft.service], known_of(turn, draft)
    if form.protocol is None:
        return ""
    told = {**draft.answers, **assumed}
    answers = form.complete(told, replace(known, answers=told) if assumed else known)
    return "" if not_seen(answers) else decisions.emergency(form.protocol, _findings(turn, known, answers, (), None))


def _next_due(answers: dict[str, Any], decision: Decision | None, owed: date | None) -> date | None:
    """The doctor's own date, unless the protocol wants the resident seen earlier than an unhurried one."""
    said = date.fromisoformat(answers["next_due_on"]) if "next_due_on" in answers else None
    if said is None or owed is None:
        return said or owed
    return said if decision is None or decision.urgency == Urgency.ROUTINE else min(said, owed)
