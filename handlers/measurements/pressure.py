"""Blood pressure: two numbers that belong together, in mmHg, whatever they were typed in (domain.md A1, M-1, M-15)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Step, Values, digits
from handlers.steps.base import is_vague, quoted
from handlers.steps.context import KIN, a_goal, not_todays, of_another_time
from models.conversation import Doubt

MMHG_PER_KPA = 7.50062
_SAID_BEFORE = 8  # characters before a value that say of which time it is
WIDE_APART = 20  # mmHg between readings of one visit: more is not the same state of rest, and is asked

Reading = tuple[float, float]

_N = r"(\d{1,3}(?:\.\d+)?)"
_EDGE, _EDGE_AFTER = r"(?<![\d.\-/])", r"(?![\d.]*\d)(?!-\d)"
_NAMED = r"(?:血压|BP|bp|压力|压)?[\s:是为]*"
_UNIT = r"(?:\s*(?P<unit>mm\s*hg|毫米汞柱|k\s*pa|千帕))?"
_NOT_A_DATE = r"(?!\s*[月日号年岁周点个组人次份年级])(?!\s*天(?!天))"
_PAIR = re.compile(rf"{_NAMED}{_EDGE}{_N}\s*[/\\]\s*{_N}{_EDGE_AFTER}{_NOT_A_DATE}{_UNIT}", re.IGNORECASE)
_LOOSE_PAIR = re.compile(
    rf"{_NAMED}{_EDGE}{_N}\s*(?:-{{1,2}}|~|,|、|得|杠|比|到)\s*{_N}{_EDGE_AFTER}{_NOT_A_DATE}{_UNIT}", re.IGNORECASE
)
_SPACED = re.compile(rf"(?:血压|BP)[\s:是为了量测]*{_EDGE}{_N}\s+{_N}{_EDGE_AFTER}{_NOT_A_DATE}{_UNIT}", re.IGNORECASE)
_BARE_SPACED = re.compile(rf"{_EDGE}(\d{{3}})\s+(\d{{2,3}}){_EDGE_AFTER}{_NOT_A_DATE}{_UNIT}", re.IGNORECASE)
_SLIPPED = re.compile(r"(?<=血压)[\s:是为]*(?:\d{4,5}\s*/\s*\d{1,3}|\d{1,3}\s*/\s*\d{4,5})(?!\d)")
_NUMBERS = re.compile(r"(?<![\d.])\d+(?:\.\d+)?(?![\d.])(?!\s?[天片次粒盒支包斤两岁组年月日号])")
_AMONG_OTHERS = re.compile(rf"{_EDGE}(1\d\d|2[0-4]\d|9\d)\s+(\d{{2,3}}){_EDGE_AFTER}{_NOT_A_DATE}")
_HIGH = re.compile(rf"(?:收缩压|高压|大压|上压|SBP)[\s:是为有]*{_N}{_EDGE_AFTER}(?!/)", re.IGNORECASE)
_LOW = re.compile(rf"(?:舒张压|低压|小压|下压|DBP)[\s:是为有]*{_N}{_EDGE_AFTER}(?!/)", re.IGNORECASE)
_HIGH_LOW = re.compile(
    rf"(?:血压|BP)?[\s:]*(?:收缩压|[高上大]压?)[\s:是为]*{_N}\s*[/,、\s]?\s*(?:舒张压|[低下小]压?)[\s:是为]*{_N}{_EDGE_AFTER}",
    re.IGNORECASE,
)
# Readings of different hours, arms, days or people, and second thoughts: which one counts is the doctor's choice.
_APART = re.compile(
    r"早|晚|卫生院|医院|我量|我测|水银|电子|机器|上午|下午|中午|昨|前天|左|右|不是|错|改|应该|上次|上回|之前|以前|原来|后来|复测|再量|→|↓|↑|他|她|两口|夫妻|两老"
    rf"|{KIN}"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class BloodPressure(Step):
    """Systolic and diastolic pressure in mmHg; two or three readings are kept raw and their mean (half up) is stored."""

    @property
    def fields(self) -> tuple[str, ...]:
        return ("systolic", "diastolic", "readings")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return "systolic" in answers and "diastolic" in answers

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text)
        if is_vague(line):
            raise NotUnderstood(f"“{quoted(text)}”不够准确。请给准确的血压,例如 152/94。")
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", line)]
        found = list(self.find(line, known))
        if found and len(numbers) == sum(_count(line[f.start : f.end]) for f in found):
            return found[0].answer
        if not found and len(numbers) == 2:
            return weigh_readings([(numbers[0], numbers[1])])
        if not found and len(numbers) == 1 and (answer := _other_half(numbers[0], known)):
            return answer
        said = quoted(text)
        raise NotUnderstood((f"没看懂“{said}”。" if said else "") + "请把高压和低压一起发,例如 152/94。")

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Every pair in the line together make one answer; a lone 高压 or 低压 is kept and the other one asked."""
        pairs = _pairs(line)
        if pairs:
            answer = _in_line(line, pairs)
            for match in pairs:
                yield Found(match.start(), match.end(), answer)
            if answer.values:
                yield from _said_again(line, answer)
            return
        if (slip := _SLIPPED.search(line)) and not re.match(r"\D*(?:19|20)\d\d/", slip[0]):
            yield Found(
                *slip.span(),
                Answer({}, Doubt(f"血压 {slip[0].strip()} 不太可能,请再看一眼血压计,重新发一次,例如 152/94。", [])),
            )
            return
        if among := _AMONG_OTHERS.search(line):
            options = (
                [_reading_option(*reading)]
                if weigh_readings([reading := (float(among[1]), float(among[2]))]).values
                else []
            )
            yield Found(among.start(), among.end(), Answer({}, Doubt(f"“{among[0]}”是血压吗?", options)))
            return
        high, low = _HIGH.search(line), _LOW.search(line)
        if high and low:
            answer = weigh_readings([(float(high[1]), float(low[1]))])
            yield Found(high.start(), high.end(), answer)
            yield Found(low.start(), low.end(), answer)
        elif half := high or low:
            yield Found(half.start(), half.end(), _half("systolic" if high else "diastolic", half, line))

    def guess(self, number: float, known: Known) -> list[tuple[str, Values]]:
        """One half of a pressure that is told already, and now said otherwise."""
        systolic, diastolic = known.answers.get("systolic"), known.answers.get("diastolic")
        if systolic is None or diastolic is None or "readings" in known.answers:
            return []
        halves = [weigh_readings([(number, diastolic)]), weigh_readings([(systolic, number)])]
        return [(f"血压 {self.show(half.values)}", half.values) for half in halves if half.values]

    def show(self, answers: Mapping[str, Any]) -> str:
        if not self.is_answered(answers):
            return "高压 {systolic:g}".format(**answers) if "systolic" in answers else f"低压 {answers['diastolic']:g}"
        shown = f"{answers['systolic']:g}/{answers['diastolic']:g} mmHg"
        readings = answers.get("readings") or []
        if len(readings) > 1:
            shown += f"({len(readings)}次平均:" + "、".join(f"{s:g}/{d:g}" for s, d in readings) + ")"
        return shown


