"""Import of organisations: 编码, 名称, 上级编码, 级别 and, where the county gives it, 常住人口. 机构导入"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.outbox import insert_for
from models.people import LEVEL_WORDS, Level, Organisation
from models.roster_rows import FIRST_LINE, Imported, Refusal, Row, Run, code, needed, numbered, one_of, text
from models.tally import KEY, Tally, settle

RUNGS = tuple(Level)  # from the top down
LEVEL_TITLES = {level: word for word, level in LEVEL_WORDS.items()}
Known = dict[str, Organisation]


def import_organisations(
    session: Session, rows: Sequence[Row], *, now: datetime, by: int | None = None, first_line: int = FIRST_LINE
) -> Imported:
    """Take the rows whose parent is known, again and again, so that children may stand above their parents."""
    run = Run(session, "organisations", now, by)
    known = {organisation.code: organisation for organisation in session.scalars(select(Organisation))}
    waiting = list(numbered("organisations", rows, first_line))
    while waiting:
        ready = [(line, row) for line, row in waiting if code(row, "上级编码") in known or not code(row, "上级编码")]
        if not ready:
            for line, row in waiting:
                above = code(row, "上级编码")
                run.result.refuse(line, row, f"没有编码为 {above} 的上级机构,请先导入上级,或核对上级编码")
            break
        for line, row in ready:
            try:
                _take(run, line, row, known)
            except Refusal as reason:
                run.result.refuse(line, row, reason)
        taken = {line for line, _ in ready}
        waiting = [(line, row) for line, row in waiting if line not in taken]
    return run.finish()


def _take(run: Run, line: int, row: Row, known: Known) -> None:
    own = run.own_code(row, "编码", line)
    name, level = needed("名称", text(row, "名称", 64)), one_of(row, "级别", LEVEL_WORDS)
    parent, population = _parent(row, level, known), _population(row)
    organisation = known.get(own)
    if organisation is None:
        known[own] = _add(run.session, Organisation(code=own, name=name, level=level, population=population), parent)
        run.result.added += 1
        return
    if organisation.level != level:
        raise Refusal(f"编码 {own} 已登记为“{LEVEL_TITLES[Level(organisation.level)]}”,级别不能改;新机构请用新编码")
    changes: dict[str, Any] = {}
    if parent is not None and parent.id != organisation.parent_id:
        changes["上级编码"] = [organisation.parent_id, parent.id]
        _hang_under(run.session, organisation, parent)
    if name != organisation.name:
        changes["名称"], organisation.name = [organisation.name, name], name
    if population not in (None, organisation.population):
        changes["常住人口"], organisation.population = [organisation.population, population], population
    run.settle(f"organisation:{organisation.id}", changes)


def _add(session: Session, organisation: Organisation, parent: Organisation | None) -> Organisation:
    organisation.parent_id = parent.id if parent else None
    organisation.path = ""
    session.add(organisation)
    session.flush()
    organisation.path = f"{parent.path if parent else '/'}{organisation.id}/"
    return organisation


def _parent(row: Row, level: Level, known: Known) -> Organisation | None:
    above = code(row, "上级编码")
    if not above:
        if level is not Level.COUNTY:
            raise Refusal("上级编码没有填;只有县一级可以没有上级")
        return None
    parent = known[above]
    if RUNGS.index(Level(parent.level)) >= RUNGS.index(level):
        rung = LEVEL_TITLES[Level(parent.level)]
        raise Refusal(f"上级“{parent.name}”的级别是“{rung}”,不能做“{LEVEL_TITLES[level]}”的上级")
    return parent


def _population(row: Row) -> int | None:
    number = code(row, "常住人口").replace(",", "").removesuffix("人")
    if number and (not number.isdecimal() or len(number) > 9):
        raise Refusal(f"常住人口“{number}”不是整数,请只填数字,例如 1860")
    return int(number) if number else None


def _hang_under(session: Session, organisation: Organisation, parent: Organisation) -> None:
    """Give an organisation another parent (townships are merged): its paths and counters move along."""
    was_above = set(organisation.ancestry()[:-1])
    _carry_counters(session, organisation, was_above - set(parent.ancestry()), set(parent.ancestry()) - was_above)
    old, new = organisation.path, f"{parent.path}{organisation.id}/"
    for below in session.scalars(select(Organisation).where(Organisation.path.between(old, old + "~"))):
        below.path = new + below.path.removeprefix(old)
    organisation.parent_id = parent.id
    session.flush()


def _carry_counters(session: Session, organisation: Organisation, left: set[int], entered: set[int]) -> None:
    settle(session)  # what was counted but not yet written would be missed
    counted = select(Tally.grain, Tally.measure, Tally.starts_on, Tally.value)
    own = session.execute(counted.where(Tally.organisation_id == organisation.id)).all()
    shares = [
        {"organisation_id": above, "grain": grain, "measure": measure, "starts_on": starts_on, "value": sign * value}
        for sign, places in ((-1, left), (1, entered))
        for above in sorted(places)
        for grain, measure, starts_on, value in own
    ]
    if not shares:
        return
    upsert = insert_for(session.get_bind().dialect)(Tally)
    added = {"value": Tally.value + upsert.excluded.value}
    session.execute(upsert.on_conflict_do_update(index_elements=KEY, set_=added), shares)
