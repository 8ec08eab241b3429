"""Numbers in what people type or say, in either script; the vague ones are marked, because they are asked and never read.

Clock times (八点三十), weekdays (周三), birth order (老四), lunar days (初三) and drugs (三七片) hold numerals and are no
numbers. Names and places have to be told: `not_inside` takes the words that are somebody's name (龙老四) or a village.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from handlers.reading.chinese import DIGITS, SOME, UNITS, pieces, rising
from handlers.reading.normalise import tidy
from handlers.reading.number_words import (
    AFTER,
    BEFORE,
    DECIMALS,
    KIND,
    LABEL,
    MAY_BE_TENS,
    MEASURED,
    TAIL,
    TOKEN,
)


class NumberSpan(NamedTuple):
    """A number and where it stands. `unit` is a unit swallowed with it: 二尺七 is 2.7 with the unit 尺."""

    start: int
    end: int
    value: float | int
    approximate: bool
    raw: str
    unit: str = ""


_CONFUSED = str.maketrans("lIOo", "1100", ",")
_MASK = "\ue000"


def numbers_in(text: str, not_inside: Sequence[str] = ()) -> list[NumberSpan]:
    """Every number in a tidied text, in order. Vague ones carry the least they can mean, only to word the question.

    >>> [(n.value, n.approximate) for n in numbers_in("高压一百六七 心率78 空腹7个半")]
    [(160, True), (78, False), (7.5, False)]
    """
    seen = _masked(text, not_inside)
    found: list[NumberSpan] = []
    words_end = {-1}
    at = 0
    while token := TOKEN.search(seen, at):
        kind, start, at = token.lastgroup, token.start(), token.end()
        if kind == "word":
            words_end.add(at)
        elif kind == "arabic":
            at = _arabic(seen, token, found)
        elif kind == "han":
            at = _han(seen, start, at, found)
        elif kind == "half" or kind == "fraction":
            found.append(NumberSpan(start, at, 0.25 if token[0].endswith("4") else 0.5, False, token[0]))
        elif kind == "vague":  # 百把人, 个把月
            worth = next(UNITS[c] for c in token[0] + "十" if c in UNITS) if token[0] != "个" else 1
            found.append(NumberSpan(start, at, worth, True, token[0]))
        elif kind == "odd":  # l46, 14O, 152.94.78, 1,200, .5: shown as it was probably meant, and asked
            digits = token[0].translate(_CONFUSED)
            value = int(digits) if digits.isdecimal() else float("0" + ".".join(digits.split(".")[:2]))
            found.append(NumberSpan(start, at, value, True, token[0]))
    return _with_doubts(seen, found, words_end)


def read_number(text: str) -> float | int | None:
    """The number that a whole answer is, or None when it is none, is vague, or is more than one number.

    >>> read_number("一百零八"), read_number("7个半"), read_number("一百六七")
    (108, 7.5, None)
    """
    text = tidy(text).rstrip("。.,!;、")
    if text == "半":
        return 0.5
    found = numbers_in(text)
    if len(found) != 1 or found[0].approximate or found[0].unit or found[0].raw != text:
        return None
    return found[0].value


def _masked(text: str, words: Sequence[str]) -> str:
    for word in sorted(filter(None, words), key=len, reverse=True):
        text = text.replace(word, _MASK * len(word))
    return text


def _arabic(text: str, token: re.Match[str], found: list[NumberSpan]) -> int:
    start, end = token.span()
    digits = token[0].replace("点", ".")
    value: float | int = float(digits) if "." in digits else int(digits)
    unit = text[end : end + 1]
    if unit in "百千万" and unit and text[end + 1 : end + 2] not in set("克卡焦米瓦帕分"):
        odd = text[end + 1 : end + 2] in {*DIGITS, *UNITS, SOME, *"0123456789"} and end + 1 < len(
            text
        )  # 1百5, 一千几: asked
        value = round(value * UNITS[unit], 2)
        value = int(value) if value == int(value) else value
        found.append(NumberSpan(start, end + 1, value, odd, text[start : end + 1]))
        return end + 1
    if text[end : end + 2] in {".几", "点几"}:
        found.append(NumberSpan(start, end + 2, value, True, text[start : end + 2]))
        return end + 2
    clock_or_tenth = "点" in token[0] and text[end : end + 1] in set(KIND)  # 2点5片: at two, or two and a half
    return _close(text, start, end, value, clock_or_tenth, found)


def _han(text: str, start: int, end: int, found: list[NumberSpan]) -> int:
    """One run of numeral characters; returns where to go on reading."""
    run = text[start:end]
    if run[-1] == "千" and text[end : end + 1] in set("克卡焦米瓦帕"):  # 六十一千克: the thousand belongs to the gram
        run, end = run[:-1], end - 1
    for i in range(1, len(run)):
        if run[i] == "两" and run[i + 1 : i + 2] not in {"百", "千", "万"}:  # 四两: the unit, not the digit
            run, end = run[:i], start + i
            break
    last = start
    for piece in pieces(run):
        left, right, value, vague = start + piece.start, start + piece.end, piece.value, piece.vague
        decimals = DECIMALS.match(text, right) if right == end else None
        if vague and piece.bare and piece.end - piece.start == 2 and rising(run[piece.start : piece.end]):
            vague = not (decimals or _said_digit_by_digit(text, left, right))
        if decimals:
            fraction = "".join(str(DIGITS.get(c, c)) for c in decimals[1])
            stop = decimals.end()
            vague |= text[stop : stop + 1] in set(KIND)  # 七点一片: at seven, or seven and a bit
            found.append(NumberSpan(left, stop, float(f"{value}.{fraction}"), vague, text[left:stop]))
            return stop
        if text[right : right + 2] == "点几":
            found.append(NumberSpan(left, right + 2, value, True, text[left : right + 2]))
            return right + 2
        if right - left == 1 and not _stands_alone(text, left, right):
            continue
        last = _close(text, left, right, value, vague or text[right : right + 1] == "点", found)
    return max(last, end, start + 1)


def _close(text: str, start: int, end: int, value: float | int, vague: bool, found: list[NumberSpan]) -> int:
    """Add the number with what is said after it ("个半", "尺七", "两"); returns where to go on reading."""
    tail = TAIL.match(text, end)
    if tail and float(value).is_integer() and not vague:
        unit, whole = tail["and_half"] or tail["tenths"] or tail["metres"], int(value)
        more = "".join(str(DIGITS.get(c, c)) for c in tail["tenth"] or tail["hundredths"] or "5")
        if unit != "个" or whole <= 40:
            unit = "" if unit == "个" else unit
            found.append(NumberSpan(start, tail.end(), float(f"{whole}.{more}"), False, text[start : tail.end()], unit))
            return tail.end()
    if text[end : end + 1] == "两" and text[end + 1 : end + 2] not in {"百", "千", "万"}:
        or_two = text[end + 1 : end + 2] in set(KIND) and value == int(value) and text[end + 1 :] != ""
        found.append(NumberSpan(start, end + or_two, value, vague or or_two, text[start : end + or_two]))
        return end + 1
    found.append(NumberSpan(start, end, value, vague, text[start:end]))
    return end


def _stands_alone(text: str, start: int, end: int) -> bool:
    """A single numeral character is a number only where something is counted with it, or where nothing touches it."""
    if MEASURED.match(text, end) or TAIL.match(text, end):
        return text[start] not in "〇零"
    before, after = text[start - 1 : start], text[end : end + 1]
    if _is_word(after):
        return False
    return not _is_word(before) or before in LABEL


def _is_word(char: str) -> bool:
    return char.isalnum()


def _said_digit_by_digit(text: str, start: int, end: int) -> bool:
    """七八 is 78 after 心率, or in a message where a device was read aloud ("一五二杠九四 心率七八")."""
    if MEASURED.match(text, end):
        return False
    if MAY_BE_TENS.search(text[max(0, start - 5) : start]):
        return True
    return any(len(run) > 2 and not set(run) & set("两几") for run in re.findall("[〇零一二三四五六七八九]+", text))


def _with_doubts(text: str, found: list[NumberSpan], words_end: set[int]) -> list[NumberSpan]:
    """Doubt comes from the words around a number (左右, 大概), from ranges, and from the other half of a pair."""
    doubtful = [
        n.approximate
        or AFTER.match(text, n.end) is not None
        or BEFORE.search(text[max(0, n.start - 6) : n.start]) is not None
        or _in_two_scripts(text, n, words_end)
        for n in found
    ]
    for i, (a, b) in enumerate(pairwise(found)):
        between = text[a.end : b.start]
        touching = between == "" and not MEASURED.match(text, b.end)
        a_range = between in {"到", "至", "~"} or (between == "-" and b.value > a.value)
        halves = touching or between in {"/", "杠", "得", "比"}
        if a_range or (halves and (doubtful[i] or doubtful[i + 1])):
            doubtful[i] = doubtful[i + 1] = True
    return [n._replace(approximate=doubt) for n, doubt in zip(found, doubtful, strict=True)]


def _in_two_scripts(text: str, n: NumberSpan, words_end: set[int]) -> bool:
    """15二, 二5: a slip of the keyboard, unless something is counted with the numeral ("61一天三次", "周二152/94")."""
    after = text[n.end : n.end + 1]
    if n.raw[-1].isdecimal() and after in DIGITS and after != "两" and not MEASURED.match(text, n.end + 1):
        return True
    before = text[n.start - 1 : n.start]
    return n.raw[0].isdecimal() and (before in DIGITS or before in UNITS) and n.start not in words_end


_SLASH_WORDS = {"杠", "斜杠", "横杠", "得", "比", "/"}


def to_arabic(text: str, protected: Sequence[str] = ()) -> str:
    """The text with plain Chinese numerals in digits, and the spoken slash of a blood pressure as a slash.

    >>> to_arabic("一五二杠九四"), to_arabic("一百五十二九十四"), to_arabic("龙老四164得96", ["龙老四"])
    ('152/94', '152 94', '龙老四164/96')
    """
    found = numbers_in(text, protected)
    out: list[str] = []
    at = 0
    for i, number in enumerate(found):
        between = text[at : number.start]
        before = found[i - 1] if i else None
        if before and between in _SLASH_WORDS and _may_be_pressure(before, number):
            between = "/"
        written = number.raw
        if not number.approximate and not number.raw.replace(".", "").isdecimal():
            written = f"{number.value:.10g}" + number.unit
        out.append(between)
        if out and written[:1].isdigit() and "".join(out[-2:])[-1:].isdigit():
            out.append(" ")  # 体重61一天三次 must not become 611天
        out.append(written)
        at = number.end
        if written != number.raw and text[at : at + 1] in set("0123456789."):
            out.append(" ")
    return "".join(out) + text[at:]


def _may_be_pressure(a: NumberSpan, b: NumberSpan) -> bool:
    exact = not (a.approximate or b.approximate or a.unit or b.unit)
    return (
        exact
        and isinstance(a.value, int)
        and isinstance(b.value, int)
        and 40 <= a.value <= 320
        and 10 <= b.value <= 200
    )
