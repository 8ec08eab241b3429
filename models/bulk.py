"""Rows by the hundred thousand: inserts in batches, and what has to be put right once keys were given by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select

BATCH = 5000


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows a batch at a time. All rows of a call have the same columns."""
    for first in range(0, len(rows), BATCH):
        connection.execute(insert(table), rows[first : first + BATCH])


def restart_sequences(connection: Connection, tables: Sequence[Table]) -> None:
    """PostgreSQL numbers rows from a sequence that knows nothing of keys given by hand; SQLite looks for itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables:
        if "id" in table.c and (highest := connection.scalar(select(func.max(table.c.id)))):
            connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), highest)))
