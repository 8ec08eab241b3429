"""严重精神障碍患者个人信息补充表 (domain.md A3): filled in once, at the first visit; each field a tap or a word away."""

from __future__ import annotations

from typing import Any

from handlers.forms import common
from handlers.steps import Day, Known, Number, SelectOne, Step, Text


def at_the_first_visit(known: Known) -> bool:
    return not known.past()


def text(field: str, title: str, *words: str) -> Text:
    return Text(field=field, title=title, words=words, asked=False, longest=80, when=at_the_first_visit)


def one(field: str, title: str, *rows: tuple[Any, ...], words: tuple[str, ...] = ()) -> SelectOne:
    return common.coded(field, title, *rows, words=words, when=at_the_first_visit)


def day(field: str, title: str, *words: str) -> Day:
    return Day(field=field, title=title, words=words, bare=False, asked=False, when=at_the_first_visit)


SUPPLEMENT: tuple[Step, ...] = (
    day("consent_on", "知情同意日期", "签同意书日期"),
    text("guardian", "监护人", "监护人姓名"),
    text("guardian_relation", "与监护人关系"),
    one("household", "户别", (1, "城镇"), (2, "农村")),
    text("employment", "就业情况"),
    one(
        "diagnosis",
        "诊断",
        (1, "精神分裂症"),
        (2, "分裂情感性障碍"),
        (3, "偏执性精神病"),
        (4, "双相(情感)障碍", "双相障碍", "双相情感障碍", "躁郁症"),
        (5, "癫痫所致精神障碍"),
        (6, "精神发育迟滞伴发精神障碍"),
        (7, "其他(有伤人危险,精神卫生法30条)", "其他"),
        words=("确诊",),
    ),
    text("diagnosed_at", "确诊医院"),
    day("diagnosed_on", "确诊日期", "确诊时间"),
    day("first_onset_on", "初次发病时间", "发病时间", "初次发病"),
    text("past_symptoms", "既往主要症状"),
    one("past_confinement", "既往关锁情况", (1, "无关锁", "无"), (2, "关锁"), (3, "关锁已解除", "已解除")),
    text("past_outpatient", "既往门诊治疗"),
    Number(
        field="past_admissions", title="既往住院次数", words=("住过院",), unit="次", units={"次": 1}, possible=(0, 100), sure=(0, 40), alone=(),
        unit_needed=True, asked=False, when=at_the_first_visit,
    ),
    one("past_effect", "最近一次治疗效果", (1, "痊愈"), (2, "好转"), (3, "无变化"), (4, "加重")),
    text("economic_status", "经济状况"),
    text("specialist_opinion", "专科医生意见"),
)  # fmt: skip
