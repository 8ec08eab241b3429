"""Some days before a campaign, and on the evening before: whom the doctor has still to tell. 活动待通知"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.days import days_words
from handlers.campaigns.settings import DAYS_BEFORE
from models.campaign import LAUNCHED, PLAN_KINDS, Campaign, campaigns_for, doctors_of, paths_of
from models.campaign_figures import all_of, count_guests, guests, scoreboard
from models.county import county
from models.message import Choice, OutgoingMessage, mark_name
from models.people import full_years
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder

NAMES = 8


def campaigns_held_on(session: Session, days: Collection[date]) -> list[Campaign]:
    """Launched campaigns with one of these days among theirs."""
    query = select(Campaign).where(
        Campaign.status == LAUNCHED, Campaign.kind.not_in(PLAN_KINDS), Campaign.ends_on >= min(days),
        Campaign.starts_on <= max(days),
    )  # fmt: skip
    return [campaign for campaign in session.scalars(query) if set(campaign.on_days) & set(days)]


def days_ahead(session: Session, day: date) -> list[date]:
    """The days of whose campaigns is spoken on a day, by the county's setting."""
    return [day + timedelta(days=int(n)) for n in county(session).get("campaign.days_before", DAYS_BEFORE)]


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors of the areas of a campaign with a list, held in so many days."""
    held = [campaign for campaign in campaigns_held_on(session, days_ahead(session, day)) if campaign.rule is not None]
    return {doctor.id for campaign in held for doctor in doctors_of(session, paths_of(session, campaign))}


def words(context: Context) -> OutgoingMessage:
    """For each campaign how many are still to be told, the first few by name; nothing when everybody was told."""
    session, worker, today = context.session, context.worker, context.today
    scope = scope_of(session, worker)
    lines: list[str] = []
    choices: list[Choice] = []
    wanted = set(days_ahead(session, today))
    for campaign in campaigns_for(session, worker):
        following = campaign.next_day(today + timedelta(days=1))
        if campaign.rule is None or following is None or following not in wanted:
            continue
        number = count_guests(session, campaign, scope, "to_tell")
        if number:
            lines.append(
                f"{campaign.title} {days_words([following])}还有{(following - today).days}天,还有{number}人没通知:"
            )
            lines += names_to_tell(context, campaign)
            choices.append(Choice(f"camp.{campaign.id}.tell", f"{campaign.title}待通知"[:10]))
    if not lines:
        raise Gone("everybody is told, or the campaign is off")
    lines.append("通知到了就发:姓名 通知了;不来的发:姓名 不来 原因。")
    return OutgoingMessage("\n".join(lines), tuple(choices))


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
