"""A campaign in words: the recap before it is launched, its card, its scoreboard, its closing report. 活动的文字"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from handlers.campaigns.days import days_words
from handlers.campaigns.whom import rule_for
from handlers.reading.market_days import lunar_words
from handlers.turn import Turn
from models.campaign import LAUNCHED, STATUS_TITLES, Campaign, doctors_of
from models.campaign_figures import Score, VillageScore, all_of
from models.eligibility import ELIGIBLE, REASONS, Counted, Wanted, count_eligible, total
from models.people import Organisation
from models.screening import KINDS, county_months, intervals_of

VILLAGES_SHOWN = 12
PLACES_SHOWN = 12
_TAGS = re.compile(r"\[(?:S:?[^\]]*|F\d|K|D|AMBIG)\]")  # of domain.md, for those who check the rules


def foresee(turn: Turn, answers: Mapping[str, Any]) -> list[str]:
    """What the recap adds: how many are eligible and who is left out, who will be told, what must be asked face to face."""
    if not {"kind", "days", "areas"} <= answers.keys():
        return []
    session, kind = turn.session, KINDS[answers["kind"]]
    paths = list(session.scalars(select(Organisation.path).where(Organisation.id.in_(answers["areas"]))))
    rule, first = rule_for(answers, turn.settings), date.fromisoformat(answers["days"][0])
    lines = []
    if rule is None or rule.is_open:
        lines.append("不列名单,欢迎范围内居民参加。")
    else:
        counted = count_eligible(
            session, Wanted(rule, intervals_of(kind, county_months(kind, turn.settings)), paths, first)
        )
        lines += count_words(session, counted)
        if not total(counted)[ELIGIBLE] and rule.groups:
            lines.append(f"花名册里没有标“{'、'.join(rule.groups)}”的人。要按年龄请,改对象,例如:20-45岁女性 不限人群")
    if "market" in answers:
        lines.append("农历:" + "、".join(lunar_words(date.fromisoformat(day)) for day in answers["days"][:6]))
    if kind.caution:
        lines.append(f"提示医生:{kind.caution}。")
    if kind.source:
        lines.append(f"依据:{_TAGS.sub('', kind.source)}")
    doctors = doctors_of(session, paths)
    names = "、".join(doctor.name for doctor in doctors[:4]) + (f"等{len(doctors)}位" if len(doctors) > 4 else "")
    lines.append(f"启动后通知:{names}村医" if doctors else "⚠️ 这些地方还没有登记村医,没有人会接到通知。")
    if twin := _twin(session, answers, paths):
        lines.append(f"⚠️ {twin}")
    return lines


def count_words(session: Session, counted: Sequence[Counted]) -> list[str]:
    """应邀 312人(石桥村120、青龙村192), of a county by township; and for which reasons the others are left out."""
    sums = total(counted)
    places = {v.village: v.eligible for v in counted if v.eligible}
    if len(places) > VILLAGES_SHOWN:
        places = _by_township(session, counted)
    shown = "、".join(f"{name}{number}" for name, number in list(places.items())[:PLACES_SHOWN])
    more = f"等{len(places)}处" if len(places) > PLACES_SHOWN else ""
    lines = [f"应邀:{sums[ELIGIBLE]}人" + (f"({shown}{more})" if shown else "")]
    left_out = [f"{words}{sums[reason]}人" for reason, words in REASONS.items() if sums[reason]]
    return [*lines, *([f"不请:{'、'.join(left_out)}"] if left_out else [])]


def _by_township(session: Session, counted: Sequence[Counted]) -> dict[str, int]:
    """The same, added up one level higher; of one township alone, its villages."""
    above = aliased(Organisation)
    query = (
        select(Organisation.id, above.name)
        .join(above, above.id == Organisation.parent_id)
        .where(Organisation.id.in_([v.village_id for v in counted]))
        .order_by(above.code)
    )
    eligible = {v.village_id: v.eligible for v in counted}
    places: dict[str, int] = {}
    for village_id, name in session.execute(query):
        places[name] = places.get(name, 0) + eligible[village_id]
    return places if len(places) > 1 else {v.village: v.eligible for v in counted if v.eligible}


def _twin(session: Session, answers: Mapping[str, Any], paths: Sequence[str]) -> str:
    """Another campaign of this kind that overlaps in days and places."""
    query = select(Campaign).where(
        Campaign.kind == answers["kind"],
        Campaign.status == LAUNCHED,
        Campaign.starts_on <= date.fromisoformat(answers["days"][-1]),
        Campaign.ends_on >= date.fromisoformat(answers["days"][0]),
        Campaign.id != answers.get("campaign", 0),
    )
    for other in session.scalars(query):
        theirs = session.scalars(select(Organisation.path).where(Organisation.id.in_(other.areas or [0])))
        if any(a.startswith(b) or b.startswith(a) for a in theirs for b in paths):
            return f"同期已有{other.title}({days_words(other.on_days)} {other.place or ''}),请看是不是重复。"
    return ""


# --- card ---


def name_of(campaign: Campaign) -> str:
    """两癌筛查 12月8日(周二)."""
    return f"{campaign.title} {days_words(campaign.on_days)}"


def card_lines(session: Session, campaign: Campaign) -> list[str]:
    """The campaign itself, without how it stands."""
    kind = KINDS[campaign.kind]
    areas = list(session.scalars(select(Organisation.name).where(Organisation.id.in_(campaign.areas or [0]))))
    where = "、".join(part for part in (campaign.place, campaign.hours) if part)
    lines = [
        f"{name_of(campaign)}" + ("" if campaign.status == LAUNCHED else f"({STATUS_TITLES[campaign.status]})"),
        *([f"地点:{where}"] if where else []),
        f"范围:{'、'.join(areas[:VILLAGES_SHOWN])}" + (f"等{len(areas)}处" if len(areas) > VILLAGES_SHOWN else ""),
        f"对象:{campaign.whom.words() if campaign.whom else '全体居民,不列名单'}",
    ]
    if campaign.target:
        lines.append(f"目标:{campaign.target}")
    if campaign.note:
        lines.append(f"说明:{campaign.note}")
    if kind.caution:
        lines.append(f"注意:{kind.caution}")
    if campaign.end_reason:
        lines.append(f"停止原因:{campaign.end_reason}")
    return lines


# --- how it stands ---


def score_words(score: Score, *, listed: bool, began: bool = True) -> list[str]:
    """The figures of one place, each with what it is a part of; who came, once it has begun."""
    lines = []
    if listed:
        declined = f" 不来{score.declined}" if score.declined else ""
        lines.append(f"应邀{score.invited}人,已通知{part(score.told, score.invited)}{declined}")
        unlisted = f",另有名单外{score.unlisted}" if score.unlisted else ""
        if began or score.came:
            lines.append(f"已来{part(score.came - score.unlisted, score.invited)}{unlisted}")
    elif score.came:
        lines.append(f"已来{score.came}")
    if score.results:
        others = [
            f"{word}{number}" for word, number in (("不合格样本", score.spoilt), ("拒绝", score.refused)) if number
        ]
        tail = f",{'、'.join(others)}" if others else ""
        lines.append(f"结果{score.results}项:阴性{score.negative}、需追踪{score.tracked}{tail}")
    if score.tracked:
        lines.append(f"追踪{score.tracked}项:已到院{score.arrived}、已结案{score.closed}")
    return lines


def part(number: int, of: int) -> str:
    """12/40(30%); nothing is a part of nobody."""
    return f"{number}/{of}({round(100 * number / of)}%)" if of else str(number)


def village_lines(lines: Sequence[VillageScore], *, listed: bool, began: bool = True) -> list[str]:
    """One line a village, short enough for a phone: 石桥村 通知12/40 来5 不来1 追踪2结1."""
    out = []
    for line in lines:
        s = line.score
        parts = [f"通知{s.told}/{s.invited}"] if listed and s.invited else []
        if began or s.came:
            parts.append(f"来{s.came}")
        if s.declined:
            parts.append(f"不来{s.declined}")
        if s.results:
            parts.append(f"结果{s.results}")
        if s.tracked:
            parts.append(f"追踪{s.tracked}结{s.closed}")
        out.append(f"{line.village} {' '.join(parts)}")
    return out


def summary_line(campaign: Campaign, lines: Sequence[VillageScore], today: date) -> str:
    """One line in a list of campaigns: 两癌筛查 12月8日 还有14天 通知12/40."""
    score = all_of(lines)
    following = campaign.next_day(today)
    when = "今天" if following == today else f"还有{(following - today).days}天" if following else "已过日期"
    told = f" 通知{score.told}/{score.invited}" if campaign.rule is not None and campaign.status == LAUNCHED else ""
    return f"{name_of(campaign)} {when}{told}" + (f" 来{score.came}" if score.came else "")
