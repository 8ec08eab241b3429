"""How a plan stands: each milestone, for each organisation responsible, by its latest report. 计划进度 (domain.md F2, F5)

Reports are records of the service `progress_report`; nothing is counted beside them, so a correction or a withdrawal
is right at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.campaign import Campaign, Milestone, milestones_of
from models.people import Organisation
from models.record import Record

SERVICE = "progress_report"
GOING_ON, DONE, IN_TROUBLE = 1, 2, 3
STATES = {GOING_ON: "进行中", DONE: "已完成", IN_TROUBLE: "有困难"}
"""`answers["state"]` of a progress report."""


@dataclass(frozen=True, slots=True)
class Report:
    """The latest word of an organisation on a milestone."""

    record_id: int
    on: date
    state: int
    figure: float | None


@dataclass(frozen=True, slots=True)
class Task:
    """A milestone as one organisation's duty."""

    campaign: Campaign
    milestone: Milestone
    organisation: Organisation
    report: Report | None

    @property
    def is_done(self) -> bool:
        return self.report is not None and self.report.state == DONE

    @property
    def is_in_trouble(self) -> bool:
        return self.report is not None and self.report.state == IN_TROUBLE

    def days_late(self, today: date) -> int:
        """Positive when past its day and not done; of what is done, by how many days it was late."""
        until = self.report.on if self.is_done and self.report else today
        return (until - self.milestone.due_on).days

    def is_late(self, today: date) -> bool:
        return not self.is_done and self.days_late(today) > 0


def tasks_of(session: Session, campaigns: Iterable[Campaign]) -> list[Task]:
    """Every duty of some plans, in the order of the milestones, then of the organisations' codes."""
    found: list[tuple[Campaign, Milestone, list[int]]] = []
    for campaign in campaigns:
        own = [int(area) for area in campaign.areas] or [campaign.organisation_id]
        found += [
            (campaign, milestone, [int(organisation) for organisation in milestone.organisations] or own)
            for milestone in milestones_of(session, campaign.id)
        ]
    wanted = sorted({organisation for _, _, responsible in found for organisation in responsible})
    places = {
        place.id: place
        for place in session.scalars(
            select(Organisation).where(Organisation.id.in_(wanted)).order_by(Organisation.code)
        )
    }
    reports = _latest(session, wanted)
    return [
        Task(campaign, milestone, place, reports.get((milestone.id, place.id)))
        for campaign, milestone, responsible in found
        for place in places.values()
        if place.id in responsible
    ]


def _latest(session: Session, organisations: Sequence[int]) -> dict[tuple[int, int], Report]:
    """(milestone, organisation) -> the latest current report; one query by the index of place and service."""
    query = (
        select(Record)
        .where(Record.village_id.in_(organisations), Record.service == SERVICE, Record.status == "current")
        .order_by(Record.on, Record.id)
    )
    found: dict[tuple[int, int], Report] = {}
    for record in session.scalars(query):
        answers: dict[str, Any] = record.answers
        found[int(answers["milestone"]), record.village_id] = Report(
            record.id,
            record.on,
            int(answers.get("state", GOING_ON)),
            answers.get("figure"),
        )
    return found


def for_seat(tasks: Iterable[Task], seat: Organisation) -> list[Task]:
    """What concerns a supervisor: the duties of their own organisation and of those below it."""
    return [task for task in tasks if task.organisation.path.startswith(seat.path)]


def open_tasks(tasks: Iterable[Task]) -> list[Task]:
    """What is still owed, the earliest first."""
    return sorted((t for t in tasks if not t.is_done), key=lambda t: (t.milestone.due_on, t.milestone.position))
