"""What every command of the operator begins with: the settings and the database, or one sentence on stderr."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from bot.config import BadSettings, Settings, load_settings, open_store
from models.base import Store
from models.trouble import Trouble


def settings_or_exit(**overrides: Any) -> Settings:
    """The settings, or every complaint on stderr and exit code 1."""
    try:
        return load_settings(**overrides)
    except BadSettings as error:
        for complaint in error.complaints:
            print(complaint, file=sys.stderr)
        raise typer.Exit(1) from None


@contextmanager
def opened(settings: Settings, *, must_be_current: bool = True) -> Iterator[Store]:
    """The database, at this program's version."""
    from models import migrate
    from models.sealed import check_key

    store = open_store(settings)
    try:
        if must_be_current and (version := migrate.known(store)) != migrate.head():
            found = f"is at version {version}" if version else "has no tables yet"
            raise Trouble(f"the database {found}; run: cunyi migrate")
        if must_be_current:
            check_key(store)
        yield store
    finally:
        store.close()
