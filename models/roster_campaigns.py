"""Import of campaigns: 活动编码, 类别, 日期, 举办机构编码 and, where wanted, 地点, 时间, 范围, 性别, 年龄, 人群, 目标人数, 说明, 状态. 活动导入

A campaign comes in as planned: how many are eligible is counted and told, and its supervisor launches it with a tap, as
in the chat. 状态 启动 launches it at once, 停止 stops it. A changed row moves a campaign that runs, and its doctors hear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import campaign_work
from models.campaign import CLOSED, LAUNCHED, PLAN_KINDS, PLANNED, STOPPED, Campaign
from models.eligibility import REASONS, count_eligible, total
from models.outbox import say
from models.people import HealthWorker, Level, Organisation, Role
from models.roster_organisations import Known
from models.roster_rows import FIRST_LINE, Imported, Refusal, Row, Run, code, day, needed, numbered, several, text
from models.screening import GROUPS, KINDS, Kind, Rule, standard_rule

IMPORTED = "campaign_imported"
LAUNCH, STOP = "启动", "停止"
STATES = {"": "", "待启动": "", "启动": LAUNCH, "已启动": LAUNCH, "停止": STOP, "停办": STOP, "取消": STOP}
SEXES = {"": None, "男": "male", "女": "female", "不限": None}
LONGEST_SPAN = 92  # days
_AGES = re.compile(r"(\d{1,3})\s*(?:岁)?\s*(?:[-~—–到至]\s*(\d{1,3})|(以上|及以上|起|\+)|(以下|及以下))\s*岁?")
_SPAN = re.compile(r"(.+?)\s*(?:至|到|~|—)\s*(.+)")


@dataclass(frozen=True, slots=True)
class Said:
    """A row as it was read."""

    code: str
    kind: Kind
    columns: Mapping[str, Any]
    state: str


def import_campaigns(
    session: Session,
    rows: Sequence[Row],
    *,
    now: datetime,
    today: date,
    by: int | None = None,
    first_line: int = FIRST_LINE,
    tell_at: datetime | None = None,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Imported:
    """Take campaigns one by one; what is new and not launched is told to whoever holds it, in one message."""
    run = Run(session, "campaigns", now, by)
    places = {organisation.code: organisation for organisation in session.scalars(select(Organisation))}
    waiting: list[Campaign] = []
    for line, row in numbered("campaigns", rows, first_line):
        try:
            campaign = _take(run, _read(run, line, row, places, settings), today, tell_at)
        except Refusal as reason:
            run.result.refuse(line, row, reason)
        else:
            waiting += [campaign] if campaign is not None else []
    _ask_to_launch(session, waiting, now, tell_at)
    return run.finish()


def _take(run: Run, said: Said, today: date, tell_at: datetime | None) -> Campaign | None:
    """Write a row down; returns a campaign that waits to be launched and has just come in or been changed."""
    session = run.session
    campaign = session.scalar(select(Campaign).where(Campaign.code == said.code))
    if campaign is not None and campaign.is_plan:
        raise Refusal(f"编码 {said.code} 已经是一个计划,活动请用另一个编码")
    is_new = campaign is None
    changes: dict[str, Any] = {}
    told_before: list[int] = []
    before = None
    if campaign is None:
        if date.fromisoformat(said.columns["days"][0]) < today:
            raise Refusal("日期已经过了,请核对")
        campaign = Campaign(code=said.code, worker_id=run.by, **said.columns)
        session.add(campaign)
        session.flush()
        run.result.added += 1
    else:
        told_before = campaign_work.workers_of(session, campaign)
        before = campaign_work.when_and_where(campaign)
        changes = {name: value for name, value in said.columns.items() if getattr(campaign, name) != value}
        if changes and campaign.status in (STOPPED, CLOSED):
            raise Refusal("这个活动已经停止或结束,不能再改;重新办请用新的活动编码")
        if "days" in changes and date.fromisoformat(said.columns["days"][0]) < today:
            raise Refusal("日期改到了过去,请核对")
        for name, value in changes.items():
            setattr(campaign, name, value)
        session.flush()
    was = _Was(told_before, before)
    moved = _carry_out(run, campaign, said, today, changed=bool(changes), was=was, tell_at=tell_at)
    if not is_new:
        shown = {name: str(value) for name, value in changes.items()}
        run.settle(f"campaign:{campaign.id}", {**shown, **({"状态": said.state} if moved else {})})
    if campaign.status == PLANNED and (is_new or changes):
        _remark(run, campaign)
        return campaign
    return None


class _Was(NamedTuple):
    """Of a campaign as it was before this file: who carried it out, and what residents were told."""

    workers: Sequence[int]
    when_and_where: campaign_work.WhenAndWhere | None


def _carry_out(
    run: Run,
    campaign: Campaign,
    said: Said,
    today: date,
    *,
    changed: bool,
    was: _Was,
    tell_at: datetime | None,
) -> bool:
    """Launch, change or stop; true when its state is another one now."""
    session, before = run.session, campaign.status
    if said.state == STOP:
        return campaign_work.stop(session, campaign, "按导入的表停止", run.now, by=run.by, tell_at=tell_at)
    if said.state == LAUNCH and campaign.status == PLANNED:
        campaign_work.launch(session, campaign, run.now, today, by=run.by, tell_at=tell_at)
        _remark(run, campaign)
    elif changed and campaign.status == LAUNCHED:
        campaign_work.change(
            session, campaign, run.now, today,
            by=run.by, told_before=was.workers, tell_at=tell_at, before=was.when_and_where,
        )  # fmt: skip
        _remark(run, campaign)
    return campaign.status != before


def _remark(run: Run, campaign: Campaign) -> None:
    """How many are eligible, before anybody is told."""
    wanted = campaign_work.wanted_of(run.session, campaign)
    if wanted is None:
        run.result.remarks.append(f"{campaign.code} {campaign.title} {campaign.days[0]}:不列名单")
        return
    sums = total(count_eligible(run.session, wanted))
    left_out = "、".join(f"{words}{sums[reason]}" for reason, words in REASONS.items() if sums[reason])
    tail = f"(不请:{left_out})" if left_out else ""
    run.result.remarks.append(f"{campaign.code} {campaign.title} {campaign.days[0]}:应邀{sums['eligible']}人{tail}")


def _ask_to_launch(session: Session, waiting: Sequence[Campaign], now: datetime, tell_at: datetime | None) -> None:
    """One message to each supervisor of whoever holds them."""
    by_seat: dict[int, list[int]] = {}
    for campaign in waiting:
        by_seat.setdefault(campaign.organisation_id, []).append(campaign.id)
    supervisors = session.scalars(
        select(HealthWorker).where(
            HealthWorker.organisation_id.in_(sorted(by_seat)), HealthWorker.role.in_((Role.TOWNSHIP, Role.COUNTY)),
            HealthWorker.active,
        )
    )  # fmt: skip
    for worker in supervisors:
        ids = by_seat[worker.organisation_id]
        say(
            session,
            None,
            kind=IMPORTED,
            reminder=IMPORTED,
            arguments={"campaigns": ids},
            worker_id=worker.id,
            dedup_key=f"{IMPORTED}:{worker.id}:{now.isoformat()}",
            now=now,
            not_before=tell_at,
        )


# --- reading a row ---


def _read(run: Run, line: int, row: Row, places: Known, settings: Mapping[str, Any]) -> Said:
    own = run.own_code(row, "活动编码", line)
    kind, holder = _kind(row), holder_of(row, "举办机构编码", places)
    areas = areas_of(row, "范围", holder, places)
    days, rule = _days(row), _rule(row, kind, settings)
    columns = {
        "kind": kind.code,
        "title": text(row, "名称", 64) or kind.title,
        "organisation_id": holder.id,
        "areas": [area.id for area in areas] or [holder.id],
        "days": [one.isoformat() for one in days],
        "starts_on": days[0],
        "ends_on": days[-1],
        "place": text(row, "地点", 80) or None,
        "hours": text(row, "时间", 40) or None,
        "rule": campaign_work.rule_column(rule, kind, settings),
        "target": text(row, "目标人数", 200) or None,
        "note": text(row, "说明", 400) or None,
    }
    state = text(row, "状态", 8)
    if state not in STATES:
        raise Refusal(f"状态“{state}”不认识,请填:待启动、启动、停止")
    return Said(own, kind, columns, STATES[state])


def _kind(row: Row) -> Kind:
    word = needed("类别", text(row, "类别", 32))
    if word in PLAN_KINDS.values():
        raise Refusal(f"“{word}”是计划,请用 cunyi import plans 导入")
    for kind in KINDS.values():
        if word in (kind.code, kind.title, *kind.words):
            return kind
    raise Refusal(f"类别“{word}”不认识,可以填:{'、'.join(kind.title for kind in KINDS.values())}")


def holder_of(row: Row, column: str, places: Known) -> Organisation:
    """A township or the county."""
    where = needed(column, code(row, column))
    place = places.get(where)
    if place is None or place.level not in (Level.COUNTY, Level.TOWNSHIP):
        raise Refusal(f"{column} {where} 不是一个县或乡镇的编码,请核对")
    return place


def areas_of(row: Row, column: str, holder: Organisation, places: Known) -> list[Organisation]:
    """Places by code or name, each within whoever holds it."""
    found = []
    for word in several(row, column):
        meant = [places[word]] if word in places else [p for p in places.values() if p.name == word]
        meant = [p for p in meant if p.path.startswith(holder.path) and p.level != Level.GROUP]
        if len(meant) != 1:
            few = "有几个同名的,请填编码" if meant else f"不在{holder.name}里,或没有登记"
            raise Refusal(f"{column}“{word}”{few}")
        found += meant
    return found


def _days(row: Row) -> list[date]:
    found: set[date] = set()
    for part in several(row, "日期"):
        span = _SPAN.fullmatch(part)
        ends = [day({"日期": said}, "日期") for said in (span.groups() if span else (part,))]
        first, last = ends[0], ends[-1]
        if first is None or last is None or not 0 <= (last - first).days <= LONGEST_SPAN:
            raise Refusal(f"日期“{part}”不对:请写成 2026-12-08,几天的写 2026-12-08至2026-12-10")
        found.update(first + timedelta(days=n) for n in range((last - first).days + 1))
    if not found:
        raise Refusal("日期没有填")
    return sorted(found)


def _rule(row: Row, kind: Kind, settings: Mapping[str, Any]) -> Rule:
    """The norm's rule of its kind, with what the row says instead."""
    sex, ages, groups = text(row, "性别", 8).removesuffix("性"), text(row, "年龄", 16), several(row, "人群")
    if sex not in SEXES:
        raise Refusal(f"性别“{sex}”不认识,请填:男、女、不限")
    if unknown := [word for word in groups if not any(known in word for known in GROUPS)]:
        raise Refusal(f"人群“{'、'.join(unknown)}”不能用来列名单,可以填:{'、'.join(GROUPS)}")
    base = standard_rule(kind, settings)
    if base is None and not ages:
        raise Refusal(f"{kind.title}的年龄各地不同,请填年龄,例如 45-74")
    base = base or Rule()
    low, high = _ages(ages) if ages else base.ages
    return Rule(
        sex=SEXES[sex] if sex else base.sex,  # type: ignore[arg-type]
        ages=(low, high),
        days=None if ages else base.days,
        groups=tuple(groups) or base.groups,
        programme=base.programme,
        weeks=base.weeks,
    )


def _ages(said: str) -> tuple[int | None, int | None]:
    match = _AGES.fullmatch(said)
    if match is None:
        raise Refusal(f"年龄“{said}”看不懂,请写成 35-64、65以上 或 6以下")
    age = int(match[1])
    low, high = (None, age) if match[4] else (age, None) if match[3] else (age, int(match[2]))
    if (low is not None and high is not None and low > high) or max(low or 0, high or 0) > 120:
        raise Refusal(f"年龄“{said}”不对,请核对")
    return low, high
