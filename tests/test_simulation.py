"""A small county for a week, with kills: every promise of reminders kept. And the oracle that says so can say otherwise."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_postgresql
from tests.simulation.county import Config, troubles
from tests.simulation.episode import a_day
from tests.simulation.judgement import judge
from tests.simulation.report import simulated

CONFIG = Config(days=5, doctors=12, residents=900, kills=5, seed=3)
ELEVEN_AT_NIGHT = 23 * 3600.0


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], list[str]]:
    folder = tmp_path_factory.mktemp("simulation")
    report, verdict = simulated(CONFIG, folder)
    return folder, report, [f"{v.what} | {v.who} | {v.when} | {v.details}" for v in verdict.violations]


def test_every_promise_is_kept(
    lived: tuple[Path, dict[str, Any], list[str]], record_property: Callable[[str, object], None]
) -> None:
    _, report, violations = lived
    assert violations == []
    assert report["kills"]["SIGKILL of the process"] > 0
    assert report["looked at"]["had to be said: morning_digest"] > 20
    assert report["ledger"]["sent"] > 30
    seconds = sum(report["seconds"].values())
    record_property("figure", f"simulation: {report['messages']} messages of {CONFIG.days} days in {seconds:.0f} s")


def test_every_promise_is_kept_on_postgresql(tmp_path: Path) -> None:
    with fresh_postgresql() as url:
        report, verdict = simulated(replace(CONFIG, days=3, doctors=6, residents=300, kills=4, url=url), tmp_path)
    assert verdict.violations == []
    assert report["ledger"]["sent"] > 10


@pytest.fixture
def another(lived: tuple[Path, dict[str, Any], list[str]], tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return Path(shutil.copytree(lived[0], tmp_path / "tampered"))


def found(folder: Path) -> set[str]:
    verdict = judge(CONFIG, troubles(CONFIG), folder, a_day(CONFIG))
    return {violation.what for violation in verdict.violations}


def a_sent_digest(folder: Path) -> str:
    """The key of a doctor's digest that names visits, went out and arrived once."""
    with closing(sqlite3.connect(folder / "county.db")) as database:
        query = "SELECT dedup_key FROM outbox WHERE reminder = 'morning_digest' AND status = 'sent' AND message LIKE '%要访%' ORDER BY id"
        keys = [str(key) for (key,) in database.execute(query)]
    arrived = [event["key"].rsplit(":", 1)[0] for event in logged(folder) if event["what"] == "arrived"]
    return next(key for key in keys if arrived.count(key) == 1)


def a_sent(folder: Path, code: str) -> str:
    """The key of a reminder that went out."""
    with closing(sqlite3.connect(folder / "county.db")) as database:
        query = "SELECT dedup_key FROM outbox WHERE reminder = ? AND status = 'sent' ORDER BY id LIMIT 1"
        return str(database.execute(query, (code,)).fetchone()[0])


def logged(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("events-*.jsonl")):
        yield from map(json.loads, path.read_text().splitlines())


def rewrite(folder: Path, change: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> None:
    """Change what is written in the log, line by line."""
    for path in folder.glob("events-*.jsonl"):
        lines = [new for line in path.read_text().splitlines() for new in change(json.loads(line))]
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def write(folder: Path, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(folder / "county.db")) as database:
        database.create_function("sim_now", 0, lambda: 1e9)
        database.execute(statement, values)
        database.commit()


def is_of(event: dict[str, Any], key: str) -> bool:
    return event["what"] == "arrived" and str(event["key"]).startswith(f"{key}:")


@pytest.mark.parametrize("code", ["morning_digest", "township_digest", "plan_terms", "supervisor_weekly"])
def test_a_dropped_reminder_is_found(another: Path, code: str) -> None:
    key = a_sent_digest(another) if code == "morning_digest" else a_sent(another, code)
    write(another, "DELETE FROM outbox WHERE dedup_key = ?", key)
    write(another, "DELETE FROM sim_history WHERE tab = 'outbox' AND json_extract(data, '$.dedup_key') = ?", key)
    rewrite(another, lambda event: [] if is_of(event, key) else [event])
    assert "never planned" in found(another)


def test_a_reminder_lost_from_the_ledger_is_found(another: Path) -> None:
    write(another, "DELETE FROM outbox WHERE dedup_key = ?", a_sent_digest(another))
    assert {"promised and gone from the ledger", "arrived, and nobody promised it"} <= found(another)


def test_a_doubled_reminder_is_found(another: Path) -> None:
    key = a_sent_digest(another)
    rewrite(another, lambda event: [event, event | {"t": event["t"] + 2}] if is_of(event, key) else [event])
    assert found(another) == {"arrived twice for no reason"}


def test_a_reminder_at_night_is_found(another: Path) -> None:
    key = a_sent_digest(another)
    midnight = 86400.0

    def at_night(event: dict[str, Any]) -> list[dict[str, Any]]:
        return [event | {"t": event["t"] // midnight * midnight + ELEVEN_AT_NIGHT}] if is_of(event, key) else [event]

    rewrite(another, at_night)
    assert "in the quiet hours" in found(another)


def test_a_reminder_nobody_got_is_found(another: Path) -> None:
    key = a_sent_digest(another)
    rewrite(another, lambda event: [] if is_of(event, key) else [event])
    assert found(another) == {"the ledger says sent, the platform has not seen it"}


def test_too_many_at_once_are_found(another: Path) -> None:
    key = a_sent_digest(another)

    def many(event: dict[str, Any]) -> list[dict[str, Any]]:
        if not is_of(event, key):
            return [event]
        return [event | {"ch": "telegram", "acc": f"t{n}", "t": event["t"] + n / 1000} for n in range(31)]

    rewrite(another, many)
    assert any(what.startswith("31 messages within") for what in found(another))


def test_a_reminder_whose_reason_had_ended_is_found(another: Path) -> None:
    """All visits of a doctor were made before the digest went out, and it says them all the same."""
    key = a_sent_digest(another)
    worker = int(key.split(":")[1])
    with closing(sqlite3.connect(another / "county.db")) as database:
        (villages,) = database.execute("SELECT villages FROM health_workers WHERE id = ?", (worker,)).fetchone()
    for village in json.loads(villages):
        write(
            another,
            "UPDATE sim_history SET data = json_set(data, '$.next_due_on', '2099-01-01')"
            " WHERE tab = 'enrolments' AND json_extract(data, '$.village_id') = ?",
            village,
        )
    assert any(what.startswith("says ") and what.endswith(" visits") for what in found(another)), found(another)
