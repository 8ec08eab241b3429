"""Several answers of a closed list, as a line tells them: which are there, which are denied, and which are not sure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from handlers.steps import context
from handlers.steps.base import TAKEN, Answer, Found, Known, NotUnderstood, characters, digits
from handlers.steps.select import ASKED, Option, Select
from models.conversation import Doubt

_DEGREE = (
    "(?:有一?点(?:点|儿)?|有1点|有些|稍微|还是|还有?|很|蛮|好|老是|老|总是|总|经常|一直|又|不(?:怎么|太|大)?|没有?)?"
)
_NO_INSIDE = re.compile("不|没")
_ONE_LIST = re.compile(r"[、和及或与/]*")
_NONE_OF_THEM = re.compile(
    r"\s*(?:这些|那些)?(?:都|均|全都?|一概|也)\s*(?:没有?|没得|无|冇得?|否认)(?![\u4e00-\u9fff])"
)
_GAP = re.compile(r"[\s,]*")
_ANSWERED_NO = re.compile(r"\s*[::]?\s*(?:无|没有|没|否|×|-(?=[\s,]|$)|阴性)(?![\u4e00-\u9fff])")
_WONDERED = re.compile(r"\s?[??]")
_ANSWERED_YES = re.compile(r"\s*[::]?\s*√")
_GONE = re.compile(r"(?:现在|已经|已|也|都)?(?:好了|好多了|没了|没有了|消失|缓解|减轻|不[痛疼晕昏麻肿]了)")
_ALREADY = re.compile(r"(?:上次|上回|以前|之前|原来|从前|去年|过去|曾经)[^\s,。;]{0,3}$")
_SET_ASIDE = re.compile(r"(?:原来的|原有的?|之前的|已有的?|以前的)$")


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectMany(Select):
    """Several of a list. `none_code` is the option that excludes all others; its code differs from form to form."""

    many: ClassVar[bool] = True
    coded: ClassVar[bool] = True
    none_code: int | str
    advice: bool = False
    """What was advised is the answer (指导了饮食和起居)."""

    def choose(self, code: str, known: Known) -> Answer:
        return self.of_codes([code], known)

    def of_codes(self, codes: Sequence[str], known: Known) -> Answer:
        """Several ticked options. 'nothing' together with something is a contradiction and is asked."""
        chosen = [o for o in self.options if str(o.code) in {str(c) for c in codes}]
        if not chosen:
            raise NotUnderstood(self._expected("", known))
        found = [o.code for o in chosen if o.code != self.none_code]
        if found and len(found) < len(chosen):
            return Answer({}, self._contradiction(found))
        return Answer({self.field: found or [self.none_code]})

    def read(self, text: str, known: Known) -> Answer:
        line = digits(text).strip("。.!,、 ")
        if re.fullmatch(r"[\d\s,、.;和及]+", line) and (codes := re.findall(r"\d+", line)):
            if all(self.option(code) for code in codes):
                return self.of_codes(codes, known)
            raise NotUnderstood(self._expected(text, known))
        if option := self._by_word.get(line.lower()):
            return Answer({self.field: [option.code]})
        answers = [found.answer for found in self.find(line, known) if found.answer.values or found.answer.doubt]
        if not answers or ASKED.search(line):
            raise NotUnderstood(self._expected(text, known))
        return answers[0]

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """All words together make one answer. A denied word (没有头晕) is understood, and no answer by itself."""
        if self._begins.isdisjoint(characters(line)):
            return
        said = list(self._said(line))
        codes = [code for _, _, code in said if code is not None and not isinstance(code, _Unsure)]
        unsure = [code for _, _, code in said if isinstance(code, _Unsure)]
        if unsure:
            answer = Answer({}, self._yes_or_no(unsure[0], codes))
        else:
            answer = self.of_codes([str(code) for code in codes], known) if codes else Answer({})
        for start, end, _ in said:
            yield Found(start, end, answer)

    def _said(self, line: str) -> Iterator[tuple[int, int, Any]]:
        """Each word with its code, None where it is denied, or what is not sure about it."""
        denied_until, was_denied = -1, False
        matches = list(self._finder.finditer(line))
        none_of_them = _denied_together(line, matches)
        for number, match in enumerate(matches):
            start, end = match.span()
            option = self._named(match[0])
            if number in none_of_them:
                yield start, none_of_them[number], None
                continue
            if option.code == self.none_code:
                denied_until, was_denied = -1, False
                yield start, end, option.code
                continue
            if self._is_denied_inside(match[0]):  # 头不痛; what follows may be there
                denied_until, was_denied = -1, False
                yield start, end, None
                continue
            denial = context.denied(line, start)
            between = line[denied_until:start] if was_denied and denied_until >= 0 else None
            if denial is None and (answered := _ANSWERED_NO.match(line, end)):
                denial, end = start, answered.end()
            elif ticked := _ANSWERED_YES.match(line, end):
                denied_until, end, between = -1, ticked.end(), None
            if denial is not None or (between is not None and _ONE_LIST.fullmatch(between)):  # 无头晕、胸闷
                denied_until, was_denied = end, True
                yield (start if denial is None else denial), end, None
                continue
            unsure = between is not None and _GAP.fullmatch(between)  # 无头晕 胸闷: has it, or not?
            unsure = unsure or _WONDERED.match(line, end)
            was_denied = False
            if set_aside := _SET_ASIDE.search(context.before(line, start)):
                yield start - len(set_aside[0]), end, None
            elif unsure or self._another(_without_kin(line, matches[:number]), start, end):
                yield start, end, _Unsure(match[0], option.code)
            elif self.advice or match[0][0] in "不没" or not context.advised(line, start):  # 叫她不看人
                yield start, end, option.code

    def _is_denied_inside(self, said: str) -> bool:
        return bool(_NO_INSIDE.search(said)) and not self._is_written(said)

    def _is_written(self, said: str) -> bool:
        """It stands in the list as it is said: 看不清, but not 头不痛."""
        try:
            Select._named(self, said)
        except KeyError:
            return False
        return True

    def _another(self, line: str, start: int, end: int) -> bool:
        """Gone again, of an earlier time, or somebody else's."""
        close = context.before(line, start)
        return bool(_GONE.match(line, end) or _ALREADY.search(close) or context.of_somebody_else(line, start))

    def _yes_or_no(self, unsure: _Unsure, codes: Sequence[int | str]) -> Doubt:
        others = [code for code in codes if code != self.none_code]
        return Doubt(
            f"“{unsure.word}”这次有没有?",
            [
                (f"有{unsure.word}", {self.field: [*dict.fromkeys([*others, unsure.code])]}),
                (f"没有{unsure.word}", {self.field: others} if others else {}),
            ],
        )

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        """头晕 is also found as 头有点晕."""
        return re.compile(self._words_pattern(self._by_word, between=_DEGREE), re.IGNORECASE)

    def _named(self, said: str) -> Option:
        try:
            return Select._named(self, said)
        except KeyError:
            return Select._named(self, re.sub(_DEGREE.removesuffix("?"), "", said))

    def _values(self, code: int | str) -> dict[str, Any]:
        return {self.field: [code]}

    def _contradiction(self, found: list[Any]) -> Doubt:
        said = "、".join(self._label(code) for code in found)
        none = self._label(self.none_code)
        return Doubt(
            f"又说{none}又说{said},是哪一个?",
            [(said, {self.field: found}), (none, {self.field: [self.none_code]})],
        )

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join(self._label(code) for code in answers[self.field])


def _without_kin(line: str, matches: Iterable[re.Match[str]]) -> str:
    """The line without the words already found that only sound like a relative: 不会叫妈妈 is said of the child."""
    for match in matches:
        if context.of_somebody_else(match[0], len(match[0])):
            line = line[: match.start()] + TAKEN * len(match[0]) + line[match.end() :]
    return line


def _denied_together(line: str, matches: Sequence[re.Match[str]]) -> dict[int, int]:
    """头晕、胸闷都没有: which matches are denied by what stands behind the last of them, and where each ends."""
    denied: dict[int, int] = {}
    together: list[int] = []
    for number, match in enumerate(matches):
        together.append(number)
        following = matches[number + 1].start() if number + 1 < len(matches) else None
        if following is not None and re.fullmatch(r"[\s、和及或与/,]*", line[match.end() : following]):
            continue
        if tail := _NONE_OF_THEM.match(line, match.end()):
            denied |= {n: matches[n].end() for n in together} | {number: tail.end()}
        together = []
    return denied


@dataclass(frozen=True, slots=True)
class _Unsure:
    """A word that stands there, without it being sure that it holds."""

    word: str
    code: int | str
