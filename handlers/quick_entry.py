"""One-line entry: 张桂兰 152/94 心率78 规律服药 is a whole record. 一行话录入

The resident matcher, plus every step of the best-fitting form looking for itself in the line. What is missing is asked
afterwards, what is ambiguous is offered, what is not understood is quoted back; nothing is guessed and nothing dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from handlers import evaluation, residents
from handlers.leftovers import Leftovers, ask_numbers, is_filler, leftovers, rest_of
from handlers.lines import Line, Reading, blank, prepare
from handlers.menu import FORMS
from handlers.reading import normalise
from handlers.recognise import (
    Person,
    all_taken,
    by_number,
    explained,
    is_question,
    needs_told,
    recognise,
    says_event,
    says_service,
)
from handlers.residents import Match
from handlers.roster import Roster
from handlers.splitting import A_DAY, Asked, Piece, pieces, without_numbering
from handlers.steps import Known
from handlers.turn import Turn
from models.charts import charts_of
from models.conversation import Draft
from models.people import Resident

LONGEST_LINE = 400  # characters
LONGEST_RECORD = 1200  # characters; a pasted form has under 400
MOST_LINES = 60  # a morning's visits are under 30
MOST_WORDS = 10  # unread characters of a line without a name: beyond them it is prose, not an entry
MOST_WORDS_AROUND_A_DOUBT = 6
LONGEST_NAME = 6
SOUNDED_OUT = 3  # unknown names per message that are compared with everybody's
_MAY_SAY_SOMETHING = re.compile(r"[\u4e00-\u9fffA-Za-z0-9]")
_HAN = re.compile(r"[\u4e00-\u9fff]")
_STARTS_WITH_WORDS = re.compile(r"\s*([\u4e00-\u9fff]+|[A-Za-z]{2,})")


@dataclass(slots=True)
class Entry:
    """What a message says: forms filled as far as it goes, and remarks to be read with the next question."""

    drafts: list[Draft] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def read_entry(turn: Turn, text: str) -> Entry | None:
    """Read a message as one or more records; None when it is none (chatter, thanks, a question, a notice)."""
    said = normalise.tidy(text)
    if not _MAY_SAY_SOMETHING.search(said):
        return None
    reader = _Reader(turn, said, spoken="语音" in text[:12])
    entry = reader.read()
    return entry if entry.drafts or entry.remarks else None


def read_again(turn: Turn, draft: Draft, resident: Resident) -> list[Draft]:
    """What the line of somebody unknown says now that it is known who it was: the services they are enrolled in."""
    reader = _Reader(turn, normalise.tidy(draft.source), spoken=False)
    line = prepare(reader.said, [draft.who] if draft.who else [])
    reader._add(Piece(reader.said, reader.said), line, (resident.id,), draft.who)
    return reader.entry.drafts


def looks_like_entry(turn: Turn, text: str, asked_of: int | None = None) -> bool:
    """The text names somebody else than the resident who is asked about and brings a value: no answer to the question.

    Somebody who is on no roster counts as somebody else, and so does whoever has another form open: what is said of
    one must not land in the form of the other.
    """
    if len(text) < 4 or not _STARTS_WITH_WORDS.search(text):
        return False
    entry = read_entry(turn, text)
    if entry is None:
        return False
    return any(_is_about_another(draft, asked_of) for draft in entry.drafts)


def is_value(turn: Turn, text: str) -> bool:
    """A measurement and no name: 190/120 is nobody's diagnosis."""
    entry = read_entry(turn, text) if text[:1].isdecimal() and len(text) > 2 else None
    return entry is not None and bool(entry.drafts)


def _is_about_another(draft: Draft, asked_of: int | None) -> bool:
    tells = bool(draft.answers.keys() - {"on", "mode"} or draft.doubts)
    if FORMS[draft.service].about != "resident":
        return tells
    if draft.resident_id is not None:
        return (tells or "mode" in draft.answers) and draft.resident_id != asked_of
    return tells and bool(draft.who) and asked_of not in draft.candidates


def named_instead(turn: Turn, text: str, asked_of: int | None) -> Match | None:
    """Somebody else with whose name the text begins: what follows is said of them."""
    named = residents.find_named(turn, normalise.tidy(text).lstrip(), Roster(turn))
    return next((match for match in named if match.start == 0 and asked_of not in match.ids), None)


