"""What became of a message, and why, in words for a supervisor. 送达的说法"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from models.deliveries import Counted

OUTCOMES = {"sent": "已送", "later": "没到时间", "waiting": "正在送", "failed": "没送到", "cancelled": "取消"}
WHY: Sequence[tuple[str, str]] = (
    ("its window passed", "过了时间,并到下一次说"),
    ("turned off by the worker", "本人关掉了这类提醒"),
    ("told as it stands now", "内容有变,另发了新的"),
    (r"(?:.*\b)?(?:withdrawn|corrected|changed)\b", "记录已撤销或改过"),
    (r"(?:.*\b)?(?:died|moved)\b", "居民已死亡或迁出"),
    (r"(?:.*\b)?(?:campaign|plan|stopped|launched)\b", "活动或计划有变"),
    ("no account bound", "没有绑定账号"),
    ("unreachable|RecipientUnreachable", "停用或拉黑了机器人"),
    ("MessageRejected", "平台不收这条消息"),
    ("gave up", "试了一整天都没送到"),
    ("could not be rendered", "程序出错,已记日志"),
    ("RateLimited", "平台要求慢一点"),
    ("ChannelUnavailable", "平台连不上,还在试"),
    ("ChannelMisconfigured", "渠道设置有错,等管理员处理"),
)
OTHERWISE = {"cancelled": "已经办完或不用再说", "failed": "没送到", "waiting": ""}


def why(outcome: str, reason: str) -> str:
    """A stored reason in the supervisor's language; never what a platform or a program said word for word."""
    for pattern, words in WHY:
        if reason and re.match(pattern, reason):
            return words
    return OTHERWISE.get(outcome, "")


def tally(found: Sequence[Counted]) -> str:
    """应发12条:已送11,取消1(过了时间,并到下一次说)."""
    parts = []
    for outcome, title in OUTCOMES.items():
        same = [one for one in found if one.outcome == outcome]
        if number := sum(one.count for one in same):
            parts.append(f"{title}{number}{_reasons(same)}")
    return f"应发{sum(one.count for one in found)}条:{','.join(parts)}"


def _reasons(found: Sequence[Counted]) -> str:
    counts: dict[str, int] = {}
    for one in found:
        if words := why(one.outcome, one.reason):
            counts[words] = counts.get(words, 0) + one.count
    if len(counts) < 2:
        return f"({next(iter(counts))})" if counts else ""
    return f"({'、'.join(f'{words}{number}' for words, number in _most_first(counts))})"


def _most_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: -item[1])
