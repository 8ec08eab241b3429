"""What a simulation was, and what the oracle says of it."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.simulation.county import FILE, Config, Troubles, build, open_county, troubles
from tests.simulation.episode import a_day, simulate
from tests.simulation.history import brought_home, keep_history, show_time
from tests.simulation.judgement import Verdict, judge


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--doctors", type=int, default=305)
    parser.add_argument("--residents", type=int, default=428_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--hours", choices=("some", "all"), default="some", help="of planning")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", default="", help="URL of an empty database; a file of SQLite when none is given")
    parser.add_argument(
        "--county", type=Path, help="a file to keep the county of the first midnight in, and to begin from"
    )
    parser.add_argument("--keep", type=Path, help="a folder to keep everything in")
    chosen = parser.parse_args(arguments)
    config = Config(
        chosen.days, chosen.doctors, chosen.residents, chosen.seed, chosen.kills, chosen.hours, chosen.database
    )
    if chosen.keep is not None:
        chosen.keep.mkdir(parents=True, exist_ok=True)
        return run(config, chosen.keep, chosen.county)
    with tempfile.TemporaryDirectory(prefix="cunyi-simulation-") as folder:
        return run(config, Path(folder), chosen.county)


def run(config: Config, folder: Path, prepared: Path | None) -> int:
    """Returns 1 when a promise was broken."""
    report, verdict = simulated(config, folder, prepared)
    for violation in verdict.violations[:200]:
        print(f"VIOLATION {violation.what} | {violation.who} | {violation.when} | {violation.details}")
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 1 if verdict.violations else 0


def simulated(config: Config, folder: Path, prepared: Path | None = None) -> tuple[dict[str, Any], Verdict]:
    """Build, live, judge."""
    begun = time.perf_counter()
    store = build(config, folder, prepared)
    show_time(store.engine, lambda: -1.0)
    keep_history(store)
    store.close()
    built, found = time.perf_counter(), troubles(config)
    killed = simulate(config, found, folder)
    if config.url:
        store = open_county(config, folder)
        brought_home(store, folder / FILE)
        store.close()
    lived = time.perf_counter()
    verdict = judge(config, found, folder, a_day(config))
    seconds = {"build": built - begun, "live": lived - built, "judge": time.perf_counter() - lived}
    return {
        "seconds": {name: round(s, 1) for name, s in seconds.items()},
        **figures(config, found, verdict, killed),
    }, verdict


def figures(config: Config, found: Troubles, verdict: Verdict, killed: int) -> dict[str, Any]:
    events, told = Counter(event["what"] for event in verdict.log), verdict.deliveries
    sent = told.by_status["sent"]
    given_up = sum(event["what"] == "down" and not event.get("asked") for event in verdict.log)
    return {
        "days": config.days, "doctors": config.doctors, "residents": config.residents,
        "kills": {"SIGKILL of the process": killed, "given up beside another": given_up},
        "asleep": len(found.asleep), "clock wrong": len(found.wrong),
        "outages": {name: len(outages) for name, outages in found.outages.items()},
        "done": events["done"], "messages": sum(told.by_status.values()), "ledger": dict(told.by_status),
        "arrived": told.arrived, "twice": dict(told.twice), "twice_rate": round(told.twice.total() / max(sent, 1), 6),
        "found by WeCom's duplicate check": told.repeated, "arrived though not sent by the ledger": told.unknown,
        "looked at": dict(verdict.reminders.looked_at), "excused": dict(verdict.reminders.excused),
        "violations": len(verdict.violations),
    }  # fmt: skip
