"""Identity numbers and phones: checked by their own arithmetic, named fault by fault, and masked when shown.

The county code is never checked: elders carry codes of counties that were renamed or merged long ago.
"""

import re
import unicodedata
from datetime import date
from typing import Literal, NamedTuple

IDENTITY = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
PHONE = re.compile(
    r"(?<![0-9])(?:(?:\+?86[- ]?)?1[3-9][0-9](?:[- ]?[0-9]{4}){2}|0(?:10|2[0-9]|[3-9][0-9]{2})[- ]?[2-8][0-9]{6,7})(?![0-9])"
)
_SEPARATORS = re.compile(r"[\s-]+")


class Identity(NamedTuple):
    """A number that is one, and what its digits tell."""

    number: str
    born_on: date
    sex: Literal["male", "female"]


class NotAnIdentity(ValueError):
    """Why a number is no identity number, in a sentence for the person who typed it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _half_width(text: str) -> str:
    """As typed on a good keyboard: full-width digits and letters folded, what is invisible dropped."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")


def check_identity(number: str, today: date) -> Identity:
    """The number in its one spelling, with the birthday and sex it tells; raises NotAnIdentity with the fault."""
    said = _SEPARATORS.sub("", _half_width(number)).upper()
    if re.fullmatch("[0-9]{15}", said):
        raise NotAnIdentity("这是15位的旧身份证号，请发18位的新号码。")
    if not re.fullmatch("[0-9]+X?", said):
        raise NotAnIdentity("身份证号是17位数字，最后一位是数字或X，请核对后再发。")
    if len(said) != 18:
        raise NotAnIdentity(f"身份证号应是18位，这里有{len(said)}位，请核对后再发。")
    year, month, day = int(said[6:10]), int(said[10:12]), int(said[12:14])
    try:
        born = date(year, month, day)
    except ValueError:
        raise NotAnIdentity(f"身份证号里的出生日期（{year}年{month}月{day}日）不存在，请核对第7到14位。") from None
    if born.year < 1900:
        raise NotAnIdentity(f"身份证号里的出生年份是{year}年，早于1900年，请核对第7到10位。")
    if born > today:
        raise NotAnIdentity(f"身份证号里的出生日期（{year}年{month}月{day}日）还没有到，请核对第7到14位。")
    from stdnum.iso7064 import mod_11_2

    if mod_11_2.calc_check_digit(said[:17]) != said[17]:
        # The right digit is not told: whoever only mends the last one keeps the slip in the others.
        raise NotAnIdentity("身份证号的校验位对不上，可能有一位打错了，请照身份证核对后再发。")
    return Identity(said, born, "male" if int(said[16]) % 2 else "female")


def mask_identity(number: str) -> str:
    """ "4312**********4521"; whatever is not 18 long shows less, never more."""
    if len(number) == 18:
        return f"{number[:4]}{'*' * 10}{number[-4:]}"
    return "*" * max(len(number) - 2, 0) + number[-2:] if len(number) > 4 else "*" * len(number)


def read_phone(text: str) -> str | None:
    """The one phone number in a text, digits only (landlines as 0745-7712345); None when there is none or several."""
    found = set(map(_one_spelling, PHONE.findall(_half_width(text))))
    return found.pop() if len(found) == 1 else None


def _one_spelling(said: str) -> str:
    digits = _SEPARATORS.sub("", said).removeprefix("+")
    if digits.startswith("86") and len(digits) == 13:
        return digits[2:]
    if digits.startswith("0"):
        area = 3 if digits[1] in "12" else 4
        return f"{digits[:area]}-{digits[area:]}"
    return digits


def mask_phone(phone: str) -> str:
    """ "138****5678", "0745-***2345"."""
    if "-" in phone:
        area, _, local = phone.partition("-")
        return f"{area}-{'*' * max(len(local) - 4, 0)}{local[-4:]}"
    if len(phone) == 11:
        return f"{phone[:3]}****{phone[-4:]}"
    return "*" * max(len(phone) - 2, 0) + phone[-2:] if len(phone) > 4 else "*" * len(phone)
