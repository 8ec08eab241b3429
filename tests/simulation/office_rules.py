"""When plans, contracts and results without an end have to be spoken of, by the words of docs/timetable.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from tests.simulation.campaign_rules import PLANS, Matter
from tests.simulation.errand_rules import followed
from tests.simulation.working_days import first_working_days

if TYPE_CHECKING:
    from tests.simulation.rules import State, Worker

Row = Mapping[str, Any]
DAILY = {"plan_milestones": ("township", "county"), "plan_terms": ("doctor", "township")}
WEEKLY = {"campaign_unclosed": ("doctor", "township"), "plans_weekly": ("township", "county")}
OF_OFFICES = {**DAILY, **WEEKLY}
MILESTONES, TERMS = (0, 1, 7, 14), (0, 7, 30, 60)
CLOSED_WITHIN = 90  # [D]
DONE = 2


def once_in_offices(state: State, reminder: str, worker: Worker, day: date) -> Iterator[Matter]:
    """Of what is said at certain days before an end, and again every so many days after it."""
    if reminder == "plan_milestones":
        yield from _milestones(state, worker, day)
    elif reminder == "plan_terms":
        yield from _terms(state, worker, day)


def open_in_offices(state: State, reminder: str, worker: Worker, day: date, saying: bool) -> Iterator[tuple[str, int]]:
    """Of what is said once a week as long as it is open."""
    if reminder in WEEKLY and day in first_working_days(day - timedelta(days=day.weekday())):
        found = _unclosed(state, worker, day) if reminder == "campaign_unclosed" else _plans(state, worker, saying)
        for key in found:
            yield reminder, key


def _milestones(state: State, worker: Worker, day: date) -> Iterator[Matter]:
    """责任单位;到期前14、7、1天、当天,逾期后每7天. Those before the plan began do not count."""
    for key, row in state.rows["milestones"].items():
        plan = state.rows["campaigns"][str(row["campaign_id"])]
        if plan["status"] != "launched" or worker.place not in _responsible(state, plan, row):
            continue
        due = date.fromisoformat(row["due_on"])
        step = _step(due, day, MILESTONES, every=7)
        began = state.launched[row["campaign_id"]]
        if step is None or (due - timedelta(days=step)).isoformat() < began:
            continue
        seat = next(seat for seat, path in state.seats.items() if path == worker.place)
        if not _is_done(state, int(key), seat):
            yield "milestone", int(key), f"{step}:{due}"


def _responsible(state: State, plan: Row, milestone: Row) -> set[str]:
    own = milestone["organisations"] or plan["areas"] or [plan["organisation_id"]]
    return {state.seats[seat] for seat in own}


def _is_done(state: State, milestone: int, seat: int) -> bool:
    """By the latest of their reports."""
    reports = state.progress.get((milestone, seat), {}).items()
    current = [(row["on_day"], key, row) for key, row in reports if row["status"] == "current"]
    return bool(current) and max(current, key=lambda one: one[:2])[2]["answers"]["state"] == DONE


def _terms(state: State, worker: Worker, day: date) -> Iterator[Matter]:
    """村医本人和公卫科;到期前60、30、7天、当天,过期后每30天"""
    for doctor in state.workers.values():
        if doctor.role != "doctor" or not (doctor is worker or _is_above(worker, doctor)):
            continue
        settings = state.rows["health_workers"].get(str(doctor.id), {}).get("settings", {})
        for code in ("agreement_ends_on", "training_due_on"):
            if ends_on := settings.get(code):
                step = _step(date.fromisoformat(ends_on), day, TERMS, every=30)
                if step is not None:
                    yield code, doctor.id, f"{step}:{ends_on}"


def _is_above(worker: Worker, doctor: Worker) -> bool:
    return worker.role == "township" and doctor.place.startswith(worker.place)


def _step(ends_on: date, day: date, before: Sequence[int], every: int) -> int | None:
    """The last of the days before an end that has come; after it a multiple of `every` below 0."""
    past = (day - ends_on).days
    if past >= every:
        return -(past // every * every)
    return next((days for days in before if days >= -past), None)


def _unclosed(state: State, worker: Worker, day: date) -> Iterator[int]:
    """Results whose people arrived, and that are open for long."""
    long_ago = (day - timedelta(days=CLOSED_WITHIN)).isoformat()
    for village in state.below(worker):
        for key, row in state.by_village["screening_results"][village].items():
            if row["arrived_on"] and row["on_day"] < long_ago and followed(state, row):
                yield int(key)


def _plans(state: State, worker: Worker, saying: bool) -> Iterator[int]:
    """Those that their organisation holds; in the words of it, also those held below."""
    for key, row in state.rows["campaigns"].items():
        holder, runs = state.seats[row["organisation_id"]], row["kind"] in PLANS and row["status"] == "launched"
        if runs and (holder == worker.place or (saying and holder.startswith(worker.place))):
            yield int(key)
