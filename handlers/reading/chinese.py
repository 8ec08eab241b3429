"""The grammar of spoken numerals: one run of numeral characters in, its numbers out, the vague ones marked vague.

Two numbers are often said in one breath ("一百五十二九十四" is 152 and 94), and a digit that is followed by 十 belongs to
what comes next ("一百三十九十" is 130 and 90). Whatever could be cut in two ways is marked vague, so that it is asked.
"""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "幺": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10000}
SOME = "几"  # "十几": counted as 1, always vague


class Piece(NamedTuple):
    """One number in a run. A vague one carries the least it can mean, for the wording of the question only."""

    start: int
    end: int
    value: int
    vague: bool
    bare: bool  # digits named one by one ("一五二"), which is how devices are read aloud


@lru_cache(maxsize=4096)
def pieces(run: str) -> tuple[Piece, ...]:
    """The numbers in a run of 零〇一二三四五六七八九两幺十百千万几, in order; what is no number is left out.

    >>> [piece.value for piece in pieces("一百五十二九十四")]
    [152, 94]
    """
    found = []
    at = 0
    while at < len(run):
        piece = _bare(run, at) or _built(run, at)
        found.append(piece)
        at = piece.end
    # One doubtful cut makes its neighbours doubtful; a unit left over (一百八十百, 十十) is a doubtful cut too.
    left_over = any(
        a.value >= 0 and run[b.start] in UNITS and (b.value < 0 or (a.value % 10 == 0 and run[b.start] == "十"))
        for a, b in pairwise(found)
    )
    doubtful = left_over or any(piece.vague for piece in found if piece.value >= 0)
    return tuple(piece._replace(vague=doubtful) for piece in found if piece.value >= 0)


def small_number(text: str) -> int | None:
    """A plain number below 100 in either script, as days and months are written ("16", "十六"); None for anything else."""
    if text.isdecimal():
        return int(text) if len(text) <= 2 else None
    read = pieces(text) if text and all(c in DIGITS or c in UNITS for c in text) else ()
    if len(read) != 1 or read[0].vague or (read[0].start, read[0].end) != (0, len(text)) or read[0].value > 99:
        return None
    return read[0].value


def rising(digits: str) -> bool:
    """Two neighbours on the number line said together mean "about": 七八, 两三; so does 三五."""
    first, second = (DIGITS.get(c, -1) for c in digits[-2:]) if len(digits) >= 2 else (-1, -1)
    return first > 0 and (second == first + 1 or (first, second) == (3, 5))


def _digits_from(run: str, at: int) -> str:
    end = at
    while end < len(run) and (run[end] in DIGITS or run[end] == SOME):
        end += 1
    return run[at:end]


def _worth(digits: str) -> int:
    return int("".join(str(DIGITS.get(c, 1)) for c in digits[:6]))


def _bare(run: str, at: int) -> Piece | None:
    """Digits without units: "一五二", "九四" before another number, a lone "三". None where a unit takes part."""
    digits = _digits_from(run, at)
    end = at + len(digits)
    if end < len(run):  # the last digit belongs to the unit that follows
        if len(digits) < 2:
            return None
        if len(digits) == 2 and rising(digits):  # 七八十: seventy or eighty
            return Piece(at, min(end + 1, len(run)), DIGITS[digits[0]] * UNITS[run[end]], True, False)
        digits = digits[:-1]
        end -= 1
        if len(digits) == 1:  # 九四十: nothing a person means
            return Piece(at, end, _worth(digits), True, False)
    if not digits:
        return None
    if "幺" in digits and len(digits) < 3:  # 老幺, 幺妹: the youngest, not a one
        return Piece(at, end, -1, True, True)
    # Four digits and more are two values in one breath (一五二九四), a year or a telephone number.
    odd = SOME in digits or len(digits) > 3 or (len(digits) > 1 and (digits[0] in "零〇" or "两" in digits))
    return Piece(at, end, _worth(digits) if digits != SOME else -1, odd or (len(digits) == 2 and rising(digits)), True)


def _built(run: str, at: int) -> Piece:
    """A number with units, from a digit and its unit, or from 十 or 百 standing for 一十 and 一百."""
    total, last, vague, start = 0, 100_000, False, at
    if run[at] in "千万" or (run[at] == "百" and not _digits_from(run, at + 1).strip("零〇几")):
        return Piece(at, at + 1, -1, True, False)  # 万一, 千万, 百把: words
    if run[at] == "百" and run[at + 1 : at + 3] == "八十":  # 百八十: a hundred or so
        vague = True
    while at < len(run):
        zero = run[at] in "零〇" and last < 100_000
        if zero:
            at += 1
        digits = _digits_from(run, at)
        end = at + len(digits)
        unit = UNITS[run[end]] if end < len(run) else None
        vague |= SOME in digits
        if not digits:
            if unit is None or unit >= last:
                vague |= zero
                break
            total, last, at = total + unit, unit, end + 1
            vague |= zero
        elif unit is not None and unit < last and (len(digits) == 1 or rising(digits[:2])) and len(digits) <= 2:
            vague |= len(digits) == 2 or digits[0] in "零〇" or (zero and unit * 10 == last)  # 一百五六十; 一百零五十
            total, last, at = total + _worth(digits[0]) * unit, unit, end + 1
        else:  # the tail, without the digit that opens the next number
            tail = digits[:-1] if unit is not None else digits
            if unit is not None and len(digits) == 2 and rising(digits):
                vague = True  # 一百三十八九十: 138 and 90, or 130 and eighty-odd
            if tail:
                vague |= len(tail) > 1 or tail in "零〇"
                total += _worth(tail[0]) * (1 if zero or last <= 10 else last // 10)
                at += len(tail)
            else:
                vague |= zero
            break
    return Piece(start, at, total, vague, False)
