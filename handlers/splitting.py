"""From one message to the pieces that are one record each: lines, several residents in a line, headings, pasted forms."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from handlers.residents import Match
from handlers.steps.base import TAKEN
from handlers.steps.context import KIN

_BETWEEN_NAMES = re.compile(r"[\s,、和与及;]*")
_FORM_FIELD = re.compile(r"\s*(?:姓名|患者|居民|病人|对象)(?:姓名)?\s*:")
KIN_AFTER = re.compile(
    rf"(?:的|他|她|家|她家|他家)*(?P<kin>{KIN}|邻居|隔壁)(?!说|讲|代|帮|陪|接|送|拿|来|取|领|打|告|报|叫|在|照|和|也|管|催|给)"
)
_KIN_BEFORE = re.compile(rf"(?:(?:{KIN})|户主|监护人|陪同人?|家属|医生|护士|督导员?)[是叫:]?\s*$")
_PLACE_BEFORE = re.compile(
    r"(?:[\u4e00-\u9fff]{1,4}村)?\s?第?(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s?组的?\s*$|[\u4e00-\u9fff]{2,4}村的?\s*$"
)
_PRONOUN_KIN = re.compile(rf"(?:[他她](?:的|家)?|(?<![\u4e00-\u9fff]))(?:{KIN})(?=[\s:是的]*[高大低小]?压?[\s:]*\d)")
A_DAY = re.compile(
    r"\d{4}[年.\-/]\d{1,2}[月.\-/]\d{1,2}[日号]?|\d{1,2}月\d{1,2}[日号]?|\d{1,2}[日号]|\d{1,3}岁|\d{1,2}[组点]"
)


_NUMBERED = re.compile(r"(?:(?<=\n)|^|(?<=[\s,。;]))(?:\d{1,2}\s?[、.)]|[①-⑳])\s?(?=[\u4e00-\u9fffA-Za-z])")
_COUNTED_LINE = re.compile(r"(\d{1,2})\s+(?=[\u4e00-\u9fff])")


@dataclass(frozen=True, slots=True)
class Piece:
    """Text about one resident (or event). `names` are written in it and are no values; `text` includes its heading."""

    text: str
    said: str
    match: Match | None = None
    names: tuple[str, ...] = ()
    kin: str = ""
    """Whose relative it is about instead (张桂兰的老公), as said."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A line whose values cannot be told apart by person; it is not read but asked."""

    said: str


def without_numbering(said: str) -> str:
    """A list's own numbers are no values: 1、张桂兰 152/94, (2)王建国 136/84."""
    said = _NUMBERED.sub(" ", said)
    counts = [_COUNTED_LINE.match(line) for line in said.split("\n") if line.strip()]
    if len(counts) > 1 and [int(m[1]) for m in counts if m] == list(range(1, len(counts) + 1)):
        said = "\n".join(_COUNTED_LINE.sub("", line, count=1) for line in said.split("\n"))
    return said


def pieces(
    said: str,
    named: Sequence[Match],
    *,
    told: Callable[[str], set[str]],
    is_heading: Callable[[str], bool],
    may_be_somebody: Callable[[str], bool],
    says_event: Callable[[str], bool],
) -> list[Piece | Asked]:
    """The pieces of a tidied message, in order.

    1. A pasted form (姓名:… one field a line) is one piece.
    2. A line with several names is cut at each; a heading before them applies to all (血压:张桂兰150/92 王建国136/84).
    3. A line without a name belongs to the one before it, unless it brings a value that one has already, or may begin
       with somebody's name.
    4. A heading of its own line applies to the lines after it.
    """
    lines = _lines(said, named)
    if any(_FORM_FIELD.match(text) for text, _ in lines):
        return _pasted_forms(lines)
    found: list[Piece | Asked] = []
    heading = ""
    for text, matches in lines:
        if not matches and is_heading(text) and not told(text) and (text.endswith(":") or not found):
            heading = f"{'' if found else heading}{text.rstrip(':')} "
            continue
        fresh = _cut(text, matches, heading)
        last = found[-1] if found else None
        joined = None
        if len(fresh) == 1 and last is not None:
            if isinstance(last, Piece) and not matches and says_event(last.text) and not says_event(text):
                joined = _with_line(last, Piece(text, text))
            else:
                joined = _joined(last, fresh[0], told, may_be_somebody)
        if joined is not None:
            found[-1] = joined
        else:
            found += fresh
    if heading and not found:
        return [Piece(heading.strip(), heading.strip())]
    return found


def _lines(said: str, named: Sequence[Match]) -> list[tuple[str, list[Match]]]:
    """Each line with the names in it, their places counted from its own beginning."""
    lines: list[tuple[str, list[Match]]] = []
    start = 0
    for text in said.split("\n"):
        end = start + len(text)
        inside = [replace(m, start=m.start - start) for m in named if start <= m.start < end]
        if text.strip():
            lines.append((text, inside))
        start = end + 1
    return lines


def _pasted_forms(lines: Sequence[tuple[str, list[Match]]]) -> list[Piece | Asked]:
    blocks: list[list[tuple[str, list[Match]]]] = [[]]
    for line in lines:
        if _FORM_FIELD.match(line[0]) and any(_FORM_FIELD.match(text) for text, _ in blocks[-1]):
            blocks.append([])
        blocks[-1].append(line)
    return [_pasted_form(block) for block in blocks]


def _pasted_form(block: Sequence[tuple[str, list[Match]]]) -> Piece:
    """The first name is the resident; a field never reads on into the next line."""
    matches = [match for _, inside in block for match in inside]
    field = next((inside for text, inside in block if _FORM_FIELD.match(text)), [])
    who = next(iter(field or matches), None)
    names = tuple(dict.fromkeys(match.said for match in matches))
    text = f" {TAKEN} ".join(re.sub(r"^\s*姓名\s*:", "", text) for text, _ in block)
    return Piece(text, "\n".join(text for text, _ in block), who, names)


