"""A reaction to a vaccine has a clock: 48 hours, or 2 where it is severe; the township is reminded and confirms (domain.md A9)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from models.infectious import InfectiousReport
from reminders.reminder import Context
from reminders.rules import infectious_due
from tests.clinic import Clinic, clinic
from tests.conftest import CHINA


def reported(village: Clinic, reaction: str) -> InfectiousReport | None:
    """A dose given to the baby, and what followed it."""
    village.say("周宝宝 卡介苗 乙肝1")
    village.say("有反应")
    village.press(reaction)
    assert "已记录" in village.press("submit")
    return village.session.scalar(select(InfectiousReport))


@pytest.mark.parametrize(("reaction", "hours"), [("aefi.2", 48), ("aefi.3", 2), ("aefi.4", 2), ("aefi.5", 2)])
def test_the_term_of_a_reaction(reaction: str, hours: int) -> None:
    with clinic() as village:
        report = reported(village, reaction)
        assert report is not None
        assert report.due_at - report.noticed_at == timedelta(hours=hours)
        context = Context(
            village.session, village.worker, {"record_id": report.record_id}, report.noticed_at, CHINA, settings={}
        )
        said = infectious_due.words(context)
        assert "疑似接种异常反应" in said.text and "报县疾控" in said.text
        assert "周宝宝" not in said.text.split("\n")[0]
        assert [choice.id for choice in said.choices] == [f"gotit.{report.record_id}"]


def test_no_reaction_has_no_clock() -> None:
    with clinic() as village:
        assert reported(village, "aefi.1") is None
