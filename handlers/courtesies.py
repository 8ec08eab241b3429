"""Thanks and greetings: answered, and never taken for a value. 客气话"""

from __future__ import annotations

import re

_PLEASANTRY = re.compile(
    r"(?:(?:谢谢|多谢|感谢|辛苦)[您你啦了哈]*|(?:您|你|大家)?好|在吗|(?:早上|上午|中午|下午|晚上)好|早|好的|好|嗯|收到|知道了|明白|再见|拜拜|ok)"
    r"[\s。.!!~哦呀啊]*",
    re.IGNORECASE,
)
_THANKED = re.compile(r"谢|辛苦|收到|知道了|明白|再见|拜拜|在吗|您好|你好")
_COURTESIES = re.compile(rf"(?:{_PLEASANTRY.pattern})+", re.IGNORECASE)


def is_thanks(text: str) -> bool:
    """Thanks, a greeting, 收到 and nothing else: no answer to any question. A plain 好 may be one."""
    words = [word for word in re.split(r"[\s,,。.!!~、]+", text) if word]
    return bool(_THANKED.search(text)) and all(_COURTESIES.fullmatch(word) for word in words)


def courtesy(text: str) -> str:
    """What is said back to one that stands alone; "" where the text is none."""
    if not _PLEASANTRY.fullmatch(text):
        return ""
    thanked = "谢" in text or "辛苦" in text
    return f"{'不客气。有随访就发一行' if thanked else '在的。要记什么发一行就行'},想看名单点“今日”。"
