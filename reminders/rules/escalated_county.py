"""To the county: visits overdue by so many days as are set, by township and doctor; names only where the role may see them. 逾期上报卫健局"""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import select

from models.message import Choice
from models.people import Organisation
from reminders.days import working_days
from reminders.digest import Part, Said, Telling
from reminders.rules.escalated import rows_past

TOWNSHIPS_SHOWN, DOCTORS_SHOWN = 10, 3


def says(telling: Telling) -> Said:
    """Township by township, with the doctors who have most: residents' names stay in the township (domain.md G, Audit)."""
    session = telling.context.session
    by_township = defaultdict[int, Counter[str]](Counter)
    for row in telling.rows:
        by_township[row.township_id or 0][row.doctor or row.village] += 1
    names = dict(
        session.execute(select(Organisation.id, Organisation.name).where(Organisation.id.in_(by_township))).all()
    )
    most = sorted(by_township.items(), key=lambda item: (-item[1].total(), item[0]))
    days = telling.context.preferences.days("county_days")
    lines = [f"新增{len(telling.rows)}人次逾期{days}天以上还没访:"]
    for township, doctors in most[:TOWNSHIPS_SHOWN]:
        who = "、".join(f"{doctor}{count}" for doctor, count in doctors.most_common(DOCTORS_SHOWN))
        lines.append(f"{names.get(township, '县直')} {doctors.total()}人次(村医 {who})")
    if len(most) > TOWNSHIPS_SHOWN:
        lines.append(f"另有{len(most) - TOWNSHIPS_SHOWN}个乡镇,点“汇总”看。")
    return Said(lines, [Choice("summary", "汇总")])


part = Part(
    code="escalated_county",
    title="逾期很久(缺省30天)按乡镇和村医上报,每个应访日一次",
    rows=lambda asked: rows_past(asked, "county_days"),
    says=says,
    days=working_days,
    once=True,
    ends="随访已记录、已结案、死亡、迁出,或约好以后再问",
)