class _Reader:
    """One message being read; what is looked up is looked up once."""

    def __init__(self, turn: Turn, said: str, *, spoken: bool) -> None:
        self.turn, self.said, self.spoken = turn, said, spoken
        self.roster = Roster(turn)
        self.entry = Entry()
        self.sounded_out = 0
        self.places: list[str] = []

    def read(self) -> Entry:
        turn = self.turn
        self._cut_short()
        named = residents.find_named(turn, self.said, self.roster)
        somebody = named or residents.may_address(self.said)
        if (
            not somebody
            and not re.search(r"[\d〇零一二三四五六七八九十两百]", self.said)
            and not says_service(self.said)
        ):
            return self.entry  # nobody, no number, no service: nothing to be read
        self.places = [name for _, name in turn.villages] if says_event(self.said) else []
        stranger = Known(turn.said_on)
        found = pieces(
            self.said,
            named,
            told=lambda text: needs_told(prepare(text).text, stranger),
            is_heading=_is_heading,
            may_be_somebody=self._may_be_somebody,
            says_event=says_event,
        )
        for piece in found:
            self._read(piece)
        only = self.entry.drafts[0] if len(self.entry.drafts) == 1 else None
        if only and (only.resident_id is not None or FORMS[only.service].about != "resident"):
            only.source = ""  # the words are still on the screen; several records are told apart by them
        return self.entry

    def _cut_short(self) -> None:
        """What is longer than anybody's entry is not read but said so."""
        lines = [line for line in without_numbering(self.said).split("\n") if line.strip()]
        for line in lines:
            if len(line) > LONGEST_LINE and re.search(r"\d", line):
                self.entry.remarks.append(f"“{_short(line)}”太长了,没有记,请分行再发。")
        lines = [line for line in lines if len(line) <= LONGEST_LINE]
        if len(lines) > MOST_LINES:
            self.entry.remarks.append(f"一次最多读{MOST_LINES}行,从“{_short(lines[MOST_LINES])}”起没有记,请再发一次。")
        self.said = "\n".join(lines[:MOST_LINES])

    def _may_be_somebody(self, text: str) -> bool:
        """The line begins with words that no step takes and no filler explains: perhaps a name we do not know."""
        line = prepare(text)
        taken = all_taken(line, Known(self.turn.said_on))
        first = next(iter(leftovers(line, taken, Known(self.turn.said_on)).words), "")
        return bool(first) and text.strip().startswith(first[:2]) and len(first) <= LONGEST_NAME

    def _read(self, piece: Piece | Asked) -> None:
        if isinstance(piece, Asked):
            self.entry.remarks.append(f"“{_short(piece.said)}”里有几位居民,分不清数值是谁的,没有记。请每位一行再发。")
            return
        if len(piece.text) > LONGEST_RECORD:
            self.entry.remarks.append(f"“{_short(piece.said)}”太长了,没有记,请分开再发。")
            return
        if piece.match is None or piece.kin:
            self._read_unnamed(piece)
            return
        ids, sure = self._who(piece)
        self._add(piece, prepare(piece.text, piece.names, self.places), ids, piece.match.said, sure=sure)

    def _who(self, piece: Piece) -> tuple[tuple[int, ...], bool]:
        """Whom a written name means, and whether that is sure.

        Two of one name are told apart by what else is said of them; somebody who is said to live elsewhere is asked.
        """
        assert piece.match is not None
        ids = piece.match.ids
        if self.spoken and len(ids) == 1:
            ids = tuple(dict.fromkeys([*ids, *residents.same_sound(self.turn, piece.match.said)]))
        fitting = residents.fitting(self.turn, ids, piece.text)
        if fitting:
            return fitting, True
        return tuple(dict.fromkeys([*ids, *residents.same_sound(self.turn, piece.match.said)])), False

    def _read_unnamed(self, piece: Piece) -> None:
        """A line in which nobody's name stands as it is written: what the steps leave over may be somebody."""
        if piece.kin:
            ids = self._household(piece)
            self._add(piece, prepare(piece.text, [*piece.names, piece.kin], self.places), ids, piece.kin, sure=False)
            return
        line = prepare(piece.text, (), self.places)
        nobody = Person(self._known(None))
        readings = recognise(line, nobody)
        if any(reading.form.about != "resident" for reading in readings):
            self._draft(piece, line, readings, (), "")
            return
        words = self._name_words(line)
        match = residents.find_in_words(self.turn, words, self.roster) if self.turn.scope.villages is not None else None
        if match is not None:
            named = prepare(piece.text, [match.said], self.places)
            fitting = residents.fitting(self.turn, match.ids, piece.text)
            self._add(
                replace(piece, names=(match.said,)),
                named,
                fitting or match.ids,
                match.said,
                sure=match.is_sure and bool(fitting),
            )
        elif readings:
            self._add_unknown(piece, line, readings, words)
        elif (
            any(map(residents.looks_like_name, words))
            and not is_question(line.text)
            and (unknown := recognise(line, replace(nobody, named=True)))
        ):
            self._add_unknown(piece, line, unknown, words)
        elif self.entry.drafts and line.numbers:
            self._quote(piece, "没看懂")

    def _name_words(self, line: Line) -> list[str]:
        """Words left over that could name somebody: whole ones, and numbers of four digits."""
        left = leftovers(line, all_taken(line, Known(self.turn.said_on)), Known(self.turn.said_on))
        words = [word for word in left.words if len(word) <= 24]
        words += [part for word in words for part in re.findall(r"[\u4e00-\u9fff]+|[A-Za-z]+", word) if part != word]
        return [*dict.fromkeys(words), *(number for number in left.numbers if len(number) == 4)]

    def _household(self, piece: Piece) -> tuple[int, ...]:
        resident = self.turn.resident(piece.match.ids[0]) if piece.match and len(piece.match.ids) == 1 else None
        return residents.household_of(self.turn, resident) if resident else ()

    def _add_unknown(self, piece: Piece, line: Line, readings: Sequence[Reading], words: Sequence[str]) -> None:
        """Values of somebody who is on no roster: who it is, is asked; long prose is no entry."""
        left = leftovers(
            line, [span for reading in readings for span in explained(reading, line.text)], Known(self.turn.said_on)
        )
        told = any(reading.answers.keys() - {"on", "mode"} for reading in readings)
        most = MOST_WORDS if told else MOST_WORDS_AROUND_A_DOUBT
        if len(_HAN.findall("".join(left.words))) > most or self.turn.scope.villages is None:
            return
        who = next((word for word in left.words if len(word) <= LONGEST_NAME and _HAN.match(word)), "")
        if not any(reading.found for reading in readings) and not residents.looks_like_name(who):
            return  # 转诊单用完了: a service is spoken of, and nothing is said
        candidates: tuple[int, ...] = ()
        if who:  # a name is no part of what is said of somebody: 婆婆 in 张家婆婆
            line = prepare(piece.text, [who], self.places)
            readings = recognise(line, Person(self._known(None), named=True)) or readings
        if who and self.sounded_out < SOUNDED_OUT and residents.looks_like_name(who):
            self.sounded_out += 1
            candidates = residents.perhaps(self.turn, who, self.roster)
        self._draft(piece, line, readings, candidates, who)

    def _add(self, piece: Piece, line: Line, ids: Sequence[int], said: str, *, sure: bool = True) -> None:
        """The records of a line about these residents: one person, or several to be chosen from."""
        resident = self.turn.resident(ids[0]) if len(ids) == 1 and sure else None
        known = self._known(resident)
        person = Person(known, self._programmes(ids), named=True)
        readings = recognise(line, person)
        if any(reading.form.about == "new_resident" for reading in readings):  # the name is an answer there
            line = prepare(piece.text, (), self.places)
            readings = recognise(line, person)
        if readings:
            self._draft(piece, line, readings, ids, said, resident)
        elif number_alone := _by_number_alone(person, line):
            self._draft(piece, line, number_alone, ids, said, resident)
        elif self.entry.drafts and (line.numbers or piece.match is None):
            self._quote(piece, "没看懂")

    def _draft(
        self,
        piece: Piece,
        line: Line,
        readings: Sequence[Reading],
        ids: Sequence[int],
        said: str,
        resident: Resident | None = None,
    ) -> None:
        known = self._known(resident)
        taken = [span for reading in readings for span in explained(reading, line.text)]
        left = leftovers(line, taken, known, group=(resident.village_group or "") if resident else "")
        if resident is not None and (more := _glued(line, said, taken)):
            resident, said = None, said + more
        if said and (at := line.text.find(said)) >= 0:  # a name that is on no roster is no reason for a referral
            taken = [*taken, (at, at + len(said))]
        drafts = [self._one(reading, ids, said, resident, piece) for reading in readings]
        if _take_rest(drafts, readings, line, taken):
            left = Leftovers(remarks=left.remarks)
        ask_numbers(drafts[0], [reading.form for reading in readings], left, known)
        self.entry.drafts += drafts
        self._remark(piece, left, said)
        if piece.match and any(reading.form.about == "event" and reading.form.discreet for reading in readings):
            self.entry.remarks.append("匿名的不记姓名,刚才的姓名没有记;要记到本人名下,请发“免费筛查结果”和姓名。")

    def _one(self, reading: Reading, ids: Sequence[int], said: str, resident: Resident | None, piece: Piece) -> Draft:
        anonymous = reading.form.about == "event" and reading.form.discreet  # whose name stands in the line is not kept
        source = "" if anonymous else _short(piece.said)
        draft = Draft(reading.form.code, answers=reading.answers, doubts=reading.doubts, source=source)
        if reading.form.about != "resident":
            return draft
        if resident is not None:
            draft.resident_id = resident.id
        else:
            draft.who, draft.candidates = said[:20], list(ids)
        for name, least in reading.least:  # 高压一百八九: the alarm does not wait for the exact figure (M-8)
            sentence = evaluation.emergency(self.turn, draft, **least) if least else ""
            if sentence and name in draft.doubts:
                draft.doubts[name].alarm = f"🔴 如果属实:{sentence}"
        return draft

    def _remark(self, piece: Piece, left: Leftovers, said: str) -> None:
        words = [word for word in left.words if word not in said and not is_filler(word)]
        remarks = [*left.remarks, *([f"没看懂:{'、'.join(words)}"] if words else [])]
        self.entry.remarks += [f"“{_short(piece.said)}”{remark}" if "\n" in self.said else remark for remark in remarks]

    def _quote(self, piece: Piece, why: str) -> None:
        self.entry.remarks.append(f"{why},没有记:“{_short(piece.said)}”")

    def _known(self, resident: Resident | None) -> Known:
        turn = self.turn
        villages = turn.villages if self.places else ()
        if resident is None:
            return Known(turn.said_on, villages=villages)
        age = resident.age_on(turn.said_on)
        last = partial(evaluation.last_value, turn, resident.id, turn.said_on)
        running = frozenset(code for code, e in turn.enrolments(resident.id).items() if e.ended_on is None)
        return Known(
            turn.said_on, {}, resident.sex, age, villages, born_on=resident.born_on, programmes=running, last=last
        )

    def _programmes(self, ids: Sequence[int]) -> dict[str, str | None]:
        """What all of them are enrolled in, and the service that comes next in it."""
        charts_of(self.turn.session).fetch(ids)
        of = {
            i: {e.programme: e.next_service for e in self.turn.enrolments(i).values() if e.ended_on is None}
            for i in ids
        }
        first = next(iter(of.values()), {})
        return {code: service for code, service in first.items() if all(code in each for each in of.values())}


