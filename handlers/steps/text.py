"""Free words, kept as typed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from handlers.steps.base import Answer, Found, Known, NotUnderstood, Step, any_of, beginnings, characters


@dataclass(frozen=True, kw_only=True, eq=False)
class Text(Step):
    """Free words, kept as typed. Inside a line only what follows its own words and a colon (转诊原因:…).

    `like` is what the words must look like to be taken without a colon (已转诊县医院心内科); with `by_itself` words that
    look so need no announcement at all (下午3点); `at_last` such words are taken only where no other step wants them.
    """

    takes_all = True
    longest: int = 200
    like: str = ""
    by_itself: bool = False
    at_last: bool = False

    @property
    def takes_names(self) -> bool:
        return True

    def read(self, text: str, known: Known) -> Answer:
        said = text.strip()
        if not said:
            raise NotUnderstood(self.hint or f"请写{self.title}。")
        if len(said) > self.longest:
            raise NotUnderstood(f"{self.title}最多{self.longest}个字,刚才有{len(said)}个,请简短一些。")
        return Answer({self.field: said})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if self.words and not self._begins.isdisjoint(characters(line)):
            for match in self._finder.finditer(line):
                said = match["named"] or match["like"]
                if len(said) <= self.longest:
                    yield Found(match.start(), match.end(), Answer({self.field: said}), announced=True)
                    return
        if self.by_itself and (alone := re.search(self.like, line)):
            yield Found(*alone.span(), Answer({self.field: alone[0].strip()}), at_last=self.at_last)

    @cached_property
    def _begins(self) -> frozenset[str]:
        return beginnings(self.words)

    @cached_property
    def _finder(self) -> re.Pattern[str]:
        like = self.like or "(?!)"
        return re.compile(rf"(?:{any_of(self.words)})(?:\s*:\s*(?P<named>[^\s,。;\ue010]+)|\s*[是为]?(?P<like>{like}))")
