"""What an error of the database means: nobody's fault (an outage), a conflict to be tried again, or a mistake of ours."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

SQLITE_OUTAGES = frozenset(
    [
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_PERM,
    ]
)  # fmt: skip
POSTGRESQL_OUTAGES = ("08", "25006", "53", "55P03", "57", "58", "XX")
"""SQLSTATE: connection, read-only, resources, lock not available, operator, system, internal."""


def is_outage(error: Exception) -> bool:
    """Is the database itself in trouble (locked, full, gone, read-only), so that no other message would fare better?"""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    code, state = _codes(error)
    if code is not None:
        return code in SQLITE_OUTAGES
    if state is not None:
        return state.startswith(POSTGRESQL_OUTAGES)
    return error.connection_invalidated or isinstance(error, (OperationalError, InterfaceError))


def is_contention(error: Exception) -> bool:
    """Did PostgreSQL pick this transaction to give way, in a deadlock or a conflict? Then it can be tried again."""
    return isinstance(error, DBAPIError) and (_codes(error)[1] or "").startswith("40")


def _codes(error: DBAPIError) -> tuple[int | None, str | None]:
    """(SQLite's primary error code, PostgreSQL's SQLSTATE); both None where the connection itself was lost."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    return (None if code is None else code & 0xFF), getattr(error.orig, "sqlstate", None)
