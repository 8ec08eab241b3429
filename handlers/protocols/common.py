"""What several protocols share: how a finding is read, the quarter's calendar, and the rules any form has. 通用规则

The shared rules have ids of their own (ANY-…), because they are the same rule wherever they fire.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from handlers.decisions import Findings, Outcome, PastVisit, Rule, Setting, Urgency

Answers = Mapping[str, Any]

TELEPHONE = 3  # mode 1门诊 2家庭 3电话
REACTION = COMPLICATION = PRESENT = 2  # adverse_reaction, new_complication: 1无 2有
TWO_WEEKS = 14  # days; 2周内随访
QUARTER_DAYS = 92  # days; at least four visits a year (domain.md K, next_days.ok)
REVISIT_WITHIN = 28  # days; a two-week re-visit that came up to two weeks late is still one [D]


# How a finding is read


def number(value: object) -> float | None:
    """A measurement as a number; None when it is absent or not one."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or math.isnan(value):
        return None
    return float(value)


def readings(answers: Answers) -> list[tuple[float, float]]:
    """The raw blood-pressure readings of this visit, mmHg, in the order taken."""
    pairs = [(number(pair[0]), number(pair[1])) for pair in answers.get("readings") or () if len(pair) >= 2]
    return [(s, d) for s, d in pairs if s is not None and d is not None]


def pressure(answers: Answers) -> tuple[float | None, float | None]:
    """Systolic and diastolic that classify: as stated, else the mean of the readings, half up (domain.md M-15)."""
    raw = readings(answers)
    means = [math.floor(sum(side) / len(raw) + 0.5) for side in zip(*raw, strict=True)] if raw else [None, None]
    stated = (number(answers.get("systolic")), number(answers.get("diastolic")))
    systolic, diastolic = (mean if value is None else value for value, mean in zip(stated, means, strict=True))
    return systolic, diastolic


def alarm_pressures(answers: Answers) -> list[tuple[float | None, float | None]]:
    """What can raise an alarm: the pressure that classifies and every reading after the first (domain.md M-15)."""
    return [pressure(answers), *readings(answers)[1:]]


def pressure_reaches(f: Findings, systolic: float, diastolic: float) -> bool:
    """Either side alone is enough, and equality counts."""
    return any(
        (s is not None and s >= systolic) or (d is not None and d >= diastolic) for s, d in alarm_pressures(f.answers)
    )


def systolic_below(f: Findings, limit: float) -> bool:
    return any(s is not None and s < limit for s, _ in alarm_pressures(f.answers))


def diastolic_below(f: Findings, limit: float) -> bool:
    return any(d is not None and d < limit for _, d in alarm_pressures(f.answers))


def pressure_text(answers: Answers) -> str:
    return "/".join("未测" if side is None else f"{side:g}" for side in pressure(answers)) + " mmHg"


def to_one_decimal(value: float) -> float:
    """Half up, as the meter would show it: 16.65 is 16.7."""
    return float(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)) if math.isfinite(value) else value


def codes(value: object) -> frozenset[Any]:
    """A multiple choice as a set, whether one code was stored or several."""
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, list | tuple | set | frozenset) else frozenset({value})


def has_symptom(f: Findings, *wanted: int) -> bool:
    return not codes(f.get("symptoms")).isdisjoint(wanted)


def danger_signs(f: Findings) -> frozenset[str]:
    """The danger signs answered with yes."""
    return codes(f.get("danger_signs")) - {"none"}


def has_sign(f: Findings, *wanted: str) -> bool:
    return not danger_signs(f).isdisjoint(wanted)


def danger_question_answered(f: Findings) -> bool:
    return bool(codes(f.get("danger_signs")))


def by_telephone(f: Findings) -> bool:
    return bool(f.get("mode") == TELEPHONE)


def told(answers: Answers, mode: int | None) -> bool:
    """Values the patient told, by telephone or otherwise; nobody of ours measured them (domain.md M-16)."""
    return bool(answers.get("self_reported")) or mode == TELEPHONE


def told_now(f: Findings) -> bool:
    return told(f.answers, f.get("mode"))


VALUES = ("systolic", "diastolic", "readings", "fasting_glucose", "postprandial_glucose", "random_glucose")


def tells_a_value(f: Findings) -> bool:
    return told_now(f) and any(f.get(field) not in (None, [], ()) for field in VALUES)


def medication_names(f: Findings) -> list[str]:
    """Drug names recorded at this visit, or at the last visit that recorded any."""
    for answers in (f.answers, *(visit.answers for visit in before(f))):
        if items := answers.get("medications"):
            return [str(item.get("name", "") if isinstance(item, Mapping) else item) for item in items]
    return []


