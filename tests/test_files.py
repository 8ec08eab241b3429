"""Tables in and out, a county from nothing, and the copy that must hold when the machine is gone."""

from __future__ import annotations

import csv
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from sqlalchemy import func, select

from bot.backup import RestoreRefused, backup, restore
from bot.exports import COLUMNS, WRITERS, export
from bot.files import UnreadableFile, import_file, read_sheet, rejected_file
from models import migrate
from models.base import Store
from models.enrolment import Enrolment
from models.everything import metadata
from models.message import OutgoingMessage
from models.outbox import say
from models.people import HealthWorker, Organisation, Resident, ResidentKey, Role
from models.record import Agreement, AuditEntry, Record
from models.recount import recount
from models.registry import register_resident
from models.roster import MissingColumns
from models.secrets import Keyring, WrongSecretKey
from models.seed import NotEmpty, seed
from models.seed_people import cast
from models.trouble import Trouble
from tests.databases import BACKENDS, empty_store, fresh_store

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
VILLAGE = (
    "编码,名称,上级编码,级别\n431281,洪江示例市,,县\n431281100,托口镇,431281,乡镇\n431281100201,石桥村,431281100,村\n"
)
RESIDENTS = [
    ["2026年居民花名册", "", "", "", ""],
    ["姓名", "身份证号", "出生日期", "村编码", "管理项目"],
    ["张桂兰", "431281198906154521", "1989-06-15", "431281100201", "高血压"],
    ["", "", "", "", ""],
    ["王建国", "", "1955-09-09", "431281100201", "糖尿病"],
    ["刘志强", "431281198906154522", "", "431281100201", "高血压"],
]


def with_village(store: Store, folder: Path) -> None:
    file = folder / "organisations.csv"
    file.write_text(VILLAGE, encoding="utf-8")
    assert import_file(store, "organisations", file, now=NOW, today=TODAY).added == 3


def write_xlsx(file: Path, rows: list[list[Any]]) -> Path:
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        as_day = book.add_format({"num_format": "yyyy-mm-dd"})
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(i, j, cell, as_day)
                else:
                    sheet.write(i, j, cell)
    return file


def write_csv(file: Path, rows: list[list[str]], encoding: str, separator: str = ",") -> Path:
    with file.open("w", encoding=encoding, newline="") as text:
        csv.writer(text, delimiter=separator).writerows(rows)
    return file


# --- reading ---


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("utf8.csv", lambda file: write_csv(file, RESIDENTS, "utf-8")),
        ("excel.csv", lambda file: write_csv(file, RESIDENTS, "utf-8-sig")),
        ("old.csv", lambda file: write_csv(file, RESIDENTS, "gb18030")),
        ("tabs.csv", lambda file: write_csv(file, RESIDENTS, "gb18030", "\t")),
        ("book.xlsx", lambda file: write_xlsx(file, [list[Any](row) for row in RESIDENTS])),
    ],
)
def test_a_roster_in_every_form(tmp_path: Path, name: str, write: Any) -> None:
    with fresh_store() as store:
        with_village(store, tmp_path)
        file = write(tmp_path / name)
        first = import_file(store, "residents", file, now=NOW, today=TODAY)
        assert (first.added, first.changed, first.unchanged) == (2, 0, 0)
        assert [(refused.line, refused.row["姓名"]) for refused in first.refused] == [(6, "刘志强")]
        again = import_file(store, "residents", file, now=NOW, today=TODAY)
        assert (again.added, again.changed, again.unchanged, len(again.refused)) == (0, 0, 2, 1)


def test_refused_rows_come_back_to_be_put_right(tmp_path: Path) -> None:
    with fresh_store() as store:
        with_village(store, tmp_path)
        file = write_csv(tmp_path / "residents.csv", RESIDENTS, "utf-8")
        import_file(store, "residents", file, now=NOW, today=TODAY)
        beside = rejected_file(file)
        assert beside.name == "residents.csv.rejected.xlsx"
        sheet = read_sheet(beside)
        (row,) = sheet.rows
        assert sheet.columns == (*RESIDENTS[1], "行号", "原因")
        assert (row["身份证号"], row["行号"]) == ("431281198906154522", "6") and "校验位" in row["原因"]
        row["身份证号"] = ""
        put_right = write_xlsx(tmp_path / "right.xlsx", [list(row), list(row.values())])
        assert import_file(store, "residents", put_right, now=NOW, today=TODAY).added == 1
        import_file(store, "residents", write_csv(file, RESIDENTS[:3], "utf-8"), now=NOW, today=TODAY)
        assert not beside.exists()  # nothing was refused this time


