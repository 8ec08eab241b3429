"""To the township: results that have to be followed and were not, a week and four weeks past their day. 阳性未到诊上报"""

from __future__ import annotations

from models.message import mark_name
from models.screening import TESTS
from reminders.days import working_days
from reminders.digest import Part, Said, Telling
from reminders.rules.positives import SHOWN, TO_THE_TOWNSHIP, rows_after


def says(telling: Telling) -> Said:
    found = sorted(telling.rows, key=lambda row: (row.on, row.subject_id))
    lines = [f"⚠️ {len(found)}例筛查结果要复查,过了时间还没有到诊记录:"]
    lines += [f"{row.village} {mark_name(row.name)} {TESTS[row.test].heading} {row.on}" for row in found[:SHOWN]]
    return Said(lines)


part = Part(
    code="positives_township",
    title="筛查结果要复查而没到诊,过期7、28天",
    rows=lambda asked: rows_after(asked, TO_THE_TOWNSHIP),
    says=says,
    days=working_days,
    once=True,
    ends="到诊、结案,或死亡、迁出",
)
