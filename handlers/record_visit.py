"""A finished form becomes a record, its class and next date, a referral, the counters and the replies: one transaction."""

from __future__ import annotations

from collections import Counter
from datetime import date
from types import SimpleNamespace
from typing import Any

from sqlalchemy import bindparam, select

from handlers import alarm, recap
from handlers.absence import AWAY, DIED, MOVED, SEEN, ask_again_on, gone_since, not_seen
from handlers.decisions import Decision, Urgency
from handlers.evaluation import Evaluation, due_before, evaluate, known_of, without
from handlers.form import Form, day_of, due_words
from handlers.menu import FORMS
from handlers.turn import Turn
from models import agreements, referrals, registry
from models.conversation import Draft
from models.effects import counted, record_effects
from models.enrolment import SETTLED, Enrolment, settle
from models.people import Resident, Status
from models.prepared import Prepared
from models.record import AuditEntry, Record, write
from models.services import FIRST_SERVICE, PROGRAMMES
from models.tally import count, difference

LATE_ENTRY_DAYS = 7
LOOKED_BACK = 24  # records of one programme; more visits than that without anybody seen are not a history any more
FACE_TO_FACE = (1, 2)
CLOSED = "结案:"  # how the reason begins when a record closed the programme
STATUS_OF = {AWAY: Status.ABSENT, DIED: Status.DIED, MOVED: Status.MOVED}


def submit(turn: Turn) -> None:
    """Record every open draft and say so.

    1. Each draft becomes one record; a draft submitted before (the same button twice) is found by its key.
    2. The protocol decides class, urgency, next date and referral from the answers and the resident's history.
    3. What follows from the service itself is done (an agreement, a registration).
    4. The enrolment takes the new due date, if this is its latest visit.
    5. A referral is opened, an emergency reported to the township.
    6. The counters move by the difference, and the doctor reads one line per record, the urgent ones first.
    """
    conversation = turn.conversation
    lines: list[tuple[int, str]] = []
    made: list[int] = []
    for index, draft in enumerate(conversation.drafts):
        record = _record(turn, draft, f"{conversation.key}.{index}")
        made.append(record.id)
        lines.append(_line(turn, draft, record))
    for draft in conversation.drafts:
        alarm.unwatch(turn, draft)
    conversation.last["key"] = conversation.key
    conversation.last["records"] = made
    conversation.close()
    lines.sort(key=lambda line: line[0])
    turn.say("\n".join(text for _, text in lines), recap.AFTERWARDS)


_TAKEN = Prepared(select(Record.id).where(Record.draft_key == bindparam("key")))


def _record(turn: Turn, draft: Draft, key: str) -> Record:
    """Write one draft down, with everything that follows from it."""
    session, form = turn.session, FORMS[draft.service]
    if _TAKEN.first(session, key=key):
        return session.scalars(select(Record).where(Record.draft_key == key)).one()
    corrected = session.get_one(Record, draft.corrects) if draft.corrects else None
    with counted(session, [draft.resident_id] if draft.resident_id is not None else []):
        if corrected is not None:
            set_aside(turn, corrected, "corrected")
            _audit(turn, corrected, "record_corrected", {"into": key})
            session.flush()
        evaluation = evaluate(turn, draft)
        record = _new_record(turn, form, draft, evaluation, key, corrected)
        write(session, record)
        form.finish(turn, record)
        _follow_up(turn, form, record, evaluation)
        _note_absence(turn, record)
        if evaluation.decision and evaluation.decision.refer and record.resident_id is not None:
            _refer(turn, record, evaluation.decision)
        session.flush()
    if draft.resident_id is None:  # an event, or a resident who did not exist when counting began
        count(session, record_effects(record))
    return record


def set_aside(turn: Turn, record: Record, status: str) -> None:
    """A record is corrected or withdrawn: it stays in the history, and what followed from it is closed."""
    session = turn.session
    if record.resident_id is None:
        count(session, difference(Counter(), record_effects(record)))
    record.status = status
    _forget_details(turn, record)
    _undo_absence(turn, record)
    agreements.release(session, record)
    referrals.release(session, record, turn.now, status)


