"""活动: what is on, how it stands, and, for supervisors, planning, moving, stopping and closing it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from handlers import filling
from handlers.asking import ask
from handlers.campaigns import lists, positives, reports
from handlers.campaigns.days import days_words
from handlers.campaigns.texts import card_lines, name_of, score_words, summary_line, village_lines
from handlers.evaluation import known_of
from handlers.leftovers import leftovers
from handlers.lines import prepare, read_fields
from handlers.menu import FORMS
from handlers.reading.day_lists import find_days
from handlers.reading.normalise import tidy
from handlers.turn import Turn
from models import campaign_work
from models.campaign import CLOSED, LAUNCHED, PLANNED, STOPPED, Campaign, campaigns_for, may_manage
from models.campaign_figures import all_of, by_township, scoreboard
from models.conversation import Draft
from models.message import Choice
from models.people import Role
from models.record import Record
from models.screening import KINDS

SERVICE = "campaign"
OFFERED = 5  # a card carries six buttons, and one is for a new one
REASON = "stop_reason"  # said along with 停止, before it was clear which campaign
NEW = Choice("camp.new", "新活动")
_NEW = re.compile(
    r"(?:新建|新增|新(?!生儿|筛)|添加|计划(?!怀孕)|安排|举办|组织|开展|搞|办)(?:活动|一个|一场|一次|个|场|次)?\s*"
)
_FREE = re.compile(r"(?<=[\u4e00-\u9fff])免费(?=[\u4e00-\u9fff])")  # 老年人免费体检: they all are
EXAMPLE = "活动 两癌筛查 12月8日 托口镇卫生院 石桥村、青龙村"


def campaign(turn: Turn, words: str) -> None:
    """Answer 活动 with whatever words followed.

    1. No words: the campaigns that concern the worker, the next first.
    2. 进度, 名单, 追踪, 改期, 停止, 结束, 报告, and the campaign's name where there are several.
    3. Of a supervisor, anything else plans a new one; of a doctor, it names one of the list.
    """
    words = words.strip()
    if not words:
        _list(turn)
        return
    for pattern, act in _ACTS:
        if match := pattern.match(words):
            act(turn, words[match.end() :].strip(" ::,,"))
            return
    if turn.worker.role == Role.DOCTOR:
        _chosen(turn, words, _card)
    else:
        plan(turn, _NEW.sub("", words, count=1) if _NEW.match(words) else words)


def plan(turn: Turn, words: str) -> None:
    """Open the form, filled as far as the words go; what is not understood is quoted back."""
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再安排活动。")
        return
    draft = Draft(SERVICE)
    remark = ""
    if words:
        said = _FREE.sub("", tidy(words))
        form, known = FORMS[SERVICE], known_of(turn, draft)
        line = prepare(said, (), [area.name for area in known.areas()])
        reading = read_fields(form, line, known)
        draft.answers, draft.doubts, draft.source = reading.answers, reading.doubts, words
        left = leftovers(line, reading.taken, known)
        unread = [*left.words, *left.numbers]
        remark = f"没用上:{'、'.join(unread[:6])}。" if unread else ""
    filling.open_drafts(turn, [draft])
    ask(turn, before=remark)


# --- what is on ---


def _list(turn: Turn) -> None:
    supervisor = turn.worker.role != Role.DOCTOR
    statuses = (PLANNED, LAUNCHED) if supervisor else (LAUNCHED,)
    found = campaigns_for(turn.session, turn.worker, statuses=statuses)
    lines, choices = [], []
    for n, one in enumerate(found[:OFFERED], 1):
        board = scoreboard(turn.session, one, turn.scope)
        mark = "(待启动)" if one.status == PLANNED else ""
        lines.append(f"{n}. {summary_line(one, board, turn.today)}{mark}")
        choices.append(Choice(f"camp.{one.id}", f"{n} {one.title}"[:10], str(n)))
    if len(found) > OFFERED:
        others = "、".join(name_of(one) for one in found[OFFERED : OFFERED * 2])
        lines.append(f"还有{len(found) - OFFERED}个:{others}。发“活动 名称”看。")
    if not found:
        lines.append("现在没有进行中的免费活动。" + (f"要安排就发一行,例如:{EXAMPLE}" if supervisor else ""))
    head = f"免费活动 {turn.today}:" if found else ""
    turn.say("\n".join([head, *lines]).strip(), [*choices, *([NEW] if supervisor else [])])


def press(turn: Turn, rest: str) -> None:
    """A button: `new`, or `<campaign>[.<act>[.<more>]]`."""
    if rest == "new":
        plan(turn, "")
        return
    number, _, act = rest.partition(".")
    act, _, more = act.partition(".")
    one = turn.session.get(Campaign, int(number)) if number.isdigit() else None
    if one is None or one not in campaigns_for(
        turn.session, turn.worker, statuses=(PLANNED, LAUNCHED, STOPPED, CLOSED)
    ):
        turn.say("这个活动已经不在您的名单里了。发“活动”看现在的。", [Choice("campaign", "活动")])
        return
    if act in _LISTS:
        lists.show(turn, one, _LISTS[act], int(more) if more.isdigit() else 0)
    elif act in _MANAGING and not may_manage(turn.session, one, turn.worker):
        turn.say("这个活动不是您单位安排的,要改请联系安排的单位。")
    else:
        _PRESSED.get(act, _card)(turn, one)


def _card(turn: Turn, one: Campaign) -> None:
    """The campaign, how it stands in the worker's scope, and what can be done about it."""
    board = scoreboard(turn.session, one, turn.scope)
    listed = one.rule is not None
    lines = [
        *card_lines(turn.session, one),
        *score_words(all_of(board), listed=listed, began=one.starts_on <= turn.today),
    ]
    choices: list[Choice] = []
    if turn.worker.role == Role.DOCTOR:
        if listed and one.status == LAUNCHED:
            choices += [Choice(f"camp.{one.id}.tell", "待通知"), Choice(f"camp.{one.id}.come", "到场打勾")]
            choices += [Choice(f"camp.{one.id}.all", "全部名单")]
            lines.append("打勾也可以直接发:张桂兰 通知了;王秀英、李四妹 来了;刘金花 不来 在外打工")
    else:
        choices = _manages(turn, one)
    turn.say("\n".join(lines), choices)


