"""To the township: which doctors have not been heard of for a week while visits are waiting. 村医没动静"""

from __future__ import annotations

from models.people import HealthWorker
from reminders.days import working_days
from reminders.digest import Asked, Part, Query, Said, Telling
from reminders.rules.silent import quiet_doctors

SHOWN = 10


def rows(asked: Asked) -> Query:
    quiet = quiet_doctors(asked)
    return quiet.add_columns(HealthWorker.organisation_id.label("organisation_id"))


def says(telling: Telling) -> Said:
    return Said([f"📵 {telling.names_since('heard', SHOWN)}没有消息,辖区还有逾期未访的。已经问候过,请打个电话。"])


part = Part(
    code="silent_township",
    title="村医好久没动静,每次沉默说一次",
    rows=rows,
    says=says,
    days=working_days,
    once=True,
    ends="村医发来任何一条消息",
)