def _forget_details(turn: Turn, record: Record) -> None:
    """What only this record had told of the enrolment is not known any more; what others told, they tell again."""
    enrolment = turn.enrolments(record.resident_id).get(record.programme or "")
    if enrolment is not None:
        enrolment.details = without(enrolment.details, record.owes)


def _new_record(
    turn: Turn, form: Form, draft: Draft, evaluation: Evaluation, key: str, corrected: Record | None
) -> Record:
    """The row; a correction stays the work of whoever did it, and the audit says who corrected it."""
    answers, decision = evaluation.answers, evaluation.decision
    day = day_of(answers, turn.today)
    resident = turn.resident(draft.resident_id)
    known = known_of(turn, draft)
    return Record(
        draft_key=key,
        service=form.code,
        programme=form.programme,
        resident_id=draft.resident_id,
        worker_id=corrected.worker_id if corrected else turn.worker.id,
        village_id=resident.village_id if resident else answers.get("village_id") or turn.worker.organisation_id,
        on=day,
        mode=answers.get("mode"),
        channel=turn.incoming.channel,
        answers={name: value for name, value in answers.items() if name != "on"},
        classification=decision.classification if decision else None,
        urgency=str(decision.urgency) if decision else str(Urgency.ROUTINE),
        rules=list(decision.rules) if decision else [],
        protocol_version=decision.version if decision else None,
        next_due_on=evaluation.due.on,
        due_before=due_before(turn, draft, evaluation.enrolment),
        referral=_referral_of(answers, decision),
        owes=evaluation.due.to_json(),
        marks=[] if not_seen(answers) else form.marks(answers, decision, known),
        counts=form.amounts(answers, known),
        status="current",
        corrects_id=draft.corrects,
        flags=_flags(turn, form, day, decision, evaluation),
        recorded_at=turn.now,
    )


def _referral_of(answers: dict[str, Any], decision: Decision | None) -> dict[str, Any] | None:
    if (decision is None or not decision.refer) and "referral_to" not in answers:
        return None
    reason = answers.get("referral_reason") or ("; ".join(decision.reasons) if decision and decision.refer else "")
    return {
        "reason": reason,
        "to": answers.get("referral_to", ""),
        "urgency": str(decision.urgency) if decision else "refer",
    }


def _flags(turn: Turn, form: Form, day: date, decision: Decision | None, evaluation: Evaluation) -> list[str]:
    """Facts about how it was recorded. Late is marked, never refused."""
    flags = list(decision.flags) if decision else []
    due = evaluation.enrolment.next_due_on if evaluation.enrolment else None
    if due is not None and day > due:
        flags.append("late_visit")
    if (turn.today - day).days > LATE_ENTRY_DAYS:
        flags.append("late_entry")
    if form.programme is not None and decision is not None and not evaluation.is_enrolled:
        flags.append("not_enrolled")
    if not_seen(evaluation.answers):
        flags.append("not_seen")
    return flags


def _follow_up(turn: Turn, form: Form, record: Record, evaluation: Evaluation) -> None:
    """Move the enrolment's due date, unless a later visit is already recorded; enrol first where the doctor said so."""
    if form.programme is None or record.resident_id is None:
        return
    enrolment = evaluation.enrolment
    if (enrolment is None or enrolment.ended_on is not None) and evaluation.answers.get("enrol") == 1:
        resident = turn.resident(record.resident_id)
        assert resident is not None
        enrolment = registry.enrol(
            turn.session, resident, form.programme, since=record.on, next_due_on=record.next_due_on
        )
        turn.forget_enrolments(resident.id)
    if enrolment is not None and (enrolment.ended_on is None or _ended_by_a_record(enrolment)):
        settle_due_date(turn, enrolment, fallback=record.due_before)


