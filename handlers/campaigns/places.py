"""Where a campaign is held, and which townships and villages it is for. 活动地点与范围"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.areas import Area, find_area, stem
from handlers.reading.normalise import tidy
from handlers.steps import Answer, Found, Known, NotUnderstood, Option, SelectMany, Step
from handlers.steps.base import quoted
from models.conversation import Doubt
from models.message import Choice
from models.screening import KINDS

A_PLACE = r"(?:卫生院|卫生室|卫生所|医院|保健院|保健中心|服务中心|服务站|文化广场|广场|集市|市场|学校|小学|中学|礼堂|活动室|活动中心|村部|村委会|门口)"


@dataclass(frozen=True, kw_only=True, eq=False)
class Place(Step):
    """Where it is held, as typed; inside a line what ends like a clinic, a school or a market."""

    longest: int = 40

    def read(self, text: str, known: Known) -> Answer:
        said = text.strip()
        if not 2 <= len(said) <= self.longest or said.isdigit():
            raise NotUnderstood("请写活动地点,例如 托口镇卫生院。")
        return Answer({self.field: said})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """地点:…, else what ends like a place: neither the campaign's name nor its day nor 在 before it belong to it."""
        if match := _SAID_PLACE.search(line):
            yield Found(*match.span(), Answer({self.field: match[1]}), announced=True)
            return
        if match := _LIKE_PLACE.search(_NO_PLACE.sub(lambda m: " " * len(m[0]), line)):
            start = match.start() + max(match[0].rfind(word) for word in "在于到") + 1
            yield Found(start, match.end(), Answer({self.field: line[start : match.end()]}), announced=True)


