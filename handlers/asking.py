"""What is asked now: the one open question, computed from the drafts alone (promise 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from handlers import alarm, evaluation, recap, residents
from handlers.absence import SEEN, gone_since, not_seen
from handlers.evaluation import known_of
from handlers.form import Form, day_of
from handlers.menu import FORMS
from handlers.steps import Step
from handlers.turn import Turn
from models.conversation import Doubt, Draft
from models.message import Choice, mark_name
from models.people import STATUS_TITLES, Status
from models.services import PROGRAMMES

SKIP = Choice("skip", "跳过")
NONE_OF_THEM = Choice("r.none", "都不是")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked now: `asks` is the field, 'resident' or 'confirm'. Its words are made when they are read."""

    words: Callable[[], str]
    choices: tuple[Choice, ...]
    asks: str
    index: int = 0
    step: Step | None = None
    doubt: Doubt | None = None
    optional: bool = False

    @property
    def text(self) -> str:
        return self.words()


def current_question(turn: Turn) -> Question:
    """The one thing that is open, computed from the drafts alone."""
    conversation = turn.conversation
    if conversation.editing:
        number, _, name = conversation.editing.partition(".")
        if name == "all":
            return _confirm(turn, all_fields=True)
        step = FORMS[conversation.drafts[int(number)].service].step(name)
        if step is not None:
            return _ask(turn, int(number), step)
    by_doubt = sorted(enumerate(conversation.drafts), key=lambda d: not (d[1].doubts and d[1].resident_id))
    for index, draft in by_doubt:  # a value in doubt comes before anything that was not said yet
        if question := _open_in(turn, index, draft):
            return question
    return _confirm(turn, all_fields=False)


def _open_in(turn: Turn, index: int, draft: Draft) -> Question | None:
    form = FORMS[draft.service]
    if form.about == "resident" and draft.resident_id is None:
        return _ask_resident(turn, index, draft)
    if doubt := _too_late(turn, draft):
        return Question(partial(_headed, turn, index, doubt.ask), _doubt_choices(doubt), "on", index, None, doubt)
    known = known_of(turn, draft)
    if "outside" not in draft.answers and (doubt := form.admits(known)):
        return Question(partial(_headed, turn, index, doubt.ask), _doubt_choices(doubt), "outside", index, None, doubt)
    if form.at_once and not draft.doubts and not not_seen(draft.answers) and (contradiction := form.check(known)):
        draft.doubts["check"] = contradiction
    step = form.in_doubt(draft)
    loose = next((name for name in draft.doubts if form.step(name) is None), None)
    if step is None and loose is None:  # what was said and is not clear (80 是什么?) comes before what was not said
        step = form.next_step(draft, known)
    if step is not None:
        return _ask(turn, index, step)
    loose = loose or _contradiction(form, draft, turn)
    if loose and (step := form.step(loose)):
        return _ask(turn, index, step)
    if loose:
        doubt = draft.doubts[loose]
        return Question(partial(_headed, turn, index, doubt.ask), _doubt_choices(doubt), loose, index, None, doubt)
    return None


def _contradiction(form: Form, draft: Draft, turn: Turn) -> str | None:
    """A contradiction between answers, or a resident not in the programme: one question, kept as a doubt."""
    if doubt := form.check(known_of(turn, draft)):
        draft.doubts["check"] = doubt
        return "check"
    if not draft.corrects and (noticed := form.notices(turn, draft)):
        name, doubt = noticed
        draft.answers.pop(name, None)
        draft.doubts[name] = doubt
        return name
    if doubt := _seen_or_not(form, draft):
        draft.doubts["seen_checked"] = doubt
        return "seen_checked"
    if doubt := _seen_since(turn, draft):
        draft.doubts["gone_checked"] = doubt
        return "gone_checked"
    if form.programme and form.enrols == "ask" and "enrol" not in draft.answers and not draft.corrects:
        if not_seen(draft.answers) or evaluation.is_in_programme(turn, draft):
            return None
        decision = evaluation.evaluate(turn, draft).decision
        if decision is None or "outside_programme" not in decision.flags:
            title = PROGRAMMES[form.programme] if form.heading == form.title else "这个项目"
            draft.doubts["enrol"] = Doubt(
                f"{recap.who(turn, draft)}还不在{title}的管理名单里。已确诊的,这次一并纳入管理吗?",
                [("纳入管理", {"enrol": 1}), ("只记这一次", {"enrol": 0})],
            )
            return "enrol"
    return None


def _too_late(turn: Turn, draft: Draft) -> Doubt | None:
    """No service after a death or a move, however long ago the form was begun."""
    resident, day = turn.resident(draft.resident_id), day_of(draft.answers, turn.today)
    if resident is None or draft.corrects or resident.status not in (Status.DIED, Status.MOVED):
        return None
    gone, why = resident.status_on, STATUS_TITLES[Status(resident.status)]
    if gone is not None and day <= gone:
        return None
    return Doubt(
        f"{mark_name(resident.name)}登记为{why}{gone or ''},不能再记随访({day})。是之前的请发日期,例如“11月8号”;"
        "登记有误请联系公卫科更正;不记了发“取消”。",
        [],
    )


def _seen_or_not(form: Form, draft: Draft) -> Doubt | None:
    """Not at home, and yet a pressure: one of the two is a mistake."""
    told = [step for step in form.steps if step.is_answered(draft.answers) and set(step.fields) & set(form.needs)]
    if not told or not not_seen(draft.answers) or "seen_checked" in draft.answers:
        return None
    shown, outcome = f"{told[0].title} {told[0].show(draft.answers)}", form.labels(draft.answers)["outcome"]
    options = [(f"见到了,{shown}", {"outcome": SEEN}), (f"没见到({outcome})", {"seen_checked": 1})]
    return Doubt(f"又记了“{outcome}”,又有{shown},这次见到本人了吗?", [*options])


