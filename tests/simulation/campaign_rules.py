"""Whom a campaign has to be spoken of to, by the words of docs/timetable.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.simulation.rules import State, Worker

CAMPAIGNS = {"campaign_to_tell": ("doctor",), "campaign_eve": ("doctor",), "campaign_standing": ("township", "county")}
BEFORE = (7, 3, 1)
CLOSE_AFTER = 7
Row = Mapping[str, Any]


def campaigns_to_speak_of(state: State, reminder: str, worker: Worker, day: date) -> set[int]:
    """活动前7、3、1天 to doctors with people still to tell; 活动前一晚 to all of them; to its holder how it stands."""
    spoken = {"campaign_to_tell": _to_tell, "campaign_eve": _eve, "campaign_standing": _stands}[reminder]
    launched = ((int(key), row) for key, row in state.rows["campaigns"].items() if row["status"] == "launched")
    return {key for key, row in launched if spoken(state, key, row, worker, day)}


def _to_tell(state: State, key: int, row: Row, worker: Worker, day: date) -> bool:
    following = min((held for held in map(date.fromisoformat, row["days"]) if held > day), default=None)
    soon = following is not None and (following - day).days in BEFORE
    return bool(row["rule"]) and soon and any(_untold(state, key, worker)) and concerns(state, row, worker)


def _untold(state: State, campaign: int, worker: Worker) -> Iterator[bool]:
    for resident, row in state.guests[campaign].items():
        open_ = row["told_on"] is None and row["came_on"] is None and row["declined_on"] is None
        if row["listed"] and open_ and state.homes[resident] in worker.villages and state.lives_here(resident):
            yield True


def _eve(state: State, key: int, row: Row, worker: Worker, day: date) -> bool:
    return (day + timedelta(days=1)).isoformat() in row["days"] and concerns(state, row, worker)


def _stands(state: State, key: int, row: Row, worker: Worker, day: date) -> bool:
    days = [day, day - timedelta(days=CLOSE_AFTER), *(day + timedelta(days=n) for n in BEFORE)]
    is_holder = state.seats[row["organisation_id"]] == worker.place
    return is_holder and any(held.isoformat() in row["days"] for held in days)


def concerns(state: State, row: Row, doctor: Worker) -> bool:
    """Does the doctor answer for a village in its areas?"""
    areas = [state.seats[area] for area in row["areas"] or [row["organisation_id"]]]
    return any(state.places[village].startswith(area) for village in doctor.villages for area in areas)


def carries_out(state: State, row: Row, worker: Worker) -> bool:
    """范围内的村医; the townships of its areas, when the county holds it."""
    if worker.role == "doctor":
        return concerns(state, row, worker)
    holder = state.seats[row["organisation_id"]]
    areas = [state.seats[area] for area in row["areas"] or [row["organisation_id"]]]
    below = worker.place.startswith(holder) and worker.place != holder
    along = any(area.startswith(worker.place) or worker.place.startswith(area) for area in areas)
    return worker.role == "township" and below and along
