"""What waits for a writer, and how much of it shares the next commit."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from models.message import IncomingMessage

GROUP = 64  # messages that may share one commit
GROUP_TIME = 0.03  # seconds a group may take; so long what the sender has to write down may have to wait for it


@dataclass(slots=True)
class Job:
    """Something for a writer thread: a message to answer, or work to do within its next commit."""

    done: Callable[[Any, BaseException | None], None]
    message: IncomingMessage | None = None
    work: Callable[[Session], Any] | None = None
    may_be_lost: bool = False
    result: Any = None

    def do(self, session: Session) -> None:
        """The work, if it is that."""
        if self.work is not None:
            self.result = self.work(session)


class Lane:
    """What waits for one writer. Work (how sends ended) goes before messages and alone: what was said and is not yet
    written down would be said again after a crash.
    """

    def __init__(self) -> None:
        self._arrived: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._works: deque[Job] = deque()
        self._messages: deque[Job] = deque()
        self._ending = False
        self._seconds = GROUP_TIME / 8  # a message takes, about; until we know better, on a slow machine

    def put(self, job: Job | None) -> None:
        """From any thread; None when it was the last."""
        self._arrived.put(job)

    def next_group(self) -> list[Job] | None:
        """What to commit now, waiting until there is something; None when it is over."""
        while True:
            if not (self._works or self._messages or self._ending):
                self._sort(self._arrived.get())
            while not self._arrived.empty():
                self._sort(self._arrived.get())
            if self._works or self._messages:
                break
            if self._ending:
                return None
        waiting, most = (self._works, GROUP) if self._works else (self._messages, self._most())
        return [waiting.popleft() for _ in range(min(most, len(waiting)))]

    def took(self, jobs: Sequence[Job], seconds: float) -> None:
        """How long a group took says how large the next may be."""
        if jobs and jobs[0].message is not None:
            self._seconds += (seconds / len(jobs) - self._seconds) / 8

    def _most(self) -> int:
        return max(1, min(GROUP, round(GROUP_TIME / max(self._seconds, 1e-6))))

    def _sort(self, job: Job | None) -> None:
        if job is None:
            self._ending = True
        else:
            (self._messages if job.work is None else self._works).append(job)
