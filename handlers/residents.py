"""Finding a resident the way a doctor says it: name, homophone, pinyin, initials, given name, last four digits, household."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from handlers.protocols.ages import age_words
from handlers.reading.chinese import small_number
from handlers.roster import THERE, Roster, lookup
from handlers.turn import Turn
from models import names
from models.people import SEX_TITLES, STATUS_TITLES, Organisation, Resident, Status, full_years
from models.surnames import COMPOUND_SURNAMES, SURNAMES

MOST_OFFERED = 8
CLOSE = 86  # of 100: how alike two pinyin must be to be offered as "perhaps"
MANY = 300  # names to look up at once; beyond them the doctor's whole roster is the shorter way
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_LETTERS = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,24}(?![A-Za-z])")
_LAST_FOUR = re.compile(r"(?<![\d./])(\d{3}[\dXx])(?![\d./年月日份])")
_FEMALE = "婶|嫂子|嫂|姨|阿姨|奶奶|娭毑|大娘|大妈|老太太|老太|妹子|姐|大姐|姑|婆婆|婆|女士"
_MALE = "叔|伯|大伯|爷爷|爷|大爷|公公|哥|大哥|老头子|老头|老汉|先生|舅"
_EITHER = "老师|师傅|医生|主任|老人|老人家|家的|家|氏|头"
_KIN = re.compile(
    rf"(?:小|老|大)?(?P<surname>[\u4e00-\u9fff]{{1,2}}?)(?:(?P<female>{_FEMALE})|(?P<male>{_MALE})|(?:{_EITHER}))"
)
_OLD = re.compile(r"(?:老|小)(?P<surname>[\u4e00-\u9fff])(?:头|哥|师傅|叔)?")
_IN_GROUP = re.compile(
    r"(?<![\d一二三四五六七八九十])第?(\d{1,2}|[一二三四五六七八九十]{1,3})\s?(?:村民)?小?组(?![合织长])"
)
# Letters of the trade are nobody's initials.
_ABBREVIATIONS = frozenset(
    "bp hr kg cm mm hg mmhg kpa mmol mol mg dl ml hi lo fpg ppg fbg pg sbp dbp bmi hba hbac ac qd bid tid qid qn ok pm am hpv "
    "ldl hdl tc tg ecg ct spo it is no yes po sos tb bi rads gpt hcg crp id vip pcr hello hi thanks test".split()
)


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a text may mean: `ids` best first, the piece of text that named them, and how sure it is."""

    ids: tuple[int, ...]
    said: str
    how: str  # name | sound | initials | given | digits: said so; alike | kin | household: to be offered only
    start: int = -1

    @property
    def is_sure(self) -> bool:
        """One person, by characters, digits or sound: the recap still shows the name before anything is stored."""
        return len(self.ids) == 1 and self.how in ("name", "sound", "initials", "given", "digits")


def given_name(name: str) -> str:
    return name[2:] if name[:2] in COMPOUND_SURNAMES else name[1:]


def looks_like_name(word: str) -> bool:
    """A surname with a given name of one or two characters, and no word of the work."""
    return 2 <= len(word) <= 4 and word in names.name_candidates(f"{word}某某某")


def may_address(text: str) -> bool:
    """老杨头, 王婶: somebody may be meant without being named."""
    called = (match["surname"] for pattern in (_OLD, _KIN) for match in pattern.finditer(text))
    return any(surname[-1] in SURNAMES or surname in COMPOUND_SURNAMES for surname in called)


def find_named(turn: Turn, text: str, roster: Roster) -> list[Match]:
    """Every name in a text that is written as on the roster, in order; of two at one place, the longer."""
    candidates = names.name_candidates(text)
    if len(candidates) > MANY and turn.scope.villages is not None:
        by_name = {name: ids for name, ids in roster.by_name.items() if name in text}
    else:
        by_name = {key.removeprefix("n:"): ids for key, ids in lookup(turn, [f"n:{c}" for c in candidates]).items()}
    found: list[Match] = []
    for start, name in sorted(_places(by_name, text), key=lambda place: (place[0], -len(place[1]))):
        if not found or start >= found[-1].start + len(found[-1].said):
            found.append(Match(by_name[name], name, "name", start))
    return found


