"""Identity numbers and phones: checked, never guessed, masked when shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

IDENTITY = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


class NotAnIdentity(Exception):
    """Why a number is no identity number, in a sentence for the doctor."""


@dataclass(frozen=True, slots=True)
class Identity:
    number: str
    born_on: date
    sex: str


def check_identity(number: str, today: date) -> Identity:
    said = number.strip().upper()
    if len(said) == 15 and said.isdigit():
        raise NotAnIdentity("这是15位的旧号码,请发18位身份证号。")
    if not re.fullmatch(r"\d{17}[\dX]", said):
        raise NotAnIdentity(f"身份证号要18位,刚才是{len(said)}位,请核对后再发。")
    try:
        born = date(int(said[6:10]), int(said[10:12]), int(said[12:14]))
    except ValueError:
        raise NotAnIdentity("身份证号里的出生日期不对,请核对后再发。") from None
    if born.year < 1900 or born > today:
        raise NotAnIdentity("身份证号里的出生日期不对,请核对后再发。")
    if "10X98765432"[sum(int(d) * w for d, w in zip(said, _WEIGHTS, strict=False)) % 11] != said[17]:
        raise NotAnIdentity("身份证号的校验位不对,可能有一位打错了,请核对后再发。")
    return Identity(said, born, "male" if int(said[16]) % 2 else "female")


def mask_identity(number: str) -> str:
    return number[:4] + "*" * 10 + number[-4:]


def read_phone(text: str) -> str | None:
    match = re.search(r"(?<!\d)(1[3-9]\d{9}|0\d{2,3}-?\d{7,8})(?!\d)", text)
    return match[1] if match else None


def mask_phone(phone: str) -> str:
    return phone[:3] + "****" + phone[-4:]
