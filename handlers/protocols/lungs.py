"""What protocols for lasting illnesses of the lungs share: oxygen against the usual value, SpO2 in per cent at rest. 血氧"""

from __future__ import annotations

from collections.abc import Mapping
from statistics import median

from handlers.decisions import Findings
from handlers.protocols.findings import before, fact, number, told

FALL = 3  # points below the usual value (domain.md M-21)
LOW, LOW_IF_USUAL_UNKNOWN = 88, 90  # %
LOOKED_BACK = 4  # visits that make the usual value where nobody stated it


def spo2(f: Findings) -> float | None:
    return number(f.get("spo2"))


def usual(f: Findings) -> float | None:
    """The patient's usual value: as stated now or before, else the middle of the last few measured."""
    stated = number(fact(f, "usual_spo2"))
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
