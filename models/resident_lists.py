"""Lists of residents: who has no health record, who is not signed or about to be so no more, who has not renewed."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, String, case, cast, func, or_, select

from models.agreement_effects import validity_effects
from models.agreements import REASONS, last_on
from models.county import county
from models.effects import AGREEMENT, ELDERLY_FROM, RECORD, RESIDENT, counts_as, renewal_days
from models.enrolment import VISITED
from models.fulfilment import Promise, progress
from models.groups import STOCKS
from models.line import Asked, Line, LineList, Source
from models.people import Organisation, Resident
from models.record import Agreement, Record

EXPIRES_SOON = timedelta(days=60)  # 即将到期, domain.md D


def unsigned(kind: str) -> Source:
    """Agreements that end within 60 days first, then everybody of the group without one."""

    def source(asked: Asked) -> LineList:
        day = asked.window.last
        valid = (Agreement.starts_on <= day) & (last_on() >= day)
        signed = (
            select(
                Agreement.resident_id,
                func.max(last_on()).label("ends_on"),
                func.max(case((valid, 1), else_=0)).label("valid"),
            )
            .join(Resident, Resident.id == Agreement.resident_id)
            .where(asked.scope.covers(Resident.village_id), Agreement.status == "current")
            .group_by(Agreement.resident_id)
            .subquery()
        )
        is_signed = func.coalesce(signed.c.valid, 0)
        query = (
            _residents(asked, is_signed.label("valid"), signed.c.ends_on)
            .outerjoin(signed, signed.c.resident_id == Resident.id)
            .where((is_signed == 0) | (signed.c.ends_on <= day + EXPIRES_SOON))
            .where(or_(Resident.registered_on.is_(None), Resident.registered_on <= day), *_in_group(kind))
            .order_by(is_signed.desc(), signed.c.ends_on, Organisation.code, Resident.id)
        )
        return asked.page_of(query, _signing_line)

    return source


def _signing_line(row: Row[Any]) -> Line:
    ended = f"协议{row.ends_on}到期" if row.ends_on else "未签约"
    return Line(row.id, row.name, row.village, row.ends_on, ended)


def _in_group(kind: str) -> list[ColumnElement[bool]]:
    """The same words that `effects.belongs` looks for, in the stored list."""
    groups = cast(Resident.groups, String)
    return [or_(*(groups.contains(word) for word in STOCKS[kind]))] if STOCKS[kind] else []


def _residents(asked: Asked, *more: Any) -> Any:
    """Those who live here on the day asked for."""
    here = Resident.status.in_(VISITED) | (Resident.status_on > asked.window.last)
    return (
        select(Resident.id, Resident.name, Organisation.name.label("village"), *more)
        .join(Organisation, Organisation.id == Resident.village_id)
        .where(asked.scope.covers(Resident.village_id), here)
    )


def without_record(asked: Asked) -> LineList:
    """Residents on the roster whose health record has not been opened 未建档."""
    opened = Resident.registered_on <= asked.window.last
    query = _residents(asked).where(Resident.registered_on.is_(None) | ~opened)
    return asked.page_of(
        query.order_by(Organisation.code, Resident.id), lambda row: Line(row.id, row.name, row.village, None, "未建档")
    )


def elderly_without(measure: str) -> Source:
    """Who turns 65 by the end of the year or is older, and is not yet counted under a measure this year; oldest first."""

    def source(asked: Asked) -> LineList:
        year = asked.window.last.year
        done = select(Record.resident_id).where(
            Record.status == "current", counts_as(measure), Record.on.between(asked.window.new_year, asked.window.last)
        )
        query = (
            _residents(asked, Resident.born_on)
            .where(Resident.born_on <= date(year - ELDERLY_FROM, 12, 31), Resident.id.not_in(done))
            .where(or_(Resident.registered_on.is_(None), Resident.registered_on <= asked.window.last))
            .order_by(Organisation.code, Resident.born_on, Resident.id)
        )
        return asked.page_of(
            query, lambda row: Line(row.id, row.name, row.village, None, f"{year - row.born_on.year}岁")
        )

    return source


def not_renewed(asked: Asked) -> LineList:
    """Whose agreement ran out in the period and who has not signed again."""
    query: Any = select(*RESIDENT, Resident.name, Organisation.name.label("village")).join(
        Organisation, Organisation.id == Resident.village_id
    )
    first, last = asked.window.first - timedelta(days=1), asked.window.last - timedelta(days=1)
    ran_out = select(Agreement.resident_id).where(Agreement.ends_on.between(first, last), Agreement.status == "current")
    theirs = asked.scope.covers(Resident.village_id), Resident.id.in_(ran_out)
    signed: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    agreements: Any = select(*AGREEMENT).join(Resident, Resident.id == Agreement.resident_id)
    for agreement in asked.session.execute(agreements.where(*theirs)):
        signed[agreement.resident_id].append(agreement)
    days = renewal_days(asked.session)
    found = []
    for resident in asked.session.execute(query.where(*theirs).order_by(Organisation.code, Resident.id)):
        effects = validity_effects(signed[resident.id], resident, days)
        for (village, day, measure), expired in sorted(effects.items()):
            open_ends = expired - effects[village, day, "signing.renewed"]
            if measure == "signing.expired" and asked.window.first <= day <= asked.window.last and open_ends:
                ended = day - timedelta(days=1)
                found.append(Line(resident.id, resident.name, resident.village, ended, f"协议{ended}到期,未续"))
    return LineList(len(found), asked.cut(found))


def not_fulfilled(asked: Asked) -> LineList:
    """Who has an agreement and lacks something of what it promises, with what is missing; most missing first."""
    day, promise = asked.window.last, Promise.of(county(asked.session))
    valid = Agreement.status == "current", Agreement.starts_on <= day, last_on() >= day
    query: Any = (
        select(*AGREEMENT, Resident.name, Organisation.name.label("village"))
        .join(Resident, Resident.id == Agreement.resident_id)
        .join(Organisation, Organisation.id == Resident.village_id)
        .where(asked.scope.covers(Resident.village_id), Resident.status.in_(VISITED), *valid)
        .order_by(Organisation.code, Agreement.resident_id)
    )
    rows = asked.session.execute(query).all()
    given: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    done: Any = select(*RECORD).join(Resident, Resident.id == Record.resident_id)
    signed = select(Agreement.resident_id).where(*valid)
    theirs = asked.scope.covers(Resident.village_id), Record.status == "current", Record.on <= day
    for record in asked.session.execute(done.where(*theirs, Record.resident_id.in_(signed))):
        given[record.resident_id].append(record)
    missing: dict[int, tuple[Row[Any], dict[str, int]]] = {}
    for row in rows:
        _, lacks = missing.setdefault(row.resident_id, (row, {}))
        for one in progress(row, given[row.resident_id], promise):
            if one.missing:
                lacks[one.words()] = one.missing
    late = sorted((pair for pair in missing.values() if pair[1]), key=lambda pair: -sum(pair[1].values()))
    lines = [
        Line(row.resident_id, row.name, row.village, row.ends_on, "、".join(lacks)) for row, lacks in asked.cut(late)
    ]
    return LineList(len(late), lines)


def signatures(asked: Asked) -> LineList:
    query: Any = (
        select(
            Agreement.resident_id, Resident.name, Organisation.name.label("village"), Agreement.starts_on,
            Agreement.ends_on,
        )
        .join(Resident, Resident.id == Agreement.resident_id)
        .join(Organisation, Organisation.id == Agreement.village_id)
        .where(asked.scope.covers(Agreement.village_id), Agreement.status == "current")
        .where(Agreement.starts_on.between(*asked.window))
        .order_by(Agreement.starts_on.desc(), Agreement.id)
    )  # fmt: skip
    return asked.page_of(
        query,
        lambda row: Line(row.resident_id, row.name, row.village, row.starts_on, f"{row.starts_on}至{row.ends_on}"),
    )


def endings(asked: Asked) -> LineList:
    """Agreements ended before their time in the period, with the reason 解约原因."""
    query: Any = (
        select(
            Agreement.resident_id, Resident.name, Organisation.name.label("village"), Agreement.ended_on, Agreement.end_reason
        )
        .join(Resident, Resident.id == Agreement.resident_id)
        .join(Organisation, Organisation.id == Agreement.village_id)
        .where(asked.scope.covers(Agreement.village_id), Agreement.status == "current")
        .where(Agreement.ended_on.between(*asked.window))
        .order_by(Agreement.end_reason, Agreement.ended_on.desc(), Agreement.id)
    )  # fmt: skip
    return asked.page_of(
        query,
        lambda row: Line(
            row.resident_id, row.name, row.village, row.ended_on, f"{row.ended_on}{REASONS.get(row.end_reason, '')}"
        ),
    )
