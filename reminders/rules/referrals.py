"""What the loop of a referral wants to know next: arrived (the day after an emergency, else within two weeks, M-13), result, back. 转诊追问"""

from __future__ import annotations

from sqlalchemy import select

from handlers.decisions import Urgency
from handlers.referrals import ASKED_AT_ONCE, question, to_ask
from models.enrolment import VISITED
from models.message import Choice
from models.people import Resident
from models.record import Referral
from models.referrals import waiting
from reminders.digest import Asked, Part, Query, Said, Telling


def rows(asked: Asked) -> Query:
    """Open referrals whose day to be asked about has come."""
    return (
        select(Referral.village_id.label("organisation_id"), Referral.id)
        .join(Resident, Resident.id == Referral.resident_id)
        .where(*waiting(asked.today), Resident.status.in_(VISITED))
    )


def says(telling: Telling) -> Said:
    """The first few questions, emergencies first; they are answered under 今日."""
    context = telling.context
    asked = to_ask(context.session, context.scope, context.today)
    if telling.pressing:
        asked = [(referral, name) for referral, name in asked if referral.urgency == Urgency.EMERGENCY]
    lines = [f"{question(referral, name)}点“今日”回答。" for referral, name in asked]
    if len(telling.rows) > ASKED_AT_ONCE:
        lines.append(f"还有{len(telling.rows) - ASKED_AT_ONCE}位转诊的等您回答。")
    urgent = any(referral.urgency == Urgency.EMERGENCY for referral, _ in asked)
    return Said(lines, [Choice("today", "今日")], urgent)


part = Part(
    code="referrals",
    title="转诊追问:到没到、结果、回来没有",
    rows=rows,
    says=says,
    pressing=lambda open_: open_.where(Referral.urgency == Urgency.EMERGENCY),
    ends="村医答了,或记录撤回、死亡、迁出",
)
