"""When appointments and screening results have to be spoken of, by the words of docs/timetable.md and domain.md C."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from tests.simulation.campaign_rules import Matter

if TYPE_CHECKING:
    from tests.simulation.rules import State, Worker

Row = Mapping[str, Any]
TRACKED = (2, 3)  # 可疑, 阳性
ARRIVE_WITHIN = {"prenatal": 7, "newborn": 7, "colorectal": 90, "upper_gi": 90}  # [D]
USUALLY = 14
TO_THE_DOCTOR, TO_THE_TOWNSHIP = (28, 14, 7, 0), (28, 7)


def appointments(state: State, worker: Worker, day: date) -> Iterator[int]:
    """Of today, and earlier ones nobody has said anything of."""
    for village in state.below(worker):
        for key, row in state.by_village["appointments"][village].items():
            waits = row["closed_at"] is None and row["on_day"] <= day.isoformat()
            if waits and is_current(state, row) and state.lives_here(row["resident_id"]):
                yield int(key)


def positives(state: State, worker: Worker, day: date) -> Iterator[Matter]:
    """筛查结果要复查而没到诊:到期、之后7、14、28天"""
    yield from _not_arrived(state, worker, day, "positives", TO_THE_DOCTOR)


def positives_township(state: State, worker: Worker, day: date) -> Iterator[Matter]:
    """…,过期后7、28天"""
    yield from _not_arrived(state, worker, day, "positives_township", TO_THE_TOWNSHIP)


def _not_arrived(state: State, worker: Worker, day: date, what: str, steps: Sequence[int]) -> Iterator[Matter]:
    for village in state.below(worker):
        for key, row in state.by_village["screening_results"][village].items():
            past = (day - date.fromisoformat(row["on_day"])).days - ARRIVE_WITHIN.get(row["test"], USUALLY)
            step = next((step for step in steps if past > step), None)
            if step is not None and followed(state, row) and not row["arrived_on"] and not _by_referral(state, row):
                yield what, int(key), str(step)


def followed(state: State, row: Row) -> bool:
    """A result of somebody who lives here, that has not come to its end."""
    tracked = row["result"] in TRACKED and row["closed_on"] is None and is_current(state, row)
    return tracked and row["resident_id"] is not None and state.lives_here(row["resident_id"])


def is_current(state: State, row: Row) -> bool:
    """The record that it came from was not taken back."""
    return bool(state.records[row["record_id"]]["status"] == "current")


def _by_referral(state: State, row: Row) -> bool:
    """The doctor said of the referral it travels on that they arrived."""
    referrals = state.by_village["referrals"][row["village_id"]].values()
    return any(
        referral["arrived"] and row["record_id"] in (referral["record_id"], *(referral["joined"] or ()))
        for referral in referrals
        if referral["resident_id"] == row["resident_id"]
    )
