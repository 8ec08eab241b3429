"""用药情况: up to three drugs and insulin, each with its own unit (domain.md A0)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Step, Text, digits

_UNIT = r"(?P<unit>mg|毫克|[μu]g|微克|g|克|片|粒|u|单位|ml|毫升|支|丸|吸|喷|揿)"
_AMOUNT = rf"\s*(?P<dose>\d+(?:\.\d+)?)\s*{_UNIT}"
_OFTEN = (
    r"(?:[\s,]*(?:每日|每天|1天|一天|日|每晚|每早|早上|晚上|睡前|(?P<monthly>每个?月|1个?月|一个?月|月))\s*(?P<times>\d+|一)\s*次"
    r"|[\s,]*(?P<latin>qd|bid|tid|qid|qn))?"
)
_DOSE = re.compile(rf"(?P<name>[^\s\d,;、]{{2,20}})\s*(?P<dose>\d+(?:\.\d+)?)\s*{_UNIT}?{_OFTEN}", re.IGNORECASE)
_LISTED = re.compile(
    rf"\s*(?:用药情况|用药|药物|药品)?[\s:是、,]*(?P<name>[^\s\d,;、:/]{{2,20}}){_AMOUNT}{_OFTEN}", re.IGNORECASE
)
# The stems of the drugs of these programmes: with an amount they are recognised without 用药. The second line holds
# drugs of the mind, the third those against tuberculosis, the fourth those for the lungs.
_STEMS = "地平|洛尔|普利|沙坦|双胍|列汀|列净|列奈|列美脲|列齐特|列吡嗪|列喹酮|格列酮|波糖|他汀|噻嗪|螺内酯|吲达帕胺|唑嗪|阿司匹林|氯吡格雷|胰岛素|降压0号|利血平|呋塞米|卡托普利"
_STEMS += "|氮平|培酮|哌酮|立酮|西酮|硫平|哌唑|丙嗪|必利|哌啶醇|奋乃静|丙戊酸|碳酸锂|卡马西平|拉莫三嗪|苯海索|舍曲林|西汀|普兰"
_STEMS += "|异烟肼|利福|吡嗪酰胺|乙胺丁醇|链霉素|沙星|贝达喹啉|环丝氨酸"
_STEMS += "|胺醇|溴铵|布地奈德|莫特罗|美特罗|替卡松|茶碱|孟鲁司特|氨溴索"


@cache
def _known_drug() -> re.Pattern[str]:
    """A drug known by its stem, with its amount. Compiled when it is first used, for that takes 10 ms."""
    return re.compile(
        rf"(?P<name>[\u4e00-\u9fff]{{0,8}}(?:{_STEMS})(?:缓释片|控释片|肠溶片|分散片|缓释胶囊|片|胶囊)?){_AMOUNT}{_OFTEN}",
        re.IGNORECASE,
    )


_LATIN_DRUG = re.compile(rf"(?<![A-Za-z])(?P<name>[A-Za-z]{{6,20}}){_AMOUNT}{_OFTEN}", re.IGNORECASE)
_A_DAY = r"(?:每日|每天|1天|一天|天天|日|每晚|每早|早上|晚上|睡前)"
_ONE_A_DAY = re.compile(
    rf"(?P<name>[\u4e00-\u9fff]{{0,8}}(?:{_STEMS})(?:缓释片|控释片|肠溶片|分散片|缓释胶囊|片|胶囊)?)\s*{_A_DAY}\s*(?:吃|服|各)?\s*(?P<dose>1)\s*(?P<unit>片|粒|支|丸)"
    r"(?P<times>)(?P<latin>)(?P<monthly>)"
)
"""氨氯地平一天一片: one, once; two a day may be taken at once or not."""
_BEFORE_A_DRUG = re.compile(r"^(?:在|正在|现在|现|目前|一直|口服|服用|服|吃|用|药|打|改|加|开|给|了|的)+")
_TIMES = {"qd": 1, "qn": 1, "bid": 2, "tid": 3, "qid": 4}
MOST_DRUGS = 6  # the norm's form has three rows and 'other'


@dataclass(frozen=True, kw_only=True, eq=False)
class Medications(Step):
    """A list of {name, dose, unit, times}. The unit is kept as written: a missing one stays missing, never guessed.

    `times` are a day, or a month where `per` says so: long-acting injections (domain.md A3).
    """

    label: str = "用药情况|用药|药物|药品"
    """What announces a list inside a line."""
    by_stem: bool = True
    """Are drugs known by their stem read without their label?"""

    def read(self, text: str, known: Known) -> Answer:
        drugs = [_drug(match) for match in _DOSE.finditer(digits(text))]
        if not drugs:
            raise NotUnderstood("用药请写药名和每次的量,例如 氨氯地平 5mg 每日1次;几种药用逗号隔开。")
        if len(drugs) > MOST_DRUGS:
            raise NotUnderstood(f"一次最多记{MOST_DRUGS}种药,刚才有{len(drugs)}种。")
        return Answer({self.field: drugs})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """After 用药 whatever has an amount with its unit; elsewhere only drugs known by their stem."""
        matches: list[re.Match[str]] = []
        begins: int | None = None
        if label := re.search(rf"(?:{self.label})\s*[:是]", line):
            begins, at = label.span()
            while match := _LISTED.match(line, at):
                matches.append(match)
                at = match.end()
        if not matches and self.by_stem:
            matches = [*_known_drug().finditer(line), *_LATIN_DRUG.finditer(line), *_ONE_A_DAY.finditer(line)]
        answer = Answer({self.field: [_drug(match) for match in matches[:MOST_DRUGS]]})
        for match in matches:
            start, begins = match.start() if begins is None else begins, None
            yield Found(start, match.end(), answer)

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join(_shown(drug) for drug in answers[self.field])


def _drug(match: re.Match[str]) -> dict[str, Any]:
    dose = float(match["dose"])
    drug: dict[str, Any] = {
        "name": _BEFORE_A_DRUG.sub("", match["name"]),
        "dose": int(dose) if dose == int(dose) else dose,
    }
    if match["unit"]:
        drug["unit"] = match["unit"]
    if times := match["times"] or _TIMES.get((match["latin"] or "").lower()):
        drug["times"] = 1 if times == "一" else int(times)
    if match.re is _ONE_A_DAY:
        drug["times"] = 1
    if match["monthly"]:
        drug["per"] = "month"
    return drug


def _shown(drug: Mapping[str, Any]) -> str:
    often = f",每{'月' if drug.get('per') == 'month' else '日'}{drug['times']}次" if "times" in drug else ""
    return f"{drug['name']} {drug['dose']:g}{drug.get('unit', '')}{often}"


MEDICATIONS = Medications(field="medications", title="用药情况", words=("用药",), asked=False)
GUIDANCE = Medications(
    field="medication_guidance", title="用药指导", label="用药指导|指导用药", by_stem=False, asked=False
)
INSULIN = Text(field="insulin", title="胰岛素", words=("胰岛素",), asked=False)
