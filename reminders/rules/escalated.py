"""To the township: visits overdue by so many days as are set, by name, once for each missed day. 逾期上报公卫科"""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select

from models.enrolment import VISITED, Enrolment, open_until
from models.mention import day_word
from models.message import Choice, mark_name
from models.people import HealthWorker, Organisation, Resident
from reminders.days import working_days
from reminders.digest import Asked, Found, Part, Query, Said, Telling

DOCTORS_SHOWN, NAMES_SHOWN = 8, 3


def rows_past(asked: Asked, threshold: str) -> Query:
    """Visits overdue by a threshold, with resident, doctor and village."""
    return (
        select(
            Enrolment.village_id.label("organisation_id"),
            Enrolment.id.label("subject_id"),
            day_word(Enrolment.next_due_on).label("stage"),
            Enrolment.next_due_on.label("due_on"),
            Resident.id.label("resident_id"),
            Resident.name,
            HealthWorker.name.label("doctor"),
            Organisation.name.label("village"),
            Organisation.parent_id.label("township_id"),
        )
        .join(Resident, Resident.id == Enrolment.resident_id)
        .join(Organisation, Organisation.id == Enrolment.village_id)
        .outerjoin(HealthWorker, HealthWorker.id == Resident.worker_id)
        .where(
            *open_until(asked.today),
            Resident.status.in_(VISITED),
            asked.preferences.days_past(threshold, Enrolment.next_due_on, Enrolment.village_id, asked.today),
        )
    )


def says(telling: Telling) -> Said:
    """Doctor by doctor, whoever has most first; the longest overdue by name, all of them under 逾期."""
    today, by_doctor = telling.context.today, defaultdict[str, list[Found]](list)
    for row in sorted(telling.rows, key=lambda row: (row.due_on, row.subject_id)):
        by_doctor[row.doctor or row.village].append(row)
    most = sorted(by_doctor.items(), key=lambda item: (-len(item[1]), item[0]))
    lines = [f"新增{len(telling.rows)}人次逾期较久还没访:"]
    for doctor, late in most[:DOCTORS_SHOWN]:
        people: dict[int, Found] = {}
        for row in late:  # somebody in two programmes is named once, with the visit that is longer overdue
            people.setdefault(row.resident_id, row)
        shown = list(people.values())[:NAMES_SHOWN]
        names = "、".join(f"{mark_name(row.name)}({(today - row.due_on).days}天)" for row in shown)
        lines.append(f"{doctor} {len(late)}人次:{names}" + ("等" if len(people) > NAMES_SHOWN else ""))
    if len(most) > DOCTORS_SHOWN:
        lines.append(f"另有{len(most) - DOCTORS_SHOWN}位村医,点“逾期”看全部。")
    return Said(lines, [Choice("overdue", "逾期")])


part = Part(
    code="escalated",
    title="逾期较久(缺省14天)带姓名上报,每个应访日一次",
    rows=lambda asked: rows_past(asked, "township_days"),
    says=says,
    days=working_days,
    once=True,
    ends="随访已记录、已结案、死亡、迁出,或约好以后再问",
)
