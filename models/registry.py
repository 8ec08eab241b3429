"""Use cases on residents: into the register, out of it, into a programme, out of it. 建档、状态、纳管

Functions of (session, …, now); none reads the clock, none commits. Each keeps the look-up keys and counters right.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, TypedDict, Unpack

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.base import Base
from models.effects import counted, resident_effects
from models.enrolment import VISITED, Enrolment
from models.names import fuzzy_pinyin, initials, pinyin_keys
from models.people import STATUS_TITLES, Resident, ResidentKey, Status
from models.record import AuditEntry, Referral
from models.secrets import Keyring
from models.services import FIRST_SERVICE
from models.tally import count

KEY_LENGTH = 80  # of ResidentKey.key; only a very long transliterated name is ever cut


class AlreadyRegistered(Exception):
    """这个身份证号已经登记过了。同一个身份证号就是同一个人,请查找原来的档案,不用重新建档。"""

    def __init__(self, resident: Resident) -> None:
        super().__init__(self.__doc__)
        self.resident = resident


# --- into the register ---


class Particulars(TypedDict):
    """What is told of a resident. `identity` and `phone` are in clear here and nowhere else."""

    name: str
    sex: str | None
    born_on: date | None
    identity: str | None
    phone: str | None
    village_id: int
    village_group: str | None
    householder: str | None
    worker_id: int | None
    groups: Sequence[str]
    registered_on: date | None


def register_resident(
    session: Session, *, now: datetime, by: int | None = None, **told: Unpack[Particulars]
) -> Resident:
    """Put a resident on the register; `by` is the worker who does it. The same identity number is the same person."""
    resident = Resident(
        **_plain(told),
        status=Status.ACTIVE,
        registered_at=now if told["registered_on"] else None,
        **sealed(session.info["keyring"], told["identity"], told["phone"]),
    )
    _add_unless_known(session, resident)
    update_resident_keys(session, resident)
    count(session, resident_effects(resident))
    audit(session, "resident.registered", resident, now, by)
    return resident


def correct_resident(
    session: Session, resident: Resident, *, now: datetime, by: int | None = None, **told: Unpack[Particulars]
) -> Resident:
    """Put an entry right. An identity number or phone that is not told again stays as it was."""
    hidden = sealed(session.info["keyring"], told["identity"], told["phone"])
    columns = {**_plain(told), **{name: value for name, value in hidden.items() if value}}
    if hash_ := hidden["identity_hash"]:
        same = select(Resident).where(Resident.identity_hash == hash_, Resident.id != resident.id)
        if known := session.scalar(same):
            raise AlreadyRegistered(known)
    with counted(session, [resident.id]):
        for column, value in columns.items():
            setattr(resident, column, value)
        follow_to_village(session, resident.id, told["village_id"])
    update_resident_keys(session, resident)
    audit(session, "resident.corrected", resident, now, by)
    return resident


def rename_resident(session: Session, resident: Resident, name: str, now: datetime, *, by: int | None = None) -> None:
    """Give a resident another name: a newborn has its own now."""
    resident.name = name.strip()
    session.flush()
    update_resident_keys(session, resident)
    audit(session, "resident.renamed", resident, now, by)


def _plain(told: Particulars) -> dict[str, Any]:
    """The columns that are not sealed."""
    plain = {name: value for name, value in told.items() if name not in ("identity", "phone")}
    return {**plain, "name": told["name"].strip(), "groups": list(told["groups"])}


def unregister(session: Session, resident: Resident, on: date, now: datetime, *, by: int | None = None) -> None:
    """Take back a registration made by mistake: the entry goes, unless something else was done for the resident since."""
    audit(session, "resident.unregistered", resident, now, by)
    if _is_referred_to(session, resident.id):
        with counted(session, [resident.id]):
            resident.registered_on = None
        set_status(session, resident, Status.MOVED, on, "registration withdrawn", now, by=by)
        return
    with counted(session, [resident.id]):
        session.execute(delete(ResidentKey).where(ResidentKey.resident_id == resident.id))
        session.execute(delete(Enrolment).where(Enrolment.resident_id == resident.id))
        session.delete(resident)


def _is_referred_to(session: Session, resident_id: int) -> bool:
    """Does any row besides keys and enrolments still name the resident?"""
    own = (ResidentKey.__table__, Enrolment.__table__)
    naming = [
        column
        for table in Base.metadata.tables.values()
        for column in table.columns
        if table not in own and any(key.column.table is Resident.__table__ for key in column.foreign_keys)
    ]
    return any(session.execute(select(column).where(column == resident_id).limit(1)).first() for column in naming)


def sealed(keyring: Keyring, identity: str | None, phone: str | None) -> dict[str, Any]:
    """The sensitive columns of a resident: encrypted, and the hash that finds the identity number again."""
    columns: dict[str, Any] = {"identity_sealed": None, "identity_hash": None, "phone_sealed": None}
    if identity:
        columns["identity_sealed"] = keyring.seal(identity.upper(), place="residents.identity")
        columns["identity_hash"] = identity_hash(keyring, identity)
    if phone:
        columns["phone_sealed"] = keyring.seal(phone, place="residents.phone")
    return columns


def identity_hash(keyring: Keyring, identity: str) -> str:
    return keyring.lookup(identity.upper(), place="residents.identity")


def with_identity(session: Session, identity: str) -> Resident | None:
    """Who bears an identity number."""
    number = identity_hash(session.info["keyring"], identity)
    return session.scalar(select(Resident).where(Resident.identity_hash == number))


def _add_unless_known(session: Session, resident: Resident) -> None:
    """Two doctors may register the same person at the same moment: the unique hash decides, not the look before."""
    if resident.identity_hash is None:
        session.add(resident)
        session.flush()
        return
    same = select(Resident).where(Resident.identity_hash == resident.identity_hash)
    if known := session.scalar(same):
        raise AlreadyRegistered(known)
    try:
        with session.begin_nested():
            session.add(resident)
    except IntegrityError:
        known = session.scalar(same)
        if known is None:
            raise
        raise AlreadyRegistered(known) from None


def possible_duplicates(session: Session, name: str, born_on: date | None, village_id: int) -> Sequence[Resident]:
    """Same name and village, and no two different birthdays: perhaps the same person, so the doctor is asked."""
    query = select(Resident).where(
        Resident.village_id == village_id, Resident.name == name.strip(), Resident.status != Status.MERGED
    )
    if born_on is not None:
        query = query.where(or_(Resident.born_on == born_on, Resident.born_on.is_(None)))
    return session.scalars(query.order_by(Resident.id)).all()


# --- how a resident is found ---


def update_resident_keys(session: Session, resident: Resident) -> None:
    """Write the keys under which a resident is found; call it after a change of name, number, household or village."""
    keys = keys_for(session.info["keyring"], resident.name, resident.identity_number(), resident.householder)
    wanted = {(resident.village_id, key) for key in keys} if resident.status != Status.MERGED else set()
    rows = select(ResidentKey.village_id, ResidentKey.key).where(ResidentKey.resident_id == resident.id)
    present = {(village_id, key) for village_id, key in session.execute(rows)}
    for village_id, key in present - wanted:
        session.execute(
            delete(ResidentKey).where(
                ResidentKey.resident_id == resident.id, ResidentKey.village_id == village_id, ResidentKey.key == key
            )
        )
    if new := sorted(wanted - present):
        session.execute(insert(ResidentKey), [_key_row(resident.id, *place) for place in new])


def key_rows(keyring: Keyring, resident: Resident, identity: str | None) -> list[dict[str, Any]]:
    """The same keys as rows, for a resident just inserted by thousands."""
    keys = keys_for(keyring, resident.name, identity, resident.householder)
    return [_key_row(resident.id, resident.village_id, key) for key in sorted(keys)]


def keys_for(keyring: Keyring, name: str, identity: str | None, householder: str | None) -> set[str]:
    """Every way to find one resident; the prefixes are explained at ResidentKey."""
    keys = set(name_keys(name))
    if identity:
        keys.add("d:" + last_four(keyring, identity))
    if householder:
        keys.add(f"h:{householder}"[:KEY_LENGTH])
    return keys


@lru_cache(maxsize=65536)
def name_keys(name: str) -> frozenset[str]:
    """The name itself, all its readings, these as a southern ear merges them, and its initials."""
    spoken = pinyin_keys(name)
    keys = {f"n:{name}", *(f"p:{p}" for p in spoken), *(f"f:{fuzzy_pinyin(p)}" for p in spoken)}
    keys |= {f"i:{letters}" for letters in initials(name)}
    return frozenset(key[:KEY_LENGTH] for key in keys)


def last_four(keyring: Keyring, identity: str) -> str:
    """Under what the last four of an identity number are found."""
    return keyring.lookup(identity[-4:].upper(), place="residents.identity_last4")


def _key_row(resident_id: int, village_id: int, key: str) -> dict[str, Any]:
    return {"resident_id": resident_id, "village_id": village_id, "key": key}


# --- what becomes of a resident ---


def set_status(
    session: Session,
    resident: Resident,
    status: Status,
    on: date,
    reason: str,
    now: datetime,
    *,
    by: int | None = None,
) -> None:
    """Say that a resident is here, away, moved or dead, and stop what must stop.

    1. Moved or died: open programmes end that day, and nobody is asked any more whether a referral arrived.
    2. Absent: nothing ends; visits stay due and are shown as 外出.
    3. Active again: what ended because of the former status goes on where it stopped, so that a mistaken report of a
       death can be undone. Closed referrals stay closed.
    """
    before, before_on = Status(resident.status), resident.status_on
    with counted(session, [resident.id]):
        if before not in VISITED and before_on is not None:
            _resume(session, resident, before, before_on)
        resident.status, resident.status_on = status, on
        if status not in VISITED:
            _stop(session, resident, STATUS_TITLES[status], on, now)
    details = {"from": before.value, "to": status.value, "on": on.isoformat(), "reason": reason}
    audit(session, "resident.status", resident, now, by, details)


def _stop(session: Session, resident: Resident, why: str, on: date, now: datetime) -> None:
    for enrolment in _enrolments(session, resident):
        if enrolment.ended_on is None:
            enrolment.ended_on, enrolment.end_reason = on, why
    still_asked = (Referral.resident_id == resident.id) & Referral.closed_at.is_(None)
    session.execute(update(Referral).where(still_asked).values(closed_at=now, close_reason=why))


def _resume(session: Session, resident: Resident, before: Status, ended_on: date) -> None:
    for enrolment in _enrolments(session, resident):
        if (enrolment.ended_on, enrolment.end_reason) == (ended_on, STATUS_TITLES[before]):
            enrolment.ended_on = enrolment.end_reason = None


def follow_to_village(session: Session, resident_id: int, village_id: int) -> None:
    """What is still to be done for a resident is done where they live now."""
    session.execute(update(Enrolment).where(Enrolment.resident_id == resident_id).values(village_id=village_id))
    still_asked = (Referral.resident_id == resident_id) & Referral.closed_at.is_(None)
    session.execute(update(Referral).where(still_asked).values(village_id=village_id))


# --- programmes ---


def enrol(session: Session, resident: Resident, programme: str, since: date, next_due_on: date | None) -> Enrolment:
    """Take a resident into a programme. Whoever is in it stays as they are; whoever had left it comes back.

    A programme that begins with a service of its own begins with it again, and remembers nothing of before.
    """
    first = FIRST_SERVICE.get(programme)
    query = select(Enrolment).where(Enrolment.resident_id == resident.id, Enrolment.programme == programme)
    enrolment = session.scalar(query)
    if enrolment is None:
        with counted(session, [resident.id]):  # not by hand: visits of the same year may count from now on
            enrolment = Enrolment(
                resident_id=resident.id,
                village_id=resident.village_id,
                programme=programme,
                since=since,
                next_due_on=next_due_on,
                next_service=first,
                details={},
                urgency="routine",
            )
            session.add(enrolment)
    elif enrolment.ended_on is not None:
        with counted(session, [resident.id]):
            enrolment.since, enrolment.next_due_on = since, next_due_on
            enrolment.ended_on = enrolment.end_reason = enrolment.snoozed_until = None
            if first is not None:
                enrolment.next_service, enrolment.details, enrolment.urgency = first, {}, "routine"
    return enrolment


def _enrolments(session: Session, resident: Resident) -> Iterable[Enrolment]:
    return session.scalars(select(Enrolment).where(Enrolment.resident_id == resident.id))


def audit(
    session: Session,
    action: str,
    resident: Resident,
    now: datetime,
    by: int | None,
    details: dict[str, Any] | None = None,
) -> None:
    """Who did what to a resident's entry. Details carry codes and days, never a name or number."""
    subject = f"resident:{resident.id}"
    session.add(AuditEntry(at=now, worker_id=by, action=action, subject=subject, details=details or {}))
