"""Use cases on campaigns: launch, change, stop, close, tick off. 启动、改期、停止、结束、打勾

Functions of (session, …, now); none reads the clock, none commits. What is told to whom is left to the outbox: one
message for each worker and edition, rendered when it goes out, so that a campaign moved twice is told as it stands.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import delete, func, literal, select, update
from sqlalchemy.orm import Session

from models.campaign import (
    CLOSED,
    LAUNCHED,
    OPEN,
    PLANNED,
    STOPPED,
    Campaign,
    CampaignResident,
    Milestone,
    doctors_of,
    milestones_of,
    paths_of,
)
from models.eligibility import Wanted, count_eligible, eligible_residents, total
from models.enrolment import VISITED
from models.outbox import OutboxMessage, cancel, insert_for, say
from models.people import HealthWorker, Organisation, Resident, Role
from models.record import AuditEntry
from models.screening import KINDS, Kind, Rule, county_months, intervals_of

NOTICE, PLAN_NOTICE = "campaign_notice", "plan_notice"
"""The reminders that tell of a launch, a change or a stop."""
MONTHS = "months"
"""In `Campaign.rule`: the intervals that the county has set."""
Tick = Literal["told", "came", "declined", "not_told", "not_come"]


def wanted_of(session: Session, campaign: Campaign) -> Wanted | None:
    """What its list is made by; None where no list is kept."""
    rule = campaign.whom
    if campaign.is_plan or rule is None:
        return None
    stands = intervals_of(KINDS[campaign.kind], (campaign.rule or {}).get(MONTHS, {}))
    return Wanted(rule, stands, paths_of(session, campaign), campaign.starts_on)


def rule_column(rule: Rule | None, kind: Kind, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """`Campaign.rule` for a rule, with the county's intervals as they stand when it is settled; None: no list."""
    if rule is None or rule.is_open:
        return None
    months = county_months(kind, settings)
    return {**rule.to_json(), **({MONTHS: months} if months else {})}


class WhenAndWhere(NamedTuple):
    """What a resident is told of a campaign."""

    days: tuple[str, ...]
    place: str | None
    hours: str | None


def when_and_where(campaign: Campaign) -> WhenAndWhere:
    return WhenAndWhere(tuple(campaign.days), campaign.place, campaign.hours)


def _is_elsewhere(before: WhenAndWhere, campaign: Campaign) -> bool:
    """A day was dropped, or the place or hours are others; a day more disturbs nobody."""
    return (
        not set(before.days) <= set(campaign.days)
        or (before.place or campaign.place) != campaign.place
        or (before.hours or campaign.hours) != campaign.hours
    )


def _forget_told(session: Session, campaign: Campaign) -> int:
    """Who was told of what no longer holds is to be told; returns how many."""
    waits = CampaignResident.came_on.is_(None) & CampaignResident.declined_on.is_(None)
    told = (CampaignResident.campaign_id == campaign.id) & CampaignResident.told_on.is_not(None) & waits
    number = session.scalar(select(func.count()).select_from(CampaignResident).where(told)) or 0
    session.execute(update(CampaignResident).where(told).values(told_on=None))
    return number


# --- begin, change, end ---


def launch(
    session: Session, campaign: Campaign, now: datetime, today: date, *, by: int | None, tell_at: datetime | None = None
) -> int:
    """Begin; returns how many residents are invited. A campaign already launched stays as it is.

    1. The list is made in one statement; what was counted beside it is kept for the report.
    2. Every doctor with a village in its areas is told once, and every township when the county holds it; not before
       `tell_at`, the end of the quiet hours.
    """
    if campaign.status == PLANNED:
        campaign.status, campaign.launched_at = LAUNCHED, now
        make_list(session, campaign, today)
        _tell(session, campaign, now, by, tell_at=tell_at)
        _audit(session, campaign, "campaign.launched", now, by)
    return invited(session, campaign)


def change(
    session: Session,
    campaign: Campaign,
    now: datetime,
    today: date,
    *,
    by: int | None,
    told_before: Collection[int],
    tell_at: datetime | None = None,
    before: WhenAndWhere | None = None,
) -> int:
    """Its days, place, areas or rule are no longer what they were: the list follows, and whoever must know is told once.

    `told_before` are the workers its areas had before the change, `before` what residents were told until then: whoever
    heard of another day or place has still to be told. What is queued about the former edition is cancelled.
    """
    make_list(session, campaign, today)
    if campaign.status == LAUNCHED:
        retold = _forget_told(session, campaign) if before is not None and _is_elsewhere(before, campaign) else 0
        _tell(session, campaign, now, by, also=told_before, tell_at=tell_at, retold=retold)
    _audit(session, campaign, "campaign.changed", now, by)
    return invited(session, campaign)


