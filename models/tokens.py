"""Access tokens of platforms, one row per app, shared by every process that speaks for it."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Store, UtcDateTime


class AccessToken(Base):
    """A platform's token, sealed. `key` is a hash of the corp and the full secret."""

    __tablename__ = "access_tokens"

    key: Mapped[str] = mapped_column(String(80), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TokensInDatabase:
    """Load and save tokens; `lock` keeps two processes from fetching one at the same time and voiding each other's."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()

    def load(self, key: str) -> tuple[str, datetime] | None:
        with self._store.read() as session:
            row = session.get(AccessToken, key)
            return (self._store.keyring.open(row.sealed, place="access_tokens"), row.expires_at) if row else None

    def save(self, key: str, token: str, expires_at: datetime) -> None:
        with self._store.write() as session:
            sealed = self._store.keyring.seal(token, place="access_tokens")
            session.merge(AccessToken(key=key, sealed=sealed, expires_at=expires_at))
            session.commit()

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Held by one thread here; on PostgreSQL by one process among all, until the block ends or the process dies."""
        with self._lock:
            if self._store.is_sqlite:  # one process owns the file
                yield
                return
            number = zlib.crc32(key.encode())
            with self._store.engine.connect() as connection:
                connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": number})
                try:
                    yield
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
