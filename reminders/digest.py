"""One message a morning instead of hundreds: a digest is made of parts, and each part is a declaration of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from sqlalchemy import CTE, Row, Select, TableValuedAlias, bindparam, cast, func, not_, select
from sqlalchemy.orm import Session

from models.base import Key
from models.mention import mention, told
from models.message import Choice, OutgoingMessage
from models.people import HealthWorker, Organisation, Role
from models.preferences import CAN_BE_OFF, Preferences, own_settings
from reminders.days import Days, every_day
from reminders.reminder import Context, Gone, Reminder, calendar_of

WHOSE = ("organisation_id", "worker_id", "subject_id", "stage")
"""Columns of a part's rows that say whom to tell, and what they were told; the others are for its words."""
Found = Row[*tuple[Any, ...]]
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Asked:
    """For which day, in which zone, and by whose thresholds."""

    session: Session
    today: date
    tz: tzinfo
    preferences: Preferences

    @property
    def key(self) -> tuple[Any, ...]:
        """What queries made from it depend on, besides the preferences."""
        return self.today, str(self.tz), self.session.get_bind().dialect.name

    def midnight(self, day: date) -> datetime:
        """The instant a county-local day begins at."""
        return datetime.combine(day, time(), self.tz).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Telling:
    """What a part is told of: the context of the message and the rows it found."""

    context: Context
    rows: Sequence[Found]
    pressing: bool
    """Only what cannot wait is told: it is a holiday, or the worker turned the rest off."""

    def names_since(self, column: str, shown: int) -> str:
        """Whoever is told of, since which day, the longest first: 王建国(11-02起)、李四(11-05起)等12位."""
        instants = sorted(((getattr(row, column), row.name) for row in self.rows), key=lambda pair: pair[0])
        names = "、".join(f"{name}({at.astimezone(self.context.tz):%m-%d}起)" for at, name in instants[:shown])
        return names + (f"等{len(instants)}位" if len(instants) > shown else "")


@dataclass(frozen=True, slots=True)
class Said:
    """What a part adds to the message."""

    lines: Sequence[str]
    choices: Sequence[Choice] = ()
    urgent: bool = False
    """Somebody may be in danger: it stands before everything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A matter of a digest.

    `rows` selects what there is to tell: `organisation_id` of whose workers to tell (or `worker_id`, for one alone) and,
    where each matter is told once, its `subject_id` and `stage`. `says` puts it into lines. On days that are not its
    own, or when it is turned off, only the rows that `pressing` keeps are told.
    """

    code: str
    title: str
    rows: Callable[[Asked], Query]
    says: Callable[[Telling], Said]
    ends: str
    opens: str | None = None
    days: Days = every_day
    once: bool = False
    pressing: Callable[[Query], Query] | None = None

    def wanted(self, asked: Asked, pressing: bool) -> Query | None:
        """Its rows, or only the pressing ones; None when there are none to look for."""
        if not pressing:
            return self.rows(asked)
        return self.pressing(self.rows(asked)) if self.pressing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest(Reminder):
    """A reminder made of parts. It is planned for whoever has something in one of them, and gone when all are empty."""

    to: Role
    parts: Sequence[Part]

    def listeners(self, session: Session, day: date, tz: tzinfo, preferences: Preferences) -> Iterable[int]:
        """Everybody of the role for whom some part has a row."""
        asked, calendar = Asked(session, day, tz, preferences), calendar_of(preferences)
        own = own_settings(session)
        listeners: set[int] = set()
        for part in self.parts:
            rests = not part.days(day, calendar) or preferences.is_off(part.code)
            off = {w for w in own if preferences.is_off(part.code, own[w])} if part.code in CAN_BE_OFF else set()
            if not rests:
                listeners |= self._listeners(part, asked, pressing=False) - off
            if rests or off:
                pressed = self._listeners(part, asked, pressing=True)
                listeners |= pressed if rests else pressed & off
        active = select(HealthWorker.id).where(HealthWorker.role == self.to, HealthWorker.active)
        return listeners & set(session.scalars(active))

    def _listeners(self, part: Part, asked: Asked, *, pressing: bool) -> set[int]:
        key = (self.code, part.code, pressing, *asked.key)
        query = asked.preferences.keep(key, lambda: self._listening(part, asked, pressing))
        return set() if query is None else set(asked.session.scalars(query))

    def _listening(self, part: Part, asked: Asked, pressing: bool) -> Query | None:
        wanted = part.wanted(asked, pressing)
        if wanted is None:
            return None
        needed = (column for column in wanted.selected_columns if column.key in WHOSE)
        wanted = wanted.order_by(None).with_only_columns(*needed, maintain_column_froms=True)
        rows = _once_for_all(wanted, "found")
        if "worker_id" in rows.c:
            worker_id: Any = rows.c.worker_id
            query: Query = select(worker_id).distinct()
        else:
            cover = _once_for_all(covering(asked.session, self.to), "cover")
            worker_id = cover.c.worker_id
            places = rows if part.once else select(rows.c.organisation_id).distinct().subquery()
            query = select(worker_id).join(places, places.c.organisation_id == cover.c.organisation_id).distinct()
        if part.once:
            query = query.where(not_(told(part.code, worker_id, rows.c.subject_id, rows.c.stage)))
        return query


