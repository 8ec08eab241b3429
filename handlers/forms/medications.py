"""用药情况: up to three drugs and insulin, each with its own unit (domain.md A0)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Step, Text, digits

_DOSE = re.compile(
    r"(?P<name>[^\s\d,,;;、]{2,20})\s*(?P<dose>\d+(?:\.\d+)?)\s*(?P<unit>mg|毫克|g|克|片|粒|u|单位|ml|毫升|支|丸)?"
    r"(?:[\s,,]*(?:每日|一天|每天|日)\s*(?P<times>\d+)\s*次|[\s,,]*(?P<latin>qd|bid|tid|qid|qn))?",
    re.IGNORECASE,
)
_TIMES = {"qd": 1, "qn": 1, "bid": 2, "tid": 3, "qid": 4}
MOST_DRUGS = 6  # the norm's form has three rows and 'other'


@dataclass(frozen=True, kw_only=True, eq=False)
class Medications(Step):
    """A list of {name, dose, unit, times}. The unit is kept as written: a missing one stays missing, never guessed."""

    def read(self, text: str, known: Known) -> Answer:
        drugs = [_drug(match) for match in _DOSE.finditer(digits(text))]
        if not drugs:
            raise NotUnderstood("用药请写药名和每次的量,例如 氨氯地平 5mg 每日1次;几种药用逗号隔开。")
        if len(drugs) > MOST_DRUGS:
            raise NotUnderstood(f"一次最多记{MOST_DRUGS}种药,刚才有{len(drugs)}种。")
        return Answer({self.field: drugs})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        if match := re.search(r"(?:用药|药物|药品)[\s::是]*(?P<rest>[^。;;\n]+)", line):
            drugs = [_drug(m) for m in _DOSE.finditer(match["rest"])]
            if drugs:
                yield Found(match.start(), match.end(), Answer({self.field: drugs}))

    def show(self, answers: Mapping[str, Any]) -> str:
        return "、".join(_shown(drug) for drug in answers[self.field])


def _drug(match: re.Match[str]) -> dict[str, Any]:
    drug: dict[str, Any] = {"name": match["name"], "dose": float(match["dose"])}
    if match["unit"]:
        drug["unit"] = match["unit"]
    if times := match["times"] or _TIMES.get((match["latin"] or "").lower()):
        drug["times"] = int(times)
    return drug


def _shown(drug: Mapping[str, Any]) -> str:
    often = f",每日{drug['times']}次" if "times" in drug else ""
    return f"{drug['name']} {drug['dose']:g}{drug.get('unit', '')}{often}"


MEDICATIONS = Medications(field="medications", title="用药情况", words=("用药",), asked=False)
INSULIN = Text(field="insulin", title="胰岛素", words=("胰岛素",), asked=False)
