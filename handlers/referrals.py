"""双向转诊, the loop: did they arrive, what came of it, are they back, has somebody seen them. 转诊 lists what is open.

What the loop knows is in models.referrals; here are its questions, the doctor's answers and the list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from handlers import filling, quick_entry, residents
from handlers.asking import ask as ask_open_question
from handlers.leftovers import is_filler
from handlers.turn import Turn
from models import referrals
from models.conversation import Draft
from models.message import Choice, mark_name
from models.people import Role
from models.record import Referral
from models.referrals import SLIP, Stage, stage
from models.scope import Scope

ASKED_AT_ONCE = 3  # more would hide the day's list
PER_PAGE = 8
LONGEST_RESULT = 200
ASKS_RESULT = "referral_result"
"""The question whose answer is the next message (`Conversation.pending`)."""
SHORTEST_RESULT = 2
STAGES = {Stage.ARRIVED: "等到达", Stage.RESULT: "等结果", Stage.BACK: "等返回", Stage.SEEN: "等接续随访"}
_ASKS = re.compile(r"哪|谁|多少|几|吗|有?没有?[??]?$|[??]|名单|没到|未到|没去|未去")


# --- asked ---


def to_ask(session: Session, scope: Scope, today: date) -> list[tuple[Referral, str]]:
    """Open referrals whose day to be asked about has come, with the resident's name; the first few."""
    return referrals.open_referrals(session, scope, referrals.waiting(today), ASKED_AT_ONCE)


def question(referral: Referral, name: str) -> str:
    """'🔴 2026-11-24转诊的张桂兰,到医院了吗?'"""
    who, mark = mark_name(name), "🔴 " if referral.urgency == "emergency" else ""
    match stage(referral):
        case Stage.ARRIVED:
            return f"{mark}{referral.sent_on}转诊的{who},到医院了吗?"
        case Stage.RESULT:
            return f"{referral.sent_on}转诊的{who},结果出来了吗?"
        case Stage.BACK:
            return f"{referral.sent_on}转诊的{who},回来了吗?"
        case Stage.SEEN:
            return f"{referral.returned_on}下转回来的{who},接上随访了吗?"


def ask(turn: Turn, referral: Referral, name: str) -> None:
    """The next question of a referral, with its answers as buttons."""
    answers = {
        Stage.ARRIVED: (("yes", "到了"), ("no", "没去"), ("never", "不去了"), ("later", "明天再问")),
        Stage.RESULT: (("write", "写结果"), ("later", "还没出")),
        Stage.BACK: (("yes", "回来了"), ("slip", "有下转单"), ("later", "还没回来")),
        Stage.SEEN: (("yes", "接上了"), ("later", "还没有")),
    }[stage(referral)]
    choices = [Choice(f"loop.{referral.id}.{stage(referral)}.{code}", label) for code, label in answers]
    if stage(referral) == Stage.SEEN:
        choices.append(Choice(f"visit.{referral.resident_id}", "现在随访"))
    turn.say(question(referral, name), choices)


# --- answered ---


def answer(turn: Turn, rest: str) -> None:
    """A button of the loop: '<referral>.<stage>.<answer>'. A stage already passed says so, and nothing is done twice."""
    number, _, more = rest.partition(".")
    said_stage, _, said = more.partition(".")
    referral = turn.session.get(Referral, int(number)) if number.isdigit() else None
    resident = turn.resident(referral.resident_id) if referral else None
    if referral is None or resident is None or referral.closed_at is not None:
        turn.say("这条转诊已经了结,不用再答。", [Choice("today", "今日"), Choice("refer", "转诊")])
        return
    if stage(referral) != said_stage:
        ask(turn, referral, resident.name)
        return
    {Stage.ARRIVED: _arrived, Stage.RESULT: _result, Stage.BACK: _back, Stage.SEEN: _seen}[stage(referral)](
        turn, referral, mark_name(resident.name), said
    )


def _arrived(turn: Turn, referral: Referral, name: str, said: str) -> None:
    if said == "yes":
        referrals.arrive(turn.session, referral, turn.today)
        _wait_for_result(turn, referral, f"好的,{name}已到医院。")
    elif said == "never":
        referral.arrived, referral.closed_at, referral.close_reason = False, turn.now, "refused"
        turn.say(f"{name}不去,已照实记下,不再问。情况变重请马上打120或电话告诉卫生院。", [Choice("today", "今日")])
    elif said == "no":
        referral.arrived, referral.ask_on = False, turn.today + timedelta(days=1)
        turn.say(f"{name}还没去医院。请今天再劝一次、问清困难,明天再问您;公卫科也会看到。", [Choice("today", "今日")])
    else:
        _later(turn, referral, timedelta(days=1), "明天")


def _wait_for_result(turn: Turn, referral: Referral, before: str = "") -> None:
    turn.conversation.pending = {"ask": ASKS_RESULT, "id": referral.id}
    turn.say(
        f"{before}医院诊断是什么、怎么处理的?知道就直接发一句,例如:脑梗塞,住院治疗。",
        [Choice(f"loop.{referral.id}.result.later", "还没出")],
    )


def _result(turn: Turn, referral: Referral, name: str, said: str) -> None:
    if said == "write":
        _wait_for_result(turn, referral)
    else:
        _later(turn, referral, referrals.RESULT_AGAIN, "一周后")


