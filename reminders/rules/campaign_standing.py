"""How a campaign stands, to whoever holds it: some days before, on the eve, on its days, and when it can be closed. 活动进度"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.texts import name_of, score_words, village_lines
from models.campaign import Campaign, campaigns_for, may_manage
from models.campaign_figures import VillageScore, all_of, scoreboard
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Role
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.campaign_to_tell import campaigns_held_on, days_ahead

BEHIND = 5  # villages named
CLOSE_AFTER = 7  # days after the last one, when it is asked whether the report can be made


def _days(session: Session, day: date) -> list[date]:
    return [*days_ahead(session, day), day, day - timedelta(days=CLOSE_AFTER)]


def audience(session: Session, day: date) -> Iterable[int]:
    """Supervisors who may change a campaign held soon, today, or ended a week ago."""
    held = campaigns_held_on(session, _days(session, day))
    if not held:
        return []
    roles = (Role.TOWNSHIP, Role.COUNTY)
    supervisors = session.scalars(select(HealthWorker).where(HealthWorker.role.in_(roles), HealthWorker.active)).all()
    return [w.id for w in supervisors if any(w.organisation_id == c.organisation_id for c in held)]


def words(context: Context) -> OutgoingMessage:
    """For each of theirs the figures, and the villages furthest behind."""
    session, worker, today = context.session, context.worker, context.today
    lines: list[str] = []
    choices: list[Choice] = []
    for campaign in campaigns_for(session, worker):
        if not may_manage(session, campaign, worker) or not set(campaign.on_days) & set(_days(session, today)):
            continue
        board = scoreboard(session, campaign, scope_of(session, worker))
        lines += [_head(campaign, today), *_figures(campaign, board, today)]
        lines += _behind(board) if campaign.rule is not None and campaign.starts_on > today else []
        over = campaign.ends_on < today
        choices.append(
            Choice(f"camp.{campaign.id}.{'close' if over else 'score'}", "结束并出报告" if over else "各村进度")
        )
    if not lines:
        raise Gone("nothing is held any more")
    return OutgoingMessage("\n".join(lines), tuple(choices))


def _figures(campaign: Campaign, board: list[VillageScore], today: date) -> list[str]:
    return score_words(all_of(board), listed=campaign.rule is not None, began=campaign.starts_on <= today)


def _head(campaign: Campaign, today: date) -> str:
    following = campaign.next_day(today)
    if following is None:
        return f"{name_of(campaign)}已过,结果录完就可以结束。"
    return f"{name_of(campaign)} " + ("今天" if following == today else f"还有{(following - today).days}天")


def _behind(board: list[VillageScore]) -> list[str]:
    late = sorted(
        (line for line in board if line.score.told < line.score.invited),
        key=lambda line: line.score.told / line.score.invited,
    )[:BEHIND]
    return [f"通知较慢:{';'.join(village_lines(late, listed=True, began=False))}"] if late else []


reminder = Reminder(
    code="campaign_standing",
    title="活动进度",
    audience=audience,
    words=words,
    whom="举办单位;活动前7、3、1天、当天和结束后7天",
    ends="活动停止或已结束",
)
