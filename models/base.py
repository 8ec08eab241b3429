"""The ground the tables stand on: declarative base, column types, engines and sessions."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Integer,
    MetaData,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from models.secrets import Keyring

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}

Key = BigInteger().with_variant(Integer, "sqlite")
"""Integer keys: SQLite only numbers rows by itself when the type is called INTEGER."""

Json = JSON().with_variant(JSONB(), "postgresql")


PAGE = 4096  # bytes
LONG_LOG, LONGEST_LOG = 4 * 2**20, 64 * 2**20  # bytes: brought into the file beside the writers; by the writer itself


compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""JSON as it is kept: json.dumps would make an encoder for every value."""


_scan = json.JSONDecoder().raw_decode


def _read_json(kept: str) -> Any:
    """JSON as `compact_json` wrote it: json.loads takes five times as long to see that it is an empty list."""
    return _scan(kept)[0]


class Base(DeclarativeBase):
    """Parent of every table."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {dict[str, Any]: Json, list[Any]: Json}


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Kept as UTC; a naive datetime is a mistake in our code and is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def parse_database_url(url: str) -> URL:
    """The address of a SQLite or PostgreSQL database. Raises ValueError with what to write instead."""
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError("CUNYI_DATABASE_URL must be sqlite:///file.db or postgresql://user:password@host/database")
    return parsed


def open_engine(url: str, *, pool_size: int = 8) -> Engine:
    """An engine for SQLite (WAL, synchronous=FULL: a commit survives power loss) or PostgreSQL."""
    parsed = parse_database_url(url)
    options: dict[str, Any] = {
        "json_serializer": compact_json,
        "hide_parameters": True,  # else an error quotes the row, with the people in it
    }
    if parsed.get_backend_name() == "postgresql":
        engine = create_engine(parsed, pool_size=pool_size, max_overflow=pool_size, pool_pre_ping=True, **options)
        event.listen(engine, "begin", _wait_for_the_disk_or_not)
        return engine
    options["json_deserializer"] = _read_json  # psycopg has a reader of its own
    engine = create_engine(parsed, connect_args={"timeout": 30, "check_same_thread": False}, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_immediate
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "cache_size=-2000",  # KiB for each connection; the system keeps the rest of the file in memory anyway
        f"wal_autocheckpoint={LONGEST_LOG // PAGE}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock when the transaction begins, unless it was opened for reading.

    A deferred transaction that reads first and writes later can be refused with SQLITE_BUSY at once, without waiting.
    """
    options = connection.get_execution_options()
    if options.get("reading", False):
        run_directly(connection, "BEGIN")
        return
    synchronous = "NORMAL" if options.get("may_be_lost", False) else "FULL"
    if connection.info.get("synchronous", "FULL") != synchronous:
        run_directly(connection, f"PRAGMA synchronous={synchronous}")
        connection.info["synchronous"] = synchronous
    run_directly(connection, "BEGIN IMMEDIATE")


def run_directly(connection: Connection, sql: str) -> Any:
    """On the driver's own connection: what every transaction begins with need not pass through all layers."""
    driver: Any = connection.connection.driver_connection
    try:
        return driver.execute(sql)
    except connection.dialect.loaded_dbapi.Error as error:
        kind = connection.dialect.loaded_dbapi.Error
        raise DBAPIError.instance(sql, None, error, kind, dialect=connection.dialect) from error


def _wait_for_the_disk_or_not(connection: Any) -> None:
    """PostgreSQL's way of saying that a power cut may take this transaction back."""
    if connection.get_execution_options().get("may_be_lost", False):
        connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")


class Store:
    """An engine and its keyring: opens sessions for writing (`write`) and for reading (`read`)."""

    def __init__(
        self, url: str, keyring: Keyring, *, pool_size: int = 8, county: Mapping[str, Any] | None = None
    ) -> None:
        self.engine = open_engine(url, pool_size=pool_size)
        self.county: Mapping[str, Any] = county or {}
        self.keyring = keyring
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._on_disk = 0  # when the log was last changed before it was brought to the disk

    def write(self, *, may_be_lost: bool = False, on: Connection | None = None) -> Session:
        """A session whose transaction may write; use as a context manager and commit yourself.

        `may_be_lost` is for what the program finds out again by itself: a power cut, though no killed process, may take
        such a commit back, and it does not wait for the disk. The next commit that does takes it along. `on` is a
        connection in a transaction of its own, which the session joins.
        """
        bind = on or (self.engine.execution_options(may_be_lost=True) if may_be_lost else self.engine)
        return Session(
            bind, expire_on_commit=False, autoflush=True, info={"keyring": self.keyring, "county": self.county}
        )

    def read(self) -> Session:
        """A session for queries only: on SQLite it never waits for a writer and no writer waits for it."""
        reading = self.engine.execution_options(reading=True)
        return Session(
            reading, expire_on_commit=False, autoflush=False, info={"keyring": self.keyring, "county": self.county}
        )

    def version(self, connection: Connection) -> int | None:
        """Within a transaction on SQLite: a number that stays as it is while no other connection has written."""
        if not self.is_sqlite:
            return None
        version: int = run_directly(connection, "PRAGMA data_version").fetchone()[0]
        return version

    def checkpoint(self) -> None:
        """See that SQLite's log is on the disk, and where it has grown long bring it into the file.

        Called every second beside the writers, so that no message has to wait for it, and what a commit that did not
        wait for the disk wrote is lost to a power cut for no longer than that.
        """
        log = Path(f"{self.engine.url.database or ':memory:'}-wal")
        if not self.is_sqlite or not log.exists():
            return
        found = log.stat()
        if found.st_mtime_ns != self._on_disk:
            with log.open("rb") as file:
                os.fsync(file.fileno())
            self._on_disk = found.st_mtime_ns
        if found.st_size < LONG_LOG:
            return
        connection = self.engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            connection.close()

    def close(self) -> None:
        self.engine.dispose()
