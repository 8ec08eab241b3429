"""Names as they are heard, typed and mistyped: pinyin with every reading, southern mergers, initials, candidates.

Only candidates and likeness are worked out here. Whether a name is somebody, and who, is decided where the residents
are; a merely similar name is always asked.
"""

import os
import re
from functools import lru_cache
from itertools import islice, product

from models.surnames import COMPOUND_SURNAMES, NOT_NAMES, SURNAMES

MOST_KEYS = 48  # a name of three characters with three readings each has 27; the rare rest is not worth an index row

# Readings as a surname, which dictionaries give late or not at all; they come first.
_AS_SURNAME = {
    "仇": ("qiu",), "单": ("shan",), "解": ("xie",), "曾": ("zeng",), "朴": ("piao",), "查": ("zha",), "区": ("ou",),
    "覃": ("qin", "tan"), "任": ("ren",), "盖": ("ge", "gai"), "翟": ("zhai", "di"), "乐": ("yue", "le"), "冼": ("xian",),
    "洗": ("xian",), "员": ("yun",), "种": ("chong",), "缪": ("miao",), "尉": ("yu", "wei"), "万": ("wan", "mo"), "俟": ("qi", "si"),
    "佘": ("she",), "粟": ("su",), "召": ("shao",), "隗": ("kui", "wei"), "逄": ("pang",), "卜": ("bu",), "哈": ("ha",),
    "那": ("na",), "宁": ("ning",), "纪": ("ji",), "冯": ("feng",), "葛": ("ge",), "叶": ("ye",), "石": ("shi",), "车": ("che",),
}  # fmt: skip
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+")
_NOT_NAMES = re.compile(NOT_NAMES)
_LATIN = re.compile("[^a-z]+")
# Heard alike between Hunan, Guizhou and Guangxi: zh/z ch/c sh/s, n/l, f/hu, front and back nasals.
_MERGERS = (
    (re.compile("([zcs])h"), r"\1"),
    (re.compile("hong"), "feng"),
    (re.compile("hui"), "fei"),
    (re.compile("hun"), "fen"),
    (re.compile("hu(?=[aeo])"), "f"),
    (re.compile("hu"), "fu"),
    (re.compile("l"), "n"),
    (re.compile("n+g+"), "n"),
    (re.compile("ue"), "ve"),
)


@lru_cache(maxsize=4096)
def _syllables(char: str, first: bool) -> tuple[str, ...]:
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # 43 MB of phrases that names do not need
    from pypinyin import Style, pinyin

    said = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    readings = [spell(reading) for reading in (said[0] if said else ())]
    return tuple(dict.fromkeys((*(_AS_SURNAME.get(char, ()) if first else ()), *readings)))


def spell(pinyin: str) -> str:
    """Pinyin as it is compared: lower case, letters only, ü as v ("Lü", "lyu" and "lv" are one)."""
    plain = pinyin.lower().replace("ü", "v").replace("lyu", "lv").replace("nyu", "nv")
    return _LATIN.sub("", plain)


def _readings(name: str) -> list[tuple[str, ...]]:
    surname = 2 if name[:2] in COMPOUND_SURNAMES else 1
    return [readings for i, char in enumerate(name) if (readings := _syllables(char, i < surname))]


@lru_cache(maxsize=8192)
def pinyin_keys(name: str) -> frozenset[str]:
    """Every way the name may be read, without tones or spaces: 单雄飞 is shanxiongfei and danxiongfei."""
    readings = _readings(name)
    return frozenset("".join(said) for said in islice(product(*readings), MOST_KEYS)) if readings else frozenset()


@lru_cache(maxsize=8192)
def initials(name: str) -> frozenset[str]:
    """The first letters of every reading: 龙老四 is lls."""
    letters = [tuple(dict.fromkeys(said[0] for said in readings)) for readings in _readings(name)]
    return frozenset("".join(said) for said in islice(product(*letters), MOST_KEYS)) if letters else frozenset()


def fuzzy_pinyin(pinyin: str) -> str:
    """Pinyin with what southern ears merge merged, for comparison with the same of another name.

    >>> fuzzy_pinyin("longlaoshi") == fuzzy_pinyin("longlaosi")
    True
    """
    folded = spell(pinyin)
    for pattern, merged in _MERGERS:
        folded = pattern.sub(merged, folded)
    return folded


@lru_cache(maxsize=8192)
def fuzzy_keys(name: str) -> frozenset[str]:
    return frozenset(map(fuzzy_pinyin, pinyin_keys(name)))


def similarity(a: str, b: str) -> float:
    """How alike two names are, 0 to 100: the same 100, homophones 95, merged in the south 90, and less for the rest.

    Either may be pinyin as typed ("zhangguilan").
    """
    if a == b:
        return 100.0
    keys_a, keys_b = pinyin_keys(a) or {spell(a)}, pinyin_keys(b) or {spell(b)}
    if keys_a & keys_b - {""}:
        return 95.0
    fuzzy_a, fuzzy_b = fuzzy_keys(a) or {fuzzy_pinyin(a)}, fuzzy_keys(b) or {fuzzy_pinyin(b)}
    if fuzzy_a & fuzzy_b - {""}:
        return 90.0
    from rapidfuzz.fuzz import ratio

    sound = max(ratio(x, y) for x in fuzzy_a for y in fuzzy_b)
    return float(0.85 * (0.7 * sound + 0.3 * ratio(a, b)))


def name_candidates(text: str) -> list[str]:
    """Pieces of the text that may be names, longest first: a surname with one or two characters (compound: up to four
    in all), and whole words of two to four characters, which may be a given name (志强) or a nickname (老杨头).

    >>> name_candidates("张桂兰血压152/94")
    ['张桂兰', '张桂']
    """
    found: dict[str, None] = {}
    for run in _HAN.findall(_NOT_NAMES.sub(" ", text)):
        if 2 <= len(run) <= 4:
            found[run] = None
        for i, char in enumerate(run):
            compound = run[i : i + 2] in COMPOUND_SURNAMES
            if compound or char in SURNAMES:
                for length in (4, 3, 2) if compound else (3, 2):
                    if i + length <= len(run):
                        found[run[i : i + length]] = None
    return sorted(found, key=len, reverse=True)
