"""The loop of a referral: sent, arrived, result, back home; asked about until it is closed, counted once. 双向转诊

One transfer is one row, whatever opened it: an urgent visit, a positive screening, a 转诊单. What speaks of the same
transfer joins the row. As 上转 it counts by the 上转 record; where there is none, by the row itself once the doctor has
said that the patient arrived. As 下转 it counts by the 下转 record alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select
from sqlalchemy.orm import Session

from models.people import Resident
from models.record import Record, Referral
from models.scope import Scope
from models.screening_results import follow_referral
from models.tally import Effects, count, difference

ASK_AFTER = {"emergency": timedelta(days=1), "refer": timedelta(days=14)}
"""When the doctor is asked whether the patient arrived: an emergency the next day (M-13), otherwise the norm's 2周内."""
RESULT_AGAIN, BACK_AGAIN = timedelta(days=7), timedelta(days=14)
SEEN_WITHIN = timedelta(days=14)  # 下转后两周内接续随访 [D]
SLIP = "referral_up"
"""The service whose record is a referral slip: it counts as 上转 by itself."""
FACE_TO_FACE = (1, 2)
VOID = ("record corrected", "record withdrawn")
_SEVERITY = ("emergency", "refer", "soon", "routine")


class Stage(StrEnum):
    """What the loop wants to know next."""

    ARRIVED = "arrived"
    RESULT = "result"
    BACK = "back"
    SEEN = "seen"  # sent back to us: has anybody here visited them since?


def stage(referral: Referral) -> Stage:
    """The next open question of a referral."""
    if referral.direction == "down" or referral.returned_on is not None:
        return Stage.SEEN
    if not referral.arrived:
        return Stage.ARRIVED
    return Stage.BACK if referral.result else Stage.RESULT


# --- opened, joined, released ---


def refer(session: Session, record: Record, *, urgency: str, reason: str, to: str, today: date) -> Referral:
    """The referral that a record speaks of: the one it corrects, one of the same transfer still on its way, or a new one."""
    assert record.resident_id is not None
    row = _corrected(session, record)
    if row is None and (row := _same_transfer(session, record)):
        row.joined = [*row.joined, record.id]
        row.reason = _together(row.reason, reason)
        row.urgency = min(row.urgency, urgency, key=_SEVERITY.index)
    elif row is None:
        row = Referral(
            record_id=record.id, joined=[], resident_id=record.resident_id, village_id=record.village_id,
            worker_id=record.worker_id, direction="up", sent_on=record.on, urgency=urgency, reason=reason[:400], to="",
        )  # fmt: skip
        session.add(row)
    else:
        row.urgency, row.reason = urgency, reason[:400]
    if record.service == SLIP:
        row.sent_on, row.worker_id = record.on, record.worker_id
    row.to = to[:120] or row.to
    if stage(row) == Stage.ARRIVED:
        row.ask_on = today + ASK_AFTER["emergency"] if row.urgency == "emergency" else _ask_on(record, today)
    _settle_count(session, row)
    return row


def release(session: Session, record: Record, now: datetime, status: str) -> None:
    """A record is corrected or withdrawn: a referral that nothing else speaks of is void."""
    session.flush()
    theirs = select(Referral).where(or_(Referral.record_id == record.id, Referral.resident_id == record.resident_id))
    for row in session.scalars(theirs).all():
        if record.id in row.joined:
            row.joined = [other for other in row.joined if other != record.id]
        elif row.record_id == record.id and row.joined:
            row.record_id, row.joined = row.joined[0], row.joined[1:]
        elif row.record_id == record.id and (row.closed_at is None or status == "withdrawn"):
            row.closed_at, row.close_reason = now, f"record {status}"
        else:
            continue
        _settle_count(session, row)


def of_resident(session: Session, resident_id: int | None) -> Sequence[Referral]:
    """All referrals of a resident, the latest first."""
    if resident_id is None:
        return []
    session.flush()
    query = select(Referral).where(Referral.resident_id == resident_id)
    return session.scalars(query.order_by(Referral.sent_on.desc(), Referral.id.desc())).all()


def _corrected(session: Session, record: Record) -> Referral | None:
    """The row of the record that this one corrects, taken up again."""
    if record.corrects_id is None:
        return None
    row = next((r for r in of_resident(session, record.resident_id) if r.record_id == record.corrects_id), None)
    if row is not None:
        row.record_id = record.id
        if row.close_reason == "record corrected":
            row.closed_at = row.close_reason = None
    return row


def _same_transfer(session: Session, record: Record) -> Referral | None:
    """Still on its way: of the same day, of the same programme, or now put on a slip."""
    programmes: dict[int, str | None] = {}
    waiting = [r for r in of_resident(session, record.resident_id) if r.closed_at is None and not r.arrived]
    waiting = [r for r in waiting if stage(r) == Stage.ARRIVED]
    if ids := [r.record_id for r in waiting]:
        rows = session.execute(select(Record.id, Record.programme).where(Record.id.in_(ids)))
        programmes = {row.id: row.programme for row in rows}
    for row in waiting:
        same_programme = record.programme is not None and programmes.get(row.record_id) == record.programme
        if row.sent_on == record.on or same_programme or record.service == SLIP:
            return row
    return None