_LATEST = Prepared(
    select(
        Record.on.label("on"),
        Record.service,
        Record.urgency,
        Record.classification,
        Record.next_due_on,
        Record.owes,
        Record.answers["outcome"].as_integer().label("outcome"),
        Record.answers["back_on"].as_string().label("back_on"),
    )
    .where(
        Record.resident_id == bindparam("resident"),
        Record.programme == bindparam("programme"),
        Record.status == "current",
    )
    .order_by(Record.on.desc(), Record.id.desc())
    .limit(LOOKED_BACK)
)


def settle_due_date(turn: Turn, enrolment: Enrolment, fallback: date | None, withdrawn: Record | None = None) -> None:
    """What is due, and the class and urgency, are those of the latest current records; without any, what stood before.

    1. The latest record of the programme decides until when reminders rest; one at which nobody was seen nothing else.
    2. What is remembered of the enrolment is what all of them told, a later one coming before an earlier one.
    3. The latest one at which the resident was seen decides the next visit, its window and form.
    4. A record that closes the programme ends the enrolment; when it is withdrawn, the enrolment goes on. What closed
       it before it began anew is of the past.
    5. Attempts in vain leave standing what was due; so does the only record when it is withdrawn, and what it was is
       due again in a programme that begins with a service of its own.
    """
    turn.session.flush()
    records = _LATEST.rows(turn.session, resident=enrolment.resident_id, programme=enrolment.programme)
    closed = next((n for n, r in enumerate(records) if r.on < enrolment.since and (r.owes or {}).get("ended")), None)
    records = records[:closed]
    newest = records[0] if records else None
    stands = SimpleNamespace(**{name: getattr(enrolment, name) for name in SETTLED})
    stands.snoozed_until = _rests_until(newest) if newest else None
    for record in reversed(records):  # also one that is entered late tells something, a vaccine given in spring
        if details := (record.owes or {}).get("details"):
            stands.details = {**stands.details, **details}
    latest = next((record for record in records if not not_seen(_outcome(record))), None)
    if latest is not None:
        _decide(stands, latest)
    else:
        stands.next_due_on = fallback or (newest.next_due_on if newest else None)
        stands.classification, stands.urgency = None, str(Urgency.ROUTINE)
        if newest is None:
            stands.due_from = None
            again = withdrawn if enrolment.programme in FIRST_SERVICE else None
            stands.next_service = again.service if again else None
    settle(turn.session, enrolment, vars(stands))


def _decide(stands: Any, latest: Any) -> None:
    """What the latest record at which the resident was seen decides."""
    owes = latest.owes or {}
    stands.next_due_on = latest.next_due_on or stands.next_due_on
    stands.next_service = owes.get("service")
    stands.due_from = date.fromisoformat(owes["opens_on"]) if "opens_on" in owes else None
    stands.urgency = owes.get("urgency", latest.urgency)
    if ended := owes.get("ended"):
        stands.ended_on, stands.end_reason, stands.next_due_on = latest.on, f"{CLOSED}{ended}"[:64], None
    elif _ended_by_a_record(stands):
        stands.ended_on = stands.end_reason = None
    protocol = FORMS[latest.service].protocol
    if latest.classification is not None and protocol is not None:
        stands.classification = protocol.classifications.get(latest.classification)


def _rests_until(newest: Any) -> date | None:
    """Until when nobody is reminded: after an attempt in vain until the next one."""
    if not not_seen(_outcome(newest)):
        return None
    return newest.next_due_on or ask_again_on(_outcome(newest), newest.on)


def _outcome(record: Any) -> dict[str, Any]:
    """The answers that tell whether the resident was seen, and when to ask again."""
    return {"outcome": SEEN if record.outcome is None else record.outcome, "back_on": record.back_on}


def _ended_by_a_record(enrolment: Any) -> bool:
    return (enrolment.end_reason or "").startswith(CLOSED)


