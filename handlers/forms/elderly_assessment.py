"""What is asked of how an elderly person lives and feels: self-care, self-rating, memory and mood (domain.md A6). 自理能力评估"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.protocols import elderly
from handlers.steps import Known, Number, SelectOne, options

ALL_BY_HIMSELF, SOME_HELP = 1, 2
SELF_CARE_ALL = SelectOne(
    field="self_care_all",
    title="生活自理",
    ask="吃饭、梳洗、穿衣、上厕所、走动,五样都能自己做吗?",
    options=options(
        (ALL_BY_HIMSELF, "都能自己做", "自理没问题", "自理都好", "自己能照顾自己", "生活自理", "生活能自理", "能自理", "完全自理", "可自理", "都能自理", "~都能", "~能"),
        (SOME_HELP, "有的要人帮", "要人照顾", "不能自理", "生活不能自理", "部分自理", "半自理", "~不能", "~有的不能"),
    ),
)  # fmt: skip


def _needs_help(known: Known) -> bool:
    return known.answers.get("self_care_all") == SOME_HELP


def _item(field: str, title: str, ask: str, *rows: tuple[Any, ...]) -> SelectOne:
    """One of the five: asked in words, scored by us. Its options count only as a reply."""
    return SelectOne(field=field, title=title, ask=ask, options=options(*rows), when=_needs_help, bare=())


SELF_CARE = (
    _item("self_care_meals", "进餐", "吃饭:饭菜到嘴边、咀嚼、吞咽?", (1, "自己能吃"), (3, "要帮忙切碎、拌好"), (4, "完全要人喂")),
    _item(
        "self_care_washing", "梳洗", "梳头、洗脸、刷牙、洗澡?",
        (1, "都能自己做"), (2, "只有洗澡要帮忙"), (3, "有人帮能做一部分"), (4, "完全要人帮"),
    ),
    _item("self_care_dressing", "穿衣", "穿衣、袜、鞋?", (1, "自己能穿"), (3, "有人帮能穿一部分"), (4, "完全要人帮")),
    _item(
        "self_care_toilet", "如厕", "大小便和自控?",
        (1, "不要帮忙,能自控"), (2, "偶尔失禁,基本能自己上"), (3, "经常失禁,提醒和帮忙才行"), (4, "完全失禁,完全要人帮"),
    ),
    _item(
        "self_care_moving", "活动", "站立、室内走、上下楼、室外活动?",
        (1, "都能自己做"), (2, "拄拐或扶一下能做"), (3, "要人使劲扶,不能上下楼"), (4, "卧床不起"),
    ),
)  # fmt: skip
SELF_RATED = SelectOne(
    field="self_rated_health",
    title="健康状态自评",
    ask="老人自己觉得身体怎么样?",
    words=("自评",),
    options=options(
        (1, "满意", "~很好", "~好"),
        (2, "基本满意", "~还好", "~还可以", "~还行", "~可以"),
        (3, "说不清楚", "~说不清", "~不知道", "~一般"),
        (4, "不太满意", "~不太好", "~不怎么好"),
        (5, "不满意", "~不好", "~很差", "~差"),
    ),
    bare=(),
)
_SCREEN = ((1, "粗筛阴性", "阴性", "正常"), (2, "粗筛阳性", "阳性", "异常"))
COGNITION = SelectOne(
    field="cognition",
    title="认知粗筛",
    ask="认知粗筛:记三样东西、一分钟后能复述吗?能复述选阴性,没做可以跳过。",
    words=("认知功能", "认知"),
    options=options(*_SCREEN),
    optional=True,
    bare=(),
)
COGNITION_SCORE = Number(
    field="cognition_score", title="智力状态检查总分", words=("智力状态检查", "MMSE"), unit="分", units={"分": 1}, possible=(0, 30), alone=(), asked=False
)  # fmt: skip
MOOD = SelectOne(
    field="mood",
    title="情感粗筛",
    ask="情感粗筛:常觉得伤心、忧郁吗?不觉得选阴性,没问可以跳过。",
    words=("情感状态", "情感"),
    options=options(*_SCREEN),
    optional=True,
    bare=(),
)
MOOD_SCORE = Number(
    field="mood_score", title="抑郁评分", words=("老年抑郁评分", "抑郁量表"), unit="分", units={"分": 1}, possible=(0, 30), alone=(), asked=False
)  # fmt: skip
SELF_HARM = SelectOne(
    field="self_harm_thought",
    title="不想活的念头",
    ask="有没有不想活的念头?",
    options=options((1, "没有", "~无", "~没"), (2, "有", "*不想活", "*想死")),
    when=lambda known: known.answers.get("mood") == 2,
)


def self_care_words(answers: Mapping[str, Any]) -> list[str]:
    """'生活自理能力:可自理(2分)' for the recap."""
    if "self_care_score" not in answers:
        return []
    return [f"自理能力评估:{elderly.BAND_WORDS[answers['self_care']]}({answers['self_care_score']}分)"]
