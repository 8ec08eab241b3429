"""What holds for every line, however it is typed: it never fails, spelling and order do not matter, no number is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from handlers.menu import FORMS
from handlers.steps import Select
from handlers.turn import Turn
from models.seed import seed
from tests.databases import fresh_store
from tests.readings import NOW, TODAY, Reader, wide

OFTEN = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    with fresh_store() as store, store.write() as session:
        seed(session, TODAY, NOW, residents=60, doctors=1, history=False)
        yield Reader(session)


# Pieces of a line with what they say. Only what is said completely, so that every order must give the same.
PRESSURE = ("152/94", {"systolic": 152, "diastolic": 94})
PIECES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("心率78", {"heart_rate": 78}),
    ("体重61公斤", {"weight": 61}),
    ("腰围2尺7", {"waist": 90}),
    ("规律服药", {"adherence": 1}),
    ("头晕", {"symptoms": [2]}),
    ("上门", {"mode": 2}),
    ("抽烟10支", {"smoking_per_day": 10}),
    ("白酒二两", {"alcohol_per_day": 2}),
    ("摄盐中", {"salt": 2}),
    ("无不良反应", {"adverse_reaction": 1}),
    ("无并发症", {"new_complication": 1}),
    ("心理调整良好", {"mental_adjustment": 1}),
    ("遵医行为良好", {"compliance": 1}),
    ("氨氯地平5mg每日1次", {"medications": [{"name": "氨氯地平", "dose": 5, "unit": "mg", "times": 1}]}),
    ("身高155cm", {"height": 155}),
    ("下次12月20号", {"next_due_on": "2026-12-20"}),
    ("前天", {"on": "2026-11-20"}),
)
some_pieces = st.lists(st.sampled_from(PIECES), max_size=6, unique_by=lambda piece: piece[0])
WORDS = (
    "张桂兰 王建国 龙老四 老杨头 zgl 血压 空腹 高压 低压 心率 体重 152/94 7.2 一百五 十几 左右 上次 今天 昨天 11月8号 义诊 签约 建档 石桥村 46人 "
    "规律服药 没吃药 头晕 无 没有 不 3组 67 67岁 公斤 斤 两 尺 、 , 。 : / \n ( ) 1 2 % 😀 ? 老公 他 高血压随访 姓名: 分钟 每日 mg HI 几 半 千 万 零"
).split(" ")


EVERY_WORD = sorted(
    {word for form in FORMS.values() for word in form.words}
    | {word for form in FORMS.values() for step in form.steps for word in step.spoken}
    | {
        word
        for form in FORMS.values()
        for step in form.steps
        if isinstance(step, Select)
        for option in step.options
        for word in (option.label, *option.words, *option.apart)
    }
)
NAMES = ("张桂兰", "龙老四", "黄阿贵", "吴念念", "周小燕", "周宝宝", "罗丽", "赵丽华", "")


def read(reader: Reader, text: str) -> list[tuple[str, int | None, dict[str, Any], list[str]]]:
    """The drafts of a message, to be compared."""
    drafts = reader.hear(text).conversation.drafts
    return [(d.service, d.resident_id, d.answers, sorted(d.doubts)) for d in drafts]


@OFTEN
@given(st.one_of(st.text(max_size=120), st.lists(st.sampled_from(WORDS), max_size=14).map("".join),
                 st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)))  # fmt: skip
def test_no_text_fails(reader: Reader, text: str) -> None:
    turn = reader.hear(text)
    assert turn.replies, "somebody who writes is always answered"


@OFTEN
@given(
    st.sampled_from(NAMES),
    st.lists(st.one_of(st.sampled_from(EVERY_WORD), st.sampled_from(WORDS), st.integers(0, 400).map(str)), max_size=9),
    st.sampled_from(("", " ", ",")),
)
def test_no_word_of_any_form_fails(reader: Reader, name: str, words: list[str], between: str) -> None:
    """Whatever is read can be shown in the recap and named in the export."""
    turn = reader.hear(between.join([name, *words]))
    assert turn.replies
    for draft in turn.conversation.drafts:
        form = FORMS[draft.service]
        for step in form.steps:
            assert not step.is_answered(draft.answers) or step.show(draft.answers) is not None
        form.labels(draft.answers)


@OFTEN
@given(some_pieces, st.sampled_from((" ", ",", "，")), st.integers(0, 6))
@example([PIECES[0]], ",", 1)
def test_width_of_signs_does_not_matter(
    reader: Reader, pieces: list[tuple[str, dict[str, Any]]], between: str, at: int
) -> None:
    said = [PRESSURE[0], *(text for text, _ in pieces)]
    said.insert(at, "张桂兰")
    line = between.join(said)
    assert read(reader, wide(line)) == read(reader, line)


@OFTEN
@given(some_pieces.flatmap(lambda pieces: st.permutations([PRESSURE, *pieces])), st.integers(0, 7))
def test_order_does_not_matter(reader: Reader, pieces: Sequence[tuple[str, Mapping[str, Any]]], at: int) -> None:
    said = [text for text, _ in pieces]
    said.insert(at, "张桂兰")
    expected = {name: value for _, values in pieces for name, value in values.items()}
    (draft,) = reader.hear(" ".join(said)).conversation.drafts
    assert draft.service == "hypertension_follow_up"
    assert {"on": TODAY.isoformat(), **expected} == draft.answers
    assert not draft.doubts


COUNTED = (
    "",
    "里路",
    "盒药",
    "粒",
    "块钱",
    "小时",
    "包",
    "人",
    "℃",
    "%",
    "层楼",
    "次",
    "天",
    "个月",
    "米",
    "号床",
    "袋",
    "岁的孙子",
)
BEFORE = (
    "",
    " ",
    "血红蛋白",
    "化验",
    "R",
    "体温",
    "有",
    "给了",
    "心脏",
    "x",
    "走了",
    "门牌",
    "第",
    "血压",
    "心率",
    "空腹",
    "体重",
    "编号",
)


@OFTEN
@given(
    st.integers(2, 999).filter(lambda n: n not in (2, 67, 152, 94)), st.sampled_from(BEFORE), st.sampled_from(COUNTED),
    st.booleans(), some_pieces,
)  # fmt: skip
def test_no_number_is_lost(
    reader: Reader, number: int, before: str, after: str, apart: bool, pieces: list[tuple[str, dict[str, Any]]]
) -> None:
    """It is an answer, or asked, or said back; a file number and the words of a date or hour explain it."""
    gap = " " if apart else ""
    line = " ".join(["张桂兰", PRESSURE[0], f"{before}{number}{gap}{after}", *(text for text, _ in pieces)])
    turn = reader.hear(line)
    assert before == "编号" or re.search(rf"(?<!\d){number}(?!\d)", _everything_said(turn)), line


def _everything_said(turn: Turn) -> str:
    """Answers, doubts and replies in one text."""
    drafts = turn.conversation.drafts
    doubts = [doubt for draft in drafts for doubt in draft.doubts.values()]
    values = [f"{v:g}" if isinstance(v, float) else str(v) for draft in drafts for v in draft.answers.values()]
    return " ".join([*values, *(f"{d.ask} {d.options}" for d in doubts), *(reply.text for reply in turn.replies)])