def _manages(turn: Turn, one: Campaign) -> list[Choice]:
    mine = may_manage(turn.session, one, turn.worker)
    if one.status == PLANNED:
        return [Choice(f"camp.{one.id}.launch", "启动"), Choice(f"camp.{one.id}.stop", "取消活动")] if mine else []
    choices = [Choice(f"camp.{one.id}.score", "各村进度")]
    if turn.scope.names and one.rule is not None and one.status == LAUNCHED:
        choices.append(Choice(f"camp.{one.id}.tell", "待通知名单"))
    if one.status == LAUNCHED and mine:
        choices += [Choice(f"camp.{one.id}.move", "改期/修改"), Choice(f"camp.{one.id}.stop", "停止")]
        if one.starts_on <= turn.today:
            choices.append(Choice(f"camp.{one.id}.close", "结束并出报告"))
    if one.status in (CLOSED, STOPPED):
        choices.append(Choice(f"camp.{one.id}.report", "总结报告"))
    return choices


def _score(turn: Turn, one: Campaign) -> None:
    """活动 进度: the totals, then a line for each village, as far as a message goes."""
    board = scoreboard(turn.session, one, turn.scope)
    listed = one.rule is not None
    lines = [
        f"进度 {name_of(one)} 截至{turn.today}",
        *score_words(all_of(board), listed=listed, began=one.starts_on <= turn.today),
    ]
    places = board if len(board) <= ON_A_BOARD else by_township(turn.session, board)
    shown = village_lines(places, listed=listed, began=one.starts_on <= turn.today)
    lines += shown
    late = positives.late_line(turn, one)
    turn.say("\n".join([*lines, *late]), _manages(turn, one))


ON_A_BOARD = 30  # villages; a township has about twelve, and beyond them townships are shown


# --- changing it ---


def _launch(turn: Turn, one: Campaign) -> None:
    if one.status != PLANNED:
        _card(turn, one)
        return
    if one.ends_on < turn.today:
        turn.say(f"{name_of(one)}的日期已经过了,先改期再启动。", [Choice(f"camp.{one.id}.move", "改期/修改")])
        return
    invited = campaign_work.launch(turn.session, one, turn.now, turn.today, by=turn.worker.id, tell_at=turn.tell_at)
    told = len(campaign_work.workers_of(turn.session, one))
    text = f"✅ 已启动:{name_of(one)}," + (f"应邀{invited}人," if one.rule else "") + f"通知{told}人。"
    turn.say(text, [Choice(f"camp.{one.id}.score", "各村进度")])


def answers_of(one: Campaign, area_names: str) -> dict[str, object]:
    """A campaign as the answers of its form, to be changed field by field."""
    answers: dict[str, object] = {
        "campaign": one.id,
        "kind": one.kind,
        "days": list(one.days),
        "areas": list(one.areas),
        "area_names": area_names,
        "place": one.place or "",
        "hours": one.hours,
        "note": one.note,
    }
    return {name: value for name, value in answers.items() if value is not None}


