"""Filling in forms. The next question is the first step not yet answered (promise 2); everything else follows from that."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from handlers import alarm, quick_entry, recap, residents
from handlers.asking import Question, ask, current_question
from handlers.evaluation import known_of
from handlers.keeping import absorb, is_of_one, store, with_alarm
from handlers.lines import prepare, read_fields
from handlers.menu import FORMS
from handlers.reading import normalise
from handlers.record_visit import submit
from handlers.replies import SKIPS, SUBMITS, YES
from handlers.steps import Answer, NotUnderstood, SelectMany, Step
from handlers.steps.base import begun
from handlers.steps.photo import Photo
from handlers.turn import Turn
from models.conversation import Doubt, Draft
from models.message import File
from models.people import Resident


def open_drafts(turn: Turn, drafts: Sequence[Draft], *, first: bool = False) -> None:
    """Begin (or add to) the conversation. Each draft is about the day it was written on until the doctor says another.

    `first` puts them before what is open, to be asked now; what was open goes on afterwards.
    """
    conversation = turn.conversation
    if not conversation.is_open:
        seed = f"{turn.incoming.channel}:{turn.incoming.event_id}:{turn.worker.id}"
        conversation.key = hashlib.sha256(seed.encode()).hexdigest()[:10]
        conversation.begun_on = turn.said_on.isoformat()
        conversation.pending = None
    for draft in drafts:
        draft.answers.setdefault("on", turn.said_on.isoformat())
        draft.doubts = {name: with_alarm(turn, draft, doubt) for name, doubt in draft.doubts.items()}
    conversation.editing, conversation.trail = None, []
    fresh = [draft for draft in _each_visit_once(drafts) if not _said_again(conversation.drafts, draft)]
    conversation.drafts = [*fresh, *conversation.drafts] if first else [*conversation.drafts, *fresh]


def _each_visit_once(drafts: Sequence[Draft]) -> list[Draft]:
    """Two lines of one message about the same visit are one form; what they say differently is asked."""
    once: list[Draft] = []
    for said in drafts:
        first = next((d for d in once if d.resident_id is not None and _same_visit(d, said)), None)
        if first is None or said.corrects:
            once.append(said)
            continue
        for step in FORMS[said.service].steps:
            told = [{n: d.answers[n] for n in step.fields if n in d.answers} for d in (first, said)]
            if all(told) and told[0] != told[1] and step.field != "on":
                options = [(step.show(values), values) for values in told]
                first.doubts[step.field] = Doubt(
                    f"{step.title}有不止一个:{'、'.join(o for o, _ in options)},是哪个?", options
                )
                for name in step.fields:
                    first.answers.pop(name, None)
                    said.answers.pop(name, None)
        first.answers |= said.answers
        first.doubts = {**said.doubts, **first.doubts}
    return once


def _said_again(drafts: Sequence[Draft], said: Draft) -> bool:
    """The line of a visit that is open already, sent once more: what it says takes the place of what was said before."""
    for draft in drafts:
        if said.resident_id is not None and _same_visit(draft, said):
            for name in FORMS[said.service].told_together({*said.answers, *said.doubts} - {"on"}):
                draft.answers.pop(name, None)
                draft.doubts.pop(name, None)
            draft.answers |= said.answers
            draft.doubts |= said.doubts
            draft.source = said.source or draft.source
            return True
    return False


def _same_visit(draft: Draft, other: Draft) -> bool:
    """The same service of the same resident on the same day; of a form with several kinds, of the same kind."""
    each = FORMS[draft.service].each
    a, b = ((d.service, d.resident_id, d.answers["on"], d.answers.get(each)) for d in (draft, other))
    return a == b


def take_text(turn: Turn, text: str, question: Question) -> bool:
    """A typed reply to the open question, which is none of its choices. False when it is no reply: the caller may find
    another meaning for it.
    """
    if question.asks == "confirm":
        return _take_at_recap(turn, text)
    if text.strip() in SUBMITS:
        take_choice(turn, ("submit",))
        return True
    if question.asks == "resident":
        return _take_resident(turn, question.index, text)
    if question.step is None:
        return _settle_in_words(turn, question, text)
    if question.optional and text.strip().lower() in SKIPS:
        take_choice(turn, ("skip",))
        return True
    if question.doubt and (meant := question.step.settles(text, question.doubt)) is not None:
        _settle(turn, question, meant)
        return True
    return _take_answer(turn, question, text)


def _settle_in_words(turn: Turn, question: Question, text: str) -> bool:
    """67 是什么? answered with 心率, or 心率67."""
    if question.doubt and (meant := begun(text, question.doubt)) is not None:
        _settle(turn, question, meant)
        return True
    if absorb(turn, question.index, text) is None:
        return False
    turn.conversation.drafts[question.index].doubts.pop(question.asks, None)
    ask(turn)
    return True


def _take_answer(turn: Turn, question: Question, text: str) -> bool:
    step, index = question.step, question.index
    assert step is not None
    known = known_of(turn, turn.conversation.drafts[index])
    try:
        answer = step.read(text, known)
    except NotUnderstood as error:
        noted = absorb(turn, index, text)
        ask(turn, before=str(error) if noted is None else noted.words)
        return True
    store(turn, index, step, answer)
    if not step.takes_all and not _ONE_THING.fullmatch(text):
        _take_the_rest(turn, index, step, text)
    ask(turn)
    return True


_ONE_THING = re.compile(r"\s*(?:[\d./]+\s*\S{0,4}|\S{1,4})\s*")  # 36.5度, 没有: the answer and nothing else


def _take_the_rest(turn: Turn, index: int, answered: Step, text: str) -> None:
    """A reply that says more than was asked: 无症状 药按时吃. Nothing of it is dropped, and nothing said before is changed."""
    draft = turn.conversation.drafts[index]
    form, known = FORMS[draft.service], known_of(turn, draft)
    resident = turn.resident(draft.resident_id)
    line = prepare(normalise.tidy(text), [resident.name] if resident else [])
    for step, answer in read_fields(form, line, known).found:
        if step is not answered and step is not form.step("on") and not step.is_answered(draft.answers):
            store(turn, index, step, answer)


def take_file(turn: Turn, file: File) -> bool:
    """A photo, where the open question asks for one. False where it does not."""
    question = current_question(turn)
    if not isinstance(question.step, Photo):
        return False
    try:
        answer = question.step.take(file, turn.incoming.channel)
    except NotUnderstood as error:
        ask(turn, before=str(error))
        return True
    store(turn, question.index, question.step, answer)
    ask(turn)
    return True


def _take_at_recap(turn: Turn, text: str) -> bool:
    if text.strip().lower().strip("。.!!") in YES:
        take_choice(turn, ("submit",))
        return True
    if is_of_one(turn) and (noted := absorb(turn, 0, text)) is not None:
        turn.conversation.editing = None
        ask(turn, before=noted.unread)
        return True
    return False


def _take_resident(turn: Turn, index: int, text: str) -> bool:
    draft = turn.conversation.drafts[index]
    match = residents.find_in_line(turn, text)
    draft.who, draft.candidates = text.strip()[:20], residents.search(turn, text)
    if match and match.is_sure and (resident := turn.resident(match.ids[0])):
        choose_resident(turn, index, resident)
    elif not draft.candidates and (noted := absorb(turn, index, text)) is not None:
        draft.who = ""
        ask(turn, before=noted.words)
    else:
        ask(turn)
    return True


def choose_resident(turn: Turn, index: int, resident: Resident) -> None:
    """Set whom a draft is about, and ask on; of somebody dead or moved away only what was done before is taken."""
    conversation = turn.conversation
    draft = conversation.drafts[index]
    theirs = [  # both records of one line are about the same person
        other
        for other in conversation.drafts
        if other is draft or (draft.source and other.source == draft.source and other.resident_id is None)
    ]
    others = [other for other in conversation.drafts if other not in theirs]
    read = quick_entry.read_again(turn, draft, resident) if draft.source and not draft.source.endswith("…") else []
    for other in theirs:
        other.resident_id, other.candidates = resident.id, []
    if read and {other.service for other in read} != {other.service for other in theirs}:
        theirs = [_with_answers(turn, fresh, theirs) for fresh in read]
    if len(theirs) == 1 and not others:
        theirs[0].source = ""
    fresh = [other for other in theirs if not _said_again(others, other)]  # a visit of theirs may be open already
    conversation.drafts = [*others[:index], *fresh, *others[index:]]
    conversation.trail = []
    ask(turn)


def _with_answers(turn: Turn, fresh: Draft, before: Sequence[Draft]) -> Draft:
    """A draft with what was answered meanwhile to the questions that its form shares with those it stands for."""
    fresh.answers.setdefault("on", turn.said_on.isoformat())
    for draft in before:
        for step in FORMS[draft.service].steps:
            same = next((s for s in FORMS[fresh.service].steps if s.is_same(step)), None)
            if same is not None and step.is_answered(draft.answers):
                fresh.answers |= {name: draft.answers[name] for name in step.fields if name in draft.answers}
    return fresh


def take_choice(turn: Turn, chosen: Sequence[str], question: Question | None = None) -> bool:
    """Pressed buttons. False when they are not of this conversation's form."""
    conversation, first = turn.conversation, chosen[0]
    question = question or current_question(turn)
    if first == "submit":
        submit(turn) if question.asks == "confirm" else ask(turn, before="还有没填完的,先回答这一项:")
    elif first == "cancel":
        abandon(turn)
    elif first == "more":
        conversation.editing = "0.all"
        ask(turn)
    elif first.startswith("edit."):
        _, index, name = first.split(".", 2)
        conversation.editing = f"{index}.{name}"
        ask(turn)
    elif first.startswith("drop."):
        _drop(turn, int(first.removeprefix("drop.")))
    elif first == "skip":
        _skip(turn, question)
    elif first.startswith("r."):
        _pick_resident(turn, question, first.removeprefix("r."))
    elif first.startswith("o.") and question.doubt:
        _settle(turn, question, int(first.removeprefix("o.")))
    else:
        return _take_option(turn, question, chosen)
    return True


