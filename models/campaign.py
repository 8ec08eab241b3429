"""Campaigns and plans: what is held when, where and for whom, who was told and came, and what is promised until when.

A plan is a campaign without residents: it has milestones instead of a list (domain.md C, F2 to F5). 免费活动与计划
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, String, false, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Key, UtcDateTime
from models.people import HealthWorker, Organisation, Role
from models.screening import Rule

PLANNED, LAUNCHED, STOPPED, CLOSED = "planned", "launched", "stopped", "closed"
STATUS_TITLES = {PLANNED: "待启动", LAUNCHED: "进行中", STOPPED: "已停止", CLOSED: "已结束"}
OPEN = (PLANNED, LAUNCHED)

PLAN_KINDS = {
    "flagship": "一院一品",
    "hundred_counties": "百县工程",
    "three_years": "三年行动",
    "mentoring": "带教与对口帮扶",
    "other_plan": "其他计划",
}
"""Kinds of plan; whatever else stands in `Campaign.kind` is a kind of screening campaign (`screening.KINDS`)."""


class Campaign(Base):
    """One campaign or plan. Its dates, places and rule may change while it runs; `edition` counts the changes told."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(32))
    title: Mapped[str] = mapped_column(String(64))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    """Who holds it."""
    areas: Mapped[list[Any]] = mapped_column(default=list)
    """Ids of the townships and villages it is held in; of a plan, the organisations responsible."""
    days: Mapped[list[Any]] = mapped_column(default=list)
    """The ISO days it is held on, in order; of a plan its first and last."""
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    hours: Mapped[str | None] = mapped_column(String(40))
    place: Mapped[str | None] = mapped_column(String(80))
    rule: Mapped[dict[str, Any] | None]
    """`screening.Rule` as it was settled for this campaign; None: no list is kept."""
    counted: Mapped[dict[str, Any] | None]
    """What the count before the launch said, by reason, as of `counted_on`."""
    target: Mapped[str | None] = mapped_column(String(200))
    note: Mapped[str | None] = mapped_column(String(400))
    status: Mapped[str] = mapped_column(String(12), default=PLANNED)
    edition: Mapped[int] = mapped_column(default=0)
    record_id: Mapped[int | None] = mapped_column(ForeignKey("records.id"), index=True)
    """The record of its latest setting by chat."""
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))
    launched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (Index("ix_campaigns_status_ends_on", "status", "ends_on"),)

    @property
    def is_plan(self) -> bool:
        return self.kind in PLAN_KINDS

    @property
    def whom(self) -> Rule | None:
        return Rule.from_json(self.rule) if self.rule is not None else None

    @property
    def on_days(self) -> list[date]:
        return [date.fromisoformat(day) for day in self.days]

    def next_day(self, today: date) -> date | None:
        """The next day it is held on, today included; None when it is over."""
        return next((day for day in self.on_days if day >= today), None)


class CampaignResident(Base):
    """A resident invited to a campaign, or who came without being on the list (`listed` False)."""

    __tablename__ = "campaign_residents"

    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id", ondelete="CASCADE"), primary_key=True)
    listed: Mapped[bool] = mapped_column(default=True)
    told_on: Mapped[date | None]
    came_on: Mapped[date | None]
    declined_on: Mapped[date | None]
    decline_reason: Mapped[str | None] = mapped_column(String(60))
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("health_workers.id"))
    """Who ticked it last."""

    __table_args__ = (Index("ix_campaign_residents_resident_id", "resident_id"),)


class ScreeningResult(Base):
    """What became of one result: the record says what was found, this row whether it has been followed to its end."""

    __tablename__ = "screening_results"

    record_id: Mapped[int] = mapped_column(ForeignKey("records.id", ondelete="CASCADE"), primary_key=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id", ondelete="SET NULL"), index=True)
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    village_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    worker_id: Mapped[int] = mapped_column(ForeignKey("health_workers.id"))
    test: Mapped[str] = mapped_column(String(32))
    method: Mapped[str | None] = mapped_column(String(16))
    result: Mapped[int]
    on: Mapped[date] = mapped_column("on_day")
    informed_on: Mapped[date | None]
    referred_to: Mapped[str | None] = mapped_column(String(80))
    arrived_on: Mapped[date | None]
    diagnosis: Mapped[str | None] = mapped_column(String(200))
    closed_on: Mapped[date | None]
    close_reason: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (
        Index("ix_screening_results_resident_id_test_on_day", "resident_id", "test", "on_day"),
        Index("ix_screening_results_village_id_closed_on", "village_id", "closed_on"),
    )


class Milestone(Base):
    """A step of a plan: what is to be done by when, and who answers for it."""

    __tablename__ = "milestones"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(64))
    starts_on: Mapped[date | None]
    due_on: Mapped[date]
    organisations: Mapped[list[Any]] = mapped_column(default=list)
    """Ids of those responsible for it; empty: all of the plan's."""
    target: Mapped[str | None] = mapped_column(String(120))
    figure: Mapped[float | None] = mapped_column(Float)
    """The number to reach, where the target is one."""
    unit: Mapped[str | None] = mapped_column(String(12))

    __table_args__ = (Index("ix_milestones_campaign_id_position", "campaign_id", "position"),)