def _move(turn: Turn, one: Campaign, words: str = "") -> None:
    """Its form again, with every field one tap away; a day said along with it is in already."""
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再改活动。")
        return
    record = turn.session.get(Record, one.record_id) if one.record_id else None
    current = record is not None and record.status == "current"
    answers = dict(record.answers) if record is not None and current else answers_of(one, reports.area_names(turn, one))
    for name in ("invited", "doctors", "changed"):
        answers.pop(name, None)
    draft = Draft(SERVICE, answers=answers, corrects=record.id if record is not None and current else None)
    if one.rule is not None and "whom" not in answers and one.whom != KINDS[one.kind].rule:
        rule = one.whom
        assert rule is not None
        draft.answers["whom"] = {"sex": rule.sex, "ages": list(rule.ages), "groups": list(rule.groups)}
    remark = "改好后点“启动”,会重新通知一次医生。"
    if words:
        form, known = FORMS[SERVICE], known_of(turn, draft)
        line = prepare(tidy(words), (), [area.name for area in known.areas()])
        reading = read_fields(form, line, known)
        draft.answers.update(reading.answers)
        draft.doubts.update(reading.doubts)
    filling.open_drafts(turn, [draft])
    ask(turn, before=remark)


def _stop(turn: Turn, one: Campaign) -> None:
    if one.status not in (PLANNED, LAUNCHED):
        turn.say(f"{name_of(one)}已经停止或结束了。")
        return
    if reason := turn.conversation.last.pop(REASON, ""):
        _stopped(turn, one, reason)
        return
    turn.say(
        f"确定停止“{name_of(one)}”吗?还没发出的提醒会取消,并告诉医生一次。也可以发“活动 停止 原因”。",
        [Choice(f"camp.{one.id}.stopped", "确定停止"), Choice(f"camp.{one.id}", "不停了")],
    )


def _stopped(turn: Turn, one: Campaign, reason: str = "") -> None:
    if not campaign_work.stop(turn.session, one, reason, turn.now, by=turn.worker.id, tell_at=turn.tell_at):
        turn.say(f"{name_of(one)}已经停止或结束了,不用再停。")
        return
    turn.say(f"已停止:{name_of(one)}。没发出的提醒已取消,接到过通知的医生会收到一次停办消息。")


def _close(turn: Turn, one: Campaign) -> None:
    if one.status == LAUNCHED and one.starts_on > turn.today:
        turn.say(f"{name_of(one)}还没到日子。不办了请点“停止”。", [Choice(f"camp.{one.id}.stop", "停止")])
        return
    if one.status == LAUNCHED and (ahead := one.next_day(turn.today + timedelta(days=1))):
        turn.say(
            f"{name_of(one)}后面还有{days_words([ahead])}。现在结束,后面的提醒都不发了,确定吗?",
            [Choice(f"camp.{one.id}.closed", "确定结束"), Choice(f"camp.{one.id}.report", "只看总结")],
        )
        return
    _closed(turn, one)


def _closed(turn: Turn, one: Campaign) -> None:
    if one.status == LAUNCHED:
        campaign_work.close(turn.session, one, turn.now, by=turn.worker.id)
    reports.show(turn, one)


def _report(turn: Turn, one: Campaign) -> None:
    reports.show(turn, one)


def _to_tell(turn: Turn, one: Campaign) -> None:
    lists.show(turn, one, "to_tell", 0)


def _to_come(turn: Turn, one: Campaign) -> None:
    lists.show(turn, one, "to_come", 0)


# --- by words ---


def take_line(turn: Turn, text: str) -> bool:
    """A supervisor's own words for a new campaign: they name its kind, and a day to come or that it is to be held."""
    if turn.worker.role == Role.DOCTOR or not names_a_kind(text):
        return False
    days = find_days(tidy(text), turn.today)
    if not (_TO_HOLD.search(text) or (days.days and days.days[0] >= turn.today)):
        return False
    plan(turn, _WISH.sub("", text, count=1))
    return True


def names_a_kind(text: str) -> bool:
    said = _FREE.sub("", tidy(text))
    return any(word in said for kind in KINDS.values() for word in (kind.title, *kind.words) if len(word) > 1)


_TO_HOLD = re.compile("组织|安排|举办|开展|筹划|打算|准备|想[办搞做]|要[办搞做]|^[办搞]")
_WISH = re.compile(
    r"^\s*(?:我们?|咱们?)?(?:想|要|打算|准备|计划)*(?:组织|安排|举办|开展|筹划|办|搞|做)?(?:一次|一场|一个|个|场|次)?\s*"
)


