"""The term of an infectious report runs out: the township is reminded before it does, the county hears when it has. 传染病报告时限"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sqlalchemy import select

from handlers import infectious
from models.infectious import InfectiousReport, unconfirmed
from models.message import OutgoingMessage
from models.people import HealthWorker, Organisation
from models.record import Record
from reminders.clock import Moment, before_quiet
from reminders.digest import Asked
from reminders.reminder import Context, Gone, Reminder
from reminders.rules.infectious_report import clock

SHORT = timedelta(hours=3)
"""The term of two hours (甲类 and what is handled like it) waits for no morning; that of a day does (domain.md H1)."""
BEFORE_SHORT, BEFORE_LONG = timedelta(minutes=30), timedelta(hours=4)


def moments(asked: Asked, first: date, last: date) -> Iterable[Moment]:
    """The township's: half an hour before the end of two hours, four hours before the end of a day."""
    for report in _running(asked, first, last):
        short = report.due_at - report.noticed_at <= SHORT
        at = report.due_at - (BEFORE_SHORT if short else BEFORE_LONG)
        if not short:
            at = max(before_quiet(at, asked.preferences.quiet, asked.tz), report.noticed_at)
        yield _moment(report, at, short)


def moments_missed(asked: Asked, first: date, last: date) -> Iterable[Moment]:
    """The county's: when the term has passed."""
    for report in _running(asked, first, last):
        yield _moment(report, report.due_at, report.due_at - report.noticed_at <= SHORT)


def _running(asked: Asked, first: date, last: date) -> Iterable[InfectiousReport]:
    """Reports not confirmed that have a moment on one of the days, and a few more."""
    day = timedelta(days=1)
    return unconfirmed(asked.session, asked.midnight(first - day), asked.midnight(last + 2 * day))


def _moment(report: InfectiousReport, at: datetime, short: bool) -> Moment:
    arguments = {"record_id": report.record_id}
    subject = f"{report.id}.{report.due_at:%Y%m%dT%H%M}"
    return Moment(subject=subject, organisation_id=report.village_id, at=at, arguments=arguments, at_once=short)


def _of(context: Context) -> tuple[InfectiousReport, Record, HealthWorker]:
    record_id = context.arguments["record_id"]
    report = context.session.scalar(select(InfectiousReport).where(InfectiousReport.record_id == record_id))
    record = context.session.get_one(Record, record_id)
    if report is None or record.status != "current":
        raise Gone("the report was withdrawn or corrected")
    if report.confirmed_at is not None:
        raise Gone("the township has confirmed it")
    return report, record, context.session.get_one(HealthWorker, record.worker_id)


def words(context: Context) -> OutgoingMessage:
    """Until when, and who reported; no disease and no name."""
    report, record, doctor = _of(context)
    _, one, how, _ = infectious.REPORTED[record.service]
    text = f"⏰ {doctor.name}报的{one},{clock(report.due_at, context.tz)}前要确认并{how},现在还没有确认。"
    return OutgoingMessage(text, (infectious.button(record.id),), urgent=True)


def words_missed(context: Context) -> OutgoingMessage:
    """Which township has not confirmed what was reported to it."""
    report, record, doctor = _of(context)
    one = infectious.REPORTED[record.service][1]
    village = context.session.get_one(Organisation, report.village_id)
    township = context.session.get_one(Organisation, village.parent_id or village.id)
    text = f"⏰ {township.name}有{one}报告过了时限({clock(report.due_at, context.tz)}),公卫科还没有确认({doctor.name}报告)。"
    return OutgoingMessage(text, urgent=True)


ENDS = "公卫科已确认,或报告撤回、更正"
reminder = Reminder(code="infectious_due", title="传染病报告快到时限", words=words, whom="公卫科", ends=ENDS)
missed = Reminder(code="infectious_missed", title="传染病报告超过时限", words=words_missed, whom="卫健局", ends=ENDS)