def _places(words: Iterable[str], text: str) -> Iterator[tuple[int, str]]:
    """Wherever one of these words stands in a text."""
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield at, word
            at = text.find(word, at + 1)


def is_name(turn: Turn, text: str) -> bool:
    """A name on the roster and nothing else."""
    return any(match.said == text.strip() for match in find_named(turn, text.strip(), Roster(turn)))


def find_in_words(turn: Turn, words: Sequence[str], roster: Roster) -> Match | None:
    """Whom the words left over in a line mean, when nobody's name stands there as it is written on the roster."""
    if not words:
        return None
    han = [word for word in words if _HAN.fullmatch(word)]
    if match := _by_kin(han, roster):
        return match
    sounds = _Sounds(han)
    letters = [w.lower() for w in words if _LETTERS.fullmatch(w) and w.lower() not in _ABBREVIATIONS]
    four = {w: _last_four_key(turn, w) for w in words if _LAST_FOUR.fullmatch(w)}
    found = lookup(
        turn,
        [
            *sounds.keys,
            *(f"{kind}:{w}" for w in letters for kind in "ip"),
            *four.values(),
            *(f"h:{h}" for w in han for h in _householders(w)),
        ],
    )
    return (
        sounds.homophone(found)
        or _by_given_name(han, roster)
        or _by_letters(letters, found)
        or sounds.merged(found)
        or _by_beginning(han, roster)
        or _first(found, four, "digits")
        or _first(found, {w: f"h:{h}" for w in han for h in _householders(w)}, "household")
    )


def _householders(word: str) -> tuple[str, ...]:
    """周德生, 周德生家: the household of that name."""
    return (word, word.removesuffix("里").removesuffix("家")) if word.endswith(("家", "家里")) else (word,)


def find_in_line(turn: Turn, line: str) -> Match | None:
    """The resident a line names, within the doctor's scope. None when nobody is named."""
    roster = Roster(turn)
    if named := find_named(turn, line, roster):
        return named[0]
    words = [*_HAN.findall(line), *_LETTERS.findall(line), *_LAST_FOUR.findall(line)]
    words += [c for c in names.name_candidates(line) if c not in words]
    return find_in_words(turn, words, roster)


def fitting(turn: Turn, ids: Sequence[int], text: str) -> tuple[int, ...]:
    """Those of them whom the village, group and age in a text fit; all of them where nothing such is said.

    None where what is said speaks against everybody. The age alone rules nobody out who is the only one.
    """
    if len(ids) == 1 and not ("村" in text or "组" in text):
        return tuple(ids)
    villages, groups = where_said(turn, text)
    people = [r for r in map(turn.resident, ids) if r is not None]
    there = [r for r in people if _lives(r, villages, groups)]
    aged = [r for r in there if f"{r.age_on(turn.said_on)}岁" in text]
    return tuple(r.id for r in aged or there)


def where_said(turn: Turn, text: str) -> tuple[set[int], set[int]]:
    """The villages of one's own and the groups that a text names."""
    villages = {i for i, name in turn.villages if name in text or (len(name) > 2 and name.removesuffix("村") in text)}
    groups = {number for match in _IN_GROUP.finditer(text) if (number := small_number(match[1]))}
    return villages, groups


def _lives(resident: Resident, villages: set[int], groups: set[int]) -> bool:
    own = _IN_GROUP.match(resident.village_group or "")
    elsewhere = own is not None and bool(groups) and small_number(own[1]) not in groups
    return (not villages or resident.village_id in villages) and not elsewhere