def take_result(turn: Turn, text: str, pending: Mapping[str, Any]) -> bool:
    """The message right after the question is the result, unless it is thanks or says nothing."""
    if pending.get("ask") != ASKS_RESULT:
        return False
    referral = turn.session.get(Referral, int(pending["id"]))
    resident = turn.resident(referral.resident_id) if referral else None
    said = text.strip()
    if referral is None or resident is None or referral.closed_at is not None:
        return False
    if len(said) < SHORTEST_RESULT or is_filler(said):
        return False
    if len(said) > LONGEST_RESULT:
        turn.conversation.pending = dict(pending)
        turn.say(f"结果最多{LONGEST_RESULT}个字,刚才有{len(said)}个,请简短一些。")
        return True
    referrals.note_result(turn.session, referral, said, turn.today)
    turn.say(
        f"已记下{mark_name(resident.name)}的转诊结果:{said}。两周后问您回来了没有。",
        [
            Choice(f"loop.{referral.id}.back.rewrite", "写错了,重写"),
            Choice(f"loop.{referral.id}.back.yes", "已经回来了"),
            Choice("today", "今日"),
        ],
    )
    return True


def _back(turn: Turn, referral: Referral, name: str, said: str) -> None:
    if said == "yes":
        referrals.come_back(referral, turn.today, turn.now)
        turn.say(
            f"好的,{name}回来了,转诊闭环。请尽快上门随访一次。",
            [Choice(f"visit.{referral.resident_id}", "现在随访"), Choice("today", "今日")],
        )
    elif said == "slip":
        filling.open_drafts(turn, [Draft("referral_down", referral.resident_id)], first=True)
        ask_open_question(turn)
    elif said == "rewrite":
        referral.result = None
        _wait_for_result(turn, referral)
    else:
        _later(turn, referral, referrals.BACK_AGAIN, "两周后")


def _seen(turn: Turn, referral: Referral, name: str, said: str) -> None:
    if said == "yes":
        referral.closed_at, referral.close_reason = turn.now, "seen"
        turn.say(f"好的,{name}已接上随访,转诊闭环。", [Choice("today", "今日")])
    else:
        _later(turn, referral, timedelta(days=3), "三天后")


def _later(turn: Turn, referral: Referral, wait: timedelta, when: str) -> None:
    referral.ask_on = turn.today + wait
    turn.say(f"好,{when}再问。", [Choice("today", "今日")])


# --- the command ---


def refer(turn: Turn, words: str = "") -> None:
    """转诊: what is open, and a new one. 转诊 张桂兰 县医院 血压控制不好 opens the slip with what is said."""
    if words and turn.worker.role == Role.DOCTOR and not _ASKS.search(words):
        _open_slip(turn, words)
    else:
        _list(turn, 0)


def page(turn: Turn, rest: str) -> None:
    """The next page of the open ones, or a new slip."""
    if rest == "new":
        filling.open_drafts(turn, [Draft(SLIP)])
        ask_open_question(turn)
    else:
        _list(turn, int(rest) if rest.isdigit() else 0)


def _list(turn: Turn, start: int) -> None:
    new = Choice("refer.new", "新开转诊单")
    total = referrals.count_open(turn.session, turn.scope)
    if not total:
        turn.say("没有未了结的转诊。要转诊请发:转诊 姓名 医院 原因。", [new, Choice("today", "今日")])
        return
    if not turn.scope.names:
        turn.say(f"未了结的转诊有{total}例,名单由乡镇公卫科掌握。", [Choice("summary", "汇总")])
        return
    rows = referrals.open_referrals(turn.session, turn.scope, referrals.still_open(), PER_PAGE, start)
    lines = [f"未了结的转诊 {turn.today}:{total}例"]
    choices = []
    for n, (row, name) in enumerate(rows, start + 1):
        lines.append(f"{n}. {_line(row, name, turn.today)}")
        choices.append(Choice(f"track.{row.id}", f"{n} {mark_name(name)}", str(n)))
    if start + PER_PAGE < total:
        choices.append(Choice(f"refer.{start + PER_PAGE}", "下一页"))
    turn.say("\n".join(lines), [*choices, new])


def _line(row: Referral, name: str, today: date) -> str:
    mark = "🔴" if row.urgency == "emergency" and not row.arrived else ""
    days = (today - (row.returned_on or row.sent_on)).days
    where = f"→{row.to}" if row.to and row.direction == "up" else ""
    return f"{mark}{mark_name(name)} {row.sent_on}{where} {STAGES[stage(row)]},已{days}天"


def track(turn: Turn, rest: str) -> None:
    """One referral of the list: how it stands, and its next question."""
    referral = turn.session.get(Referral, int(rest)) if rest.isdigit() else None
    resident = turn.resident(referral.resident_id) if referral else None
    if referral is None or resident is None or referral.closed_at is not None:
        turn.say("这条转诊已经了结。", [Choice("refer", "转诊")])
        return
    told = [
        ("原因", referral.reason),
        ("去向" if referral.direction == "up" else "来自", referral.to),
        ("到达", str(referral.arrived_on or "")),
        ("结果", referral.result or ""),
        ("返回", str(referral.returned_on or "")),
    ]
    lines = [f"{title}:{words}" for title, words in told if words]
    turn.say("\n".join([f"{mark_name(resident.name)} {referral.sent_on}转诊", *lines]))
    ask(turn, referral, resident.name)


def _open_slip(turn: Turn, words: str) -> None:
    """The words after 转诊 are a line of the slip."""
    entry = quick_entry.read_entry(turn, f"双向转诊 {words}")
    if entry is None and not residents.looks_like_name(words.split()[0]):  # 转诊单用完了
        _list(turn, 0)
        return
    if entry is None or not any(draft.service == SLIP for draft in entry.drafts):
        filling.open_drafts(turn, [Draft(SLIP, who=words[:20])])
        ask_open_question(turn)
        return
    filling.open_drafts(turn, entry.drafts)
    ask_open_question(turn, before="\n".join(entry.remarks))
