"""What becomes of a result: into its campaign, and, when it has to be followed, to the hospital and to its end. 阳性追踪

The record of the service `screening_result` says what was found; `note_result` keeps the row that follows it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session

from models import campaign as campaigns
from models.campaign import Campaign, CampaignResident, ScreeningResult, paths_of
from models.enrolment import VISITED
from models.people import HealthWorker, Organisation, Resident, Role
from models.record import Record, Referral
from models.scope import Scope
from models.screening import KINDS, REFUSED, TESTS, TRACKED, UNSUITABLE, Test

AFTER_THE_END = timedelta(days=120)
"""How long after its last day a result still belongs to a campaign: laboratories take weeks."""
CLOSE_WITHIN = 90
"""Days after which a tracked result should be closed, unless the county says otherwise [D]."""

SERVICE, FOLLOW_UP = "screening_result", "screening_follow_up"
ARRIVED, NOT_YET, REFUSED_TO_GO = 1, 2, 3
"""`answers["arrived"]` of a follow-up."""
OPEN, CLOSED = 0, 1
"""`answers["closed"]` of a follow-up."""
CLOSE_REASONS: Mapping[int, str] = {
    1: "排除,未见异常",
    2: "已治疗",
    3: "转入随访管理",
    4: "本人拒绝",
    5: "其他",
}


def note_result(session: Session, record: Record) -> ScreeningResult:
    """Keep the row of a `screening_result` record just made (`answers`: kind, result, method, referral_to, …).

    1. A correction keeps what was already known of the follow-up.
    2. It belongs to the latest campaign of its kind that was held where the resident lives.
    3. Whoever has a result came, unless the result is a refusal.
    """
    session.flush()
    answers = record.answers
    row = session.get(ScreeningResult, record.id)
    if row is None and record.corrects_id:
        row = session.get(ScreeningResult, record.corrects_id)
    if row is None:
        row = ScreeningResult(record_id=record.id)
        session.add(row)
    row.record_id, row.resident_id, row.village_id = record.id, record.resident_id, record.village_id
    row.worker_id, row.on, row.test = record.worker_id, record.on, str(answers["kind"])
    row.result, row.method = int(answers["result"]), answers.get("method")
    row.referred_to = answers.get("referral_to")
    settle_follow_up(session, row)
    campaign = campaign_of(session, row)
    row.campaign_id = campaign.id if campaign else None
    session.flush()
    if campaign is not None and row.resident_id is not None and row.result not in (REFUSED, UNSUITABLE):
        _came(session, campaign, row)
    return row


def settle_follow_up(session: Session, row: ScreeningResult) -> None:
    """How far a result has been followed: what its own record says, then each current follow-up, the later one wins."""
    session.flush()
    known = _chain(session, row.record_id)
    follow_ups = [
        record
        for record in session.scalars(
            select(Record)
            .where(
                Record.service == FOLLOW_UP,
                Record.status == "current",
                Record.resident_id == row.resident_id if row.resident_id else Record.village_id == row.village_id,
            )
            .order_by(Record.on, Record.id)
        )
        if record.answers.get("screening") in known
    ]
    row.informed_on = row.arrived_on = row.closed_on = row.diagnosis = row.close_reason = None
    for record in (session.get_one(Record, row.record_id), *follow_ups):
        _apply(row, record)
    _by_referral(session, row)
    session.flush()


def _apply(row: ScreeningResult, record: Record) -> None:
    answers = record.answers
    for name in ("informed_on", "arrived_on", "closed_on"):
        if name in answers:
            setattr(row, name, date.fromisoformat(answers[name]))
    row.diagnosis = answers.get("diagnosis", row.diagnosis)
    if answers.get("arrived") == ARRIVED and record.service == FOLLOW_UP:
        row.arrived_on = (
            date.fromisoformat(answers["arrived_on"]) if "arrived_on" in answers else row.arrived_on or record.on
        )
    elif answers.get("arrived") and record.service == FOLLOW_UP:
        row.arrived_on = None
    if record.service == FOLLOW_UP and "closed" in answers:
        row.closed_on = record.on if answers["closed"] == CLOSED else None
        row.close_reason = CLOSE_REASONS.get(answers.get("close_reason", 0))


def _by_referral(session: Session, row: ScreeningResult) -> None:
    """What the doctor has said in the referral's own loop need not be said again."""
    if row.resident_id is None:
        return
    for referral in session.scalars(select(Referral).where(Referral.resident_id == row.resident_id)):
        if row.record_id not in (referral.record_id, *referral.joined):
            continue
        if row.arrived_on is None and referral.arrived:
            row.arrived_on = referral.arrived_on or referral.sent_on
        if row.diagnosis is None and referral.result and not TESTS[row.test].discreet:
            row.diagnosis = referral.result[:200]


def follow_referral(session: Session, referral: Referral) -> None:
    """The loop of a referral has gone on: the results that travel on it know."""
    session.flush()
    for record_id in (referral.record_id, *referral.joined):
        if row := session.get(ScreeningResult, record_id):
            settle_follow_up(session, row)


def _chain(session: Session, record_id: int | None) -> set[int]:
    """A record and those it corrects, back to the first."""
    found: set[int] = set()
    while record_id is not None and record_id not in found:
        found.add(record_id)
        record_id = session.get_one(Record, record_id).corrects_id
    return found


