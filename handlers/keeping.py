"""Answers are kept in the open forms: shared by the services of one visit, and looked for in a sentence beside the question."""

from __future__ import annotations

from dataclasses import dataclass

from handlers import evaluation
from handlers.evaluation import known_of
from handlers.leftovers import Leftovers, ask_numbers, is_filler, leftovers
from handlers.lines import blank, prepare, read_fields
from handlers.menu import FORMS
from handlers.reading import normalise
from handlers.recognise import explained
from handlers.steps import Answer, Step
from handlers.turn import Turn
from models.conversation import Doubt, Draft


def store(turn: Turn, index: int, step: Step, answer: Answer) -> None:
    """Keep an answer, or its doubt; share it with the other form of the same visit that asks the very same step."""
    conversation = turn.conversation
    conversation.editing = None
    first = conversation.drafts[index]
    for position, draft in enumerate(conversation.drafts):
        same_visit = draft is first or _serves_both(first, draft)
        same = next((s for s in FORMS[draft.service].steps if s.is_same(step)), None)
        if same_visit and same is not None:
            _keep(turn, draft, same, answer)
            if draft is first:
                conversation.trail.append(f"{position}.{step.field}")


def _serves_both(first: Draft, other: Draft) -> bool:
    """Two services of one visit share their answers; two records of one service (两癌) do not."""
    return first.resident_id is not None and first.resident_id == other.resident_id and first.service != other.service


def _keep(turn: Turn, draft: Draft, step: Step, answer: Answer) -> None:
    for name in step.fields:
        draft.answers.pop(name, None)
        draft.doubts.pop(name, None)
    draft.answers.update(answer.values)
    draft.ticked = []
    if step.field in draft.skipped:
        draft.skipped.remove(step.field)
    draft.doubts.pop("check", None)
    if answer.doubt:
        draft.doubts[step.field] = with_alarm(turn, draft, answer.doubt)
    known = known_of(turn, draft)
    for dependent in FORMS[draft.service].steps:  # an answer may have taken another question's reason away
        if dependent.asked and not dependent.when(known):
            for name in dependent.fields:
                draft.answers.pop(name, None)


def with_alarm(turn: Turn, draft: Draft, doubt: Doubt) -> Doubt:
    """A question never delays an alarm: if any reading of the value is an emergency, the advice stands with it (M-8)."""
    for _, values in doubt.options:
        if sentence := evaluation.emergency(turn, draft, **values):
            return Doubt(doubt.ask, doubt.options, f"🔴 如果属实:{sentence}")
    return doubt


def is_of_one(turn: Turn) -> bool:
    """All that is open is one resident's, or there is only one form."""
    drafts = turn.conversation.drafts
    return len(drafts) == 1 or ({draft.resident_id for draft in drafts} == {drafts[0].resident_id} - {None})


@dataclass(frozen=True, slots=True)
class Noted:
    """What a sentence beside the question told: the values kept, and the words that nothing read."""

    values: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unread: str = ""

    @property
    def words(self) -> str:
        kept = "已记下:" + "、".join(self.values) if self.values else ""
        changed = "已改:" + "、".join(self.changed) if self.changed else ""
        return "\n".join(filter(None, (kept, changed, self.unread)))


def absorb(turn: Turn, index: int, text: str) -> Noted | None:
    """Let every step of a visit look for itself in the text; None when none of them found anything.

    A visit is the draft, and what that one leaves is offered to the resident's other open services: the pressure is of
    both, the glucose of one. A number that nothing took is asked, and words are quoted back: nothing is passed over.
    """
    drafts = turn.conversation.drafts
    first = drafts[index]
    resident = turn.resident(first.resident_id)
    line = prepare(normalise.tidy(text), [resident.name] if resident else [])
    values: list[str] = []
    changed: list[str] = []
    taken: list[tuple[int, int]] = []
    visit = [index, *(n for n, draft in enumerate(drafts) if draft is not first and _serves_both(first, draft))]
    for n in visit:
        known = known_of(turn, drafts[n])
        reading = read_fields(FORMS[drafts[n].service], line, known, text=blank(line.text, taken))
        for step, answer in reading.found:
            before = step.show(drafts[n].answers) if step.is_answered(drafts[n].answers) else ""
            store(turn, n, step, answer)
            shown = step.show(answer.values) if answer.values else ""
            if before and shown not in ("", before):
                changed.append(f"{step.title} {shown}(原来{before})")
            elif shown:
                values.append(f"{step.title} {shown}")
        taken += explained(reading, line.text) if reading.found else []
    if not taken:
        return None
    left = leftovers(line, taken, known_of(turn, first), group=(resident.village_group or "") if resident else "")
    ask_numbers(first, [FORMS[drafts[n].service] for n in visit], left, known_of(turn, first))
    return Noted(tuple(values), tuple(changed), _unread(left))


def _unread(left: Leftovers) -> str:
    words = [word for word in left.words if not is_filler(word)]
    return f"没看懂:{'、'.join(words)}" if words else ""
