"""A doctor not heard of for a week while visits are waiting: asked kindly whether anything is wrong. 好久没动静"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import String, cast, exists, func, select

from models.base import Key
from models.enrolment import VISITED, Enrolment, open_until
from models.people import ChannelAccount, HealthWorker, Resident, Role
from reminders.days import clinic_days
from reminders.digest import Asked, Part, Query, Said, Telling, each_of


def quiet_doctors(asked: Asked) -> Query:
    """Doctors whose last message, on any channel, lies as many days back as their area allows, and who have overdue visits."""
    heard = func.max(func.coalesce(ChannelAccount.last_heard_at, ChannelAccount.bound_at))
    last = (
        select(ChannelAccount.worker_id, heard.label("heard"), func.substr(cast(heard, String), 1, 10).label("stage"))
        .group_by(ChannelAccount.worker_id)
        .subquery()
    )
    village = each_of(asked.session, HealthWorker.villages)
    overdue = exists(
        select(1)
        .select_from(Enrolment)
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(
            Enrolment.village_id == cast(village.c.value, Key),
            *open_until(asked.today - timedelta(days=1)),
            Resident.status.in_(VISITED),
        )
        .correlate(HealthWorker)
    )
    tomorrow = asked.today + timedelta(days=1)
    long_ago = asked.preferences.past(
        "silent_days", last.c.heard, HealthWorker.organisation_id, lambda back: asked.midnight(tomorrow - back)
    )
    return (
        select(HealthWorker.id.label("subject_id"), HealthWorker.name, last.c.stage, last.c.heard)
        .join(last, last.c.worker_id == HealthWorker.id)
        .where(HealthWorker.active, HealthWorker.role == Role.DOCTOR, long_ago, overdue)
    )


def rows(asked: Asked) -> Query:
    quiet = quiet_doctors(asked)
    return quiet.add_columns(HealthWorker.id.label("worker_id"))


def says(telling: Telling) -> Said:
    return Said(["好些天没收到您的消息了,一切都好吗?网络不好或太忙都没关系,发一句话公卫科就放心;有难处请直接说。"])


part = Part(
    code="silent",
    title="好久没动静:问候一声,一次",
    rows=rows,
    says=says,
    days=clinic_days,
    once=True,
    ends="村医发来任何一条消息",
)
