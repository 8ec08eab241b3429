"""What is looked at and measured of a small child, at the newborn's home visit and at every check by age. 儿童体格检查"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.forms.common import CENTIMETRES, JIN_IN_KG
from handlers.protocols.ages import months_old
from handlers.steps import Answer, Found, Known, Number, SelectOne, Step, always, options
from models.conversation import Doubt

KILOS = {"kg": 1, "公斤": 1, "千克": 1, "斤": JIN_IN_KG, "市斤": JIN_IN_KG, "g": 0.001, "克": 0.001}
TWO_YEARS = 24  # months; up to then a child is measured lying (身长), afterwards standing (身高)


def examined(field: str, title: str, *words: str, when: Callable[[Known], bool] = always) -> SelectOne:
    """One part of the body: 1 未见异常 2 异常."""
    return SelectOne(
        field=field,
        title=title,
        words=words,
        options=options(
            (1, "未见异常", "正常", "无异常", "没问题", "没有问题", "长得好", "恢复好", "恢复得好", "恢复正常"),
            (2, "异常", "不正常", "有问题", "红肿", "化脓"),
        ),
        asked=False,
        bare=(),
        when=when,
    )


def expected_weight(months: int) -> float:
    """About what a child of this age weighs, kg; only good enough to tell 斤 from 公斤. [K]"""
    if months < 1:
        return 3.3
    return (months + 9) / 2 if months <= 12 else months / 12 * 2 + 8


HEAVIEST, LIGHTEST = 2.5, 0.45
"""How many times the usual weight of its age a child can have; beyond it is a slip (domain.md M-1). [D]"""


def heavy_child(value: float, known: Known) -> Doubt | None:
    """More than half again as heavy as a child of this age is usually 斤 (domain.md A0, M-15); what no child of this age
    can weigh is not offered.
    """
    if known.born_on is None:
        return None
    usual = expected_weight(months_old(known.born_on, known.on))
    if LIGHTEST * usual <= value <= 1.5 * usual:
        return None
    about = f"这个月龄一般在{usual:g}公斤左右"
    if value < LIGHTEST * usual:
        return Doubt(f"体重 {value:g} 公斤太轻了,{about},没写错吗?", [(f"就是 {value:g} 公斤", {"weight": value})])
    half = value * JIN_IN_KG
    each = [(f"{value:g} 斤({half:g} 公斤)", half), (f"{value:g} 公斤", value)]
    options = [(label, {"weight": weight}) for label, weight in each if weight <= HEAVIEST * usual]
    asked = f"体重 {value:g},是斤还是公斤?{about}。" if options else f"体重 {value:g} 不太可能,{about},请再发一次。"
    return Doubt(asked, [*options])


def child_weight(**more: Any) -> Number:
    """The weight of a child, kg."""
    return Number(
        field="weight", title="体重", ask="体重多少?(公斤,例如 8.6)", words=("重", "称重", "称了", "现在体重", "目前体重"), unit="kg",
        units=KILOS, alone=("公斤", "kg", "千克"), possible=(0.4, 60), usual=(2, 25), decimals=2, suspect=heavy_child, example="体重 8.6", **more,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class BodyLength(Step):
    """How long a child is, cm: `length` lying below two years, `height` standing; in a line its own word decides."""

    lying: Number
    standing: Number

    @property
    def fields(self) -> tuple[str, ...]:
        return ("length", "height")

    def question(self, known: Known) -> str:
        return self._by_age(known).question(known)

    def read(self, text: str, known: Known) -> Answer:
        said = self.standing if "高" in text else self.lying if "长" in text else self._by_age(known)
        return said.read(text, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        yield from self.lying.find(line, known)
        yield from self.standing.find(line, known)

    def show(self, answers: Mapping[str, Any]) -> str:
        given = [step for step in (self.lying, self.standing) if step.field in answers]
        return "、".join(f"{step.title}{step.show(answers)}" for step in given)

    def _by_age(self, known: Known) -> Number:
        older = known.born_on is not None and months_old(known.born_on, known.on) >= TWO_YEARS
        return self.standing if older else self.lying


def body_length(**more: Any) -> BodyLength:
    """Length or height of a child."""

    def measure(field: str, title: str, *words: str) -> Number:
        return Number(
            field=field, title=title, ask=f"{title}多少?(厘米,例如 72.5)", words=words, unit="cm", units=CENTIMETRES, alone=(),
            possible=(25, 150), sure=(40, 135), decimals=1,
        )  # fmt: skip

    return BodyLength(
        field="length",
        title="身长或身高",
        words=("身长", "身高"),
        lying=measure("length", "身长"),
        standing=measure("height", "身高", "个子"),
        **more,
    )


HEAD = Number(
    field="head_circumference", title="头围", unit="cm", units=CENTIMETRES, alone=(), possible=(20, 65), sure=(30, 56),
    decimals=1, asked=False,
)  # fmt: skip
TEMPERATURE = Number(
    field="temperature", title="体温", words=("温度", "T"), unit="℃", units={"℃": 1, "度": 1, "°C": 1, "摄氏度": 1}, alone=("℃", "度", "°C", "摄氏度"),
    possible=(25, 45), sure=(35, 40.5), decimals=1, optional=True, ask="体温多少?(℃)", hint="应在25到45℃之间,例如 36.6。",
)  # fmt: skip
