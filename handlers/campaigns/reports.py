"""The closing report of a campaign, as a paragraph an office can send on. 活动总结"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.days import days_words
from handlers.campaigns.texts import part, village_lines
from handlers.template import template
from handlers.turn import Turn
from models.campaign import STATUS_TITLES, Campaign, doctors_of, paths_of
from models.campaign_figures import all_of, by_township, reasons_declined, scoreboard
from models.eligibility import REASONS
from models.message import Choice
from models.people import Organisation
from models.scope import Scope
from models.screening_results import followed, late

REASONS_SHOWN = 5
MOST_VILLAGES = 30  # beyond them the townships are listed


def show(turn: Turn, campaign: Campaign) -> None:
    text = report(turn.session, campaign, turn.scope, turn.today, turn.settings)
    turn.say(text, [Choice(f"camp.{campaign.id}.score", "各村进度")])


def report(session: Session, campaign: Campaign, scope: Scope, today: date, settings: Mapping[str, Any]) -> str:
    """Held when, where, for whom; told, came, declined and why; results and how far they are followed. No name in it."""
    board = scoreboard(session, campaign, scope)
    open_ones = followed(session, scope, settings, campaign_id=campaign.id)
    reasons = reasons_declined(session, campaign, scope)
    return (
        template("campaign_report.txt")
        .render(
            campaign=campaign,
            status=STATUS_TITLES[campaign.status],
            days=days_words(campaign.on_days),
            holder=session.get_one(Organisation, campaign.organisation_id).name,
            areas=_names(session, campaign),
            doctors=len(doctors_of(session, paths_of(session, campaign))),
            whom=campaign.whom.words() if campaign.whom else "",
            counted=[
                f"{words}{n}人" for reason, words in REASONS.items() if (n := (campaign.counted or {}).get(reason))
            ],
            score=all_of(board),
            part=part,
            reasons=[f"{reason}{number}人" for reason, number in reasons[:REASONS_SHOWN]],
            following=len(open_ones),
            overdue=len(late(open_ones, today)),
            villages=village_lines(
                board if len(board) <= MOST_VILLAGES else by_township(session, board), listed=campaign.rule is not None
            ),
            today=today,
        )
        .strip()
    )


def area_names(turn: Turn, campaign: Campaign) -> str:
    return _names(turn.session, campaign)


def _names(session: Session, campaign: Campaign) -> str:
    query = select(Organisation.name).where(Organisation.id.in_(campaign.areas or [campaign.organisation_id]))
    return "、".join(session.scalars(query.order_by(Organisation.code)))
