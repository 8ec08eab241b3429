"""查: what is known of one resident, on one card: programmes, agreements, the latest records. 居民卡片"""

from __future__ import annotations

from sqlalchemy import select

from handlers import fulfilment, residents
from handlers.absence import not_seen
from handlers.evaluation import plainly_known
from handlers.form import due_words
from handlers.forms.signing import package_words
from handlers.menu import FORMS, form_due
from handlers.roster import Roster
from handlers.turn import Turn
from models.agreements import standing
from models.enrolment import VISITED, Enrolment
from models.message import Choice, mark_name
from models.people import STATUS_TITLES, Resident, Status
from models.record import AuditEntry, Record
from models.services import PROGRAMMES

SHOWN = 8  # of several who may be meant
AGREEMENTS_SHOWN = 3


def find(turn: Turn, words: str) -> None:
    """查: a resident's card, or the choice between several."""
    if not turn.scope.names:
        turn.numbers_only()
        return
    if not words:
        turn.say("查谁?例如:查 张桂兰。也可以发拼音首字母(zgl)或身份证后四位。")
        return
    ids = residents.search(turn, words)
    people = [r for r in (turn.resident(i) for i in ids) if r]
    if not people:
        turn.say(f"您负责的居民里没找到“{words[:20]}”。新居民请发“建档”。", [Choice("register", "建档")])
    elif len(people) == 1:
        _card(turn, people[0].id)
    else:
        choices = [
            Choice(f"visit.{r.id}", f"{mark_name(r.name)} {residents.describe(turn, r)}") for r in people[:SHOWN]
        ]
        turn.say(f"“{words[:20]}”有{len(people)}位,点一位打开随访:", choices)


def find_named(turn: Turn, text: str) -> bool:
    """A name and nothing else is asked after as 查 does; false when it is no name on the roster."""
    said = text.strip()
    if not any(match.said == said for match in residents.find_named(turn, said, Roster(turn))):
        return False
    find(turn, said)
    return True


def _programme(turn: Turn, resident: Resident, enrolment: Enrolment) -> str:
    """A programme of somebody: the class, if it has classes, what is due next and since when it is late."""
    form = form_due(enrolment.programme, enrolment.next_service, plainly_known(turn, resident))
    classless = form is not None and (form.protocol is None or not form.protocol.classifications)
    classified = enrolment.classification or ("" if classless else "还没有分类")
    due_on = enrolment.next_due_on
    title = PROGRAMMES[enrolment.programme]
    named = form is not None and enrolment.next_service and form.heading == form.title != title
    what = form.title if form is not None and named else ""
    due = f"下次{what} {due_words(due_on, enrolment.due_from)}" if due_on else "未定下次"
    late = f"(逾期{(turn.today - due_on).days}天)" if due_on and due_on < turn.today else ""
    return f"{title}:{','.join(filter(None, (classified, due + late)))}"


def _card(turn: Turn, resident_id: int) -> None:
    resident = turn.resident(resident_id)
    assert resident is not None
    session, resident_id = turn.session, resident.id
    lines = [f"{mark_name(resident.name)} {residents.describe(turn, resident)}"]
    enrolled = select(Enrolment).where(Enrolment.resident_id == resident_id, Enrolment.ended_on.is_(None))
    lines += [_programme(turn, resident, enrolment) for enrolment in session.scalars(enrolled)]
    lines += agreement_lines(turn, resident_id)
    recent = (
        select(Record)
        .where(Record.resident_id == resident_id, Record.status == "current")
        .order_by(Record.on.desc(), Record.id.desc())
    )
    lines += [f"{record.on} {summary_of(record)}" for record in session.scalars(recent.limit(3))]
    session.add(
        AuditEntry(
            at=turn.now, worker_id=turn.worker.id, action="resident_read", subject=f"resident:{resident_id}", details={}
        )
    )
    turn.say("\n".join(lines), [Choice(f"visit.{resident_id}", "随访"), Choice("today", "今日")])


def agreement_lines(turn: Turn, resident_id: int) -> list[str]:
    """How the latest agreements stand, and what of them has been given; or that there is none."""
    known = standing(turn.session, resident_id, turn.worker.id)[:AGREEMENTS_SHOWN]
    resident = turn.resident(resident_id)
    if resident is not None and resident.status not in VISITED:  # a death or a move ends them, whoever says so
        return [f"签约:解约({STATUS_TITLES[Status(resident.status)]})" for _ in known[:1]]
    lines = [
        f"签约:{a.state(turn.today)} {a.starts_on} 至 {a.last_on} {package_words(a.packages)}(编号{a.number},{a.doctor})"
        for a in known
    ]
    if not any(a.holds_on(turn.today) for a in known):
        lines.append("签约:待签,现在没有有效的协议")
    return lines + fulfilment.lines(turn, resident_id)


def summary_of(record: Record) -> str:
    """A record in one line of a list: 高血压随访 血压 152/94 mmHg 控制不满意."""
    form = FORMS.get(record.service)
    if form is None:
        return record.service
    values, label = form.decisive(record.answers), ""
    if form.protocol:
        label = form.protocol.classifications.get(record.classification or 0, "")
    if not_seen(record.answers):
        label = form.labels(record.answers).get("outcome", "")
    elif form.heading != form.title:
        return form.heading
    return " ".join([form.heading, *values, label]).strip()
