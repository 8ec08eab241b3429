"""What people do that is written into the database by the use cases themselves, in a writer's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handlers import infectious
from handlers.filling import open_drafts
from handlers.record_visit import submit, withdraw
from handlers.turn import Turn
from models.campaign import Campaign, CampaignResident
from models.campaign_work import change, close, launch, rule_column, set_days, set_milestones, stop, workers_of
from models.conversation import Conversation, Draft
from models.infectious import InfectiousReport
from models.message import IncomingMessage
from models.people import ChannelAccount, HealthWorker, Organisation, Resident, Role
from models.preferences import QuietHours
from models.record import Record
from models.scope import scope_of
from models.screening import KINDS
from tests.simulation.clock import CHINA
from tests.simulation.day import Action
from tests.simulation.offices import areas_of_plan


def record(session: Session, action: Action, now: datetime) -> bool:
    """A form as the button 提交 records it, and that whoever filled it in was heard of; a second time it is found done.

    Returns whether anything has to be said of it.
    """
    worker = session.get_one(HealthWorker, action["who"])
    resident = session.get_one(Resident, action["resident"]) if action["resident"] else None
    if resident is not None and resident.status not in ("active", "absent"):
        return False
    turn = _turn(session, action, worker, now)
    open_drafts(turn, [Draft(action["service"], action["resident"], dict(action["answers"]))])
    submit(turn)
    account = (
        select(ChannelAccount.id).where(ChannelAccount.worker_id == worker.id).order_by(ChannelAccount.id).limit(1)
    )
    heard = update(ChannelAccount).where(ChannelAccount.id == account.scalar_subquery())
    session.execute(heard.values(last_heard_at=now.astimezone(UTC)))
    return any(session.info.get("said", {}).values())


def _turn(session: Session, action: Action, worker: HealthWorker, now: datetime) -> Turn:
    message = IncomingMessage("telegram", "", f"s{action['id']}", now)
    return Turn(session, now, CHINA, worker, scope_of(session, worker), Conversation(), message)


def take_back(session: Session, action: Action, now: datetime) -> bool:
    """撤销: the record was about somebody else."""
    worker, wrong = session.get_one(HealthWorker, action["who"]), session.get_one(Record, action["record"])
    if wrong.status == "current":
        withdraw(_turn(session, action, worker, now), wrong, "写错人了")
    return False


def confirm(session: Session, action: Action, now: datetime) -> bool:
    """确认收到, by somebody of the township: the earliest case that this doctor reported and nobody has confirmed."""
    doctor = session.get_one(HealthWorker, action["doctor"])
    waiting = (
        select(Record.id)
        .join(InfectiousReport, InfectiousReport.record_id == Record.id)
        .where(Record.worker_id == doctor.id, Record.status == "current", InfectiousReport.confirmed_at.is_(None))
    )
    above = session.get_one(Organisation, doctor.organisation_id).ancestry()
    staff = select(HealthWorker).where(HealthWorker.role == Role.TOWNSHIP, HealthWorker.organisation_id.in_(above))
    record, officer = session.scalar(waiting.order_by(Record.id)), session.scalar(staff.order_by(HealthWorker.id))
    if record is None or officer is None:
        return False
    infectious.confirm(_turn(session, action, officer, now), record)
    return True


def renew(session: Session, action: Action, now: datetime) -> bool:
    """The roster is read in again with another day, or none."""
    worker = session.get_one(HealthWorker, action["who"])
    rest = {name: value for name, value in worker.settings.items() if name != action["term"]}
    worker.settings = rest | ({action["term"]: action["until"]} if action["until"] else {})
    return False


def work_on_campaign(session: Session, action: Action, now: datetime) -> bool:
    """Begin one, move it, stop it, close it, or tick off who was told. Doing it twice changes nothing more."""
    today = now.astimezone(CHINA).date()
    tell_at = QuietHours().after(now, CHINA)
    if action["do"] in ("launch", "plan"):
        begin = _launch if action["do"] == "launch" else _plan
        begin(session, action, now, today, tell_at)
        return True
    campaign = session.get_one(Campaign, action["campaign"])
    match action["do"]:
        case "move" if campaign.status == "launched" and campaign.is_plan:
            before = workers_of(session, campaign)
            if set_milestones(session, campaign, action["milestones"]):
                set_days(campaign, action["milestones"])
                change(session, campaign, now, today, by=action["who"], told_before=before, tell_at=tell_at)
        case "move" if campaign.status == "launched" and campaign.days != action["days"]:
            before = workers_of(session, campaign)
            _hold_on(campaign, action["days"])
            change(session, campaign, now, today, by=action["who"], told_before=before, tell_at=tell_at)
        case "stop":
            stop(session, campaign, "下雨", now, by=action["who"], tell_at=tell_at)
        case "close":
            close(session, campaign, now, by=action["who"])
        case "tell":
            guest = CampaignResident
            some = guest.resident_id % 6 == action["part"]
            session.execute(
                update(guest)
                .where(guest.campaign_id == campaign.id, some, guest.told_on.is_(None))
                .values(told_on=today)
            )
    return True


def _launch(session: Session, action: Action, now: datetime, today: date, tell_at: datetime) -> None:
    """Of a township in a few of its villages or all of them; of the county in one township."""
    code = f"sim{action['id']}"
    if session.scalar(select(Campaign.id).where(Campaign.code == code)) is not None:
        return
    holder, below = _holder(session, action)
    areas = list(below[:: 3 if holder.level == "township" else 9])
    kind = KINDS["two_cancers"]
    campaign = Campaign(
        code=code, kind=kind.code, title=kind.title, organisation_id=holder.id, areas=areas, place="卫生院",
        rule=rule_column(kind.rule, kind, {}) if action["listed"] else None, worker_id=action["who"],
    )  # fmt: skip
    _hold_on(campaign, action["days"])
    session.add(campaign)
    session.flush()
    launch(session, campaign, now, today, by=action["who"], tell_at=tell_at)


def _plan(session: Session, action: Action, now: datetime, today: date, tell_at: datetime) -> None:
    """Its milestones are in the action; the organisations that answer for it are some below, or the holder."""
    code = f"sim{action['id']}"
    if session.scalar(select(Campaign.id).where(Campaign.code == code)) is not None:
        return
    holder, below = _holder(session, action)
    plan = Campaign(
        code=code, kind=action["kind"], title=f"计划{action['id']}", organisation_id=holder.id, worker_id=action["who"],
        areas=areas_of_plan(holder, below, today.day),
    )  # fmt: skip
    set_days(plan, action["milestones"])
    session.add(plan)
    session.flush()
    set_milestones(session, plan, action["milestones"])
    launch(session, plan, now, today, by=action["who"], tell_at=tell_at)


def _holder(session: Session, action: Action) -> tuple[Organisation, list[int]]:
    """Where somebody sits, and the organisations directly below it."""
    holder = session.get_one(Organisation, session.get_one(HealthWorker, action["who"]).organisation_id)
    below = select(Organisation.id).where(Organisation.parent_id == holder.id).order_by(Organisation.id)
    return holder, list(session.scalars(below))


WORK: dict[str, Callable[[Session, Action, datetime], bool]] = {
    "submit": record, "withdraw": take_back, "confirm": confirm, "renew": renew,
    **dict.fromkeys(("launch", "plan", "move", "stop", "close", "tell"), work_on_campaign),
}  # fmt: skip


def _hold_on(campaign: Campaign, days: list[str]) -> None:
    campaign.days = days
    campaign.starts_on, campaign.ends_on = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
