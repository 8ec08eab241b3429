"""计划 and 汇报: what is planned, how far it is, a new plan, and a report on a milestone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from handlers import filling
from handlers.asking import ask
from handlers.evaluation import known_of
from handlers.forms import plan as plan_form
from handlers.lines import prepare, read_fields
from handlers.menu import FORMS
from handlers.plans.milestones import moved, read_milestones
from handlers.plans.texts import by_organisation, counts, head, task_line
from handlers.reading.normalise import tidy
from handlers.steps import NotUnderstood
from handlers.turn import Turn
from models import campaign_work
from models.campaign import CLOSED, LAUNCHED, PLAN_KINDS, STOPPED, Campaign, campaigns_for, may_manage
from models.conversation import Draft
from models.message import Choice
from models.people import Organisation, Role
from models.plans import SERVICE as REPORT
from models.plans import Task, for_seat, open_tasks, tasks_of
from models.record import Record

SERVICE = "plan"
OFFERED = 5
TASKS_SHOWN = 12
NEW = Choice("plan.new", "新计划")
EXAMPLE = "计划 托口镇一院一品 启动1-3月,实施4-24月,验收25-27月"


def plan(turn: Turn, words: str) -> None:
    """Answer 计划 with whatever words followed.

    1. No words: the plans, and what is due and late first.
    2. 停止 and 修改 with a plan's name; the name of a plan: its scoreboard.
    3. Anything else sets a new plan: a kind, a name, milestones with their time.
    """
    words = words.strip()
    if turn.worker.role == Role.DOCTOR:
        turn.say("计划由公卫科和卫健局管理。您的协议和培训到期会单独提醒您。", [Choice("today", "今日")])
        return
    if not words or _HOW_FAR.fullmatch(words):
        _list(turn)
        return
    if match := re.match(r"(停止|停办|取消|修改|改期|改)\s*(.*)$", words):
        _changing(turn, match[1], match[2])
        return
    found = [one for one in _plans(turn) if _names(one, words)]
    if len(found) == 1:
        _board(turn, found[0])
    elif found:
        turn.say("是哪一个计划?", [Choice(f"plan.{one.id}", one.title[:20]) for one in found[:6]])
    else:
        _new(turn, re.sub(r"^(?:新建|新增|制定|新)(?:计划)?\s*", "", words))


_HOW_FAR = re.compile(r"(?:进度|进展|情况|名单|列表|逾期|怎么样了?|看板|[??。\s])+")


def _plans(turn: Turn, *statuses: str) -> list[Campaign]:
    return campaigns_for(turn.session, turn.worker, statuses=statuses or (LAUNCHED,), plans=True)


def _names(one: Campaign, words: str) -> bool:
    said = tidy(words)
    return said in one.title or one.title in said or said == PLAN_KINDS[one.kind]


def _own_tasks(turn: Turn, plans: Sequence[Campaign]) -> list[Task]:
    return for_seat(tasks_of(turn.session, plans), turn.session.get_one(Organisation, turn.worker.organisation_id))


def _list(turn: Turn) -> None:
    plans = _plans(turn)
    if not plans:
        turn.say(f"现在没有进行中的计划。要制定就发一行,例如:{EXAMPLE}", [NEW])
        return
    lines: list[str] = [f"工作计划 {turn.today}:"]
    choices: list[Choice] = []
    tasks = _own_tasks(turn, plans)
    for n, one in enumerate(plans[:OFFERED], 1):
        own = [task for task in tasks if task.campaign is one]
        lines.append(f"{n}. {head(one)} {counts(own, turn.today)}")
        choices.append(Choice(f"plan.{one.id}", f"{n} {one.title}"[:10], str(n)))
    if len(plans) > OFFERED:
        lines.append(f"还有{len(plans) - OFFERED}个,发“计划 名称”看。")
    owed = [t for t in open_tasks(tasks) if t.days_late(turn.today) >= -14][:OFFERED]
    if owed:
        lines += ["到期和逾期:", *(f"· {task_line(t, turn.today, with_plan=True)}" for t in owed)]
    turn.say("\n".join(lines), [*choices, NEW])


def _board(turn: Turn, one: Campaign) -> None:
    """A plan's scoreboard: the milestones, then each organisation; what the viewer owes can be reported at once."""
    tasks = tasks_of(turn.session, [one])
    own = _own_tasks(turn, [one])
    lines = [head(one), *([f"总目标:{one.target}"] if one.target else []), counts(own, turn.today)]
    if len({t.organisation.id for t in tasks}) == 1:
        lines += [task_line(t, turn.today) for t in tasks[:TASKS_SHOWN]]
    else:
        lines += by_organisation(own, turn.today)[:TASKS_SHOWN]
    lines += [f"说明:{one.note}"] if one.note else []
    lines += [f"停止原因:{one.end_reason}"] if one.end_reason else []
    mine = [t for t in open_tasks(own) if t.organisation.id == turn.worker.organisation_id][:3]
    choices = [Choice(f"progress.{t.milestone.id}", f"汇报{t.milestone.title}"[:10]) for t in mine]
    if one.status == LAUNCHED and may_manage(turn.session, one, turn.worker):
        choices += [Choice(f"plan.{one.id}.move", "修改"), Choice(f"plan.{one.id}.stop", "停止")]
        if all(t.is_done for t in tasks):
            choices.append(Choice(f"plan.{one.id}.close", "全部完成,结束"))
    turn.say("\n".join(lines), choices)


