"""Whose residents and records a viewer may see. Every query that touches people takes a Scope (promise 7)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.people import HealthWorker, Organisation, Role


@dataclass(frozen=True, slots=True)
class Scope:
    """A doctor sees their own villages (`villages`), a supervisor everything below `path`.

    `names` is False where only aggregates are shown by default (county bureau, domain.md G, Audit).
    """

    organisation_id: int
    path: str
    villages: tuple[int, ...] | None = None
    names: bool = True

    def covers(self, village_id: ColumnElement[int] | InstrumentedAttribute[int]) -> ColumnElement[bool]:
        """Condition for a column that holds a village's id."""
        if self.villages is not None:
            return village_id.in_(self.villages)
        below = select(Organisation.id).where(Organisation.path.between(self.path, self.path + "~"))
        return village_id.in_(below)

    def includes(self, organisation: Organisation) -> bool:
        """May this viewer ask about that organisation?"""
        if self.villages is not None:
            return organisation.id in self.villages or organisation.id == self.organisation_id
        return organisation.path.startswith(self.path)

    def narrowed(self, organisation: Organisation) -> Scope:
        """The part of this scope that lies in one organisation."""
        if self.villages is not None:
            return Scope(
                organisation.id, organisation.path, tuple(v for v in self.villages if v == organisation.id), self.names
            )
        return Scope(organisation.id, organisation.path, None, self.names)


def scope_of(session: Session, worker: HealthWorker) -> Scope:
    """The scope that a worker's role gives."""
    organisation = session.get_one(Organisation, worker.organisation_id)
    villages = tuple(worker.villages) if worker.role == Role.DOCTOR else None
    return Scope(organisation.id, organisation.path, villages, names=worker.role != Role.COUNTY)
