"""Commands of the operator: trouble is exit code 1 and one sentence, wrong use is 2, and nothing is ever a traceback."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from bot.__main__ import main

pytestmark = pytest.mark.usefixtures("logs_of_the_program")
SECRET = "a secret key of some length"


@pytest.fixture
def county(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A small county's database in a folder of its own, which is where the commands are typed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CUNYI_DATABASE_URL", f"sqlite:///{tmp_path}/cunyi.db")
    monkeypatch.setenv("CUNYI_SECRET_KEY", SECRET)
    for command in (["migrate"], ["seed", "--residents", "60", "--doctors", "1"]):
        assert typed(monkeypatch, *command) == 0
    capsys.readouterr()
    return tmp_path


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of a command."""
    monkeypatch.setattr(sys, "argv", ["cunyi", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("invite", "X99"), 1, "没有工号 X99"),
        (("chat", "--as", "X99"), 1, "没有工号 X99"),
        (("chat", "--as", "V001", "--at", "noon"), 2, "2026-11-22T09:00"),
        (("seed",), 1, "已经有机构"),
        (("summary", "--org", "XX"), 1, "no organisation has the code XX"),
        (("summary", "--period", "2026Q9"), 1, "2026Q3"),
        (("import", "residents", "notes.txt"), 1, "没有找到列名"),
        (("import", "workers", "narrow.csv"), 1, "工号、角色、机构编码"),
        (("import", "residents", "nowhere.csv"), 2, "nowhere.csv"),
        (("restore", "notes.txt"), 1, "不是 cunyi backup"),
        (("backup", "cunyi.db"), 1, "正在用的数据库"),
        (("backup", "folder"), 1, "folder 是一个文件夹"),
        (("backup", "nowhere/cunyi.backup"), 1, "没有文件夹"),
        (("export", "residents", "-o", "folder"), 1, "folder 是一个文件夹"),
        (("export", "residents", "-o", "nowhere/all.csv"), 1, "没有文件夹"),
        (("summary", "-o", "folder"), 1, "folder 是一个文件夹"),
        (("invite", "V001", "--qr", "李梅.gif"), 1, ".png 或 .svg"),
        (("invite", "V001", "--qr", "nowhere/李梅.png"), 1, "没有文件夹"),
        (("import", "residents", "good.csv"), 1, "good.csv.rejected.xlsx 是一个文件夹"),
        (("retry", "no-such-key"), 1, "no-such-key"),
        (("remind", "--on", "26/11/2026"), 2, "26/11/2026"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else "",
)
def test_trouble_is_one_sentence(
    county: Path,
    words: tuple[str, ...],
    code: int,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (county / "notes.txt").write_text("随便写的")
    (county / "narrow.csv").write_text("姓名,电话\n李梅,13800000000\n")
    (county / "good.csv").write_text("姓名,村编码\n李梅,431281100200\n")
    for name in ("folder", "good.csv.rejected.xlsx"):
        (county / name).mkdir()
    assert typed(monkeypatch, *words) == code
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said
    assert code == 2 or len(said.strip().splitlines()) == 1, "one sentence"


def test_a_database_of_an_older_version_and_another_key_are_named(
    county: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (county / "workers.csv").write_text("工号,姓名,角色,机构编码,电话\nV900,李兰,村医,431281100200,13800000000\n")
    assert typed(monkeypatch, "import", "workers", "workers.csv") == 0
    monkeypatch.setenv("CUNYI_SECRET_KEY", "another key, just as long")
    for command in ("recount", "run"):
        monkeypatch.setenv("CUNYI_TELEGRAM__TOKEN", "123:abc")
        assert typed(monkeypatch, command) == 1
        assert "Set the key that was in use then" in capsys.readouterr().err
    monkeypatch.setenv("CUNYI_DATABASE_URL", f"sqlite:///{county}/empty.db")
    assert typed(monkeypatch, "recount") == 1
    assert "cunyi migrate" in capsys.readouterr().err


def test_a_database_of_a_newer_version_is_left_alone(
    county: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(county / "cunyi.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    monkeypatch.setenv("CUNYI_TELEGRAM__TOKEN", "123:abc")
    for command in ("migrate", "recount", "run"):
        assert typed(monkeypatch, command) == 1
        said = capsys.readouterr().err
        assert "version 9999" in said and "newer program" in said and len(said.strip().splitlines()) == 1


def test_a_refused_picture_makes_no_code(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new code would make the worker's last one void."""
    assert typed(monkeypatch, "invite", "V001", "--qr", "nowhere/李梅.png") == 1
    with closing(sqlite3.connect(county / "cunyi.db")) as connection:
        assert connection.execute("SELECT count(*) FROM invitations").fetchone() == (0,)


def test_a_misspelt_setting_is_named(
    county: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUNYI_TELEGRM__TOKEN", "123:abc")
    monkeypatch.setenv("CUNYI_REMINDERS__TOWNSHIP_DAYS", "10")
    assert typed(monkeypatch, "timetable") == 0, "what needs no settings reads none"
    capsys.readouterr()
    assert typed(monkeypatch, "recount") == 1
    assert capsys.readouterr().err.strip() == "CUNYI_TELEGRM__TOKEN: is no setting; do you mean CUNYI_TELEGRAM__TOKEN?"


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ('{"campaign.lung_cancer.age_from": "fifty"}', "campaign.lung_cancer.age_from must be a number"),
        ('{"htn.like_with_like": 1}', "htn.like_with_like must be true or false"),
        ('{"campaign.brest_months": 36}', "do you mean campaign.breast_months?"),
        ('{"goals": {"hypertension_control_rate": "high"}}', "must be a number"),
        ('{"goals": {"hypertension_controll_rate": 60}}', "no figure hypertension_controll_rate"),
        ('{"goals": 60}', "goals must be like"),
    ],
)
def test_a_rule_that_cannot_work_is_named_before_anything_starts(
    county: Path, rules: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUNYI_RULES", rules)
    assert typed(monkeypatch, "summary") == 1
    said = capsys.readouterr().err
    assert told in said and len(said.strip().splitlines()) == 1


def test_rules_as_the_page_lists_them_are_taken(county: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {"goals": {"hypertension_control_rate": 60}, "campaign.days_before": [5, 2], "htn.like_with_like": True}
    monkeypatch.setenv("CUNYI_RULES", json.dumps(rules | {"signing.fulfilment": "person", "edit.days": 10}))
    assert typed(monkeypatch, "summary") == 0
