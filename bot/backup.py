"""A consistent copy of the database while the bot runs, and the way back. 备份与恢复

A backup is one SQLite file whichever database it came from, so a county may move from SQLite to PostgreSQL with
`backup` and `restore`. Sealed columns stay sealed: without CUNYI_SECRET_KEY, kept elsewhere, they cannot be opened.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Table, inspect, literal, select

from models import migrate
from models.base import Store
from models.bulk import BATCH, insert_rows, restart_sequences
from models.everything import metadata
from models.secrets import Keyring, WrongSecretKey
from models.trouble import Trouble

INFO = "backup_info"
FORMAT = "cunyi-backup-1"
PARENTS_FIRST = {"organisations": ["path"]}  # where a row may point to another of its table with a higher key


class RestoreRefused(Trouble):
    """The database to be restored into, or the file to be restored from, is not fit; the message says why."""


def backup(store: Store, file: Path) -> None:
    """Copy everything into one file. It takes its name only when it is whole and on the disk."""
    database = store.engine.url.database
    if store.is_sqlite and database and file.absolute() == Path(database).absolute():
        raise Trouble(f"{file} 就是正在用的数据库,备份请换一个文件名。")
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # it holds people's names
    try:
        with _opened(part, store.keyring) as target:
            if store.is_sqlite:
                _copy_pages(store, target)
            else:
                migrate.upgrade(target)
                _copy_rows(store, target)
        _sign(part, store.keyring)
        _to_disk(part)
        part.replace(file)
        _to_disk(file.absolute().parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def restore(store: Store, file: Path) -> None:
    """Fill an empty database from a backup, of this version or an older one, in one transaction.

    1. The file must be a backup, and made with the secret key in use: with another, nobody could be found any more.
    2. A copy of it is brought to this program's version; the backup itself is not touched.
    3. The database gets its tables if it has none; one that holds a single row is refused.
    4. All rows go in, or none.
    """
    _verify(file, store.keyring)
    _refuse_rows(store)
    with tempfile.TemporaryDirectory(prefix="cunyi-restore-") as folder:
        copy = Path(folder) / "backup.db"
        shutil.copyfile(file, copy)
        with _opened(copy, store.keyring) as saved:
            migrate.upgrade(saved)
            if store.is_sqlite:
                with saved.engine.begin() as connection:
                    connection.exec_driver_sql(f"DROP TABLE {INFO}")
                _copy_pages(saved, store)
            else:
                migrate.upgrade(store)
                _copy_rows(saved, store)


# --- signed ---


def _sign(part: Path, keyring: Keyring) -> None:
    with closing(sqlite3.connect(part)) as connection, connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
        connection.execute(f"CREATE TABLE {INFO} (format TEXT, fingerprint TEXT)")
        connection.execute(f"INSERT INTO {INFO} VALUES (?, ?)", (FORMAT, _fingerprint(keyring)))


def _fingerprint(keyring: Keyring) -> str:
    """Tells whether two keys are the same, and nothing about either."""
    return keyring.lookup(FORMAT, place=INFO)


def _verify(file: Path, keyring: Keyring) -> None:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            found = connection.execute(f"SELECT format, fingerprint FROM {INFO}").fetchone()
    except sqlite3.DatabaseError:
        found = None
    if found is None or found[0] != FORMAT:
        raise RestoreRefused(f"{file.name} 不是 cunyi backup 做的备份文件,没有恢复任何数据。")
    if found[1] != _fingerprint(keyring):
        raise WrongSecretKey


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- from one database to another ---


def _refuse_rows(store: Store) -> None:
    """A database is filled only while it holds nothing, tables or not."""
    with store.engine.execution_options(reading=True).connect() as connection:
        present = set(inspect(connection).get_table_names())
        for name in sorted(present & set(metadata.tables)):
            if connection.scalar(select(literal(1)).select_from(metadata.tables[name]).limit(1)):
                raise RestoreRefused("数据库里已经有数据,恢复不会覆盖。请换一个空的 CUNYI_DATABASE_URL 再恢复。")


@contextmanager
def _opened(file: Path, keyring: Keyring) -> Iterator[Store]:
    store = Store(f"sqlite:///{file}", keyring)
    try:
        yield store
    finally:
        store.close()


def _copy_pages(source: Store, target: Store) -> None:
    """From SQLite to SQLite by its own online backup, in one step: the state of one instant, and no writer waits."""
    with _driver(source) as pages_from, _driver(target) as pages_to:
        pages_from.backup(pages_to)


@contextmanager
def _driver(store: Store) -> Iterator[sqlite3.Connection]:
    connection = store.engine.raw_connection()
    try:
        driver = connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        yield driver
    finally:
        connection.close()


def _copy_rows(source: Store, target: Store) -> None:
    """Every table, parents before children, in one transaction on either side."""
    reading = source.engine.execution_options(reading=True)
    if not source.is_sqlite:
        reading = reading.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with reading.connect() as rows_from, target.engine.begin() as rows_to:
        for each in metadata.sorted_tables:
            _copy_table(rows_from, rows_to, each)
        restart_sequences(rows_to, metadata.sorted_tables)


def _copy_table(rows_from: Connection, rows_to: Connection, each: Table) -> None:
    order = PARENTS_FIRST.get(each.name) or [key.name for key in each.primary_key]
    query = select(each).order_by(*(each.c[name] for name in order))
    rows = rows_from.execution_options(yield_per=BATCH).execute(query)
    for batch in rows.mappings().partitions():
        insert_rows(rows_to, each, [dict(row) for row in batch])
