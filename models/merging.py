"""One person registered twice: found, put together under one entry, and taken apart again. 重复档案、合并

Nothing is deleted. The entry put aside gets the status MERGED and counts for nothing; its records, programmes,
agreements and referrals move to the entry that stays, the counters with them, and the audit entry says which rows moved,
so that everything can be moved back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, String, Table, UniqueConstraint, and_, cast, or_, select, update
from sqlalchemy.orm import Session, aliased

from models.effects import counted
from models.enrolment import VISITED, Enrolment
from models.everything import metadata
from models.people import Resident, ResidentKey, Status
from models.record import AuditEntry, Record
from models.registry import audit, update_resident_keys
from models.scope import Scope

MERGED, RESTORED, DISTINCT = "resident.merged", "resident.restored", "resident.distinct"
_GAPS = ("sex", "born_on", "village_group", "householder", "worker_id", "phone_sealed")
"""What the entry that stays takes from the other one where it has nothing itself."""
_OWED = (
    "since", "next_due_on", "due_from", "next_service", "urgency", "classification", "snoozed_until", "ended_on", "end_reason",
)  # fmt: skip
MOST_PAIRS = 200


class CannotMerge(Exception):
    """这两份档案不能合并。"""


# --- who may be one person ---


def suspected(session: Session, scope: Scope, *, limit: int = MOST_PAIRS) -> list[tuple[Resident, Resident]]:
    """Pairs of entries that may be one person, the surest first; (earlier, later) by registration.

    1. The same name and birthday, anywhere in the scope.
    2. The same name and village, where one of them has no birthday.
    3. Names that sound alike, with the same village and birthday.

    Two different identity numbers are two people, and so is a pair that somebody has told apart already.
    """
    pairs: dict[tuple[int, int], tuple[Resident, Resident]] = {}
    for query in _same_name(scope), _same_sound(scope):
        for one, other in session.execute(query.limit(limit)):
            first, second = sorted((one, other), key=lambda r: r.id)
            pairs.setdefault((first.id, second.id), (first, second))
    told_apart = set(
        session.scalars(
            select(AuditEntry.subject).where(
                AuditEntry.action == DISTINCT, AuditEntry.subject.in_([_pair(*ids) for ids in pairs])
            )
        )
    )
    return [pair for ids, pair in pairs.items() if _pair(*ids) not in told_apart][:limit]


def _pairs(scope: Scope) -> tuple[Any, Any, Any]:
    """(one, other, condition): one of the two has no identity number, so that they are not many."""
    one, other = aliased(Resident), aliased(Resident)
    likely = and_(
        scope.covers(one.village_id),
        scope.covers(other.village_id),
        one.identity_hash.is_(None),
        or_(other.identity_hash.is_not(None), one.id < other.id),
        one.id != other.id,
        one.status.in_(VISITED),
        other.status.in_(VISITED),
        or_(one.sex.is_(None), other.sex.is_(None), one.sex == other.sex),
    )
    return one, other, likely


def _same_name(scope: Scope) -> Any:
    one, other, likely = _pairs(scope)
    unknown = or_(one.born_on.is_(None), other.born_on.is_(None)) & (one.village_id == other.village_id)
    alike = (one.name == other.name) & or_(one.born_on == other.born_on, unknown)
    return select(one, other).where(likely, alike).order_by(one.born_on != other.born_on, one.id, other.id)


def _same_sound(scope: Scope) -> Any:
    one, other, likely = _pairs(scope)
    said, heard = aliased(ResidentKey), aliased(ResidentKey)
    return (
        select(one, other)
        .join(said, (said.resident_id == one.id) & said.key.like("p:%"))
        .join(heard, (heard.village_id == said.village_id) & (heard.key == said.key))
        .join(other, other.id == heard.resident_id)
        .where(likely, one.name != other.name, one.born_on == other.born_on, one.village_id == other.village_id)
        .order_by(one.id, other.id)
    )


def tell_apart(session: Session, one: Resident, other: Resident, now: datetime, *, by: int | None) -> None:
    """Two people after all: the pair is not shown again."""
    first, second = sorted((one.id, other.id))
    session.add(AuditEntry(at=now, worker_id=by, action=DISTINCT, subject=_pair(first, second), details={}))


def _pair(first: int, second: int) -> str:
    return f"residents:{first}+{second}"


# --- putting together ---


def merge(session: Session, stays: Resident, goes: Resident, now: datetime, *, by: int | None) -> None:
    """Put two entries of one person together.

    1. Refused where the two cannot be one person, or where one of them is dead or moved: that is put right first.
    2. What the entry that stays does not know is taken from the other; groups are joined, the earlier registration counts.
    3. Every row that names the other now names it. Of two enrolments in one programme its own stays, due as the later
       visit says.
    4. The other is found no more and counted no more. The audit entry keeps what is needed to go back.
    """
    _refuse_unlike(stays, goes)
    with counted(session, [stays.id, goes.id]):
        before = {
            "into": stays.id,
            "status": goes.status,
            "groups": list(stays.groups),
            "registered_on": stays.registered_on.isoformat() if stays.registered_on else None,
            "filled": _fill(session, stays, goes),
            "folded": _fold_enrolments(session, stays, goes),
        }
        moved = {
            f"{column.table.name}.{column.name}": _move(session, column, goes.id, stays.id) for column in _naming()
        }
        goes.status, goes.merged_into_id = Status.MERGED, stays.id
        session.flush()
    _renew_keys(session, stays, goes)
    audit(session, MERGED, goes, now, by, {**before, "moved": {name: keys for name, keys in moved.items() if keys}})
    session.flush()


def _refuse_unlike(stays: Resident, goes: Resident) -> None:
    if stays.id == goes.id or Status.MERGED in (stays.status, goes.status):
        raise CannotMerge("这份档案已经合并过了。")
    if stays.identity_hash and goes.identity_hash:
        raise CannotMerge("两份档案的身份证号不一样,不是同一个人,不能合并。号码填错了请先更正。")
    if stays.sex and goes.sex and stays.sex != goes.sex:
        raise CannotMerge("两份档案性别不一样,不能合并。填错了请先更正。")
    if stays.status not in VISITED or goes.status not in VISITED:
        raise CannotMerge("有一份档案登记为死亡或迁出,请先把状态改对,再合并。")


def _fill(session: Session, stays: Resident, goes: Resident) -> list[str]:
    """Take what is missing; returns which, so that it can be given back. The identity number's hash is unique."""
    filled = [name for name in _GAPS if getattr(stays, name) is None and getattr(goes, name) is not None]
    for name in filled:
        setattr(stays, name, getattr(goes, name))
    stays.groups = list(dict.fromkeys([*stays.groups, *goes.groups]))
    days = [day for day in (stays.registered_on, goes.registered_on) if day]
    stays.registered_on = min(days, default=None)
    if goes.identity_hash:
        taken, goes.identity_hash = goes.identity_hash, None
        session.flush()
        stays.identity_hash, stays.identity_sealed = taken, goes.identity_sealed
        filled.append("identity")
    return filled


