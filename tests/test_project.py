"""Habits that keep themselves alive: indexes complete, imports pointing down, README and settings true, migrations equal to the tables."""

from __future__ import annotations

import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from pydantic import BaseModel

import handlers.forms
import reminders.rules
import reminders.summaries
from bot import channels
from bot.app import CHANNELS
from bot.config import Settings
from handlers.menu import FORMS
from models import migrate
from models.everything import metadata
from models.message import MAX_WIRE_ID, wire_id
from models.preferences import CAN_BE_OFF
from models.services import PROGRAMMES, SERVICES
from reminders.digest import Digest, Part
from reminders.reminder import Reminder
from reminders.timetable import REMINDERS
from tests.databases import BACKENDS, empty_store

ROOT = Path(__file__).parent.parent
SCENARIOS = "\n".join(path.read_text() for path in (ROOT / "tests/scenarios").glob("*.chat"))


def modules_of(package: object) -> list[object]:
    found = pkgutil.iter_modules(package.__path__)  # type: ignore[attr-defined]
    return [importlib.import_module(f"{package.__name__}.{m.name}") for m in found]  # type: ignore[attr-defined]


def test_every_form_is_on_the_menu() -> None:
    forms = {module.form.code for module in modules_of(handlers.forms) if hasattr(module, "form")}  # type: ignore[attr-defined]
    assert forms == set(FORMS)


def test_every_reminder_is_on_the_timetable() -> None:
    declared: set[str] = set()
    for module in (*modules_of(reminders.rules), *modules_of(reminders.summaries)):
        own = {value.code for value in vars(module).values() if isinstance(value, Reminder | Part)}
        assert own, f"{module} declares nothing"
        declared |= own
    parts = {part.code for reminder in REMINDERS.values() if isinstance(reminder, Digest) for part in reminder.parts}
    digests = {code for code, reminder in REMINDERS.items() if isinstance(reminder, Digest)}
    assert declared == (set(REMINDERS) - digests) | parts
    assert set(CAN_BE_OFF) <= declared


def test_every_channel_is_in_the_index() -> None:
    adapters = {name for _, name, _ in pkgutil.iter_modules(channels.__path__)}
    assert set(CHANNELS) <= adapters


@pytest.mark.parametrize("code", FORMS)
def test_every_form_has_a_transcript_and_a_service_code(code: str) -> None:
    assert code in SERVICES
    form = FORMS[code]
    assert f"【{form.heading}】" in SCENARIOS
    assert form.heading == form.title or f"项目:{form.title}" in SCENARIOS


@pytest.mark.parametrize("code", FORMS)
def test_buttons_fit_every_platform(code: str) -> None:
    for step in FORMS[code].steps:
        for option in getattr(step, "options", ()):
            assert len(wire_id("0123456789", f"{step.field}.{option.code}")) <= MAX_WIRE_ID
        assert len(wire_id("0123456789", f"edit.0.{step.field}")) <= MAX_WIRE_ID


def test_programmes_have_titles() -> None:
    assert {form.programme for form in FORMS.values() if form.programme} <= set(PROGRAMMES)


def test_imports_point_one_way() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("backend", BACKENDS)
def test_migrations_make_the_tables(backend: str) -> None:
    with empty_store(backend) as store:
        assert migrate.upgrade(store) == (None, migrate.head())
        assert migrate.upgrade(store) == (migrate.head(), migrate.head())
        with store.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
            if backend == "postgresql":  # elsewhere than here the database's own locale may sort ~ before digits
                column = "table_name = 'organisations' AND column_name = 'path'"
                query = f"SELECT collation_name FROM information_schema.columns WHERE {column}"
                assert connection.exec_driver_sql(query).scalar() == "C"


def test_readme_commands_exist() -> None:
    from typer.main import get_command

    from bot.__main__ import cli

    known = set(get_command(cli).commands)  # type: ignore[attr-defined]
    said = set(re.findall(r"^(?:\.venv/bin/)?cunyi (\w+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert said and said <= known


def test_make_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", (ROOT / "README.md").read_text())) <= targets


def test_every_setting_is_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    for name in _variables(Settings, "CUNYI_"):
        assert re.search(rf"^#? ?{name}=", example, re.MULTILINE), f"{name} is missing in .env.example"


def _variables(model: type[BaseModel], prefix: str) -> list[str]:
    names: list[str] = []
    for name, info in model.model_fields.items():
        nested = info.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            names += _variables(nested, f"{prefix}{name.upper()}__")
        else:
            names.append(f"{prefix}{name.upper()}")
    return names


def test_no_test_is_skipped() -> None:
    """What holds on one database or machine alone is a test of its own."""
    skipped = re.compile(r"pytest\.(?:skip|xfail|importorskip)\(|mark\.(?:skip|xfail)|unittest\.skip")
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != Path(__file__)]
    assert [path.name for path in files if skipped.search(path.read_text())] == []