def _of_group(turn: Turn, words: str) -> list[int]:
    """Everybody of 石桥村2组, household by household."""
    villages, groups = where_said(turn, words)
    rest = _IN_GROUP.sub("", words)
    for _, name in turn.villages:
        rest = rest.replace(name, "").replace(name.removesuffix("村"), "")
    if not groups or rest.strip(" ,、的人居民"):
        return []
    ids = villages or {village_id for village_id, _ in turn.villages}
    query = (
        select(Resident.id, Resident.village_group)
        .where(Resident.village_id.in_(ids), THERE, Resident.village_group.is_not(None))
        .order_by(Resident.village_id, Resident.householder, Resident.id)
    )
    rows = turn.session.execute(query)
    return [i for i, group in rows if (own := _IN_GROUP.match(group or "")) and small_number(own[1]) in groups]


def search(turn: Turn, words: str) -> list[int]:
    """Everybody that 查 <words> may mean, best first; more generous than `find_in_line`."""
    words = words.strip()
    if group := _of_group(turn, words):
        return group[: MOST_OFFERED * 3]
    match = find_in_line(turn, words)
    found = list((match and fitting(turn, match.ids, words)) or (match.ids if match else ()))
    household = _first(lookup(turn, [f"h:{words}"]), {words: f"h:{words}"}, "household")
    alike = perhaps(turn, words) if not found else ()
    return list(dict.fromkeys([*found, *(household.ids if household else ()), *alike]))[: MOST_OFFERED * 3]


def same_sound(turn: Turn, name: str) -> tuple[int, ...]:
    """Everybody who is called so by ear: a voice message cannot tell 张桂兰 from 张贵兰."""
    found = lookup(turn, [f"p:{sound}" for sound in names.pinyin_keys(name)])
    return tuple(dict.fromkeys(i for ids in found.values() for i in ids))


def household_of(turn: Turn, resident: Resident) -> tuple[int, ...]:
    """The others of a household: whom "张桂兰的老公" may mean."""
    if not resident.householder:
        return ()
    same = select(Resident.id).where(
        Resident.village_id == resident.village_id,
        Resident.householder == resident.householder,
        Resident.village_group == resident.village_group,
        Resident.id != resident.id,
        THERE,
    )
    return tuple(turn.session.scalars(same.order_by(Resident.id).limit(MOST_OFFERED)))


def perhaps(turn: Turn, words: str, roster: Roster | None = None) -> tuple[int, ...]:
    """People whose names sound much like these words, to be offered and never taken."""
    people = (roster or Roster(turn)).people
    scored = [(names.similarity(words, name), resident_id) for resident_id, name in people]
    return tuple(i for score, i in sorted(scored, key=lambda s: (-s[0], s[1])) if score >= CLOSE)[:MOST_OFFERED]


