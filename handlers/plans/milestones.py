"""Milestones as offices write them: 启动1-3月, 实施4-24月; 6月底前完成选址; 前期准备2027年1月至3月. 阶段

Months without a year count from the plan's first month where one of them is beyond twelve; otherwise it is asked
whether they are months of the calendar, unless the plan begins in January and both are the same.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from handlers.reading.dates import add_months, find_day
from handlers.reading.day_lists import ends_apart
from handlers.reading.normalise import tidy
from handlers.steps import Answer, Known, NotUnderstood, Step
from handlers.steps.base import quoted

LONGEST_PLAN = 120  # months
MOST = 20
EXAMPLE = "启动1-3月,实施4-24月,验收25-27月;或 6月底前完成选址,12月20日前开诊"
_APART = re.compile(r"([,，;；。\n、]+)")
_UNTIL = re.compile(r"\s*(?:之?前|以前|之?内|底前|为止|止)")
_NUMERAL = re.compile(r"[一二三四五六七八九十]{1,3}(?=\s*(?:个?月|[-~到至]\s*[\d一二三四五六七八九十]{1,3}\s*个?月))")
_TO = r"\s*[-~—到至]+\s*"
_SPAN = re.compile(rf"(?:第)?(?P<first>\d{{1,3}})\s*个?月?{_TO}(?:第)?(?P<last>\d{{1,3}})\s*个?月(?!\d{{1,2}}[日号])")
_YEARS = re.compile(
    rf"(?P<year>\d{{4}})[年.-]\s*(?P<month>\d{{1,2}})月?(?:{_TO}(?:(?P<to_year>\d{{4}})[年.-]\s*)?(?P<to_month>\d{{1,2}})月?)?"
    r"(?![\d月]*[日号-])(?:底|末)?"
)
_MONTH_END = re.compile(r"(?P<month>\d{1,2})月(?:底|末|份)")
_YEAR_END = re.compile(r"(?:(?P<year>\d{4})年|今年|明年)?(?:年底|年末)")
_FILLER = re.compile(r"^[\s::在于到至]+|[\s::在于到至]+$")
_TARGET = re.compile(r"[\s,::]*(?:目标|指标)[\s::]*(?P<target>.+)$")
_FIGURE = re.compile(r"(?P<figure>\d+(?:\.\d+)?)\s*(?P<unit>[%％]|[个家人次场所间台张户名科])")


@dataclass(frozen=True, kw_only=True, eq=False)
class Milestones(Step):
    """All milestones in one answer, as a list of {title, months | starts_on and due_on, target}."""

    spans: bool = True

    def question(self, known: Known) -> str:
        return f"分几个阶段?每个阶段写名称和期限,用逗号隔开。例如:{EXAMPLE}"

    def read(self, text: str, known: Known) -> Answer:
        found = read_milestones(text, known.today)
        return Answer({self.field: found})

    def show(self, answers: Mapping[str, Any]) -> str:
        return ";".join(words_of(one) for one in resolved(answers, answers.get("begins_on")))


def words_of(one: Mapping[str, Any]) -> str:
    """启动 2027-01-01至2027-03-31."""
    if "due_on" not in one:
        first, last = one["months"]
        when = f"第{first}-{last}个月"
    else:
        when = f"{one['starts_on']}至{one['due_on']}" if one.get("starts_on") else f"{one['due_on']}前"
    target = f"(目标{one['target']})" if one.get("target") else ""
    return f"{one['title']} {when}{target}"


def read_milestones(text: str, today: date) -> list[dict[str, Any]]:
    """Every milestone of a text. Raises NotUnderstood naming the first part that is none."""
    said = _NUMERAL.sub(lambda match: str(_number(match[0])), tidy(text))
    parts = _parts(said, today)
    found = [_one(part, today) for part in parts]
    for part, one in zip(parts, found, strict=True):
        if one is None:
            raise NotUnderstood(f"“{quoted(part)}”没看出期限。每个阶段写名称和期限,例如:{EXAMPLE}")
    milestones = [one for one in found if one is not None]
    if not milestones or len(milestones) > MOST:
        raise NotUnderstood(f"请写1到{MOST}个阶段,例如:{EXAMPLE}")
    if doubled := {one["title"] for one in milestones if sum(o["title"] == one["title"] for o in milestones) > 1}:
        raise NotUnderstood(f"“{'、'.join(sorted(doubled))}”写了两次,每个阶段请用不同的名称。")
    return milestones


def _parts(said: str, today: date) -> list[str]:
    """The text cut into milestones: a title and its time may stand apart, and 、 may be within a title."""
    pieces = _APART.split(said)
    parts: list[str] = []
    for mark, piece in zip(["", *pieces[1::2]], pieces[0::2], strict=True):
        if not piece.strip():
            continue
        open_still = bool(parts) and _one(parts[-1], today) is None
        if parts and (open_still or ("、" in mark and not _when(piece, today)[0])):
            parts[-1] += ("、" if "、" in mark else " ") + piece.strip()
        else:
            parts.append(piece.strip())
    return parts


def _one(part: str, today: date) -> dict[str, Any] | None:
    target: dict[str, Any] = {}
    if match := _TARGET.search(part):
        target, part = target_of(match["target"]), part[: match.start()]
    when, rest = _when(part, today)
    title = _FILLER.sub("", rest).strip(" ::()()")
    return {"title": title[:64], **when, **target} if when and title else None


def target_of(words: str) -> dict[str, Any]:
    """A target, with its number where it has exactly one: 70%的卫生院, 10家."""
    words = words.strip()[:120]
    figures = _FIGURE.findall(words)
    if len(figures) != 1:
        return {"target": words}
    return {"target": words, "figure": float(figures[0][0]), "unit": figures[0][1].replace("％", "%")}


def _when(part: str, today: date) -> tuple[dict[str, Any], str]:
    """The time a part names, and the rest of its words."""
    for pattern, read in (
        (_YEARS, _of_years), (_SPAN, _of_months), (_MONTH_END, _of_month_end), (_YEAR_END, _of_year_end)
    ):  # fmt: skip
        if (match := pattern.search(part)) and (when := read(match, today)):
            return when, _without(part, *match.span())
    days = find_day(ends_apart(part), today, "future")
    if len(days) == 1 and days[0].on is not None:
        return {"due_on": days[0].on.isoformat()}, _without(part, days[0].start, days[0].end)
    if len(days) == 2 and days[0].on and days[1].on and days[0].on <= days[1].on:  # 12月1日至12月20日
        span = {"starts_on": days[0].on.isoformat(), "due_on": days[1].on.isoformat()}
        return span, _without(part, days[0].start, days[1].end)
    return {}, part


def moved(milestones: Sequence[Mapping[str, Any]], words: str, today: date) -> list[dict[str, Any]] | None:
    """The milestones with another time for the one that the words name: 验收改到2027年9月. None: they name none."""
    said = tidy(words)
    named = [one for one in milestones if one["title"] in said]
    when, _ = _when(said.replace(named[0]["title"], " "), today) if len(named) == 1 else ({}, "")
    if not when:
        return None
    kept = {name: value for name, value in named[0].items() if name not in ("months", "starts_on", "due_on")}
    start = named[0].get("starts_on")
    if start and start <= when.get("due_on", "") and "starts_on" not in when:
        kept["starts_on"] = start
    return [{**kept, **when} if one is named[0] else dict(one) for one in milestones]


def _without(part: str, start: int, end: int) -> str:
    until = _UNTIL.match(part, end)
    return part[:start] + part[until.end() if until else end :]


def _of_years(match: re.Match[str], today: date) -> dict[str, Any]:
    """2027年1月至3月; one month alone (2027年6月底前) is only its end."""
    year, month = int(match["year"]), int(match["month"])
    last_year, last = int(match["to_year"] or year), int(match["to_month"] or month)
    if not (1 <= month <= 12 and 1 <= last <= 12 and (year, month) <= (last_year, last)):
        return {}
    due = {"due_on": month_end(last_year, last).isoformat()}
    return {"starts_on": date(year, month, 1).isoformat(), **due} if match["to_month"] else due


def _of_months(match: re.Match[str], today: date) -> dict[str, Any]:
    first, last = int(match["first"]), int(match["last"])
    return {"months": [first, last]} if 1 <= first <= last <= LONGEST_PLAN else {}


def _of_month_end(match: re.Match[str], today: date) -> dict[str, Any]:
    month = int(match["month"])
    year = today.year + (month < today.month)
    return {"due_on": month_end(year, month).isoformat()} if 1 <= month <= 12 else {}


def _of_year_end(match: re.Match[str], today: date) -> dict[str, Any]:
    year = int(match["year"]) if match["year"] else today.year + match[0].startswith("明年")
    return {"due_on": date(year, 12, 31).isoformat()}


def month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _number(word: str) -> int:
    digits = {c: n for n, c in enumerate("〇一二三四五六七八九")}
    head, ten, tail = word.partition("十")
    return digits.get(head, 1) * 10 + digits.get(tail, 0) if ten else digits.get(word, 0)


# --- months made days ---


def is_relative(milestones: Sequence[Mapping[str, Any]]) -> bool:
    return any("months" in one for one in milestones)


def may_be_calendar(milestones: Sequence[Mapping[str, Any]]) -> bool:
    """Months that could all be months of one calendar year."""
    months = [month for one in milestones for month in one.get("months", [])]
    return bool(months) and max(months) <= 12


def calendar_year(milestones: Sequence[Mapping[str, Any]], begins: date) -> int:
    """The year of months that are months of the calendar: the first of them is not before the plan begins."""
    first: int = next(one["months"][0] for one in milestones if "months" in one)
    return begins.year + (first < begins.month)


def resolved(answers: Mapping[str, Any], begins_on: str | None) -> list[dict[str, Any]]:
    """Milestones with their days, as far as the first month is known.

    1. Months of the calendar are the first such months that do not lie before the plan.
    2. Otherwise month 1 is the one in which it begins.
    """
    found = []
    begins = date.fromisoformat(begins_on) if begins_on else None
    for one in answers.get("milestones", []):
        if "months" in one and begins is not None:
            first, last = one["months"]
            calendar = answers.get("month_basis") == "calendar"
            start = date(calendar_year(answers["milestones"], begins), 1, 1) if calendar else begins.replace(day=1)
            ends = add_months(start, last - 1)
            days = {
                "starts_on": add_months(start, first - 1).isoformat(),
                "due_on": month_end(ends.year, ends.month).isoformat(),
            }
            one = {**{name: value for name, value in one.items() if name != "months"}, **days}
        found.append(dict(one))
    return found
