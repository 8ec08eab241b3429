"""不对,是148: what was just said is put right, where it was said. 说错了马上改

A sentence that begins so names nobody new and begins no record: it changes the form that is open, or opens the record
made last for correction. Whose value is meant is never guessed where several residents are open.
"""

from __future__ import annotations

import re

from handlers import alarm, corrections, filling, recap, residents
from handlers.asking import Question, ask
from handlers.evaluation import known_of
from handlers.keeping import absorb, is_of_one, store
from handlers.menu import FORMS
from handlers.reading import normalise
from handlers.residents import Match
from handlers.roster import Roster
from handlers.steps import NotUnderstood, Step
from handlers.steps.base import digits
from handlers.turn import Turn
from models.conversation import Doubt
from models.message import Choice, mark_name
from models.record import Record

_SIGH = r"(?:哎呀?|唉|哦|噢|嗯|额|呃|啊|抱歉|对不起|不好意思|等等|等一下|等下)"
_BEFORE = r"(?:我|刚才|刚刚|才|前面|上面|上一条|那个|这个|的|又)*"
_WRONG = (
    rf"{_BEFORE}(?:不对(?![劲称头路付])|(?:说|写|打|输|记|填|发|报|看|搞|弄|念|按|听|量|读)错了?|(?<![没未不吃用开买拿走认])错了|更正|订正|纠正"
    r"|(?:改成|改为|应该是|应为|应是)(?=\s*\d))"
)
_SLIP = re.compile(
    rf"^(?P<sigh>(?:{_SIGH}[\s,。!~…]*)*)(?P<what>[^\s\d,。:]{{0,6}}?)[\s,。:(]*{_WRONG}[\s,。:!~)了啊呀哦啦一下]*"
    r"(?:应该|应当)?(?:是|为|改成|改为)?[\s,:]*(?P<rest>.*\S.*)$",
    re.DOTALL,
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def without_slip(text: str) -> tuple[str, bool]:
    """The sentence without the words that take back, and whether there were any: 血压说错了,是148/92 -> 血压 148/92."""
    match = _SLIP.match(normalise.tidy(text))
    return (f"{match['what']} {match['rest']}".strip(), True) if match else (text, False)


def names_somebody(turn: Turn, said: str) -> bool:
    return bool(residents.find_named(turn, normalise.tidy(said), Roster(turn)))


def put_right(turn: Turn, said: str, question: Question) -> bool:
    """Change what is open. False where it is said of somebody else, or nothing of it was understood."""
    drafts = turn.conversation.drafts
    named = residents.find_named(turn, normalise.tidy(said), Roster(turn))
    theirs = [n for n, draft in enumerate(drafts) if named and draft.resident_id in named[0].ids]
    if named and not theirs:
        return said.strip() == named[0].said and _of_somebody_else(turn, question, named[0])
    index = theirs[0] if theirs else _whose(turn, question)
    if index is None:
        name = recap.who(turn, drafts[-1])
        ask(turn, before=f"开着几位居民的表,不知道改谁的,没有记。请带上姓名再发,例如:{name} {said[:20]}")
        return True
    if question.doubt and question.step is None and question.asks.startswith("number"):
        drafts[question.index].doubts.pop(question.asks)  # 148 是什么? 不对,是148/94
    said = normalise.tidy(said).replace(named[0].said, " ") if named else said
    if index == question.index and question.doubt and question.step and _read(turn, index, question.step, said):
        ask(turn)
    elif (noted := absorb(turn, index, said)) is not None:
        ask(turn, before="" if question.asks == "confirm" else _of(turn, index, question, noted.words))
    elif told := _answered_anew(turn, index, said):
        ask(turn, before="" if question.asks == "confirm" else told)
    elif doubt := _which(turn, index, said):
        drafts[index].doubts["number"] = doubt
        ask(turn)
    else:
        return False
    return True


def _of_somebody_else(turn: Turn, question: Question, meant: Match) -> bool:
    """不对,是王建国: what is open of the one who is asked about is his."""
    drafts = turn.conversation.drafts
    before = drafts[question.index].resident_id
    if before is None or drafts[question.index].corrects:
        return False
    for draft in drafts:
        if draft.resident_id == before:
            alarm.unwatch(turn, draft)
            draft.resident_id = meant.ids[0] if len(meant.ids) == 1 else None
            draft.candidates, draft.who = list(meant.ids), meant.said
            draft.doubts.pop("check", None)
    turn.conversation.trail = []
    ask(turn, before=f"已改成{mark_name(meant.said)}。")
    return True


def _of(turn: Turn, index: int, question: Question, noted: str) -> str:
    """With the name of whom it was noted of, where somebody else is asked about."""
    draft, asked = turn.conversation.drafts[index], turn.conversation.drafts[question.index]
    return noted if draft.resident_id == asked.resident_id else f"{recap.who(turn, draft)} {noted}"


def put_right_record(turn: Turn, said: str) -> bool:
    """Nothing is open: what was just recorded is opened with the new value, and changed by 提交 only."""
    records = _just_made(turn)
    if records and residents.is_name(turn, said):
        return _made_for_somebody_else(turn, records[-1], said.strip())
    if named := residents.find_named(turn, normalise.tidy(said), Roster(turn)):
        records = [record for record in records if record.resident_id in named[0].ids]
    if not records:
        return False
    if len({record.resident_id for record in records}) > 1:
        corrections.offer_correction(turn)
        return True
    filling.open_drafts(turn, [corrections.draft_of(record) for record in records])
    noted = absorb(turn, 0, said)
    if noted is None and (doubt := _which(turn, 0, said)):
        turn.conversation.drafts[0].doubts["number"] = doubt
    elif noted is None or not (noted.values or noted.changed):
        turn.conversation.close()
        return False
    changed = [d for d, r in zip(turn.conversation.drafts, records, strict=True) if d != corrections.draft_of(r)]
    turn.conversation.drafts = changed
    ask(turn, before="\n".join(filter(None, (corrections.OPENED, noted.unread if noted else ""))))
    return True


def _made_for_somebody_else(turn: Turn, record: Record, meant: str) -> bool:
    """A record is of the one it was made for: it is withdrawn, and said again."""
    name = corrections.name_of(turn, record)
    if not name or name == mark_name(meant):
        return False
    turn.say(
        f"刚才记的是{name}。是{mark_name(meant)}的,请先撤销这一条,再把那一行连姓名重发一次。",
        [Choice(f"withdraw.{record.id}", f"撤销{name}这一条"), Choice("today", "今日")],
    )
    return True


def _just_made(turn: Turn) -> list[Record]:
    """The records of today's last 提交 that this worker may still change."""
    made = [turn.session.get(Record, i) for i in turn.conversation.last.get("records", [])]
    return [r for r in made if r and r.status == "current" and r.recorded_at.astimezone(turn.tz).date() == turn.today]


def _whose(turn: Turn, question: Question) -> int | None:
    """The form of the last answer; None where several residents are open and none of them was answered for."""
    if is_of_one(turn) or question.asks == "resident":
        return question.index
    return int(turn.conversation.trail[-1].partition(".")[0]) if turn.conversation.trail else None


def _answered_anew(turn: Turn, index: int, said: str) -> str:
    """The same question answered last is answered anew: 78, and then 不对 是87."""
    number, _, name = turn.conversation.trail[-1].partition(".") if turn.conversation.trail else ("", "", "")
    if number != str(index) or (step := FORMS[turn.conversation.drafts[index].service].step(name)) is None:
        return ""
    return _read(turn, index, step, said)


def _read(turn: Turn, index: int, step: Step, said: str) -> str:
    """The new answer to a step, in words; "" where it is none."""
    answers = turn.conversation.drafts[index].answers
    before = f"(原来{step.show(answers)})" if step.is_answered(answers) else ""
    try:
        answer = step.read(said, known_of(turn, turn.conversation.drafts[index]))
    except NotUnderstood:
        return ""
    store(turn, index, step, answer)
    return f"已改:{step.title} {step.show(answer.values)}{before}" if answer.values else f"再核对一下{step.title}:"


def _which(turn: Turn, index: int, said: str) -> Doubt | None:
    """A number alone: which of the answers so far does it replace?"""
    numbers = _NUMBER.findall(digits(said))
    if len(numbers) != 1:
        return None
    draft = turn.conversation.drafts[index]
    known = known_of(turn, draft)
    steps = [step for step in FORMS[draft.service].steps if step.is_answered(draft.answers)]
    meant = [guess for step in steps for guess in step.guess(float(numbers[0]), known)]
    return Doubt(f"“{numbers[0]}”改的是哪一项?", [*meant, ("都不是,不改", {})]) if meant else None
