"""Which organisation is meant: by name, without 镇 or 村, by code, or as it sounds; only within the viewer's scope. 地区"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.names import fuzzy_pinyin, pinyin_keys
from models.people import Organisation
from models.scope import Scope

SUFFIXES = (
    "街道办事处",
    "街道办",
    "街道",
    "居委会",
    "村委会",
    "社区",
    "卫生院",
    "卫生室",
    "镇",
    "乡",
    "村",
    "县",
    "市",
    "区",
    "组",
)
ALIKE = 80  # of 100: 拖扣 is offered for 托口, 江市 is not
OFFERED = 5


@dataclass(frozen=True, slots=True)
class Area:
    """An organisation that the viewer may ask about."""

    id: int
    code: str
    name: str
    path: str

    @property
    def names(self) -> tuple[str, str]:
        return self.name, stem(self.name)


@dataclass(frozen=True, slots=True)
class Found:
    """What the words may mean. One that is `sure` needs no question."""

    areas: Sequence[Area]
    sure: bool = True


def stem(name: str) -> str:
    """托口镇 -> 托口; a name of one character keeps its suffix (李村)."""
    for suffix in SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= 2:
            return name.removesuffix(suffix)
    return name


def areas_in(session: Session, scope: Scope) -> list[Area]:
    """Every organisation within the scope, from the top down; for a doctor the villages they answer for."""
    query = select(Organisation.id, Organisation.code, Organisation.name, Organisation.path)
    rows = session.execute(query.where(scope.covers(Organisation.id)).order_by(Organisation.path))
    return [Area(*row) for row in rows]


def find_area(areas: Sequence[Area], words: str) -> Found:
    """Look for what was said.

    1. A code or a whole name; else a name without its suffix.
    2. A name after the one above it: 托口镇新建村, 托口新建.
    3. A name within the words, or the words within a name.
    4. The same sound, northern or southern; one alone is taken, more are offered.
    5. A similar sound is offered, never taken.
    """
    said = re.sub(r"[\s,,。.、:: ]+", "", words)
    if not said:
        return Found(())
    for pick in (_named, _stemmed, _under_another, _within):
        if found := pick(areas, said):
            return Found(found)
    return _alike(areas, said)


def _named(areas: Sequence[Area], said: str) -> list[Area]:
    return [area for area in areas if said in (area.code, area.name)]


def _stemmed(areas: Sequence[Area], said: str) -> list[Area]:
    return [area for area in areas if said == stem(area.name)]


def _under_another(areas: Sequence[Area], said: str) -> list[Area]:
    found = []
    for area in areas:
        for name in area.names:
            above = said.removesuffix(name)
            if above and above != said and any(area.path.startswith(a.path) and above in a.names for a in areas):
                found.append(area)
                break
    return found


def _within(areas: Sequence[Area], said: str) -> list[Area]:
    """The longest names within the words, else the names that contain the words."""
    inside = [(len(name), area) for area in areas for name in area.names if len(name) >= 2 and name in said]
    if inside:
        longest = max(length for length, _ in inside)
        return list(dict.fromkeys(area for length, area in inside if length == longest))
    return [area for area in areas if len(said) >= 2 and said in area.name]


def named_in(areas: Sequence[Area], words: str) -> tuple[list[Area], str]:
    """Those called by their whole name, or by it without its suffix, among other words; and the words without them.

    Of 托口镇石桥村 the lower one is meant, and of several 石桥村 the one below what else is named.
    """
    groups: list[list[Area]] = []
    for area in sorted(areas, key=lambda a: -len(a.name)):
        name = next((name for name in area.names if len(name) > 1 and name in words), None)
        if name is not None:
            groups.append([other for other in areas if name in other.names])
            words = words.replace(name, " ")
    named = [area for group in groups for area in group]
    found = []
    for group in groups:
        inside = [a for a in group if any(a.path.startswith(b.path) and b not in group for b in named)]
        found += inside or group
    lowest = [a for a in found if not any(b is not a and b.path.startswith(a.path) for b in found)]
    return list(dict.fromkeys(lowest)), words


def _alike(areas: Sequence[Area], said: str) -> Found:
    heard = _sounds(stem(said))
    if not heard:  # 🙂, 2026-13-45
        return Found(())
    same = [area for area in areas if heard & _sounds(stem(area.name))]
    if same:
        return Found(same)
    from rapidfuzz.fuzz import ratio

    scored = [(max(ratio(a, b) for a in heard for b in _sounds(stem(area.name))), area) for area in areas]
    near = sorted((pair for pair in scored if pair[0] >= ALIKE), key=lambda pair: -pair[0])
    return Found([area for _, area in near[:OFFERED]], sure=False)


@lru_cache(maxsize=50_000)
def _sounds(name: str) -> frozenset[str]:
    return frozenset(fuzzy_pinyin(sound) for sound in pinyin_keys(name))
