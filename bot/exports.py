"""Everything, row by row: records, residents, deliveries, audit as jsonl, csv or xlsx. 数据导出

Rows are read and written as a stream, so that ten million of them need no more memory than ten. Identity numbers and
phones stay in the database. That somebody exported is in the audit before the first row is.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models.base import Store
from models.enrolment import Enrolment
from models.outbox import OutboxMessage
from models.people import HealthWorker, Organisation, Resident, Status
from models.record import AuditEntry, Record, Referral
from models.trouble import Trouble

Labels = Callable[[str, dict[str, Any]], Mapping[str, str]]
"""Chinese words for the coded answers of a service's record."""

AT_ONCE = 1000
MOST_ROWS = 1_048_575  # of a sheet, below its heading: Excel opens no more
SEALED = ("identity_number", "phone")  # never leave, even should a record's answers still hold one


class TooManyRows(Trouble):
    """一张 Excel 表最多 1048575 行,这次的数据更多。请用 --format csv 或 jsonl 导出。"""


def export(
    store: Store,
    what: str,
    format: str,
    output: Path | None,
    *,
    labels: Labels,
    tz: tzinfo,
    now: datetime | None = None,
    by: int | None = None,
) -> int:
    """Write `what` to a file, or to standard output; returns how many rows. A file appears only when it is whole."""
    with store.write() as session:
        details = {"format": format}
        session.add(
            AuditEntry(at=now or datetime.now(UTC), worker_id=by, action="export", subject=what, details=details)
        )
        session.commit()
    with store.read() as session, _written(output) as file:
        return WRITERS[format](file, rows_of(session, what, labels=labels, tz=tz), COLUMNS[what])


def rows_of(session: Session, what: str, *, labels: Labels, tz: tzinfo) -> Iterator[dict[str, Any]]:
    """The rows as they go out, days and instants as text."""
    makers: dict[str, Callable[[], Iterator[dict[str, Any]]]] = {
        "records": lambda: _records(session, labels),
        "residents": lambda: _residents(session),
        "deliveries": lambda: _deliveries(session),
        "audit": lambda: _audit(session),
    }
    for row in makers[what]():
        yield {name: _plain(value, tz) for name, value in row.items()}


COLUMNS = {
    "records": (
        "id", "service", "resident", "worker", "organisation", "on", "mode", "channel", "answers", "labels",
        "classification", "urgency", "rules", "next_due_on", "referral", "status", "flags", "recorded_at",
    ),
    "residents": ("id", "name", "sex", "born_on", "village", "worker", "groups", "status", "enrolments"),
    "deliveries": (
        "id", "kind", "to", "channel", "dedup_key", "status", "reason", "planned_at", "sent_at", "attempts",
    ),
    "audit": ("id", "at", "worker", "action", "subject", "details"),
}  # fmt: skip


# --- rows ---


def _stream(session: Session, query: Select[*tuple[Any, ...]]) -> Iterator[Any]:
    return iter(session.execute(query.execution_options(yield_per=AT_ONCE)))


def _records(session: Session, labels: Labels) -> Iterator[dict[str, Any]]:
    latest = select(func.max(Referral.id)).where(Referral.record_id == Record.id).correlate(Record).scalar_subquery()
    query = (
        select(Record, Resident.name, HealthWorker.code, Organisation.code, Referral)
        .join(HealthWorker, HealthWorker.id == Record.worker_id)
        .join(Organisation, Organisation.id == Record.village_id)
        .outerjoin(Resident, Resident.id == Record.resident_id)
        .outerjoin(Referral, Referral.id == latest)
        .order_by(Record.id)
    )
    for record, name, worker, organisation, referral in _stream(session, query):
        answers = {field: value for field, value in record.answers.items() if field not in SEALED}
        yield {
            "id": record.id,
            "service": record.service,
            "resident": None if record.resident_id is None else {"id": record.resident_id, "name": name},
            "worker": worker,
            "organisation": organisation,
            "on": record.on,
            "mode": record.mode,
            "channel": record.channel,
            "answers": answers,
            "labels": dict(labels(record.service, answers)),
            "classification": record.classification,
            "urgency": record.urgency,
            "rules": record.rules,
            "next_due_on": record.next_due_on,
            "referral": _with_progress(record.referral, referral),
            "status": record.status,
            "flags": record.flags,
            "recorded_at": record.recorded_at,
        }


