"""Words that are commands, in Chinese and as slash commands."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from handlers import (
    corrections,
    deliveries,
    duplicates,
    filling,
    referrals,
    resident_card,
    settings,
    snooze,
    summary,
    tb_notice,
    worklist,
)  # fmt: skip
from handlers.asking import ask
from handlers.campaigns import commands as campaigns
from handlers.courtesies import courtesy
from handlers.menu import FORMS
from handlers.plans import commands as plans
from handlers.turn import Turn
from models.conversation import Draft
from models.message import Choice
from models.people import ROLE_TITLES, Role

HINTS = (Choice("today", "今日"), Choice("overdue", "逾期"), Choice("help", "帮助"))
OF_A_FORM = ("cancel", "back")  # commands that are no buttons by themselves: a form has its own
DOCTORS = frozenset({Role.DOCTOR})
SUPERVISORS = frozenset({Role.TOWNSHIP, Role.COUNTY, Role.ADMIN})
SEES_NAMES = frozenset(Role) - {Role.COUNTY}


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its words, its slash name, what it does in one line, and whether words may follow."""

    word: str
    slash: str
    about: str
    run: Callable[[Turn, str], None]
    takes_words: bool = False
    joins: str = ""  # what may follow without a blank, as a pattern; "." is anything
    aliases: tuple[str, ...] = ()
    for_whom: frozenset[Role] = frozenset(Role)
    """Who is offered it in 帮助; whoever types it anyway is answered within their scope."""


def _start_form(code: str) -> Callable[[Turn, str], None]:
    def run(turn: Turn, words: str) -> None:
        if FORMS[code].about != "event" and not turn.scope.names:
            turn.numbers_only()
            return
        filling.open_drafts(turn, [Draft(code)])
        ask(turn)

    return run


def _visit(turn: Turn, words: str) -> None:
    worklist.choose_visit(turn)


def _help(turn: Turn, words: str) -> None:
    role = ROLE_TITLES[Role(turn.worker.role)]
    lines = [f"{turn.worker.name}({role}),可以这样用:", *_examples(turn)]
    lines += [f"{c.word} {c.slash}  {c.about}" for c in COMMANDS if turn.worker.role in c.for_whom]
    first = Choice("today", "今日") if turn.worker.role == Role.DOCTOR else Choice("overdue", "逾期")
    turn.say("\n".join(lines), [first, Choice("summary", "汇总")])
    if turn.conversation.is_open:
        ask(turn)


def _examples(turn: Turn) -> list[str]:
    if turn.worker.role == Role.DOCTOR:
        return [
            "一行话就是一条记录:",
            "张桂兰 152/94 心率78 规律服药 无症状 家访",
            "王建国 空腹血糖8.2 135/85",
            "签约 张桂兰 基础包",
            "义诊 石桥村 46人 体检30 宣传120 签约12",
            "几位居民就发几行。",
            "",
        ]
    return ["要数字直接问:汇总 托口镇 上个月;汇总 2026年三季度", ""]


def _services(turn: Turn, words: str) -> None:
    """项目: every service that can be recorded, by name; a name begins it."""
    titles = [form.title for form in FORMS.values() if not form.by_command]
    turn.say(f"能记{len(titles)}种,发名称就开始,也可以一行话说完:\n" + "、".join(titles), HINTS)


def _back(turn: Turn, words: str) -> None:
    if turn.conversation.is_open:
        filling.step_back(turn)
    else:
        turn.say("现在没有打开的表。要改已经提交的记录请发“更正”。", HINTS)


def _cancel(turn: Turn, words: str) -> None:
    if turn.conversation.is_open:
        filling.abandon(turn)
    else:
        turn.say("现在没有打开的表,没什么可取消的。要撤回已经提交的记录请发“撤销”。", HINTS)


def _undo(turn: Turn, words: str) -> None:
    if turn.conversation.is_open:
        filling.abandon(turn)
    else:
        corrections.offer_withdrawal(turn, words)


def _start(turn: Turn, words: str) -> None:
    turn.say(f"{turn.worker.name},您已经绑定好了。发“今日”看今天该访谁,或直接发一行记录。", HINTS)


