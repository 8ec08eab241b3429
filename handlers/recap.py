"""Before anything is recorded: the answers read back, the class and why, the next date, and one tap to submit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from handlers.decisions import Decision, Findings, PastVisit, Urgency, decide
from handlers.form import Form, day_of
from handlers.menu import FORMS
from handlers.residents import describe
from handlers.steps import Known, Step
from handlers.turn import Turn
from models.conversation import Draft
from models.enrolment import Enrolment
from models.message import Choice, mark_name
from models.people import Resident
from models.record import Record

HISTORY = 8  # visits looked back on: two years of quarterly ones
MARKS = {Urgency.EMERGENCY: "🔴 紧急", Urgency.REFER: "🟠 需要转诊", Urgency.SOON: "🟡 两周内再访", Urgency.ROUTINE: ""}

SUBMIT = Choice("submit", "✅ 提交")
CANCEL = Choice("cancel", "取消")
MORE = Choice("more", "补充其他项")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A draft as it would be recorded: complete answers and what the protocol says to them."""

    answers: dict[str, Any]
    decision: Decision | None
    enrolment: Enrolment | None
    next_due_on: date | None


def known_of(turn: Turn, draft: Draft) -> Known:
    """What the draft's steps may look at."""
    resident = turn.resident(draft.resident_id)
    day = day_of(draft.answers, turn.today)
    villages = turn.villages if FORMS[draft.service].about != "resident" else ()
    if resident is None:
        return Known(turn.today, draft.answers, villages=villages)
    return Known(turn.today, draft.answers, resident.sex, resident.age_on(day), villages)


def history(turn: Turn, draft: Draft) -> list[Record]:
    """The resident's current records of this service before the draft's day, newest first."""
    day = day_of(draft.answers, turn.today)
    query = (
        select(Record)
        .where(
            Record.resident_id == draft.resident_id,
            Record.service == draft.service,
            Record.status == "current",
            Record.on <= day,
        )
        .order_by(Record.on.desc(), Record.id.desc())
        .limit(HISTORY)
    )
    return [record for record in turn.session.scalars(query) if record.id != draft.corrects]


def evaluate(turn: Turn, draft: Draft, **assumed: Any) -> Evaluation:
    """What would be recorded. `assumed` values stand in for a doubtful one, to see whether it would be an emergency."""
    form = FORMS[draft.service]
    known = known_of(turn, draft)
    answers = form.complete({**draft.answers, **assumed}, known)
    enrolment = None
    if form.programme and draft.resident_id is not None:
        enrolment = turn.session.scalar(
            select(Enrolment).where(Enrolment.resident_id == draft.resident_id, Enrolment.programme == form.programme)
        )
    if form.protocol is None or draft.resident_id is None:
        return Evaluation(answers, None, enrolment, None)
    past = [PastVisit(r.on, r.service, r.mode, r.classification, r.answers) for r in history(turn, draft)]
    findings = Findings(
        on=day_of(answers, turn.today),
        answers=answers,
        age=known.age,
        sex=known.sex,
        history=past,
        due_on=enrolment.next_due_on if enrolment else None,
        settings=turn.settings,
    )
    decision = decide(form.protocol, findings)
    return Evaluation(answers, decision, enrolment, _next_due(answers, decision))


def judge_values(turn: Turn, draft: Draft, **assumed: Any) -> Decision | None:
    """What the protocol says to the values alone, without history: enough for an emergency, and without a query."""
    form, known = FORMS[draft.service], known_of(turn, draft)
    if form.protocol is None:
        return None
    answers = form.complete({**draft.answers, **assumed}, known)
    return decide(
        form.protocol, Findings(day_of(answers, turn.today), answers, known.age, known.sex, settings=turn.settings)
    )


def _next_due(answers: dict[str, Any], decision: Decision) -> date | None:
    """The doctor's own date, unless the protocol wants the resident seen earlier than an unhurried one."""
    said = date.fromisoformat(answers["next_due_on"]) if "next_due_on" in answers else None
    if said is None or decision.next_due_on is None:
        return said or decision.next_due_on
    return said if decision.urgency == Urgency.ROUTINE else min(said, decision.next_due_on)


def who(turn: Turn, draft: Draft) -> str:
    """The resident's name, marked for masking; or the event's title."""
    resident = turn.resident(draft.resident_id)
    if resident is not None:
        return mark_name(resident.name)
    return mark_name(draft.answers["name"]) if "name" in draft.answers else ""


