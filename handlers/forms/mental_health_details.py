"""What a follow-up of a severe mental disorder assesses: danger, symptoms, insight, social function, behaviour, drugs (A3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.forms import common
from handlers.protocols import mental_health_class
from handlers.steps import Answer, Found, Known, Number, Option, SelectMany, SelectOne, context, options
from models.conversation import Doubt

LEVELS = tuple((n, f"{n}级 {words}", f"{n}级", f"~{n}") for n, words in mental_health_class.DANGER_LEVELS.items())


def answered_yes(field: str) -> Callable[[Known], bool]:
    return lambda known: known.answers.get(field) == 2


_ACTED = re.compile(r"[砸摔打踢烧](?:了|烂|坏|碎|伤|断|人)|动手打|拿刀|放火|追着打|要杀|扬言")


@dataclass(frozen=True, kw_only=True, eq=False)
class DangerLevel(SelectOne):
    """The norm's six levels, in its own words, which the question lists in full: a phone cuts long buttons short."""

    def question(self, known: Known) -> str:
        return "\n".join([self.ask, *(option.label for option in self.options)])

    def find(self, line: str, known: Known) -> Iterator[Found]:
        """What somebody did, told in words (把碗砸了), is never a level by itself: which one is asked."""
        told = False
        for found in super().find(line, known):
            told = True
            yield found
        for match in () if told or "mental_health" not in known.programmes else _ACTED.finditer(line):
            if context.denied(line, match.start()) is None:
                options = [(f"{option.code}级", {self.field: option.code}) for option in self.options[1:]]
                yield Found(*match.span(), Answer({}, Doubt(f"“{match[0]}”,危险性评估几级?", options)))
                return


DANGER_LEVEL = DangerLevel(
    field="danger_level",
    title="危险性评估",
    ask="上次随访以来最重的行为,评估几级?",
    words=("危险性", "危险性等级", "危险等级", "危险行为等级", "危险级别"),
    options=options(*LEVELS),
    bare=(),
)
SYMPTOMS = SelectMany(
    field="symptoms",
    title="目前表现",
    ask="目前有哪些表现?可以多选。",
    none_code=0,
    options=options(
        (0, "没有这些表现", *common.NO_SYMPTOMS[1:], "没有异常表现", "情绪稳定", "表现正常"),
        (1, "幻觉", "幻听", "幻视", "听到有人说话", "有人骂他"),
        (2, "交流困难", "答非所问", "说话没条理", "不跟人说话"),
        (3, "猜疑", "疑心", "多疑", "怀疑别人", "怀疑有人害他", "说有人害他"),
        (4, "喜怒无常", "又哭又笑", "情绪不稳", "发脾气"),
        (5, "行为怪异", "举止怪异", "动作怪"),
        (6, "兴奋话多", "话多", "兴奋", "话特别多"),
        (7, "伤人毁物", "打人", "砸东西", "摔东西", "打砸"),
        (8, "悲观厌世", "不想活", "厌世", "想死", "活着没意思"),
        (9, "无故外走", "乱跑", "往外跑", "到处跑", "乱走"),
        (10, "自语自笑", "自言自语", "自笑", "一个人笑"),
        (11, "孤僻懒散", "懒散", "不出门", "孤僻", "不爱动"),
        (12, "其他表现", "=其他"),
    ),
)
INSIGHT = SelectOne(
    field="insight",
    title="自知力",
    ask="自知力怎么样?(知道自己有病、愿意治是完全;一点不承认是缺失)",
    options=options(
        (1, "完全", "*自知力完全", "=知道自己有病"),
        (2, "不全", "*自知力不全", "部分", "部分存在", "自知力部分存在"),
        (3, "缺失", "*自知力缺失", "*没有自知力", "*无自知力", "*不承认有病"),
    ),
)

# --- social function: one question, or its five parts ---

_LEVELS = ((1, "良好", "好", "还好", "可以", "正常"), (2, "一般", "还行"), (3, "较差", "差", "不好", "很差"))


def part(field: str, title: str, *words: str, may_not_apply: bool = False) -> SelectOne:
    levels = (*_LEVELS, (9, "此项不适用", "不适用")) if may_not_apply else _LEVELS
    return common.coded(field, title, *levels, words=words)


