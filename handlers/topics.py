"""Which figures are asked for: those whose titles, or whose chapter, contain what was said. 指标"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from models.indicators import BY_CODE

SHORTEST = 2
TOO_COMMON = frozenset(
    ("人数", "人次", "管理", "健康", "服务", "检查", "记录", "患者", "年度", "居民", "家庭", "医生", "管理人数")
)
"""Parts of titles that alone ask for nothing in particular."""
ALSO_SAID = (("老人", "老年人"), ("孕妇", "孕产妇"), ("产妇", "孕产妇"), ("疫苗", "接种"), ("建档率", "档案建档率"))
_HAN = re.compile(r"[\u4e00-\u9fff]+")


def find_topics(said: str) -> tuple[tuple[str, ...], str]:
    """The longest parts of titles within the words, and what is left of them.

    >>> find_topics("高血压规范管理率")[0]
    ('高血压规范管理率',)
    """
    for word, meant in ALSO_SAID:
        said = re.sub(rf"(?<!{meant.removesuffix(word)}){word}" if meant.endswith(word) else word, meant, said)
    found: list[str] = []
    while part := max(_parts(said), key=len, default=""):
        found.append(part)
        said = said.replace(part, " ")
    return tuple(found), said.strip()


def is_about(code: str, topics: Sequence[str]) -> bool:
    """高血压 控制率 means the one that contains both; 高血压 糖尿病 those that contain either."""
    return _fits(code, topics) == max(_fits(other, topics) for other in BY_CODE)


def names_a_figure(topics: Sequence[str]) -> bool:
    """血压 alone is a part of 高血压, and asks after nothing: a title begins with it, or it is long enough to be meant."""
    return any(
        len(topic) > SHORTEST or any(word.startswith(topic) for word in _words(code).split("\n"))
        for topic in topics
        for code in BY_CODE
    )


def _fits(code: str, topics: Sequence[str]) -> int:
    return sum(topic in _words(code) for topic in topics)


def _parts(said: str) -> list[str]:
    """Whatever stands in the words and in a title, too."""
    found = []
    for run in _HAN.findall(said):
        for start in range(len(run)):
            for end in range(len(run), start + SHORTEST - 1, -1):
                if run[start:end] not in TOO_COMMON and any(run[start:end] in _words(code) for code in BY_CODE):
                    found.append(run[start:end])
                    break
    return found


@cache
def _words(code: str) -> str:
    return f"{BY_CODE[code].chapter}\n{BY_CODE[code].title}"