def _is_heading(text: str) -> bool:
    """A line that says nothing but for what the following lines are: 血压:, 今天上门, 高血压随访."""
    return len(text) <= 30 and not re.search(r"\d", A_DAY.sub("", text))


def _by_number_alone(person: Person, line: Line) -> list[Reading]:
    """Beside the name there is a number, and no word."""
    left = leftovers(line, [], person.known)
    return by_number(person, line, left.numbers[0]) if left.numbers and not left.words else []


def _take_rest(
    drafts: Sequence[Draft], readings: Sequence[Reading], line: Line, taken: Sequence[tuple[int, int]]
) -> bool:
    """What nothing else took goes to the form that has a place for it; false where none has."""
    for draft, reading in zip(drafts, readings, strict=True):
        name = reading.form.rest
        if name and name not in draft.answers and name not in draft.doubts:
            if said := rest_of(line, taken):
                draft.answers[name] = said
            return True
    return False


def _glued(line: Line, said: str, taken: Sequence[tuple[int, int]]) -> str:
    """Words right after a name that may make it somebody else: 李明 in 李明亮150/90, 张桂兰的儿媳, 覃凤英她老头子."""
    at = line.said.find(said) + len(said)
    if at < len(said):
        return ""
    run = re.match(r"[\u4e00-\u9fff]*", blank(line.text, taken)[at:])
    words = run[0] if run else ""
    one_more = len(said) == 2 and len(words) == 1
    of_somebody = len(words) > 1 and words[0] in "的她他" and not is_filler(words[1:])
    return words if of_somebody or (one_more and not is_filler(words)) else ""


def _short(said: str) -> str:
    flat = " ".join(said.split())
    return flat if len(flat) <= 40 else flat[:39] + "…"
