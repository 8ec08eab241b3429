"""The evening before a campaign: where it is, and whom the doctor has still to tell. Whom that did not reach hears it on the morning. 活动前一晚、当天"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy.orm import Session

from handlers.campaigns.days import days_words
from models.campaign import Campaign, campaigns_for, doctors_of, launched_on, paths_of
from models.campaign_figures import count_guests
from models.mention import heard, mention
from models.message import Choice, OutgoingMessage
from models.scope import scope_of
from models.screening import KINDS
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.campaign_to_tell import launched, names_to_tell, standing

KIND = "campaign_eve"
TOMORROW = timedelta(days=1)


def audience(session: Session, day: date) -> Iterable[int]:
    """Doctors of the areas of a campaign held tomorrow."""
    return _listeners(session, day + TOMORROW)


def audience_on_the_day(session: Session, day: date) -> Iterable[int]:
    """Those of a campaign held today who were not told on the evening before, nor just now by its launch."""
    return _listeners(session, day)


def _listeners(session: Session, held_on: date) -> set[int]:
    found: set[int] = set()
    for campaign in launched(session):
        if held_on in campaign.on_days and launched_on(campaign) != held_on:
            told = heard(session, KIND, [campaign.id])
            doctors = doctors_of(session, paths_of(session, campaign))
            found |= {doctor.id for doctor in doctors if (doctor.id, campaign.id, str(held_on)) not in told}
    return found


def words(context: Context) -> OutgoingMessage:
    """Each campaign of tomorrow, as it stands this evening."""
    return _words(context, "明天", context.today + TOMORROW)


def words_on_the_day(context: Context) -> OutgoingMessage:
    """Each campaign of today, as it stands this morning."""
    return _words(context, "今天", context.today)


def _words(context: Context, when: str, held_on: date) -> OutgoingMessage:
    lines: list[str] = []
    choices: list[Choice] = []
    matters: list[tuple[int, str]] = []
    for campaign in campaigns_for(context.session, context.worker):
        matter = campaign.id, str(held_on)
        told = heard(context.session, KIND, [campaign.id], but=context.message_key)
        if held_on in campaign.on_days and (context.worker.id, *matter) not in told:
            matters.append(matter)
            _add(context, campaign, f"{when}{days_words([held_on])}", lines, choices)
    if not lines:
        raise Gone(f"nothing is held on {held_on} any more")
    mention(context.session, KIND, context.worker.id, matters, context.message_key)
    return OutgoingMessage("\n".join(lines), tuple(choices))


def _add(context: Context, campaign: Campaign, when: str, lines: list[str], choices: list[Choice]) -> None:
    where = " ".join(part for part in (campaign.place, campaign.hours) if part)
    lines.append(f"{when}{campaign.title},{where or '地点见通知'}。")
    if campaign.rule is not None:
        lines.append(standing(context, campaign) + "。")
        if count_guests(context.session, campaign, scope_of(context.session, context.worker), "to_tell"):
            lines += names_to_tell(context, campaign)
            choices.append(Choice(f"camp.{campaign.id}.tell", "待通知"))
        choices.append(Choice(f"camp.{campaign.id}.come", "到场打勾"))
    if remind := [said for said in (campaign.note, KINDS[campaign.kind].caution) if said]:
        lines.append(f"提醒居民:{';'.join(remind)}。")


reminder = Reminder(
    code="campaign_eve",
    title="活动前一晚",
    audience=audience,
    words=words,
    whom="范围内的村医;活动前一晚",
    ends="活动改期或停止",
)
on_the_day = Reminder(
    code="campaign_day",
    title="活动当天",
    audience=audience_on_the_day,
    words=words_on_the_day,
    whom="范围内的村医,前一晚没送到的",
    ends="前一晚已送到,活动改期或停止",
)
