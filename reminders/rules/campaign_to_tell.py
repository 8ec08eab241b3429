"""Some days before a campaign, and on the evening before: whom the doctor has still to tell. 活动待通知"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.days import days_words
from handlers.campaigns.settings import DAYS_BEFORE
from models.campaign import LAUNCHED, PLAN_KINDS, Campaign, campaigns_for, doctors_of, launched_on, paths_of
from models.campaign_figures import all_of, count_guests, guests, scoreboard, villages_with
from models.county import county
from models.mention import heard, mention
from models.message import Choice, OutgoingMessage, mark_name
from models.people import full_years
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder
from reminders.stages import stage

NAMES = 8
KIND = "campaign_to_tell"


def launched(session: Session) -> list[Campaign]:
    """Those that run, not the plans."""
    query = select(Campaign).where(Campaign.status == LAUNCHED, Campaign.kind.not_in(PLAN_KINDS))
    return list(session.scalars(query.order_by(Campaign.starts_on, Campaign.id)))


def stage_ahead(session: Session, campaign: Campaign, today: date) -> str | None:
    """Which of the days before its next day has come, by the county's setting; today is another matter."""
    following = campaign.next_day(today + timedelta(days=1))
    before = county(session).get("campaign.days_before", DAYS_BEFORE)
    return stage(following, today, map(int, before), since=launched_on(campaign)) if following else None


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors who have somebody to tell of a campaign that is near, unless they heard of it on the last of its days."""
    found: set[int] = set()
    for campaign in launched(session):
        reached = stage_ahead(session, campaign, day) if campaign.rule is not None else None
        if reached is None:
            continue
        told, villages = heard(session, KIND, [campaign.id]), villages_with(session, campaign, "to_tell")
        found |= {
            doctor.id
            for doctor in doctors_of(session, paths_of(session, campaign))
            if villages & set(doctor.villages) and (doctor.id, campaign.id, reached) not in told
        }
    return found


def words(context: Context) -> OutgoingMessage:
    """For each campaign how many are still to be told, the first few by name; nothing when everybody was told."""
    session, worker, today = context.session, context.worker, context.today
    scope = scope_of(session, worker)
    lines: list[str] = []
    choices: list[Choice] = []
    matters: list[tuple[int, str]] = []
    for campaign in campaigns_for(session, worker):
        reached = stage_ahead(session, campaign, today) if campaign.rule is not None else None
        if reached is None or (worker.id, campaign.id, reached) in _told(context, campaign):
            continue
        following, number = (
            campaign.next_day(today + timedelta(days=1)),
            count_guests(session, campaign, scope, "to_tell"),
        )
        if following and number:
            matters.append((campaign.id, reached))
            lines.append(
                f"{campaign.title} {days_words([following])}还有{(following - today).days}天,还有{number}人没通知:"
            )
            lines += names_to_tell(context, campaign)
            choices.append(Choice(f"camp.{campaign.id}.tell", f"{campaign.title}待通知"[:10]))
    if not lines:
        raise Gone("everybody is told, or the campaign is off")
    mention(session, KIND, worker.id, matters, context.message_key)
    lines.append("通知到了就发:姓名 通知了;不来的发:姓名 不来 原因。")
    return OutgoingMessage("\n".join(lines), tuple(choices))


def _told(context: Context, campaign: Campaign) -> set[tuple[int, int, str]]:
    return heard(context.session, KIND, [campaign.id], but=context.message_key)


def names_to_tell(context: Context, campaign: Campaign) -> list[str]:
    """The first few who are still to be told."""
    scope = scope_of(context.session, context.worker)
    found = guests(context.session, campaign, scope, "to_tell", limit=NAMES + 1)
    shown = [
        f"{mark_name(g.name)} {f'{full_years(g.born_on, context.today)}岁' if g.born_on else ''} {g.village_group or ''}".strip()
        for g in found[:NAMES]
    ]
    return ["、".join(shown) + ("……" if len(found) > NAMES else "")]


def standing(context: Context, campaign: Campaign) -> str:
    """已通知30/42,还没通知12人."""
    score = all_of(scoreboard(context.session, campaign, scope_of(context.session, context.worker)))
    left = score.invited - score.told
    return f"已通知{score.told}/{score.invited}" + (f",还没通知{left}人" if left > 0 else ",都通知到了")


reminder = Reminder(
    code="campaign_to_tell",
    title="活动待通知",
    audience=audience,
    words=words,
    whom="还有人没通知的村医;活动前7、3、1天",
    ends="都通知到了,活动改期或停止",
)