COMMANDS: tuple[Command, ...] = (
    Command(
        "今日", "/today", "今天该访谁", worklist.today, takes_words=True, aliases=("今天", "待访"), for_whom=DOCTORS
    ),
    Command("逾期", "/overdue", "过期没访的", worklist.overdue, takes_words=True, joins="."),
    Command("随访", "/visit", "记一次随访", _visit, for_whom=DOCTORS),
    Command("项目", "/services", "能记的全部服务", _services, for_whom=DOCTORS),
    Command("签约", "/sign", "家庭医生签约", _start_form("signing"), for_whom=DOCTORS),
    Command("义诊", "/clinic", "记一场义诊", _start_form("outreach_clinic"), for_whom=DOCTORS),
    Command("转诊", "/refer", "转诊和追踪", referrals.refer, takes_words=True, joins=".", aliases=("上转",)),
    Command("建档", "/register", "登记新居民", _start_form("health_record"), for_whom=DOCTORS),
    Command(
        "查",
        "/find",
        "查一位居民",
        resident_card.find,
        takes_words=True,
        joins=".",
        aliases=("查询",),
        for_whom=SEES_NAMES,
    ),
    Command("推迟", "/snooze", "随访改天,写上原因", snooze.snooze, takes_words=True, for_whom=DOCTORS),
    Command("更正", "/edit", "改提交过的记录", corrections.offer_correction, takes_words=True),
    Command("撤销", "/undo", "撤回提交过的记录", _undo, takes_words=True, aliases=("撤回", "作废")),
    Command("上一步", "/back", "回到上一题", _back, aliases=("返回",)),
    Command("取消", "/cancel", "不填了", _cancel),
    Command("汇总", "/summary", "要数字,可带地区和时间", summary.summarise, takes_words=True, joins="."),
    Command(
        "入户通知",
        "/notice",
        "收到管理通知单,72小时内首次入户",
        tb_notice.take_notice,
        takes_words=True,
        for_whom=SEES_NAMES,
    ),
    Command("重复", "/duplicates", "可能重复登记的居民", duplicates.show, for_whom=SEES_NAMES),
    Command(
        "活动",
        "/campaign",
        "免费活动:名单、打勾、进度",
        campaigns.campaign,
        takes_words=True,
        joins="进度|名单|追踪|待通知",
    ),
    Command("计划", "/plan", "工作计划和进度", plans.plan, takes_words=True, for_whom=SUPERVISORS),
    Command("汇报", "/progress", "汇报计划的进展", plans.report, takes_words=True, for_whom=SUPERVISORS),
    Command(
        "设置",
        "/settings",
        "提醒时间、收哪些提醒",
        settings.settings,
        takes_words=True,
        joins=".",
        aliases=("提醒设置",),
    ),
    Command(
        "送达",
        "/delivered",
        "提醒送到没有,可带地区和时间",
        deliveries.show,
        takes_words=True,
        joins=".",
        for_whom=SUPERVISORS,
    ),
    Command("帮助", "/help", "看能做什么", _help, aliases=("?", "?", "怎么用", "菜单")),
)
_BY_WORD = {word: command for command in COMMANDS for word in (command.word, *command.aliases)}
_BY_SLASH = {command.slash: command for command in COMMANDS}
BY_CHOICE = {command.slash.removeprefix("/"): command for command in COMMANDS}
_FORM_TITLES = {
    word: form.code
    for form in reversed(FORMS.values())
    if not form.by_command
    for word in (*form.words, form.title)
    if word[-1] not in "了好"  # 签了, 约好: said of what is done, and no wish to begin
}
"""What begins a form when it is all that is said; of forms that share a word, the first of the menu."""


_WITH_WORDS = {word: command for word, command in _BY_WORD.items() if command.takes_words}
_WORDS_AFTER = re.compile(r"[\s::,,]+(.+)|([^\s\d].*)", re.DOTALL)


def run_text(turn: Turn, text: str) -> bool:
    """Run a command if the text is one."""
    if text.startswith("/"):
        name, _, words = text.partition(" ")
        name = name.split("@")[0].lower()
        if name == "/start":
            _start(turn, words)
        elif name in _BY_SLASH:
            _BY_SLASH[name].run(turn, words.strip())
        else:
            suggest(turn, text)
        return True
    if text in _BY_WORD:
        _BY_WORD[text].run(turn, "")
        return True
    if text in _FORM_TITLES and not turn.conversation.is_open:
        _start_form(_FORM_TITLES[text])(turn, "")
        return True
    for word, command in _WITH_WORDS.items():
        if text.startswith(word) and (match := _WORDS_AFTER.fullmatch(text, len(word))):
            joined = command.joins and re.match(command.joins, match[2] or "")
            if match[2] and not joined:
                continue  # 今天去张桂兰家 … is an entry, not the command 今天
            command.run(turn, (match[1] or match[2]).strip())
            return True
    return False


def suggest(turn: Turn, text: str) -> None:
    """An unknown word gets the nearest commands as buttons, never a generic refusal."""
    if kind_word := courtesy(text):
        turn.say(kind_word, HINTS)
        return
    words = {word: command for word, command in _BY_WORD.items() if turn.worker.role in command.for_whom}
    said = text.strip().lstrip("/")[:20]
    from rapidfuzz import fuzz, process

    able = [word for word in words if len(word) > 1 or said.startswith(word)]  # 查 stands in every 筛查
    near = process.extract(said, able, scorer=fuzz.partial_ratio, limit=3, score_cutoff=40)
    nearest = dict.fromkeys(words[word].slash.removeprefix("/") for word, _, _ in near)
    chosen = [c for c in nearest if c not in OF_A_FORM] or [hint.id for hint in HINTS]
    if turn.worker.role != Role.DOCTOR and campaigns.names_a_kind(text):
        chosen = ["campaign", "summary"]
    doctor = turn.worker.role == Role.DOCTOR
    example = "一行话就能记,例如:张桂兰 152/94 心率78 规律服药" if doctor else "要数字直接问,例如:汇总 本月"
    turn.say(
        f"没看懂“{text[:30]}”。{example}。您是不是要:",
        [Choice(c, BY_CHOICE[c].word) for c in chosen],
    )
