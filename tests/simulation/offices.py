"""What supervisors do: campaigns and plans are begun, moved, stopped; townships report on milestones; contracts are renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from sqlalchemy import select

from models.campaign import LAUNCHED, PLAN_KINDS, Campaign
from models.people import HealthWorker, Organisation, Role
from models.plans import Task, open_tasks, tasks_of
from models.terms import TERMS
from tests.simulation.day import Action, Day

CAMPAIGNS, PLANS = 0.02, 0.012  # begun by one supervisor on a day
REPORTED = 0.06  # of the milestones that are near or late, by each who owes one on a day
RENEWED = 0.03  # of the contracts about to end or ended, on a day


def offices(day: Day) -> Iterator[Action]:
    """All of a day."""
    for supervisor in day.supervisors:
        yield from _begun(day, supervisor)
    running = day.session.scalars(select(Campaign).where(Campaign.status == LAUNCHED).order_by(Campaign.id)).all()
    for campaign in running:
        yield from _running(day, campaign, day.rng("running", campaign.id))
    yield from _reports(day, [campaign for campaign in running if campaign.is_plan])
    yield from _renewals(day)


# --- campaigns and plans ---


def _begun(day: Day, supervisor: HealthWorker) -> Iterator[Action]:
    rng = day.rng("campaign", supervisor.id)
    if rng.random() < CAMPAIGNS:
        held = [rng.randint(2, 24) for _ in range(rng.choice((1, 1, 2)))]
        yield {
            "do": "launch", "at": _office_hour(day, rng), "who": supervisor.id, "days": sorted(map(day.ahead, set(held))),
            "listed": rng.random() < 0.7,
        }  # fmt: skip
    rng = day.rng("plan", supervisor.id)
    if rng.random() < PLANS:
        yield {
            "do": "plan", "at": _office_hour(day, rng), "who": supervisor.id, "kind": rng.choice(sorted(PLAN_KINDS)),
            "milestones": _milestones(day, rng),
        }  # fmt: skip


def _office_hour(day: Day, rng: Random) -> float:
    return day.at(rng.choice((rng.uniform(8, 18), rng.uniform(20, 23))))


def _milestones(day: Day, rng: Random) -> list[dict[str, Any]]:
    due = sorted(rng.sample(range(-5, 50), 3))
    return [{"title": f"阶段{n}", "due_on": day.ahead(days)} for n, days in enumerate(due, 1)]


def _running(day: Day, campaign: Campaign, rng: Random) -> Iterator[Action]:
    """Moved, stopped, closed when it is long over; of a campaign, people are told."""
    is_over = campaign.ends_on < day.today - timedelta(days=9)
    what = rng.choices(("", "move", "stop"), (92, 5, 3))[0]
    if campaign.ends_on >= day.today and what:
        moved: dict[str, Any] = {"days": [day.ahead(rng.randint(1, 15))]}
        if campaign.is_plan:
            moved = {"milestones": _milestones(day, rng)}
        yield {
            "do": what,
            "at": day.at(rng.uniform(7, 21.5)),
            "who": campaign.worker_id,
            "campaign": campaign.id,
            **moved,
        }
    elif campaign.ends_on >= day.today and not campaign.is_plan:
        yield {"do": "tell", "at": day.at(rng.uniform(7, 19)), "who": campaign.worker_id, "campaign": campaign.id,
               "part": rng.randrange(6)}  # fmt: skip
    elif is_over and (not campaign.is_plan or rng.random() < 0.05):
        yield {"do": "close", "at": day.at(10), "who": campaign.worker_id, "campaign": campaign.id}


def _reports(day: Day, plans: list[Campaign]) -> Iterator[Action]:
    """By somebody of the organisation that owes it; done is done in two of three."""
    staff: dict[int, list[int]] = {}
    for supervisor in day.supervisors:
        staff.setdefault(supervisor.organisation_id, []).append(supervisor.id)
    for task in open_tasks(tasks_of(day.session, plans)):
        rng = day.rng("report", task.milestone.id, task.organisation.id)
        if task.milestone.due_on <= day.today + timedelta(days=14) and rng.random() < REPORTED:
            yield from _report(day, task, staff.get(task.organisation.id, []), rng)


def _report(day: Day, task: Task, staff: list[int], rng: Random) -> Iterator[Action]:
    if staff:
        answers = {
            "plan": task.campaign.id,
            "milestone": task.milestone.id,
            "state": rng.choice((1, 2, 2, 3)),
            "summary": "推进中",
        }
        yield day.submit(rng.uniform(8, 18), rng.choice(staff), "progress_report", answers)


# --- contracts ---


def _renewals(day: Day) -> Iterator[Action]:
    """The township renews an agreement for a year; a training duty is done, and there is none for a while."""
    for worker in day.session.scalars(
        select(HealthWorker).where(HealthWorker.role == Role.DOCTOR).order_by(HealthWorker.id)
    ):
        for code in TERMS:
            ends_on, rng = worker.settings.get(code), day.rng(code, worker.id)
            if ends_on and date.fromisoformat(ends_on) < day.today + timedelta(days=30) and rng.random() < RENEWED:
                until = day.ahead(365) if code == "agreement_ends_on" else None
                yield {"do": "renew", "at": day.at(rng.uniform(8, 18)), "who": worker.id, "term": code, "until": until}


def areas_of_plan(holder: Organisation, below: list[int], number: int) -> list[int]:
    """A county's plan is carried out by some of its townships or itself; a township's by itself."""
    return below[number % 3 :: 4] if holder.level == "county" and below else [holder.id]
