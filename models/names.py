"""Names of residents: pinyin by every reading, initials, and how alike two names sound."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from itertools import product

os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # saves 43 MB; single characters are all we read

_HAN = re.compile(r"[\u4e00-\u9fff·]{2,}")
_FOLD = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ang", "an"), ("eng", "en"), ("ing", "in"))


@lru_cache(maxsize=20_000)
def _readings(character: str) -> tuple[str, ...]:
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True)[0]
    return tuple(dict.fromkeys(found)) or (character,)


def pinyin_keys(name: str) -> set[str]:
    """Every way a name may be read: 单雄飞 is shanxiongfei and danxiongfei."""
    return {"".join(parts) for parts in product(*(_readings(c)[:4] for c in name[:6]))}


def initials(name: str) -> set[str]:
    return {"".join(p[0] for p in parts) for parts in product(*(_readings(c)[:4] for c in name[:6])) if all(parts)}


def fuzzy_pinyin(sound: str) -> str:
    for a, b in _FOLD:
        sound = sound.replace(a, b)
    return sound.replace("l", "n") if sound.startswith("l") else sound


def similarity(a: str, b: str) -> float:
    from rapidfuzz import fuzz

    return max(fuzz.ratio(x, y) for x in pinyin_keys(a) for y in pinyin_keys(b))


def name_candidates(text: str) -> list[str]:
    """Pieces of two to four characters that could be a name, longest first."""
    pieces = [run[i : i + n] for run in _HAN.findall(text) for n in (4, 3, 2) for i in range(len(run) - n + 1)]
    return sorted(dict.fromkeys(pieces), key=lambda p: -len(p))[:120]
