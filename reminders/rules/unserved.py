"""Promised in a package and not yet given, item by item: signed long ago, and no such service since (签而不约, domain.md D). 签约后没服务

What a package promises is the county's to say (`signing.package_items`). Until it has, only those are told of who have
had no service at all, and the items named are those of the usual list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, String, Text, and_, cast, exists, false, literal_column, or_, select, true
from sqlalchemy.orm import Session

from models.agreements import last_on
from models.enrolment import VISITED
from models.fulfilment import ITEMS, MARK, NOT_SEEN, TELEPHONE, Item, Promise
from models.mention import day_word
from models.message import mark_name
from models.people import Resident
from models.record import Agreement, Record
from reminders.days import clinic_days
from reminders.digest import Asked, Part, Query, Said, Telling, each_of

NO_SERVICE = ("signing", "signing_end", "health_record")  # to sign or to register somebody fulfils nothing
TOLD_WITHIN = timedelta(days=14)
"""Who has waited longer than the threshold and this stands in the figures of fulfilment, not in the morning's message."""
SHOWN = 3


def rows(asked: Asked) -> Query:
    """Agreements in force of which something promised was not given since they began; a column for each item says what."""
    today, preferences, promise = asked.today, asked.preferences, Promise.of(asked.preferences.rules)
    lacking = {item: _lacks(asked.session, item, promise) for item in _promised(promise)}
    seen = ~cast(Record.flags, Text).contains(f'"{NOT_SEEN}"')
    served = exists(select(1).where(*_since_signing(), Record.service.not_in(NO_SERVICE), seen))
    return (
        select(
            Agreement.village_id.label("organisation_id"),
            Agreement.id.label("subject_id"),
            day_word(Agreement.starts_on).label("stage"),
            Agreement.starts_on,
            Resident.name,
            *(lacks.label(f"lacks_{item.code}") for item, lacks in lacking.items()),
        )
        .join(Resident, Resident.id == Agreement.resident_id)
        .where(
            Agreement.status == "current",
            last_on() >= today,
            preferences.days_past("unserved_days", Agreement.starts_on, Agreement.village_id, today),
            ~preferences.days_past("unserved_days", Agreement.starts_on, Agreement.village_id, today - TOLD_WITHIN),
            Resident.status.in_(VISITED),
            or_(false(), *lacking.values()) if Promise.is_settled(asked.preferences.rules) else ~served,
        )
        .order_by(Agreement.starts_on, Agreement.id)
    )


def _promised(promise: Promise) -> list[Item]:
    """Items that some package promises a number of times; what is given on demand nobody can be late with."""
    codes = {code for package in promise.packages.values() for code, times in package.items() if int(times) > 0}
    return [item for code, item in ITEMS.items() if code in codes]


def _lacks(session: Session, item: Item, promise: Promise) -> ColumnElement[bool]:
    """SQL: the agreement promises this item, and nothing proves that it was given even once."""
    packages = [package for package, items in promise.packages.items() if int(items.get(item.code, 0)) > 0]
    counted = true() if promise.by_phone else or_(Record.mode.is_(None), Record.mode != TELEPHONE)
    seen = ~cast(Record.flags, Text).contains(f'"{NOT_SEEN}"')
    proves = and_(Record.service.in_(item.services), seen, counted) if item.services else false()
    confirms = cast(Record.marks, Text).contains(f'"{MARK}{item.code}"')
    given = exists(select(1).where(*_since_signing(), or_(proves, confirms)))
    theirs = _has_any(session, Agreement.groups, item.groups) if item.groups else true()
    return and_(_has_any(session, Agreement.packages, packages), theirs, ~given)


def _has_any(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """SQL: a list in a column has one of these numbers."""
    each = each_of(session, column)
    wanted = [str(value) for value in values]
    return exists(select(literal_column("1")).select_from(each).where(cast(each.c.value, String).in_(wanted)))


def _since_signing() -> Sequence[ColumnElement[bool]]:
    return Record.resident_id == Agreement.resident_id, Record.on >= Agreement.starts_on, Record.status == "current"


def says(telling: Telling) -> Said:
    """How many lack something, the first few by name with what they lack; of many, how many lack each item."""
    found = sorted(telling.rows, key=lambda row: (row.starts_on, row.subject_id))
    least = min((telling.context.today - row.starts_on).days for row in found)
    settled = Promise.is_settled(telling.context.preferences.rules)
    what = "还有约定的项目没做" if settled else "还没有服务记录"
    names = "、".join(_with_items(row) for row in found[:SHOWN]) + ("等" if len(found) > SHOWN else "")
    doubt = "" if settled or not any(map(_missing, found[:SHOWN])) else "项目是默认清单,县里还没定。"
    lines = [f"🤝 {len(found)}位签约{least}天以上{what}:{names}。{doubt}做了就记一行,算履约。"]
    if len(found) > SHOWN and (counts := Counter(title for row in found for title in _missing(row))):
        lines.append(f"按项目:{'、'.join(f'{title}{number}位' for title, number in counts.most_common(5))}。")
    return Said(lines)


def _with_items(row: Any) -> str:
    items = _missing(row)
    more = "等" if len(items) > SHOWN else ""
    return mark_name(row.name) + (f"({'、'.join(items[:SHOWN])}{more})" if items else "")


def _missing(row: Any) -> list[str]:
    """The names of what is lacking."""
    lacking = (item for code, item in ITEMS.items() if getattr(row, f"lacks_{code}", False))
    return list(dict.fromkeys(item.public_title for item in lacking))


part = Part(
    code="unserved",
    title="签约后约定的项目还没做,一次(县里没定服务包的:一次服务也没有)",
    rows=rows,
    says=says,
    days=clinic_days,
    once=True,
    opens="signing_service",
    ends="项目都做过一次,或协议终止",
)