def _fold_enrolments(session: Session, stays: Resident, goes: Resident) -> dict[str, Any]:
    """Of a programme that both are in: the enrolment that stays, before and after, by its id."""
    theirs = {e.programme: e for e in session.scalars(select(Enrolment).where(Enrolment.resident_id == goes.id))}
    folded: dict[str, Any] = {}
    for own in session.scalars(select(Enrolment).where(Enrolment.resident_id == stays.id)):
        other = theirs.get(own.programme)
        if other is None:
            continue
        before = _owed(own)
        later = max((own, other), key=lambda e: (e.ended_on is None, _last_visit(session, e)))  # its own, if alike
        since = min(own.since, other.since)
        for name in _OWED:
            setattr(own, name, getattr(later, name))
        own.since, own.details = since, {**other.details, **own.details}
        folded[str(own.id)] = [before, _owed(own)]
    session.flush()
    return folded


def _last_visit(session: Session, enrolment: Enrolment) -> date:
    query = select(Record.on).where(
        Record.resident_id == enrolment.resident_id,
        Record.programme == enrolment.programme,
        Record.status == "current",
    )
    return session.scalar(query.order_by(Record.on.desc()).limit(1)) or date.min


def _owed(enrolment: Enrolment) -> dict[str, Any]:
    values = {name: getattr(enrolment, name) for name in _OWED}
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


# --- taking apart ---


