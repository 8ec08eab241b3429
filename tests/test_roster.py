"""Rosters come in as counties keep them: in any order, with gaps and slips, and again next month."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.enrolment import Enrolment
from models.people import ChannelAccount, HealthWorker, Organisation, Resident, ResidentKey, Status
from models.record import AuditEntry
from models.recount import recount
from models.registry import set_status
from models.roster import (
    Imported,
    MissingColumns,
    import_organisations,
    import_residents,
    import_workers,
    worker_phone,
)
from tests.databases import BACKENDS, fresh_store

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
ORGANISATIONS = [  # children above their parents on purpose
    {"编码": "431281100201", "名称": "石桥村", "上级编码": "431281100", "级别": "村", "常住人口": "1,860"},
    {"编码": "431281100202", "名称": "白龙村", "上级编码": "431281100", "级别": "村"},
    {"编码": "431281101201", "名称": "白龙村", "上级编码": "431281101", "级别": "村"},
    {"编码": "431281100", "名称": "托口镇", "上级编码": "431281", "级别": "乡镇"},
    {"编码": "431281101", "名称": "安江镇", "上级编码": "431281", "级别": "乡镇"},
    {"编码": "431281", "名称": "洪江示例市", "上级编码": "", "级别": "县"},
    {"编码": "431281100201-2", "名称": "2组", "上级编码": "431281100201", "级别": "组"},
]
WORKERS = [
    {"工号": "V001", "姓名": "李 梅", "角色": "村医", "机构编码": "431281100201", "负责村": "431281100201、白龙村",
     "电话": "13812345678", "企业微信账号": "liMei", "备注": "不认识的列"},
    {"工号": "S001", "姓名": "王主任", "角色": "公卫科", "机构编码": "431281100"},
    {"工号": "C001", "姓名": "陈科长", "角色": "卫健局", "机构编码": "431281"},
]  # fmt: skip
ZHANG = {
    "姓名": "张桂兰", "性别": "女", "出生日期": "1989-06-15", "身份证号": "431281198906154521", "电话": "138 1234 5678",
    "村编码": "431281100201", "组": "2组", "户主": "王建国", "责任医生": "V001", "人群": "脱贫人口;高血压",
    "管理项目": "高血压、糖尿病", "建档日期": "2019/5/20",
}  # fmt: skip
WANG = {
    "姓名": "王建国",
    "性别": "男",
    "出生日期": "20341",
    "村编码": "431281100201",
    "管理项目": "肺结核",
    "责任医生": "李梅",
}


@pytest.fixture(params=BACKENDS)
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """Organisations and workers are in already."""
    with fresh_store(request.param) as store, store.write() as session:
        assert import_organisations(session, ORGANISATIONS, now=NOW).refused == []
        assert import_workers(session, WORKERS, now=NOW).refused == []
        session.commit()
        yield session


@pytest.fixture
def light() -> Iterator[Session]:
    """The same on SQLite only, for reading cells."""
    with fresh_store() as store, store.write() as session:
        import_organisations(session, ORGANISATIONS, now=NOW)
        import_workers(session, WORKERS, now=NOW)
        yield session


def residents(session: Session, *rows: dict[str, str], today: date = TODAY) -> Imported:
    result = import_residents(session, rows, today=today, now=NOW)
    session.commit()
    return result


def told(result: Imported) -> tuple[int, int, int, int]:
    return result.added, result.changed, result.unchanged, len(result.refused)


def audited(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEntry)) or 0


def assert_counters_right(session: Session) -> None:
    session.commit()
    assert list(recount(session)) == []
    session.commit()


# --- organisations and workers ---


def test_organisations_find_their_place_in_any_order(session: Session) -> None:
    village = session.scalars(select(Organisation).where(Organisation.code == "431281100201")).one()
    above = [session.get_one(Organisation, key).name for key in village.ancestry()]
    assert above == ["洪江示例市", "托口镇", "石桥村"]
    assert village.population == 1860


def test_importing_twice_changes_nothing(session: Session) -> None:
    assert told(residents(session, ZHANG, WANG)) == (2, 0, 0, 0)
    before = audited(session)
    assert told(import_organisations(session, ORGANISATIONS, now=NOW)) == (0, 0, 7, 0)
    assert told(import_workers(session, WORKERS, now=NOW)) == (0, 0, 3, 0)
    assert told(residents(session, WANG, ZHANG)) == (0, 0, 2, 0)
    assert audited(session) == before
    assert_counters_right(session)


def test_a_changed_organisation_is_written_and_audited(session: Session) -> None:
    residents(session, ZHANG)
    changed = [ORGANISATIONS[0] | {"名称": "石桥社区", "常住人口": "1900", "上级编码": "431281101"}]
    assert told(import_organisations(session, changed, now=NOW)) == (0, 1, 0, 0)
    village = session.scalars(select(Organisation).where(Organisation.code == "431281100201")).one()
    assert (village.name, village.population) == ("石桥社区", 1900)
    group = session.scalars(select(Organisation).where(Organisation.name == "2组")).one()
    assert group.path.startswith(village.path)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.changed")).one()
    assert entry.details["名称"] == ["石桥村", "石桥社区"]
    assert_counters_right(session)  # its share of the counters went to the other township


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"编码": "9", "名称": "飞地村", "上级编码": "8", "级别": "村"}, "没有编码为 8 的上级"),
        ({"编码": "9", "名称": "新村", "上级编码": "431281100", "级别": "屯"}, "级别“屯”不认识"),
        ({"编码": "9", "名称": "新镇", "上级编码": "431281100201", "级别": "乡镇"}, "不能做“乡镇”的上级"),
        ({"编码": "9", "名称": "新镇", "上级编码": "", "级别": "乡镇"}, "只有县一级可以没有上级"),
        ({"编码": "431281100", "名称": "托口镇", "上级编码": "", "级别": "县"}, "级别不能改"),
        ({"编码": "9", "名称": "", "上级编码": "431281", "级别": "乡镇"}, "名称没有填"),
        ({"编码": "9", "名称": "新镇", "上级编码": "431281", "级别": "乡镇", "常住人口": "约三千"}, "不是整数"),
    ],
)
def test_refused_organisations(light: Session, row: dict[str, str], reason: str) -> None:
    (refused,) = import_organisations(light, [row], now=NOW).refused
    assert reason in refused.reason and refused.line == 2


def test_workers_are_bound_and_sealed(session: Session) -> None:
    doctor = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
    township = session.scalars(select(Organisation).where(Organisation.code == "431281100")).one()
    names = [session.get_one(Organisation, village) for village in doctor.villages]
    assert (doctor.name, worker_phone(session, doctor)) == ("李梅", "13812345678")
    assert [(o.name, township.id in o.ancestry()) for o in names] == [("石桥村", True), ("白龙村", True)]
    account = session.scalars(select(ChannelAccount)).one()
    assert (account.channel, account.account, account.worker_id) == ("wecom", "liMei", doctor.id)


def test_a_doctors_new_village_is_audited(session: Session) -> None:
    row = WORKERS[0] | {"负责村": "石桥村", "电话": "0745-7312345"}
    assert told(import_workers(session, [row], now=NOW)) == (0, 1, 0, 0)
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.changed")).one()
    assert set(entry.details) == {"负责村", "电话"} and "7312345" not in str(entry.details)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"角色": "护士"}, "角色“护士”不认识,请填:村医、公卫科、卫健局、管理员"),
        ({"角色": "公卫科"}, "要属于一个“乡镇”级机构"),
        ({"机构编码": "1"}, "没有编码为 1 的机构"),
        ({"负责村": "月亮村"}, "负责村“月亮村”"),
        ({"机构编码": "431281100", "负责村": ""}, "负责村没有填"),
        ({"企业微信账号": "liMei"}, "已经绑定给工号 V001"),
        ({"电话": "1381234567"}, "手机号是 11 位"),
    ],
)
def test_refused_workers(light: Session, changes: dict[str, str], reason: str) -> None:
    (refused,) = import_workers(light, [WORKERS[0] | {"工号": "V009", "企业微信账号": ""} | changes], now=NOW).refused
    assert reason in refused.reason


def test_missing_columns_are_named_at_once(light: Session) -> None:
    with pytest.raises(MissingColumns, match="工号、角色、机构编码"):
        import_workers(light, [{"姓名": "李梅"}], now=NOW)
    with pytest.raises(MissingColumns, match="村编码"):
        residents(light, {"姓名": "张桂兰"})


# --- residents ---


def test_what_a_row_becomes(session: Session) -> None:
    residents(session, ZHANG)
    zhang = session.scalars(select(Resident)).one()
    assert (zhang.sex, zhang.born_on, zhang.phone()) == ("female", date(1989, 6, 15), "13812345678")
    assert (zhang.identity_number(), zhang.village_group, zhang.householder) == ("431281198906154521", "2组", "王建国")
    assert (zhang.groups, zhang.registered_on) == (["脱贫人口", "高血压"], date(2019, 5, 20))
    enrolled = session.execute(select(Enrolment.programme, Enrolment.since, Enrolment.next_due_on)).all()
    assert sorted(enrolled) == [
        ("diabetes", date(2019, 5, 20), TODAY),
        ("hypertension", date(2019, 5, 20), TODAY),
    ]  # due on the day of the import: nobody knows when the last visit was
    assert "h:王建国" in session.scalars(select(ResidentKey.key)).all()
    assert_counters_right(session)


def test_a_changed_phone_and_village_are_written_and_audited(session: Session) -> None:
    residents(session, ZHANG)
    moved = ZHANG | {"电话": "13900000000", "村编码": "431281100202", "户主": "", "管理项目": "慢阻肺", "人群": ""}
    assert told(residents(session, moved, today=TODAY + timedelta(days=30))) == (0, 1, 0, 0)
    zhang = session.scalars(select(Resident)).one()
    villages = set(session.scalars(select(Enrolment.village_id))) | set(session.scalars(select(ResidentKey.village_id)))
    assert (zhang.phone(), villages) == ("13900000000", {zhang.village_id})
    assert (zhang.householder, zhang.groups) == ("王建国", ["脱贫人口", "高血压"])  # a blank cell never erases
    programmes = dict(iter(session.execute(select(Enrolment.programme, Enrolment.ended_on))))
    assert programmes == {"hypertension": None, "diabetes": None, "copd": None}  # a row never ends care
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "import.changed")).one()
    assert entry.subject == f"resident:{zhang.id}" and set(entry.details) == {"电话", "村编码", "管理项目"}
    assert "139" not in str(entry.details)
    assert_counters_right(session)


def test_a_number_that_comes_later_belongs_to_the_same_person(session: Session) -> None:
    plain = {column: ZHANG[column] for column in ("姓名", "出生日期", "村编码")}
    assert told(residents(session, plain)) == (1, 0, 0, 0)
    assert told(residents(session, plain)) == (0, 0, 1, 0)
    assert told(residents(session, ZHANG)) == (0, 1, 0, 0)
    assert told(residents(session, ZHANG)) == (0, 0, 1, 0)
    assert session.scalars(select(Resident)).one().identity_number() == ZHANG["身份证号"]


def test_the_dead_are_not_raised_by_a_stale_roster(session: Session) -> None:
    residents(session, ZHANG)
    set_status(session, session.scalars(select(Resident)).one(), Status.DIED, TODAY, "家属告知", NOW)
    (refused,) = residents(session, ZHANG).refused
    assert "已登记为死亡(2026-11-22)" in refused.reason


def test_one_person_twice_in_a_file(session: Session) -> None:
    result = residents(session, ZHANG, {}, ZHANG | {"电话": "13900000000"}, WANG, WANG | {"户主": "王建国"})
    assert told(result) == (2, 0, 0, 2)
    assert [(r.line, r.reason[:12]) for r in result.refused] == [
        (4, "身份证号与第 2 行相同"[:12]),
        (6, "与第 5 行同村、同名、同出生日期"[:12]),
    ]
    assert told(residents(session, ZHANG, WANG)) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"姓名": ""}, "姓名没有填"),
        ({"姓名": "=A2&B2"}, "姓名“=A2&B2”不像人名"),
        ({"姓名": "13800000000"}, "不像人名"),
        ({"村编码": ""}, "村编码没有填"),
        ({"村编码": "431281100"}, "没有编码为 431281100 的村"),
        ({"身份证号": "431281198906154522"}, "校验"),
        ({"身份证号": "431281890615452"}, "18"),
        ({"身份证号": "4.31281198906154E+17"}, "改成了数字"),
        ({"出生日期": "1989-06-16"}, "与身份证号里的 1989-06-15 不一致"),
        ({"性别": "男"}, "性别“男”与身份证号不一致"),
        ({"性别": "F"}, "性别“F”不认识"),
        ({"出生日期": "属蛇的"}, "出生日期“属蛇的”看不懂"),
        ({"建档日期": "2026-11-31"}, "建档日期“2026-11-31”看不懂"),
        ({"建档日期": "2027-01-01"}, "今天以前"),
        ({"电话": "7312345"}, "座机要带区号"),
        ({"责任医生": "赵医生"}, "没有这位工作人员"),
        ({"管理项目": "高血压、痛风"}, "管理项目“痛风”不认识"),
        ({"户主": "王" * 65}, "户主太长了"),
    ],
)
def test_refused_residents(light: Session, changes: dict[str, str], reason: str) -> None:
    result = residents(light, WANG, ZHANG | changes)
    (refused,) = result.refused
    assert reason in refused.reason and refused.line == 3
    assert result.added == 1


def test_a_number_registered_under_another_name(light: Session) -> None:
    residents(light, ZHANG)
    (refused,) = residents(light, ZHANG | {"姓名": "张贵兰"}).refused
    assert "已登记为“张桂兰”,姓名不一致" in refused.reason


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1959-03-02", date(1959, 3, 2)),
        ("1959/3/2", date(1959, 3, 2)),
        ("1959.03.02", date(1959, 3, 2)),
        ("1959年3月2日", date(1959, 3, 2)),
        ("19590302", date(1959, 3, 2)),
        ("１９５９-０３-０２", date(1959, 3, 2)),
        ("1959-03-02 00:00:00", date(1959, 3, 2)),
        ("21611", date(1959, 3, 2)),  # days since 1899-12-30
        ("", None),
    ],
)
def test_days_as_people_write_them(light: Session, written: str, read: date | None) -> None:
    assert residents(light, {"姓名": "王建国", "村编码": "431281100201", "出生日期": written}).refused == []
    assert light.scalars(select(Resident.born_on)).one() == read


def test_a_group_is_a_place_in_its_village(light: Session) -> None:
    residents(
        light, WANG | {"村编码": "431281100201-2"}, {"姓名": "欧阳　春梅", "村编码": " ４３１２８１１００２０１ "}
    )
    found = light.execute(select(Resident.name, Resident.village_group, Organisation.name).join(Organisation)).all()
    assert sorted(found) == [("欧阳春梅", None, "石桥村"), ("王建国", "2组", "石桥村")]


def test_more_rows_than_are_looked_up_at_once(light: Session) -> None:
    rows = [{"姓名": f"龙{i:04d}", "村编码": "431281100201", "出生日期": "1950-01-01"} for i in range(1100)]
    again = [*rows, rows[0]]  # far behind its double, in another portion
    assert told(import_residents(light, again, today=TODAY, now=NOW)) == (1100, 0, 0, 1)
    assert told(import_residents(light, again, today=TODAY, now=NOW)) == (0, 0, 1100, 1)
