"""Whether a session has changed what is remembered elsewhere: who may speak, and for which villages."""

from __future__ import annotations

from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from models.people import ChannelAccount, HealthWorker, Organisation

REMEMBERED = (HealthWorker, ChannelAccount, Organisation)
_KEY = "people_changed"


def people_changed(session: Session) -> bool:
    """Has it, since it was asked last? Of a statement that is no query we do not know, and say yes."""
    return bool(session.info.pop(_KEY, False))


@event.listens_for(Session, "after_flush")
def _something_was_written(session: Session, context: Any) -> None:
    if any(isinstance(row, REMEMBERED) for row in (*session.new, *session.dirty, *session.deleted)):
        session.info[_KEY] = True


@event.listens_for(Session, "do_orm_execute")
def _something_is_written(state: ORMExecuteState) -> None:
    if not state.is_select:
        state.session.info[_KEY] = True
