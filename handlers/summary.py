"""汇总: figures for an area and a period asked for in ordinary words, and the names behind each of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from handlers.areas import Area, Found, areas_in, find_area, named_in
from handlers.reading.periods import find_period
from handlers.summary_text import places_of, places_title, rates_of, render, tells
from handlers.summary_text import said as figure_words
from handlers.summary_text import text_for as text_for
from handlers.topics import find_topics, is_about, names_a_figure
from models.figures import Figure, as_of, below, children_of, figures
from models.indicators import BY_CODE
from models.line import Line
from models.line_list import has_names, line_list
from models.message import Choice, mark_name
from models.people import Level, Organisation, Role
from models.scope import Scope

if TYPE_CHECKING:
    from handlers.turn import Turn

PAGE = 20
AT_ONCE = 8  # buttons under a summary
LISTS_AT_ONCE = 4
LEVELS = {Level.TOWNSHIP: "乡镇", Level.VILLAGE: "村", Level.GROUP: "组"}
OFFERED = 12
RATES_BY_PLACE = 3

LISTS = {
    "health_record_coverage": "未建档名单",
    "hypertension_standardised_rate": "高血压未规范名单",
    "hypertension_control_rate": "高血压未达标名单",
    "diabetes_standardised_rate": "糖尿病未规范名单",
    "diabetes_control_rate": "糖尿病未达标名单",
    "signing_rate_general": "未签约或快到期名单",
    "signing_rate_key": "重点人群未签约或快到期名单",
    "signing_rate_poor": "脱贫人口未签约或快到期名单",
    "signing_renewal_rate": "到期未续名单",
    "signing_fulfilment_rate": "没履约名单",
}
"""What a list is called that shows those missing from a rate; others are called after their figure."""

_COMMAND = re.compile(r"^\s*(?:/?summary|汇总)[\s::,,]*", re.IGNORECASE)
_AGAIN = re.compile(r"^\s*(?:再看看?|再查|换成|换|那)[\s,,]*")
_FILLER = re.compile(r"(?:看看|看一下|看|查一下|我要|数据|数字|情况|汇总|一下|怎么样|多少|[的吧呢吗??。!!\s,,])+")
_EACH = re.compile(r"(?:各|分|每个?)(?:个)?(?:乡镇|镇|乡|村|组|单位)(?:看)?")
_SMALL = re.compile(
    r"全[市县区镇乡村]|本[市县区镇乡村]|我们?|咱们?|\d+岁(?:以上|及以上)?|[人次个份场对名条了查做有是在共总几和与及]"
)
_ASKS = re.compile(r"汇总|多少|几[个次人份场对]|(?<![心脉])率|报表|统计")
_OWN = re.compile(r"^(?:全|本|我们|我|咱们)?(?:县|镇|乡|村|辖区|所有|全部|负责的?村|自己|部)?$")


@dataclass(frozen=True, slots=True)
class Shown:
    """The summary last shown, or about to be: `area` 0 is the viewer's own, no `topics` all figures. Kept in the conversation."""

    area: int
    first: date
    last: date
    title: str
    topics: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        whole = {"area": self.area, "first": str(self.first), "last": str(self.last), "title": self.title}
        return {**whole, "topics": list(self.topics)} if self.topics else whole

    def wants(self, code: str) -> bool:
        return not self.topics or is_about(code, self.topics)


