"""What people do that is written into the database by the use cases themselves, in a writer's transaction."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from handlers.filling import open_drafts
from handlers.record_visit import submit, withdraw
from handlers.turn import Turn
from models.campaign import Campaign, CampaignResident
from models.campaign_work import change, close, launch, rule_column, stop, workers_of
from models.conversation import Conversation, Draft
from models.message import IncomingMessage
from models.people import ChannelAccount, HealthWorker, Organisation, Resident
from models.preferences import QuietHours
from models.record import Record
from models.scope import scope_of
from models.screening import KINDS
from tests.simulation.clock import CHINA

Action = dict[str, Any]


def record(session: Session, action: Action, now: datetime) -> bool:
    """A visit as the button 提交 records it, and that its doctor was heard of; a second time it is found done.

    Returns whether anything has to be said of it.
    """
    worker = session.get_one(HealthWorker, action["who"])
    resident = session.get_one(Resident, action["resident"])
    if resident.status not in ("active", "absent"):
        return False
    message = IncomingMessage("telegram", "", f"s{action['id']}", now)
    turn = Turn(session, now, CHINA, worker, scope_of(session, worker), Conversation(), message)
    open_drafts(turn, [Draft(action["service"], action["resident"], dict(action["answers"]))])
    submit(turn)
    account = (
        select(ChannelAccount.id).where(ChannelAccount.worker_id == worker.id).order_by(ChannelAccount.id).limit(1)
    )
    heard = update(ChannelAccount).where(ChannelAccount.id == account.scalar_subquery())
    session.execute(heard.values(last_heard_at=now.astimezone(UTC)))
    return any(session.info.get("said", {}).values())


def take_back(session: Session, action: Action, now: datetime) -> bool:
    """撤销: the record was about somebody else."""
    worker, wrong = session.get_one(HealthWorker, action["who"]), session.get_one(Record, action["record"])
    if wrong.status == "current":
        message = IncomingMessage("telegram", "", f"s{action['id']}", now)
        withdraw(
            Turn(session, now, CHINA, worker, scope_of(session, worker), Conversation(), message), wrong, "写错人了"
        )
    return False


def work_on_campaign(session: Session, action: Action, now: datetime) -> bool:
    """Begin one, move it, stop it, close it, or tick off who was told. Doing it twice changes nothing more."""
    today = now.astimezone(CHINA).date()
    tell_at = QuietHours().after(now, CHINA)
    if action["do"] == "launch":
        _launch(session, action, now, today, tell_at)
        return True
    campaign = session.get_one(Campaign, action["campaign"])
    match action["do"]:
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
    holder = session.get_one(Organisation, session.get_one(HealthWorker, action["who"]).organisation_id)
    below = session.scalars(
        select(Organisation.id).where(Organisation.parent_id == holder.id).order_by(Organisation.id)
    ).all()
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


def _hold_on(campaign: Campaign, days: list[str]) -> None:
    campaign.days = days
    campaign.starts_on, campaign.ends_on = date.fromisoformat(days[0]), date.fromisoformat(days[-1])
