"""A schedule that only the county knows: it has no default, and until it is set the doctor names each next day. 随访间隔

The national text on COPD and forms for pneumoconiosis and rehabilitation were not at hand (domain.md A5, A11, A12).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.decisions import Findings, Outcome, Rule, Setting, Urgency
from handlers.protocols.common import TWO_WEEKS
from handlers.protocols.findings import by_telephone, setting
from handlers.protocols.windows import asked, soonest, standing

YEAR = 365

Schedule = Callable[[Findings, int | None, Urgency, int | None], date | None]


@dataclass(frozen=True, slots=True)
class CountyInterval:
    """So many visits a year, evenly spread; `name` is the setting in which the county says how many."""

    name: str
    prefix: str  # of the rules' ids: COPD-61, COPD-62
    what: str  # 慢阻肺
    source: str
    unknown: str  # why there is no default

    @property
    def setting(self) -> dict[str, Setting]:
        return {self.name: Setting(None, "每年随访几次", f"[K-low],{self.unknown},由县里提供")}

    def a_year(self, f: Findings) -> int | None:
        """The county's number, or None while it has not given one."""
        given = setting(f, self.setting, self.name)
        return int(given) if given else None

    def next_day(self, f: Findings, within: int | None) -> date | None:
        """The day that the rules ask for, else the county's interval; None: the doctor's to say.

        A call fulfils no interval: the standing date stays, and one that has come is made up within two weeks.
        """
        times = self.a_year(f)
        interval = f.on + timedelta(days=YEAR // times) if times else None
        if not by_telephone(f):
            return asked(f, within) or interval
        owed = f.on + timedelta(days=TWO_WEEKS) if interval else None
        return soonest(asked(f, within), standing(f) or owed)

    @property
    def schedule(self) -> Schedule:
        def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
            return self.next_day(f, within)

        schedule.__doc__ = (
            f"规则要求两周内的14天;其余按县里定的每年次数(设置 {self.name})等分;没有设置的,由医生定。\n"
            "电话随访:原定日期不动;县里设置了间隔而原定日期已到的,14天内补一次。"
        )
        return schedule

    @property
    def rules(self) -> tuple[Rule, Rule]:
        """What the recap says of the interval: that there is none, or the county's."""
        return (
            Rule(
                f"{self.prefix}-61",
                when=lambda f: self.a_year(f) is None,
                then=Outcome(
                    flags=("interval_not_set",), say=f"县里还没有定{self.what}的随访间隔:下次哪天随访由您定。"
                ),
                because=f"县里还没有设置随访间隔(设置 {self.name})",
                source=self.source,
                certainty="[K-low],没有默认值",
            ),
            Rule(
                f"{self.prefix}-62",
                when=lambda f: self.a_year(f) is not None,
                then=Outcome(say="按县里定的间隔随访。"),
                because=f"县里定的每年随访次数(设置 {self.name})",
                source=self.source,
                certainty="[K-low],由县里设置",
            ),
        )