def campaign_of(session: Session, row: ScreeningResult) -> Campaign | None:
    """The latest campaign of the result's kind begun by its day, and held where the resident lives."""
    kinds = [kind.code for kind in KINDS.values() if row.test in kind.tests]
    village = session.get(Organisation, row.village_id)
    if not kinds or village is None:
        return None
    query = (
        select(Campaign)
        .where(
            Campaign.kind.in_(kinds),
            Campaign.status.in_((campaigns.LAUNCHED, campaigns.CLOSED)),
            Campaign.starts_on <= row.on,
            Campaign.ends_on >= row.on - AFTER_THE_END,
            Campaign.organisation_id.in_(village.ancestry()),
        )
        .order_by(Campaign.starts_on.desc(), Campaign.id.desc())
    )
    for campaign in session.scalars(query):
        if any(village.path.startswith(path) for path in paths_of(session, campaign)):
            return campaign
    return None


def _came(session: Session, campaign: Campaign, row: ScreeningResult) -> None:
    guest = session.get(CampaignResident, (campaign.id, row.resident_id))
    if guest is None:
        assert row.resident_id is not None
        guest = CampaignResident(campaign_id=campaign.id, resident_id=row.resident_id, listed=False)
        session.add(guest)
    guest.told_on, guest.came_on = guest.told_on or row.on, guest.came_on or row.on
    guest.declined_on = guest.decline_reason = None
    session.flush()


# --- following ---


def arrive_within(settings: Mapping[str, Any], test: str) -> int:
    """Days in which a tracked resident should have reached the hospital, by the county's setting or the test's own."""
    return int(settings.get(f"campaign.arrive_within.{test}", TESTS[test].arrive_within))


def close_within(settings: Mapping[str, Any], test: str) -> int:
    """Days in which a tracked result should be closed; nobody has to be done before they have to arrive."""
    return max(int(settings.get("campaign.close_within", CLOSE_WITHIN)), arrive_within(settings, test))


def is_past(
    within: Callable[[Mapping[str, Any], str], int], settings: Mapping[str, Any], today: date, days: int = 0
) -> ColumnElement[bool]:
    """SQL: a result's time by one of the two above ran out more than so many days ago."""
    tests: dict[int, list[str]] = defaultdict(list)
    for code in TESTS:
        tests[within(settings, code)].append(code)
    return or_(
        false(),
        *(
            and_(ScreeningResult.test.in_(codes), ScreeningResult.on < today - timedelta(days=allowed + days))
            for allowed, codes in sorted(tests.items())
        ),
    )


@dataclass(frozen=True, slots=True)
class Followed:
    """A result that is followed. `name` is None where it was taken anonymously."""

    row: ScreeningResult
    name: str | None
    village: str
    arrived: bool
    arrive_by: date
    close_by: date

    @property
    def test(self) -> Test:
        return TESTS[self.row.test]

    def days_late(self, today: date) -> int:
        """Days past the next thing owed: the arrival, then the end. Not positive while there is time."""
        return (today - (self.close_by if self.arrived else self.arrive_by)).days


def for_a_doctor() -> ColumnElement[bool]:
    """SQL: a discreet result that a supervisor recorded stays with the supervisors; the village is not told (C, art. 39)."""
    discreet = [code for code, test in TESTS.items() if test.discreet]
    by_a_doctor = exists(
        select(1).where(HealthWorker.id == ScreeningResult.worker_id, HealthWorker.role == Role.DOCTOR)
    )
    return ScreeningResult.test.not_in(discreet) | by_a_doctor


def followed(
    session: Session, scope: Scope, settings: Mapping[str, Any], *, campaign_id: int | None = None
) -> list[Followed]:
    """The results of a scope that are not closed, the longest waiting first.

    Whoever died or moved away is followed no more.
    """
    query: Any = (
        select(ScreeningResult, Resident.name, Organisation.name)
        .join(Record, Record.id == ScreeningResult.record_id)
        .join(Organisation, Organisation.id == ScreeningResult.village_id)
        .outerjoin(Resident, Resident.id == ScreeningResult.resident_id)
        .where(
            scope.covers(ScreeningResult.village_id),
            ScreeningResult.closed_on.is_(None),
            ScreeningResult.result.in_(TRACKED),
            Record.status == "current",
            or_(Resident.id.is_(None), Resident.status.in_(VISITED)),
        )
        .order_by(ScreeningResult.on, ScreeningResult.record_id)
    )
    if campaign_id is not None:
        query = query.where(ScreeningResult.campaign_id == campaign_id)
    if scope.villages is not None:
        query = query.where(for_a_doctor())
    rows = session.execute(query).all()
    found = []
    for row, name, village in rows:
        found.append(
            Followed(
                row,
                name if scope.names else None,
                village,
                row.arrived_on is not None,
                row.on + timedelta(days=arrive_within(settings, row.test)),
                row.on + timedelta(days=close_within(settings, row.test)),
            )
        )
    return found


def late(found: Sequence[Followed], today: date) -> list[Followed]:
    """Those past their day, the latest first."""
    return sorted((f for f in found if f.days_late(today) > 0), key=lambda f: -f.days_late(today))