def abandon(turn: Turn) -> None:
    """取消: nothing was recorded, and whoever waits for an alarm of it is not told."""
    drafts = list(turn.conversation.drafts)
    for draft in drafts:
        alarm.unwatch(turn, draft)
    whose: dict[str, list[str]] = {}
    for draft in drafts:
        whose.setdefault(recap.who(turn, draft), []).append(FORMS[draft.service].heading)
    what = {name: "、".join(dict.fromkeys(headings)) for name, headings in whose.items()}
    turn.conversation.close()
    if len(what) == 1:
        turn.say(f"已取消,{next(iter(what.values()))}没有记录。")
    else:  # all of them are given up, and the doctor hears whose
        turn.say(
            "已取消,都没有记录:" + ";".join(f"{name} {headings}".strip() for name, headings in what.items()) + "。"
        )


def _drop(turn: Turn, index: int) -> None:
    if 0 <= index < len(turn.conversation.drafts):
        alarm.unwatch(turn, turn.conversation.drafts[index])
        del turn.conversation.drafts[index]
        turn.conversation.trail = []
    if turn.conversation.drafts:
        ask(turn, before="已去掉。")


def _skip(turn: Turn, question: Question) -> None:
    conversation = turn.conversation
    draft = conversation.drafts[question.index]
    editing, conversation.editing = conversation.editing, None
    if question.step is not None and (question.optional or editing):
        for name in question.step.fields:
            draft.doubts.pop(name, None)
        if not editing:
            for other in conversation.drafts:  # asked once for both records of a visit, so skipped once for both
                if other.resident_id == draft.resident_id and any(
                    question.step.is_same(s) for s in FORMS[other.service].steps
                ):
                    other.skipped.append(question.step.field)
            conversation.trail.append(f"{question.index}.{question.step.field}")
        ask(turn)
    else:
        ask(turn, before="这一项不能跳过。")


