"""A thing said unasked: to whom, in what words, and what ends it. Once per person per reminder per day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from models.message import OutgoingMessage
from models.people import HealthWorker
from models.preferences import KEY, Preferences
from models.scope import Scope, scope_of
from reminders.days import Calendar


class Gone(Exception):
    """There is nothing left to say: the message is cancelled with this reason."""


@dataclass(frozen=True)
class Context:
    """What words are made from: the worker told, the arguments of the message, the instant it goes out."""

    session: Session
    worker: HealthWorker
    arguments: Mapping[str, Any]
    now: datetime
    tz: tzinfo
    settings: Mapping[str, Any]
    preferences: Preferences = field(default_factory=lambda: Preferences({}))
    message_key: str = ""

    @property
    def today(self) -> date:
        return self.now.astimezone(self.tz).date()

    @cached_property
    def scope(self) -> Scope:
        return scope_of(self.session, self.worker)

    @cached_property
    def calendar(self) -> Calendar:
        return calendar_of(self.preferences)

    def is_off(self, code: str) -> bool:
        """Has the worker, or the operator for everybody, turned this off?"""
        return self.preferences.is_off(code, self.worker.settings.get(KEY))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One kind of unasked message. `words` is called when it goes out and raises Gone when its reason has gone."""

    code: str
    title: str
    words: Callable[[Context], OutgoingMessage]
    audience: Callable[[Session, date], Iterable[int]] | None = None
    """Ids of the workers to tell on a day; None for what is said on an event and not by the timetable."""
    opens: str | None = None
    """The service it opens, by code."""
    whom: str = ""
    ends: str = ""
    """Who is told, and what ends it, in words for the page that explains the timetable."""

    def listeners(self, session: Session, day: date, tz: tzinfo, preferences: Preferences) -> Iterable[int]:
        """Whom to tell on a day, before anybody's wishes are looked at."""
        assert self.audience is not None, f"{self.code} is said on an event, not on a day"
        return self.audience(session, day)

    def say(self, context: Context) -> OutgoingMessage:
        """Its words as they are now. Raises Gone."""
        if context.is_off(self.code):
            raise Gone("turned off by the worker")
        return self.words(context)


def calendar_of(preferences: Preferences) -> Calendar:
    """The published calendar with what the operator adds."""
    return Calendar(preferences.listed_days("days_off"), preferences.listed_days("days_worked"))
