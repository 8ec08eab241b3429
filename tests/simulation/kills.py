"""When a process dies. SIGKILL comes at a moment that the program knows nothing of: in a statement, before or after a
commit, between a message's arrival and the note of it.
"""

from __future__ import annotations

import os
import signal
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from tests.simulation.clock import Time

MOMENTS = ("statement", "commit", "committed", "before it arrives", "after it arrived")


class Fate:
    """Kills this process at the so-manieth time that a moment comes after some time of the simulation, or never."""

    def __init__(self, time: Time, after: float | None = None, moment: str = "", count: int = 1) -> None:
        self._time, self._after, self._at, self._left = time, after, moment, count

    def moment(self, name: str) -> None:
        if self._after is not None and name == self._at and self._time.now >= self._after:
            self._left -= 1
            if self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self, engine: Engine) -> None:
        """Statements and commits are moments too."""

        @event.listens_for(engine, "before_cursor_execute")
        def _statement(*said: Any) -> None:
            self.moment("statement")

        @event.listens_for(engine, "commit")
        def _commit(connection: Any) -> None:
            self.moment("commit")

        @event.listens_for(Session, "after_commit")
        def _committed(session: Any) -> None:
            self.moment("committed")
