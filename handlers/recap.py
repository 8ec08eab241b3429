"""Before anything is recorded: the answers read back, the class and why, the next date, and one tap to submit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select

from handlers.absence import ask_again_on, gone_since, not_seen
from handlers.decisions import Urgency
from handlers.evaluation import Evaluation, evaluate
from handlers.form import Form, day_of
from handlers.menu import FORMS
from handlers.residents import describe
from handlers.steps import Step
from handlers.turn import Turn
from models.conversation import Draft
from models.message import Choice, mark_name
from models.prepared import Prepared
from models.record import Record

MARKS = {Urgency.EMERGENCY: "🔴 紧急", Urgency.REFER: "🟠 需要转诊", Urgency.SOON: "🟡 两周内再访", Urgency.ROUTINE: ""}

SUBMIT = Choice("submit", "✅ 提交")
CANCEL = Choice("cancel", "取消")
MORE = Choice("more", "补充其他项")
AFTERWARDS = (Choice("undo", "撤销"), Choice("edit", "更正"), Choice("today", "今日"))


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
        f"{MARKS[e.decision.urgency]} {who(turn, d) or FORMS[d.service].heading}:{e.decision.say[0]}"
        for d, e in zip(drafts, evaluations, strict=True)
        if e.decision and e.decision.urgency == Urgency.EMERGENCY and e.decision.say
    ]
    cards = [
        _card(turn, d, e, n if len(drafts) > 1 else 0)
        for n, (d, e) in enumerate(zip(drafts, evaluations, strict=True), 1)
    ]
    late = turn.conversation.begun_on and turn.conversation.begun_on != turn.today.isoformat()
    begun = [f"(这份表是{turn.conversation.begun_on}开始填的)"] if late else []
    example = next((s.example for s in FORMS[drafts[0].service].steps if s.example), "")
    submits = FORMS[drafts[0].service].submits if len(drafts) == 1 else "提交"
    end = (
        f"核对无误请点“{submits}”" + (f";要改哪项,直接发,例如“{example}”。" if example else ",要改哪项点下面的按钮。")
        if len(drafts) == 1
        else f"共{len(drafts)}条,核对无误请点“提交”。"
    )
    return "\n".join([*dict.fromkeys(emergency), *begun, *cards, end])


def _card(turn: Turn, draft: Draft, evaluation: Evaluation, number: int) -> str:
    form = FORMS[draft.service]
    resident = turn.resident(draft.resident_id)
    title = f"{number}. " if number else ""
    head = f"{title}【{form.heading}】{who(turn, draft)}" + (f" {describe(turn, resident)}" if resident else "")
    lines = [head, *([f"项目:{form.title}"] if form.heading != form.title else [])]
    if draft.source:
        lines.append(f"  原话:{draft.source[:60]}")
    answers = evaluation.answers
    lines += [f"{step.title}:{step.show(answers)}" for step in form.steps if step.is_answered(answers)]
    if "bmi" in answers:
        lines.append(f"体质指数:{answers['bmi']:g}")
    if evaluation.decision:
        lines += _judgement(form, evaluation)
    elif receipt := form.receipt(answers):
        lines.append(receipt)
    lines += form.foresees(turn, answers)
    lines += _what_is_next(turn, form, draft, evaluation)
    if twin := _same_today(turn, draft, answers):
        lines.append(f"⚠️ {twin}")
    return "\n".join(lines)


def _judgement(form: Form, evaluation: Evaluation) -> list[str]:
    decision = evaluation.decision
    assert decision is not None and form.protocol is not None
    mark = MARKS[decision.urgency]
    classed = form.protocol.classifications and not not_seen(evaluation.answers)
    named = f"分类:{decision.label or '本次不能分类'}(公卫口径)" if classed else mark and "结论:"
    lines = [named + (f" {mark}" if mark else "")] if named else []
    lines += [f"依据:{reason}" for reason in decision.reasons]
    lines += [f"👉 {sentence}" for sentence in decision.say]
    return lines


def _what_is_next(turn: Turn, form: Form, draft: Draft, evaluation: Evaluation) -> list[str]:
    """The next visit and its form, what was not asked, and whether it counts."""
    lines, due, answers = [], evaluation.due, evaluation.answers
    if due.ended:
        lines.append(f"{due.ended},不再提醒。")
    elif due.on and not not_seen(answers):
        other = FORMS.get(due.service or "")
        what = other.title if other and other is not form else "下次随访" if form.programme else "下次"
        lines.append(f"{what}:{due.when}")
    if again := not_seen(answers) and (due.on or ask_again_on(answers, day_of(answers, turn.today))):
        lines.append(f"这段时间不再提醒,{again} 再提醒您。")
    if (gone := gone_since(answers, day_of(answers, turn.today))) and draft.resident_id is not None:
        lines.append(f"⚠️ 提交后登记为{gone}起不在管,所有提醒停止。")
    unsaid = [
        step.title
        for step in form.steps
        if step.field in ("adverse_reaction", "new_complication") and not step.is_answered(answers)
    ]
    if unsaid and evaluation.decision and not not_seen(answers):
        lines.append(f"未问:{'、'.join(unsaid)}(有就点“补充其他项”)")
    if form.programme and form.enrols == "ask" and not evaluation.is_enrolled:
        lines.append("(未纳入管理,只记这一次,不计入管理人数)")
    return lines


_TWIN = Prepared(
    select(Record.id)
    .where(
        Record.resident_id == bindparam("resident"),
        Record.service == bindparam("service"),
        Record.on == bindparam("day"),
        Record.status == "current",
    )
    .limit(1)
)


def _same_today(turn: Turn, draft: Draft, answers: dict[str, Any]) -> str:
    """A warning when the same service is already recorded for this resident and day."""
    if draft.resident_id is None or draft.corrects:
        return ""
    day = day_of(answers, turn.today)
    twin = _TWIN.first(turn.session, resident=draft.resident_id, service=draft.service, day=day)
    if twin and (each := FORMS[draft.service].each):  # both cancers of one day are two examinations
        same_day = (Record.resident_id == draft.resident_id, Record.service == draft.service, Record.on == day)
        earlier = turn.session.scalars(select(Record.answers).where(*same_day, Record.status == "current"))
        twin = any(told.get(each) == answers.get(each) for told in earlier)
    return f"{day}已有一条同样的记录,确认是另一次再提交;要改那一条请发“更正”。" if twin else ""


def recap_choices(drafts: Sequence[Draft], editable: Sequence[tuple[int, Step]], *, all_fields: bool) -> list[Choice]:
    """Submit first; then a button for each field shown, and one that opens the rest."""
    buttons = [
        Choice(f"edit.{i}.{step.field}", f"改{step.title}" if not all_fields else step.title) for i, step in editable
    ]
    if len(drafts) > 1:
        buttons = [Choice(f"drop.{i}", f"去掉第{i + 1}条") for i in range(len(drafts))]
        return [SUBMIT, CANCEL, *buttons]
    submit = Choice(SUBMIT.id, f"✅ {FORMS[drafts[0].service].submits}")
    return [submit, CANCEL, *([] if all_fields else [MORE]), *buttons]
