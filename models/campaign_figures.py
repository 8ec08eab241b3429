"""How a campaign stands: the lists of its doctors and the scoreboard of its supervisor, computed from its rows. 名单与进度"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, Literal, cast

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from models.campaign import Campaign, CampaignResident, ScreeningResult
from models.enrolment import VISITED
from models.people import Organisation, Resident
from models.record import Record
from models.scope import Scope
from models.screening import NEGATIVE, REFUSED, TRACKED, UNSUITABLE

Which = Literal["to_tell", "to_come", "came", "declined", "all"]


@dataclass(frozen=True, slots=True)
class Guest:
    """One line of a list: who, and how far it has come. Never a result."""

    resident_id: int
    name: str
    sex: str | None
    born_on: date | None
    village_id: int
    village_group: str | None
    status: str
    told_on: date | None
    came_on: date | None
    declined_on: date | None
    decline_reason: str | None


_GUEST = (
    Resident.id, Resident.name, Resident.sex, Resident.born_on, Resident.village_id, Resident.village_group,
    Resident.status, CampaignResident.told_on, CampaignResident.came_on, CampaignResident.declined_on,
    CampaignResident.decline_reason,
)  # fmt: skip

_HERE = Resident.status.in_(VISITED)
_WAITS = CampaignResident.came_on.is_(None) & CampaignResident.declined_on.is_(None)
_LISTS: Mapping[str, ColumnElement[bool]] = {
    "to_tell": and_(CampaignResident.listed, CampaignResident.told_on.is_(None), _WAITS),
    "to_come": and_(CampaignResident.listed, _WAITS),
    "came": CampaignResident.came_on.is_not(None),
    "declined": CampaignResident.declined_on.is_not(None),
    "all": or_(CampaignResident.listed, CampaignResident.came_on.is_not(None)),
}


def guests(
    session: Session, campaign: Campaign, scope: Scope, which: Which, *, limit: int = 1000, offset: int = 0
) -> list[Guest]:
    """A page of a list, in the order of a walk: by village, group and household."""
    if not scope.names:
        return []
    query = _of(campaign, scope, which, *_GUEST).order_by(
        Resident.village_id, Resident.village_group, Resident.householder, Resident.id
    )
    return [Guest(*row) for row in session.execute(query.limit(limit).offset(offset))]


def count_guests(session: Session, campaign: Campaign, scope: Scope, which: Which) -> int:
    return session.scalar(_of(campaign, scope, which, func.count())) or 0


def villages_with(session: Session, campaign: Campaign, which: Which) -> set[int]:
    """Where anybody is on a list."""
    query = (
        select(Resident.village_id)
        .join(CampaignResident, CampaignResident.resident_id == Resident.id)
        .where(CampaignResident.campaign_id == campaign.id, _HERE, _LISTS[which])
        .distinct()
    )
    return set(session.scalars(query))


def guests_among(session: Session, campaigns: Collection[int], residents: Collection[int]) -> dict[int, set[int]]:
    """Which of these campaigns each of some residents is invited to."""
    found: dict[int, set[int]] = {resident: set() for resident in residents}
    rows = session.execute(
        select(CampaignResident.resident_id, CampaignResident.campaign_id).where(
            CampaignResident.campaign_id.in_(sorted(campaigns)), CampaignResident.resident_id.in_(sorted(residents))
        )
    )
    for resident_id, campaign_id in rows:
        found[resident_id].add(campaign_id)
    return found


def _of(campaign: Campaign, scope: Scope, which: Which, *columns: Any) -> Select[Any]:
    here = or_(_HERE, CampaignResident.came_on.is_not(None)) if which in ("came", "all") else _HERE
    query: Select[Any] = select(*columns).select_from(CampaignResident)
    return query.join(Resident, Resident.id == CampaignResident.resident_id).where(
        _is_of(campaign, scope), scope.covers(Resident.village_id), here, _LISTS[which]
    )


def _is_of(campaign: Campaign, scope: Scope) -> ColumnElement[bool]:
    """Of a doctor's few villages the residents come first, and each is looked up in the list; the sum keeps the
    planner from walking through the whole county's list instead."""
    column: Any = CampaignResident.campaign_id if scope.villages is None else CampaignResident.campaign_id + 0
    return cast("ColumnElement[bool]", column == campaign.id)