def digest(code: str, title: str, *, to: Role, whom: str, parts: Sequence[Part]) -> Digest:
    """A digest of these parts, in this order; what is urgent comes before all of them."""

    def words(context: Context) -> OutgoingMessage:
        said = [found for part in parts if (found := _tell(context, part))]
        if not said:
            raise Gone("nothing to tell any more")
        said.sort(key=lambda one: not one.urgent)
        lines = [line for one in said for line in one.lines]
        greeting = f"{context.worker.name},早上好!"
        if said[0].urgent:  # a notification shows the first line: no resident stands there
            lines = [f"{greeting}先办急事:", *lines]
        else:
            lines[0] = f"{greeting}{lines[0]}"
        choices = dict.fromkeys(choice for one in said for choice in one.choices)
        return OutgoingMessage("\n".join(lines), tuple(choices))

    opens = next((part.opens for part in parts if part.opens), None)
    return Digest(code=code, title=title, to=to, whom=whom, parts=parts, words=words, opens=opens)


def _tell(context: Context, part: Part) -> Said | None:
    pressing = context.is_off(part.code) or not part.days(context.today, context.calendar)
    query = _query(context, part, pressing)
    if query is None:
        return None
    listener = {"listener": context.worker.id, "this": context.message_key} if part.once else {}
    rows = context.session.execute(query, listener).all()
    if not rows:
        return None
    if part.once:
        matters = {(row.subject_id, row.stage) for row in rows}
        mention(context.session, part.code, context.worker.id, matters, context.message_key)
    return part.says(Telling(context, rows, pressing))


def _query(context: Context, part: Part, pressing: bool) -> Query | None:
    """What a worker is to be told now. All but whose it is stays the same for everybody who is told that day."""
    asked = Asked(context.session, context.today, context.tz, context.preferences)
    whole, columns = context.preferences.keep(
        (part.code, pressing, *asked.key), lambda: _for_everybody(part, asked, pressing)
    )
    if whole is None:
        return None
    query: Query = whole
    if "worker_id" in columns:
        return query.where(columns.worker_id == context.worker.id)
    return query.where(context.scope.covers(columns.organisation_id))


def _for_everybody(part: Part, asked: Asked, pressing: bool) -> tuple[Query | None, Any]:
    query = part.wanted(asked, pressing)
    if query is not None and part.once:
        found = query.order_by(None).subquery()
        heard = told(part.code, bindparam("listener"), found.c.subject_id, found.c.stage, but=bindparam("this"))
        query = select(*found.c).where(not_(heard))
    return query, query.selected_columns if query is not None else None


def _once_for_all(query: Query, name: str) -> CTE:
    """Worked out once, not anew for every row that is joined to it: minutes of a county's morning."""
    return query.cte(name).prefix_with("MATERIALIZED")


def covering(session: Session, role: Role) -> Query:
    """Which worker of a role answers for which organisation: a doctor for their villages, a supervisor for all below."""
    worker_id = HealthWorker.id.label("worker_id")
    if role is not Role.DOCTOR:
        own, below = Organisation.__table__.alias("own"), Organisation.__table__.alias("below")
        query = (
            select(worker_id, below.c.id.label("organisation_id"))
            .join(own, own.c.id == HealthWorker.organisation_id)
            .join(below, below.c.path.between(own.c.path, own.c.path + "~"))
        )
    else:
        village = each_of(session, HealthWorker.villages)
        query = select(worker_id, cast(village.c.value, Key).label("organisation_id"))
    return query.where(HealthWorker.role == role, HealthWorker.active)


def each_of(session: Session, numbers: Any) -> TableValuedAlias:
    """SQL: the numbers of a list in a column, one a row (`value`)."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    each = func.jsonb_array_elements_text if is_postgresql else func.json_each
    return each(numbers).table_valued("value", joins_implicitly=True)
