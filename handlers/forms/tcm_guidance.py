"""中医药健康指导: 33 questions scored, the constitution, and the guidance given (domain.md A10, M-20)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.decisions import Decision
from handlers.form import Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.protocols import tcm_constitution
from handlers.protocols.tcm_constitution import BY_BMI, BY_WAIST, ITEMS, bmi_item, waist_item
from handlers.steps import Answer, Found, Known, NotUnderstood, SelectMany, Step, Values, digits, options
from models.conversation import Doubt
from models.message import Choice

ELDERLY = 65
LABELS = ("没有", "很少", "有时", "经常", "总是")
_ALL = re.compile(rf"(?:[1-5][\s,、.]*){{{len(ITEMS)}}}(?!\d)")
_SOME = re.compile(r"[1-5](?:[\s,、.]*[1-5])*")
_ONE = re.compile(r"第?\s*(\d{1,2})\s*题\s*[::是改为]*\s*([1-5])\s*分?")


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores(Step):
    """33 scores of 1 to 5: one tap each, any number of them in one message, or all at once.

    Items 9 and 28 follow from weight, height and waist where these were told.
    """

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return len(answers.get(self.field, ())) == len(ITEMS)

    def question(self, known: Known) -> str:
        given = self._given(known)
        if len(given) == len(ITEMS):
            return "33题都有分数了。要改一题请发“第9题 3”,要重填请发33个数字。"
        at = len(given) + 1
        scale = " ".join(f"{n}{label}" for n, label in enumerate(LABELS, 1))
        more = f"({scale};也可以一次发33个数字)" if at == 1 else ""
        return f"体质辨识 {at}/{len(ITEMS)}:{ITEMS[at - 1]}{more}"

    def choices(self, known: Known) -> tuple[Choice, ...]:
        if self.is_answered(known.answers):
            return ()
        return tuple(Choice(f"{self.field}.{n}", f"{n} {label}", str(n)) for n, label in enumerate(LABELS, 1))

    def choose(self, code: str, known: Known) -> Answer:
        if code not in ("1", "2", "3", "4", "5"):
            raise NotUnderstood(self.question(known))
        given = self._given(known)
        return Answer({self.field: given if len(given) == len(ITEMS) else _filled([*given, int(code)], known)})

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!, ")
        given = self._given(known)
        if one := _ONE.fullmatch(line):
            number, score = int(one[1]), int(one[2])
            if 1 <= number <= len(given):
                return Answer({self.field: [*given[: number - 1], score, *given[number:]]})
        if not _SOME.fullmatch(line):
            raise NotUnderstood(f"没看懂“{text.strip()[:20]}”。请发1到5的数字:1没有 2很少 3有时 4经常 5总是。")
        said = [int(c) for c in line if c.isdigit()]
        if len(said) == len(ITEMS):
            return Answer({self.field: _filled(said, known)})
        if len(given) + len(said) > len(ITEMS):
            raise NotUnderstood(f"多了:还差{len(ITEMS) - len(given)}题,您发了{len(said)}个数字。一共{len(ITEMS)}题。")
        return Answer({self.field: _filled([*given, *said], known)})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if match := _ALL.search(line):
            said = [int(c) for c in match[0] if c.isdigit()]
            yield Found(*match.span(), Answer({self.field: _filled(said, known)}), announced=True)

    def taken_back(self, answers: Mapping[str, Any]) -> Values:
        return {self.field: list(answers.get(self.field, ()))[:-1]}

    def show(self, answers: Mapping[str, Any]) -> str:
        given = answers[self.field]
        high = [str(n) for n, score in enumerate(given, 1) if score >= 4 and n > 1]
        return f"{len(given)}题" + (f",4分以上的:第{'、'.join(high)}题" if high else "")

    def _given(self, known: Known) -> list[int]:
        return _filled(list(known.answers.get(self.field, ())), known)


def _filled(given: Sequence[int], known: Known) -> list[int]:
    """The scores so far; an item that a measurement answers is set by it, and not asked."""
    measured = _measured(known.answers)
    scores = [measured.get(n, score) for n, score in enumerate(given, 1)]
    while len(scores) + 1 in measured:
        scores.append(measured[len(scores) + 1])
    return scores


def _measured(answers: Mapping[str, Any]) -> dict[int, int]:
    found = {}
    if "weight" in answers and "height" in answers:
        found[BY_BMI] = bmi_item(answers["weight"] / (answers["height"] / 100) ** 2)
    if "waist" in answers:
        found[BY_WAIST] = waist_item(answers["waist"])
    return found


SCORES = Scores(field="scores", title="33题得分", words=("体质辨识", "33题"))
GUIDANCE = SelectMany(
    field="guidance",
    title="中医药保健指导",
    ask="做了哪些保健指导?可以多选。",
    words=("保健指导", "指导了"),
    advice=True,
    none_code=0,
    options=options(
        (0, "没有指导", "~没有"),
        (1, "情志调摄", "情志"),
        (2, "饮食调养", "饮食"),
        (3, "起居调摄", "起居"),
        (4, "运动保健", "运动", "八段锦", "太极拳"),
        (5, "穴位保健", "穴位", "按摩"),
        (6, "其他", "=其他"),
    ),
)


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Measured items, also where the measurement was told after the scores."""
    given = answers.get("scores")
    measured = _measured(answers)
    scores = {"scores": [measured.get(n, s) for n, s in enumerate(given, 1)]} if given else {}
    return {**common.bmi(answers, known), **scores}


def admits(known: Known) -> Doubt | None:
    """The 33 questions are for people of 65 and more."""
    if known.age is not None and known.age < ELDERLY:
        options = [("照记,不计入老年人中医药管理", {"outside": 1})]
        return Doubt(f"居民{known.age}岁,体质辨识的33题是65岁及以上用的。还要记吗?不记请发“取消”。", [*options])
    return None


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """A person counts once a year when the constitution was judged and guidance was given."""
    judged = decision is not None and decision.classification is not None
    guided = bool(answers.get("guidance")) and answers["guidance"] != [0]
    elderly = known.age is not None and known.age >= ELDERLY
    return ["person.elderly_tcm"] if judged and guided and elderly else []


form = Form(
    code="tcm_guidance",
    title="中医药健康指导",
    about="resident",
    words=("中医药健康指导", "中医体质辨识", "体质辨识", "中医药指导", "中医体质"),
    protocol=tcm_constitution.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        SCORES,
        GUIDANCE,
        common.WEIGHT,
        common.HEIGHT,
        common.WAIST,
        common.NEXT,
    ),
    admits=admits,
    derive=derive,
    marks=marks,
)
