"""Whom a campaign is for: the norm's rule of its kind, with whatever the supervisor says instead. 活动对象"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from handlers.steps import Answer, Found, Known, NotUnderstood, Step
from handlers.steps.base import digits, quoted
from models.conversation import Doubt
from models.screening import GROUPS, KINDS, Rule, standard_rule

OLDEST = 120

_AGES = re.compile(r"(\d{1,3})\s*(?:周?岁)?\s*(?:[-~—–到至])\s*(\d{1,3})\s*周?岁")
_FROM_AGE = re.compile(r"(?:满|年满)?\s*(\d{1,3})\s*周?岁\s*(?:及|或)?\s*(?:以上|起|往上)(?:的)?")
_TO_AGE = re.compile(r"(\d{1,3})\s*周?岁\s*(?:及|或)?\s*(?:以下|以内)")
_SEX = re.compile(
    r"(?P<female>育龄妇女|妇女|女性|女的|女人|(?<![\u4e00-\u9fff])女(?![\u4e00-\u9fff]))|(?P<male>男性|男的|男人)"
)
_ALL = re.compile(r"全体居民|所有居民|全体村民|不限对象|面向所有人|人人都?可以|不限年龄")
CHILDBEARING = (15, 49)  # 育龄, as the forms of the norm ask about pregnancy
_GROUP = re.compile("|".join(sorted(GROUPS, key=len, reverse=True)))
_NO_GROUP = re.compile("不限人群|不分人群|不管哪类人")


@dataclass(frozen=True, kw_only=True, eq=False)
class Whom(Step):
    """Whom it is for, where that differs from the norm's rule of its kind: what is said replaces that part of it."""

    coded: ClassVar[bool] = True

    spans: bool = True
    when: Any = field(default=lambda known: "whom" in known.answers or must_say_ages(known.answers, known.settings))

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers or not must_say_ages(answers, {})

    def question(self, known: Known) -> str:
        kind = KINDS[known.answers["kind"]]
        low, high = kind.ages
        so_far = f"{low}岁起" if low else f"到{high}岁" if high else ""
        return f"{kind.title}给多大年纪的人做?各地不同,按你们县的方案写,例如 45-74岁。" + (
            f"(国家方案:{so_far})" if so_far else ""
        )

    def read(self, text: str, known: Known) -> Answer:
        said = digits(text)
        found = next(iter(self.find(said, known)), None)
        if found is None:
            bare = re.fullmatch(r"\s*(\d{1,3})\s*[-~到至]\s*(\d{1,3})\s*", said)
            if bare:
                return self._checked({"ages": [int(bare[1]), int(bare[2])]})
            raise NotUnderstood(f"没看懂“{quoted(text)}”。例如 35-64岁女性、65岁以上、低保妇女,或“全体居民”。")
        return found.answer

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """Everything said of whom it is for is one answer, wherever it stands."""
        said: dict[str, Any] = {}
        spans: list[tuple[int, int]] = []
        if match := _ALL.search(line):
            yield Found(*match.span(), Answer({self.field: {"all": True}}), announced=True)
            return
        for pattern, ages in ((_AGES, lambda m: [int(m[1]), int(m[2])]), (_FROM_AGE, lambda m: [int(m[1]), None]),
                              (_TO_AGE, lambda m: [None, int(m[1])])):  # fmt: skip
            if match := pattern.search(line):
                said["ages"] = ages(match)
                spans.append(match.span())
                break
        kind_spans = [m.span() for word in _kind_words() for m in re.finditer(re.escape(word), line)]
        for match in _SEX.finditer(line):
            if not _inside(match.span(), kind_spans):
                said["sex"] = match.lastgroup
                spans.append(match.span())
                if match[0].startswith("育龄"):
                    said.setdefault("ages", list(CHILDBEARING))
        groups = [m for m in _GROUP.finditer(line) if not _inside(m.span(), kind_spans)]
        if groups:
            said["groups"] = list(dict.fromkeys(m[0] for m in groups))
            spans += [m.span() for m in groups]
        elif match := _NO_GROUP.search(line):
            said["groups"] = []
            spans.append(match.span())
        if not said:
            return
        answer = self._checked(said)
        for start, end in sorted(spans):
            yield Found(start, end, answer, announced=True)

    def _checked(self, said: dict[str, Any]) -> Answer:
        low, high = said.get("ages", (None, None))
        if (low is not None and high is not None and low > high) or any(
            a is not None and a > OLDEST for a in (low, high)
        ):
            return Answer({}, Doubt(f"年龄“{low}-{high}岁”不对,请再写一次,例如 35-64岁。", []))
        return Answer({self.field: said})

    def show(self, answers: Mapping[str, Any]) -> str:
        if answers.get("kind") not in KINDS:
            return ""
        rule = rule_for(answers, {})
        if rule is None:
            return ""
        own = "" if self.field in answers else "(规范默认)" if not rule.is_open else "(不列名单)"
        return rule.words() + own


def _inside(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(first <= span[0] and span[1] <= last for first, last in others)


def _kind_words() -> list[str]:
    return [word for kind in KINDS.values() for word in (kind.title, *kind.words)]


def must_say_ages(answers: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Is whom it is for still to be said? Of kinds whose ages differ from place to place, unless the county has set them."""
    return answers.get("kind") in KINDS and rule_for(answers, settings) is None


def rule_for(answers: Mapping[str, Any], settings: Mapping[str, Any]) -> Rule | None:
    """The rule as it stands: the norm's (or the county's) for this kind, with whatever was said instead."""
    rule = standard_rule(KINDS[answers["kind"]], settings)
    said = answers.get("whom")
    if said is None:
        return rule
    if said.get("all"):
        return Rule()
    base = rule or Rule()
    ages = said.get("ages", base.ages)
    return replace(
        base,
        sex=said.get("sex", base.sex),
        ages=(ages[0], ages[1]),
        groups=tuple(said.get("groups", base.groups)),
        days=None if "ages" in said else base.days,
    )