SOCIAL_PARTS = (
    part("self_care", "个人生活料理", "生活料理", "生活自理", "自理"),
    part("housework", "家务劳动", "家务", "做家务"),
    part("work", "生产劳动及工作", "生产劳动", "工作", "劳动", "干活", may_not_apply=True),
    part("study", "学习能力", "学习"),
    part("social_contact", "社会人际交往", "人际交往", "社交", "交往"),
)


def worst_part(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Social function as a whole is its worst part, once that is known: one is poor, or all five were told."""
    told = [answers[step.field] for step in SOCIAL_PARTS if step.field in answers]
    levels = [level for level in told if level != 9]
    if levels and (max(levels) == mental_health_class.POOR or len(told) == len(SOCIAL_PARTS)):
        return {"social_function": max(levels)}
    return {}


SOCIAL_FUNCTION = SelectOne(
    field="social_function",
    title="社会功能",
    ask="生活料理、家务、劳动、学习、与人交往,总的怎么样?(按最差的一项选)",
    options=options(*_LEVELS),
    when=lambda known: not worst_part(known.answers, known),
    bare=(),
)

# --- what was done since the last visit, and how often ---

_TIMES = {1: "minor_trouble", 2: "trouble", 3: "disaster", 4: "other_harm", 5: "self_harm", 6: "suicide_attempt"}
_HOW_OFTEN = re.compile(r"\s*(?:了|过)?\s*(\d{1,3})\s*次")


@dataclass(frozen=True, kw_only=True, eq=False)
class Behaviours(SelectMany):
    """Several kinds; inside a line with how often (肇事2次)."""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        ends: dict[int, int] = {}
        times: dict[str, int] = {}
        for _, end, code in self._said(line):
            if code in _TIMES and (often := _HOW_OFTEN.match(line, end)):
                ends[end], times[f"{_TIMES[code]}_times"] = often.end(), int(often[1])
        for found in super().find(line, known):
            answer = (
                Answer({**found.answer.values, **times}, found.answer.doubt) if found.answer.values else found.answer
            )
            yield replace(found, end=ends.get(found.end, found.end), answer=answer)


BEHAVIOURS = Behaviours(
    field="dangerous_behaviours",
    title="危险行为",
    ask="上次随访以来,有过下面的行为吗?可以多选。",
    none_code=7,
    options=options(
        (
            7,
            "都没有",
            "~无",
            "~没有",
            "~没",
            "没有滋事",
            "无滋事",
            "无肇事肇祸",
            "没闹事",
            "无危险行为",
            "没有危险行为",
        ),
        (1, "轻度滋事", "滋事", "闹事"),
        (2, "肇事"),
        (3, "肇祸"),
        (4, "其他危害行为"),
        (5, "自伤", "自残", "割腕"),
        (6, "自杀未遂", "自杀"),
    ),
)


def how_often(code: int, name: str) -> Number:
    title = mental_health_class.BEHAVIOURS[code]
    return Number(
        field=f"{name}_times", title=f"{title}次数", ask=f"{title}有几次?说不清可以跳过。", unit="次", units={"次": 1},
        possible=(1, 200), sure=(1, 60), alone=(), optional=True,
        when=lambda known: code in (known.answers.get("dangerous_behaviours") or ()),
    )  # fmt: skip


BEHAVIOUR_TIMES = tuple(how_often(code, name) for code, name in _TIMES.items())


def _as(code: int, label: str, *more: str) -> Option:
    """An answer to the common question of taking drugs under this form's own label."""
    usual = common.ADHERENCE.option(code)
    assert usual is not None
    return replace(usual, label=label, words=(usual.label, *usual.words, *more))


ADHERENCE = SelectOne(
    field="adherence",
    title="用药依从性",
    ask="药按医嘱吃(打)吗?",
    words=("服药", "吃药", "用药", "依从性", "打针"),
    options=(
        _as(1, "按医嘱规律用药", "按时打针"),
        _as(2, "间断用药"),
        _as(3, "不用药"),
        Option(4, "医嘱勿需用药", ("医嘱无需用药", "医生说不用吃药", "不需要用药")),
    ),
    momentary=common.ADHERENCE.momentary,
)
