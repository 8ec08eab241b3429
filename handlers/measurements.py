"""Blood pressure and blood glucose: measurements of several fields, with the unit traps of villages (domain.md A0, M-1, M-15)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.reading import numerals
from handlers.steps import Answer, Found, Known, NotUnderstood, Step, digits
from models.conversation import Doubt

MMHG_PER_KPA = 7.50062
MG_PER_MMOL = 18  # mg/dL of glucose in one mmol/L, rounded as the norm's users do (M-15)

_N = r"(\d{1,3}(?:\.\d+)?)"
_EDGE, _EDGE_AFTER = r"(?<![\d.])", r"(?![\d.]*\d)"
_PAIR = re.compile(
    rf"(?:血压|BP|压)?[\s::是为]*{_EDGE}{_N}\s*(?:[/\\]|-{{1,2}}|~|,|、|得|杠|比|到)\s*{_N}{_EDGE_AFTER}(?:\s*(?:mm\s*hg|毫米汞柱))?",
    re.IGNORECASE,
)
_SPACED = re.compile(rf"(?:血压|BP)[\s::是为了量测]*{_EDGE}(\d{{2,3}})\s+(\d{{2,3}}){_EDGE_AFTER}", re.IGNORECASE)
_BARE_SPACED = re.compile(rf"{_EDGE}(\d{{3}})\s+(\d{{2,3}}){_EDGE_AFTER}")
_HIGH = re.compile(rf"(?:收缩压|高压|大压|上压|SBP)[\s::是为有]*{_N}{_EDGE_AFTER}", re.IGNORECASE)
_LOW = re.compile(rf"(?:舒张压|低压|小压|下压|DBP)[\s::是为有]*{_N}{_EDGE_AFTER}", re.IGNORECASE)

Reading = tuple[float, float]


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
        if any(span.approximate for span in numerals.numbers_in(line)):
            raise NotUnderstood(f"“{text.strip()[:20]}”是个大概数。请给准确的血压,例如 152/94。")
        found = next(iter(self.find(line, known)), None)
        if found:
            return found.answer
        numbers = re.findall(r"\d+(?:\.\d+)?", line)
        if len(numbers) == 2:
            return weigh_readings([(float(numbers[0]), float(numbers[1]))])
        if len(numbers) == 1 and (
            other := known.answers.get("diastolic" if "systolic" not in known.answers else "systolic")
        ):
            first = float(numbers[0])
            return weigh_readings([(first, other) if "systolic" not in known.answers else (other, first)])
        said = text.strip()[:20]
        raise NotUnderstood((f"没看懂“{said}”。" if said else "") + "请把高压和低压一起发,例如 152/94。")

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Every pair in the line together make one answer; a lone 高压 or 低压 is kept and the other one asked."""
        pairs = list(_PAIR.finditer(line)) or list(_SPACED.finditer(line)) or list(_BARE_SPACED.finditer(line))
        pairs = [m for m in pairs if _looks_like_pressure(float(m[1]), float(m[2]))]
        if pairs:
            readings = [(float(m[1]), float(m[2])) for m in pairs]
            apart = len(pairs) > 1 and re.search(r"早|晚|上午|下午|昨|左|右|不是", line)
            answer = _which(readings) if apart else weigh_readings(readings)
            for match in pairs:
                yield Found(match.start(), match.end(), answer)
            return
        high, low = _HIGH.search(line), _LOW.search(line)
        if high and low:
            answer = weigh_readings([(float(high[1]), float(low[1]))])
            yield Found(high.start(), high.end(), answer)
            yield Found(low.start(), low.end(), answer)
        elif high or low:
            match, name, other = (high, "systolic", "低压") if high else (low, "diastolic", "高压")
            assert match is not None
            yield Found(
                match.start(),
                match.end(),
                Answer({name: _whole(float(match[1]))}, Doubt(f"只看到一个数,{other}是多少?", [])),
            )

    def show(self, answers: Mapping[str, Any]) -> str:
        shown = f"{answers['systolic']:g}/{answers['diastolic']:g} mmHg"
        readings = answers.get("readings") or []
        if len(readings) > 1:
            shown += f"({len(readings)}次平均:" + "、".join(f"{s:g}/{d:g}" for s, d in readings) + ")"
        return shown


