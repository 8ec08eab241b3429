"""义诊: one event and what was done there. The counts do not nest: more people may be examined than attended (domain.md E)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from handlers.form import Form
from handlers.steps import Answer, Day, Found, Known, NotUnderstood, Number, Step, Text
from models.message import Choice

MOST = 20000  # people at one event; more is a slip of the finger


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
            raise NotUnderstood("请写义诊地点,例如 石桥村。")
        return Answer({self.field: said})

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for village_id, name in sorted(known.villages, key=lambda v: -len(v[1])):
            for said in (name, name.removesuffix("村") if len(name) > 2 else name):
                if (start := line.find(said)) >= 0:
                    yield Found(start, start + len(said), Answer({self.field: name, "village_id": village_id}))
                    return
        if match := _NAMED_PLACE.search(line):
            yield Found(*match.span(), Answer({self.field: match[1]}), announced=True)


_NAMED_PLACE = re.compile(r"(?:地点|地址)\s*:?\s*([^\s,。;:\d\ue010]{2,20})")


def count(
    field: str, title: str, *words: str, asked: bool = False, optional: bool = False, unit: str = "人次"
) -> Number:
    """A count of people or things at the event."""
    units = {"人次": 1, "人": 1, "个人": 1, "个": 1, "份": 1, "例": 1, "次": 1, "本": 1, "张": 1, "场": 1, "户": 1}
    return Number(
        field=field, title=title, words=words, unit=unit, units=units, possible=(0, MOST),
        asked=asked, optional=optional, alone=(),
    )  # fmt: skip


ATTENDANCES = Number(
    field="attendances", title="义诊人次", ask="来了多少人次?",
    words=("来了", "来", "接诊", "到场", "义诊", "服务", "看了", "参加", "人数", "人次", "共", "一共", "总共", "接待", "群众", "惠及", "服务群众"),
    unit="人次", units={"人次": 1, "人": 1, "个人": 1, "个": 1}, possible=(0, MOST), usual=(1, 500), apart=True,
)  # fmt: skip

form = Form(
    code="outreach_clinic",
    title="义诊",
    about="event",
    words=("义诊",),
    steps=(
        Day(field="on", title="义诊日期", words=("日期",), asked=False),
        Place(field="place", title="义诊地点", ask="在哪里义诊?", words=("地点",)),
        ATTENDANCES,
        count("people", "义诊人数(去重)", "实际人数", "实际", "去重", unit="人"),
        count("physical_checks", "体检", "免费体检", "体检了", "做体检", asked=True, optional=True),
        count("blood_pressure_checks", "测血压", "量血压", "血压", "量了血压", "测了血压"),
        count("glucose_checks", "测血糖", "血糖", "测了血糖", "查血糖"),
        count("publicity_contacts", "面对面宣传", "宣传", "宣传了", "健康宣教", "宣教", asked=True, optional=True),
        count(
            "leaflets",
            "资料",
            "发资料",
            "发了资料",
            "健康资料",
            "发放资料",
            "宣传资料",
            "传单",
            "单子",
            "宣传单",
            unit="份",
        ),
        count("lectures", "讲座", unit="场"),
        count("agreements", "签约", "签协议", "签了", "家医签约", asked=True, optional=True, unit="份"),
        count("records_built", "建档", unit="份"),
        count("follow_ups", "随访"),
        count("consultations", "咨询"),
        count("abnormal_findings", "发现异常", "异常", "查出异常", unit="人"),
        count("referrals", "当场转诊", "转诊", unit="人"),
        Text(field="topic", title="义诊主题", words=("主题",), asked=False),
        Text(field="supporting_organisation", title="支援单位", words=("支援单位", "支援", "协办"), asked=False),
        Text(field="staff", title="参加人员", words=("参加人员", "参加医生"), asked=False),
        Text(field="note", title="备注", words=("备注",), asked=False),
    ),
    counts={
        "attendances": "outreach_attendances",
        "people": "outreach_people",
        "physical_checks": "physical_checks",
        "blood_pressure_checks": "outreach_blood_pressure_checks",
        "glucose_checks": "outreach_glucose_checks",
        "publicity_contacts": "publicity_contacts",
        "leaflets": "leaflets",
        "agreements": "outreach_agreements",
        "records_built": "outreach_records",
        "follow_ups": "outreach_follow_ups",
        "referrals": "outreach_referrals",
    },
)