def _seen_since(turn: Turn, draft: Draft) -> Doubt | None:
    """A death or a move that lies before a service already recorded is asked."""
    left = gone_since(draft.answers, day_of(draft.answers, turn.today))
    if left is None or draft.corrects or "gone_checked" in draft.answers:
        return None
    seen = evaluation.last_seen_on(turn, draft)
    if seen is None or seen <= left:
        return None
    return Doubt(
        f"{recap.who(turn, draft)}在{seen}还有服务记录,晚于{left}。请核对日期,改好再提交。",
        [(f"日期没错,就是{left}", {"gone_checked": 1})],
    )


def _ask_resident(turn: Turn, index: int, draft: Draft) -> Question:
    title = FORMS[draft.service].heading
    leave_out = (Choice(f"drop.{index}", "不记这一条"),) if len(turn.conversation.drafts) > 1 else ()
    if not draft.candidates:
        text = f"{title}:是哪一位居民?请发姓名(也可以发拼音首字母或身份证后四位)。"
        if draft.who:
            text = f"您负责的居民里没找到“{draft.who}”。请再发一次姓名、拼音首字母或身份证后四位;新居民先发“建档”。"
        return Question(partial(_headed, turn, index, text), leave_out, "resident", index)
    rows = [r for r in (turn.resident(i) for i in draft.candidates[: residents.MOST_OFFERED]) if r]
    choices = tuple(Choice(f"r.{r.id}", f"{mark_name(r.name)} {residents.describe(turn, r)}") for r in rows)
    text = f"“{draft.who}”是哪一位?" if draft.who else f"{title}:是哪一位?"
    return Question(partial(_headed, turn, index, text), (*choices, NONE_OF_THEM, *leave_out), "resident", index)


def _ask(turn: Turn, index: int, step: Step) -> Question:
    draft = turn.conversation.drafts[index]
    doubt = next((draft.doubts[name] for name in step.fields if name in draft.doubts), None)
    if doubt:
        alarm = f"{doubt.alarm}\n" if doubt.alarm else ""
        choices = (*_doubt_choices(doubt), *((SKIP,) if step.optional else ()))
        words = partial(_headed, turn, index, alarm + doubt.ask)
        return Question(words, choices, step.field, index, step, doubt, step.optional)
    known = known_of(turn, draft)
    choices = step.choices(known)
    if step.many:
        choices = (*choices, Choice(f"{step.field}.done", "选好了"))
    if step.optional or not step.asked:
        choices = (*choices, SKIP)
    form = FORMS[draft.service]
    if form.step("outcome") and step.field != "outcome" and not draft.answers.keys() - {"on"}:
        choices = (*choices, Choice(f"edit.{index}.outcome", "没见到本人"))
    words = partial(_headed, turn, index, step.question(known))
    return Question(words, choices, step.field, index, step, None, step.optional)


def _doubt_choices(doubt: Doubt) -> tuple[Choice, ...]:
    return tuple(Choice(f"o.{n}", label) for n, (label, _) in enumerate(doubt.options))


def _confirm(turn: Turn, *, all_fields: bool) -> Question:
    drafts = turn.conversation.drafts
    form, answers = FORMS[drafts[0].service], drafts[0].answers
    known = known_of(turn, drafts[0])
    complete = form.complete(answers, known)  # what was told at an earlier visit can be changed as well
    shown = [s for s in form.steps if s.is_answered(complete) or (all_fields and s.when(known))]
    shown = shown if len(drafts) == 1 else []
    choices = recap.recap_choices(drafts, [(0, s) for s in shown], all_fields=all_fields)
    return Question(partial(recap.recap_text, turn, drafts), tuple(choices), "confirm")


def _headed(turn: Turn, index: int, text: str) -> str:
    """Which draft a question belongs to, where that could be unclear."""
    draft = turn.conversation.drafts[index]
    name = recap.who(turn, draft)
    if len(turn.conversation.drafts) > 1:
        return f"第{index + 1}条 {FORMS[draft.service].heading} {name}:{text}"
    return f"{name}:{text}" if name and draft.answers.keys() - {"on"} else f"{name} {text}".strip()


def ask(turn: Turn, before: str = "") -> None:
    """Say the open question, after an optional remark on the last answer."""
    question = current_question(turn)
    advice = alarm.watch(turn)
    says_it_itself = question.asks == "confirm" or (question.doubt is not None and question.doubt.alarm)
    before = "\n".join([*([] if says_it_itself else advice), *([before] if before else [])])
    draft = turn.conversation.drafts[question.index]
    many = question.step is not None and question.step.many and question.doubt is None
    text = f"{before}\n{question.text}" if before else question.text
    turn.say(
        text,
        question.choices,
        many=many,
        ticked=tuple(f"{question.asks}.{code}" for code in draft.ticked) if many else (),
        urgent="🔴" in text,
    )


def conversation_state(turn: Turn) -> dict[str, Any] | None:
    """The contract's `conversation` object for `cunyi chat --json`."""
    if not turn.conversation.is_open:
        return None
    question = current_question(turn)
    records = [
        {
            "service": draft.service,
            "resident": {"id": draft.resident_id, "name": r.name} if (r := turn.resident(draft.resident_id)) else None,
            "answers": draft.answers,
        }
        for draft in turn.conversation.drafts
    ]
    state = {**records[question.index], "asks": question.asks, "optional": question.optional}
    return {**state, "records": records} if len(records) > 1 else state