def _with_progress(told: Mapping[str, Any] | None, row: Referral | None) -> dict[str, Any] | None:
    """What the record says of a referral, and how far it has come: sent, arrived, result, returned, closed."""
    if row is None:
        return dict(told) if told else None
    progress = {
        "direction": row.direction,
        "sent_on": row.sent_on,
        "arrived": row.arrived,
        "arrived_on": row.arrived_on,
        "result": row.result,
        "returned_on": row.returned_on,
        "closed_at": row.closed_at,
        "close_reason": row.close_reason,
    }
    return {**(told or {}), **{name: value for name, value in progress.items() if value is not None}}


def _residents(session: Session) -> Iterator[dict[str, Any]]:
    """Residents with the programmes they are in now; those that ended are in the records and the audit."""
    query = (
        select(Resident.id, Resident.name, Resident.sex, Resident.born_on, Organisation.code.label("village"),
               HealthWorker.code.label("worker"), Resident.groups, Resident.status)
        .join(Organisation, Organisation.id == Resident.village_id)
        .outerjoin(HealthWorker, HealthWorker.id == Resident.worker_id)
        .where(Resident.status != Status.MERGED)
        .order_by(Resident.id)
    )  # fmt: skip
    enrolled = (
        select(Enrolment.resident_id, Enrolment.programme, Enrolment.since, Enrolment.next_due_on,
               Enrolment.classification)
        .where(Enrolment.ended_on.is_(None))
        .order_by(Enrolment.resident_id, Enrolment.id)
    )  # fmt: skip
    enrolments = _stream(session, enrolled)
    waiting = next(enrolments, None)
    for resident in _stream(session, query):
        theirs = []
        while waiting is not None and waiting.resident_id <= resident.id:  # both come in the order of residents
            *_, programme, since, next_due_on, classification = waiting
            if waiting.resident_id == resident.id:
                theirs.append(
                    {
                        "programme": programme,
                        "since": since,
                        "next_due_on": next_due_on,
                        "classification": classification,
                    }
                )
            waiting = next(enrolments, None)
        yield resident._asdict() | {"enrolments": theirs}


def _deliveries(session: Session) -> Iterator[dict[str, Any]]:
    row = OutboxMessage
    query = (
        select(row.id, row.kind, HealthWorker.code.label("to"), row.channel, row.dedup_key, row.status, row.reason,
               row.planned_at, row.sent_at, row.attempts)
        .outerjoin(HealthWorker, HealthWorker.id == row.worker_id)
        .order_by(row.id)
    )  # fmt: skip
    return (delivery._asdict() for delivery in _stream(session, query))


def _audit(session: Session) -> Iterator[dict[str, Any]]:
    row = AuditEntry
    query = (
        select(row.id, row.at, HealthWorker.code.label("worker"), row.action, row.subject, row.details)
        .outerjoin(HealthWorker, HealthWorker.id == row.worker_id)
        .order_by(row.id)
    )
    return (entry._asdict() for entry in _stream(session, query))


def _plain(value: Any, tz: tzinfo) -> Any:
    """Days as 2026-11-22, instants in the county's time with their offset."""
    if isinstance(value, datetime):
        return value.astimezone(tz).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(part, tz) for key, part in value.items()}
    return [_plain(part, tz) for part in value] if isinstance(value, list) else value


# --- writing ---


@contextmanager
def _written(output: Path | None) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is whole and readable by its owner only: it holds people's names."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(output.name + ".part")
    with os.fdopen(os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        try:
            yield file
        except BaseException:
            part.unlink()
            raise
    part.replace(output)


def _jsonl(file: IO[bytes], rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> int:
    number = 0
    for number, row in enumerate(rows, 1):  # noqa: B007
        file.write(json.dumps({column: row[column] for column in columns}, ensure_ascii=False).encode() + b"\n")
    return number


def _csv(file: IO[bytes], rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> int:
    """With the mark by which Excel knows UTF-8."""
    number = 0
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(columns)
        for number, row in enumerate(rows, 1):  # noqa: B007
            writer.writerow(_harmless(_cell(row[column])) for column in columns)
    finally:
        text.detach()
    return number


def _xlsx(file: IO[bytes], rows: Iterator[dict[str, Any]], columns: tuple[str, ...]) -> int:
    import xlsxwriter

    number = 0
    as_written = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, as_written) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, columns, book.add_format({"bold": True}))
        for number, row in enumerate(rows, 1):
            if number > MOST_ROWS:
                raise TooManyRows
            sheet.write_row(number, 0, [_cell(row[column]) for column in columns])
    return number


WRITERS = {"jsonl": _jsonl, "csv": _csv, "xlsx": _xlsx}


def _cell(value: Any) -> Any:
    """What has parts goes into one cell: words joined, everything else as JSON."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "、".join(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _harmless(value: Any) -> Any:
    """A text that a spreadsheet would run as a formula is quoted."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value
