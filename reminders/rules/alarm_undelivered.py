"""An alarm could not be delivered, or not for minutes: whoever raised it learns that nobody was told, and should use the phone. 紧急通知没送到"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.message import OutgoingMessage
from models.outbox import OPEN, OutboxMessage, say
from models.people import HealthWorker, Role
from models.record import Record
from reminders.reminder import Context, Gone, Reminder


def report(session: Session, alarm: OutboxMessage, now: datetime) -> None:
    """Promise to tell the doctor whose record or draft raised the alarm; they had read that the supervisor knows."""
    arguments = alarm.arguments or {}
    record = session.get(Record, arguments["record_id"]) if "record_id" in arguments else None
    doctor = record.worker_id if record else arguments.get("worker_id")
    if doctor is not None and doctor != alarm.worker_id:
        say(
            session,
            None,
            kind="alarm",
            reminder=reminder.code,
            arguments={"alarm": alarm.dedup_key, "to": alarm.worker_id},
            worker_id=doctor,
            dedup_key=f"undelivered:{alarm.dedup_key}"[:200],
            now=now,
        )


def words(context: Context) -> OutgoingMessage:
    supervisor = context.session.get_one(HealthWorker, context.arguments["to"])
    alarm = context.session.query(OutboxMessage).filter_by(dedup_key=context.arguments["alarm"]).one()
    if _somebody_has_it(context.session, alarm):
        raise Gone("it was delivered after all, or to a colleague")
    so_far = "没有送到" if alarm.status not in OPEN else "还没有送到"
    text = f"⚠️ 刚才的紧急通知{so_far}{supervisor.name},对方现在收不到消息。请马上打电话给卫生院。"
    return OutgoingMessage(text, urgent=True)


def _somebody_has_it(session: Session, alarm: OutboxMessage) -> bool:
    """The keys of what is told to several of a township end with whom, and are else the same."""
    told, _, whom = alarm.dedup_key.rpartition(":")
    if whom != str(alarm.worker_id):
        return alarm.status == "sent"
    supervisors = session.scalars(select(HealthWorker.id).where(HealthWorker.role != Role.DOCTOR))
    keys = [f"{told}:{supervisor}" for supervisor in supervisors]
    sent = OutboxMessage.dedup_key.in_(keys), OutboxMessage.status == "sent"
    return session.scalar(select(OutboxMessage.id).where(*sent).limit(1)) is not None


reminder = Reminder(
    code="alarm_undelivered", title="紧急通知没送到", words=words, whom="报告的村医", ends="通知后来送到了,或同事收到了"
)
