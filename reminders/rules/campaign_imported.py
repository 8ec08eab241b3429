"""Campaigns came in by file: whoever holds them sees how many are eligible, and launches each with a tap. 待启动的活动"""

from __future__ import annotations

from handlers.campaigns.texts import name_of
from models.campaign import PLANNED, Campaign
from models.campaign_work import wanted_of
from models.eligibility import count_eligible, total
from models.message import Choice, OutgoingMessage
from models.roster_campaigns import IMPORTED
from reminders.reminder import Context, Gone, Reminder

SHOWN = 5


def words(context: Context) -> OutgoingMessage:
    """Those still waiting, with a button each; nothing when all are launched or stopped."""
    session = context.session
    found = [session.get(Campaign, campaign_id) for campaign_id in context.arguments["campaigns"]]
    waiting = [one for one in found if one is not None and one.status == PLANNED]
    if not waiting:
        raise Gone("launched or stopped already")
    lines = [f"从表格导入了{len(waiting)}个免费活动,核对后点一下就启动:"]
    for n, one in enumerate(waiting[:SHOWN], 1):
        wanted = wanted_of(session, one)
        number = f"应邀{total(count_eligible(session, wanted))['eligible']}人" if wanted else "不列名单"
        lines.append(f"{n}. {name_of(one)} {one.place or ''} {number}")
    if len(waiting) > SHOWN:
        lines.append(f"还有{len(waiting) - SHOWN}个,发“活动”看。")
    choices = [Choice(f"camp.{one.id}.launch", f"{n} 启动", str(n)) for n, one in enumerate(waiting[:SHOWN], 1)]
    return OutgoingMessage("\n".join(lines), (*choices, Choice("campaign", "活动")))


reminder = Reminder(
    code=IMPORTED, title="待启动的活动", words=words, whom="举办单位的公卫科、卫健局", ends="都启动或停止了"
)
