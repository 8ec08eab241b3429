"""Short replies: yes, leave it out, or one of the choices that were offered."""

from __future__ import annotations

from collections.abc import Sequence

from models.message import Choice, show_names

YES = frozenset(
    ["提交", "确认", "确定", "对", "对的", "是", "是的", "好", "好的", "没错", "正确", "ok", "可以", "行", "嗯"]
)
SUBMITS = frozenset(["提交", "确认提交"])  # never an answer to anything else
SKIPS = frozenset(["跳过", "没有", "不知道", "不清楚", "没测", "未测", "略", "无", "没量"])


def match_choice(choices: Sequence[Choice], text: str) -> str | None:
    """A choice by its label, with or without its emoji, or by the number that the channel showed for it."""
    said = text.strip().lower()
    for position, choice in enumerate(choices, 1):
        label = show_names(choice.label, abroad=False).lower()
        if said in (label, label.split(" ", 1)[-1], choice.id) and said:
            return choice.id
        if choice.id.startswith(("r.", "o.", "edit.", "drop.")) and said == (choice.number or str(position)):
            return choice.id
    return None