def test_cells_of_a_workbook(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [],
        ["姓名", " 出生 日期", "建档日期", "电话", "身份证号", "在家", "姓名"],
        ["王建国", 20341, date(2019, 5, 20), 13812345678, 431281198906154521, True, "重复的列"],
    ]
    sheet = read_sheet(write_xlsx(tmp_path / "book.xlsx", rows))
    (row,) = sheet.rows
    assert sheet.first_line == 3
    assert row == {
        "姓名": "王建国",
        "出生日期": "20341",
        "建档日期": "2019-05-20",
        "电话": "13812345678",
        "身份证号": "4.31281198906154E+17",  # its last digits are gone; written so that nobody trusts it
        "在家": "是",
    }


def test_a_dry_run_changes_nothing(tmp_path: Path) -> None:
    with fresh_store() as store:
        with_village(store, tmp_path)
        file = write_csv(tmp_path / "residents.csv", RESIDENTS, "utf-8")
        result = import_file(store, "residents", file, now=NOW, today=TODAY, dry_run=True)
        assert (result.added, len(result.refused)) == (2, 1) and rejected_file(file).exists()
        with store.read() as session:
            assert session.scalar(select(func.count()).select_from(Resident)) == 0


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        ("nobody.csv", None, UnreadableFile, "找不到文件"),
        ("photo.png", b"\x89PNG", UnreadableFile, "不是表格"),
        ("broken.xlsx", b"PK not a workbook", UnreadableFile, "打不开"),
        ("empty.csv", b"", UnreadableFile, "没有找到列名"),
        ("other.csv", "姓名,年龄\n张桂兰,67\n".encode(), MissingColumns, "缺少必需的列:村编码"),
        ("heading.csv", "姓名,年龄\n".encode(), MissingColumns, "缺少必需的列:村编码"),
    ],
)
def test_what_cannot_be_imported(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception], said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with fresh_store() as store, pytest.raises(error, match=said):
        import_file(store, "residents", file, now=NOW, today=TODAY)


# --- the synthetic county ---


def seeded(store: Store, residents: int = 300, doctors: int = 4, number: int = 1) -> None:
    with store.write() as session:
        seed(session, TODAY, NOW, residents=residents, doctors=doctors, seed=number)
        session.commit()


def picture(store: Store) -> list[Any]:
    """What two counties can be compared by: sealed values are different every time."""
    with store.read() as session:
        people = select(Resident.name, Resident.born_on, Resident.identity_hash, Resident.village_id, Resident.status)
        dues = select(Enrolment.resident_id, Enrolment.programme, Enrolment.since, Enrolment.next_due_on)
        done = select(Record.resident_id, Record.service, Record.on, Record.answers).order_by(Record.id)
        queries = (people.order_by(Resident.id), dues.order_by(Enrolment.id), done)
        return [[tuple(row) for row in session.execute(query)] for query in queries]


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_seeded_county_counts_right_and_can_be_lived_in(backend: str) -> None:
    with fresh_store(backend) as store:
        seeded(store)
        with store.write() as session:
            assert list(recount(session)) == []
            assert session.scalar(select(func.count()).select_from(Resident)) == 300
            session.commit()
            resident = register_resident(
                session, name="向晚秋", sex="female", born_on=None, identity="431281198411209041", phone=None,
                village_id=session.scalars(select(Resident.village_id)).first() or 0, village_group="3组",
                householder=None, worker_id=None, groups=[], registered_on=TODAY, now=NOW,
            )  # fmt: skip
            session.commit()
            assert resident.id == 301  # keys go on after those given by hand
            with pytest.raises(NotEmpty, match="空的数据库"):
                seed(session, TODAY, NOW)


def test_the_same_number_gives_the_same_county() -> None:
    with fresh_store() as one, fresh_store() as two, fresh_store() as three:
        seeded(one), seeded(two), seeded(three, number=2)
        assert picture(one) == picture(two) != picture(three)


