"""`python -m benchmarks [--quick] [row …]`: every row, or those named; a table, and `benchmarks/results.json`."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from benchmarks import ROWS
from benchmarks.alone import measure_alone
from benchmarks.row import Row

RESULTS = Path(__file__).parent / "results.json"


def main() -> int:
    parser = argparse.ArgumentParser("python -m benchmarks", description="Every goal beside its peer, in the same run.")
    parser.add_argument("row", nargs="*", help=f"only these: {', '.join(ROWS)}")
    parser.add_argument("--quick", action="store_true", help="small counties and few rounds; nothing is written down")
    asked = parser.parse_args()
    if unknown := [name for name in asked.row if name not in ROWS]:
        parser.error(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
    found: list[Row] = []
    for name in asked.row or ROWS:
        begin = time.perf_counter()
        rows = measure_alone(name, quick=asked.quick)
        print(f"-- {name} ({time.perf_counter() - begin:.0f} s)")
        for row in rows:
            print(row.line(), flush=True)
        found += rows
    if not asked.quick:
        write(found, everything=not asked.row)
    promised = [row for row in found if row.goal]
    print(f"{sum(bool(row.met) for row in promised)} of {len(promised)} goals met")
    return 0


def write(found: list[Row], *, everything: bool) -> None:
    """Rows measured now replace their like; the others stay as they were measured last."""
    rows: list[dict[str, Any]] = [row.to_json() for row in found]
    if not everything and RESULTS.exists():
        new = {(row["name"], row["peer_name"]) for row in rows}
        rows = [r for r in json.loads(RESULTS.read_text("utf-8")) if (r["name"], r["peer_name"]) not in new] + rows
    RESULTS.write_text(json.dumps(rows, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
