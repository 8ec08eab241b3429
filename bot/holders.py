"""The people who may hold a simulated phone: every worker of the synthetic county, bound on both looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.channels.simulator_chats import Chat
from bot.channels.simulator_looks import LOOKS
from models.outbox import OutboxMessage, ReceivedEvent
from models.people import ROLE_TITLES, ChannelAccount, HealthWorker, Organisation, Role

EARLIER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Holder:
    """A worker who can be given a phone. The account on both channels is the worker's code."""

    code: str
    name: str
    role: str
    place: str

    @property
    def is_doctor(self) -> bool:
        return self.role == Role.DOCTOR

    def to_json(self) -> dict[str, str]:
        return {"code": self.code, "name": self.name, "role": ROLE_TITLES[Role(self.role)], "place": self.place}


def holders_in(session: Session) -> dict[str, Holder]:
    """Every active worker who takes part: doctors first, then townships, then the county."""
    order = [Role.DOCTOR, Role.TOWNSHIP, Role.COUNTY]
    query = (
        select(HealthWorker, Organisation.name)
        .join(Organisation, Organisation.id == HealthWorker.organisation_id)
        .where(HealthWorker.active, HealthWorker.role.in_(order))
        .order_by(HealthWorker.code)
    )
    found = [Holder(worker.code, worker.name, worker.role, place) for worker, place in session.execute(query)]
    return {holder.code: holder for holder in sorted(found, key=lambda holder: order.index(Role(holder.role)))}


def bind(session: Session, chats: Mapping[str, Chat], now: datetime) -> None:
    """Both channels of every account, the one of the chat's look as the one last used. Harmless to repeat."""
    for code, chat in chats.items():
        worker_id = session.scalar(select(HealthWorker.id).where(HealthWorker.code == code))
        bound = set(session.scalars(select(ChannelAccount.channel).where(ChannelAccount.account == code)))
        for look in LOOKS:
            if worker_id is not None and f"sim-{look}" not in bound:
                session.add(ChannelAccount(channel=f"sim-{look}", account=code, worker_id=worker_id, bound_at=now))
        session.flush()
        note_heard(session, code, chat.look, now)


def note_heard(session: Session, account: str, look: str, now: datetime) -> None:
    """What is said unasked goes to the channel a worker was last heard on: the one in the hand."""
    for name in LOOKS:
        at = now if name == look else now - EARLIER
        here = (ChannelAccount.account == account) & (ChannelAccount.channel == f"sim-{name}")
        session.execute(update(ChannelAccount).where(here).values(last_heard_at=at))


def last_moment(session: Session) -> datetime | None:
    """When something last happened in this database: its clock can only go on from there."""
    moments = [
        session.scalar(select(func.max(column)))
        for column in (ReceivedEvent.at, OutboxMessage.planned_at, OutboxMessage.sent_at)
    ]
    return max((moment for moment in moments if moment is not None), default=None)