def _count(text: str) -> int:
    return len(re.findall(r"\d+(?:\.\d+)?", text))


def _other_half(number: float, known: Known) -> Answer | None:
    """A lone number completes the half that is known already."""
    systolic, diastolic = known.answers.get("systolic"), known.answers.get("diastolic")
    if systolic is not None and diastolic is None:
        return weigh_readings([(systolic, number)])
    if diastolic is not None and systolic is None:
        return weigh_readings([(number, diastolic)])
    return None


def _pairs(line: str) -> list[re.Match[str]]:
    """The pairs of the surest spelling that occurs: 高压150低压90, a slash, another sign, a space after 血压, a space."""
    for pattern in (_HIGH_LOW, _PAIR, _LOOSE_PAIR, _SPACED):
        if matches := [m for m in pattern.finditer(line) if _looks_like_pressure(m)]:
            return matches
    if len(_NUMBERS.findall(line)) == 2:  # 152 94, and no third number to be confused with
        return [m for m in _BARE_SPACED.finditer(line) if _looks_like_pressure(m)]
    return []


def _looks_like_pressure(match: re.Match[str]) -> bool:
    """Keep 12/5 (a date), 1/2 and 0/0 (target pairs) out; everything a pressure could be slipped into stays in."""
    first, second = float(match[1]), float(match[2])
    if max(first, second) >= 40:
        return True
    if match.groupdict().get("unit") or re.match(r"血压|BP", match[0], re.IGNORECASE):
        return min(first, second) >= 4
    a_day = "." not in match[1] + match[2] and 1 <= first <= 12 and 1 <= second <= 31
    return min(first, second) >= 4 and first >= 9 and not a_day


def _in_line(line: str, matches: list[re.Match[str]]) -> Answer:
    earlier = [match for match in matches if of_another_time(line, match.start()) or a_goal(line, match.start())]
    if 0 < len(earlier) < len(matches):  # 152/94(上次160/98): what is plainly of another time leaves the others clear
        matches = [match for match in matches if match not in earlier]
        for match in earlier:
            line = line[: max(0, match.start() - _SAID_BEFORE)] + " " * _SAID_BEFORE + line[match.start() :]
    readings = [_reading(match) for match in matches]
    if len(readings) > 1:
        systolic = [s for s, _ in readings]
        apart = (
            any(not_todays(line, match.start()) for match in matches)
            or _APART.search(line)
            or len(readings) > 3
            or max(systolic) - min(systolic) > WIDE_APART
        )
        return _which(readings) if apart else weigh_readings(readings)
    answer = weigh_readings(readings)
    why = not_todays(line, matches[0].start())
    if not why:
        return answer
    options = [
        (f"{label}(就是这次的)", values) for label, values in ([_reading_option(*readings[0])] if answer.values else [])
    ]
    return Answer({}, Doubt(f"“{matches[0][0].strip()}”{why}。这次的血压是多少?", options))


