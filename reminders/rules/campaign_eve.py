"""The evening before: tomorrow's campaign, where it is, and whom the doctor has still to tell. 活动前一晚"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy.orm import Session

from handlers.campaigns.days import days_words
from models.campaign import campaigns_for, doctors_of, paths_of
from models.campaign_figures import count_guests
from models.message import Choice, OutgoingMessage
from models.scope import scope_of
from models.screening import KINDS
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.campaign_to_tell import campaigns_held_on, names_to_tell, standing

TOMORROW = timedelta(days=1)


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors of the areas of a campaign held tomorrow."""
    held = campaigns_held_on(session, [day + TOMORROW])
    return {doctor.id for campaign in held for doctor in doctors_of(session, paths_of(session, campaign))}


def words(context: Context) -> OutgoingMessage:
    """Each campaign of tomorrow, as it stands this evening."""
    session, tomorrow = context.session, context.today + TOMORROW
    lines: list[str] = []
    choices: list[Choice] = []
    for campaign in campaigns_for(session, context.worker):
        if tomorrow not in campaign.on_days:
            continue
        where = " ".join(part for part in (campaign.place, campaign.hours) if part)
        lines.append(f"明天{days_words([tomorrow])}{campaign.title},{where or '地点见通知'}。")
        if campaign.rule is not None:
            lines.append(standing(context, campaign) + "。")
            if count_guests(session, campaign, scope_of(session, context.worker), "to_tell"):
                lines += names_to_tell(context, campaign)
                choices.append(Choice(f"camp.{campaign.id}.tell", "待通知"))
            choices.append(Choice(f"camp.{campaign.id}.come", "到场打勾"))
        if caution := KINDS[campaign.kind].caution:
            lines.append(f"提醒居民:{caution}。")
    if not lines:
        raise Gone("nothing is held tomorrow any more")
    return OutgoingMessage("\n".join(lines), tuple(choices))


reminder = Reminder(
    code="campaign_eve",
    title="活动前一晚",
    audience=audience,
    words=words,
    whom="范围内的村医;活动前一晚",
    ends="活动改期或停止",
)