def recap_text(turn: Turn, drafts: Sequence[Draft]) -> str:
    """One recap for all open drafts, the most urgent sentence of all first."""
    evaluations = [evaluate(turn, draft) for draft in drafts]
    emergency = [
        f"{MARKS[e.decision.urgency]} {who(turn, d)}:{e.decision.say[0]}"
        for d, e in zip(drafts, evaluations, strict=True)
        if e.decision and e.decision.urgency == Urgency.EMERGENCY and e.decision.say
    ]
    cards = [
        _card(turn, d, e, n if len(drafts) > 1 else 0)
        for n, (d, e) in enumerate(zip(drafts, evaluations, strict=True), 1)
    ]
    late = turn.conversation.begun_on and turn.conversation.begun_on != turn.today.isoformat()
    begun = [f"(这份表是{turn.conversation.begun_on}开始填的)"] if late else []
    end = (
        "核对无误请点“提交”;要改哪项,直接发,例如“心率 76”。"
        if len(drafts) == 1
        else f"共{len(drafts)}条,核对无误请点“提交”。"
    )
    return "\n".join([*dict.fromkeys(emergency), *begun, *cards, end])


def _card(turn: Turn, draft: Draft, evaluation: Evaluation, number: int) -> str:
    form = FORMS[draft.service]
    resident = turn.resident(draft.resident_id)
    title = f"{number}. " if number else ""
    head = f"{title}【{form.title}】{who(turn, draft)}" + (f" {describe(turn, resident)}" if resident else "")
    lines = [head]
    if draft.source:
        lines.append(f"  原话:{draft.source[:60]}")
    answers = evaluation.answers
    lines += [f"{step.title}:{step.show(answers)}" for step in form.steps if step.is_answered(answers)]
    if "bmi" in answers:
        lines.append(f"体质指数:{answers['bmi']:g}")
    if evaluation.decision:
        lines += _judgement(turn, form, evaluation, resident)
    elif "ends_on" in answers:
        lines.append(f"协议期:{answers['starts_on']} 至 {answers['ends_on']}")
    if twin := _same_today(turn, draft, answers):
        lines.append(f"⚠️ {twin}")
    return "\n".join(lines)


def _judgement(turn: Turn, form: Form, evaluation: Evaluation, resident: Resident | None) -> list[str]:
    decision = evaluation.decision
    assert decision is not None
    mark = MARKS[decision.urgency]
    lines = [f"分类:{decision.label or '本次不能分类'}(公卫口径)" + (f" {mark}" if mark else "")]
    lines += [f"依据:{reason}" for reason in decision.reasons]
    lines += [f"👉 {sentence}" for sentence in decision.say]
    if evaluation.next_due_on:
        lines.append(f"下次随访:{evaluation.next_due_on} 前")
    unsaid = [
        step.title
        for step in form.steps
        if step.field in ("adverse_reaction", "new_complication") and not step.is_answered(evaluation.answers)
    ]
    if unsaid:
        lines.append(f"未问:{'、'.join(unsaid)}(有就点“补充其他项”)")
    enrolled = evaluation.enrolment is not None and evaluation.enrolment.ended_on is None
    if not enrolled and evaluation.answers.get("enrol") != 1:
        lines.append("(未纳入管理,只记这一次,不计入管理人数)")
    return lines


def _same_today(turn: Turn, draft: Draft, answers: dict[str, Any]) -> str:
    """A warning when the same service is already recorded for this resident and day."""
    if draft.resident_id is None or draft.corrects:
        return ""
    day = day_of(answers, turn.today)
    same = turn.session.scalar(
        select(Record.id)
        .where(
            Record.resident_id == draft.resident_id,
            Record.service == draft.service,
            Record.on == day,
            Record.status == "current",
        )
        .limit(1)
    )
    return f"{day}已有一条同样的记录,确认是另一次再提交;要改那一条请发“更正”。" if same else ""


def recap_choices(drafts: Sequence[Draft], editable: Sequence[tuple[int, Step]], *, all_fields: bool) -> list[Choice]:
    """Submit first; then a button for each field shown, and one that opens the rest."""
    buttons = [
        Choice(f"edit.{i}.{step.field}", f"改{step.title}" if not all_fields else step.title) for i, step in editable
    ]
    if len(drafts) > 1:
        buttons = [Choice(f"drop.{i}", f"去掉第{i + 1}条") for i in range(len(drafts))]
        return [SUBMIT, CANCEL, *buttons]
    return [SUBMIT, CANCEL, *([] if all_fields else [MORE]), *buttons]