def test_the_cast_is_the_same_in_every_county() -> None:
    names = {person.name for person in cast(TODAY)}
    pasts = []
    for residents, doctors in ((60, 1), (300, 4)):
        with fresh_store() as store:
            seeded(store, residents, doctors)
            with store.read() as session:
                query = (
                    select(Resident.name, Record.service, Record.on, Record.answers)
                    .join(Record, Record.resident_id == Resident.id)
                    .where(Resident.name.in_(names))
                    .order_by(Resident.name, Record.id)
                )
                pasts.append([tuple(row) for row in session.execute(query)])
                home = session.scalars(select(HealthWorker).where(HealthWorker.name == "李梅")).one()
                found = session.scalars(select(ResidentKey).where(ResidentKey.village_id.in_(home.villages))).all()
                assert len({key.resident_id for key in found if key.key == "i:lls"}) == 1  # "lls" is 龙老四 alone
    assert pasts[0] == pasts[1] != []


def test_shares_are_those_of_a_county() -> None:
    with fresh_store() as store:
        seeded(store, 6000, 20)
        with store.read() as session:
            size = session.scalar(select(func.count()).select_from(Resident)) or 0

            def share(*where: Any) -> float:
                query = select(func.count(Resident.id.distinct())).outerjoin(Enrolment)
                return 100 * (session.scalar(query.select_from(Resident).where(*where)) or 0) / size

            assert share(Resident.born_on <= date(1961, 11, 22)) == pytest.approx(7.7, abs=1.2)
            assert share(Enrolment.programme == "hypertension") == pytest.approx(5.35, abs=1.2)
            assert share(Enrolment.programme == "diabetes") == pytest.approx(2.04, abs=0.8)
            assert share(Enrolment.next_due_on < TODAY) > 0.3 and share(Enrolment.next_due_on == TODAY) > 0.1
            county = session.scalars(select(Organisation).where(Organisation.parent_id.is_(None))).one()
            below = session.scalars(select(Organisation.population).where(Organisation.parent_id == county.id))
            assert county.population == sum(filter(None, below)) > 0.98 * size
            roles = set(session.scalars(select(HealthWorker.role)))
            assert roles == set(Role) and session.scalar(select(func.count()).select_from(Agreement))


def test_one_doctor_is_a_county_too() -> None:
    with fresh_store() as store:
        seeded(store, residents=1, doctors=1)
        with store.read() as session:
            assert session.scalar(select(func.count()).select_from(Resident)) == len(cast(TODAY))


# --- exports ---


