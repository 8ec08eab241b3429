"""How a campaign stands, to whoever holds it: some days before, on the eve, on its days, and when it can be closed. 活动进度"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.campaigns.texts import name_of, score_words, village_lines
from models.campaign import Campaign
from models.campaign_figures import VillageScore, all_of, scoreboard
from models.mention import heard, mention
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Role
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.campaign_to_tell import launched, stage_ahead

KIND = "campaign_standing"
BEHIND = 5  # villages named
CLOSE_AFTER = 7  # days after the last one, when it is asked whether the report can be made


def _stage(session: Session, campaign: Campaign, today: date) -> str | None:
    """Which of its days has come: one before it, one of its own, or that on which it is asked for the report."""
    if today in campaign.on_days:
        return f"on:{today}"
    if campaign.ends_on <= today - timedelta(days=CLOSE_AFTER):
        return f"after:{campaign.ends_on}"
    return stage_ahead(session, campaign, today)


def _untold(session: Session, today: date, but: str = "") -> Iterator[tuple[Campaign, str, set[int]]]:
    """(campaign, stage, who was told of it) of every campaign that has come to one of its days."""
    for campaign in launched(session):
        if reached := _stage(session, campaign, today):
            told = heard(session, KIND, [campaign.id], but=but)
            yield campaign, reached, {worker_id for worker_id, _, of in told if of == reached}


def audience(session: Session, day: date) -> Iterable[int]:
    """Supervisors of whoever holds a campaign that has come to one of its days, unless they heard of it then."""
    roles = (Role.TOWNSHIP, Role.COUNTY)
    query = select(HealthWorker.id, HealthWorker.organisation_id).where(
        HealthWorker.role.in_(roles), HealthWorker.active
    )
    found: set[int] = set()
    for campaign, _, told in _untold(session, day):
        holds = query.where(HealthWorker.organisation_id == campaign.organisation_id)
        found |= {worker_id for worker_id, _ in session.execute(holds)} - told
    return found


def words(context: Context) -> OutgoingMessage:
    """For each of theirs the figures, and the villages furthest behind."""
    session, worker, today = context.session, context.worker, context.today
    lines: list[str] = []
    choices: list[Choice] = []
    matters: list[tuple[int, str]] = []
    for campaign, reached, told in _untold(session, today, context.message_key):
        if campaign.organisation_id != worker.organisation_id or worker.id in told:
            continue
        matters.append((campaign.id, reached))
        board = scoreboard(session, campaign, scope_of(session, worker))
        lines += [_head(campaign, today), *_figures(campaign, board, today)]
        lines += _behind(board) if campaign.rule is not None and campaign.starts_on > today else []
        over = campaign.ends_on < today
        choices.append(
            Choice(f"camp.{campaign.id}.{'close' if over else 'score'}", "结束并出报告" if over else "各村进度")
        )
    if not lines:
        raise Gone("nothing is held any more")
    mention(session, KIND, worker.id, matters, context.message_key)
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
