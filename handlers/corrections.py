"""更正 and 撤销: records opened field by field or withdrawn; the history of both is kept.

A doctor changes their own records of the last days; an older one with the township's leave. A supervisor changes any
record within their scope. Who changed what stands in the audit.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from handlers import filling, leave, record_visit, residents
from handlers.asking import ask
from handlers.menu import FORMS
from handlers.resident_card import summary_of
from handlers.turn import Turn
from models.conversation import Draft
from models.message import Choice, mark_name
from models.people import Organisation, Role
from models.record import Record

DAYS = 7  # setting edit.days
OFFERED = 6
OPENED = "更正这条记录(原来的会留在历史里):"
SEALED = frozenset({"identity_number", "phone"})  # never in a record's answers, so never in a draft made of them


def days(turn: Turn) -> int:
    """For how many days a doctor may change a record without asking."""
    return int(turn.settings.get("edit.days", DAYS))


def recent_records(turn: Turn) -> Sequence[Record]:
    """The worker's own current records that may be changed without asking, newest first."""
    since = turn.now - timedelta(days=days(turn))
    query = (
        select(Record)
        .where(Record.worker_id == turn.worker.id, Record.status == "current", Record.recorded_at >= since)
        .order_by(Record.recorded_at.desc(), Record.id.desc())
        .limit(OFFERED)
    )
    return turn.session.scalars(query).all()


def records_of(turn: Turn, words: str) -> Sequence[Record]:
    """The current records of the resident named, newest first: a doctor's own, a supervisor's all."""
    ids = [i for i in residents.search(turn, words) if turn.resident(i)]
    query = select(Record).where(Record.resident_id.in_(ids), Record.status == "current")
    if turn.worker.role == Role.DOCTOR:
        query = query.where(Record.worker_id == turn.worker.id)
    return turn.session.scalars(query.order_by(Record.on.desc(), Record.id.desc()).limit(OFFERED)).all()


def _offer(turn: Turn, words: str, head: str, button: str) -> None:
    records = records_of(turn, words) if words else recent_records(turn)
    if not records:
        what = f"“{words[:20]}”没有可以改的记录。" if words else f"最近{days(turn)}天没有可以改的记录。"
        turn.say(f"{what}更早的或别的居民请发“更正 姓名”。", [Choice("today", "今日")])
        return
    lines, choices = [head], []
    for n, record in enumerate(records, 1):
        name = name_of(turn, record)
        lines.append(f"{n}. {record.on} {name} {summary_of(record)}")
        choices.append(Choice(f"{button}.{record.id}", f"{n} {name or summary_of(record)[:8]}", str(n)))
    turn.say("\n".join(lines), choices)


def name_of(turn: Turn, record: Record) -> str:
    """Whom a record is about, marked for masking; "" for an event."""
    resident = turn.resident(record.resident_id)
    return mark_name(resident.name) if resident else ""


def offer_correction(turn: Turn, words: str = "") -> None:
    """更正 [姓名]: which record?"""
    if turn.conversation.is_open:
        ask(turn, before="这张表还没提交,把要改的直接发来就行,例如“血压 148/92”或“不对 是148”。")
        return
    _offer(turn, words, "要更正哪一条?", "fix")


def offer_withdrawal(turn: Turn, words: str = "") -> None:
    """撤销 [姓名]: which record?"""
    _offer(turn, words, "要撤销哪一条?点一下就撤销。", "withdraw")


def _mine_to_change(turn: Turn, record_id: int) -> Record | None:
    """The record, where this worker may change it now; otherwise what to do is said."""
    record = turn.session.get(Record, record_id)
    if record is None or not _within_reach(turn, record):
        turn.say("没找到这条记录。发“更正”看最近的记录。", [Choice("edit", "更正")])
        return None
    if record.status != "current":
        done = "撤销" if record.status == "withdrawn" else "更正"
        turn.say(f"这条记录已经{done}过了,不用再动。", [Choice("today", "今日")])
        return None
    old = turn.now - record.recorded_at > timedelta(days=days(turn))
    if turn.worker.role == Role.DOCTOR and old and not leave.was_given(turn, record):
        turn.say(
            f"{record.on} {name_of(turn, record)} {summary_of(record)}\n这条记录超过{days(turn)}天了,要公卫科同意才能改。",
            [Choice(f"askfix.{record.id}", "请公卫科同意"), Choice("today", "今日")],
        )
        return None
    return record


def _within_reach(turn: Turn, record: Record) -> bool:
    if turn.worker.role == Role.DOCTOR:
        return record.worker_id == turn.worker.id
    village = turn.session.get(Organisation, record.village_id)
    return village is not None and turn.scope.includes(village)


def open_correction(turn: Turn, record_id: int) -> None:
    """The record as a draft again: the recap opens with every field one tap away."""
    record = _mine_to_change(turn, record_id)
    if record is None:
        return
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再更正以前的。")
        return
    filling.open_drafts(turn, [draft_of(record)])
    ask(turn, before=OPENED)


def draft_of(record: Record) -> Draft:
    """The record as a form that changes it; what was left out then is not asked again."""
    answers = {**record.answers, "on": record.on.isoformat()}
    left_out = {step.field for step in FORMS[record.service].steps if step.optional and not step.is_answered(answers)}
    return Draft(record.service, record.resident_id, answers, corrects=record.id, skipped=sorted(SEALED | left_out))


def withdraw_record(turn: Turn, record_id: int) -> None:
    """Withdraw one record."""
    record = _mine_to_change(turn, record_id)
    if record is None:
        return
    who = "doctor" if turn.worker.role == Role.DOCTOR else "supervisor"
    told = f"{record.on} {name_of(turn, record)} {summary_of(record)}"
    record_visit.withdraw(turn, record, reason=who)
    turn.say(f"已撤销:{told}。历史里还查得到。", [Choice("today", "今日")])
