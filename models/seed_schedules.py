"""What a pregnancy and a childhood have behind them in the synthetic county, and what comes next and when. 示例妇幼计划

The forms keep the schedules; this leaves an enrolment as their visits would have left it (a test holds the two together).
Who is behind follows from the name, so that nobody else's life changes with it.
"""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

from models.seed_people import Person

ANTENATAL = ((1, 0, 12), (2, 16, 20), (3, 21, 24), (4, 28, 36), (5, 37, 40))
"""The five visits: number, first and last completed week (domain.md A7)."""
CHECKS = (1, 3, 6, 8, 12, 18, 24, 30, 36, 48, 60, 72)
"""Months of age of the checks; each may be made for a month, from four years on for three (domain.md A8)."""
YEARLY, GRACE, YEARLY_GRACE = 48, 1, 3
FIRST_MONTH = (28, 42)  # days of age of the first check
DOSES = (
    (0, "HepB.1", "BCG.1"), (1, "HepB.2"), (2, "Polio.1", "DTP.1"), (3, "Polio.2"), (4, "Polio.3", "DTP.2"),
    (6, "HepB.3", "DTP.3", "MenA.1"), (8, "MMR.1", "JE.1"), (9, "MenA.2"), (18, "DTP.4", "MMR.2", "HepA.1"), (24, "JE.2"),
    (36, "MenAC.1"), (48, "Polio.4"), (72, "DTP.5", "MenAC.2"),
)  # fmt: skip
"""Months of age and what is given then (domain.md A9)."""
BEHIND = 0.06  # of children
LATELY = timedelta(days=60)

Planned = dict[str, Any]


def plan_of(person: Person, programme: str, today: date) -> Planned:
    """The columns of an enrolment that the schedule decides; nothing for other programmes."""
    if programme == "maternal" and person.weeks:
        return _pregnancy(person, today)
    if programme == "child":
        return _checks(person, today)
    return _shots(person, today) if programme == "vaccination" else {}


def is_vaccinated_on(person: Person, today: date) -> bool:
    """Is there still a dose of childhood to come?"""
    return months_later(person.born_on, DOSES[-1][0]) > today


def months_later(day: date, months: int) -> date:
    """The same day some months on; from a 31st it ends on the last day of the month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    following = date(year + month // 11, (month + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


def _pregnancy(person: Person, today: date) -> Planned:
    """Every window behind her was used; of the one she is in, half the women have been."""
    began = today - timedelta(weeks=person.weeks)
    details: dict[str, Any] = {"last_menstrual_period": began.isoformat()}
    for number, first, last in ANTENATAL:
        opens, closes = began + timedelta(weeks=first), began + timedelta(weeks=last, days=6)
        if closes >= today and not (opens < today and _chance(person, number) < 0.5):
            return {"details": details, "due_from": opens, "next_due_on": closes, "next_service": "antenatal_visit"}
        seen = max(opens + timedelta(days=7), began + timedelta(weeks=7))
        details[f"antenatal.{number}"] = min(seen, today - timedelta(days=1)).isoformat()
    return {"details": details, "next_due_on": began + timedelta(days=280), "next_service": "antenatal_visit"}


def _checks(person: Person, today: date) -> Planned:
    """The check that comes next; a few are behind with the last one, and half have had the one that is open."""
    before: Planned = {}
    for months in CHECKS:
        opens, closes = check_window(person.born_on, months)
        this = {"due_from": opens, "next_due_on": closes, "next_service": "child_check"}
        if closes < today:
            before = this
        elif before and before["next_due_on"] > today - LATELY and _chance(person, months) < BEHIND:
            return before
        elif opens > today or _chance(person, -months) < 0.5:
            return this if (today - person.born_on).days >= FIRST_MONTH[0] else _newborn(person)
    return {"due_from": None, "next_due_on": None, "next_service": None}


def check_window(born_on: date, months: int) -> tuple[date, date]:
    """The days from which and until which a check is made in time."""
    if months == CHECKS[0]:
        return born_on + timedelta(days=FIRST_MONTH[0]), born_on + timedelta(days=FIRST_MONTH[1])
    grace = YEARLY_GRACE if months >= YEARLY else GRACE
    return months_later(born_on, months), months_later(born_on, months + grace) - timedelta(days=1)


def _newborn(person: Person) -> Planned:
    return {
        "due_from": person.born_on,
        "next_due_on": person.born_on + timedelta(days=10),
        "next_service": "newborn_visit",
    }


def _shots(person: Person, today: date) -> Planned:
    """Given on the day of each age; a few have not had the last ones."""
    details: dict[str, Any] = {}
    for months, *doses in DOSES:
        on = months_later(person.born_on, months)
        behind = on > today - LATELY and _chance(person, 100 + months) < BEHIND and months > 0
        if on >= today or behind:
            return {"details": details, "due_from": on, "next_due_on": on, "next_service": "vaccination"}
        details |= {f"dose.{dose}": on.isoformat() for dose in doses}
    return {"details": details}


def _chance(person: Person, what: int) -> float:
    return Random(f"{person.name} {person.born_on} {what}").random()
