"""Import of workers: 工号, 姓名, 角色, 机构编码 and, where known, 负责村, 电话, 企业微信账号, 协议到期, 培训截止. 人员导入"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import ROLE_WORDS, ChannelAccount, HealthWorker, Level, Organisation, Role
from models.roster_organisations import LEVEL_TITLES, Known
from models.roster_rows import (
    FIRST_LINE,
    Imported,
    Refusal,
    Row,
    Run,
    code,
    day,
    needed,
    numbered,
    one_of,
    person,
    phones,
    several,
    text,
)
from models.terms import TERMS

SEAT = {Role.TOWNSHIP: Level.TOWNSHIP, Role.COUNTY: Level.COUNTY}  # a supervisor sees what lies below their seat
PHONE_PLACE = "health_workers.phone"


def import_workers(
    session: Session, rows: Sequence[Row], *, now: datetime, by: int | None = None, first_line: int = FIRST_LINE
) -> Imported:
    """Take workers one by one; a 企业微信账号 is bound at once, because the county's WeCom vouches for who it is."""
    run = Run(session, "workers", now, by)
    places = {organisation.code: organisation for organisation in session.scalars(select(Organisation))}
    known = {worker.code: worker for worker in session.scalars(select(HealthWorker))}
    for line, row in numbered("workers", rows, first_line):
        try:
            _take(run, line, row, places, known)
        except Refusal as reason:
            run.result.refuse(line, row, reason)
    return run.finish()


def worker_phone(session: Session, worker: HealthWorker) -> str | None:
    """A worker's phone in clear."""
    if worker.phone_sealed is None:
        return None
    phone: str = session.info["keyring"].open(worker.phone_sealed, place=PHONE_PLACE)
    return phone


def _take(run: Run, line: int, row: Row, places: Known, known: dict[str, HealthWorker]) -> None:
    own = run.own_code(row, "工号", line)
    role = one_of(row, "角色", ROLE_WORDS)
    seat = _seat(row, role, places)
    columns: dict[str, tuple[str, Any]] = {
        "姓名": ("name", person(row, "姓名", 32)),
        "角色": ("role", role.value),
        "机构编码": ("organisation_id", seat.id),
        "负责村": ("villages", _villages(row, role, seat, places)),
    }
    phone, account = phones(row), text(row, "企业微信账号", 128)
    terms = {name: ends.isoformat() for name, kind in TERMS.items() if (ends := day(row, kind.column))}
    worker = known.get(own)
    bound = _bound(run.session, account, worker) if account else None
    is_new = worker is None
    if worker is None:
        worker = known[own] = HealthWorker(code=own, **dict(columns.values()))
        run.session.add(worker)
        run.session.flush()
    changes: dict[str, Any] = {}
    for column, (attribute, value) in columns.items():
        if (former := getattr(worker, attribute)) != value:
            setattr(worker, attribute, value)
            changes[column] = [former, value]
    if phone and phone != worker_phone(run.session, worker):
        worker.phone_sealed = run.session.info["keyring"].seal(phone, place=PHONE_PLACE)
        changes["电话"] = "改过"
    for name, until in terms.items():
        if (former := worker.settings.get(name)) != until:
            worker.settings = {**worker.settings, name: until}
            changes[TERMS[name].column] = [former, until]
    if account and bound is None:
        run.session.add(ChannelAccount(channel="wecom", account=account, worker_id=worker.id, bound_at=run.now))
        changes["企业微信账号"] = "绑定"
    if is_new:
        run.result.added += 1
    else:
        run.settle(f"worker:{worker.id}", changes)


def _seat(row: Row, role: Role, places: Known) -> Organisation:
    where = needed("机构编码", code(row, "机构编码"))
    seat = places.get(where)
    if seat is None:
        raise Refusal(f"没有编码为 {where} 的机构,请先导入机构,或核对机构编码")
    if role in SEAT and seat.level != SEAT[role]:
        word = text(row, "角色", 16)
        raise Refusal(f"{word}要属于一个“{LEVEL_TITLES[SEAT[role]]}”级机构,“{seat.name}”不是")
    return seat


def _villages(row: Row, role: Role, seat: Organisation, places: Known) -> list[int]:
    """Ids of a doctor's villages, in order. A doctor who belongs to a village and names none answers for that one."""
    if role is not Role.DOCTOR:
        return []
    named = several(row, "负责村")
    if not named and seat.level == Level.VILLAGE:
        return [seat.id]
    if not named:
        raise Refusal("负责村没有填;村医只能看到自己负责的村")
    return sorted({_village(word, seat, places).id for word in named})


def _village(word: str, seat: Organisation, places: Known) -> Organisation:
    """By code; or by name, where it names one village of the doctor's own township."""
    township = seat.ancestry()[:2][-1]
    found = [places[word]] if word in places else [p for p in places.values() if p.name == word]
    found = [p for p in found if p.level == Level.VILLAGE and (p.code == word or township in p.ancestry())]
    if len(found) != 1:
        raise Refusal(f"负责村“{word}”不是一个村的编码,请先导入这个村,或核对编码")
    return found[0]


def _bound(session: Session, account: str, worker: HealthWorker | None) -> ChannelAccount | None:
    query = select(ChannelAccount).where(ChannelAccount.channel == "wecom", ChannelAccount.account == account)
    bound = session.scalar(query)
    if bound is not None and (worker is None or bound.worker_id != worker.id):
        owner = session.get_one(HealthWorker, bound.worker_id)
        raise Refusal(f"企业微信账号“{account}”已经绑定给工号 {owner.code},请核对")
    return bound
