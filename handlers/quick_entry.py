"""One line of text is a record: the resident, then every step of the best-fitting forms looking for itself in the line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from handlers.form import Form
from handlers.lines import Line, Reading, prepare, read_fields
from handlers.menu import FOLLOW_UPS, FORMS
from handlers.reading import normalise
from handlers.residents import Match, Roster, find_in_line, find_named, perhaps
from handlers.steps import Known
from handlers.turn import Turn
from models.conversation import Doubt, Draft
from models.enrolment import Enrolment
from models.people import Resident

MOST_LINES = 60
_HAN_WORD = re.compile(r"[\u4e00-\u9fff]{2,}")
_FILLER = re.compile(
    r"血压|血糖|测了|量了|测得|量得|今天|今早|刚才|刚刚|上午|下午|早上|晚上|去了|来了|过来|卫生室|看了|一下|随访|已完成|情况|其他|正常|还好|挺好|很好"
    r"|姓名|编号|患者|病人|居民|大爷|大娘|奶奶|爷爷|阿姨|叔叔|老人|两个|都有|都是|高糖|一起|访了|规律|谢谢|收到|记一下|记录|本次|这次|左右手|左手|右手|平均"
)
_NOT_OURS = re.compile(
    r"危险性|自知力|服药依从性评估|督导|孕\d|孕周|胎心|宫高|身长|奶粉|疫苗|百白破|血氧|肺功能|体质辨识|两癌|宫颈|乳腺|叶酸"
)
_BOTH = re.compile(r"高糖|高血压.{0,3}糖尿病|糖尿病.{0,3}高血压")


@dataclass(slots=True)
class Entry:
    """What a text says: drafts to be completed and confirmed, and remarks on what was not understood."""

    drafts: list[Draft] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def looks_like_entry(turn: Turn, text: str) -> bool:
    """Does the text name another resident than the open drafts do, with a value? Then it answers no open question."""
    line = normalise.tidy(text)
    if not re.search(r"\d", line):
        return False
    open_ids = {draft.resident_id for draft in turn.conversation.drafts}
    named = find_named(turn, line, Roster(turn))
    return bool(named) and not any(set(match.ids) & open_ids for match in named)


def read_entry(turn: Turn, text: str) -> Entry | None:
    """Read a text as one or more records; None when there is none in it.

    1. Lines without a name belong to the line before; without any name at all they are one record.
    2. A line with several residents is cut at each name.
    3. What is not understood is quoted back; a number that nothing claims is asked about.
    """
    roster = Roster(turn)
    entry = Entry()
    for piece, match in _pieces(turn, normalise.tidy(text), roster):
        _read_piece(turn, piece, match, entry)
    return entry if entry.drafts else None


def _pieces(turn: Turn, text: str, roster: Roster) -> list[tuple[str, Match | None]]:
    lines = [line.strip() for line in text.split("\n") if line.strip()][:MOST_LINES]
    pieces: list[tuple[str, Match | None]] = []
    for line in lines:
        event = _service_said(line)
        named = [] if event is not None and event.about != "resident" else find_named(turn, line, roster)
        if len({match.ids for match in named}) > 1:
            pieces += _cut(line, named)
            continue
        match = named[0] if named else None
        if match is None and not (event is not None and event.about != "resident"):
            match = (
                find_in_line(turn, line)
                if not pieces or re.search(r"\d.*[\u4e00-\u9fff]{2}|^[\u4e00-\u9fffa-zA-Z]{2,4}\s", line)
                else None
            )
        if match is None and event is None and pieces:
            said, whose = pieces[-1]
            pieces[-1] = (f"{said}\n{line}", whose)
        else:
            pieces.append((line, match))
    return pieces


def _cut(line: str, named: Sequence[Match]) -> list[tuple[str, Match | None]]:
    """张桂兰150/92 王建国136/84 is two; words before the first name (血压:) go for all."""
    before = line[: named[0].start]
    ends = [match.start for match in named[1:]] + [len(line)]
    return [(before + line[match.start : end], match) for match, end in zip(named, ends, strict=True)]


def _service_said(line: str) -> Form | None:
    """The service that a line names outright, at its earliest word; programmes are recognised by their values instead."""
    said = [
        (line.find(word), -len(word), form)
        for form in FORMS.values()
        if not form.programme
        for word in form.words
        if word in line
    ]
    return min(said, key=lambda s: s[:2])[2] if said else None


def _read_piece(turn: Turn, piece: str, match: Match | None, entry: Entry) -> None:
    resident = turn.resident(match.ids[0]) if match and match.is_sure else None
    known = Known(
        turn.today,
        {},
        resident.sex if resident else None,
        resident.age_on(turn.today) if resident else None,
        turn.villages,
    )
    line = prepare(piece, [match.said] if match else [], [name for _, name in turn.villages])
    readings = _readings(turn, piece, line, known, resident)
    if not readings:
        return
    first = len(entry.drafts)
    for reading in readings:
        about_resident = reading.form.about == "resident"
        draft = Draft(
            reading.form.code,
            resident.id if resident and about_resident else None,
            dict(reading.answers),
            dict(reading.doubts),
            who=(match.said if match else "") if about_resident else "",
            candidates=list(match.ids) if match and not match.is_sure and about_resident else [],
            source=piece if "\n" not in piece else "",
        )
        if about_resident and match is None:
            _guess_resident(turn, draft, line, reading)
        entry.drafts.append(draft)
    _ask_loose_numbers(entry.drafts[first], readings, line, known, resident)
    if unread := _unread(line, readings):
        entry.remarks.append(f"没看懂:{'、'.join(unread)}(没有记)")


def _readings(turn: Turn, piece: str, line: Line, known: Known, resident: Resident | None) -> list[Reading]:
    """The forms that the line fits. Glucose and pressure of somebody in both programmes are two records of one visit."""
    if (said := _service_said(line.text)) is not None:
        return [read_fields(said, line, known)]
    if _NOT_OURS.search(piece):
        return []
    shown = {}
    for programme, form in FOLLOW_UPS.items():
        reading = read_fields(form, line, known)
        if any(name in reading.answers or name in reading.doubts for name in form.needs):
            shown[programme] = reading
    enrolled = _programmes(turn, resident)
    if len(shown) > 1:
        both = "hypertension" in enrolled or _BOTH.search(piece)
        return [shown[p] for p in shown if p == "diabetes" or (p == "hypertension" and both)] or list(shown.values())
    if shown:
        return list(shown.values())
    return _without_values(piece, line, known, enrolled, resident)


def _without_values(
    piece: str, line: Line, known: Known, enrolled: set[str], resident: Resident | None
) -> list[Reading]:
    """A name alone, or a programme's word with no value yet, opens the form and asks for the rest."""
    if resident is None:
        return []
    worded = [form for form in FOLLOW_UPS.values() if any(word in piece for word in form.words)]
    forms = worded or [FOLLOW_UPS[p] for p in FOLLOW_UPS if p in enrolled]
    readings = [read_fields(form, line, known) for form in forms]
    alone = not line.text.strip(" ,。.!?")
    found = [r for r in readings if set(r.answers) & {"adherence", "symptoms", "heart_rate", "mode"}]
    return readings if alone or worded else found


