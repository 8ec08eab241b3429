"""One message being answered: everything a handler may use, and where its replies collect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.charts import charts_of
from models.conversation import Conversation
from models.enrolment import Enrolment
from models.message import Choice, IncomingMessage, OutgoingMessage
from models.people import HealthWorker, Organisation, Resident
from models.preferences import preferences
from models.scope import Scope


@dataclass(slots=True)
class Turn:
    """A worker's message with the session, the instant and the scope it is answered in. Nothing here reads a clock."""

    session: Session
    now: datetime
    tz: tzinfo
    worker: HealthWorker
    scope: Scope
    conversation: Conversation
    incoming: IncomingMessage
    settings: Mapping[str, Any] = field(default_factory=dict)
    replies: list[OutgoingMessage] = field(default_factory=list)
    known: dict[Any, Any] = field(default_factory=dict)
    """What was put together about a draft for this message (handlers.recap)."""
    _today: date | None = None
    _said_on: date | None = None
    _villages: tuple[tuple[int, str], ...] | None = None
    _residents: dict[int, Resident | None] = field(default_factory=dict)  # a session keeps only weak references
    _enrolments: dict[int, dict[str, Enrolment]] = field(default_factory=dict)

    @property
    def today(self) -> date:
        """The county-local day."""
        if self._today is None:
            self._today = self.now.astimezone(self.tz).date()
        return self._today

    @property
    def said_on(self) -> date:
        """The county-local day the message was written, which “昨天” in it counts from; it may have waited long for a
        signal, or for us. A phone whose clock is ahead wrote it today.
        """
        if self._said_on is None:
            self._said_on = min(self.incoming.sent_at, self.now).astimezone(self.tz).date()
        return self._said_on

    @property
    def tell_at(self) -> datetime:
        """When others may be told unasked of what is done now: never within the quiet hours."""
        return preferences(self.session, self.settings).quiet.after(self.now, self.tz)

    def say(self, text: str, choices: Sequence[Choice] = (), **more: Any) -> None:
        """Add a reply. Choices offered outside a form are remembered, so that a typed number or label finds them."""
        self.replies.append(OutgoingMessage(text.strip("\n"), tuple(choices), context=self.conversation.key, **more))
        if not self.conversation.is_open:
            self.conversation.last["offer"] = [[c.id, c.label, c.number] for c in choices]

    @property
    def villages(self) -> tuple[tuple[int, str], ...]:
        """(id, name) of the villages in scope."""
        if self._villages is None:
            rows = self.session.execute(
                select(Organisation.id, Organisation.name)
                .where(Organisation.level == "village", self.scope.covers(Organisation.id))
                .order_by(Organisation.id)
            )
            self._villages = tuple((row.id, row.name) for row in rows)
        return self._villages

    def resident(self, resident_id: int | None) -> Resident | None:
        """A resident within the worker's scope, or None: whoever is outside it does not exist here.

        Of somebody registered twice, the entry under which everything is kept.
        """
        if resident_id is None:
            return None
        if resident_id not in self._residents:
            chart = charts_of(self.session).of(resident_id)
            resident = chart.resident if chart else None
            while resident is not None and resident.merged_into_id is not None:
                resident = self.session.get(Resident, resident.merged_into_id)
            self._residents[resident_id] = resident if resident and self._covers(resident.village_id) else None
        return self._residents[resident_id]

    def enrolments(self, resident_id: int | None) -> Mapping[str, Enrolment]:
        """Programme -> enrolment of a resident, ended ones too; asked of the database once a message."""
        if resident_id is None:
            return {}
        if resident_id not in self._enrolments:
            chart = charts_of(self.session).of(resident_id)
            self._enrolments[resident_id] = chart.enrolments if chart else {}
        return self._enrolments[resident_id]

    def forget_enrolments(self, resident_id: int) -> None:
        """After somebody was taken into a programme."""
        self._enrolments.pop(resident_id, None)
        self.known.clear()

    def numbers_only(self, before: str = "") -> None:
        """To whoever sees aggregates and no people (the county, domain.md G, Audit): where the names are."""
        sentence = "按规定这一级只看数字,不列姓名;要名单请找乡镇公卫科。"
        self.say(f"{before}\n{sentence}".strip(), [Choice("summary", "汇总")])

    def _covers(self, village_id: int) -> bool:
        if not self.scope.names:
            return False
        if self.scope.villages is not None:
            return village_id in self.scope.villages
        village = self.session.get(Organisation, village_id)
        return village is not None and village.path.startswith(self.scope.path)
