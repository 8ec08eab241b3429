"""A visit at which the resident was not seen: away, refused, lost, died, moved. Recorded without penalty. 未访到

What was not seen is not asked, classes nothing and counts for no figure; it stops the reminders that it must stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

SEEN, AWAY, REFUSED, LOST, DIED, MOVED = range(1, 7)
GONE = frozenset({DIED, MOVED})
ASK_AGAIN_DAYS = {AWAY: 30, REFUSED: 30, LOST: 90}
"""After how many days somebody not seen is asked about again, unless the doctor names a day. [D]"""

WHEN_GONE = {DIED: "died_on", MOVED: "moved_on"}
DETAILS = (
    "outcome",
    "back_on",
    "lost_reason",
    "not_seen_why",
    "died_on",
    "death_cause",
    "death_illness",
    "moved_on",
    "moved_to",
)


def not_seen(answers: Mapping[str, Any]) -> bool:
    """Does the record say that the resident was not seen?"""
    return bool(answers.get("outcome", SEEN) != SEEN)


def only_why(answers: Mapping[str, Any]) -> dict[str, Any]:
    """What a record keeps of somebody not seen: when, how it was tried, and why nobody was seen."""
    return {name: value for name, value in answers.items() if name in ("on", "mode", "enrol", "note", *DETAILS)}


def gone_since(answers: Mapping[str, Any], on: date) -> date | None:
    """The day of death or of moving away that a record tells, if it tells one."""
    outcome = answers.get("outcome")
    if outcome not in GONE:
        return None
    said = answers.get(WHEN_GONE[outcome])
    return date.fromisoformat(said) if said else on


def ask_again_on(answers: Mapping[str, Any], on: date) -> date | None:
    """Until when reminders rest after somebody was not seen; None when they were seen or are gone."""
    days = ASK_AGAIN_DAYS.get(answers.get("outcome", SEEN))
    if days is None:
        return None
    back = answers.get("back_on")
    return date.fromisoformat(back) if back else on + timedelta(days=days)