def _new(turn: Turn, words: str) -> None:
    """Open the form, filled as far as the words go: the part with times is the milestones, the rest the name."""
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再制定计划。")
        return
    draft, remark = Draft(SERVICE), ""
    if words:
        draft.source = words
        said = tidy(words)
        title, _, rest = said.partition(" ")
        known = known_of(turn, draft)
        kinds = [o.code for o in plan_form.KIND.options[:-1] if any(w in title for w in (o.label, *o.words))]
        draft.answers = {"kind": kinds[0]} if len(kinds) == 1 else {}
        if begins := _BEGINS.search(rest):
            draft.answers["begins_on"] = plan_form.BEGIN.read(begins["month"], known).values["begins_on"]
            rest = rest.replace(begins[0], " ")
        if responsible := _RESPONSIBLE.search(rest):
            try:
                draft.answers.update(plan_form.RESPONSIBLE.read(responsible["who"], known).values)
                rest = rest.replace(responsible[0], " ")
            except NotUnderstood as error:
                remark = str(error)
        if target := _TARGET.search(rest):
            draft.answers["target"] = target["target"].strip()[:120]
            rest = rest.replace(target[0], " ")
        if rest.strip():
            try:
                draft.answers["milestones"] = read_milestones(rest, turn.today)
                draft.answers["title"] = title[:40]
            except NotUnderstood as error:
                remark = str(error)
        elif title not in PLAN_KINDS.values():
            draft.answers["title"] = title[:40]
    filling.open_drafts(turn, [draft])
    ask(turn, before=remark)


_BEGINS = re.compile(r"(?:从|自)?(?P<month>\d{4}年\d{1,2}月)(?:起|开始|启动)")
_RESPONSIBLE = re.compile(r"(?:责任单位|负责单位|责任|负责)\s*[::]?\s*(?P<who>[^\s;;。]+)")
_TARGET = re.compile(r"总目标\s*[::]?\s*(?P<target>[^;;。]+)")


# --- buttons ---


def press(turn: Turn, rest: str) -> None:
    """`new`, or `<plan>[.<act>]`."""
    if rest == "new":
        _new(turn, "")
        return
    number, _, act = rest.partition(".")
    one = next((p for p in _plans(turn, LAUNCHED, STOPPED, CLOSED) if str(p.id) == number), None)
    if one is None:
        turn.say("这个计划不在您的名单里。发“计划”看现在的。", [Choice("plan", "计划")])
    elif act and not may_manage(turn.session, one, turn.worker):
        turn.say("这个计划不是您单位定的,要改请联系制定单位。")
    else:
        _PRESSED.get(act, _board)(turn, one)


def _move(turn: Turn, one: Campaign, words: str = "") -> None:
    """Its form again; a milestone's new time said along with it is in already, anything else is quoted back."""
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再改计划。")
        return
    record = turn.session.get(Record, one.record_id) if one.record_id else None
    if record is None or record.status != "current":
        turn.say("这个计划是从文件导入的,请改文件后再导入一次。")
        return
    answers = {name: value for name, value in record.answers.items() if name != "told"}
    remark = "改好后点“启动”,会通知责任单位一次。"
    if words:
        milestones = moved(answers.get("milestones", []), words, turn.today)
        if milestones is None:
            remark += f"没用上:{words[:30]}。"
        else:
            answers["milestones"] = milestones
    filling.open_drafts(turn, [Draft(SERVICE, answers=answers, corrects=record.id)])
    ask(turn, before=remark)


def _stop(turn: Turn, one: Campaign) -> None:
    turn.say(
        f"确定停止“{one.title}”吗?没发出的提醒会取消。",
        [Choice(f"plan.{one.id}.stopped", "确定停止"), Choice(f"plan.{one.id}", "不停了")],
    )


