"""Finding where numbers stand in a line, each with its value and with the unit that was said inside it (二尺七)."""

import re
from typing import NamedTuple

from handlers.reading.chinese import DIGITS, SOME, UNITS, Piece, pieces, rising
from handlers.reading.number_words import DECIMALS, KIND, LABEL, MAY_BE_TENS, MEASURED, TAIL, tokens


class NumberSpan(NamedTuple):
    """A number and where it stands. `unit` is a unit swallowed with it: 二尺七 is 2.7 with the unit 尺."""

    start: int
    end: int
    value: float | int
    approximate: bool
    raw: str
    unit: str = ""


_CONFUSED = str.maketrans("lIOo", "1100", ",")
_KINDS = frozenset(KIND)
_NUMERAL_OR_DIGIT = frozenset((*DIGITS, *UNITS, SOME, *"0123456789"))
_THOUSAND_OF = frozenset("克卡焦米瓦帕")  # 六十一千克: the thousand belongs to the gram


def spans(seen: str) -> tuple[list[NumberSpan], set[int]]:
    """The numbers of a tidied text, and where words end that hold numerals without being numbers (周二, 老四)."""
    found: list[NumberSpan] = []
    words_end = {-1}
    at = 0
    while token := tokens().search(seen, at):
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
            digits = token[0].translate(_CONFUSED)[:9]
            value = int(digits) if digits.isdecimal() else float("0" + ".".join(digits.split(".")[:2]))
            found.append(NumberSpan(start, at, value, True, token[0]))
    return found, words_end


def _arabic(text: str, token: re.Match[str], found: list[NumberSpan]) -> int:
    start, end = token.span()
    digits = token[0].replace("点", ".")
    value: float | int = float(digits) if "." in digits else int(digits)
    unit = text[end : end + 1]
    if unit in "百千万" and unit and text[end + 1 : end + 2] not in (_THOUSAND_OF | {"分"}):
        odd = text[end + 1 : end + 2] in _NUMERAL_OR_DIGIT  # 1百5: asked
        value = round(value * UNITS[unit], 2)
        value = int(value) if value == int(value) else value
        return _close(text, start, end + 1, value, odd, found)
    if text[end : end + 2] in {".几", "点几"}:
        found.append(NumberSpan(start, end + 2, value, True, text[start : end + 2]))
        return end + 2
    clock_or_tenth = "点" in token[0] and text[end : end + 1] in _KINDS  # 2点5片: at two, or two and a half
    return _close(text, start, end, value, clock_or_tenth, found)


def _han(text: str, start: int, end: int, found: list[NumberSpan]) -> int:
    """One run of numeral characters; returns where to go on reading."""
    run = text[start:end]
    if run[-1] == "千" and text[end : end + 1] in _THOUSAND_OF:  # 六十一千克: the thousand belongs to the gram
        run, end = run[:-1], end - 1
    for i in range(1, len(run)):
        if run[i] == "两" and run[i + 1 : i + 2] not in {"百", "千", "万"}:  # 四两: the unit, not the digit
            run, end = run[:i], start + i
            break
    read = pieces(run)
    alone = [p.end - p.start > 2 or _stands_alone(text, start, p, run) for p in read]
    last = start
    for piece, whole in zip(read, alone, strict=True):
        left, right, value = start + piece.start, start + piece.end, piece.value
        vague = piece.vague or not all(alone)
        decimals = DECIMALS.match(text, right) if right == end else None
        if vague and piece.bare and piece.end - piece.start == 2 and rising(run[piece.start : piece.end]):
            vague = not (decimals or _said_digit_by_digit(text, left, right))
        if decimals:
            fraction = "".join(str(DIGITS.get(c, c)) for c in decimals[1])
            stop = decimals.end()
            vague |= text[stop : stop + 1] in _KINDS  # 七点一片: at seven, or seven and a bit
            found.append(NumberSpan(left, stop, float(f"{value}.{fraction}"), vague, text[left:stop]))
            return stop
        if text[right : right + 2] == "点几":
            found.append(NumberSpan(left, right + 2, value, True, text[left : right + 2]))
            return right + 2
        if not whole:
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
        or_two = text[end + 1 : end + 2] in _KINDS and value == int(value) and text[end + 1 :] != ""
        found.append(NumberSpan(start, end + or_two, value, vague or or_two, text[start : end + or_two]))
        return end + 1
    found.append(NumberSpan(start, end, value, vague, text[start:end]))
    return end


def _stands_alone(text: str, at: int, piece: Piece, run: str) -> bool:
    """三, 八一, 十五 are numbers only where something is counted with them, or where no other word touches them."""
    start, end = at + piece.start, at + piece.end
    two = end - start == 2
    if two and (piece.vague or piece.start > 0 or not (piece.bare or run[0] == "十")):
        return True
    if MEASURED.match(text, end) or TAIL.match(text, end) or DECIMALS.match(text, end):
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    if not two and after.isalnum():
        return False
    return not before.isalnum() or before in LABEL


def _said_digit_by_digit(text: str, start: int, end: int) -> bool:
    """七八 is 78 after 心率, or in a message where a device was read aloud ("一五二杠九四 心率七八")."""
    if MEASURED.match(text, end):
        return False
    if MAY_BE_TENS.search(text[max(0, start - 5) : start]):
        return True
    return any(len(run) > 2 and not set(run) & set("两几") for run in re.findall("[〇零一二三四五六七八九]+", text))
