"""Promised in a package and not yet given: signed long ago, and no service since (签而不约, domain.md D). 签约后没服务"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Text, cast, exists, select

from models.agreements import last_on
from models.enrolment import VISITED
from models.mention import day_word
from models.message import mark_name
from models.people import Resident
from models.record import Agreement, Record
from reminders.days import clinic_days
from reminders.digest import Asked, Part, Query, Said, Telling

NO_SERVICE = ("signing", "signing_end", "health_record")  # to sign or to register somebody fulfils nothing
TOLD_WITHIN = timedelta(days=14)
"""Who has waited longer than the threshold and this stands in the figures of fulfilment, not in the morning's message."""
SHOWN = 3


def rows(asked: Asked) -> Query:
    """Agreements in force whose resident has had no service since they began."""
    today, preferences = asked.today, asked.preferences
    served = exists(
        select(1).where(
            Record.resident_id == Agreement.resident_id,
            Record.on >= Agreement.starts_on,
            Record.status == "current",
            Record.service.not_in(NO_SERVICE),
            ~cast(Record.flags, Text).contains('"not_seen"'),
        )
    )
    return (
        select(
            Agreement.village_id.label("organisation_id"),
            Agreement.id.label("subject_id"),
            day_word(Agreement.starts_on).label("stage"),
            Agreement.starts_on,
            Resident.name,
        )
        .join(Resident, Resident.id == Agreement.resident_id)
        .where(
            Agreement.status == "current",
            last_on() >= today,
            preferences.days_past("unserved_days", Agreement.starts_on, Agreement.village_id, today),
            ~preferences.days_past("unserved_days", Agreement.starts_on, Agreement.village_id, today - TOLD_WITHIN),
            Resident.status.in_(VISITED),
            ~served,
        )
        .order_by(Agreement.starts_on, Agreement.id)
    )


def says(telling: Telling) -> Said:
    found = sorted(telling.rows, key=lambda row: (row.starts_on, row.subject_id))
    names = "、".join(mark_name(row.name) for row in found[:SHOWN]) + ("等" if len(found) > SHOWN else "")
    least = min((telling.context.today - row.starts_on).days for row in found)
    return Said([f"🤝 {len(found)}位签约{least}天以上还没有服务记录:{names}。做了就记一行,算履约。"])


part = Part(
    code="unserved",
    title="签约后还没给过服务,一次",
    rows=rows,
    says=says,
    days=clinic_days,
    once=True,
    opens="signing_service",
    ends="有了一次服务记录,或协议终止",
)
