"""Blood glucose in mmol/L: fasting or not is asked, HI and LO of the meter are values (domain.md A2, M-1, M-7, M-15)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Step, Values, any_of, digits
from handlers.steps.base import begun, is_vague, quoted
from handlers.steps.context import denied, not_todays
from models.conversation import Doubt

MG_PER_MMOL = 18  # mg/dL of glucose in one mmol/L, rounded as the norm's users do (M-15)
LOW, HIGH = 0.3, 60  # mmol/L, the outer limits of M-1; above 35 mg/dL is offered too

_KIND_WORDS = {
    "fasting_glucose": ("空腹血糖", "空腹糖", "空腹测", "空腹", "FPG", "FBG", "饿肚子", "没吃早饭", "未进食"),
    "postprandial_glucose": (
        "餐后2小时血糖", "餐后两小时血糖", "餐后2小时", "餐后两小时", "餐后2h", "餐后血糖", "餐后",
        "饭后2小时血糖", "饭后2小时", "饭后两小时", "饭后血糖", "饭后", "2hPG", "PPG",
    ),
    "random_glucose": ("随机血糖", "随机", "随便测"),
}  # fmt: skip
_TITLES = {"fasting_glucose": "空腹", "postprandial_glucose": "餐后2小时", "random_glucose": "随机"}
_KIND_OF = {word.lower(): name for name, words in _KIND_WORDS.items() for word in words}
_KINDS = any_of(_KIND_OF)
_NUMBER = r"(?<![\d./])(?P<number>\d{1,3}\.\d+|\d{1,3}(?!,\d(?![\d./]))|HI(?![A-Za-z])|LO(?![A-Za-z])|[高低](?=[\s,。;]|$))(?![\d.]*\d)"
_UNIT = r"\s*(?P<unit>mmol(?:\s*/\s*l)?|mg\s*/?\s*dl|毫摩尔?(?:每升)?)?"
_GLUCOSE = re.compile(
    rf"(?P<kind>{_KINDS})?[\s,:]*(?P<word>(?<![低尿])(?:血糖|(?<!血)糖)(?![尿化]))?[\s:=是为测量的了有仪器机显示读出上]*(?:(?P<after>{_KINDS})[\s:=是为]*)?"
    rf"{_NUMBER}(?!\s*/\s*\d|\s*[年月日号岁点]|\s*[斤两片支次天元块台个])(?!\s*小时){_UNIT}",
    re.IGNORECASE,
)
_AFTER_NUMBER = re.compile(
    rf"(?P<word>血糖)?[\s:]*(?<![\d./])(?P<number>\d{{1,2}}\.\d{{1,2}})(?![\d.]*\d){_UNIT}\s?(?P<kind>{_KINDS})(?![\s:]*[\d.])",
    re.IGNORECASE,
)
_ALONE = re.compile(r"\s*(\d{1,3}(?:\.\d+)?|hi|lo|高|低)\s*(mmol(?:/l)?|mg/?dl|毫摩尔?)?\s*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, eq=False)
class Glucose(Step):
    """Blood glucose in mmol/L, fasting or not. HI and LO of the meter are values; a bare 血糖 is asked (M-7)."""

    kinds: tuple[str, ...] = ("fasting_glucose", "postprandial_glucose", "random_glucose")

    @property
    def fields(self) -> tuple[str, ...]:
        return self.kinds

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text)
        if is_vague(line):
            raise NotUnderstood(f"“{quoted(text)}”不够准确。请给准确的血糖,例如 空腹 7.2。")
        if match := _ALONE.fullmatch(line):
            return self._value(None, match[1], match[2])
        found = list(self.find(line, known))
        said = quoted(text)
        numbers = len(re.findall(r"\d+(?:\.\d+)?|HI|LO", re.sub("[2两](?:小时|h)", "", line), re.IGNORECASE))
        if not found or numbers > len(found):
            raise NotUnderstood(
                (f"没看懂“{said}”。" if said else "")
                + "请发血糖值(mmol/L),例如 空腹 7.2;仪器显示 HI 或 LO 也可以照写。"
            )
        values = {name: value for f in found for name, value in f.answer.values.items()}
        return Answer(values, next((f.answer.doubt for f in found if f.answer.doubt), None))

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in (*_AFTER_NUMBER.finditer(line), *_GLUCOSE.finditer(line)):
            kind = match["kind"] or match.groupdict().get("after")
            by_unit = match["unit"] and not re.match(r"[\u4e00-\u9fff]", line[match.start() - 1 : match.start()])
            if kind or match["word"] or by_unit:
                start = match.start() + len(match[0]) - len(match[0].lstrip(" ,:"))
                yield Found(start, match.end(), self._in_line(match, kind, line, start), announced=True)

    def settles(self, text: str, doubt: Doubt) -> int | None:
        """是饭后测的 chooses among the kinds that were offered."""
        line = digits(text)
        kinds = {
            _KIND_OF[m[0].lower()] for m in re.finditer(_KINDS, line, re.IGNORECASE) if denied(line, m.start()) is None
        }
        if len(kinds) != 1 or re.search(r"\d", re.sub("2(?:小时|h)", "", line)):
            return begun(text, doubt)
        meant = [n for n, (_, values) in enumerate(doubt.options) if kinds <= values.keys()]
        return meant[0] if len(meant) == 1 else None

    def guess(self, number: float, known: Known) -> list[tuple[str, Values]]:
        if 2 <= number < 34 and number != int(number):
            return [(f"{_TITLES[kind]}血糖 {number:g}", {kind: number}) for kind in self.kinds]
        return []

    def show(self, answers: Mapping[str, Any]) -> str:
        shown = [
            f"{_TITLES[k]} {answers[k] if isinstance(answers[k], str) else format(answers[k], 'g')}"
            for k in self.kinds
            if k in answers
        ]
        return "、".join(shown) + " mmol/L"

    def _in_line(self, match: re.Match[str], kind: str | None, line: str, start: int) -> Answer:
        number, field = match["number"], _KIND_OF[kind.lower()] if kind and denied(line, start) is None else None
        if number in "高低":  # in a sentence an adjective rather than the meter's display
            return self._display_or_not(number, field)
        answer = self._value(field, number, match["unit"])
        why = not_todays(line, start)
        if not why or not answer.values:
            return answer
        return Answer(
            {}, Doubt(f"“{match[0].strip()}”{why},对吗?", [(f"{number}(就是这次的)", answer.values), ("不记", {})])
        )

    def _display_or_not(self, said: str, kind: str | None) -> Answer:
        display = {"高": "HI", "低": "LO"}[said]
        options = [(f"{_TITLES[k]} 仪器显示 {display}", {k: display}) for k in ((kind,) if kind else self.kinds)]
        return Answer({}, Doubt(f"血糖“{said}”是仪器显示 {display},还是有数字?有数字请发数字,例如 空腹 7.2。", options))

    def _value(self, kind: str | None, number: str, unit: str | None) -> Answer:
        upper = number.upper().replace("高", "HI").replace("低", "LO")
        if upper in ("HI", "LO"):
            return self._of_kind(kind, upper)
        value = float(number)
        if unit and unit.lower().startswith("mg"):
            value = round(value / MG_PER_MMOL + 1e-9, 1)
        if doubt := _glucose_doubt(value, kind, unit):
            return Answer({}, doubt)
        return self._of_kind(kind, value)

    def _of_kind(self, kind: str | None, value: float | str) -> Answer:
        if kind:
            return Answer({kind: value})
        shown = value if isinstance(value, str) else f"{value:g}"
        return Answer(
            {}, Doubt(f"血糖 {shown} 是空腹(8小时没吃东西)测的吗?", [(_TITLES[k], {k: value}) for k in self.kinds])
        )


def _glucose_doubt(value: float, kind: str | None, unit: str | None) -> Doubt | None:
    """mg/dL without its unit, a lost point, or what no living person has (M-1)."""
    if value > 35 and not (unit or "").lower().startswith("mg"):
        return _too_high(value, kind)
    if value < 1:
        slip = [(f"{value * 10:g}", {kind: round(value * 10, 1)})] if kind and value >= LOW else []
        low = [(f"{value:g}(没错)", {kind: value})] if kind and value >= LOW else []
        return Doubt(f"血糖 {value:g} 低得危险,是不是小数点打错了?请核对后再发。", slip + low)
    return Doubt(f"血糖 {value:g} 不太可能,请核对后再发,例如 空腹 7.2。", []) if value > HIGH else None


def _too_high(value: float, kind: str | None) -> Doubt:
    """36 to 60 may be mg/dL and then is a hypoglycaemia: every reading is offered, with the kind if it was said."""
    converted = round(value / MG_PER_MMOL + 1e-9, 1)
    if not kind:
        return Doubt(
            f"血糖 {value:g} 太高了,单位是 mg/dL 吗(那就是 {converted:g} mmol/L)?请连同空腹还是餐后再发一次,例如 空腹 {converted:g}。",
            [],
        )
    choices = [(f"{value / 10:g} mmol/L(漏了小数点)", {kind: round(value / 10, 1)})] if value < 350 else []
    choices.append((f"{converted:g} mmol/L(由 {value:g} mg/dL 换算)", {kind: converted}))
    if value <= HIGH:
        choices.append((f"{value:g} mmol/L(没错)", {kind: value}))
    return Doubt(f"血糖 {value:g} 太高了,是漏了小数点,还是 mg/dL?", choices)
