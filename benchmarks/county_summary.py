"""A county's year, 28 townships by 12 services by 12 months: read from the counters, or counted again from the records.

The records stand in a table of nothing but what the question needs, with an index that covers it, which is the best case
for counting again. The counters are moved by the program's own `count`.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.county import SECRET, WORK
from benchmarks.row import Row, medians_ms, share_row, speed_row
from models.base import Store
from models.everything import metadata
from models.people import Organisation
from models.secrets import Keyring
from models.tally import count, series

TOWNSHIPS, VILLAGES, SERVICES = 28, 12, 12
FIRST, LAST = date(2025, 12, 1), date(2026, 11, 30)
MARKET_DAYS = 5  # a month: the days on which a village's work is entered
MANY, TENFOLD = 1_000_000, 10_000_000
EVENTS = f"""
    SELECT i * 7919 % {TOWNSHIPS} AS township, i * 104729 / 11 % {VILLAGES} AS village,
           i * 15485863 / 7 % {SERVICES} AS service, i * 32452843 / 13 % {12 * MARKET_DAYS} AS day FROM numbers
"""
"""The same events in SQLite and in DuckDB: integers alone, `/` between them a whole number."""

Table = dict[tuple[int, int, str], int]
"""(township, service, month) -> records."""


def measure(*, quick: bool = False) -> list[Row]:
    many, tenfold = (10_000, 100_000) if quick else (MANY, TENFOLD)
    WORK.mkdir(exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=WORK)))
        few, more = (stack.enter_context(three_ways(folder, number)) for number in (many, tenfold))
        ours, ours_tenfold, live, live_tenfold, duck, duck_tenfold = medians_ms(
            [few.counters, more.counters], times=31
        ) + medians_ms([few.live, more.live, few.duck, more.duck], times=5)
    name, bigger = f"county summary over {many:,} records", f"county summary over {tenfold:,} records"
    sql, columns = "live SQL over the records, covering index", "DuckDB over the records"
    return [
        speed_row(name, ours, live, sql, at_least=100),
        speed_row(name, ours, duck, columns, at_least=3),
        share_row(bigger, ours_tenfold, ours, f"its own time over {many:,}", at_most=1.3, unit="ms"),
        speed_row(bigger, ours_tenfold, live_tenfold, sql, at_least=100),
        speed_row(bigger, ours_tenfold, duck_tenfold, columns, at_least=3),
    ]


@dataclass(frozen=True, slots=True)
class Ways:
    """Three ways to the same table."""

    counters: Callable[[], Table]
    live: Callable[[], Table]
    duck: Callable[[], Table]


@contextmanager
def three_ways(folder: Path, records: int) -> Iterator[Ways]:
    """So many records, open to all three; they must give the same table."""
    with ExitStack() as stack:
        live = stack.enter_context(closing(_live(folder / f"records-{records}.db", records)))
        store = stack.enter_context(closing(_counted(folder / f"counters-{records}.db", live)))
        session = stack.enter_context(store.read())
        duck = stack.enter_context(closing(_duck(records)))
        ways = Ways(lambda: _from_counters(session), lambda: _read(live), lambda: _read(duck))
        if not ways.counters() == ways.live() == ways.duck():
            raise RuntimeError("the three ways do not give the same table")
        yield ways


# --- our way ---


def _counted(path: Path, live: sqlite3.Connection) -> Store:
    """A county whose counters were moved by these events, as it is when they were recorded one by one."""
    store = Store(f"sqlite:///{path}", Keyring(SECRET))
    metadata.create_all(store.engine)
    with store.write() as session:
        session.execute(insert(Organisation), _organisations())
        cells = live.execute("SELECT township, village, service, on_day, count(*) FROM events GROUP BY 1, 2, 3, 4")
        moved = {
            (_village(township, village), date.fromisoformat(day), _measure(service)): number
            for township, village, service, day, number in cells
        }
        count(session, Counter(moved))
        session.commit()
    return store


def _from_counters(session: Session) -> Table:
    townships = {_township(number): number for number in range(TOWNSHIPS)}
    measures = {_measure(number): number for number in range(SERVICES)}
    found = series(session, list(townships), list(measures), "m", FIRST, LAST)
    return {
        (townships[place], measures[what], f"{month:%Y-%m}"): number for (place, what, month), number in found.items()
    }


def _organisations() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [_organisation(1, None, "county", "/1/")]
    for township in range(TOWNSHIPS):
        above = _township(township)
        rows.append(_organisation(above, 1, "township", f"/1/{above}/"))
        for village in range(VILLAGES):
            own = _village(township, village)
            rows.append(_organisation(own, above, "village", f"/1/{above}/{own}/"))
    return rows


def _organisation(key: int, above: int | None, level: str, path: str) -> dict[str, Any]:
    return {"id": key, "code": str(key), "name": str(key), "level": level, "parent_id": above, "path": path}


def _township(number: int) -> int:
    return 10 + number


def _village(township: int, number: int) -> int:
    return 100 + township * VILLAGES + number


def _measure(service: int) -> str:
    return f"count.service_{service}"


# --- counting again ---


def _live(path: Path, records: int) -> sqlite3.Connection:
    live = sqlite3.connect(path)
    live.execute("PRAGMA journal_mode=OFF")
    live.execute("CREATE TABLE days (day INTEGER PRIMARY KEY, on_day TEXT)")
    live.executemany("INSERT INTO days VALUES (?, ?)", [(n, day.isoformat()) for n, day in enumerate(_days())])
    numbers = f"WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < {records - 1})"
    live.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, township INT, village INT, service INT, on_day TEXT)")
    live.execute(
        f"INSERT INTO events (township, village, service, on_day) {numbers} "
        f"SELECT township, village, service, on_day FROM ({EVENTS}) JOIN days USING (day)"
    )
    live.execute("CREATE INDEX covering ON events (township, service, on_day)")
    live.execute("ANALYZE")
    live.commit()
    return live


def _duck(records: int) -> Any:
    import duckdb

    duck = duckdb.connect()
    duck.execute("SET enable_progress_bar = false")
    duck.execute("CREATE TABLE days (day INTEGER, on_day TEXT)")
    duck.executemany("INSERT INTO days VALUES (?, ?)", [(n, day.isoformat()) for n, day in enumerate(_days())])
    duck.execute(f"CREATE VIEW numbers AS SELECT range AS i FROM range({records})")
    duck.execute(
        "CREATE TABLE events AS SELECT township, village, service, on_day::DATE AS on_day "
        f"FROM ({EVENTS.replace(' / ', ' // ')}) JOIN days USING (day)"
    )
    return duck


def _days() -> Sequence[date]:
    months = [date(FIRST.year + (FIRST.month + n - 1) // 12, (FIRST.month + n - 1) % 12 + 1, 1) for n in range(12)]
    return [month + timedelta(days=5 * n + 2) for month in months for n in range(MARKET_DAYS)]


def _read(database: Any) -> Table:
    month = "substr(on_day, 1, 7)" if isinstance(database, sqlite3.Connection) else "strftime(on_day, '%Y-%m')"
    rows = database.execute(f"SELECT township, service, {month}, count(*) FROM events GROUP BY 1, 2, 3").fetchall()
    return {(township, service, month): number for township, service, month, number in rows}
