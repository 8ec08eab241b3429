"""A village doctor talking to the bot in a test, on either database: lines in, words out, and what is stored.

`Clinic` keeps one open session; nothing is sent anywhere, so a conversation takes milliseconds.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.answer import answer
from handlers.asking import current_question
from handlers.turn import Turn
from models.conversation import Conversation
from models.enrolment import Enrolment
from models.figures import Figure, figures
from models.line_list import line_list
from models.message import IncomingMessage
from models.people import HealthWorker, Organisation, Resident
from models.record import Record
from models.recount import recount
from models.scope import scope_of
from models.seed import seed
from tests.conftest import CHINA
from tests.databases import fresh_store


class Clinic:
    """李梅 and her villages."""

    def __init__(self, session: Session, day: date) -> None:
        self.session, self.day = session, day
        self.worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        self.scope = scope_of(session, self.worker)
        self.kept, self.sent = "{}", 0
        self.settings: dict[str, Any] = {}

    def say(self, text: str | None = None, *chosen: str) -> str:
        """Send words, or press buttons by id or label; what the bot says to it."""
        self.sent += 1
        turn = self._turn(text)
        if chosen:
            known = {c.label: c.id for c in current_question(turn).choices} if turn.conversation.is_open else {}
            pressed = tuple(known.get(one, one) for one in chosen)
            turn = self._turn(None, pressed)
        answer(turn)
        self.session.flush()
        self.kept = json.dumps(turn.conversation.to_json())
        return "\n".join(reply.text for reply in turn.replies)

    def asks(self) -> str:
        """The field that is asked, or 'confirm'; "" when no form is open."""
        turn = self._turn(None)
        return current_question(turn).asks if turn.conversation.is_open else ""

    def press(self, *chosen: str) -> str:
        return self.say(None, *chosen)

    def submit(self, text: str, *answers: str) -> Record:
        """A line, the answers to what it leaves open, and 提交; the record made last."""
        said = self.say(text)
        for given in answers:
            said = self.say(given)
        said = self.press("submit")
        assert "✅ 已记录" in said, said
        return self.session.scalars(select(Record).order_by(Record.id.desc()).limit(1)).one()

    def resident(self, name: str) -> Resident:
        return self.session.scalars(select(Resident).where(Resident.name == name)).one()

    def enrolment(self, name: str, programme: str) -> Enrolment:
        query = select(Enrolment).join(Resident, Resident.id == Enrolment.resident_id)
        found = query.where(Resident.name == name, Enrolment.programme == programme)
        return self.session.scalars(found.execution_options(populate_existing=True)).one()

    def enrol(self, name: str, programme: str, **given: Any) -> Enrolment:
        """Put a resident of the seed into a programme."""
        resident = self.resident(name)
        enrolment = Enrolment(
            resident_id=resident.id, village_id=resident.village_id, programme=programme, since=self.day, **given
        )
        self.session.add(enrolment)
        self.session.flush()
        return enrolment

    def figure(self, code: str, first: date | None = None, last: date | None = None) -> Figure:
        county = self.session.scalars(select(Organisation).where(Organisation.level == "county")).one()
        first, last = first or date(self.day.year, 1, 1), last or date(self.day.year, 12, 31)
        return next(f for f in figures(self.session, county, first, last, last) if f.code == code)

    def names(self, code: str) -> list[str]:
        """The names behind a figure of the year."""
        first, last = date(self.day.year, 1, 1), date(self.day.year, 12, 31)
        found = line_list(self.session, self.scope, code, first, last, last, limit=1000)
        assert found is not None and found.total == len(found.lines)
        return [line.name or "" for line in found.lines]

    def counters_are_right(self) -> bool:
        """Commits first: recounting reads one snapshot."""
        self.session.commit()
        return list(recount(self.session)) == []

    def _turn(self, text: str | None, chosen: tuple[str, ...] = ()) -> Turn:
        now = datetime.combine(self.day, time(1), UTC) + timedelta(seconds=self.sent)
        message = IncomingMessage("console", "V001", f"e{self.sent}", now, text=text, chosen=chosen)
        conversation = Conversation.from_json(json.loads(self.kept))
        return Turn(self.session, now, CHINA, self.worker, self.scope, conversation, message, self.settings)


@contextmanager
def clinic(backend: str = "sqlite", day: date = date(2026, 11, 24), residents: int = 60) -> Iterator[Clinic]:
    """The seeded village on a day, without a past."""
    with fresh_store(backend) as store, store.write() as session:
        seed(session, day, datetime.combine(day, time(1), UTC), residents=residents, doctors=3, history=False)
        yield Clinic(session, day)
        session.rollback()
