"""The clock of a case or a reaction that has to be reported: the township confirms, and the doctor hears of it. 限时报告"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import select

from handlers.turn import Turn
from models.infectious import InfectiousReport
from models.message import Choice
from models.outbox import say
from models.people import HealthWorker, Organisation, Role
from models.record import Record

REPORTED = {
    "infectious_report": ("传染病", "一例传染病", "网络直报", "请继续做好隔离,等卫生院通知下一步。"),
    "vaccination": (
        "接种反应",
        "一例疑似接种异常反应",
        "报县疾控",
        "请继续观察病人、保留疫苗批号,等卫生院通知下一步。",
    ),
}
"""By service: what is reported, one of it, what the township then does with it, and what the doctor does meanwhile."""


def begin_clock(turn: Turn, record: Record, within: timedelta) -> None:
    """The clock runs from the notice: from now, or of an earlier day from its end."""
    noticed = turn.now
    if record.on < turn.today:
        noticed = datetime.combine(record.on + timedelta(days=1), time(), turn.tz)
    turn.session.add(
        InfectiousReport(record_id=record.id, village_id=record.village_id, noticed_at=noticed, due_at=noticed + within)
    )


def confirm(turn: Turn, record_id: int) -> None:
    """Whoever of the township presses first confirms; pressing again says who did."""
    report = turn.session.scalar(select(InfectiousReport).where(InfectiousReport.record_id == record_id))
    record = turn.session.get(Record, record_id)
    village = turn.session.get(Organisation, report.village_id) if report else None
    within = village is not None and turn.worker.role != Role.DOCTOR and turn.scope.includes(village)
    if report is None or record is None or record.status != "current" or not within:
        turn.say("这份报告不在您的范围里,或已经撤销。")
        return
    if report.confirmed_at is not None:
        by = turn.session.get(HealthWorker, report.confirmed_by) if report.confirmed_by else None
        turn.say(f"{by.name if by else '同事'}已经确认过了。")
        return
    report.confirmed_at, report.confirmed_by = turn.now, turn.worker.id
    late = "(超过时限)" if turn.now > report.due_at else ""
    say(
        turn.session,
        None,
        kind="alarm",
        reminder="infectious_confirmed",
        arguments={"record_id": record.id, "by": turn.worker.name},
        worker_id=record.worker_id,
        dedup_key=f"infectious_confirmed:{record.id}",
        now=turn.now,
    )
    turn.say(f"已确认收到{late},村医会收到通知。请按规定{_next(record)}和调查处置。")


def _next(record: Record) -> str:
    how = REPORTED[record.service][2]
    return f"完成{how}" if how == "网络直报" else how


def button(record_id: int) -> Choice:
    return Choice(f"gotit.{record_id}", "确认收到")
