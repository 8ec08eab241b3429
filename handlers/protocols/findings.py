"""How a finding is read from the answers: one small question each, in the words the rules use. 读取测量值和症状"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from handlers.decisions import Findings, PastVisit, Setting

Answers = Mapping[str, Any]

NUMBER = int | float | Decimal
TELEPHONE = 3  # mode 1门诊 2家庭 3电话
REACTION = COMPLICATION = PRESENT = 2  # adverse_reaction, new_complication: 1无 2有


def number(value: object) -> float | None:
    """A measurement as a number; None when it is absent or not one."""
    if isinstance(value, bool) or not isinstance(value, NUMBER) or math.isnan(value):
        return None
    return float(value)


def readings(answers: Answers) -> list[tuple[float, float]]:
    """The raw blood-pressure readings of this visit, mmHg, in the order taken."""
    pairs = [(number(pair[0]), number(pair[1])) for pair in answers.get("readings") or () if len(pair) >= 2]
    return [(s, d) for s, d in pairs if s is not None and d is not None]


def pressure(answers: Answers) -> tuple[float | None, float | None]:
    """Systolic and diastolic that classify: as stated, else the mean of the readings, half up (domain.md M-15)."""
    stated = (number(answers.get("systolic")), number(answers.get("diastolic")))
    if None not in stated:
        return stated
    raw = readings(answers)
    means = [math.floor(sum(side) / len(raw) + 0.5) for side in zip(*raw, strict=True)] if raw else [None, None]
    systolic, diastolic = (mean if value is None else value for value, mean in zip(stated, means, strict=True))
    return systolic, diastolic


def pressure_now(f: Findings) -> tuple[float | None, float | None]:
    """The pressure that classifies this visit."""
    return pressure(f.answers)


def alarm_pressures(f: Findings) -> list[tuple[float | None, float | None]]:
    """What can raise an alarm: the pressure that classifies and every reading after the first (domain.md M-15)."""
    return [f.once(pressure_now), *readings(f.answers)[1:]]


def pressure_reaches(f: Findings, systolic: float, diastolic: float) -> bool:
    """Either side alone is enough, and equality counts."""
    return any(
        (s is not None and s >= systolic) or (d is not None and d >= diastolic) for s, d in f.once(alarm_pressures)
    )


def systolic_below(f: Findings, limit: float) -> bool:
    return any(s is not None and s < limit for s, _ in f.once(alarm_pressures))


def diastolic_below(f: Findings, limit: float) -> bool:
    return any(d is not None and d < limit for _, d in f.once(alarm_pressures))


def pressure_text(answers: Answers) -> str:
    return "/".join("未测" if side is None else f"{side:g}" for side in pressure(answers)) + " mmHg"


def pulse(f: Findings) -> float | None:
    """Beats a minute: the count after five minutes' rest where one was taken, else the first (domain.md M-7)."""
    repeated = number(f.get("heart_rate_repeat"))
    return number(f.get("heart_rate")) if repeated is None else repeated


def pulse_text(f: Findings) -> str:
    beats = pulse(f)
    return "未测" if beats is None else f"{beats:g}"


def pregnant_or_postpartum(f: Findings) -> bool:
    """1 妊娠期, 2 产后12周内或哺乳期."""
    return f.get("pregnancy") in (1, 2)


def at_least(f: Findings, field: str, least: float) -> bool:
    """Was the field measured, and does it reach this? Equality counts."""
    value = number(f.get(field))
    return value is not None and value >= least


def above(f: Findings, field: str, limit: float) -> bool:
    value = number(f.get(field))
    return value is not None and value > limit


def below(f: Findings, field: str, limit: float) -> bool:
    value = number(f.get(field))
    return value is not None and value < limit


def to_one_decimal(value: float) -> float:
    """Half up, as the meter would show it: 16.65 is 16.7."""
    return float(Decimal(str(value)).quantize(Decimal("0.1"), ROUND_HALF_UP)) if math.isfinite(value) else value