def _chosen(
    turn: Turn, words: str, act: Callable[[Turn, Campaign], None], statuses: Sequence[str] = (LAUNCHED,)
) -> None:
    """The campaign a few words mean: the only one, or that of the kind, place or day named; else it is asked."""
    found = campaigns_for(turn.session, turn.worker, statuses=statuses)
    named = [one for one in found if words and _is_named(one, words)]
    if len(named) == 1 or (not words and len(found) == 1):
        act(turn, (named or found)[0])
    elif not found:
        turn.say("没有进行中的活动。发“活动”看名单。", [Choice("campaign", "活动")])
    else:
        offered = named or found
        turn.say("是哪一个活动?", [Choice(f"camp.{one.id}{_act_of(act)}", name_of(one)[:20]) for one in offered[:6]])


def _is_named(one: Campaign, words: str) -> bool:
    kind = KINDS[one.kind]
    said = tidy(words)
    days = {f"{day.month}月{day.day}日" for day in one.on_days}
    return (
        any(word in said or said in word for word in (kind.title, *kind.words))
        or (bool(one.place) and said in str(one.place))
        or any(day in said.replace("号", "日") for day in days)
    )


def _act_of(act: Callable[[Turn, Campaign], None]) -> str:
    return next((f".{name}" for name, known in _PRESSED.items() if known is act), "")


def _on(act: Callable[[Turn, Campaign], None], *statuses: str) -> Callable[[Turn, str], None]:
    return lambda turn, words: _chosen(turn, words, act, statuses or (LAUNCHED,))


def _managing(turn: Turn, words: str, act: Callable[[Turn, Campaign, str], None]) -> None:
    """Stop or move: the words may name the campaign, and bring a reason or a new day besides."""
    found = [
        one
        for one in campaigns_for(turn.session, turn.worker, statuses=(PLANNED, LAUNCHED))
        if may_manage(turn.session, one, turn.worker)
    ]
    named = [one for one in found if _mentions(one, words)] or found
    if not found:
        turn.say("没有您能改的活动。发“活动”看名单。", [Choice("campaign", "活动")])
    elif len(named) > 1:
        verb = ".stop" if act is _stop_saying else ".move"
        if act is _stop_saying and words:
            turn.conversation.last[REASON] = words
        turn.say("是哪一个活动?", [Choice(f"camp.{one.id}{verb}", name_of(one)[:20]) for one in named[:6]])
    else:
        for word in (KINDS[named[0].kind].title, *KINDS[named[0].kind].words):
            words = words.replace(word, " ")
        act(turn, named[0], words.strip(" ,,。"))


def _mentions(one: Campaign, words: str) -> bool:
    return any(word in words for word in (KINDS[one.kind].title, *KINDS[one.kind].words))


def _stop_saying(turn: Turn, one: Campaign, reason: str) -> None:
    _stopped(turn, one, reason) if reason else _stop(turn, one)


_LISTS: dict[str, lists.Which] = {"tell": "to_tell", "come": "to_come", "all": "all"}
_MANAGING = frozenset({"launch", "move", "stop", "stopped", "close", "closed"})
_PRESSED: dict[str, Callable[[Turn, Campaign], None]] = {
    "": _card,
    "score": _score,
    "launch": _launch,
    "move": lambda turn, one: _move(turn, one),
    "stop": _stop,
    "stopped": lambda turn, one: _stopped(turn, one),
    "close": _close,
    "closed": _closed,
    "report": _report,
    "tell": _to_tell,
    "come": _to_come,
}
_ACTS: tuple[tuple[re.Pattern[str], Callable[[Turn, str], None]], ...] = tuple(
    (re.compile(pattern), act)
    for pattern, act in (
        (r"(?:进度|进展|情况|怎么样|看板)", _on(_score, LAUNCHED, CLOSED)),
        (r"(?:待通知|名单|通知名单)", _on(_to_tell)),
        (r"(?:到场|签到|打勾)", _on(_to_come)),
        (r"(?:追踪|阳性|随访追踪|待复查)", lambda turn, words: positives.show(turn, words)),
        (r"(?:停止|停办|取消|不办了)", lambda turn, words: _managing(turn, words, _stop_saying)),
        (r"(?:改期|改到|推迟|提前|修改|改)", lambda turn, words: _managing(turn, words, _move)),
        (r"结束", _on(_close, LAUNCHED, CLOSED)),
        (r"(?:总结报告|报告|总结)", _on(_report, LAUNCHED, CLOSED, STOPPED)),
    )
)
