"""残疾人证: 20 digits, the 18 of the identity number, the kind of disability and its grade (domain.md A12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.protocols.rehabilitation import GRADES, KINDS
from handlers.steps import Answer, Found, Known, NotUnderstood, Step
from models.identity import NotAnIdentity, check_identity, mask_identity

_CARD = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx][0-9]{2}(?:B\d)?(?![0-9A-Za-z])")
_SEPARATORS = re.compile(r"[\s-]+")
_REISSUED = re.compile(r"B\d$")
DIGITS = 20


@dataclass(frozen=True, kw_only=True, eq=False)
class DisabilityCard(Step):
    """The certificate's number, checked. It gives kind and grade; of the number itself only a masked form is kept."""

    def read(self, text: str, known: Known) -> Answer:
        said = _REISSUED.sub("", _SEPARATORS.sub("", text.strip()).upper())
        if re.fullmatch(r"[0-9]{17}[0-9X]", said):
            raise NotUnderstood("这是18位的身份证号。残疾人证号是20位,后面还有1位类别、1位等级,请照证抄全。")
        if not re.fullmatch(r"[0-9]{17}[0-9X][0-9]{2}", said):
            raise NotUnderstood(f"残疾人证号是20位:18位身份证号,加1位类别、1位等级。这里有{len(said)}位,请核对后再发。")
        try:
            identity = check_identity(said[:18], known.today)
        except NotAnIdentity as error:
            raise NotUnderstood(f"残疾人证号的前18位:{error.reason}") from None
        kind, grade = int(said[18]), int(said[19])
        if kind not in KINDS or grade not in GRADES:
            raise NotUnderstood("第19位是残疾类别(1到7),第20位是等级(1到4),请照证核对后再发。")
        if known.born_on is not None and identity.born_on != known.born_on:
            raise NotUnderstood(
                f"证号里的出生日期是{identity.born_on},和档案里的{known.born_on}不一样,请核对是不是这个人的证。"
            )
        masked = f"{mask_identity(identity.number)}{kind}{grade}"
        return Answer({self.field: masked, "disability_kind": kind, "disability_grade": grade})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for match in _CARD.finditer(line):
            yield Found(*match.span(), self.read_in_line(match[0], known), announced=True)

    def show(self, answers: Mapping[str, Any]) -> str:
        return str(answers[self.field])