def _ask_on(record: Record, today: date) -> date:
    """After two weeks, or with the next visit where that is sooner."""
    latest = today + ASK_AFTER["refer"]
    return min(max(record.next_due_on, today), latest) if record.next_due_on else latest


def _together(said: str, more: str) -> str:
    return said if more in said else "; ".join(filter(None, (said, more)))[:400]


# --- the loop ---


def arrive(session: Session, row: Referral, on: date) -> None:
    """The patient reached the hospital; what came of it is asked next."""
    row.arrived, row.arrived_on = True, on
    row.ask_on = on + RESULT_AGAIN
    _settle_count(session, row)
    follow_referral(session, row)


def note_result(session: Session, row: Referral, result: str, on: date) -> None:
    """What the hospital found or did; whether they are back is asked in two weeks."""
    row.result, row.ask_on = result[:400], on + BACK_AGAIN
    follow_referral(session, row)


def come_back(row: Referral, on: date, now: datetime) -> None:
    """Home again, without a slip of the hospital: the loop is closed."""
    row.returned_on, row.closed_at, row.close_reason = on, now, "returned"


def send_down(session: Session, record: Record, *, result: str, to: str, see_by: date) -> Referral:
    """下转: the open referral is closed by it and waits until somebody here has seen the patient; else a row of its own."""
    assert record.resident_id is not None
    rows = of_resident(session, record.resident_id)
    row = next((r for r in rows if record.corrects_id and r.down_record_id == record.corrects_id), None)
    row = row or next((r for r in rows if r.closed_at is None and stage(r) != Stage.SEEN), None)
    if row is None:
        row = Referral(
            record_id=record.id, joined=[], resident_id=record.resident_id, village_id=record.village_id,
            worker_id=record.worker_id, direction="down", urgency="refer", reason=result[:400], to=to[:120], sent_on=record.on,
        )  # fmt: skip
        session.add(row)
    elif row.direction == "up" and not row.arrived:
        arrive(session, row, record.on)
    elif row.direction == "down":
        row.record_id = record.id
    row.down_record_id, row.returned_on, row.ask_on = record.id, record.on, see_by
    row.result, row.closed_at, row.close_reason = result[:400] or row.result, None, None
    return row


def take_back_down(session: Session, record: Record, now: datetime) -> None:
    """The 下转 record was withdrawn: one sent up is asked about again, one that was only sent down is void."""
    for row in of_resident(session, record.resident_id):
        if row.down_record_id == record.id:
            row.down_record_id = row.returned_on = None
            if row.direction == "down":
                row.closed_at, row.close_reason = now, "record withdrawn"
            else:
                row.closed_at = row.close_reason = None


# --- counted once ---


def effects(row: Referral | Row[Any]) -> Effects:
    """Flow `referrals_up` of a referral that no slip tells of, on the day the patient was sent."""
    if row.confirmed_on is None or row.confirmed_in is None:
        return Counter()
    return Counter({(row.confirmed_in, row.confirmed_on, "referrals_up"): 1})


def _settle_count(session: Session, row: Referral) -> None:
    """Arrived, not void, and without a slip of its own: then the row itself counts as 上转."""
    before = effects(row)
    void = row.close_reason in VOID
    if row.direction == "up" and row.arrived and not void and not _has_slip(session, row):
        row.confirmed_on, row.confirmed_in = row.sent_on, row.confirmed_in or row.village_id
    else:
        row.confirmed_on = row.confirmed_in = None
    count(session, difference(effects(row), before))


def _has_slip(session: Session, row: Referral) -> bool:
    spoken = select(Record.id).where(Record.id.in_([row.record_id, *row.joined]), Record.service == SLIP)
    return session.scalar(spoken.where(Record.status == "current").limit(1)) is not None


# --- lists ---


def waiting(today: date) -> list[ColumnElement[bool]]:
    """Open, its day has come, and nobody here has seen the patient since they were sent back."""
    return [*still_open(), Referral.ask_on <= today]


def still_open() -> list[ColumnElement[bool]]:
    since = func.coalesce(Referral.returned_on, Referral.sent_on)
    seen = select(Record.id).where(
        Record.resident_id == Referral.resident_id,
        Record.on > since,
        Record.mode.in_(FACE_TO_FACE),
        Record.status == "current",
    )
    sent_back = Referral.returned_on.is_not(None)
    return [Referral.closed_at.is_(None), ~(sent_back & seen.correlate(Referral).exists())]


def open_referrals(
    session: Session, scope: Scope, conditions: Sequence[ColumnElement[bool]], limit: int, offset: int = 0
) -> list[tuple[Referral, str]]:
    """Referrals with the resident's name: emergencies first, then the longest waiting."""
    emergency = Referral.urgency == "emergency"
    query = (
        select(Referral, Resident.name)
        .join(Resident, Resident.id == Referral.resident_id)
        .where(scope.covers(Referral.village_id), *conditions)
        .order_by(emergency.desc(), Referral.ask_on, Referral.id)
        .limit(limit)
        .offset(offset)
    )
    return [(referral, name) for referral, name in session.execute(query)]


def count_open(session: Session, scope: Scope) -> int:
    query = select(func.count()).select_from(Referral).where(scope.covers(Referral.village_id), *still_open())
    return session.scalar(query) or 0