def _pick_resident(turn: Turn, question: Question, code: str) -> None:
    draft = turn.conversation.drafts[question.index]
    resident = turn.resident(int(code)) if code.isdigit() else None
    if question.asks != "resident":
        ask(turn)
    elif resident is None:
        draft.candidates, draft.who = [], ""
        ask(turn)
    else:
        choose_resident(turn, question.index, resident)


def _settle(turn: Turn, question: Question, number: int) -> None:
    """The doctor said which reading of a doubtful value is meant."""
    assert question.doubt is not None
    if not 0 <= number < len(question.doubt.options):
        ask(turn)
        return
    values = question.doubt.options[number][1]
    draft = turn.conversation.drafts[question.index]
    steps = (
        [question.step] if question.step else [s for s in FORMS[draft.service].steps if set(s.fields) & values.keys()]
    )
    if question.step is None:
        draft.doubts.pop(question.asks, None)
        draft.answers.update(values)
    for step in steps:
        told = {name: values[name] for name in step.fields if name in values} if question.step is None else values
        kept = {name: draft.answers[name] for name in step.fields if name in draft.answers}
        store(turn, question.index, step, Answer({**kept, **told}))
    ask(turn)


def _take_option(turn: Turn, question: Question, chosen: Sequence[str]) -> bool:
    step = question.step
    prefix = f"{step.field}." if step else ""
    if step is None or question.doubt or not all(c.startswith(prefix) for c in chosen):
        return False
    codes = [c.removeprefix(prefix) for c in chosen]
    known = known_of(turn, turn.conversation.drafts[question.index])
    try:
        if isinstance(step, SelectMany):
            answer = _tick(turn, question.index, step, codes)
            if answer is None:
                ask(turn)
                return True
        else:
            answer = step.choose(codes[0], known)
    except NotUnderstood as error:
        ask(turn, before=str(error))
        return True
    store(turn, question.index, step, answer)
    ask(turn)
    return True