@pytest.fixture(scope="module", params=BACKENDS)
def county(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A small seeded county that is only read."""
    with fresh_store(request.param) as store:
        with store.write() as session:
            seed(session, TODAY, NOW, residents=60, doctors=2)
            say(session, OutgoingMessage("早上好"), dedup_key="k", now=NOW, kind="morning", worker_id=3)
            session.commit()
        yield store


def exported(store: Store, what: str, file: Path) -> list[dict[str, Any]]:
    rows = export(store, what, "jsonl", file, labels=lambda service, answers: {"mode": "门诊"}, tz=SHANGHAI)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert rows == len(lines)
    assert not list(file.parent.glob("*.part"))
    return lines


def test_exported_records_have_the_fields_promised(county: Store, tmp_path: Path) -> None:
    lines = exported(county, "records", tmp_path / "records.jsonl")
    visit = next(
        line for line in lines if line["service"] == "hypertension_follow_up" and "systolic" in line["answers"]
    )
    assert tuple(visit) == COLUMNS["records"]
    assert set(visit["resident"]) == {"id", "name"} and visit["labels"] == {"mode": "门诊"}
    assert visit["worker"].startswith("V") and visit["organisation"].startswith("431281")
    assert visit["recorded_at"].endswith("+08:00") and visit["on"] == visit["recorded_at"][:10]


def test_exported_residents_carry_no_numbers(county: Store, tmp_path: Path) -> None:
    lines = exported(county, "residents", tmp_path / "residents.jsonl")
    assert all(tuple(line) == COLUMNS["residents"] for line in lines)
    zhang = next(line for line in lines if line["name"] == "张桂兰")
    assert (zhang["worker"], zhang["sex"], zhang["status"]) == ("V001", "female", "active")
    assert [e["programme"] for e in zhang["enrolments"]] == ["hypertension", "diabetes"]
    assert set(zhang["enrolments"][0]) == {"programme", "since", "next_due_on", "classification"}
    with county.read() as session:
        enrolled = session.scalar(select(func.count()).where(Enrolment.ended_on.is_(None)))
        numbers = [resident.identity_number() or "?" for resident in session.scalars(select(Resident))]
    assert sum(len(line["enrolments"]) for line in lines) == enrolled
    text = (tmp_path / "residents.jsonl").read_text(encoding="utf-8")
    assert not any(number in text for number in numbers) and "1990000" not in text


def test_deliveries_and_the_audit_of_exporting(county: Store, tmp_path: Path) -> None:
    (delivery,) = exported(county, "deliveries", tmp_path / "deliveries.jsonl")
    assert tuple(delivery) == COLUMNS["deliveries"]
    assert (delivery["to"], delivery["status"], delivery["planned_at"]) == (
        "S001",
        "queued",
        "2026-11-22T09:00:00+08:00",
    )
    entries = exported(county, "audit", tmp_path / "audit.jsonl")
    assert (entries[-1]["action"], entries[-1]["subject"]) == ("export", "audit")


@pytest.mark.parametrize("what", COLUMNS)
def test_tables_agree_in_every_format(county: Store, tmp_path: Path, what: str) -> None:
    number = len(exported(county, what, tmp_path / "rows.jsonl"))
    for format in ("csv", "xlsx"):
        file = tmp_path / f"rows.{format}"
        rows = export(county, what, format, file, labels=lambda service, answers: {}, tz=SHANGHAI)
        sheet = read_sheet(file)
        assert sheet.columns == COLUMNS[what]
        assert len(list(sheet.rows)) == rows == number + (what == "audit") * (1 + (format == "xlsx"))
    assert set(WRITERS) == {"jsonl", "csv", "xlsx"}


# --- backup and restore ---


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("other", BACKENDS)
def test_a_backup_restores_everything_on_either_database(backend: str, other: str, tmp_path: Path) -> None:
    file = tmp_path / "county.backup"
    with empty_store(backend) as store, empty_store(other) as target:
        migrate.upgrade(store)
        seeded(store, 40, 2)
        backup(store, file)
        assert [path.name for path in tmp_path.iterdir()] == [file.name]
        assert file.stat().st_mode & 0o077 == 0
        restore(target, file)
        assert contents(target) == contents(store)
        assert migrate.current(target) == migrate.head()
        with target.write() as session:
            assert session.scalars(select(Resident)).first().phone()  # type: ignore[union-attr]
            session.add(Resident(name="新来的", village_id=5, groups=[]))  # keys go on after those restored
            session.commit()
            assert list(recount(session)) == []
            session.commit()
        with pytest.raises(RestoreRefused, match="已经有数据"):
            restore(target, file)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_backup_holds_one_instant_while_others_write(backend: str, tmp_path: Path) -> None:
    """Every transaction adds two entries that belong together; a copy never has only one of them."""
    with empty_store(backend) as store:
        migrate.upgrade(store)
        seeded(store, 40, 2)
        stop, written = threading.Event(), threading.Event()

        def write() -> None:
            while not stop.is_set():
                with store.write() as session:
                    session.add(AuditEntry(at=NOW, action="pair", subject="a", details={}))
                    session.flush()
                    session.add(Resident(name="一起来的", village_id=5, groups=[]))
                    session.commit()
                written.set()

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert written.wait(10)
            for i in range(3):
                backup(store, tmp_path / f"{i}.backup")
        finally:
            stop.set()
            writer.join()
    counts = []
    for i in range(3):
        connection = sqlite3.connect(tmp_path / f"{i}.backup")
        pairs = connection.execute("SELECT count(*) FROM audit WHERE action = 'pair'").fetchone()[0]
        assert pairs == connection.execute("SELECT count(*) FROM residents WHERE name = '一起来的'").fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()
        counts.append(pairs)
    assert counts == sorted(counts) and counts[0] > 0


def test_what_is_not_restored(tmp_path: Path) -> None:
    file, other = tmp_path / "county.backup", tmp_path / "notes.txt"
    other.write_text("not a database")
    with empty_store() as store, empty_store() as target:
        migrate.upgrade(store)
        seeded(store, 30, 1)
        backup(store, file)
        with pytest.raises(RestoreRefused, match="不是 cunyi backup"):
            restore(target, other)
        stranger = Store(str(target.engine.url), Keyring("another key altogether"))
        with pytest.raises(WrongSecretKey):
            restore(stranger, file)
        stranger.close()
        assert migrate.current(target) is None  # nothing was written, not even tables
        with pytest.raises(Trouble, match="正在用的数据库"):
            backup(store, Path(str(store.engine.url.database)))


def test_a_backup_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with fresh_store() as store, pytest.raises(OSError):
        backup(store, tmp_path / "folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
