"""更正 and 撤销: own records of the last days, opened field by field or withdrawn; the history of both is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from handlers import filling, record_visit, worklist
from handlers.asking import ask
from handlers.turn import Turn
from models.conversation import Draft
from models.message import Choice, mark_name
from models.record import Record

DAYS = 7  # setting edit.days: older records are corrected by the supervisor
OFFERED = 6


def recent_records(turn: Turn) -> Sequence[Record]:
    """The worker's own current records that may still be changed, newest first."""
    since = turn.now - timedelta(days=int(turn.settings.get("edit.days", DAYS)))
    query = (
        select(Record)
        .where(Record.worker_id == turn.worker.id, Record.status == "current", Record.recorded_at >= since)
        .order_by(Record.recorded_at.desc(), Record.id.desc())
        .limit(OFFERED)
    )
    return turn.session.scalars(query).all()


def _offer(turn: Turn, head: str, button: str) -> None:
    records = recent_records(turn)
    if not records:
        days = turn.settings.get("edit.days", DAYS)
        turn.say(f"最近{days}天没有可以改的记录。更早的请联系公卫科。", [Choice("today", "今日")])
        return
    lines, choices = [head], []
    for n, record in enumerate(records, 1):
        name = _name(turn, record)
        lines.append(f"{n}. {record.on} {name} {worklist.summary_of(record)}")
        choices.append(Choice(f"{button}.{record.id}", f"{n} {name or worklist.summary_of(record)[:8]}", str(n)))
    turn.say("\n".join(lines), choices)


def _name(turn: Turn, record: Record) -> str:
    resident = turn.resident(record.resident_id)
    return mark_name(resident.name) if resident else ""


def offer_correction(turn: Turn) -> None:
    """更正: which record?"""
    if turn.conversation.is_open:
        ask(turn, before="这张表还没提交,直接改就行:在核对时点要改的那一项。")
        return
    _offer(turn, "要更正哪一条?", "fix")


def offer_withdrawal(turn: Turn) -> None:
    """撤销: which record?"""
    _offer(turn, "要撤销哪一条?点一下就撤销。", "withdraw")


def _own(turn: Turn, record_id: int) -> Record | None:
    record = turn.session.get(Record, record_id)
    if record is None or record.worker_id != turn.worker.id:
        turn.say("没找到这条记录。发“更正”看最近的记录。", [Choice("edit", "更正")])
        return None
    if record.status != "current":
        done = "撤销" if record.status == "withdrawn" else "更正"
        turn.say(f"这条记录已经{done}过了,不用再动。", [Choice("today", "今日")])
        return None
    if record not in recent_records(turn) and turn.now - record.recorded_at > timedelta(
        days=int(turn.settings.get("edit.days", DAYS))
    ):
        turn.say(f"这条记录超过{turn.settings.get('edit.days', DAYS)}天了,请联系公卫科更正。")
        return None
    return record


def open_correction(turn: Turn, record_id: int) -> None:
    """The record as a draft again: the recap opens with every field one tap away."""
    record = _own(turn, record_id)
    if record is None:
        return
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再更正以前的。")
        return
    draft = Draft(
        record.service, record.resident_id, {**record.answers, "on": record.on.isoformat()}, corrects=record.id
    )
    filling.open_drafts(turn, [draft])
    ask(turn, before="更正这条记录(原来的会留在历史里):")


def withdraw_record(turn: Turn, record_id: int) -> None:
    """Withdraw one of the worker's own recent records."""
    record = _own(turn, record_id)
    if record is None:
        return
    record_visit.withdraw(turn, record, reason="doctor")
    turn.say(
        f"已撤销:{record.on} {_name(turn, record)} {worklist.summary_of(record)}。历史里还查得到。",
        [Choice("today", "今日")],
    )