def stop(
    session: Session,
    campaign: Campaign,
    reason: str,
    now: datetime,
    *,
    by: int | None,
    tell_at: datetime | None = None,
) -> bool:
    """It does not take place: nothing more is said about it but that. False when it was over already."""
    if campaign.status not in OPEN:
        return False
    was_launched = campaign.status == LAUNCHED
    campaign.status, campaign.ended_at, campaign.end_reason = STOPPED, now, reason[:200]
    if was_launched:
        _tell(session, campaign, now, by, tell_at=tell_at)
    _audit(session, campaign, "campaign.stopped", now, by)
    return True


def close(session: Session, campaign: Campaign, now: datetime, *, by: int | None) -> bool:
    """It has taken place and is reported on. Positives go on being followed. False when it was over already."""
    if campaign.status != LAUNCHED:
        return False
    campaign.status, campaign.ended_at = CLOSED, now
    cancel(session, _keys(session, campaign), "the campaign is closed")
    _audit(session, campaign, "campaign.closed", now, by)
    return True


def make_list(session: Session, campaign: Campaign, today: date) -> None:
    """Write down who is invited. Made again after a change, it loses nothing that was ticked off."""
    session.flush()
    own = CampaignResident.campaign_id == campaign.id
    session.execute(update(CampaignResident).where(own).values(listed=False))
    wanted = wanted_of(session, campaign)
    if wanted is None:
        campaign.counted = None
    else:
        campaign.counted = {"on": today.isoformat(), **total(count_eligible(session, wanted))}
        insert = insert_for(session.get_bind().dialect)
        chosen = eligible_residents(wanted, literal(campaign.id), Resident.id, literal(True))
        rows = insert(CampaignResident.__table__).from_select(["campaign_id", "resident_id", "listed"], chosen)
        keys = ["campaign_id", "resident_id"]
        session.execute(rows.on_conflict_do_update(index_elements=keys, set_={"listed": True}))
    ticks = (CampaignResident.told_on, CampaignResident.came_on, CampaignResident.declined_on)
    untouched = [tick.is_(None) for tick in ticks]
    session.execute(delete(CampaignResident).where(own, CampaignResident.listed.is_(False), *untouched))
    session.flush()


def set_days(plan: Campaign, milestones: Sequence[Mapping[str, Any]]) -> None:
    """A plan runs from the first day of its milestones to the last."""
    ends = max(one["due_on"] for one in milestones)
    begins = min(one.get("starts_on") or one["due_on"] for one in milestones)
    plan.days = [begins, ends]
    plan.starts_on, plan.ends_on = date.fromisoformat(begins), date.fromisoformat(ends)


def set_milestones(session: Session, plan: Campaign, milestones: Sequence[Mapping[str, Any]]) -> bool:
    """Write a plan's milestones; one that keeps its title keeps its reports. False when nothing is different."""
    before = {one.title: one for one in milestones_of(session, plan.id)}
    different = False
    for position, said in enumerate(milestones):
        one = before.pop(said["title"], None) or Milestone(campaign_id=plan.id, title=said["title"])
        values = {
            "position": position,
            "starts_on": date.fromisoformat(said["starts_on"]) if said.get("starts_on") else None,
            "due_on": date.fromisoformat(said["due_on"]),
            "organisations": list(said.get("organisations", [])),
            "target": said.get("target"),
            "figure": said.get("figure"),
            "unit": said.get("unit"),
        }
        for name, value in values.items():
            if getattr(one, name) != value:
                setattr(one, name, value)
                different = True
        session.add(one)
    for gone in before.values():
        session.delete(gone)
    session.flush()
    return different or bool(before)


def invited(session: Session, campaign: Campaign) -> int:
    """How many are on the list and still live here."""
    query = (
        select(func.count())
        .select_from(CampaignResident)
        .join(Resident, Resident.id == CampaignResident.resident_id)
        .where(CampaignResident.campaign_id == campaign.id, CampaignResident.listed, Resident.status.in_(VISITED))
    )
    return session.scalar(query) or 0


# --- who is told ---


def workers_of(session: Session, campaign: Campaign) -> list[int]:
    """Ids of those who carry it out: the doctors of its areas, and the townships of them when the county holds it."""
    if campaign.is_plan:
        return responsible_for(session, campaign)
    paths = paths_of(session, campaign)
    doctors = [doctor.id for doctor in doctors_of(session, paths)]
    holder = session.get_one(Organisation, campaign.organisation_id).path
    seats = {int(part) for path in paths for part in path.strip("/").split("/")}
    below = select(Organisation.id).where(Organisation.path.between(holder, holder + "~"))
    townships = session.execute(
        select(HealthWorker.id, HealthWorker.organisation_id, Organisation.path)
        .join(Organisation, Organisation.id == HealthWorker.organisation_id)
        .where(HealthWorker.role == Role.TOWNSHIP, HealthWorker.active, HealthWorker.organisation_id.in_(below))
        .order_by(HealthWorker.id)
    )
    above = [
        worker_id
        for worker_id, seat, path in townships
        if seat != campaign.organisation_id and (seat in seats or any(path.startswith(area) for area in paths))
    ]
    return [*doctors, *above]


