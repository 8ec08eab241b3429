"""What the secret key seals, and whether a key is the one this database was written with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import Store
from models.conversation import ConversationRow
from models.people import HealthWorker, Resident

SEALED: Sequence[tuple[InstrumentedAttribute[Any], str]] = (
    (ConversationRow.sealed, "conversations"),
    (HealthWorker.phone_sealed, "health_workers.phone"),
    (Resident.identity_sealed, "residents.identity"),
    (Resident.phone_sealed, "residents.phone"),
)
"""Columns of one key, each with the place it seals for; whatever is there first is tried."""


def check_key(store: Store) -> None:
    """Raise WrongSecretKey before another key seals anything beside what it cannot open.

    An empty database takes any key.
    """
    with store.read() as session:
        for column, place in SEALED:
            if sealed := _one(session, column):
                store.keyring.open(sealed, place=place)
                return


def _one(session: Session, column: InstrumentedAttribute[Any]) -> bytes | None:
    found: bytes | None = session.scalar(select(column).where(column.is_not(None)).limit(1))
    return found
