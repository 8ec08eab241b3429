"""The residents a worker may mean: their names, read at most once, and who is found under a key. 辖区名册"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, Dialect, Select, bindparam, select

from handlers.turn import Turn
from models.people import Resident, ResidentKey, Status
from models.prepared import Prepared, among


class Roster:
    """The names of the doctor's own residents, read at most once; a supervisor's scope is too wide to be searched so."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    @cached_property
    def people(self) -> Sequence[tuple[int, str]]:
        """Their keys and names."""
        if self._turn.scope.villages is None:
            return ()
        rows = self._turn.session.execute(_EVERYBODY, {"villages": self._turn.scope.villages})
        return [(resident_id, name) for resident_id, name in rows]

    @cached_property
    def by_name(self) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        for resident_id, name in self.people:
            found[name] = (*found.get(name, ()), resident_id)
        return found

    def called(self, pattern: str) -> Sequence[tuple[int, str, str | None]]:
        """(id, name, sex) of those whose name is like a pattern."""
        if self._turn.scope.villages is None:
            return ()
        rows = self._turn.session.execute(_CALLED, {"villages": self._turn.scope.villages, "pattern": pattern})
        return [(resident_id, name, sex) for resident_id, name, sex in rows]


# Statements made once: building one costs more than running it.
_VILLAGES: BindParameter[Any] = bindparam("villages", expanding=True)
THERE = Resident.status != Status.MERGED
_EVERYBODY = select(Resident.id, Resident.name).where(Resident.village_id.in_(_VILLAGES), THERE).order_by(Resident.id)
_CALLED = (
    select(Resident.id, Resident.name, Resident.sex)
    .where(Resident.village_id.in_(_VILLAGES), THERE, Resident.name.like(bindparam("pattern")))
    .order_by(Resident.id)
)


def _by_key(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    """Who in some villages can be found by some keys."""
    return (
        select(ResidentKey.key, ResidentKey.resident_id)
        .where(among(ResidentKey.village_id, "villages", dialect), among(ResidentKey.key, "keys", dialect))
        .order_by(ResidentKey.resident_id)
    )


_BY_KEY = Prepared(_by_key)


def lookup(turn: Turn, keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Who in the worker's scope is found under these keys (`models.registry`), by key."""
    wanted = sorted(set(keys))
    if not wanted or not turn.scope.names:
        return {}
    if turn.scope.villages is not None:
        rows = _BY_KEY.rows(turn.session, villages=[*turn.scope.villages], keys=wanted)
    else:
        query = (
            select(ResidentKey.key, ResidentKey.resident_id)
            .where(turn.scope.covers(ResidentKey.village_id), ResidentKey.key.in_(wanted))
            .order_by(ResidentKey.resident_id)
        )
        rows = [*turn.session.execute(query)]
    found: dict[str, tuple[int, ...]] = {}
    for key, resident_id in rows:
        found[key] = (*found.get(key, ()), resident_id)
    return found
