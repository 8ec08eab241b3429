"""What the database knows of the residents that a group of messages is about, asked for all of them at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, event, inspect, select
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from models.enrolment import Enrolment
from models.people import Organisation, Resident


@dataclass(slots=True)
class Chart:
    """A resident, their village, and their enrolments by programme, ended ones too."""

    resident: Resident
    village: Organisation
    enrolments: dict[str, Enrolment] = field(default_factory=dict)


_CHARTS = (
    select(Resident, Organisation, Enrolment)
    .join(Organisation, Organisation.id == Resident.village_id)
    .outerjoin(Enrolment, Enrolment.resident_id == Resident.id)
    .where(Resident.id.in_(bindparam("ids", expanding=True)))
)


class Charts:
    """The charts of one transaction, or of a session kept while nobody else writes (`kept` in its info).

    What is written through the session makes it forget whom that concerns.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._of: dict[int, Chart | None] = {}
        session.info["charts"] = self

    def of(self, resident_id: int) -> Chart | None:
        """The chart of one resident; None when there is no such person."""
        if resident_id not in self._of:
            self.fetch([resident_id])
        return self._of[resident_id]

    def fetch(self, resident_ids: Iterable[int]) -> None:
        """Ask for those not known yet, in one query."""
        wanted = sorted({i for i in resident_ids if i not in self._of})
        if not wanted:
            return
        found: dict[int, Chart] = {}
        for resident, village, enrolment in self._session.execute(_CHARTS, {"ids": wanted}):
            chart = found.setdefault(resident.id, Chart(resident, village))
            if enrolment is not None:
                chart.enrolments[enrolment.programme] = enrolment
        self._of.update({resident_id: found.get(resident_id) for resident_id in wanted})

    def __len__(self) -> int:
        return len(self._of)

    def forget(self, resident_id: int | None = None) -> None:
        """Ask again about one resident, or about everybody."""
        if resident_id is None:
            self._of.clear()
        else:
            self._of.pop(resident_id, None)


def charts_of(session: Session) -> Charts:
    """The session's charts."""
    charts: Charts | None = session.info.get("charts")
    return Charts(session) if charts is None else charts


@event.listens_for(Session, "after_flush")
def _something_was_written(session: Session, context: Any) -> None:
    """A row that is new, gone or another's belongs on another chart; one that only changed is on its chart already."""
    if (charts := session.info.get("charts")) is not None:
        for row in (*session.new, *session.deleted, *session.dirty):
            if isinstance(row, Resident):
                charts.forget(row.id)
            elif isinstance(row, Enrolment) and (
                row not in session.dirty or inspect(row).attrs.resident_id.history.added
            ):
                charts.forget()


@event.listens_for(Session, "after_transaction_end")
def _another_transaction(session: Session, transaction: SessionTransaction) -> None:
    if (
        transaction.parent is None
        and not session.info.get("kept")
        and (charts := session.info.get("charts")) is not None
    ):
        charts.forget()


@event.listens_for(Session, "do_orm_execute")
def _something_is_written(state: ORMExecuteState) -> None:
    if not state.is_select and (charts := state.session.info.get("charts")) is not None:
        charts.forget()
