"""Every rule, threshold, interval and setting on one page, for the clinician who has to approve them. 规则一览"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence

from handlers.campaigns import settings as campaigns
from handlers.decisions import FLAGS, Outcome, Protocol, RuleRow, explain
from models.county import COUNTY_SETTINGS

INTRODUCTION = """# 规则一览

本页由程序生成,列出判定所用的每一条规则。分类规则自上而下,第一条符合的决定分类;处置规则凡符合的都生效,
最紧急的为准,随访间隔取最短。临界值按对病人不利的一侧算。确定程度:`[S]` 见于文献,`[K]` 按规范知识,
`[D]` 设计决定,`AMBIG` 规范没有说清、由县里设置决定。紧急转诊后次日(24~48小时内)追问是否到达,两周是规范的最后期限。
"""


def page(protocols: Sequence[Protocol]) -> str:
    """The page as Markdown."""
    chapters = [_chapter(protocol) for protocol in protocols]
    return "\n".join([INTRODUCTION, *chapters, _campaigns(), _figures()])


def _campaigns() -> str:
    """Who is invited to the free screenings, and what the county settles about them."""
    tables = (f"### {title}\n\n{_table(heading, rows)}" for title, heading, rows in campaigns.chapter())
    return "\n".join(["## 免费筛查活动\n", *tables])


def _figures() -> str:
    """What the county decides about its figures."""
    cells = ((name, s.meaning, _shown(s.default), s.certainty) for name, s in COUNTY_SETTINGS.items())
    return "\n".join(["## 统计口径\n", "### 由县里决定的设置\n", _table(("名称", "含义", "默认", "确定程度"), cells)])


def _chapter(protocol: Protocol) -> str:
    rows = explain(protocol)
    decided = len(protocol.classify)
    acted = decided + len(protocol.act)
    classes, acts, unseen = rows[:decided], rows[decided:acted], rows[acted:]
    return "\n".join(
        [
            f"## {protocol.title}\n",
            f"来源:{protocol.source};版本 {protocol.version}\n",
            *_classes(protocol, classes),
            *_actions("处置(符合的都生效,最紧急的为准)", acts),
            *(_actions("没见到本人时(符合的都生效)", unseen) if unseen else []),
            "### 下次随访日期\n",
            inspect.getdoc(protocol.schedule) or "",
            *_signs(protocol),
            *_settings(protocol),
        ]
    )


def _classes(protocol: Protocol, rows: Sequence[RuleRow]) -> list[str]:
    if not rows:
        return []
    cells = ((row.id, row.because, _class(protocol, row), row.source, row.certainty) for row in rows)
    return ["### 分类(第一条符合的为准)\n", _table(("编号", "条件", "分类", "来源", "确定程度"), cells)]


def _actions(title: str, rows: Sequence[RuleRow]) -> list[str]:
    head = ("编号", "条件", "紧急程度", "多少天内再访", "转诊", "对医生说", "标记", "来源", "确定程度")
    cells = ((row.id, row.because, *_action(row.then), row.source, row.certainty) for row in rows)
    return [f"### {title}\n", _table(head, cells)]


def _signs(protocol: Protocol) -> list[str]:
    signs = "、".join(label for code, label in protocol.danger_signs.items() if code != "none")
    return ["\n### 危急征象(追问时逐项列出)\n", signs + "\n"] if signs else []


def _settings(protocol: Protocol) -> list[str]:
    if not protocol.settings:
        return []
    cells = ((name, s.meaning, _shown(s.default), s.certainty) for name, s in protocol.settings.items())
    return ["\n### 由县里决定的设置\n", _table(("名称", "含义", "默认", "确定程度"), cells)]


def _class(protocol: Protocol, row: RuleRow) -> str:
    code = row.then.classification
    return "不分类" if code is None else f"{code} {protocol.classifications[code]}"


def _action(then: Outcome) -> tuple[str, ...]:
    days = "" if then.next_days is None else str(then.next_days)
    flags = "、".join(FLAGS[flag] for flag in then.flags)
    return then.urgency.label, days, "是" if then.refer else "", then.say, flags


def _shown(default: object) -> str:
    if default is None or default == "":
        return "未设置(不启用)"
    if default in ((), [], {}):
        return "无"
    return {True: "是", False: "否"}[default] if isinstance(default, bool) else str(default)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    cells = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in cells) + "\n"