def summarise(turn: Turn, words: str) -> None:
    """Answer 汇总 with whatever words followed.

    1. No period means this month, no area one's own; after 再看 the one not named stays as it was.
    2. A name that fits several areas is offered as buttons, and keeps the period.
    3. An area that is unknown or outside the scope is answered with those that can be asked about.
    4. Words of a figure's title (高血压, 签约率) show those figures only, and each rate place by place.
    5. Whatever else was said is quoted back.
    """
    words = _COMMAND.sub("", words)
    again = _AGAIN.match(words)
    before = _shown(turn)
    base = before if again else _this_month(turn.today)
    period, rest = _period(_AGAIN.sub("", words), turn.today)
    said = _FILLER.sub("", rest)
    shown = Shown(base.area, *(period or (base.first, base.last, base.title)))
    if not said:
        _show(turn, shown)
        return
    if _OWN.match(said):
        _show(turn, _with_area(shown, 0))
        return
    areas = areas_in(turn.session, turn.scope)
    named, left = named_in(areas, _FILLER.sub(" ", rest))
    topics, left = find_topics(left)
    left = _without_small(left)
    shown = replace(shown, topics=topics)
    found = Found(named) if topics else find_area(areas, said)
    if topics and not named and len(left) > 1:
        found = find_area(areas, left)
        if not found.areas:
            _unknown(turn, shown, left, areas)
            return
        left = ""
    unread = left if named and len(left) > 1 else ""
    if len(found.areas) == 1 and found.sure:
        _show(turn, _with_area(shown, found.areas[0].id), unread)
    elif found.areas:
        _keep(turn, shown)
        turn.say(f"“{said[:20]}”是哪一个?", _area_choices(found.areas[:OFFERED], areas))
    elif topics:
        _show(turn, _with_area(shown, base.area))
    elif _EACH.fullmatch(said):
        _keep(turn, shown)
        show_lower(turn)
    elif re.search(r"\d", said):
        asks = "可以写:本月、上季度、2026年三季度、11月1日到15日。"
        turn.say(f"没看懂“{words.strip()[:20]}”里的时间。{asks}例如:汇总 上个月")
    else:
        _unknown(turn, shown, said, areas)


def take_question(turn: Turn, text: str) -> bool:
    """上个月高血压规范管理率多少: a question after figures, in words that are no command. False when it is none."""
    asks = _ASKS.search(text)
    if not asks and turn.worker.role == Role.DOCTOR:  # most of what a doctor types is an entry
        return False
    period, rest = _period(text, turn.today)
    if not asks and not period:
        return False
    _, left = named_in(areas_in(turn.session, turn.scope), _FILLER.sub(" ", rest))
    topics, left = find_topics(left)
    if (not names_a_figure(topics) and "汇总" not in text) or len(_without_small(left)) > 1:
        return False
    summarise(turn, text)
    return True


def _without_small(words: str) -> str:
    """What is left when fillers, 人 and 次, 各村 and 全镇 are gone."""
    left = _SMALL.sub("", _EACH.sub("", _FILLER.sub("", words)))
    return "" if _OWN.match(left) else left


def show_area(turn: Turn, rest: str) -> None:
    """A button with an area: the same period there."""
    shown = _with_area(_shown(turn), int(rest) if rest.isdigit() else 0)
    if _organisation(turn, shown.area) is None:
        _unknown(turn, shown, "", areas_in(turn.session, turn.scope))
    else:
        _show(turn, shown)