# --- whose campaigns ---


def campaigns_for(
    session: Session,
    worker: HealthWorker,
    *,
    statuses: Collection[str] = (LAUNCHED,),
    plans: bool = False,
    since: date | None = None,
) -> list[Campaign]:
    """Those that concern a worker, the next first.

    A supervisor's are those held by their organisation, by one above or by one below; a doctor's those held in one of
    their villages. `since` leaves out what ended before that day.
    """
    own = session.get_one(Organisation, worker.organisation_id)
    holder = select(Organisation.id).where(Organisation.path.between(own.path, own.path + "~"))
    query = select(Campaign).where(
        Campaign.status.in_(statuses),
        or_(Campaign.organisation_id.in_(own.ancestry()), Campaign.organisation_id.in_(holder)),
        Campaign.kind.in_(PLAN_KINDS) if plans else Campaign.kind.not_in(PLAN_KINDS),
    )
    if since is not None:
        query = query.where(Campaign.ends_on >= since)
    found = session.scalars(query.order_by(Campaign.starts_on, Campaign.id)).all()
    paths = dict(area_paths(session, found))
    return [campaign for campaign in found if concerns(session, campaign, worker, paths)]


def launched_on(campaign: Campaign) -> date | None:
    """The day its launch was told of, by UTC: in China the same or, before eight in the morning, the day before."""
    return campaign.launched_at.date() if campaign.launched_at else None


def area_paths(session: Session, campaigns: Iterable[Campaign]) -> list[tuple[int, str]]:
    """(id, path) of every organisation that campaigns are held in or by."""
    wanted = {area for campaign in campaigns for area in (*campaign.areas, campaign.organisation_id)}
    if not wanted:
        return []
    rows = session.execute(select(Organisation.id, Organisation.path).where(Organisation.id.in_(wanted)))
    return [(area, path) for area, path in rows]


def concerns(session: Session, campaign: Campaign, worker: HealthWorker, paths: dict[int, str]) -> bool:
    """Is this worker to know of it? A doctor answers for a village in its areas, a supervisor's seat lies along it."""
    areas = [paths[area] for area in (campaign.areas or [campaign.organisation_id]) if area in paths]
    if worker.role == Role.DOCTOR:
        if campaign.is_plan:
            return False
        own = session.scalars(select(Organisation.path).where(Organisation.id.in_(worker.villages or [0]))).all()
        return any(path.startswith(area) for path in own for area in areas)
    seat = session.get_one(Organisation, worker.organisation_id).path
    along = [*areas, paths.get(campaign.organisation_id, "")]
    return any(path.startswith(seat) or seat.startswith(path) for path in along if path)


def paths_of(session: Session, campaign: Campaign) -> list[str]:
    """The paths of its areas; of a campaign without any, of who holds it."""
    paths = dict(area_paths(session, [campaign]))
    return [paths[area] for area in (campaign.areas or [campaign.organisation_id]) if area in paths]


def may_manage(session: Session, campaign: Campaign, worker: HealthWorker) -> bool:
    """A supervisor changes what is held by their organisation or one below it."""
    if worker.role not in (Role.TOWNSHIP, Role.COUNTY, Role.ADMIN):
        return False
    seat = session.get_one(Organisation, worker.organisation_id).path
    return session.get_one(Organisation, campaign.organisation_id).path.startswith(seat)


def doctors_of(session: Session, paths: Sequence[str]) -> list[HealthWorker]:
    """The active doctors who answer for a village at or below one of these paths."""
    below = or_(false(), *(Organisation.path.between(path, path + "~") for path in paths))
    villages = set(session.scalars(select(Organisation.id).where(Organisation.level == "village", below)))
    doctors = session.scalars(
        select(HealthWorker).where(HealthWorker.role == Role.DOCTOR, HealthWorker.active).order_by(HealthWorker.id)
    )
    return [doctor for doctor in doctors if villages & set(doctor.villages)]


def milestones_of(session: Session, campaign_id: int) -> Sequence[Milestone]:
    return session.scalars(
        select(Milestone).where(Milestone.campaign_id == campaign_id).order_by(Milestone.position)
    ).all()