def _tick(turn: Turn, index: int, step: SelectMany, codes: list[str]) -> Answer | None:
    """Tick and untick until 选好了; 'nothing' needs no more than its own tap, and a vote card brings all at once."""
    draft = turn.conversation.drafts[index]
    known = known_of(turn, draft)
    done = "done" in codes
    codes = [c for c in codes if c != "done"]
    if codes == [str(step.none_code)]:
        return step.of_codes(codes, known)
    if done and codes:  # a vote card brings the whole answer at once
        return step.of_codes(codes, known)
    draft.ticked = [*[t for t in draft.ticked if t not in codes], *[c for c in codes if c not in draft.ticked]]
    return step.of_codes(draft.ticked, known) if done else None


def step_back(turn: Turn) -> None:
    """上一步: the last answer is taken out, so its question is again the first one open."""
    conversation = turn.conversation
    conversation.editing = None
    if not conversation.trail:
        ask(turn, before="已经是第一步了。")
        return
    index, _, name = conversation.trail.pop().partition(".")
    draft = conversation.drafts[int(index)]
    step = FORMS[draft.service].step(name)
    if step is not None:
        left = step.taken_back(draft.answers)
        for field in step.fields:
            draft.answers.pop(field, None)
            draft.doubts.pop(field, None)
        draft.answers |= left
        draft.skipped = [field for field in draft.skipped if field != name]
        if not step.asked:
            conversation.editing = f"{index}.{name}"
    ask(turn)
