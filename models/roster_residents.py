"""Import of residents, some thousand rows at a time. 居民导入

Columns: 姓名, 村编码 and, where known, 性别, 出生日期, 身份证号, 电话, 组, 户主, 责任医生, 人群, 管理项目, 建档日期.

The same identity number is the same person; without one, the same name, village and birthday. A programme that comes
without any history is due on the day of the import: the bot does not invent when the last visit was. It counts from
建档日期, the only day the roster tells, or else from the day of the import.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.effects import counted, enrolment_effects, resident_effects
from models.enrolment import VISITED, Enrolment
from models.people import STATUS_TITLES, Resident, ResidentKey, Status
from models.registry import follow_to_village, key_rows, sealed, update_resident_keys
from models.roster_entry import Entry, places_of, read_entry, workers_of
from models.roster_rows import FIRST_LINE, Imported, Refusal, Row, Run, numbered
from models.tally import count, total

BATCH = 1000  # rows looked up and written at once


def import_residents(
    session: Session,
    rows: Sequence[Row],
    *,
    today: date,
    now: datetime,
    by: int | None = None,
    first_line: int = FIRST_LINE,
) -> Imported:
    """All rows in one transaction. For a county's roster, give ResidentImport the rows in portions and commit each."""
    importing = ResidentImport(today=today, now=now, by=by, line=first_line)
    for first in range(0, len(rows), BATCH):
        importing.take(session, rows[first : first + BATCH])
    return importing.result


class _Named(NamedTuple):
    """What is remembered of a row that was read: enough to notice that another row is about the same person."""

    line: int
    born_on: date | None
    numbered: bool


class ResidentImport:
    """Takes a roster in portions, each in the caller's transaction, and remembers whom the file has named already."""

    def __init__(self, *, today: date, now: datetime, by: int | None = None, line: int = FIRST_LINE) -> None:
        self.today, self.now, self.by = today, now, by
        self.line = line
        self.result = Imported()
        self._numbers: dict[str, int] = {}
        self._names: dict[tuple[int, str], list[_Named]] = defaultdict(list)
        self._matched: dict[int, int] = {}

    def take(self, session: Session, rows: Sequence[Row]) -> None:
        """Import the next rows of the file."""
        run = Run(session, "residents", self.now, self.by)
        entries = self._read(run, rows)
        known = _Known(session, entries)
        newcomers, others = [], []
        for entry in entries:
            try:
                resident = known.find(entry)
                if resident is not None and self._matched.setdefault(resident.id, entry.line) != entry.line:
                    raise Refusal(f"与第 {self._matched[resident.id]} 行是同一个人,这一行没有导入")
            except Refusal as reason:
                run.result.refuse(entry.line, entry.row, reason)
                continue
            if resident is None:
                newcomers.append(entry)
            else:
                others.append((entry, resident))
        self._add(run, newcomers)
        self._compare(run, others, known.programmes)
        done = run.finish()
        self.result.added += done.added
        self.result.changed += done.changed
        self.result.unchanged += done.unchanged
        self.result.refused += done.refused

    def _read(self, run: Run, rows: Sequence[Row]) -> list[Entry]:
        places, workers = places_of(run.session, rows), workers_of(run.session, rows)
        entries = []
        for line, row in numbered("residents", rows, self.line):
            try:
                entry = read_entry(run.session, line, row, places, workers, self.today)
                self._refuse_twice(entry)
                entries.append(entry)
            except Refusal as reason:
                run.result.refuse(line, row, reason)
        self.line += len(rows)
        return entries

    def _refuse_twice(self, entry: Entry) -> None:
        """Two rows for one person would undo each other at every import; two identity numbers are two people."""
        if entry.hash and self._numbers.setdefault(entry.hash, entry.line) != entry.line:
            raise Refusal(f"身份证号与第 {self._numbers[entry.hash]} 行相同,这一行没有导入")
        namesakes = self._names[entry.village_id, entry.name]
        for other in namesakes:
            if not (entry.hash and other.numbered) and (
                other.born_on == entry.born_on or not other.born_on or not entry.born_on
            ):
                if entry.born_on and other.born_on == entry.born_on:
                    raise Refusal(
                        f"与第 {other.line} 行同村、同名、同出生日期,多半写重了;真是两个人,请两行都填身份证号"
                    )
                raise Refusal(f"与第 {other.line} 行同村同名,分不清是不是同一个人,请两行都填上身份证号或出生日期")
        namesakes.append(_Named(entry.line, entry.born_on, bool(entry.hash)))

    def _add(self, run: Run, entries: Sequence[Entry]) -> None:
        """Newcomers by the thousand: rows, look-up keys, programmes and counters, without a query for each."""
        session = run.session
        keyring = session.info["keyring"]
        residents = [_new_resident(keyring, entry, self.now) for entry in entries]
        session.add_all(residents)
        session.flush()
        pairs = list(zip(entries, residents, strict=True))
        keys = [row for entry, resident in pairs for row in key_rows(keyring, resident, entry.identity)]
        if keys:
            session.execute(insert(ResidentKey), keys)
        enrolments = [
            self._enrolment(resident, programme, entry) for entry, resident in pairs for programme in entry.programmes
        ]
        session.add_all(enrolments)
        session.flush()
        count(session, total(resident_effects(resident) for resident in residents))
        count(session, total(enrolment_effects(enrolment) for enrolment in enrolments))
        run.result.added += len(residents)

    def _enrolment(self, resident: Resident, programme: str, entry: Entry) -> Enrolment:
        return Enrolment(
            resident_id=resident.id,
            village_id=resident.village_id,
            programme=programme,
            since=min(entry.registered_on or self.today, self.today),
            next_due_on=self.today,
            urgency="routine",
        )

    def _compare(self, run: Run, pairs: Sequence[tuple[Entry, Resident]], programmes: Mapping[int, set[str]]) -> None:
        """Write what differs. The counters move by the difference of all changed residents, worked out once."""
        differing = []
        for entry, resident in pairs:
            changes = _differences(entry, resident)
            if more := [p for p in entry.programmes if p not in programmes[resident.id]]:
                changes["管理项目"] = more
            if changes:
                differing.append((entry, resident, changes))
            else:
                run.result.unchanged += 1
        if not differing:
            return
        with counted(run.session, [resident.id for _, resident, _ in differing]):
            for entry, resident, changes in differing:
                self._change(run, entry, resident, changes)
            run.session.flush()

    def _change(self, run: Run, entry: Entry, resident: Resident, changes: dict[str, Any]) -> None:
        session, moved = run.session, entry.village_id != resident.village_id
        for column, (attribute, value) in entry.plain().items():
            if column in changes:
                setattr(resident, attribute, value)
        if resident.registered_on and not resident.registered_at:
            resident.registered_at = self.now
        columns = sealed(session.info["keyring"], entry.identity, entry.phone)
        for column, names in (("身份证号", ("identity_sealed", "identity_hash")), ("电话", ("phone_sealed",))):
            if column in changes:
                for name in names:
                    setattr(resident, name, columns[name])
        if moved:
            follow_to_village(session, resident.id, entry.village_id)
        for programme in changes.get("管理项目", ()):
            session.add(self._enrolment(resident, programme, entry))
        session.flush()
        if not {"村编码", "户主", "身份证号"}.isdisjoint(changes):
            update_resident_keys(session, resident)
        run.settle(f"resident:{resident.id}", changes)


