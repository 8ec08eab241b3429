"""Rows by the hundred thousand: inserts in batches, and what has to be put right once keys were given by hand."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

from models.base import Base

BATCH = 5000


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows a batch at a time. All rows of a call have the same columns."""
    for first in range(0, len(rows), BATCH):
        connection.execute(insert(table), rows[first : first + BATCH])


def insert_tuples(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[tuple[int | str, ...]]
) -> None:
    """Numbers and words straight to the driver, for the one table with millions of rows: a fifth of the time."""
    names = ", ".join(columns)
    if connection.dialect.name == "postgresql":
        with connection.connection.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
    elif rows:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", list(rows))


@contextmanager
def without_indexes(connection: Connection, table: Table) -> Iterator[None]:
    """Indexes built once at the end, from sorted keys, instead of a row at a time. Only for a table nobody else reads."""
    indexes = sorted(table.indexes, key=lambda index: str(index.name))
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


@contextmanager
def without_collector() -> Iterator[None]:
    """Millions of short-lived rows without a cycle among them: the collector's looking costs a sixth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def restart_sequences(connection: Connection, tables: Iterable[Table]) -> None:
    """PostgreSQL numbers rows from a sequence that knows nothing of keys given by hand; SQLite looks for itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if "id" in table.c and (highest := connection.scalar(select(func.max(table.c.id)))):
            connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))


def table_of(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table
