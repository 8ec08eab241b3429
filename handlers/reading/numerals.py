"""Numbers in what people type or say, in either script; the vague ones are marked, because they are asked and never read.

Clock times (八点三十), weekdays (周三), birth order (老四), lunar days (初三) and drugs (三七片) hold numerals and are no
numbers. Names and places have to be told: `not_inside` takes the words that are somebody's name (龙老四) or a village.
"""

from collections.abc import Sequence
from itertools import pairwise

from handlers.reading.chinese import DIGITS, UNITS
from handlers.reading.normalise import tidy
from handlers.reading.number_spans import NumberSpan, spans
from handlers.reading.number_words import AFTER, BEFORE, BEFORE_ENDS, MEASURED

__all__ = ["NumberSpan", "numbers_in", "read_number", "to_arabic"]

_NUMERALS = "".join((*DIGITS, *UNITS))
_TENTHS_FOLLOW = {"个": 1, "斤": 1, "尺": 1, "块": 1, "米": 2, "度": 2}
_LIKE_A_DIGIT = frozenset("lIOo")
_RUNS_INTO_DIGITS = frozenset("0123456789.")
_MASK = "\ue000"
_SLASH_WORDS = {"杠", "斜杠", "横杠", "得", "比", "/"}


def numbers_in(text: str, not_inside: Sequence[str] = ()) -> list[NumberSpan]:
    """Every number in a tidied text, in order. Vague ones carry the least they can mean, only to word the question.

    >>> [(n.value, n.approximate) for n in numbers_in("高压一百六七 心率78 空腹7个半")]
    [(160, True), (78, False), (7.5, False)]
    """
    seen = _masked(text, not_inside)
    found, words_end = spans(seen)
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
        months = number.raw == "半" and text[number.end : number.end + 1] in set("个年月小")  # 半个月后: a date's words
        touches_doubt = any(n.approximate and n.end == number.start for n in found[max(0, i - 1) : i])
        touches_doubt |= any(n.approximate and number.end == n.start for n in found[i + 1 : i + 2])
        if not (number.approximate or touches_doubt or months or number.raw.replace(".", "").isdecimal()):
            written = f"{number.value}{number.unit}"
        out.append(between)
        if written[:1].isdigit() and "".join(out[-2:])[-1:] in _RUNS_INTO_DIGITS and written != number.raw:
            out.append(" ")  # 体重61一天三次 must not become 611天
        out.append(written)
        at = number.end
        if written != number.raw and text[at : at + 1] in _RUNS_INTO_DIGITS:
            out.append(" ")
    return "".join(out) + text[at:]


def _may_be_pressure(a: NumberSpan, b: NumberSpan) -> bool:
    exact = not (a.approximate or b.approximate or a.unit or b.unit)
    whole = isinstance(a.value, int) and isinstance(b.value, int)
    return exact and whole and 40 <= a.value <= 320 and 10 <= b.value <= 200


def _masked(text: str, words: Sequence[str]) -> str:
    for word in sorted(filter(None, words), key=len, reverse=True):
        text = text.replace(word, _MASK * len(word))
    return text


def _with_doubts(text: str, found: list[NumberSpan], words_end: set[int]) -> list[NumberSpan]:
    """Doubt comes from the words around a number (左右, 大概), from ranges, and from the other half of a pair."""
    doubtful = [
        n.approximate
        or AFTER.match(text, n.end) is not None
        or (
            text[n.start - 1 : n.start] in BEFORE_ENDS
            and BEFORE.search(text[max(0, n.start - 6) : n.start]) is not None
        )
        or _in_two_scripts(text, n, words_end)
        for n in found
    ]
    for i, (a, b) in enumerate(pairwise(found)):
        between = text[a.end : b.start]
        touching = between == "" and not MEASURED.match(text, b.end)
        # a range, or a decimal point with the two scripts around it (7.五)
        unsettled = between in {"到", "至", "~", ".", "·", "点"} or (between == "-" and b.value > a.value)
        halves = touching or between.strip(_NUMERALS) in {"/", "杠", "得", "比"}
        # 36度52, 六斤2一天: a tenth that ran into something else
        tenth = between in _TENTHS_FOLLOW and len(b.raw) <= _TENTHS_FOLLOW[between] and not MEASURED.match(text, b.end)
        if unsettled or tenth or (halves and (doubtful[i] or doubtful[i + 1])):
            doubtful[i] = doubtful[i + 1] = True
    return [n._replace(approximate=doubt) for n, doubt in zip(found, doubtful, strict=True)]


def _in_two_scripts(text: str, n: NumberSpan, words_end: set[int]) -> bool:
    """15二, 二5: a slip of the keyboard, unless something is counted with the numeral ("61一天三次", "周二152/94")."""
    after = text[n.end : n.end + 1]
    if n.raw[-1].isdecimal() and after in DIGITS and after != "两" and not MEASURED.match(text, n.end + 1):
        return True
    before = text[n.start - 1 : n.start]
    if _LIKE_A_DIGIT & {before, after} and not (n.raw[0].isdecimal() or n.raw[-1].isdecimal()):  # l百二
        return True
    return n.raw[0].isdecimal() and (before in DIGITS or before in UNITS) and n.start not in words_end
