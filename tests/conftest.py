"""A village clinic: 李梅 (village doctor), 王主任 (township supervisor), 陈科长 (county), and the seeded residents of 2026-11-24."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import structlog

from bot.config import Settings
from models import migrate
from models.base import Store
from models.secrets import Keyring
from models.seed import seed
from tests.databases import SECRET

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
CHINA = ZoneInfo("Asia/Shanghai")
WORKERS = {"李梅": "V001", "王主任": "S001", "陈科长": "C001"}


@pytest.fixture(scope="session")
def county_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded SQLite database, made once; tests work on copies of it."""
    path = tmp_path_factory.mktemp("county") / "county.db"
    store = Store(f"sqlite:///{path}", Keyring(SECRET))
    migrate.upgrade(store)
    with store.write() as session:
        seed(session, TODAY, NOW, residents=600, doctors=3)
        session.commit()
    with store.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
    store.close()
    return path


@pytest.fixture
def county(county_file: Path, tmp_path: Path) -> Iterator[Store]:
    """The seeded county, for one test."""
    path = tmp_path / "cunyi.db"
    shutil.copy(county_file, path)
    store = Store(f"sqlite:///{path}", Keyring(SECRET))
    yield store
    store.close()


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Plain settings, whatever the machine's environment says."""
    return Settings(secret_key=SECRET)  # type: ignore[arg-type]


@pytest.fixture
def logs_of_the_program() -> Iterator[None]:
    """Logs are set up as the program does it, on what stderr is in this test, and put back afterwards."""
    before = structlog.get_config()
    structlog.reset_defaults()
    yield
    structlog.configure(**before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests measured (`record_property("figure", …)`) is printed at the end of the run."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    properties = [said for report in reports for said in getattr(report, "user_properties", ())]
    if figures := dict.fromkeys(str(value) for name, value in properties if name == "figure"):
        terminalreporter.section("figures")
        for figure in figures:
            terminalreporter.write_line(figure)
