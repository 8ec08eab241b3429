"""残疾人证: 20 digits, the 18 of the identity number, the kind of disability and its grade (domain.md A12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Step
from models.identity import NotAnIdentity, check_identity, mask_identity

KINDS = {1: "视力", 2: "听力", 3: "言语", 4: "肢体", 5: "智力", 6: "精神", 7: "多重"}
GRADES = {1: "一级", 2: "二级", 3: "三级", 4: "四级"}
_CARD = re.compile(r"(?<![0-9A-Za-z])(\d{17}[\dXx])([1-7])([1-4])(B\d)?(?![0-9A-Za-z])")


@dataclass(frozen=True, kw_only=True, eq=False)
class DisabilityCard(Step):
    """The card's number. It gives kind and grade; of the number itself only a masked form is kept."""

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, "disability_kind", "disability_grade")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def read(self, text: str, known: Known) -> Answer:
        match = _CARD.fullmatch(re.sub(r"[\s-]", "", text))
        if match is None:
            raise NotUnderstood(
                "残疾人证号是20位:18位身份证号,加1位类别(1到7)和1位等级(1到4)。请核对后再发,没有可以跳过。"
            )
        return self._of(match, known)

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _CARD.finditer(line):
            try:
                yield Found(*match.span(), self._of(match, known), announced=True)
            except NotUnderstood:
                return

    def show(self, answers: Mapping[str, Any]) -> str:
        return str(answers[self.field])

    def _of(self, match: re.Match[str], known: Known) -> Answer:
        try:
            identity = check_identity(match[1], known.today)
        except NotAnIdentity as error:
            raise NotUnderstood(f"残疾人证号的前18位:{error.reason}") from None
        kind, grade = int(match[2]), int(match[3])
        return Answer(
            {
                self.field: f"{mask_identity(identity.number)}{kind}{grade}",
                "disability_kind": kind,
                "disability_grade": grade,
            }
        )