def _stopped(turn: Turn, one: Campaign, reason: str = "") -> None:
    if campaign_work.stop(turn.session, one, reason, turn.now, by=turn.worker.id, tell_at=turn.tell_at):
        turn.say(f"已停止:{one.title}。接到过通知的单位会收到一次停止消息。")
    else:
        turn.say(f"{one.title}已经停止或结束了。")


def _close(turn: Turn, one: Campaign) -> None:
    tasks = tasks_of(turn.session, [one])
    if not all(task.is_done for task in tasks):
        turn.say(f"{one.title}还有没完成的阶段({counts(tasks, turn.today)}),不能结束。不做了请点“停止”。")
        return
    campaign_work.close(turn.session, one, turn.now, by=turn.worker.id)
    lines = [
        f"{one.title}已结束。{counts(tasks, turn.today)}",
        *(task_line(t, turn.today) for t in tasks[:TASKS_SHOWN]),
    ]
    turn.say("\n".join(lines))


def _changing(turn: Turn, verb: str, words: str) -> None:
    found = [one for one in _plans(turn) if may_manage(turn.session, one, turn.worker)]
    name, _, reason = words.strip().partition(" ")
    named = [one for one in found if name and _names(one, name)] or ([] if name and len(found) > 1 else found)
    stopping = verb in ("停止", "停办", "取消")
    if len(named) != 1:
        act = "stop" if stopping else "move"
        turn.say(
            "是哪一个计划?" if found else "没有您能改的计划。",
            [Choice(f"plan.{one.id}.{act}", one.title[:20]) for one in (named or found)[:6]],
        )
    elif stopping:
        why = reason if _names(named[0], name or "-") else words.strip()
        _stopped(turn, named[0], why) if why else _stop(turn, named[0])
    else:
        _move(turn, named[0], reason if _names(named[0], name or "-") else words.strip())


_PRESSED: dict[str, Callable[[Turn, Campaign], None]] = {
    "": _board, "move": lambda turn, one: _move(turn, one), "stop": _stop, "stopped": lambda turn, one: _stopped(turn, one), "close": _close,
}  # fmt: skip


# --- reports ---


def report(turn: Turn, words: str) -> None:
    """汇报: on which milestone of one's own organisation? The words may name it and say the rest."""
    owed = [t for t in open_tasks(_own_tasks(turn, _plans(turn))) if t.organisation.id == turn.worker.organisation_id]
    if not owed:
        turn.say("您单位现在没有要汇报的阶段。发“计划”看全部。", [Choice("plan", "计划")])
        return
    said = tidy(words)
    by_plan = [t for t in owed if t.campaign.title in said]
    named = [t for t in by_plan or owed if t.milestone.title in said] or by_plan
    if len(named) == 1 or (len(owed) == 1 and not named):
        open_report(turn, (named or owed)[0], said)
        return
    turn.conversation.last["progress"] = words
    turn.say(
        "汇报哪个阶段?",
        [
            Choice(f"progress.{t.milestone.id}", f"{t.campaign.title[:8]} {t.milestone.title}")
            for t in (named or owed)[:6]
        ],
    )


def press_report(turn: Turn, rest: str) -> None:
    owed = open_tasks(_own_tasks(turn, _plans(turn)))
    task = next(
        (t for t in owed if str(t.milestone.id) == rest and t.organisation.id == turn.worker.organisation_id), None
    )
    if task is None:
        turn.say("这个阶段已经完成、停止,或不归您单位了。", [Choice("plan", "计划")])
    else:
        open_report(turn, task, tidy(turn.conversation.last.pop("progress", "")))


def open_report(turn: Turn, task: Task, said: str) -> None:
    """The form of one report, with what was said along with it."""
    if turn.conversation.is_open:
        ask(turn, before="先把现在这张表提交或取消,再汇报。")
        return
    draft = Draft(REPORT, answers={"plan": task.campaign.id, "milestone": task.milestone.id})
    rest = said.replace(task.campaign.title, " ").replace(task.milestone.title, " ").strip(" ,,::")
    if rest:
        form, known = FORMS[REPORT], known_of(turn, draft)
        line = prepare(rest)
        reading = read_fields(form, line, known)
        draft.answers.update(reading.answers)
        draft.doubts.update(reading.doubts)
        draft.source = said
        if "summary" not in draft.answers and re.search(r"[\u4e00-\u9fff]", rest):
            draft.answers["summary"] = rest[:200]
    file = turn.incoming.file
    if file is not None:
        draft.answers["photo"] = f"{turn.incoming.channel}:{file.path}"
    filling.open_drafts(turn, [draft])
    ask(turn, before=task_line(task, turn.today, with_plan=True))