class _Known:
    """The residents whom a portion of rows may be about."""

    def __init__(self, session: Session, entries: Sequence[Entry]) -> None:
        hashes = [entry.hash for entry in entries if entry.hash]
        by_hash = session.scalars(select(Resident).where(Resident.identity_hash.in_(hashes))).all()
        self.by_hash = {resident.identity_hash: resident for resident in by_hash}
        self.namesakes: dict[tuple[int, str], list[Resident]] = defaultdict(list)
        unknown = [entry for entry in entries if entry.hash not in self.by_hash]
        query = select(Resident).where(
            Resident.village_id.in_({entry.village_id for entry in unknown}),
            Resident.name.in_({entry.name for entry in unknown}),
            Resident.status != Status.MERGED,
        )
        for resident in session.scalars(query):
            self.namesakes[resident.village_id, resident.name].append(resident)
        ids = [r.id for r in by_hash] + [r.id for rs in self.namesakes.values() for r in rs]
        self.programmes: dict[int, set[str]] = defaultdict(set)
        enrolled = select(Enrolment.resident_id, Enrolment.programme).where(Enrolment.resident_id.in_(ids))
        for resident_id, programme in session.execute(enrolled):
            self.programmes[resident_id].add(programme)

    def find(self, entry: Entry) -> Resident | None:
        """Who this row is about; None for somebody new. Refuses what only a person can decide."""
        resident = self.by_hash.get(entry.hash) or self._namesake(entry)
        if resident is None:
            return None
        if resident.name != entry.name:
            raise Refusal(f"这个身份证号已登记为“{resident.name}”,姓名不一致,请核对后改正其中一处")
        if Status(resident.status) not in VISITED:
            since = f"({resident.status_on})" if resident.status_on else ""
            word = STATUS_TITLES[Status(resident.status)]
            raise Refusal(f"系统里已登记为{word}{since};如果有误,请先在系统里更正,再导入")
        return resident

    def _namesake(self, entry: Entry) -> Resident | None:
        """Same village and name, and nothing that speaks against it; the likest first."""
        same = [r for r in self.namesakes[entry.village_id, entry.name] if not (entry.hash and r.identity_hash)]
        if entry.born_on:
            same = [r for r in same if r.born_on in (None, entry.born_on)]
        likest = [r for r in same if r.born_on == entry.born_on and bool(r.identity_hash) == bool(entry.hash)]
        if len(likest or same) > 1:
            raise Refusal(f"村里登记了 {len(same)} 位同名的人,分不清是哪一位,请填上身份证号和出生日期")
        return next(iter(likest or same), None)


def _differences(entry: Entry, resident: Resident) -> dict[str, Any]:
    """Columns in which the roster says something else than the register. What it leaves blank stays as it is."""
    changes: dict[str, Any] = {
        column: "改过"
        for column, (attribute, value) in entry.plain().items()
        if value and value != getattr(resident, attribute)
    }
    if "村编码" in changes:
        changes["村编码"] = [resident.village_id, entry.village_id]
    if entry.hash and entry.hash != resident.identity_hash:
        changes["身份证号"] = "补上"
    if entry.phone and entry.phone != resident.phone():
        changes["电话"] = "改过"
    return changes


def _new_resident(keyring: Any, entry: Entry, now: datetime) -> Resident:
    attributes = dict(entry.plain().values())
    return Resident(
        name=entry.name,
        status=Status.ACTIVE,
        registered_at=now if entry.registered_on else None,
        **attributes,
        **sealed(keyring, entry.identity, entry.phone),
    )
