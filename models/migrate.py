"""Bring a database to this version. Alembic is imported only where there is something to bring."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import inspect

from models.base import Store
from models.trouble import Trouble

HERE = Path(__file__).parent / "migrations"


class NewerDatabase(Trouble):
    """The database was made by a newer version of this program; nothing was changed. Run that version, or restore a backup."""


def upgrade(store: Store) -> tuple[str | None, str]:
    """Run what is missing, in one transaction. Returns (version before, version now)."""
    before = known(store)
    if before != head():
        _run(store)
    return before, head()


def current(store: Store) -> str | None:
    """The version the database is at; None when it is empty."""
    with store.engine.execution_options(reading=True).connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        version: str | None = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        return version


def known(store: Store) -> str | None:
    """The version the database is at, where it is one of ours; None when it is empty. Raises NewerDatabase."""
    version = current(store)
    if version is not None and version not in _versions():
        raise NewerDatabase(
            f"the database is at version {version}, and this program knows only up to {head()}: "
            "run the newer program it was made with; nothing was changed"
        )
    return version


@cache
def head() -> str:
    """The version this program needs: the number that the last migration's file begins with."""
    return max(_versions())


@cache
def _versions() -> frozenset[str]:
    return frozenset(path.stem.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*_*.py"))


def _run(store: Store) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