def _reading(match: re.Match[str]) -> Reading:
    """In mmHg where the unit is said; what only looks like kPa is asked."""
    first, second = float(match[1]), float(match[2])
    unit = (match.groupdict().get("unit") or "").lower().replace(" ", "")
    if unit in ("kpa", "千帕") and max(first, second) < 40:
        return _half_up(first * MMHG_PER_KPA), _half_up(second * MMHG_PER_KPA)
    return first, second


def _said_again(line: str, answer: Answer) -> Iterator[Found]:
    """152/94 高压152: the same again, and no second number."""
    for pattern, name in ((_HIGH, "systolic"), (_LOW, "diastolic")):
        for match in pattern.finditer(line):
            if float(match[1]) == answer.values[name]:
                yield Found(match.start(), match.end(), answer)


def _half(name: str, match: re.Match[str], line: str) -> Answer:
    """Only one of the two: kept, and the other one asked."""
    title, other = ("高压", "低压") if name == "systolic" else ("低压", "高压")
    value = float(match[1])
    why = not_todays(line, match.start())
    low, high = (40, 320) if name == "systolic" else (10, 200)
    if why or not low <= value <= high:
        return Answer({}, Doubt(f"{title} {value:g} {why or '不太可能'},请把高压和低压一起发,例如 152/94。", []))
    return Answer({name: _whole(value)}, Doubt(f"只看到{title} {value:g},{other}是多少?", []))


def weigh_readings(readings: list[Reading]) -> Answer:
    """One or more readings as typed: stored as their mean, or the doubt they raise."""
    for systolic, diastolic in readings:
        if doubt := _pressure_doubt(systolic, diastolic):
            return Answer({}, doubt)
    return Answer(_mean(readings))


def _mean(readings: list[Reading]) -> dict[str, Any]:
    values: dict[str, Any] = {
        "systolic": _half_up(sum(s for s, _ in readings) / len(readings)),
        "diastolic": _half_up(sum(d for _, d in readings) / len(readings)),
    }
    if len(readings) > 1:
        values["readings"] = [[_whole(s), _whole(d)] for s, d in readings]
    return values


def _half_up(value: float) -> int:
    return int(value + 0.5)


def _whole(value: float) -> int | float:
    return int(value) if value == int(value) else value


def _pressure_doubt(systolic: float, diastolic: float) -> Doubt | None:
    """What is asked instead of stored: order, unit, slip of a point, outer limits, a pulse pressure below 15 (M-1, M-15)."""
    typed = f"{systolic:g}/{diastolic:g}"
    if systolic < 40 and diastolic < 40:
        return _kpa_or_slip(systolic, diastolic)
    if diastolic > systolic:
        swapped = [_reading_option(diastolic, systolic)] if not _beyond(diastolic, systolic) else []
        return Doubt(f"血压 {typed} 高低压像是反了,请核对。", swapped)
    if _beyond(systolic, diastolic):
        return Doubt(f"血压 {typed} 不太可能,请再看一眼血压计,重新发一次,例如 152/94。", [])
    if systolic - diastolic < 15:
        return Doubt(
            f"血压 {typed} 高低压只差{systolic - diastolic:g},对吗?不对请重新发。",
            [_reading_option(systolic, diastolic, note="(没错)")],
        )
    return None


def _beyond(systolic: float, diastolic: float) -> bool:
    """The outer limits of M-1."""
    return not (40 <= systolic <= 320 and 10 <= diastolic <= 200)


def _kpa_or_slip(systolic: float, diastolic: float) -> Doubt:
    typed = f"{systolic:g}/{diastolic:g}"
    readings = {
        f"(由 {typed} kPa 换算)": (_half_up(systolic * MMHG_PER_KPA), _half_up(diastolic * MMHG_PER_KPA)),
        "": (_half_up(systolic * 10), _half_up(diastolic * 10)),
    }
    choices = [
        _reading_option(high, low, note)
        for note, (high, low) in readings.items()
        if 60 <= high <= 280 and 30 <= low <= 180 and high > low
    ]
    return Doubt(f"血压 {typed} 是 kPa,还是小数点打错了?", choices[::-1])


def _reading_option(systolic: float, diastolic: float, note: str = "") -> tuple[str, dict[str, Any]]:
    return f"{systolic:g}/{diastolic:g}{note}", _mean([(systolic, diastolic)])


def _which(readings: list[Reading]) -> Answer:
    """Readings of different hours, arms or days: the mean or one of them is the doctor's choice."""
    if any(_pressure_doubt(*reading) for reading in readings):
        return weigh_readings(readings)
    mean = _mean(readings)
    choices = [(f"{s:g}/{d:g}", {**_mean([(s, d)]), "readings": mean["readings"]}) for s, d in dict.fromkeys(readings)]
    choices.append((f"平均 {mean['systolic']}/{mean['diastolic']}", mean))
    return Answer({}, Doubt("有不止一个血压,这次记哪一个?", choices))