def show_names(turn: Turn, rest: str, page: int = 1) -> None:
    """The names behind a figure of the summary last shown; `rest` is its code, or `<code>.<page>`.

    Only within the viewer's scope, and only as a number where their role shows no names.
    """
    code, _, number = rest.rpartition(".")
    code, page = (code, int(number)) if code and number.isdigit() else (rest, page)
    shown = _shown(turn)
    organisation = _organisation(turn, shown.area)
    if code not in BY_CODE or not has_names(code) or organisation is None:
        turn.say("这个数字后面没有名单。", [Choice("area.0", "回到汇总")])
        return
    page = max(1, page)
    scope = _narrowed(turn.scope, organisation) if shown.area else turn.scope
    listed = line_list(
        turn.session, scope, code, shown.first, shown.last, turn.today, limit=PAGE, offset=(page - 1) * PAGE
    )
    assert listed is not None
    place = places_title(_places(turn, shown, organisation), organisation)
    day = as_of(shown.last, turn.today)
    back = Choice(f"area.{shown.area}", "回到汇总")
    head = f"名单 · {place} · {shown.title}\n{list_title(code)},截至 {day},共 {listed.total} 条"
    if not scope.names:
        turn.say(f"{head}。\n按规定这一级只看数字,不列姓名;要名单请找乡镇公卫科。", [back])
        return
    pages = max(1, -(-listed.total // PAGE))
    lines = [f"{(page - 1) * PAGE + n}. {_line(line)}" for n, line in enumerate(listed.lines, 1)]
    around = [(page - 1, "上一页")] * (page > 1) + [(page + 1, "下一页")] * (page < pages)
    head += f"(第 {page}/{pages} 页)" if pages > 1 else ""
    turn.say("\n".join([head, *lines]), [*(Choice(f"names.{code}.{n}", label) for n, label in around), back])


def list_title(code: str) -> str:
    return LISTS.get(code) or f"{BY_CODE[code].title}名单"


def _line(line: Line) -> str:
    who = mark_name(line.name) if line.name else ""
    return " ".join(part for part in (who, line.village, line.detail) if part)


def _show(turn: Turn, shown: Shown, unread: str = "") -> None:
    """Say the figures, with a button for each list behind them and for each organisation one level down."""
    organisation = _organisation(turn, shown.area)
    if organisation is None:
        _unknown(turn, shown, "", areas_in(turn.session, turn.scope))
        return
    _keep(turn, shown)
    places = _places(turn, shown, organisation)
    found = _figures(turn, shown, places)
    day = as_of(shown.last, turn.today)
    place = places_title(places, organisation)
    text = render(place, shown.title, shown.first, shown.last, day, found, all_of_it=bool(shown.topics))
    if shown.topics:
        text = "\n".join([text.rstrip(), *_place_by_place(turn, shown, organisation, places, found)])
    text = f"没用上:{unread[:20]}。\n{text}" if unread else text
    lists, lower = _name_choices(turn.scope, found), _lower_choices(turn, organisation, places)
    if len(lists) + len(lower) >= AT_ONCE:  # thirty buttons on a phone help nobody
        first, rest = lists[:LISTS_AT_ONCE], len(lists) - LISTS_AT_ONCE
        lists = [*first, *([Choice("lists.0", f"其他{rest}个名单")] if rest > 0 else [])]
        level = lower_level(organisation) if turn.scope.villages is None else Level.VILLAGE
        lower = [Choice("lower.0", f"分{LEVELS.get(level, '单位')}看")] if lower else []
    terms = [Choice("terms.0", "口径")] if rates_of(found) else []
    turn.say(text, [*lists, *lower, *terms])


def _figures(turn: Turn, shown: Shown, places: Sequence[Organisation]) -> list[Figure]:
    found = figures(turn.session, places, shown.first, shown.last, turn.today, turn.settings)
    return [figure for figure in found if shown.wants(figure.code)]


def _place_by_place(
    turn: Turn, shown: Shown, organisation: Organisation, places: Sequence[Organisation], found: Sequence[Figure]
) -> list[str]:
    """The rates asked for, of each organisation one level down."""
    rates = rates_of(found)[:RATES_BY_PLACE]
    if not rates or turn.scope.villages is not None:
        return []
    parts = below(turn.session, organisation, shown.first, shown.last, turn.today, turn.settings)
    lines = []
    for rate in rates:
        own = [(place.name, next(f for f in of_place if f.code == rate.code)) for place, of_place in parts]
        own = sorted((one for one in own if tells(one[1])), key=lambda one: one[1].value or 0)
        told = "、".join(f"{name} {figure_words(figure)}" for name, figure in own)
        lines += [f"{rate.title}:{told}"] if told else []
    return ["", f"【分{LEVELS.get(lower_level(organisation), '单位')},低的在前】", *lines] if lines else []


def show_lists(turn: Turn) -> None:
    """All lists behind the summary last shown."""
    if about := _last_shown(turn):
        title = f"{about.title},要看哪个名单?"
        turn.say(title, [*_name_choices(turn.scope, about.figures), about.back])


def show_lower(turn: Turn) -> None:
    """The organisations one level below the summary last shown."""
    if about := _last_shown(turn):
        lower = _lower_choices(turn, about.organisation, about.places)
        turn.say(f"{about.organisation.name}下面看哪一个?", [*lower, about.back])


def show_terms(turn: Turn) -> None:
    """How each rate of the summary last shown is reckoned: beside the figures it would bury them."""
    if about := _last_shown(turn):
        lines = [f"{figure.title}:{figure.definition}" for figure in rates_of(about.figures)]
        turn.say("\n".join([f"{about.title},各项口径:", *lines]), [about.back])


@dataclass(frozen=True, slots=True)
class _About:
    """The summary last shown, once more."""

    title: str
    organisation: Organisation
    places: Sequence[Organisation]
    figures: Sequence[Figure]
    back: Choice


def _last_shown(turn: Turn) -> _About | None:
    """None, and said so, where it is no longer to be seen."""
    shown = _shown(turn)
    organisation = _organisation(turn, shown.area)
    if organisation is None:
        _unknown(turn, shown, "", areas_in(turn.session, turn.scope))
        return None
    places = _places(turn, shown, organisation)
    found = _figures(turn, shown, places)
    title = f"{places_title(places, organisation)} · {shown.title}"
    return _About(title, organisation, places, found, Choice(f"area.{shown.area}", "回到汇总"))


def lower_level(organisation: Organisation) -> Level:
    return {Level.COUNTY: Level.TOWNSHIP, Level.TOWNSHIP: Level.VILLAGE}.get(Level(organisation.level), Level.GROUP)


def _name_choices(scope: Scope, found: Sequence[Figure]) -> list[Choice]:
    """None where the role shows no names, and none for a rate that nobody is missing from."""
    listed = [f for f in found if scope.names and has_names(f.code) and tells(f) and (f.unit, f.value) != ("%", 100)]
    return [Choice(f"names.{figure.code}", list_title(figure.code)) for figure in listed]


def _lower_choices(turn: Turn, organisation: Organisation, places: Sequence[Organisation]) -> list[Choice]:
    """Townships of a county, villages of a township, or the several villages of a doctor."""
    lower = children_of(turn.session, organisation) if turn.scope.villages is None else places
    if turn.scope.villages is not None and len(lower) < 2:
        return []
    return [Choice(f"area.{place.id}", place.name) for place in lower]


# --- what is asked for ---


def _organisation(turn: Turn, area: int) -> Organisation | None:
    """The organisation shown, if it is within the scope; 0 is the viewer's own."""
    scope = turn.scope
    organisation = turn.session.get(Organisation, area or scope.organisation_id)
    if organisation is None or not area:
        return organisation
    seen = scope.includes(organisation) if scope.villages is None else organisation.id in scope.villages
    return organisation if seen else None


def _places(turn: Turn, shown: Shown, organisation: Organisation) -> list[Organisation]:
    """What is added up: a doctor's own summary is that of all their villages, whichever of them is their seat."""
    if turn.scope.villages is None or shown.area:
        return places_of(turn.session, organisation, turn.scope)
    query = select(Organisation).where(Organisation.id.in_(turn.scope.villages)).order_by(Organisation.code)
    return list(turn.session.scalars(query))


def _narrowed(scope: Scope, organisation: Organisation) -> Scope:
    """The area shown; of a doctor's own summary all their villages."""
    if scope.villages is not None and organisation.id not in scope.villages:
        return scope
    return scope.narrowed(organisation)


def _period(text: str, today: date) -> tuple[tuple[date, date, str] | None, str]:
    """(first, last, title) of the period named, if any, and the words left over."""
    found = find_period(text, today)
    if found is None:
        return None, text
    period, rest = found
    return (period.first, period.last, period.title), rest


def _this_month(today: date) -> Shown:
    found = find_period("本月", today)
    assert found is not None
    return Shown(0, *found[0])


def _shown(turn: Turn) -> Shown:
    kept = turn.conversation.last.get("summary")
    if not kept:
        return _this_month(turn.today)
    days = date.fromisoformat(kept["first"]), date.fromisoformat(kept["last"])
    return Shown(kept["area"], *days, kept["title"], tuple(kept.get("topics", ())))


def _keep(turn: Turn, shown: Shown) -> None:
    turn.conversation.last["summary"] = shown.to_json()


def _with_area(shown: Shown, area: int) -> Shown:
    return replace(shown, area=area)


def _unknown(turn: Turn, shown: Shown, said: str, areas: Sequence[Area]) -> None:
    _keep(turn, _with_area(shown, 0))
    some = areas[:OFFERED]
    names = "、".join(area.name for area in some) + (f"等{len(areas)}个" if len(areas) > len(some) else "")
    what = f"没有找到“{said[:20]}”,或者不在您能看的范围里" if said else "这个地方不在您能看的范围里"
    turn.say(f"{what}。您可以查:{names}。例如:汇总 {some[0].name if some else ''} 本月", _area_choices(some, areas))


def _area_choices(offered: Sequence[Area], areas: Sequence[Area]) -> list[Choice]:
    """One button each; two of the same name are told apart by the one above them."""
    names = {area.path: area.name for area in areas}
    choices = []
    for area in offered:
        above = names.get(area.path.rstrip("/").rpartition("/")[0] + "/")
        twice = sum(other.name == area.name for other in offered) > 1
        choices.append(Choice(f"area.{area.id}", f"{area.name}({above})" if twice and above else area.name))
    return choices