def takes_a_drug(f: Findings) -> bool:
    """Known to take one: a drug is listed, or adherence was answered 规律 or 间断, at the last visit that tells."""
    for answers in (f.answers, *(visit.answers for visit in before(f))):
        if answers.get("medications") or answers.get("insulin"):
            return True
        if answers.get("adherence") is not None:
            return answers["adherence"] in (1, 2)
    return False


def setting(f: Findings, settings: Mapping[str, Setting], name: str) -> Any:
    """The county's answer, or the default that holds until the county gives one."""
    return f.settings.get(name, settings[name].default)


# Two in a row (domain.md M-5)

Unmet = Callable[[Answers, int | None], bool | None]  # answers, age -> the target was missed; None: not assessed


def before(f: Findings) -> list[PastVisit]:
    """Earlier visits, newest first. A record can arrive late, so days after this visit are not history."""
    return sorted((visit for visit in f.history if visit.on < f.on), key=lambda visit: visit.on, reverse=True)


def last_missed(f: Findings, unmet: Unmet) -> PastVisit | None:
    """The last visit that assessed the value, if it missed the target. A told value settles nothing downwards (M-16)."""
    for visit in before(f):
        missed = unmet(visit.answers, f.age if visit.age is None else visit.age)
        if missed or (missed is False and not told(visit.answers, visit.mode)):
            return visit if missed else None
    return None


def last_reaction(f: Findings) -> PastVisit | None:
    """The last visit that asked for a drug reaction, if there was one."""
    asked = next((visit for visit in before(f) if visit.answers.get("adverse_reaction") is not None), None)
    return asked if asked and asked.answers["adverse_reaction"] == REACTION else None


def second_in_a_row(f: Findings, unmet: Unmet, like_with_like: bool) -> PastVisit | None:
    """The earlier visit that makes today's missed target or reaction the second running, if there is one.

    Decided from findings, not classes. The norm names both findings in one breath, so one may follow the other
    unless the county compares like with like.
    """
    missed, reaction = last_missed(f, unmet), last_reaction(f)
    earlier: list[PastVisit | None] = []
    if unmet(f.answers, f.age):
        earlier += [missed] if like_with_like else [missed, reaction]
    if f.get("adverse_reaction") == REACTION:
        earlier += [reaction] if like_with_like else [reaction, missed]
    return next((visit for visit in earlier if visit), None)


def earlier_words(f: Findings, visit: PastVisit | None) -> dict[str, object]:
    """What the reason of a two-in-a-row rule tells: when it was, and how long ago."""
    return {"earlier_on": visit.on if visit else "—", "gap": (f.on - visit.on).days if visit else "—"}


# The quarter's calendar (domain.md M-14)


def last_day_of_quarter(day: date, later: int = 0) -> date:
    """The last day of the calendar quarter of `day`, or of the one `later` quarters on."""
    quarter = day.year * 4 + (day.month - 1) // 3 + later + 1  # the quarter after the wanted one
    return date(quarter // 4, quarter % 4 * 3 + 1, 1) - timedelta(days=1)


def quarterly(on: date, slot_on: date | None = None) -> date:
    """The earlier of 92 days from `on` and the last day of the quarter after the one filled on `slot_on`."""
    slot_on = slot_on or on
    ends = next(end for end in (last_day_of_quarter(slot_on, 1), last_day_of_quarter(on), _next_end(on)) if end > on)
    return min(on + timedelta(days=QUARTER_DAYS), ends)


def _next_end(on: date) -> date:
    return last_day_of_quarter(on, 1)


def slot_filled_on(f: Findings, standard: Callable[[PastVisit], bool]) -> date:
    """The day of the visit that filled the latest quarterly slot, this one included; two-week re-visits fill none."""
    visits = [visit for visit in reversed(before(f)) if standard(visit)]
    filled = visits[0].on if visits else f.on
    for previous, on in zip(visits, [visit.on for visit in visits[1:]] + [f.on], strict=True):
        if previous.classification == 1 or (on - previous.on).days > REVISIT_WITHIN:
            filled = on
    return filled


def next_visit(f: Findings, within: int | None, *, standard: Callable[[PastVisit], bool], revisit_counts: bool) -> date:
    """When the patient is seen next.

    1. Face to face with a reading: within the days the rules ask for, else the quarterly date (domain.md M-14).
    2. A call, or a visit without a reading, fulfils nothing: the standing date stays, or comes forward to the days
       the rules ask for (domain.md M-4). Where no date stands in the future, a visit is owed within 14 days.
    """
    asked = f.on + timedelta(days=within) if within is not None else None
    if standard(PastVisit(f.on, "", f.get("mode"), None, f.answers, f.age)):
        return asked or quarterly(f.on, f.on if revisit_counts else slot_filled_on(f, standard))
    standing = f.due_on if f.due_on and f.due_on > f.on else None
    return min(filter(None, (asked, standing)), default=f.on + timedelta(days=TWO_WEEKS))
