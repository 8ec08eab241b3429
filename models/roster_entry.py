"""Reading one row of a residents' roster: what it says of whom, or why it cannot be taken."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.identity import NotAnIdentity, check_identity
from models.people import SEX_TITLES, HealthWorker, Level, Organisation
from models.registry import identity_hash
from models.roster_rows import Refusal, Row, code, day, needed, person, phones, several, text
from models.services import PROGRAMMES

SEXES = {word: code for code, word in SEX_TITLES.items()}
PROGRAMME_CODES = {word: code for code, word in PROGRAMMES.items()}
Places = Mapping[str, Organisation]
Workers = Mapping[str, Sequence[HealthWorker]]


@dataclass(slots=True)
class Entry:
    """One row, read: what the roster says of a resident. None and empty mean that it says nothing."""

    line: int
    row: Row
    name: str
    sex: str | None
    born_on: date | None
    identity: str | None
    phone: str | None
    village_id: int
    village_group: str | None
    householder: str | None
    worker_id: int | None
    groups: list[str]
    programmes: list[str]
    registered_on: date | None
    hash: str | None

    def plain(self) -> dict[str, tuple[str, Any]]:
        """Column -> attribute and value, of what is simply written over when it differs."""
        return {
            "性别": ("sex", self.sex),
            "出生日期": ("born_on", self.born_on),
            "村编码": ("village_id", self.village_id),
            "组": ("village_group", self.village_group),
            "户主": ("householder", self.householder),
            "责任医生": ("worker_id", self.worker_id),
            "人群": ("groups", self.groups),
            "建档日期": ("registered_on", self.registered_on),
        }


def places_of(session: Session, rows: Sequence[Row]) -> Places:
    codes = {code(row, "村编码") for row in rows}
    return {place.code: place for place in session.scalars(select(Organisation).where(Organisation.code.in_(codes)))}


def workers_of(session: Session, rows: Sequence[Row]) -> Workers:
    """Workers under their code and under their name."""
    words = {text(row, "责任医生", sys.maxsize) for row in rows}
    found: dict[str, list[HealthWorker]] = defaultdict(list)
    query = select(HealthWorker).where(HealthWorker.code.in_(words) | HealthWorker.name.in_(words))
    for worker in session.scalars(query):
        found[worker.code].append(worker)
        found[worker.name].append(worker)
    return found


def read_entry(session: Session, line: int, row: Row, places: Places, workers: Workers, today: date) -> Entry:
    name = person(row, "姓名")
    identity, sex, born_on = _who(row, today)
    village_id, village_group = _where(row, places)
    return Entry(
        line=line,
        row=row,
        name=name,
        sex=sex,
        born_on=born_on,
        identity=identity,
        hash=identity_hash(session.info["keyring"], identity) if identity else None,
        phone=phones(row),
        village_id=village_id,
        village_group=village_group,
        householder=text(row, "户主", 64) or None,
        worker_id=_worker(row, workers),
        groups=several(row, "人群"),
        programmes=_programmes(row),
        registered_on=_past("建档日期", day(row, "建档日期"), today),
    )


def _who(row: Row, today: date) -> tuple[str | None, str | None, date | None]:
    """Identity number, sex and birthday; what the number says and what the columns say must agree."""
    word, written, born_on = text(row, "性别", 8), code(row, "身份证号"), day(row, "出生日期")
    sex = SEXES.get(word.removesuffix("性"))
    if word and sex is None:
        raise Refusal(f"性别“{word}”不认识,请填:男、女")
    if not written:
        return None, sex, _past("出生日期", born_on, today)
    if "E+" in written.upper():
        raise Refusal("身份证号被表格软件改成了数字,末几位已经丢了;请把这一列设为“文本”后重新填写")
    try:
        identity = check_identity(written, today)
    except NotAnIdentity as reason:
        raise Refusal(str(reason)) from None
    if born_on not in (None, identity.born_on):
        raise Refusal(f"出生日期 {born_on} 与身份证号里的 {identity.born_on} 不一致,请核对")
    if sex not in (None, identity.sex):
        raise Refusal(f"性别“{word}”与身份证号不一致,请核对")
    return identity.number, identity.sex, identity.born_on


def _past(column: str, on: date | None, today: date) -> date | None:
    if (on is not None and not 1900 <= on.year <= today.year) or (on is not None and on > today):
        raise Refusal(f"{column} {on} 不对:要在 1900 年以后、今天以前")
    return on


def _where(row: Row, places: Places) -> tuple[int, str | None]:
    """The village, and the group within it: named in 组, or by giving a group's own code as 村编码."""
    where = needed("村编码", code(row, "村编码"))
    place = places.get(where)
    if place is not None and place.level == Level.GROUP and place.parent_id is not None:
        return place.parent_id, place.name
    if place is None or place.level != Level.VILLAGE:
        raise Refusal(f"没有编码为 {where} 的村,请先导入机构,或核对村编码")
    return place.id, text(row, "组", 32) or None


def _worker(row: Row, workers: Workers) -> int | None:
    word = text(row, "责任医生", 100)
    if not word:
        return None
    found = workers.get(word, ())
    if len({worker.id for worker in found}) != 1:
        few = "有几位同名的,请填工号" if found else "没有这位工作人员,请先导入人员,或填工号"
        raise Refusal(f"责任医生“{word}”:{few}")
    return found[0].id


def _programmes(row: Row) -> list[str]:
    words = several(row, "管理项目")
    unknown = [word for word in words if word not in PROGRAMME_CODES and word not in PROGRAMMES]
    if unknown:
        raise Refusal(f"管理项目“{'、'.join(unknown)}”不认识,可以填:{'、'.join(PROGRAMME_CODES)}")
    return list(dict.fromkeys(PROGRAMME_CODES.get(word, word) for word in words))