def restore(session: Session, goes: Resident, now: datetime, *, by: int | None) -> Resident:
    """Undo a merge: the rows that came go back, what was filled is emptied; returns the entry it was put under.

    What was recorded since stays where it is, and so does what was changed since.
    """
    entry = session.scalar(
        select(AuditEntry)
        .where(AuditEntry.action == MERGED, AuditEntry.subject == f"resident:{goes.id}")
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    stays = session.get(Resident, goes.merged_into_id) if goes.merged_into_id else None
    if entry is None or stays is None:
        raise CannotMerge("这份档案没有合并过,不用还原。")
    if stays.status == Status.MERGED:
        raise CannotMerge("留下的那份后来又合并了,请先还原那一次。")
    details = entry.details
    with counted(session, [stays.id, goes.id]):
        for column in _naming():
            keys = details["moved"].get(f"{column.table.name}.{column.name}", [])
            _move(session, column, stays.id, goes.id, only=keys)
        _unfill(session, stays, goes, details)
        for enrolment_id, (before, after) in details["folded"].items():
            enrolment = session.get(Enrolment, int(enrolment_id))
            if enrolment is not None and _owed(enrolment) == after:
                for name, value in before.items():
                    setattr(enrolment, name, _value(name, value))
        goes.status, goes.merged_into_id = details["status"], None
        session.flush()
    _renew_keys(session, stays, goes)
    audit(session, RESTORED, goes, now, by, {"from": stays.id})
    session.flush()
    return stays


def _unfill(session: Session, stays: Resident, goes: Resident, details: dict[str, Any]) -> None:
    filled = list(details["filled"])
    if "identity" in filled:
        filled.remove("identity")
        given_back, stays.identity_hash, stays.identity_sealed = stays.identity_hash, None, None
        session.flush()
        goes.identity_hash = given_back
    for name in filled:
        if getattr(stays, name) == getattr(goes, name):
            setattr(stays, name, None)
    stays.groups = details["groups"]
    stays.registered_on = _value("registered_on", details["registered_on"])


def _value(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if value and name.endswith(("_on", "since", "_from", "_until")) else value


def merged_since(session: Session, scope: Scope, since: datetime) -> Sequence[Resident]:
    """Entries put aside since then, the latest first: what may still be taken apart."""
    query = (
        select(Resident)
        .join(AuditEntry, AuditEntry.subject == "resident:" + cast(Resident.id, String))
        .where(AuditEntry.action == MERGED, AuditEntry.at >= since, Resident.status == Status.MERGED)
        .where(scope.covers(Resident.village_id))
        .order_by(AuditEntry.id.desc())
    )
    return session.scalars(query.limit(MOST_PAIRS)).unique().all()


# --- the rows that name a resident ---


def _naming() -> Iterator[Column[Any]]:
    """Every column of every table that names a resident, whoever wrote the table; keys for finding are made anew."""
    for table in metadata.sorted_tables:
        if table.name in ("residents", "resident_keys"):
            continue
        for column in table.columns:
            if any(key.column.table.name == "residents" for key in column.foreign_keys):
                yield column


def _move(
    session: Session, column: Column[Any], source: int, target: int, only: Sequence[Sequence[Any]] | None = None
) -> list[list[Any]]:
    """Let rows name another resident; returns their keys. A row that the other has already (one enrolment in each
    programme, one place on a list) stays where it is."""
    table: Table = column.table
    others = [key for key in table.primary_key.columns if key is not column]
    moved: list[list[Any]] = []
    for row in session.execute(select(table).where(column == source).order_by(*others)).mappings().all():
        key = [row[c.name] for c in others]
        if (only is not None and key not in only) or _taken(session, table, column, row, target):
            continue
        same = and_(column == source, *(c == value for c, value in zip(others, key, strict=True)))
        session.execute(update(table).where(same).values({column.name: target}))
        moved.append(key)
    for known in session:
        if getattr(known, "__table__", None) is table:
            session.expire(known)
    return moved


def _taken(session: Session, table: Table, column: Column[Any], row: Any, target: int) -> bool:
    """Would the row be a second one where there may be only one?"""
    unique = [list(c.columns) for c in table.constraints if isinstance(c, UniqueConstraint)]
    for columns in [*unique, list(table.primary_key.columns)]:
        if column in columns:
            rest = [c == row[c.name] for c in columns if c is not column]
            if session.execute(select(column).where(column == target, *rest).limit(1)).first():
                return True
    return False


def _renew_keys(session: Session, *residents: Resident) -> None:
    for resident in residents:
        session.refresh(resident)
        update_resident_keys(session, resident)
