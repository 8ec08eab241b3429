"""The first working day of a week: what last week brought and where it is behind, for each township and the county. 每周简报"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.enrolment import count_due, due_by_village
from models.figures import below, children_of, figures
from models.message import Choice, OutgoingMessage
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from reminders.digest import covering
from reminders.reminder import Context, Reminder

SHOWN = 6
Span = tuple[date, date]
BUTTONS = (Choice("overdue", "逾期"), Choice("summary", "汇总"))


def audience(session: Session, day: date) -> Iterable[int]:
    """Every active supervisor."""
    roles = (Role.TOWNSHIP, Role.COUNTY)
    return session.scalars(select(HealthWorker.id).where(HealthWorker.role.in_(roles), HealthWorker.active)).all()


def words(context: Context) -> OutgoingMessage:
    """What was recorded in the week before this one and in the one before that, and where it is behind.

    Rates move slowly: they stand in the monthly report, and in 汇总.
    """
    session, worker = context.session, context.worker
    organisation = session.get_one(Organisation, worker.organisation_id)
    monday = context.today - timedelta(days=context.today.weekday())
    first, last = monday - timedelta(days=7), monday - timedelta(days=1)
    late = count_due(session, context.scope, last=context.today - timedelta(days=1))
    lines = [f"{worker.name},早上好!上周({first}至{last})简报。现在逾期未访 {late} 人次。"]
    week = timedelta(days=7)
    before = (first - week, last - week)
    lines += [
        recorded(context, organisation, (first, last), before, ("上周", "再前一周")),
        _late(context, organisation),
    ]
    lines += [_idle(context, organisation, first, last), _unbound(context)]
    return OutgoingMessage("\n".join(line for line in lines if line), BUTTONS)


def recorded(context: Context, organisation: Organisation, days: Span, before: Span, words: tuple[str, str]) -> str:
    """上周记录(括号里是再前一周):高血压随访9人次(12)、…"""
    now, then = (
        {f.code: f for f in figures(context.session, organisation, *span, context.today) if _is_count(f.code)}
        for span in (days, before)
    )
    told = [
        f"{figure.title}{figure.value}{figure.unit}({then[code].value})"
        for code, figure in now.items()
        if figure.value or then[code].value
    ]
    return f"{words[0]}记录(括号里是{words[1]}):{'、'.join(told)}。" if told else f"{words[0]}没有记录。"


def _late(context: Context, organisation: Organisation) -> str:
    """逾期最多:石桥村8、三里坪村6."""
    session = context.session
    children = {child.path: child.name for child in children_of(session, organisation)}
    late: Counter[str] = Counter()
    of_villages = due_by_village(session, context.scope, last=context.today - timedelta(days=1))
    query = select(Organisation.id, Organisation.path).where(Organisation.id.in_(sorted(of_villages)))
    for village_id, path in session.execute(query):
        late.update({name: of_villages[village_id] for above, name in children.items() if path.startswith(above)})
    most = "、".join(f"{name}{number}" for name, number in late.most_common(SHOWN))
    return f"逾期最多:{most}。" if most else ""


def _idle(context: Context, organisation: Organisation, first: date, last: date) -> str:
    """Where nothing at all was recorded."""
    parts = below(context.session, organisation, first, last, context.today)
    idle = [place.name for place, found in parts if not any(f.value for f in found if _is_count(f.code))]
    more = f"等{len(idle)}处" if len(idle) > SHOWN else ""
    return f"上周没有记录的:{'、'.join(idle[:SHOWN])}{more}。" if idle else ""


def _is_count(code: str) -> bool:
    return code.startswith("count.")


def _unbound(context: Context) -> str:
    """Doctors who cannot be told anything, because they are bound to no channel."""
    cover = covering(context.session, Role(context.worker.role)).subquery()
    below_me = select(cover.c.organisation_id).where(cover.c.worker_id == context.worker.id)
    bound = exists(select(1).where(ChannelAccount.worker_id == HealthWorker.id))
    doctors = select(HealthWorker.name).where(
        HealthWorker.role == Role.DOCTOR, HealthWorker.active, HealthWorker.organisation_id.in_(below_me), ~bound
    )
    names = context.session.scalars(doctors.order_by(HealthWorker.code)).all()
    who = "、".join(names[:SHOWN]) + ("等" if len(names) > SHOWN else "")
    return f"还有{len(names)}位村医没有绑定,收不到提醒:{who}。" if names else ""


reminder = Reminder(
    code="supervisor_weekly", title="每周简报", audience=audience, words=words, whom="公卫科、卫健局", ends="过了时间窗"
)
