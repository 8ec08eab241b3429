"""A visit that counts only within a window 时间窗 (孕16~20周, 出院后7天内 …): told when it opens, and again when it is about to close."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sqlalchemy import case, literal, or_, select

from models.enrolment import VISITED, Enrolment
from models.mention import day_word
from models.message import Choice, mark_name
from models.people import Resident
from models.services import DISCREET, PROGRAMMES, SERVICES
from reminders.days import clinic_days
from reminders.digest import Asked, Part, Query, Said, Telling

CLOSING = timedelta(days=7)
SHOWN = 4


def rows(asked: Asked) -> Query:
    """Visits whose window is open; on its last day and after it they are due, and stand in the list of visits."""
    due, today = Enrolment.next_due_on, asked.today
    closes = due <= today + CLOSING
    return (
        select(
            Enrolment.village_id.label("organisation_id"),
            Enrolment.id.label("subject_id"),
            (case((closes, "close:"), else_=literal("open:")) + day_word(due)).label("stage"),
            Resident.id.label("resident_id"),
            Resident.name,
            Enrolment.programme,
            Enrolment.next_service,
            Enrolment.due_from,
            due.label("due_on"),
        )
        .join(Resident, Resident.id == Enrolment.resident_id)
        .where(
            Enrolment.due_from <= today,
            due > today,
            Enrolment.ended_on.is_(None),
            or_(Enrolment.snoozed_until.is_(None), Enrolment.snoozed_until <= today),
            Resident.status.in_(VISITED),
        )
        .order_by(due, Enrolment.id)
    )


def says(telling: Telling) -> Said:
    """Who, what and until when, the first to close first."""
    today = telling.context.today
    found = sorted(telling.rows, key=lambda row: (row.due_on, row.subject_id))
    lines = [f"🗓 {mark_name(row.name)} {_what(row)} {_until(row.due_on, today)}" for row in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(f"还有{len(found) - SHOWN}位的时间窗开了或快过了,查姓名可看。")
    return Said(lines, [Choice(f"visit.{row.resident_id}", mark_name(row.name)) for row in found[:SHOWN]])


def _what(row: Any) -> str:
    if row.programme in DISCREET:
        return "专项随访"
    return SERVICES.get(row.next_service or "") or PROGRAMMES[row.programme]


def _until(due_on: date, today: date) -> str:
    left = (due_on - today).days
    return f"可以做了,{due_on}前" if left > CLOSING.days else f"只剩{left}天,{due_on}前"


part = Part(
    code="windows",
    title="孕产妇、儿童等时间窗:打开时和快过时各一次",
    rows=rows,
    says=says,
    days=clinic_days,
    once=True,
    opens="antenatal_visit",
    ends="这次服务已记录,或结案、死亡、迁出",
)
