"""Finding a resident the way a doctor says it: name, homophone, pinyin, initials, given name, last four digits, household."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.turn import Turn
from models import names
from models.people import STATUS_TITLES, Organisation, Resident, ResidentKey, Status

MOST_OFFERED = 8
_LETTERS = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,24}(?![A-Za-z])")
_LAST_FOUR = re.compile(r"(?<![\d./])(\d{3}[\dXx])(?![\d./])")
CLOSE = 86  # of 100: how alike two pinyin must be to be offered as "perhaps"


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a text may mean: `ids` best first, the piece of text that named them, and how sure it is."""

    ids: tuple[int, ...]
    said: str
    how: str  # name | sound | initials | given | digits | household | alike
    start: int = -1

    @property
    def is_sure(self) -> bool:
        """One person, by characters, digits or sound: the recap still shows the name before anything is stored."""
        return len(self.ids) == 1 and self.how != "alike"


def find_in_line(turn: Turn, line: str) -> Match | None:
    """The resident a line names, within the doctor's scope. None when nobody is named."""
    candidates = names.name_candidates(line)
    by_key = _lookup(turn, {f"n:{c}" for c in candidates})
    exact = [c for c in candidates if f"n:{c}" in by_key]
    if exact:
        best = min(exact, key=lambda c: (-len(c), line.find(c)))
        return _match(by_key[f"n:{best}"], best, "name", line)
    return (
        _by_sound(turn, line, candidates)
        or _by_letters(turn, line)
        or _by_roster(turn, line)
        or _by_keys(turn, line, [m[1] for m in _LAST_FOUR.finditer(line)], "d", "digits")
        or _by_keys(turn, line, candidates, "h", "household")
    )


def search(turn: Turn, words: str) -> list[int]:
    """Everybody that 查 <words> may mean, best first; more generous than `find_in_line`."""
    match = find_in_line(turn, words)
    found = list(match.ids) if match else []
    household = _by_keys(turn, words, [words.strip()], "h", "household")
    alike = _alike(turn, words.strip()) if not found else ()
    return list(dict.fromkeys([*found, *(household.ids if household else ()), *alike]))[: MOST_OFFERED * 3]


def _lookup(turn: Turn, keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    wanted = sorted(keys)
    if not wanted:
        return {}
    rows = turn.session.execute(
        select(ResidentKey.key, ResidentKey.resident_id)
        .where(turn.scope.covers(ResidentKey.village_id), ResidentKey.key.in_(wanted))
        .order_by(ResidentKey.resident_id)
    )
    found: dict[str, tuple[int, ...]] = {}
    for key, resident_id in rows:
        found[key] = (*found.get(key, ()), resident_id)
    return found


def _match(ids: Sequence[int], said: str, how: str, line: str) -> Match:
    return Match(tuple(dict.fromkeys(ids)), said, how, line.find(said))


def _by_sound(turn: Turn, line: str, candidates: Sequence[str]) -> Match | None:
    """Homophones first (章桂兰 for 张桂兰), then the mergers of southern speech (龙老师 for 龙老四)."""
    for prefix, sounds in (("p", names.pinyin_keys), ("f", _fuzzy_keys)):
        said_by_key = {f"{prefix}:{sound}": c for c in reversed(candidates) if len(c) > 1 for sound in sounds(c)}
        found = _lookup(turn, said_by_key)
        if found:
            longest = max(len(said_by_key[key]) for key in found)
            keys = [key for key in found if len(said_by_key[key]) == longest]
            return _match([i for key in keys for i in found[key]], said_by_key[keys[0]], "sound", line)
    return None


def _fuzzy_keys(name: str) -> set[str]:
    return {names.fuzzy_pinyin(sound) for sound in names.pinyin_keys(name)}


def _by_letters(turn: Turn, line: str) -> Match | None:
    for match in _LETTERS.finditer(line):
        typed = match[0].lower()
        found = _lookup(turn, {f"i:{typed}", f"p:{typed}"})
        if found:
            return _match([i for ids in found.values() for i in ids], match[0], "initials", line)
    return None


def _by_keys(turn: Turn, line: str, said: Sequence[str], prefix: str, how: str) -> Match | None:
    keyring = turn.session.info["keyring"]
    for words in said:
        key = keyring.lookup(words.upper(), place="residents.identity_last4") if prefix == "d" else words
        if found := _lookup(turn, {f"{prefix}:{key}"}):
            return _match(next(iter(found.values())), words, how, line)
    return None


def _roster(turn: Turn) -> Sequence[tuple[int, str]]:
    """(id, name) of the doctor's own residents; a supervisor's scope is too wide to be searched this way."""
    if turn.scope.villages is None:
        return ()
    rows = turn.session.execute(select(Resident.id, Resident.name).where(turn.scope.covers(Resident.village_id)))
    return [(row.id, row.name) for row in rows]


def _by_roster(turn: Turn, line: str) -> Match | None:
    """A given name alone (志强), where nothing surer was found."""
    hits = [(resident_id, name[1:]) for resident_id, name in _roster(turn) if len(name) > 2 and name[1:] in line]
    if not hits:
        return None
    said = max((given for _, given in hits), key=len)
    return _match([resident_id for resident_id, given in hits if given == said], said, "given", line)


def _alike(turn: Turn, words: str) -> tuple[int, ...]:
    scored = [(names.similarity(words, name), resident_id) for resident_id, name in _roster(turn)]
    return tuple(i for score, i in sorted(scored, key=lambda s: (-s[0], s[1])) if score >= CLOSE)[:MOST_OFFERED]


def perhaps(turn: Turn, words: str) -> tuple[int, ...]:
    """People whose names sound much like these words, to be offered and never taken."""
    return _alike(turn, words)


def describe(turn: Turn, resident: Resident) -> str:
    """'女 67岁 石桥村3组' — enough to tell two people of one name apart, without any number."""
    return describe_on(turn.session, resident, turn.today)


def describe_on(session: Session, resident: Resident, today: date) -> str:
    """The same for a day, outside a conversation."""
    village = session.get(Organisation, resident.village_id)
    sex = {"male": "男", "female": "女"}.get(resident.sex or "", "")
    age = resident.age_on(today)
    where = (village.name if village else "") + (resident.village_group or "")
    status = "" if resident.status == Status.ACTIVE else f"({STATUS_TITLES[Status(resident.status)]})"
    return " ".join(part for part in (sex, f"{age}岁" if age is not None else "", where) if part) + status
