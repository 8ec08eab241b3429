"""Whom to visit: due today and overdue, most urgent first; a button on each line opens the visit. 待访名单"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from handlers.decisions import Urgency
from handlers.worklist import PER_PAGE, lines_of
from models.enrolment import Enrolment, due_query, due_visits
from models.message import Choice, mark_name
from models.people import Organisation
from reminders.days import clinic_days
from reminders.digest import Asked, Part, Query, Said, Telling

PRESSING = (Urgency.EMERGENCY, Urgency.REFER)


def rows(asked: Asked) -> Query:
    """Every enrolment due by today."""
    due = due_query(asked.today)
    return due.with_only_columns(Enrolment.village_id.label("organisation_id"), maintain_column_froms=True)


def says(telling: Telling) -> Said:
    """The first page of the worklist, as 今日 would show it now."""
    context = telling.context
    session, scope, today = context.session, context.scope, context.today
    visits = due_visits(session, scope, last=today)
    lines = lines_of([v for v in visits if v.urgency in PRESSING] if telling.pressing else visits)
    late = sum(1 for line in lines if line.is_late(today))
    what = "急需随访" if telling.pressing else "要访"
    names: Any = select(Organisation.id, Organisation.name).where(Organisation.id.in_(scope.villages or ()))
    villages = dict(session.execute(names).all()) if len(scope.villages or ()) > 1 else {}
    shown = lines[:PER_PAGE]
    texts = [f"今天有{len(lines)}位{what}" + (f",其中{late}位已逾期。" if late else "。")]
    texts += [f"{n}. {line.text(today, villages)}" for n, line in enumerate(shown, 1)]
    choices = [
        Choice(f"visit.{line.resident_id}", f"{n} {mark_name(line.visits[0].name)}", str(n))
        for n, line in enumerate(shown, 1)
    ]
    if len(lines) > PER_PAGE:
        texts.append(f"还有{len(lines) - PER_PAGE}位,点“今日”看全部。")
        choices.append(Choice("today", "今日"))
    return Said(texts, choices)


part = Part(
    code="visits",
    title="到期和逾期的随访",
    rows=rows,
    says=says,
    days=clinic_days,
    pressing=lambda due: due.where(Enrolment.urgency.in_(PRESSING)),
    opens="hypertension_follow_up",
    ends="随访已记录、已结案、死亡、迁出,或约好以后再问",
)