class _Sounds:
    """What words may be by ear: homophones (章桂兰 for 张桂兰), and the mergers of southern speech (龙老师 for 龙老四)."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words
        candidates = dict.fromkeys(
            c for word in words for c in (word, *names.name_candidates(word)) if 2 <= len(c) <= 5
        )
        self._exact = {c: [f"p:{p}" for p in sorted(names.pinyin_keys(c))] for c in candidates}
        self._fuzzy = {c: [f"f:{names.fuzzy_pinyin(p)}" for p in sorted(names.pinyin_keys(c))] for c in candidates}

    @property
    def keys(self) -> list[str]:
        return [key for keys in (*self._exact.values(), *self._fuzzy.values()) for key in keys]

    def homophone(self, found: Mapping[str, tuple[int, ...]]) -> Match | None:
        """Sure when the whole word sounds so; of a longer word only a part: perhaps, and perhaps not."""
        match = self._longest(self._exact, found)
        return match and replace(match, how="sound" if match.said in self.words else "alike")

    def merged(self, found: Mapping[str, tuple[int, ...]]) -> Match | None:
        """Offered, and never taken."""
        return self._longest(self._fuzzy, found)

    def _longest(self, sounds: Mapping[str, list[str]], found: Mapping[str, tuple[int, ...]]) -> Match | None:
        for candidate in sorted(sounds, key=len, reverse=True):
            if ids := [i for key in sounds[candidate] for i in found.get(key, ())]:
                return Match(tuple(dict.fromkeys(ids)), candidate, "alike")
        return None


def _by_given_name(words: Sequence[str], roster: Roster) -> Match | None:
    """A given name alone (志强). With another surname before it (李志强) it is somebody else, to be asked."""
    for word in words:
        other = len(word) > 2 and looks_like_name(word)
        given = given_name(word) if other else word
        if 2 <= len(given) <= 3:
            people = [(i, name) for i, name, _ in roster.called(f"%{given}") if given_name(name) == given]
            if people:
                return Match(tuple(i for i, _ in people)[:MOST_OFFERED], word, "alike" if other else "given")
    return None


def _by_beginning(words: Sequence[str], roster: Roster) -> Match | None:
    """王秀 for 王秀珍, 欧阳 alone: offered, and never taken."""
    for word in words:
        surname = word[:1] in SURNAMES or word[:2] in COMPOUND_SURNAMES
        if surname and 2 <= len(word) <= 3 and (people := roster.called(f"{word}_%")):
            return Match(tuple(i for i, _, _ in people)[:MOST_OFFERED], word, "alike")
    return None


def _by_kin(words: Sequence[str], roster: Roster) -> Match | None:
    """王婶, 老杨头: everybody of that surname, of the fitting sex if there is any, to be offered."""
    for word in words:
        match = _KIN.fullmatch(word) or _OLD.fullmatch(word)
        if not match or not names.name_candidates(match["surname"] + "某某某"):
            continue
        same = roster.called(f"{match['surname']}%")
        of = match.groupdict()
        wanted = "female" if of.get("female") else "male" if of.get("male") else None
        fitting = [i for i, _, sex in same if sex == wanted] or [i for i, _, _ in same]
        if fitting:
            return Match(tuple(fitting[:MOST_OFFERED]), word, "kin")
    return None


def _by_letters(words: Sequence[str], found: Mapping[str, tuple[int, ...]]) -> Match | None:
    """Initials or pinyin. Two letters are too few to be sure of."""
    for word in words:
        if ids := tuple(dict.fromkeys((*found.get(f"p:{word}", ()), *found.get(f"i:{word}", ())))):
            return Match(ids[:MOST_OFFERED], word, "initials" if len(word) > 2 else "alike")
    return None


def _first(found: Mapping[str, tuple[int, ...]], keys: Mapping[str, str], how: str) -> Match | None:
    for said, key in keys.items():
        if key in found:
            return Match(found[key][:MOST_OFFERED], said, how)
    return None


def _last_four_key(turn: Turn, digits: str) -> str:
    return f"d:{turn.session.info['keyring'].lookup(digits.upper(), place='residents.identity_last4')}"


def describe(turn: Turn, resident: Resident) -> str:
    """'女 67岁 石桥村3组' — enough to tell two people of one name apart, without any number."""
    return describe_on(turn.session, resident, turn.today)


def how_old(born_on: date | None, day: date) -> str:
    """67岁; of a child under three in months and days: 12天, 7个月, 2岁1个月."""
    if born_on is None:
        return ""
    years = full_years(born_on, day)
    return age_words(born_on, day) if years < 3 else f"{years}岁"


def describe_on(session: Session, resident: Resident, today: date) -> str:
    """The same for a day, outside a conversation."""
    village = session.get(Organisation, resident.village_id)
    sex = SEX_TITLES.get(resident.sex or "", "")
    where = (village.name if village else "") + (resident.village_group or "")
    status = "" if resident.status == Status.ACTIVE else f"({STATUS_TITLES[Status(resident.status)]})"
    return " ".join(part for part in (sex, how_old(resident.born_on, today), where) if part) + status