def _programmes(turn: Turn, resident: Resident | None) -> set[str]:
    if resident is None:
        return set()
    query = select(Enrolment.programme).where(Enrolment.resident_id == resident.id, Enrolment.ended_on.is_(None))
    return set(turn.session.scalars(query))


def _guess_resident(turn: Turn, draft: Draft, line: Line, reading: Reading) -> None:
    """Nobody's name stands there: the words left over may be somebody's, and are offered, never taken."""
    words = _unread(line, [reading])
    if words:
        draft.who = words[0][:4]
        draft.candidates = list(perhaps(turn, draft.who))


def _left(line: Line, readings: Sequence[Reading]) -> str:
    left = line.text
    for reading in readings:
        for start, end in reading.taken:
            left = left[:start] + " " * (end - start) + left[end:]
    return left


def _unread(line: Line, readings: Sequence[Reading]) -> list[str]:
    """Words that nothing took, without fillers and the words that name services."""
    left = _FILLER.sub(" ", _left(line, readings))
    for reading in readings:
        for word in sorted((*reading.form.words, reading.form.title), key=len, reverse=True):
            left = left.replace(word, " ")
    return [match[0] for match in _HAN_WORD.finditer(left)][:5]


def _ask_loose_numbers(
    draft: Draft, readings: Sequence[Reading], line: Line, known: Known, resident: Resident | None
) -> None:
    """A number that no step claimed is never passed over: it is explained by the resident's age or group, or asked."""
    left, age = _left(line, readings), str(known.age)
    for start, end in line.numbers:
        said = left[start:end].strip()
        if not said or said != line.text[start:end].strip():
            continue
        after = line.text[end : end + 2]
        if after.startswith(("岁", "组", "号", "队")):
            continue
        if said == age:  # once: 陈玉珍 65 65 says her age and 65 of something
            age = ""
            continue
        try:
            number = float(said)
        except ValueError:
            continue
        guesses = [
            g
            for reading in readings
            for step in reading.form.steps
            if not step.is_answered(draft.answers)
            for g in step.guess(number, known)
        ]
        options = list(dict(guesses).items())[:4]
        draft.doubts[f"loose{start}"] = Doubt(f"“{said}”是什么?", [*options, (f"不用记 {said}", {})])
