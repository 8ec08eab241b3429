"""A campaign was launched, changed or stopped: each doctor hears of it once, as it stands when the message goes out. 活动通知"""

from __future__ import annotations

from handlers.campaigns.texts import card_lines, name_of
from models.campaign import LAUNCHED, STOPPED, Campaign, area_paths, concerns
from models.campaign_figures import count_guests
from models.campaign_work import NOTICE, was_told
from models.message import Choice, OutgoingMessage
from models.people import ROLE_TITLES, HealthWorker, Role
from models.scope import scope_of
from reminders.reminder import Context, Gone, Reminder


def words(context: Context) -> OutgoingMessage:
    """What the worker has to know, given what they were told before.

    1. Only the latest edition is said; an earlier one still waiting is Gone.
    2. Stopped: only to those who had heard of it.
    3. Their villages are no longer in its areas: likewise.
    4. Launched, or changed for those who had heard; with how many of theirs are invited, and a button to their list.
    5. Whoever holds it hears what somebody else did to it, and who.
    """
    session, worker = context.session, context.worker
    campaign = session.get(Campaign, context.arguments["campaign_id"])
    if campaign is None or context.arguments["edition"] != campaign.edition:
        raise Gone("told as it stands now")
    holds = worker.role != Role.DOCTOR and worker.organisation_id == campaign.organisation_id
    heard = was_told(session, campaign, worker.id) or (holds and campaign.edition > 1)
    concerned = concerns(session, campaign, worker, dict(area_paths(session, [campaign])))
    if campaign.status == STOPPED or not concerned:
        if not heard:
            raise Gone("stopped before anybody was told" if campaign.status == STOPPED else "not in its areas")
        return OutgoingMessage(_off(campaign, by=_by(context)) if holds else _off(campaign))
    if campaign.status != LAUNCHED:
        raise Gone(f"the campaign is {campaign.status}")
    title = f"活动有变动:{name_of(campaign)}" if heard else f"新活动:{name_of(campaign)}"
    lines = [title, *card_lines(session, campaign)[1:]]
    if holds:
        lines.insert(1, f"{_by(context)}{'改动' if heard else '启动'}的。")
    choices = [Choice(f"camp.{campaign.id}", "看活动")]
    if campaign.rule is not None:
        number = count_guests(session, campaign, scope_of(session, worker), "to_tell")
        if worker.role == Role.DOCTOR:
            again = "日子、时间或地点变了,通知过的也要重新通知。" if heard and context.arguments.get("retold") else ""
            lines.append(f"{again}您负责的居民里有{number}人要通知。通知一位,发:姓名 通知了。")
            choices.insert(0, Choice(f"camp.{campaign.id}.tell", "待通知名单"))
        else:
            lines.append(f"辖区应邀{number}人,名单已发给各村医。")
    elif worker.role == Role.DOCTOR:
        lines.append("请在村里告诉大家。")
    return OutgoingMessage("\n".join(lines), tuple(choices))


def _by(context: Context) -> str:
    """Who did it, for whoever holds the campaign."""
    by = context.session.get(HealthWorker, context.arguments.get("by") or 0)
    return f"{by.name}({ROLE_TITLES[Role(by.role)]})" if by else "从表格导入"


def _off(campaign: Campaign, by: str = "") -> str:
    if campaign.status == STOPPED:
        why = f"原因:{campaign.end_reason}。" if campaign.end_reason else ""
        if by:
            return f"活动停办:{name_of(campaign)}不办了,{by}停的。{why}接到过通知的村医会另外收到消息。"
        return f"活动停办:{name_of(campaign)}不办了。{why}通知过的居民请再告诉一声。"
    return f"活动有变动:{name_of(campaign)}不再包括您负责的村,不用再通知。通知过的居民请再告诉一声。"


reminder = Reminder(
    code=NOTICE,
    title="活动通知",
    words=words,
    whom="范围内的村医;县里办的还有乡镇公卫科;别人启动、改动、停止的还有举办单位",
    ends="活动又改了(说最新的),没听说过就停了",
)
