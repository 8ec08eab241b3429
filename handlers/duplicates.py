"""重复: entries that may be one person, put together by the township or told apart; a merge can be taken back."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from handlers.residents import describe
from handlers.turn import Turn
from models import merging
from models.enrolment import Enrolment
from models.identity import mask_identity
from models.merging import CannotMerge
from models.message import Choice, mark_name
from models.people import STATUS_TITLES, Resident, Role, Status
from models.record import Record
from models.services import PROGRAMMES

SHOWN = 8
TAKEN_BACK_WITHIN = timedelta(days=30)
AGAIN = Choice("duplicates", "重复")


def show(turn: Turn, words: str = "") -> None:
    """The pairs within the scope, and what was put together of late."""
    if not turn.scope.names:
        turn.say("重复档案由乡镇公卫科核对。", [Choice("summary", "汇总")])
        return
    pairs = merging.suspected(turn.session, turn.scope)
    lines = [f"可能重复登记的有{len(pairs)}对:" if pairs else "没有发现可能重复的档案。"]
    choices = []
    for n, (first, second) in enumerate(pairs[:SHOWN], 1):
        lines.append(f"{n}. {_line(turn, first)} / {_line(turn, second)}")
        choices.append(Choice(f"dup.{first.id}.{second.id}", f"{n} {mark_name(first.name)}", str(n)))
    if len(pairs) > SHOWN:
        lines.append(f"先看前{SHOWN}对,处理完再发“重复”。")
    if pairs and not _may_merge(turn):
        lines.append("是同一个人的请告诉公卫科,由公卫科合并。")
        choices = []
    if _may_merge(turn):
        for resident in merging.merged_since(turn.session, turn.scope, turn.now - TAKEN_BACK_WITHIN)[:3]:
            choices.append(Choice(f"dup.back.{resident.id}", f"还原 {mark_name(resident.name)}"))
    turn.say("\n".join(lines), choices or [Choice("today", "今日")])


def press(turn: Turn, rest: str) -> None:
    """A button of the list or of a pair."""
    head, _, more = rest.partition(".")
    if not _may_merge(turn):
        show(turn)
    elif head == "back":
        _take_back(turn, more)
    elif head == "apart":
        _tell_apart(turn, more)
    elif head == "keep":
        _merge(turn, more)
    else:
        _compare(turn, rest)


def _may_merge(turn: Turn) -> bool:
    return turn.worker.role in (Role.TOWNSHIP, Role.ADMIN)


def _compare(turn: Turn, ids: str) -> None:
    """Both entries side by side, and the choice."""
    pair = _pair(turn, ids)
    if pair is None:
        return
    one, other = pair
    turn.say(
        f"是同一个人吗?留哪一份?\n甲 {_card(turn, one)}\n乙 {_card(turn, other)}\n合并后随访、签约、转诊都归到留下的那份,30天内可以还原。",
        [
            Choice(f"dup.keep.{one.id}.{other.id}", "同一人,留甲", "1"),
            Choice(f"dup.keep.{other.id}.{one.id}", "同一人,留乙", "2"),
            Choice(f"dup.apart.{one.id}.{other.id}", "不是同一人", "3"),
            AGAIN,
        ],
    )


def _merge(turn: Turn, ids: str) -> None:
    pair = _pair(turn, ids)
    if pair is None:
        return
    stays, goes = pair
    try:
        merging.merge(turn.session, stays, goes, turn.now, by=turn.worker.id)
    except CannotMerge as error:
        turn.say(f"{error}", [AGAIN])
        return
    turn.say(
        f"已合并:{mark_name(stays.name)} {describe(turn, stays)}。以后都记在这一份里。",
        [Choice(f"dup.back.{goes.id}", "还原"), AGAIN],
    )


def _tell_apart(turn: Turn, ids: str) -> None:
    if pair := _pair(turn, ids):
        merging.tell_apart(turn.session, *pair, turn.now, by=turn.worker.id)
        turn.say("好的,是两个人,以后不再提示这一对。", [AGAIN])


def _take_back(turn: Turn, code: str) -> None:
    goes = turn.session.get(Resident, int(code)) if code.isdigit() else None
    if goes is None or turn.resident(goes.id) is None:
        turn.say("没找到这份档案。", [AGAIN])
        return
    try:
        stays = merging.restore(turn.session, goes, turn.now, by=turn.worker.id)
    except CannotMerge as error:
        turn.say(f"{error}", [AGAIN])
        return
    turn.say(
        f"已还原成两份:{mark_name(stays.name)} {describe(turn, stays)};{mark_name(goes.name)} {describe(turn, goes)}。",
        [AGAIN],
    )


def _pair(turn: Turn, ids: str) -> tuple[Resident, Resident] | None:
    """Two residents of the scope by their ids; says so where one is not there any more."""
    found = [turn.session.get(Resident, int(code)) for code in ids.split(".") if code.isdigit()]
    here = [r for r in found if r is not None and turn.resident(r.id) is not None and r.status != Status.MERGED]
    if len(here) != 2:
        turn.say("这一对已经处理过了。", [AGAIN])
        return None
    return here[0], here[1]


def _line(turn: Turn, resident: Resident) -> str:
    return f"{mark_name(resident.name)} {describe(turn, resident)}"


def _card(turn: Turn, resident: Resident) -> str:
    """What tells two entries apart: identity, household, programmes, work done."""
    session = turn.session
    open_ones = select(Enrolment.programme).where(Enrolment.resident_id == resident.id, Enrolment.ended_on.is_(None))
    programmes = "、".join(PROGRAMMES.get(code, code) for code in session.scalars(open_ones))
    done = select(func.count(), func.max(Record.on)).where(
        Record.resident_id == resident.id, Record.status == "current"
    )
    count, last = session.execute(done).one()
    number = resident.identity_number()
    parts = [
        _line(turn, resident),
        f"出生 {resident.born_on}" if resident.born_on else "没有出生日期",
        f"身份证 {mask_identity(number)}" if number else "没有身份证号",
        f"户主 {mark_name(resident.householder)}" if resident.householder else "",
        f"{resident.registered_on} 建档" if resident.registered_on else "未建档",
        f"管理 {programmes}" if programmes else "",
        f"记录{count}条,最近 {last}" if count else "没有记录",
        "" if resident.status == Status.ACTIVE else STATUS_TITLES[Status(resident.status)],
    ]
    return ",".join(part for part in parts if part)
