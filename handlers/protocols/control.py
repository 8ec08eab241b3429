"""分类干预 of hypertension and type 2 diabetes: the norm's chapter says the same of both, so it is written once. 控制与干预

Controlled: the next planned visit. Missed or a drug reaction for the first time: two weeks. Twice in a row, or a new or
worse complication: referral, and two weeks. Without the value: the standing date, or two weeks (domain.md M-4, M-5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from handlers.decisions import Findings, Outcome, PastVisit, Rule, Setting
from handlers.protocols.common import TWO_WEEKS, refer, safety, soon
from handlers.protocols.findings import COMPLICATION, REACTION, Answers, before, setting, takes_a_drug, told
from handlers.protocols.quarters import next_visit

CLASSES = {1: "控制满意", 2: "控制不满意", 3: "不良反应", 4: "并发症"}

Unmet = Callable[[Answers, int | None], bool | None]  # answers, age -> the target was missed; None: not assessed


def reaction(f: Findings) -> bool:
    return bool(f.get("adverse_reaction") == REACTION)


def complication(f: Findings) -> bool:
    return bool(f.get("new_complication") == COMPLICATION)


# --- two in a row (domain.md M-5) ---


def last_missed(f: Findings, unmet: Unmet) -> PastVisit | None:
    """The last visit that assessed the value, if it missed the target. A told value settles nothing downwards (M-16)."""
    for visit in before(f):
        missed = unmet(visit.answers, f.age if visit.age is None else visit.age)
        if missed or (missed is False and not told(visit.answers, visit.mode)):
            return visit if missed else None
    return None


def last_reaction(f: Findings) -> PastVisit | None:
    """The last visit that asked for a drug reaction, if there was one."""
    asked = next((visit for visit in before(f) if visit.answers.get("adverse_reaction") is not None), None)
    return asked if asked and asked.answers["adverse_reaction"] == REACTION else None


def second_in_a_row(f: Findings, unmet: Unmet, like_with_like: bool) -> PastVisit | None:
    """The earlier visit that makes today's missed target or reaction the second running, if there is one.

    Decided from findings, not classes. The norm names both findings in one breath, so one may follow the other
    unless the county compares like with like.
    """
    missed, reacted = last_missed(f, unmet), last_reaction(f)
    earlier: list[PastVisit | None] = []
    if unmet(f.answers, f.age):
        earlier += [missed] if like_with_like else [missed, reacted]
    if reaction(f):
        earlier += [reacted] if like_with_like else [reacted, missed]
    return next((visit for visit in earlier if visit), None)


# --- the chapter ---


@dataclass(frozen=True, slots=True)
class Control:
    """One programme of the chapter: its value with a target, and the clauses both programmes have."""

    value: str  # 血压, 空腹血糖
    county: str  # of the county's settings: htn
    source: str  # 规范(第三版)·高血压 / domain.md A1
    settings: Mapping[str, Setting]
    unmet: Unmet
    lacks_value: Callable[[Answers], bool]

    def missed(self, f: Findings) -> bool:
        return self.unmet(f.answers, f.age) is True

    def met(self, f: Findings) -> bool:
        return self.unmet(f.answers, f.age) is False

    def without_value(self, f: Findings) -> bool:
        return self.lacks_value(f.answers)

    def allows(self, f: Findings, name: str) -> bool:
        return bool(setting(f, self.settings, f"{self.county}.{name}"))

    def earlier(self, f: Findings) -> PastVisit | None:
        return f.once(self._earlier)

    def _earlier(self, f: Findings) -> PastVisit | None:
        return second_in_a_row(f, self.unmet, self.allows(f, "like_with_like"))

    def standard(self, visit: PastVisit) -> bool:
        """A visit that counts: face to face, with a value we measured."""
        return not self.lacks_value(visit.answers) and not told(visit.answers, visit.mode)

    def next_day(self, f: Findings, within: int | None) -> date:
        counts = self.allows(f, "two_week_revisit_counts")
        return next_visit(f, within, standard=self.standard, revisit_counts=counts)

    def earlier_words(self, f: Findings) -> dict[str, object]:
        """What the reason of two in a row tells: when the first was, and how long ago."""
        visit = self.earlier(f)
        return {"earlier_on": visit.on if visit else "—", "gap": (f.on - visit.on).days if visit else "—"}

    # the clauses

    def complication_refers(self, id: str, certainty: str) -> Rule:
        return Rule(
            id,
            when=complication,
            then=refer("建议转上级医院:有新发或加重的并发症,两周内主动问转诊结果。"),
            because="有新发或加重的并发症,第一次也要转诊",
            source=self.source,
            certainty=certainty,
        )

    def second_time(self, id: str, certainty: str) -> Rule:
        return Rule(
            id,
            when=lambda f: self.earlier(f) is not None,
            then=refer("建议转上级医院:连续两次没有控制好,两周内主动问转诊结果。", "two_in_a_row"),
            because=f"{self.value}未达标或不良反应,上一次评估时也是(上次{{earlier_on}},相隔{{gap}}天)",
            source=f"{self.source}、M-5",
            certainty=certainty,
        )

    def first_time(self, id: str, say: str, certainty: str) -> Rule:
        return Rule(
            id,
            when=lambda f: self.missed(f) and self.earlier(f) is None,
            then=soon(say),
            because=f"{self.value}第一次未达标",
            source=self.source,
            certainty=certainty,
        )

    def first_reaction(self, id: str, certainty: str) -> Rule:
        return Rule(
            id,
            when=lambda f: reaction(f) and self.earlier(f) is None,
            then=soon("问清是什么不良反应,请医生看要不要换药,两周内再随访。"),
            because="第一次出现药物不良反应",
            source=self.source,
            certainty=certainty,
        )

    def too_young(self, id: str, find_out: str, certainty: str) -> Rule:
        """Under the county's age a patient is recorded outside the programme (domain.md M-25)."""
        name = f"{self.county}.min_age"
        return Rule(
            id,
            when=lambda f: f.age is not None and f.age < setting(f, self.settings, name),
            then=refer(f"不满35岁不纳入管理:按项目外记录,转上级医院{find_out}。", "outside_programme"),
            because=f"年龄不满35岁(设置 {name};现{{age}}岁)",
            source=f"{self.source}、M-25",
            certainty=certainty,
        )

    def nothing_measured(self, id: str, because: str, say: str) -> Rule:
        return Rule(
            id,
            when=self.without_value,
            then=Outcome(flags=("no_reading", "not_standard_visit"), say=say),
            because=f"{because},不算规范随访,应访日期不往后推",
            source=safety(4),
            certainty="[D] 95 %",
        )

    def drug_without_value(self, id: str) -> Rule:
        return Rule(
            id,
            when=lambda f: self.without_value(f) and (takes_a_drug(f) or reaction(f) or complication(f)),
            then=Outcome(next_days=TWO_WEEKS),
            because=f"没有{self.value}而在用药,或有不良反应、并发症:最迟两周内再随访",
            source=safety(4),
            certainty="[D] 95 %",
        )
