"""What holds for every form: the order of answering, going back, changing at the recap and resuming make no difference.

Each form is filled in from the same plan of answers in six ways: straight through; wandering (a question out of turn, a
step back); going back after every single answer and giving it again; asking for other things before every answer (a
command, a list, a chat); opening every answered field once more at the recap; and correcting the record once it is made. The conversation is sealed and opened
again before every message, as after a restart. All must record the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.answer import answer
from handlers.asking import Question, current_question
from handlers.evaluation import known_of
from handlers.filling import open_drafts
from handlers.form import Form
from handlers.forms.event import Place
from handlers.menu import FORMS
from handlers.steps import Day, Known, Number, Step, Text
from handlers.turn import Turn
from models.base import Store
from models.conversation import Conversation, Draft
from models.message import IncomingMessage
from models.people import HealthWorker, Resident
from models.record import Agreement, Record
from models.scope import scope_of
from tests.conftest import CHINA, NOW, TODAY

MOST_MESSAGES = 150
VALUES = {
    "disability_card": "跳过",
    "scores": "3 2 2 1 1 2 1 1 2 3 2 2 3 2 1 2 1 1 1 1 2 2 1 1 1 2 1 2 2 1 2 1 1",
    "systolic": "152/94",
    "fasting_glucose": "空腹 8.2",
    "place": "石桥村",
    "length": "82.5",
    "last_menstrual_period": "2026-07-01",
    "gestational_weeks": "20周+3天",
    "name": "向晚秋",
    "identity_number": "跳过",
    "phone": "13807451234",
    "codes": "A012",
}
RESIDENTS = {
    "antenatal_visit": ("female", 18, 40),
    "postpartum_visit": ("female", 18, 40),
    "folic_acid": ("female", 18, 40),
}
CHILDREN = ("newborn_visit", "child_check", "vaccination")
INSIDE = {"enrol", "gone_checked", "seen_checked"}  # how a question was settled, not what was found


class Speaker:
    """李梅, whose conversation is sealed and opened again before every message."""

    def __init__(self, session: Session) -> None:
        self.session, self.said, self.kept = session, [], "{}"
        self.worker = session.scalars(select(HealthWorker).where(HealthWorker.code == "V001")).one()
        self.scope = scope_of(session, self.worker)

    def turn(self, **content: Any) -> Turn:
        message = IncomingMessage("console", "V001", f"e{len(self.said)}", NOW, **content)
        conversation = Conversation.from_json(json.loads(self.kept))
        return Turn(self.session, NOW, CHINA, self.worker, self.scope, conversation, message)

    def send(self, *chosen: str, text: str | None = None) -> None:
        turn = self.turn(text=text, chosen=chosen, context="")
        answer(turn)
        self.said.append(text or chosen)
        self.kept = json.dumps(turn.conversation.to_json())

    def question(self) -> Question:
        return current_question(self.turn())

    def begin(self, code: str) -> None:
        turn = self.turn()
        open_drafts(turn, [Draft(code, a_resident(self.session, self.worker, code))])
        self.kept = json.dumps(turn.conversation.to_json())


def a_resident(session: Session, worker: HealthWorker, code: str) -> int | None:
    """Somebody of the doctor's whom the form is for."""
    if FORMS[code].about != "resident":
        return None
    people = session.scalars(
        select(Resident).where(Resident.village_id.in_(worker.villages)).order_by(Resident.id)
    ).all()
    if code == "signing_end":  # somebody with one agreement that holds
        signed = session.scalars(
            select(Agreement.resident_id).where(Agreement.ends_on > TODAY).order_by(Agreement.id)
        ).all()
        return next(p.id for p in people if signed.count(p.id) == 1)
    sex, youngest, oldest = RESIDENTS.get(code, (None, 66, 90))
    if code in CHILDREN:
        youngest, oldest = 0, 6
    today = NOW.astimezone(CHINA).date()
    fitting = [
        p for p in people if p.status == "active" and (age := p.age_on(today)) is not None and youngest <= age <= oldest
    ]
    return next((p.id for p in fitting if sex in (None, p.sex)), people[0].id)


class Plan:
    """One answer for every question, chosen when it is first asked and kept."""

    def __init__(self, seed: int) -> None:
        self.random, self.of = Random(seed), {}

    def answer_to(self, question: Question, turn: Turn) -> tuple[tuple[str, ...], str | None]:
        """(buttons, text)"""
        key = question.asks if question.doubt is None else f"{question.asks}?{question.doubt.ask}"
        if key not in self.of:
            self.of[key] = self._choose(question, turn)
        return self.of[key]

    def _choose(self, question: Question, turn: Turn) -> tuple[tuple[str, ...], str | None]:
        ids = [c.id for c in question.choices if not c.id.startswith("edit.")]
        if question.doubt is not None:
            options = [i for i in ids if i.startswith("o.")]
            return ((self.random.choice(options),), None) if options else ((), VALUES.get(question.asks, "取消"))
        step = question.step
        assert step is not None
        own = [i for i in ids if i.startswith(f"{step.field}.") and not i.endswith(".done")]
        if step.many and own:
            return (self.random.choice(own), f"{step.field}.done"), None
        if own and step.field not in VALUES:
            return (self.random.choice(own),), None
        if question.optional and self.random.random() < 0.3:
            return ("skip",), None
        return (), self._text(step, turn)

    def _text(self, step: Step, turn: Turn) -> str:
        if step.field in VALUES:
            return VALUES[step.field]
        if isinstance(step, Number):
            low, high = step.usual or step.possible
            return f"{round(low + (high - low) * self.random.uniform(0.3, 0.6), step.decimals):g}"
        if isinstance(step, Day):
            day = turn.today - timedelta(days=3) if step.past else turn.today + timedelta(days=20)
            return day.isoformat()
        return "情况说明"


