"""Whom a campaign has to be spoken of to, by the words of docs/timetable.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.rules import State, Worker

CAMPAIGNS = {
    "campaign_to_tell": ("doctor",), "campaign_eve": ("doctor",), "campaign_day": ("doctor",),
    "campaign_standing": ("township", "county"),
}  # fmt: skip
PLANS = ("flagship", "hundred_counties", "three_years", "mentoring", "other_plan")
"""Kinds of what runs like a campaign, and is none."""
BEFORE = (7, 3, 1)
CLOSE_AFTER = 7
Row = Mapping[str, Any]
Matter = tuple[str, int, str]
"""(what, which campaign, its stage): each is spoken of once."""


def campaigns_to_speak_of(state: State, reminder: str, worker: Worker, day: date, saying: bool) -> Iterator[Matter]:
    """活动前7、3、1天 to doctors with people still to tell; 活动前一晚 to all of them, or on the day whom that did not
    reach; to its holder how it stands. A day that could not be used is made up for on the next one.

    Whoever was just told of its beginning is not told again at once; only where something is said anyway (`saying`).
    """
    for key, row in state.rows["campaigns"].items():
        if row["status"] != "launched" or row["kind"] in PLANS:
            continue
        if found := _matter(state, reminder, key, row, worker, day, saying):
            yield found[0], int(key), found[1]


def _matter(
    state: State, reminder: str, key: str, row: Row, worker: Worker, day: date, saying: bool
) -> tuple[str, str] | None:
    began = state.launched[int(key)]
    if reminder == "campaign_standing":
        stage = _standing(row, day, began) if state.seats[row["organisation_id"]] == worker.place else None
        return ("campaign_standing", stage) if stage else None
    if not concerns(state, row, worker):
        return None
    if reminder == "campaign_to_tell":
        stage = _ahead(row, day, began) if row["rule"] and any(_untold(state, int(key), worker)) else None
        return ("campaign_to_tell", stage) if stage else None
    held = (day + timedelta(days=reminder == "campaign_eve")).isoformat()
    is_fresh = began == held and not saying
    return ("campaign_eve", held) if held in row["days"] and not is_fresh else None


def _ahead(row: Row, day: date, began: str) -> str | None:
    """The last of the days before the next one that has come, unless the campaign was launched after it."""
    following = min((held for held in map(date.fromisoformat, row["days"]) if held > day), default=None)
    if following is None:
        return None
    left = (following - day).days
    reached = min((n for n in BEFORE if n >= left), default=None)
    if reached is None or (following - timedelta(days=reached)).isoformat() < began:
        return None
    return f"{reached}:{following}"


def _standing(row: Row, day: date, began: str) -> str | None:
    if day.isoformat() in row["days"]:
        return f"on:{day}"
    last = max(row["days"])
    if last <= (day - timedelta(days=CLOSE_AFTER)).isoformat():
        return f"after:{last}"
    return _ahead(row, day, began)


def _untold(state: State, campaign: int, worker: Worker) -> Iterator[bool]:
    for resident, row in state.guests[campaign].items():
        open_ = row["told_on"] is None and row["came_on"] is None and row["declined_on"] is None
        if row["listed"] and open_ and state.homes[resident] in worker.villages and state.lives_here(resident):
            yield True


def concerns(state: State, row: Row, doctor: Worker) -> bool:
    """Does the doctor answer for a village in its areas?"""
    areas = [state.seats[area] for area in row["areas"] or [row["organisation_id"]]]
    return any(state.places[village].startswith(area) for village in doctor.villages for area in areas)


def carries_out(state: State, row: Row, worker: Worker) -> bool:
    """范围内的村医; the townships of its areas, when the county holds it. Of a plan 责任单位的公卫科、卫健局."""
    if row["kind"] in PLANS:
        seats = {state.seats[area] for area in row["areas"] or [row["organisation_id"]]}
        return worker.role in ("township", "county") and worker.place in seats
    if worker.role == "doctor":
        return concerns(state, row, worker)
    holder = state.seats[row["organisation_id"]]
    areas = [state.seats[area] for area in row["areas"] or [row["organisation_id"]]]
    below = worker.place.startswith(holder) and worker.place != holder
    along = any(area.startswith(worker.place) or worker.place.startswith(area) for area in areas)
    return worker.role == "township" and below and along