_SAID_PLACE = re.compile(r"(?:地点|地址)\s*:?\s*([^\s,。;、:\d\ue010]{2,24})")
_LIKE_PLACE = re.compile(
    rf"[\u4e00-\u9fff\d]{{2,14}}?{A_PLACE}|(?<![\u4e00-\u9fff])(?:[在到于镇乡县村市区])?{A_PLACE}(?![\u4e00-\u9fff])"
)
_NO_PLACE = re.compile(
    "|".join(
        sorted(
            (re.escape(word) for kind in KINDS.values() for word in (kind.title, *kind.words) if len(word) > 1),
            key=len,
            reverse=True,
        )
    )
    + r"|\d{1,2}月\d{1,2}[日号]?|\d{1,2}[日号](?:[上下]午)?|(?:今|明|后)天"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Areas(SelectMany):
    """The townships and villages it is held in, within the supervisor's own. Stores `areas` (ids) and their names."""

    options: tuple[Option, ...] = ()
    none_code: int | str = "all"

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, "area_names")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def choices(self, known: Known) -> tuple[Choice, ...]:
        top, below = self._places(known)
        whole = [Choice(f"{self.field}.{self.none_code}", f"全{top.name[-1]}")] if top else []
        return (*whole, *(Choice(f"{self.field}.{area.id}", area.name) for area in below))

    def of_codes(self, codes: Sequence[str], known: Known) -> Answer:
        top, below = self._places(known)
        if top and str(self.none_code) in codes:
            return self._answer([top])
        chosen = [area for area in below if str(area.id) in codes]
        if not chosen:
            raise NotUnderstood(self.question(known))
        return self._answer(chosen)

    def read(self, text: str, known: Known) -> Answer:
        said = tidy(text).strip("。. ")
        choices = self.choices(known)
        numbers = re.findall(r"\d+", said) if re.fullmatch(r"[\d\s、,.和及]+", said) else []
        if numbers and all(1 <= int(number) <= len(choices) for number in numbers):
            codes = [choices[int(number) - 1].id.partition(".")[2] for number in numbers]
            return self.of_codes(codes, known)
        top, below = self._places(known)
        if top and _EVERYWHERE.fullmatch(said):
            return self._answer(self._everywhere(top, below))
        areas = known.areas()
        chosen: list[Area] = []
        for word in filter(None, re.split(r"[\s、,;和及]+", said)):
            meant = find_area(areas, word)
            if meant.sure and len(meant.areas) > 1 and len({area.name for area in meant.areas}) == 1:
                return self._which(meant.areas, areas)
            if len(meant.areas) != 1 or not meant.sure:
                near = f",是不是{'、'.join(area.name for area in meant.areas[:4])}?" if meant.areas else "。"
                raise NotUnderstood(f"您的辖区里没找到“{quoted(word)}”{near}可以写几个村,用、隔开,或写“全部”。")
            chosen += meant.areas
        if not chosen:
            raise NotUnderstood(self.question(known))
        return self._answer(chosen)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """All places named in a line are one answer; a clinic's name (石桥村卫生室) is no area."""
        areas = known.areas()
        top, below = self._places(known)
        if top and (match := _EVERYWHERE.search(line)):
            yield Found(*match.span(), self._answer(self._everywhere(top, below)), announced=True)
            return
        spans: list[tuple[int, int, list[Area]]] = []
        by_name: dict[str, list[Area]] = {}
        for area in areas:
            for name in {area.name, stem(area.name)}:
                if len(name) > 1:
                    by_name.setdefault(name, []).append(area)
        for name in sorted(by_name, key=len, reverse=True):
            for match in re.finditer(re.escape(name), line):
                start, end = match.span()
                taken = any(start < last and first < end for first, last, _ in spans)
                if not taken and not _CLINIC_OF.match(line, end):
                    spans.append((start, end, by_name[name]))
        if not spans:
            return
        spans.sort()
        unsure = next((meant for _, _, meant in spans if len(meant) > 1), None)
        answer = self._which(unsure, areas) if unsure else self._answer([meant[0] for _, _, meant in spans])
        strange = [m for m in _ANY_AREA.finditer(line) if m[0] not in by_name]
        if strange and answer.values:
            names = "、".join(m[0] for m in strange)
            doubt = Doubt(f"您的辖区里没有“{names}”。", [(f"只给{answer.values['area_names']}"[:20], answer.values)])
            answer = Answer({}, doubt)
            spans += [(*m.span(), []) for m in strange]
        for start, end, _ in spans:
            yield Found(start, end, answer, announced=True)

    def _everywhere(self, top: Area, below: Sequence[Area]) -> list[Area]:
        return [top]

    def _which(self, meant: Sequence[Area], areas: Sequence[Area]) -> Answer:
        above = {area.path: area.name for area in areas}
        offered = [
            (f"{above.get(area.path.rstrip('/').rpartition('/')[0] + '/', '')}{area.name}", self._answer([area]).values)
            for area in meant[:8]
        ]
        return Answer({}, Doubt(f"“{meant[0].name}”有{len(meant)}个,是哪一个?", offered))

    def _answer(self, chosen: Sequence[Area]) -> Answer:
        chosen = [a for a in chosen if not any(b is not a and a.path.startswith(b.path) for b in chosen)]
        chosen = list({area.id: area for area in chosen}.values())
        return Answer({self.field: [area.id for area in chosen], "area_names": "、".join(area.name for area in chosen)})

    @staticmethod
    def _places(known: Known) -> tuple[Area | None, list[Area]]:
        """The supervisor's own organisation, and those one level below it."""
        areas = known.areas()
        if not areas:
            return None, []
        top = areas[0]
        depth = top.path.count("/")
        return top, [area for area in areas if area.path.count("/") == depth + 1]

    def show(self, answers: Mapping[str, Any]) -> str:
        return str(answers.get("area_names", ""))


_EVERYWHERE = re.compile(r"全(?:镇|乡|县|市|区|辖区|部(?:村|乡镇)?)|所有(?:的)?(?:村|乡镇)|各(?:村|乡镇)|每个村")
_ANY_AREA = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,6}(?:村|社区|镇|乡)(?![\u4e00-\u9fff])")
_CLINIC_OF = re.compile(rf"[\u4e00-\u9fff]{{0,4}}?{A_PLACE}")