COMMANDS = ("今日", "帮助", "逾期", "好的谢谢", "设置", "收到")
CHATTER = "今天下雨路滑"  # free words take anything, and a day asks whether it is meant


def fill(speaker: Speaker, code: str, plan: Plan, wander: Random | None = None, way: str = "") -> dict[str, Any] | None:
    """Fill the form in and submit; the answers recorded, or None where the plan ends in a dead end (取消)."""
    speaker.begin(code)
    form = FORMS[code]
    reopened: set[str] = set()
    for number in range(MOST_MESSAGES):
        question = speaker.question()
        turn = speaker.turn()
        if way == "interrupted":
            free = question.step is None or isinstance(question.step, (Text, Place, Day))
            said = COMMANDS[number % len(COMMANDS)] if free or number % 2 else CHATTER
            speaker.send(text=said)
            assert speaker.question().asks == question.asks, f"{said} answered {question.asks}"
        if way == "corrected" and question.asks == "confirm" and (step := to_reopen(turn, plan, reopened)):
            reopened.add(step.field)
            open_again(speaker, step, plan)
            continue
        if wander and question.doubt is None and question.asks != "resident" and wander.random() < 0.35:
            wandered(speaker, form.steps, plan, wander)
            question = speaker.question()
            turn = speaker.turn()
        if question.asks == "confirm":
            speaker.send("submit")
            if way == "amended":
                amended(speaker, plan)
            records = speaker.session.scalars(select(Record).order_by(Record.id.desc()).limit(1)).all()
            return {k: v for k, v in records[0].answers.items() if k not in INSIDE} if records else None
        buttons, text = plan.answer_to(question, turn)
        speaker.send(*buttons, text=text)
        if not json.loads(speaker.kept).get("drafts"):
            return None
        if way == "back" and question.doubt is None and went_back(speaker, question):
            speaker.send(*buttons, text=text)
    raise AssertionError(f"{code}: the questions do not end: {speaker.said[-12:]}, still {speaker.question().text!r}")


def amended(speaker: Speaker, plan: Plan) -> None:
    """更正 of what was just recorded, changed in nothing; what was skipped or settled may be asked once more."""
    record = speaker.session.scalars(select(Record).order_by(Record.id.desc()).limit(1)).one()
    speaker.send(f"fix.{record.id}")
    for _ in range(MOST_MESSAGES):
        question = speaker.question()
        if question.asks == "confirm":
            break
        buttons, text = plan.answer_to(question, speaker.turn())
        speaker.send(*buttons, text=text)
    speaker.send("submit")
    latest = speaker.session.scalars(select(Record).order_by(Record.id.desc()).limit(1)).one()
    assert latest.corrects_id == record.id, speaker.said[-6:]


def to_reopen(turn: Turn, plan: Plan, reopened: set[str]) -> Step | None:
    """The next field that the plan has answered, and that may still be changed at the recap."""
    draft = turn.conversation.drafts[0]
    known = known_of(turn, draft)
    answered = (s for s in FORMS[draft.service].steps if s.field in plan.of and s.field not in reopened)
    return next((s for s in answered if s.when(known) and plan.of[s.field] != (("skip",), None)), None)


def open_again(speaker: Speaker, step: Step, plan: Plan) -> None:
    """改…, and the same answer."""
    speaker.send(f"edit.0.{step.field}")
    buttons, text = plan.of[step.field]
    speaker.send(*buttons, text=text)


def went_back(speaker: Speaker, question: Question) -> bool:
    """上一步, and it is this question again; an answer given bit by bit, or that raised a doubt, goes back a bit."""
    before = speaker.kept
    speaker.send(text="上一步")
    again = speaker.question()
    if again.asks == question.asks and again.doubt is None:
        return True
    speaker.kept = before
    return False


def wandered(speaker: Speaker, steps: tuple[Step, ...], plan: Plan, wander: Random) -> None:
    """One step back, or a question out of turn that the plan has an answer for."""
    if wander.random() < 0.4:
        speaker.send(text="上一步")
        return
    turn = speaker.turn()
    known = known_of(turn, turn.conversation.drafts[0])
    ready = [s for s in steps if s.field in plan.of and s.when(known) and plan.of[s.field] != (("skip",), None)]
    if ready:
        open_again(speaker, wander.choice(ready), plan)


@contextmanager
def never_committed(store: Store) -> Iterator[Session]:
    with store.write() as session:
        try:
            yield session
        finally:
            session.rollback()


@pytest.mark.parametrize("code", [code for code, form in FORMS.items() if not form.by_command])
def test_any_way_of_filling_in_records_the_same(code: str, county: Store) -> None:
    recorded = 0
    for seed in range(4):
        plan = Plan(seed)
        with never_committed(county) as session:
            straight = fill(Speaker(session), code, plan)
        for way in ("wandering", "back", "interrupted", "corrected", "amended"):
            with never_committed(county) as session:
                wander = Random(seed) if way == "wandering" else None
                recorded_so = fill(Speaker(session), code, plan, wander, way)
            assert recorded_so == straight, f"{way}, seed {seed}"
        recorded += straight is not None
    assert recorded, "no plan came to an end: the form cannot be submitted"


@pytest.mark.parametrize("form", [form for form in FORMS.values() if not form.by_command], ids=lambda form: form.code)
def test_a_day_in_chatter_is_never_simply_taken(form: Form) -> None:
    for step in form.steps:
        if isinstance(step, Day):
            for said in ("今天下雨路滑", "昨天停电了没网"):
                answer = step.read(said, Known(TODAY))
                assert answer.doubt is not None and not answer.values, f"{step.field}: {said}"
