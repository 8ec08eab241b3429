"""To the township: whose accounts a platform refuses, so that no reminder reaches them any more. 收不到消息的村医"""

from __future__ import annotations

from sqlalchemy import String, cast, exists, func, select
from sqlalchemy.orm import aliased

from models.people import ChannelAccount, HealthWorker, Role
from reminders.days import working_days
from reminders.digest import Asked, Part, Query, Said, Telling

SHOWN = 10


def rows(asked: Asked) -> Query:
    """Doctors with accounts of which none can be reached; each time it happens is a matter of its own."""
    other = aliased(ChannelAccount)
    reachable = exists(select(1).where(other.worker_id == HealthWorker.id, other.unreachable_why.is_(None)))
    since = func.max(ChannelAccount.unreachable_since)
    return (
        select(
            HealthWorker.id.label("subject_id"),
            HealthWorker.name,
            HealthWorker.organisation_id.label("organisation_id"),
            func.substr(cast(since, String), 1, 10).label("stage"),
            since.label("since"),
        )
        .join(ChannelAccount, ChannelAccount.worker_id == HealthWorker.id)
        .where(HealthWorker.role == Role.DOCTOR, HealthWorker.active, ~reachable)
        .group_by(HealthWorker.id, HealthWorker.name, HealthWorker.organisation_id)
        .having(since.is_not(None))
    )


def says(telling: Telling) -> Said:
    names = telling.names_since("since", SHOWN)
    return Said([f"🚫 {names}收不到提醒了:停用或拉黑了机器人。请打个电话,请他们给机器人随便发一句话就恢复。"])


part = Part(
    code="unreachable",
    title="收不到消息的村医,每次说一次",
    rows=rows,
    says=says,
    days=working_days,
    once=True,
    ends="村医给机器人发来任何一条消息",
)