def _looks_like_pressure(first: float, second: float) -> bool:
    """Keep 12/5 (a date), 1/2 and 0/0 (target pairs) out; everything a pressure could be slipped into stays in."""
    return max(first, second) >= 40 or (min(first, second) >= 7 and max(first, second) < 40 and max(first, second) >= 9)


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
        mmhg = (_half_up(systolic * MMHG_PER_KPA), _half_up(diastolic * MMHG_PER_KPA))
        choices = [_reading_option(*mmhg, note=f"(由 {typed} kPa 换算)")]
        slipped = (_half_up(systolic * 10), _half_up(diastolic * 10))
        if 60 <= slipped[0] <= 280 and 30 <= slipped[1] <= 180 and slipped[0] > slipped[1]:
            choices.insert(0, _reading_option(*slipped))
        return Doubt(f"血压 {typed} 是 kPa,还是小数点打错了?", choices)
    if diastolic > systolic:
        return Doubt(f"血压 {typed} 高低压像是反了,是哪个?", [_reading_option(diastolic, systolic)])
    if not (40 <= systolic <= 320 and 10 <= diastolic <= 200):
        return Doubt(f"血压 {typed} 不太可能,请再看一眼血压计,重新发一次,例如 152/94。", [])
    if systolic - diastolic < 15:
        return Doubt(
            f"血压 {typed} 高低压只差{systolic - diastolic:g},对吗?不对请重新发。",
            [_reading_option(systolic, diastolic, note="(没错)")],
        )
    return None


def _reading_option(systolic: float, diastolic: float, note: str = "") -> tuple[str, dict[str, Any]]:
    return f"{systolic:g}/{diastolic:g}{note}", _mean([(systolic, diastolic)])


def _which(readings: list[Reading]) -> Answer:
    """Readings of different hours, arms or days: the mean or one of them is the doctor's choice."""
    if any(_pressure_doubt(*reading) for reading in readings):
        return weigh_readings(readings)
    mean = _mean(readings)
    choices = [(f"平均 {mean['systolic']}/{mean['diastolic']}", mean)]
    choices += [(f"{s:g}/{d:g}", {**_mean([(s, d)]), "readings": mean["readings"]}) for s, d in readings]
    return Answer({}, Doubt("有不止一个血压,这次记哪一个?", choices))


