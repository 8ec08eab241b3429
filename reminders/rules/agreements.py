"""An agreement about to end: 60, 30 and 7 days before, each once. Nothing renews by itself (domain.md D). 签约到期"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import case, exists, select
from sqlalchemy.orm import aliased

from models.effects import AGREEMENT, RECORD
from models.enrolment import VISITED
from models.fulfilment import Promise, progress
from models.message import Choice, mark_name
from models.people import Resident
from models.record import Agreement, Record
from reminders.days import clinic_days
from reminders.digest import Asked, Found, Part, Query, Said, Telling

STEPS = (7, 30, 60)  # days before the end
SHOWN = 3


def rows(asked: Asked) -> Query:
    """Agreements that end within the longest step, not ended before, without a later one of the same resident."""
    later, today = aliased(Agreement), asked.today
    renewed = exists(
        select(1).where(
            later.resident_id == Agreement.resident_id,
            later.status == "current",
            later.ended_on.is_(None),
            later.ends_on > Agreement.ends_on,
        )
    )
    return (
        select(
            Agreement.village_id.label("organisation_id"),
            Agreement.id.label("subject_id"),
            case(*((Agreement.ends_on <= today + timedelta(days=n), str(n)) for n in STEPS)).label("stage"),
            Agreement.ends_on,
            Resident.name,
        )
        .join(Resident, Resident.id == Agreement.resident_id)
        .where(
            Agreement.status == "current",
            Agreement.ended_on.is_(None),
            Agreement.ends_on.between(today, today + timedelta(days=STEPS[-1])),
            Resident.status.in_(VISITED),
            ~renewed,
        )
        .order_by(Agreement.ends_on, Agreement.id)
    )


def says(telling: Telling) -> Said:
    """How many end soon, by step, and the first few by name."""
    lines = []
    for step in STEPS:
        ending = sorted(
            (row for row in telling.rows if row.stage == str(step)), key=lambda row: (row.ends_on, row.subject_id)
        )
        if ending:
            names = "、".join(_named(telling, row) for row in ending[:SHOWN])
            more = "等" if len(ending) > SHOWN else ""
            lines.append(f"📄 {len(ending)}份签约{step}天内到期:{names}{more}。愿意续的请发“签约 姓名”。")
    return Said(lines, [Choice("names.signing_rate_general", "签约名单")])


def _named(telling: Telling, row: Found) -> str:
    """Who, until when, and what is still owed by then, where the county has said what its packages hold."""
    session, rules = telling.context.session, telling.context.preferences.rules
    if not Promise.is_settled(rules):
        return f"{mark_name(row.name)}({row.ends_on})"
    agreement = session.execute(select(*AGREEMENT).where(Agreement.id == row.subject_id)).one()
    theirs = Record.resident_id == agreement.resident_id, Record.status == "current"
    owed = progress(agreement, session.execute(select(*RECORD).where(*theirs)).all(), Promise.of(rules))
    missing = [f"{one.item.public_title}{one.missing}次" for one in owed if one.missing]
    lacks = f",还差{'、'.join(missing[:SHOWN])}{'等' if len(missing) > SHOWN else ''}" if missing else ""
    return f"{mark_name(row.name)}({row.ends_on}{lacks})"


part = Part(
    code="agreements",
    title="签约到期:60、30、7天前各一次",
    rows=rows,
    says=says,
    days=clinic_days,
    once=True,
    opens="signing",
    ends="已续签、解约、死亡或迁出",
)
