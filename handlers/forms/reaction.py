"""疑似预防接种异常反应: what happened after a vaccine, as people tell it (domain.md A9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from handlers.forms.doses import WORDS
from handlers.protocols.vaccination import REACTION, SEVERE_REACTION
from handlers.steps import Answer, Found, Known, SelectOne, any_of, context

_VACCINATED = re.compile(
    rf"接种(?!前|证|门诊|本)|疫苗|(?:预防|防疫)针|(?<![没未要该])打完?了?针|打的针|针打完|{any_of(WORDS)}",
    re.IGNORECASE,
)
_NOT_GIVEN = re.compile(r"没打|没有打|未打|没接种|未接种|不能打|暂缓|推迟|缓种|接种前|打针前")
_SEVERE = (
    r"休克|喉头水肿|抽搐|抽筋|抽风|惊厥|昏迷|昏过去|叫不醒|晕倒|晕过去|窒息|呼吸困难|出气困难|出不[赢来上]气|喘不[过上]气|"
    r"(?:嘴唇|口唇|嘴巴?|脸|面色|全身)?发[紫绀乌]|(?:脸|面)色?(?:煞白|惨白|发白)"
)
_MILD = (
    r"发[高低]?[烧热]|[高低][烧热]|烧到|红肿|肿(?:起|了|得|胀)|硬结|硬块|起?(?:红疹|皮疹|疹子|疙瘩|风团|荨麻疹)|过敏|"
    r"呕吐|拉肚子|腹泻|一直哭|哭闹|精神差|没精神|发蔫|流脓|化脓"
)
_SIGN = re.compile(rf"(?P<severe>{_SEVERE})|(?P<mild>{_MILD})")


@dataclass(frozen=True, kw_only=True, eq=False)
class Reaction(SelectOne):
    """A sign told after a vaccine is a reaction to it, in whatever words; the most severe of them counts."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        named = list(super().find(line, known))
        signs = list(_signs(line))
        worst = max((code for _, _, code in signs), default=0)
        told = [found for found in named if found.answer.values]
        if not signs or any(found.announced or found.answer.values[self.field] > worst for found in told):
            yield from named
            return
        answer = Answer({self.field: worst} if worst else {})
        for start, end in [*((f.start, f.end) for f in told if worst), *((start, end) for start, end, _ in signs)]:
            yield Found(start, end, answer, announced=True)  # before the vaccine, its reason, is taken out of the line


def _signs(line: str) -> Iterator[tuple[int, int, int]]:
    """Each sign told after the vaccine with what it amounts to; 0 where it is denied."""
    vaccinated = _VACCINATED.search(line)
    if vaccinated is None or _NOT_GIVEN.search(line):
        return
    for match in _SIGN.finditer(line, vaccinated.end()):
        if context.of_somebody_else(line, match.start()) or context.advised(line, match.start()):
            continue
        denial = context.denied(line, match.start())
        amounts_to = SEVERE_REACTION if match["severe"] else REACTION
        yield (match.start(), match.end(), amounts_to) if denial is None else (denial, match.end(), 0)
