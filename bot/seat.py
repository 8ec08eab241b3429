"""Which processes send from a database just now: each holds a seat that is free again the moment it is gone, by whatever end.

So what a dead process had leased is taken over at once, and the living share a platform's budget. On SQLite a seat is a
lock on a file beside the database, on PostgreSQL an advisory lock; both end with the process that holds them.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Protocol

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.base import Store

SEATS = 64  # more processes than that on one database are a mistake
AT_THE_TERMINAL = 32  # from here on sit those that only talk to a terminal, and use up nobody's budget
SENDERS = 0x63756E79  # "cuny": the half of an advisory lock's key that says what is locked
STILL_THERE = 5.0  # seconds; after a restart of PostgreSQL its other guests need a moment to sit down again


class NoSeat(Exception):
    """Too many processes use this database at once."""


class Seat(Protocol):
    """`number` names its holder in leases."""

    number: int

    def taken(self) -> frozenset[int]:
        """The seats of all who live, this one included. May block for as long as a small query takes."""
        ...

    def leave(self) -> None: ...


class OnlySeat:
    """Where nobody else can be: a database in memory, a test."""

    number = 0

    def taken(self) -> frozenset[int]:
        return frozenset({0})

    def leave(self) -> None:
        return None


def take_seat(store: Store, *, first: int = 0) -> Seat:
    """The first free seat of a database, from a number on."""
    if not store.is_sqlite:
        return ServerSeat(store, first)
    file = store.engine.url.database
    return FileSeat(Path(file), first) if file and file != ":memory:" else OnlySeat()


class FileSeat:
    """A locked file `cunyi.db.sender-0`. The file stays behind, empty; only its lock means something."""

    def __init__(self, database: Path, first: int = 0) -> None:
        self._database = database
        for self.number in range(first, SEATS):
            if (lock := self._lock(self.number)) is not None:
                self._held = lock
                return
        raise NoSeat(NoSeat.__doc__)

    def taken(self) -> frozenset[int]:
        alive = {self.number}
        for number in range(SEATS):
            if number != self.number and self._file(number).exists():
                if (lock := self._lock(number)) is None:
                    alive.add(number)
                else:
                    lock.close()
        return frozenset(alive)

    def leave(self) -> None:
        self._held.close()

    def _lock(self, number: int) -> IO[bytes] | None:
        file = self._file(number).open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        return file

    def _file(self, number: int) -> Path:
        return self._database.with_name(f"{self._database.name}.sender-{number}")


class ServerSeat:
    """An advisory lock, on a connection of its own."""

    def __init__(self, store: Store, first: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._last_seen: dict[int, float] = {}
        self.number = -1
        self._connection = self._sit_down(range(first, SEATS))

    def taken(self) -> frozenset[int]:
        try:
            held = self._connection.execute(
                text("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :senders AND granted"
                     " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
                {"senders": SENDERS},
            ).scalars()  # fmt: skip
            now = self._clock()
            self._last_seen |= dict.fromkeys(held, now)
        except DBAPIError:  # the server went away, and with it the seats of all
            self._connection.close()
            self._connection = self._sit_down([self.number])
            now = self._clock()
            self._last_seen = dict.fromkeys(range(SEATS), now)
        return frozenset(n for n, at in self._last_seen.items() if now - at < STILL_THERE) | {self.number}

    def leave(self) -> None:
        self._connection.close()

    def _sit_down(self, numbers: Iterable[int]) -> Connection:
        connection = self._store.engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        connection.detach()  # a pool would take it back one day, and lend it to somebody else
        for number in numbers:
            query = text("SELECT pg_try_advisory_lock(:senders, :number)")
            if connection.scalar(query, {"senders": SENDERS, "number": number}):
                self.number = number
                return connection
        connection.close()
        raise NoSeat(NoSeat.__doc__)
