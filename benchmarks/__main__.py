"""`python -m benchmarks [row …]`: every row, or those named; a table, and `benchmarks/results.json`."""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.row import Row

ROWS = ("inbound", "overdue", "planning", "county_summary", "idle", "delivery")
RESULTS = Path(__file__).parent / "results.json"


def measure(name: str) -> list[Row]:
    rows: list[Row] = import_module(f"benchmarks.{name}").measure()
    return rows


def alone(name: str) -> list[Row]:
    """In a process of its own, so that no measurement inherits another's memory."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, name).result()


def main(wanted: list[str]) -> int:
    if unknown := [name for name in wanted if name not in ROWS]:
        print(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}", file=sys.stderr)
        return 2
    found: list[Row] = []
    for name in wanted or ROWS:
        begin = time.perf_counter()
        rows = alone(name)
        print(f"-- {name} ({time.perf_counter() - begin:.0f} s)")
        for row in rows:
            print(row.line(), flush=True)
        found += rows
    write(found, everything=not wanted)
    print(f"{sum(row.met for row in found)} of {len(found)} goals met; written to {RESULTS.name}")
    return 0


def write(found: list[Row], *, everything: bool) -> None:
    """Rows measured now replace their like; the others stay as they were measured last."""
    rows: list[dict[str, Any]] = [row.to_json() for row in found]
    if not everything and RESULTS.exists():
        new = {(row["name"], row["peer_name"]) for row in rows}
        rows = [r for r in json.loads(RESULTS.read_text("utf-8")) if (r["name"], r["peer_name"]) not in new] + rows
    RESULTS.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
