"""Bring a database to this version. Alembic is imported only where there is something to bring."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from sqlalchemy import inspect

from models.base import Store

HERE = Path(__file__).parent / "migrations"


def upgrade(store: Store) -> tuple[str | None, str]:
    """Run what is missing, in one transaction. Returns (version before, version now)."""
    before = current(store)
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


@cache
def head() -> str:
    """The version this program needs: the number that the last migration's file begins with."""
    return max(path.stem.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*_*.py"))


def _run(store: Store) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(HERE))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
