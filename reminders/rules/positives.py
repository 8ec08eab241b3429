"""A screening result that has to be followed, and nobody has said that the resident reached the hospital. 阳性未到诊"""

from __future__ import annotations

from sqlalchemy import ColumnElement, case, cast, exists, or_, select

from models.base import Key
from models.campaign import ScreeningResult
from models.enrolment import VISITED
from models.message import Choice, mark_name
from models.people import Organisation, Resident
from models.record import Record, Referral
from models.screening import TESTS, TRACKED
from models.screening_results import arrive_within, for_a_doctor, is_past
from reminders.digest import Asked, Part, Query, Said, Telling, each_of

TO_THE_DOCTOR, TO_THE_TOWNSHIP = (0, 7, 14, 28), (7, 28)  # days past the day by which they should have arrived
SHOWN = 4


def rows_after(asked: Asked, steps: tuple[int, ...]) -> Query:
    """Results to be followed, without an arrival, past their day by the first of the steps."""
    rules, today = asked.preferences.rules, asked.today
    late = [(is_past(arrive_within, rules, today, days), str(days)) for days in sorted(steps, reverse=True)]
    return (
        select(
            ScreeningResult.village_id.label("organisation_id"),
            ScreeningResult.record_id.label("subject_id"),
            case(*late).label("stage"),
            ScreeningResult.test,
            ScreeningResult.on,
            Resident.name,
            Organisation.name.label("village"),
        )
        .join(Resident, Resident.id == ScreeningResult.resident_id)
        .join(Organisation, Organisation.id == ScreeningResult.village_id)
        .where(
            ScreeningResult.result.in_(TRACKED),
            ScreeningResult.closed_on.is_(None),
            ScreeningResult.arrived_on.is_(None),
            ~_arrived_by_referral(asked),
            exists(select(1).where(Record.id == ScreeningResult.record_id, Record.status == "current")),
            Resident.status.in_(VISITED),
            late[-1][0],
        )
        .order_by(ScreeningResult.on, ScreeningResult.record_id)
    )


def _arrived_by_referral(asked: Asked) -> ColumnElement[bool]:
    """SQL: the doctor confirmed the referral this result travels on, alone or with others."""
    joined = each_of(asked.session, Referral.joined)
    is_it = cast(joined.c.value, Key) == ScreeningResult.record_id
    among = exists(select(1).select_from(joined).where(is_it).correlate(Referral, ScreeningResult))
    travels = or_(Referral.record_id == ScreeningResult.record_id, among)
    arrived = Referral.resident_id == ScreeningResult.resident_id, Referral.arrived.is_(True)
    return exists(select(1).select_from(Referral).where(*arrived, travels).correlate(ScreeningResult))


def says(telling: Telling) -> Said:
    """Who, without the result: it is for two people's ears, not for a telephone lying on a table."""
    found = sorted(telling.rows, key=lambda row: (row.on, row.subject_id))
    lines = [
        f"⚠️ {mark_name(row.name)} {TESTS[row.test].heading} {row.on}的结果要到医院复查,还没有到诊记录。请当面劝一次。"
        for row in found[:SHOWN]
    ]
    if len(found) > SHOWN:
        lines.append(f"还有{len(found) - SHOWN}位要复查的没有到诊记录。")
    return Said(lines, [Choice("followed.0", "追踪名单")])


part = Part(
    code="positives",
    title="筛查结果要复查而没到诊:到期、之后7、14、28天(公卫科记的专项检测不告诉村医)",
    rows=lambda asked: rows_after(asked, TO_THE_DOCTOR).where(for_a_doctor()),
    says=says,
    once=True,
    opens="screening_follow_up",
    ends="到诊、结案,或死亡、迁出",
)
