"""The worklist of somebody who watches over many villages says first which doctor has how many."""

from __future__ import annotations

import asyncio
import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.chat import ChatSession
from bot.config import Settings
from models.base import Store
from models.enrolment import Enrolment
from models.people import HealthWorker, Organisation, Resident
from models.seed import seed
from tests.conftest import NOW, TODAY
from tests.databases import fresh_store


def test_each_doctor_with_how_many(settings: Settings) -> None:
    with fresh_store() as store:
        with store.write() as session:
            seed(session, TODAY, NOW, residents=2000, doctors=8)
            session.commit()
        said = asyncio.run(_typed(settings, store, "逾期"))
        told = dict(re.findall(r"([^、:]+?)(\d+)(?=、|$)", next(line for line in said if line.startswith("村医:"))))
        with store.read() as session:
            assert len(told) > 1 and told == _late(session)


def _late(session: Session) -> dict[str, str]:
    """How many residents of each doctor of 托口镇 are late, asked of the tables."""
    township = select(Organisation.id).where(Organisation.name == "托口镇").scalar_subquery()
    villages = select(Organisation.id).where(Organisation.parent_id == township)
    late = (
        select(HealthWorker.name, func.count(Resident.id.distinct()))
        .join(Resident, Resident.worker_id == HealthWorker.id)
        .join(Enrolment, Enrolment.resident_id == Resident.id)
        .where(Enrolment.next_due_on < TODAY, Enrolment.ended_on.is_(None), Resident.status == "active")
        .where(Enrolment.village_id.in_(villages))
        .group_by(HealthWorker.name)
    )
    return {name: str(count) for name, count in session.execute(late)}


async def _typed(settings: Settings, store: Store, text: str) -> list[str]:
    async with ChatSession(settings, store, "S001", NOW) as chat:
        return [line for message in await chat.say(text) for line in message.text.split("\n")]
