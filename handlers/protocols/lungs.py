"""What protocols for lasting illnesses of the lungs share: oxygen against the usual value, and schedules without default.

SpO2 in per cent at rest. The national text on COPD and a form for pneumoconiosis were not at hand, so how often a
patient is seen is the county's to say (domain.md A5, A11): until then the doctor names each next day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from statistics import median

from handlers.decisions import Findings, Outcome, Rule, Setting
from handlers.protocols.common import TWO_WEEKS
from handlers.protocols.findings import before, by_telephone, number, setting, told

FALL = 3  # points below the usual value (domain.md M-21)
LOW, LOW_IF_USUAL_UNKNOWN = 88, 90  # %
LOOKED_BACK = 4  # visits that make the usual value where nobody stated it
YEAR = 365


def spo2(f: Findings) -> float | None:
    return number(f.get("spo2"))


def usual(f: Findings) -> float | None:
    """The patient's usual value: as stated now or before, else the middle of the last few measured."""
    stated = number(f.get("usual_spo2", f.details.get("usual_spo2")))
    if stated is not None:
        return stated
    values = [number(v.answers.get("spo2")) for v in before(f) if not told(v.answers, v.mode)]
    measured = [value for value in values if value is not None][:LOOKED_BACK]
    return median(measured) if measured else None


def low_oxygen(f: Findings) -> bool:
    """Below 88, or three points or more below the usual value; below 90 where the usual value is not known (M-21)."""
    value, normal = spo2(f), usual(f)
    if value is None:
        return False
    return value < LOW or (value < LOW_IF_USUAL_UNKNOWN if normal is None else normal - value >= FALL)


def oxygen_words(f: Findings) -> Mapping[str, object]:
    value, normal = spo2(f), usual(f)
    return {
        "spo2": "未测" if value is None else f"{value:g}%",
        "usual": "平时值不知道" if normal is None else f"平时{normal:g}%",
    }


# --- how often, when only the county knows ---


def visits_a_year(f: Findings, settings: Mapping[str, Setting], name: str) -> int | None:
    """The county's number, or None while it has not given one."""
    given = setting(f, settings, name)
    return int(given) if given else None


def scheduled(f: Findings, within: int | None, a_year: int | None) -> date | None:
    """The day that the rules ask for, else the county's interval; None: the doctor's to say.

    A call fulfils no interval: the standing date stays, and one that has come is made up within two weeks.
    """
    asked = f.on + timedelta(days=within) if within is not None else None
    interval = f.on + timedelta(days=YEAR // a_year) if a_year else None
    if not by_telephone(f):
        return asked or interval
    standing = f.due_on if f.due_on and f.due_on > f.on else None
    owed = f.on + timedelta(days=TWO_WEEKS) if interval else None
    return min(filter(None, (asked, standing or owed)), default=None)


def schedule_rules(
    prefix: str, what: str, settings: Mapping[str, Setting], name: str, source: str
) -> tuple[Rule, Rule]:
    """What the recap says of the interval: the county's, or that there is none."""
    return (
        Rule(
            f"{prefix}-61",
            when=lambda f: visits_a_year(f, settings, name) is None,
            then=Outcome(flags=("interval_not_set",), say=f"县里还没有定{what}的随访间隔:下次哪天随访由您定。"),
            because=f"县里还没有设置随访间隔(设置 {name})",
            source=source,
            certainty="[K-low],没有默认值",
        ),
        Rule(
            f"{prefix}-62",
            when=lambda f: visits_a_year(f, settings, name) is not None,
            then=Outcome(say="按县里定的间隔随访。"),
            because=f"县里定的每年随访次数(设置 {name})",
            source=source,
            certainty="[K-low],由县里设置",
        ),
    )