_GLUCOSE_KINDS = {
    "fasting_glucose": ("空腹血糖", "空腹糖", "空腹", "FPG", "饿肚子", "没吃早饭", "未进食"),
    "postprandial_glucose": (
        "餐后2小时血糖",
        "餐后2小时",
        "餐后两小时",
        "餐后血糖",
        "餐后",
        "饭后2小时",
        "饭后血糖",
        "饭后",
    ),
    "random_glucose": ("随机血糖", "随机", "随便测"),
}
_KIND_TITLES = {"fasting_glucose": "空腹", "postprandial_glucose": "餐后2小时", "random_glucose": "随机"}
_KIND_OF = {word.lower(): name for name, words in _GLUCOSE_KINDS.items() for word in words}
_KINDS = "|".join(sorted(map(re.escape, _KIND_OF), key=len, reverse=True))
_GLUCOSE = re.compile(
    rf"(?P<kind>{_KINDS})?[\s,:]*(?P<word>血糖|糖(?!尿|化))?[\s::是为测量的了有]*(?:(?P<after>{_KINDS})[\s::]*)?"
    rf"{_EDGE}(?P<number>\d{{1,3}}(?:\.\d+)?|HI\b|LO\b|高(?=[\s,。]|$)|低(?=[\s,。]|$)){_EDGE_AFTER}(?!\s*[/年月日号])"
    r"\s*(?P<unit>mmol/?l?|mg/?dl|毫摩尔?)?",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Glucose(Step):
    """Blood glucose in mmol/L, fasting or not. HI and LO of the meter are values; a bare 血糖 is asked (M-7)."""

    kinds: tuple[str, ...] = ("fasting_glucose", "postprandial_glucose", "random_glucose")

    @property
    def fields(self) -> tuple[str, ...]:
        return self.kinds

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text)
        if any(span.approximate for span in numerals.numbers_in(line)):
            raise NotUnderstood(f"“{text.strip()[:20]}”是个大概数。请给准确的血糖,例如 空腹 7.2。")
        found = next(iter(self.find(line, known)), None)
        if found:
            return found.answer
        match = re.fullmatch(r"\s*(\d{1,3}(?:\.\d+)?|hi|lo|高|低)\s*(mmol/?l?|mg/?dl)?\s*", line, re.IGNORECASE)
        if match:
            return self._value(None, match[1], match[2])
        said = text.strip()[:20]
        raise NotUnderstood(
            (f"没看懂“{said}”。" if said else "") + "请发血糖值(mmol/L),例如 空腹 7.2;仪器显示 HI 或 LO 也可以照写。"
        )

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _GLUCOSE.finditer(line):
            kind = match["kind"] or match["after"]
            if not (kind or match["word"] or match["unit"]):
                continue
            start = match.start()
            yield Found(
                start,
                match.end(),
                self._value(_KIND_OF[kind.lower()] if kind else None, match["number"], match["unit"]),
            )

    def _value(self, kind: str | None, number: str, unit: str | None) -> Answer:
        upper = number.upper().replace("高", "HI").replace("低", "LO")
        if upper in ("HI", "LO"):
            return self._of_kind(kind, upper)
        value = float(number)
        if unit and unit.lower().startswith("mg"):
            value = round(value / MG_PER_MMOL, 1)
        elif doubt := _glucose_doubt(value, kind):
            return Answer({}, doubt)
        return self._of_kind(kind, value)

    def _of_kind(self, kind: str | None, value: float | str) -> Answer:
        if kind:
            return Answer({kind: value})
        shown = value if isinstance(value, str) else f"{value:g}"
        return Answer(
            {}, Doubt(f"血糖 {shown} 是空腹(8小时没吃东西)测的吗?", [(_KIND_TITLES[k], {k: value}) for k in self.kinds])
        )

    def show(self, answers: Mapping[str, Any]) -> str:
        shown = [
            f"{_KIND_TITLES[k]} {answers[k] if isinstance(answers[k], str) else format(answers[k], 'g')}"
            for k in self.kinds
            if k in answers
        ]
        return "、".join(shown) + " mmol/L"


def _glucose_doubt(value: float, kind: str | None) -> Doubt | None:
    field = kind or "random_glucose"
    if value > 35:
        converted = round(value / MG_PER_MMOL, 1)
        choices = [(f"{converted:g} mmol/L(由 {value:g} mg/dL 换算)", {field: converted})] if kind else []
        if value <= 60 and kind:
            choices.append((f"{value:g} mmol/L(没错)", {field: value}))
        if value < 350 and kind:
            choices.append((f"{value / 10:g} mmol/L(漏了小数点)", {field: round(value / 10, 1)}))
        ask = f"血糖 {value:g} 太高了,单位是 mg/dL 吗?" + (
            "" if kind else f"(那就是 {converted:g} mmol/L)请连同空腹还是餐后再发一次,例如 空腹 {converted:g}。"
        )
        return Doubt(ask, choices)
    if value < 1:
        slip = [(f"{value * 10:g}", {field: round(value * 10, 1)})] if kind and value >= 0.3 else []
        low = [(f"{value:g}(没错)", {field: value})] if kind and value >= 0.3 else []
        return Doubt(f"血糖 {value:g} 低得危险,是不是小数点打错了?请核对后再发。", slip + low)
    return None
