"""活动 追踪: the results that need more, until each is closed. In a private chat only, and without naming what is discreet."""

from __future__ import annotations

from datetime import date

from handlers import filling
from handlers.asking import ask
from handlers.turn import Turn
from models.campaign import Campaign
from models.conversation import Draft
from models.message import Choice, mark_name
from models.screening_results import FOLLOW_UP, Followed, followed, late

PAGE = 5  # buttons of a card, with one left for the next page


def show(turn: Turn, words: str = "", start: int = 0) -> None:
    """Who is still to be followed in the worker's scope, the most overdue first; a button opens each."""
    found = followed(turn.session, turn.scope, turn.settings)
    found.sort(key=lambda f: (-f.days_late(turn.today), f.row.record_id))
    if words:
        found = [f for f in found if words in (f.name or "") or words in f.test.title] or found
    if not found:
        turn.say("没有要追踪的筛查结果。", [Choice("campaign", "活动")])
        return
    overdue = len(late(found, turn.today))
    page = found[start : start + PAGE]
    lines = [f"要追踪{len(found)}项" + (f",其中{overdue}项已超期。" if overdue else "。")]
    lines += [f"{n}. {line_of(turn, f)}" for n, f in enumerate(page, start + 1)]
    choices = [Choice(f"follow.{f.row.record_id}", f"{n} {label_of(f)}", str(n)) for n, f in enumerate(page, start + 1)]
    if start + PAGE < len(found):
        choices.append(Choice(f"followed.{start + PAGE}", "下一页"))
    if not turn.scope.names:
        lines, choices = [*lines[:1], "按规定这一级只看数字,名单在村医和乡镇。"], choices[PAGE:]
    turn.say("\n".join(lines), choices)


def line_of(turn: Turn, one: Followed) -> str:
    return followed_words(one, turn.today)


def followed_words(one: Followed, today: date) -> str:
    """张桂兰 石桥村 宫颈癌筛查 12月8日结果,待到院,超期3天."""
    who = mark_name(one.name) if one.name else "(匿名)"
    step = "待结案" if one.arrived else "待到院"
    days = one.days_late(today)
    when = f"超期{days}天" if days > 0 else f"{-days}天内" if days < 0 else "今天到期"
    return f"{who} {one.village} {one.test.heading} {one.row.on.month}月{one.row.on.day}日结果,{step},{when}"


def label_of(one: Followed) -> str:
    return mark_name(one.name) if one.name else f"匿名{one.row.record_id}"


def open_follow_up(turn: Turn, rest: str) -> None:
    """Open the form for one result."""
    one = next((f for f in followed(turn.session, turn.scope, turn.settings) if str(f.row.record_id) == rest), None)
    if one is None or not turn.scope.names:
        turn.say("这一项已经结案,或不在您的范围里了。", [Choice("campaign", "活动")])
        return
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再记追踪。")
        return
    answers = {"screening": one.row.record_id, "kind": one.row.test, "village_id": one.row.village_id}
    filling.open_drafts(turn, [Draft(FOLLOW_UP, one.row.resident_id, answers)])
    ask(turn, before=followed_words(one, turn.today))


def late_line(turn: Turn, campaign: Campaign) -> list[str]:
    """How many results of a campaign are past their day."""
    overdue = late(followed(turn.session, turn.scope, turn.settings, campaign_id=campaign.id), turn.today)
    return [f"⚠️ {len(overdue)}项追踪超期,发“活动 追踪”看。"] if overdue else []
