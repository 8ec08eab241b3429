"""The names behind a figure: live queries within the viewer's scope, because a list is what a supervisor acts on. 名单

A rate lists those who are missing from its numerator, a count those who are in it. Where the viewer's role shows no
names (county bureau), only the number comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models import birth_lists, patient_lists, resident_lists
from models.effects import counts_as
from models.eligibility import months_before
from models.enrolment import VISITED, Enrolment
from models.figures import as_of
from models.groups import STOCKS
from models.indicator import Window
from models.line import Asked, Line, LineList, Source
from models.people import HealthWorker, Organisation, Resident
from models.record import Record
from models.scope import Scope
from models.services import PROGRAMMES, SERVICES

HEEL_BLOOD_BY = 7  # days; the blood is taken from 72 hours to 7 days after birth (domain.md C)


def line_list(
    session: Session, scope: Scope, code: str, first: date, last: date, today: date, limit: int = 20, offset: int = 0
) -> LineList | None:
    """The names behind a figure for a period, as of its end or today; None for a figure that has none."""
    source = SOURCES.get(code)
    return source(Asked(session, scope, Window(first, as_of(last, today)), limit, offset)) if source else None


def _records(service: str) -> Source:
    """The records of a service in the period; the latest first."""

    def source(asked: Asked) -> LineList:
        query: Any = (
            select(
                Record.resident_id, Record.on, Record.counts, Resident.name, HealthWorker.name.label("worker"),
                Organisation.name.label("village"),
            )
            .join(Organisation, Organisation.id == Record.village_id)
            .join(HealthWorker, HealthWorker.id == Record.worker_id)
            .outerjoin(Resident, Resident.id == Record.resident_id)
            .where(asked.scope.covers(Record.village_id), Record.service == service, Record.status == "current")
            .where(Record.on.between(*asked.window))
            .order_by(Record.on.desc(), Record.id.desc())
        )  # fmt: skip
        return asked.page_of(query, _record_line)

    return source


def _record_line(row: Row[Any]) -> Line:
    people = row.counts.get("outreach_attendances") or row.counts.get("training_people")
    return Line(
        row.resident_id, row.name, row.village, row.on, f"{row.on} {row.worker}" + (f" {people}人次" if people else "")
    )


def persons(measure: str) -> Source:
    """The people counted this year under a measure, each once, where they live now."""

    def source(asked: Asked) -> LineList:
        return _by_first_record(asked, _counted(asked, measure, asked.window.new_year))

    return source


def _counted(asked: Asked, measure: str, since: date) -> Any:
    """Who was counted under a measure since a day, with the day of the first record that does so."""
    return (
        select(Resident.id, Resident.name, Organisation.name.label("village"), func.min(Record.on).label("first_on"))
        .join(Record, Record.resident_id == Resident.id)
        .join(Organisation, Organisation.id == Resident.village_id)
        .where(asked.scope.covers(Resident.village_id), Record.status == "current", counts_as(measure))
        .where(Record.on.between(since, asked.window.last))
        .group_by(Resident.id, Resident.name, Organisation.name)
        .order_by(func.min(Record.on).desc(), Resident.id)
    )


def _by_first_record(asked: Asked, query: Any) -> LineList:
    return asked.page_of(query, lambda row: Line(row.id, row.name, row.village, row.first_on, str(row.first_on)))


def _not_yet(
    programme: str, measure: str, *, under_months: int = 0, born_in_the_period: bool = False, days_old: int = 0
) -> Source:
    """Who is in a programme and was not counted under a measure this year; the eldest last.

    `under_months` leaves out those who are older at the end of the window, `born_in_the_period` those not born in it,
    `days_old` those who have still time: born fewer days before its end.
    """

    def source(asked: Asked) -> LineList:
        day = asked.window.last
        counted = (
            select(Record.id)
            .where(Record.resident_id == Resident.id, Record.status == "current")
            .where(Record.on.between(asked.window.new_year, day))
            .where(counts_as(measure))
        )
        query: Any = (
            select(Resident.id, Resident.name, Resident.born_on, Organisation.name.label("village"))
            .join(Enrolment, Enrolment.resident_id == Resident.id)
            .join(Organisation, Organisation.id == Resident.village_id)
            .where(asked.scope.covers(Resident.village_id), Resident.status.in_(VISITED))
            .where(Enrolment.programme == programme, Enrolment.since <= day, Enrolment.ended_on.is_(None))
            .where(~counted.correlate(Resident).exists())
            .order_by(Resident.born_on.desc(), Resident.id)
        )
        if born_in_the_period:
            query = query.where(Resident.born_on.between(*asked.window))
        if days_old:
            query = query.where(Resident.born_on <= day - timedelta(days=days_old))
        if under_months:
            query = query.where(Resident.born_on > months_before(day, under_months))
        return asked.page_of(query, lambda row: Line(row.id, row.name, row.village, row.born_on, f"{row.born_on}出生"))

    return source


def persons_in_period(measure: str) -> Source:
    """The people counted under a measure within the period: each once a year, on the day of the first record."""

    def source(asked: Asked) -> LineList:
        each_year = _counted(asked, measure, date(asked.window.first.year, 1, 1))
        each_year = each_year.group_by(func.extract("year", Record.on))
        return _by_first_record(asked, each_year.having(func.min(Record.on) >= asked.window.first))

    return source


SOURCES: Mapping[str, Source] = {
    "health_record_coverage": resident_lists.without_record,
    **{f"{programme}_managed": patient_lists.managed(programme) for programme in PROGRAMMES},
    "elderly_managed": persons("people.elderly_check"),  # counted by the check, whoever is in the programme
    "elderly_managed_rate": resident_lists.elderly_without("people.elderly_check"),
    "elderly_tcm_rate": resident_lists.elderly_without("elderly_tcm"),
    "hypertension_yearly_check": persons("people.yearly_check.hypertension"),
    "diabetes_yearly_check": persons("people.yearly_check.diabetes"),
    "live_births": birth_lists.births_where(lambda counts: bool(counts.get("live_births"))),
    "early_booking_rate": birth_lists.not_booked_early,
    "hospital_delivery_rate": birth_lists.outside_hospital,
    "postpartum_visit_rate": birth_lists.births_without("mothers_visited"),
    "maternal_systematic_rate": birth_lists.births_without("mothers_systematic"),
    "newborn_screening_rate": _not_yet("child", "newborns_screened", born_in_the_period=True, days_old=HEEL_BLOOD_BY),
    "newborn_visit_rate": _not_yet("child", "newborns_visited", born_in_the_period=True),
    "child_management_rate": _not_yet("child", "children_followed"),
    "child_tcm_rate": _not_yet("child", "children_tcm", under_months=37),
    "hypertension_standardised_rate": patient_lists.behind("hypertension"),
    "hypertension_control_rate": patient_lists.not_controlled("hypertension"),
    "diabetes_standardised_rate": patient_lists.behind("diabetes"),
    "diabetes_control_rate": patient_lists.not_controlled("diabetes"),
    "mental_health_standardised_rate": patient_lists.behind("mental_health"),
    "tb_management_rate": patient_lists.not_visited("tb", "person.tb_visited"),
    "tb_adherence_rate": patient_lists.taken_irregularly,
    **{f"signing_rate_{kind}": resident_lists.unsigned(kind) for kind in STOCKS},
    "signing_renewal_rate": resident_lists.not_renewed,
    "signing_fulfilment_rate": resident_lists.not_fulfilled,
    "two_cancer_screened": persons_in_period("two_cancer_screened"),
    "prenatal_screened": persons_in_period("prenatal_screened"),
    "agreements_signed": resident_lists.signatures,
    "agreements_ended": resident_lists.endings,
    **{f"count.{service}": _records(service) for service in SERVICES},
}
"""Figure code -> where its names come from. A figure that is a sum over events shows the events: `count.<service>`."""


def has_names(code: str) -> bool:
    return code in SOURCES