def responsible_for(session: Session, plan: Campaign) -> list[int]:
    """Ids of the supervisors of the organisations that answer for a plan or one of its milestones."""
    seats = {int(area) for area in plan.areas or [plan.organisation_id]}
    for milestone in milestones_of(session, plan.id):
        seats |= {int(organisation) for organisation in milestone.organisations}
    query = select(HealthWorker.id).where(
        HealthWorker.role.in_((Role.TOWNSHIP, Role.COUNTY)),
        HealthWorker.active,
        HealthWorker.organisation_id.in_(sorted(seats)),
    )
    return list(session.scalars(query.order_by(HealthWorker.id)))


def _tell(
    session: Session,
    campaign: Campaign,
    now: datetime,
    by: int | None,
    *,
    also: Collection[int] = (),
    tell_at: datetime | None = None,
    retold: int = 0,
) -> None:
    """One message to each worker about the campaign as it stands; what is still unsaid of earlier editions never is.

    Whoever holds it hears of what somebody else did to it: the county, or the operator with a file.
    """
    also = {*also, *_holders(session, campaign, by)}
    cancel(session, _keys(session, campaign, also), "told as it stands now")
    campaign.edition += 1
    session.flush()
    code = PLAN_NOTICE if campaign.is_plan else NOTICE
    for worker_id in sorted({*workers_of(session, campaign), *also} - {by}):
        say(
            session,
            None,
            kind=code,
            reminder=code,
            arguments={"campaign_id": campaign.id, "edition": campaign.edition, "by": by, "retold": retold},
            worker_id=worker_id,
            dedup_key=notice_key(campaign.id, campaign.edition, worker_id),
            now=now,
            not_before=tell_at,
        )


def _holders(session: Session, campaign: Campaign, by: int | None) -> set[int]:
    """The supervisors of whoever holds it, unless one of them has done it."""
    query = select(HealthWorker.id).where(
        HealthWorker.organisation_id == campaign.organisation_id,
        HealthWorker.role.in_((Role.TOWNSHIP, Role.COUNTY)),
        HealthWorker.active,
    )
    holders = set(session.scalars(query))
    return set() if by in holders else holders


def notice_key(campaign_id: int, edition: int, worker_id: int) -> str:
    return f"campaign:{campaign_id}:{edition}:{worker_id}"


def was_told(session: Session, campaign: Campaign, worker_id: int) -> bool:
    """Has an earlier edition reached this worker?"""
    keys = [notice_key(campaign.id, edition, worker_id) for edition in range(1, campaign.edition)]
    query = select(OutboxMessage.id).where(OutboxMessage.dedup_key.in_(keys), OutboxMessage.status == "sent")
    return session.scalar(query.limit(1)) is not None


def _keys(session: Session, campaign: Campaign, also: Collection[int] = ()) -> list[str]:
    workers = {*workers_of(session, campaign), *also}
    return [
        notice_key(campaign.id, edition, worker) for edition in range(1, campaign.edition + 1) for worker in workers
    ]


def _audit(session: Session, campaign: Campaign, action: str, now: datetime, by: int | None) -> None:
    details = {"edition": campaign.edition, "days": campaign.days, "status": campaign.status}
    subject = f"campaign:{campaign.id}"
    session.add(AuditEntry(at=now, worker_id=by, action=action, subject=subject, details=details))


# --- ticking off ---


def tick(
    session: Session,
    campaign: Campaign,
    residents: Collection[int],
    what: Tick,
    today: date,
    *,
    by: int,
    reason: str | None = None,
) -> int:
    """Note what is known of some residents; returns of how many it is new.

    1. Whoever came was told, and does not decline any more.
    2. Whoever turns up without being on the list is added, marked so.
    3. Ticking twice changes nothing; 没通知 and 没来 take a tick back.
    """
    rows = {
        row.resident_id: row
        for row in session.scalars(
            select(CampaignResident).where(
                CampaignResident.campaign_id == campaign.id, CampaignResident.resident_id.in_(sorted(residents))
            )
        )
    }
    changed = 0
    for resident_id in sorted(residents):
        row = rows.get(resident_id)
        if row is None:
            row = CampaignResident(campaign_id=campaign.id, resident_id=resident_id, listed=False)
            session.add(row)
        before = (row.told_on, row.came_on, row.declined_on, row.decline_reason)
        _mark(row, what, today, reason)
        if (row.told_on, row.came_on, row.declined_on, row.decline_reason) != before:
            row.worker_id = by
            changed += 1
    session.flush()
    return changed


def _mark(row: CampaignResident, what: Tick, today: date, reason: str | None) -> None:
    match what:
        case "told":
            row.told_on = row.told_on or today
        case "came":
            row.told_on, row.came_on = row.told_on or today, row.came_on or today
            row.declined_on = row.decline_reason = None
        case "declined":
            row.told_on, row.declined_on = row.told_on or today, row.declined_on or today
            row.came_on, row.decline_reason = None, (reason or row.decline_reason or None)
        case "not_told":
            row.told_on = row.came_on = row.declined_on = row.decline_reason = None
        case "not_come":
            row.came_on = None
