"""Leave to change an older record: the doctor asks, the township says yes or no, and the audit remembers. 更正申请"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from handlers.alarm import supervisors_of
from handlers.turn import Turn
from models.message import Choice
from models.outbox import say
from models.people import HealthWorker, Organisation, Role
from models.record import AuditEntry, Record

GIVEN, REFUSED, ASKED = "correction.allowed", "correction.refused", "correction.asked"
GOOD_FOR = timedelta(days=7)


def was_given(turn: Turn, record: Record) -> bool:
    """Did a supervisor allow this record to be changed, within the last days, and nobody refuse it since?"""
    last = next(iter(_answers(turn, record)), None)
    return last is not None and last.action == GIVEN and last.at >= turn.now - GOOD_FOR


def _answers(turn: Turn, record: Record) -> Sequence[AuditEntry]:
    """What was answered about a record, the last first."""
    query = select(AuditEntry).where(
        AuditEntry.subject == f"record:{record.id}", AuditEntry.action.in_((GIVEN, REFUSED))
    )
    return turn.session.scalars(query.order_by(AuditEntry.id.desc())).all()


def ask_for(turn: Turn, record_id: int) -> None:
    """Ask the township whether an own older record may be changed."""
    record = turn.session.get(Record, record_id)
    if record is None or record.worker_id != turn.worker.id or record.status != "current":
        turn.say("没找到这条记录。发“更正”看最近的记录。", [Choice("edit", "更正")])
        return
    asked = supervisors_of(turn, record.village_id)
    if not asked:
        turn.say("没有可以请示的公卫科人员,请直接打电话给卫生院。")
        return
    before = len(_answers(turn, record))  # asked again after an answer, it is another request
    _note(turn, record, ASKED)
    for supervisor in asked:
        say(
            turn.session,
            None,
            kind="correction",
            reminder="correction_request",
            arguments={"record_id": record.id, "worker_id": turn.worker.id},
            worker_id=supervisor.id,
            dedup_key=f"correction:{record.id}:{supervisor.id}:{turn.today}:{before}",
            now=turn.now,
        )
    turn.say(
        f"已请{'、'.join(supervisor.name for supervisor in asked)}同意,有答复会告诉您。", [Choice("today", "今日")]
    )


def answer(turn: Turn, rest: str) -> None:
    """The supervisor's yes or no, told to the doctor; a second answer changes nothing."""
    number, _, said = rest.partition(".")
    record = turn.session.get(Record, int(number)) if number.isdigit() else None
    village = turn.session.get(Organisation, record.village_id) if record else None
    if record is None or village is None or turn.worker.role == Role.DOCTOR or not turn.scope.includes(village):
        turn.say("这条申请不在您的范围里。")
        return
    if record.status != "current":
        turn.say("这条记录已经改过或撤销了,不用再答复。")
        return
    doctor = turn.session.get_one(HealthWorker, record.worker_id)
    if said == "yes" and was_given(turn, record):
        turn.say(f"已经同意过了,{doctor.name}可以改。")
        return
    before = _answers(turn, record)
    if said != "yes" and before and before[0].action == REFUSED:
        turn.say(f"已经答复过了,不同意{doctor.name}更正。")
        return
    _note(turn, record, GIVEN if said == "yes" else REFUSED)
    say(
        turn.session,
        None,
        kind="correction",
        reminder="correction_answer",
        arguments={"record_id": record.id, "by": turn.worker.name, "allowed": said == "yes"},
        worker_id=record.worker_id,
        dedup_key=f"correction_answer:{record.id}:{len(before)}",
        now=turn.now,
    )
    turn.say(f"已告诉{doctor.name}:{'同意' if said == 'yes' else '不同意'}更正。")


def _note(turn: Turn, record: Record, action: str) -> None:
    subject = f"record:{record.id}"
    turn.session.add(AuditEntry(at=turn.now, worker_id=turn.worker.id, action=action, subject=subject, details={}))


def choices(record_id: int) -> tuple[Choice, ...]:
    """The supervisor's two buttons."""
    return Choice(f"allowfix.{record_id}.yes", "同意更正"), Choice(f"allowfix.{record_id}.no", "不同意")