_PAIR = re.compile(r"\d{2,3}\s*/\s*\d{2,3}")
_MEASURED = re.compile(r"[\s,::的]*(?:血压|血糖|空腹|是|量了|测了)*[\s:]*(?:\d{2,3}\s*/\s*\d{2,3}|空腹|血糖\s*\d)")
_COUPLE = re.compile(r"\s*(?:老?两口|两口子|两公婆|夫妻|夫妇|两老|老俩|俩口|和(?:他|她)?(?:老伴|爱人|老公|老婆|堂客))")
"""Two people, one of them not named: 张桂兰两口子 152/94 138/86."""
_LISTED = re.compile(r"(?:人员|名单)\s*:")


def _cut(text: str, matches: Sequence[Match], heading: str) -> list[Piece | Asked]:
    """A line cut at its names."""
    matches = [
        m
        for n, m in enumerate(matches)
        if n == 0 or not _KIN_BEFORE.search(text[: m.start]) or _MEASURED.match(text, m.start + len(m.said))
    ]
    kin = (m for m in _PRONOUN_KIN.finditer(text) if not any(_right_after(match, m.start(), text) for match in matches))
    people = [*matches, *(Match((), m[0], "kin", m.start()) for m in kin)]
    people.sort(key=lambda match: match.start)
    listed = _LISTED.search(text)
    if listed and any(
        match.start >= listed.end() for match in people
    ):  # 异常人员:张桂兰、王建国 is an answer of one record
        inside = tuple(match.said for match in people)
        own = next((match for match in people if match.start < listed.start()), None)
        return [replace(_piece(heading, text, own), names=inside)]
    names = tuple(match.said for match in people)
    if len(people) == 1 and _COUPLE.match(text, people[0].start + len(people[0].said)) and len(_PAIR.findall(text)) > 1:
        return [Asked(text)]
    if len(dict.fromkeys(names)) < 2:
        return [_piece(heading, text, people[0] if people else None)]
    head, tail = text[: people[0].start], text[people[-1].start + len(people[-1].said) :]
    before, after = _numbered(head), _numbered(tail)
    if before and after:
        return [Asked(text)]
    starts = [match.start for match in people]
    if before:  # 152/94张桂兰 136/84王建国
        ends = [match.start + len(match.said) for match in people]
        parts = [text[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        return [_piece(heading, part, match) for part, match in zip(parts, people, strict=True)]
    begins = [_with_place(text, begin, end) for begin, end in zip([0, *starts[:-1]], starts, strict=True)]
    parts = [text[a:b] for a, b in zip(begins, [*begins[1:], len(text)], strict=True)]
    together = [
        bool(_BETWEEN_NAMES.fullmatch(text[m.start + len(m.said) : b]))
        for m, b in zip(people, begins[1:], strict=False)
    ]
    head = text[: begins[0]]
    if any(together):
        if _numbered(text[starts[0] :]):  # 张桂兰 王建国 150/90 136/84: whose is which?
            return [Asked(text)]
        shared = " ".join(
            text[m.start + len(m.said) : end] for m, end in zip(people, [*begins[1:], len(text)], strict=True)
        )
        return [_piece(heading, f"{head} {match.said} {shared}", match) for match in people]
    return [_piece(heading + head, part, match) for part, match in zip(parts, people, strict=True)]


def _with_place(text: str, begin: int, end: int) -> int:
    """Where somebody's part begins: 2组张桂兰 with the group."""
    place = _PLACE_BEFORE.search(text[begin:end])
    return begin + place.start() if place else end


def _right_after(match: Match, at: int, text: str) -> bool:
    """张桂兰老公 is one person, not two."""
    kin = KIN_AFTER.match(text, match.start + len(match.said))
    return kin is not None and kin.start() <= at < kin.end()


def _piece(heading: str, part: str, match: Match | None) -> Piece:
    if match is None:
        return Piece(f"{heading}{part}", part)
    if not match.ids:
        return Piece(f"{heading}{part}", part, None, (match.said,), kin=match.said)
    kin = KIN_AFTER.match(part, part.find(match.said) + len(match.said))
    names = (match.said,) if kin is None else (match.said, kin["kin"])
    return Piece(f"{heading}{part}", part, match, names, kin=f"{match.said}{kin[0]}" if kin else "")


def _numbered(text: str) -> bool:
    return bool(re.search(r"\d", A_DAY.sub("", text)))


def _joined(
    last: Piece | Asked, fresh: Piece | Asked, told: Callable[[str], set[str]], may_be_somebody: Callable[[str], bool]
) -> Piece | None:
    """The piece before with this line added to it, or None where this line is a record of its own."""
    if isinstance(last, Asked) or isinstance(fresh, Asked) or fresh.kin:
        return None
    both_valued = bool(told(last.text) & told(fresh.said))
    if fresh.match is None:
        if both_valued or may_be_somebody(fresh.said):
            return None
    elif last.match is None:  # 高压152, 低压94, and the name at the end
        if fresh.said.strip() != fresh.match.said or may_be_somebody(last.said):
            return None
    elif last.match.said != fresh.match.said or both_valued or not told(last.text + fresh.said):
        return None
    return _with_line(last, fresh)


def _with_line(last: Piece, fresh: Piece) -> Piece:
    """One more line of the same record; nothing is read across its beginning."""
    return replace(
        last,
        text=f"{last.text} {TAKEN} {fresh.said}",
        said=f"{last.said}\n{fresh.said}",
        match=last.match or fresh.match,
        names=tuple(dict.fromkeys([*last.names, *fresh.names])),
    )
