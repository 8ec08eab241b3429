"""What a writer remembers from one transaction to the next, and when it forgets.

Problems: reading who wrote, what they are in the middle of and whom it is about takes as long as answering. On SQLite it
shows whether anybody else has written in between (`PRAGMA data_version`); as long as nobody has, what was read is still
so, and the session is kept with the objects in it. On PostgreSQL others write all the time, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from bot.group import Person
from models.base import Store
from models.changes import people_changed
from models.charts import charts_of

MOST = 1000  # accounts, and residents: every doctor of a county, and whom they write about in an hour


class Memory:
    """One writer's connection, and the session in which people live on."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Connection | None = None
        self._session: Session | None = None
        self._version: int | None = None
        self.people: dict[tuple[str, str], Person] = {}

    @contextmanager
    def messages(self) -> Iterator[Session]:
        """A transaction that answers messages, committed at its end. `people` are as they are just now."""
        with self._transaction(may_be_lost=False) as connection:
            if self._session is None:
                self._session = self._store.write(on=connection)
                self._session.info["kept"] = True
            yield self._session
            self._session.commit()
        full = max(len(self.people), len(charts_of(self._session))) > MOST
        if full or people_changed(self._session) or not self._store.is_sqlite:
            self.forget()

    @contextmanager
    def work(self, *, may_be_lost: bool) -> Iterator[Session]:
        """A transaction for other work, committed at its end, in a session of its own."""
        with self._transaction(may_be_lost=may_be_lost) as connection, self._store.write(on=connection) as session:
            yield session
            session.commit()
        if not may_be_lost or people_changed(session) or not self._store.is_sqlite:
            self.forget()

    def forget(self) -> None:
        """Read everything again when it is needed next."""
        self.people.clear()
        if self._session is not None:
            self._session.close()
        if self._connection is not None:
            self._connection.close()
        self._session = self._connection = self._version = None

    @contextmanager
    def _transaction(self, *, may_be_lost: bool) -> Iterator[Connection]:
        try:
            if self._connection is None:
                self._connection = self._store.engine.connect()
            connection = self._connection.execution_options(may_be_lost=may_be_lost)
            with connection.begin():
                version = self._store.version(connection)
                if version != self._version:
                    self._forget_people()
                    self._version = version
                yield connection
        except BaseException:
            self.forget()
            raise

    def _forget_people(self) -> None:
        self.people.clear()
        if self._session is not None:
            self._session.close()
        self._session = None