# --- the scoreboard ---


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Where a village, or all of them, stand. `tracked` results are those to be followed until they are closed.

    `invited` are those on the list who live here, or came; whoever died or moved away has dropped out.
    """

    invited: int = 0
    told: int = 0
    came: int = 0
    declined: int = 0
    unlisted: int = 0
    """Came without being on the list."""
    results: int = 0
    negative: int = 0
    tracked: int = 0
    spoilt: int = 0
    refused: int = 0
    arrived: int = 0
    closed: int = 0

    def __add__(self, other: Score) -> Score:
        return Score(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Score)})


@dataclass(frozen=True, slots=True)
class VillageScore:
    """One line of the scoreboard."""

    village_id: int
    village: str
    score: Score


def scoreboard(session: Session, campaign: Campaign, scope: Scope) -> list[VillageScore]:
    """One line for each village in the viewer's scope with anybody on the list or any result: two indexed queries."""
    found: dict[int, Score] = {}
    for village_id, numbers in (*_ticks(session, campaign, scope), *_results(session, campaign, scope)):
        found[village_id] = found.get(village_id, Score()) + Score(**numbers)
    names = session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(sorted(found))).order_by(Organisation.code)
    )
    return [VillageScore(village_id, name, found[village_id]) for village_id, name in names]


def by_township(session: Session, lines: Sequence[VillageScore]) -> list[VillageScore]:
    """The same, added up one level higher: for whoever looks at a whole county."""
    villages = select(Organisation.id, Organisation.parent_id).where(Organisation.id.in_([v.village_id for v in lines]))
    parent: dict[int, int | None] = dict(session.execute(villages).all())
    found: dict[int, Score] = {}
    for line in lines:
        above = parent[line.village_id] or line.village_id
        found[above] = found.get(above, Score()) + line.score
    names = select(Organisation.id, Organisation.name).where(Organisation.id.in_(sorted(found)))
    return [VillageScore(key, name, found[key]) for key, name in session.execute(names.order_by(Organisation.code))]


def all_of(lines: Sequence[VillageScore]) -> Score:
    return sum((line.score for line in lines), Score())


def _ticks(session: Session, campaign: Campaign, scope: Scope) -> list[tuple[int, dict[str, int]]]:
    came, told = CampaignResident.came_on.is_not(None), CampaignResident.told_on.is_not(None)
    listed = CampaignResident.listed
    sums = {
        "invited": listed,
        "told": and_(listed, told),
        "came": came,
        "declined": CampaignResident.declined_on.is_not(None),
        "unlisted": and_(came, ~listed),
    }
    query = (
        select(Resident.village_id, *(_number(condition) for condition in sums.values()))
        .select_from(CampaignResident)
        .join(Resident, Resident.id == CampaignResident.resident_id)
        .where(_is_of(campaign, scope), scope.covers(Resident.village_id), or_(_HERE, came))
        .group_by(Resident.village_id)
    )
    return _rows(session, query, sums)


def _results(session: Session, campaign: Campaign, scope: Scope) -> list[tuple[int, dict[str, int]]]:
    result, tracked = ScreeningResult.result, ScreeningResult.result.in_(TRACKED)
    sums = {
        "results": result.is_not(None),
        "negative": result == NEGATIVE,
        "tracked": tracked,
        "spoilt": result == UNSUITABLE,
        "refused": result == REFUSED,
        "arrived": and_(tracked, ScreeningResult.arrived_on.is_not(None)),
        "closed": and_(tracked, ScreeningResult.closed_on.is_not(None)),
    }
    query = (
        select(ScreeningResult.village_id, *(_number(condition) for condition in sums.values()))
        .join(Record, Record.id == ScreeningResult.record_id)
        .where(
            ScreeningResult.campaign_id == campaign.id,
            scope.covers(ScreeningResult.village_id),
            Record.status == "current",
        )
        .group_by(ScreeningResult.village_id)
    )
    return _rows(session, query, sums)


def _number(condition: Any) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _rows(session: Session, query: Any, sums: Mapping[str, Any]) -> list[tuple[int, dict[str, int]]]:
    return [
        (village_id, dict(zip(sums, map(int, numbers), strict=True))) for village_id, *numbers in session.execute(query)
    ]


def reasons_declined(session: Session, campaign: Campaign, scope: Scope) -> list[tuple[str, int]]:
    """Why people do not come, the most frequent first."""
    number = func.count()
    query = (
        _of(campaign, scope, "declined", CampaignResident.decline_reason, number)
        .group_by(CampaignResident.decline_reason)
        .order_by(number.desc(), CampaignResident.decline_reason)
    )
    return [(reason or "没说原因", count) for reason, count in session.execute(query)]