def codes(value: object) -> frozenset[Any]:
    """A multiple choice as a set, whether one code was stored or several."""
    if value is None:
        return frozenset()
    return frozenset(value) if isinstance(value, list | tuple | set | frozenset) else frozenset({value})


def symptoms(f: Findings) -> frozenset[Any]:
    return codes(f.get("symptoms"))


def has_symptom(f: Findings, *wanted: int) -> bool:
    return not f.once(symptoms).isdisjoint(wanted)


def danger_signs(f: Findings) -> frozenset[str]:
    """The danger signs answered with yes."""
    return codes(f.get("danger_signs")) - {"none"}


def has_sign(f: Findings, *wanted: str) -> bool:
    return not f.once(danger_signs).isdisjoint(wanted)


def sign_words(f: Findings, labels: Mapping[str, str]) -> str:
    """The danger signs answered with yes, in the order and words of the form."""
    return "、".join(label for code, label in labels.items() if code in f.once(danger_signs))


def symptom_question(f: Findings, questions: Mapping[int, str]) -> str:
    """How the first symptom that calls for it asks for danger signs, or "" where none does."""
    return next((words for code, words in questions.items() if has_symptom(f, code)), "")


def danger_question_answered(f: Findings) -> bool:
    return bool(codes(f.get("danger_signs")))


def by_telephone(f: Findings) -> bool:
    return bool(f.get("mode") == TELEPHONE)


def told(answers: Answers, mode: int | None) -> bool:
    """Values the patient told, by telephone or otherwise; nobody of ours measured them (domain.md M-16)."""
    return bool(answers.get("self_reported")) or mode == TELEPHONE


def told_now(f: Findings) -> bool:
    return told(f.answers, f.get("mode"))


VALUES = ("systolic", "diastolic", "readings", "fasting_glucose", "postprandial_glucose", "random_glucose", "spo2")


def tells_a_value(f: Findings) -> bool:
    return told_now(f) and any(f.get(field) not in (None, [], ()) for field in VALUES)


def before(f: Findings) -> list[PastVisit]:
    """Earlier visits, newest first. A record can arrive late, so days after this visit are not history."""
    return f.once(_before)


def _before(f: Findings) -> list[PastVisit]:
    return sorted((visit for visit in f.history if visit.on < f.on), key=lambda visit: visit.on, reverse=True)


def fact(f: Findings, field: str) -> object:
    """Told at this visit, or at an earlier one and remembered with the enrolment."""
    return f.get(field, f.details.get(field))


def day_told(f: Findings, field: str) -> date | None:
    day = f.get(field) or f.details.get(field)
    return date.fromisoformat(day) if day else None


def medication_names(f: Findings) -> list[str]:
    """Drug names recorded at this visit, or at the last visit that recorded any."""
    for answers in (f.answers, *(visit.answers for visit in before(f))):
        if items := answers.get("medications"):
            return [str(item.get("name", "") if isinstance(item, Mapping) else item) for item in items]
    return []


def injects_insulin(answers: Answers) -> bool:
    """The form's own line for insulin is filled in, and not with a no."""
    return str(answers.get("insulin") or "无").strip() not in ("无", "没有", "不用", "未用", "否")


def takes_a_drug(f: Findings) -> bool:
    """Known to take one: a drug is listed, or adherence was answered 规律 or 间断, at the last visit that tells."""
    for answers in (f.answers, *(visit.answers for visit in before(f))):
        if answers.get("medications") or injects_insulin(answers):
            return True
        if answers.get("adherence") is not None:
            return answers["adherence"] in (1, 2)
    return False


def setting(f: Findings, settings: Mapping[str, Setting], name: str) -> Any:
    """The county's answer, or the default that holds until the county gives one."""
    return f.settings.get(name, settings[name].default)


def is_yes(value: object) -> bool:
    """A yes as a switch or as the norm's code 2 有; 1 is 无, although Python's True equals 1."""
    return value is True or value == PRESENT