def _note_absence(turn: Turn, record: Record) -> None:
    """Away, died or moved: the resident's own status follows the record that tells it."""
    resident = turn.resident(record.resident_id)
    if resident is None:
        return
    outcome = record.answers.get("outcome", SEEN)
    gone = gone_since(record.answers, record.on)
    if gone is not None and resident.status != STATUS_OF[outcome]:
        _set_status(turn, resident, STATUS_OF[outcome], gone, record)
    elif outcome == AWAY and resident.status == Status.ACTIVE:
        _set_status(turn, resident, Status.ABSENT, record.on, record)
    elif outcome == SEEN and resident.status == Status.ABSENT and record.mode in FACE_TO_FACE:
        _set_status(turn, resident, Status.ACTIVE, record.on, record)


def _undo_absence(turn: Turn, record: Record) -> None:
    """A death, a move or an absence told by mistake: what it had stopped goes on."""
    resident = turn.resident(record.resident_id)
    told = STATUS_OF.get(record.answers.get("outcome", SEEN))
    if resident is not None and told is not None and resident.status == told:
        _set_status(turn, resident, Status.ACTIVE, record.on, record)


def _set_status(turn: Turn, resident: Resident, status: Status, on: date, record: Record) -> None:
    registry.set_status(turn.session, resident, status, on, f"record:{record.id}", turn.now, by=turn.worker.id)


def _refer(turn: Turn, record: Record, decision: Decision) -> None:
    """Open the referral to be asked about, or join the one of the same transfer."""
    referrals.refer(
        turn.session,
        record,
        urgency=record.urgency,
        reason=record.answers.get("referral_reason") or "; ".join(decision.reasons),
        to=record.answers.get("referral_to", ""),
        today=turn.today,
    )


def _line(turn: Turn, draft: Draft, record: Record) -> tuple[int, str]:
    """(rank, what the doctor reads) for one record just made."""
    form = FORMS[record.service]
    name = recap.who(turn, draft)
    urgency = Urgency(record.urgency)
    label = form.protocol.classifications.get(record.classification or 0, "") if form.protocol else ""
    discreet = form.heading != form.title
    text = f"✅ 已记录:{name} {form.heading}".replace(": ", ":") + (f"({label})" if label and not discreet else "")
    if not_seen(record.answers):
        text += f"({form.labels(record.answers).get('outcome', '未访到')})"
    if record.next_due_on:
        text += f",{record.next_due_on} 再提醒" if not_seen(record.answers) else f",下次 {_when(record)}"
    if receipt := form.receipt({**record.answers, "on": record.on.isoformat()}):
        text += f",{receipt}"
    if "not_enrolled" in record.flags and form.programme:
        text += f"。未纳入{'这个项目' if discreet else PROGRAMMES[form.programme]}管理"
    if urgency == Urgency.EMERGENCY or "tell_township" in record.flags:
        told = alarm.report(turn, record)
        text += "\n" + (f"已通知{'、'.join(told)}。" if told else "⚠️ 没有可通知的公卫科人员,请直接打电话给卫生院。")
    if urgency == Urgency.EMERGENCY and record.resident_id is not None:
        text += "明天会问您病人到医院了没有。"
    return urgency.rank, text


def _audit(turn: Turn, record: Record, action: str, details: dict[str, Any]) -> None:
    entry = AuditEntry(
        at=turn.now, worker_id=turn.worker.id, action=action, subject=f"record:{record.id}", details=details
    )
    turn.session.add(entry)


def _when(record: Record) -> str:
    """When the next visit is due, as the record says it."""
    opens = (record.owes or {}).get("opens_on")
    return due_words(record.next_due_on, date.fromisoformat(opens) if opens else None)


def withdraw(turn: Turn, record: Record, reason: str) -> None:
    """撤销: the record stays in the history, the counters and the due date go back, its referral is closed."""
    session = turn.session
    with counted(session, [record.resident_id] if record.resident_id is not None else []):
        set_aside(turn, record, "withdrawn")
        if form := FORMS.get(record.service):
            form.undo(turn, record)
        _audit(turn, record, "record_withdrawn", {"reason": reason})
        enrolment = turn.enrolments(record.resident_id).get(record.programme or "")
        if enrolment is not None:
            settle_due_date(turn, enrolment, fallback=record.due_before, withdrawn=record)
        session.flush()
