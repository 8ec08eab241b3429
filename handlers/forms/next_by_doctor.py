"""The next visit where the county has set no interval: only the doctor can name its day (domain.md A5, A11, A12)."""

from __future__ import annotations

from dataclasses import dataclass

from handlers.forms import common
from handlers.protocols.county_interval import CountyInterval
from handlers.reading.day_readers import add_months
from handlers.steps import Answer, Day, Known, NotUnderstood
from models.message import Choice


@dataclass(frozen=True, kw_only=True, eq=False)
class NextByDoctor(Day):
    """The next visit where the county has set no interval: some usual distances as buttons, any day in words."""

    months: tuple[int, ...] = (1, 3, 6)

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(
            Choice(f"{self.field}.{n}", f"{n}个月后({add_months(known.on, n)})")
            for n in self.months
            if add_months(known.on, n) > known.today
        )

    def choose(self, code: str, known: Known) -> Answer:
        if code.isdigit() and int(code) in self.months:
            return Answer({self.field: add_months(known.on, int(code)).isoformat()})
        raise NotUnderstood(self.question(known))


def next_by_doctor(county: CountyInterval) -> NextByDoctor:
    """Asked while the county's setting has no value; otherwise one tap away."""

    def not_set(known: Known) -> bool:
        return not known.settings.get(county.name) or "next_due_on" in known.answers

    return NextByDoctor(
        field="next_due_on", title="下次随访", ask=f"县里还没有定{county.what}的随访间隔,由您定:下次哪天随访?",
        words=common.NEXT.words,
        after=("复查", "复诊", "复测", "再来", "再访", "再随访", "回访", "来复查", "来复诊"), past=False, bare=False, when=not_set,
    )  # fmt: skip
