"""九项"掌握、未掌握" of the first home visit, asked as one question: which are not mastered? (domain.md A4)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.protocols.tb_first_visit import KNOWLEDGE, NOT_MASTERED
from handlers.steps import Answer, Found, Known, SelectMany, options
from models.conversation import Doubt

MASTERED = 1
ALL = 0
_ALL_MASTERED = (
    "九项都掌握",
    "九项全掌握",
    "宣教都掌握",
    "知识都掌握",
    "都掌握了",
    "全部掌握",
    "9项都掌握",
    "9项全掌握",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Knowledge(SelectMany):
    """Fills nine fields with the norm's 1掌握 2未掌握 from what was ticked as not mastered."""

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, *KNOWLEDGE)

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return any(name in answers for name in KNOWLEDGE)

    def of_codes(self, codes: Sequence[str], known: Known) -> Answer:
        answer = super().of_codes(codes, known)
        doubt = answer.doubt
        if doubt is not None:
            doubt = Doubt(doubt.ask, [(label, self._by_field(values)) for label, values in doubt.options], doubt.alarm)
        return Answer(self._by_field(answer.values), doubt)

    def read(self, text: str, known: Known) -> Answer:
        if any(word in text for word in _ALL_MASTERED):
            return self.of_codes([str(ALL)], known)
        answer = super().read(text, known)
        return Answer(self._by_field(answer.values), answer.doubt)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for word in _ALL_MASTERED:
            if (start := line.find(word)) >= 0:
                yield Found(start, start + len(word), self.of_codes([str(ALL)], known))
                return

    def show(self, answers: Mapping[str, Any]) -> str:
        gaps = [title for name, title in KNOWLEDGE.items() if answers.get(name) == NOT_MASTERED]
        return f"未掌握:{'、'.join(gaps)}" if gaps else "九项都掌握"

    def labels(self, answers: Mapping[str, Any]) -> dict[str, str]:
        words = {MASTERED: "掌握", NOT_MASTERED: "未掌握"}
        return {name: words[answers[name]] for name in KNOWLEDGE if name in answers}

    def _by_field(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if self.field not in values:
            return dict(values)
        gaps = set(values[self.field]) - {ALL}
        return {name: NOT_MASTERED if number in gaps else MASTERED for number, name in enumerate(KNOWLEDGE, 1)}


KNOWS = Knowledge(
    field="knowledge",
    title="知识掌握",
    ask="讲完问一遍,哪几项还没掌握?可以多选。",
    none_code=ALL,
    options=options(
        (ALL, "都掌握了", "~都会", "~都懂", "~没有"), *((number, title) for number, title in enumerate(KNOWLEDGE.values(), 1))
    ),
)  # fmt: skip
