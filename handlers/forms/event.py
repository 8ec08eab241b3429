"""Steps of what is done for many people at once: where, how many, who came to help. 活动"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.steps import Answer, Found, Known, NotUnderstood, Number, Step, Text
from models.message import Choice

MOST = 20000  # people at one event; more is a slip of the finger
MANY, MANY_PAPERS = 1000, 5000  # rare at one event: asked once


@dataclass(frozen=True, kw_only=True, eq=False)
class Place(Step):
    """A village of one's own by name, or any other place in words. Stores `place`, and `village_id` when known."""

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, "village_id")

    def is_answered(self, answers: Mapping[str, Any]) -> bool:
        return self.field in answers

    def choices(self, known: Known) -> tuple[Choice, ...]:
        return tuple(Choice(f"{self.field}.{village_id}", name) for village_id, name in known.villages[:12])

    def choose(self, code: str, known: Known) -> Answer:
        for village_id, name in known.villages:
            if str(village_id) == code:
                return Answer({self.field: name, "village_id": village_id})
        raise NotUnderstood(self.question(known))

    def read(self, text: str, known: Known) -> Answer:
        found = next(self.find(text, known), None)
        if found:
            return found.answer
        said = text.strip()
        if not said or len(said) > 40 or said.isdigit():
            raise NotUnderstood(f"请写{self.title},例如 石桥村。")
        return Answer({self.field: said})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for village_id, name in sorted(known.villages, key=lambda v: -len(v[1])):
            short = re.escape(name.removesuffix("村") if len(name) > 2 else name)
            if match := re.search(rf"{re.escape(name)}|{short}{_NOT_NAMED_AFTER_IT}", line):
                yield Found(*match.span(), Answer({self.field: name, "village_id": village_id}))
                return
        if match := _NAMED_PLACE.search(line):
            yield Found(*match.span(), Answer({self.field: match[1]}), announced=True)
        elif match := _USUAL_PLACE.search(line):
            yield Found(*match.span(), Answer({self.field: match[1]}), at_last=True)


_NOT_NAMED_AFTER_IT = "(?!小学|中学|学校|村|镇|乡|路|街|河|山|水库|大桥|煤矿|卫生院)"  # 白龙小学 may stand elsewhere
_USUAL_PLACE = re.compile(
    r"(?:在|到)?(村部|村委会?|村?卫生室|村?文化广场|(?:[\u4e00-\u9fff]{1,4})?(?:敬老院|小学|中学|祠堂|礼堂|集市|活动室|活动中心))"
)
_NAMED_PLACE = re.compile(r"(?:地点|地址)\s*:?\s*([^\s,。;:\d\ue010]{2,20})")


def count(
    field: str, title: str, *words: str, asked: bool = False, optional: bool = False, unit: str = "人次"
) -> Number:
    """A count of people or things at the event."""
    units = {"人次": 1, "人": 1, "个人": 1, "个": 1, "份": 1, "例": 1, "次": 1, "本": 1, "张": 1, "场": 1, "户": 1}
    return Number(
        field=field, title=title, words=words, unit=unit, units=units, possible=(0, MOST), sure=(0, MANY_PAPERS if unit == "份" else MANY),
        asked=asked, optional=optional, alone=(),
    )  # fmt: skip


_WHO_CAME = {f"{who}{came}": 1 for who in ("人", "个人") for came in ("去了", "来了", "参加", "参加了", "到会", "听课")}


def attendances(title: str, *words: str, field: str = "attendances", optional: bool = False) -> Number:
    """How many came; 46人 by itself is enough, where no other word touches it."""
    return Number(
        field=field, title=title, words=words, unit="人次", units={"人次": 1, "人": 1, "个人": 1, "个": 1, **_WHO_CAME},
        possible=(0, MOST), sure=(0, MANY), optional=optional, apart=True, alone=("人次", "人", "个人", *_WHO_CAME),
    )  # fmt: skip


SUPPORTING_ORGANISATION = Text(
    field="supporting_organisation", title="支援单位", words=("支援单位", "支援", "协办", "对口帮扶单位"), asked=False,
    like=r"[^\s,。;\d\ue010]{1,16}?(?:院|卫生院|中心|疾控|卫健局)",
)  # fmt: skip
STAFF = Text(field="staff", title="参加人员", words=("参加人员", "参加医生", "医生", "专家"), asked=False)
TOPIC = Text(field="topic", title="主题", words=("主题", "题目", "内容"), asked=False, longest=80)
NOTE = Text(field="note", title="备注", words=("备注",), asked=False)
