"""签约服务: evidence that something promised was given — which item, when, by whom, how the resident confirmed it (domain.md D 履约)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from handlers.decisions import Decision
from handlers.form import Form, day_of
from handlers.forms.common import MODE
from handlers.forms.event import NOTE
from handlers.steps import Day, Known, SelectMany, SelectOne, Text, options
from handlers.turn import Turn
from models.agreements import Standing
from models.conversation import Doubt
from models.fulfilment import ITEMS, MARK, Promise
from models.message import Choice
from models.record import Record

UNDER = 1
"""Of `agreement`: given under an agreement; 0: recorded without one, and counted for none."""


def holding(known: Known) -> list[Standing]:
    """The agreements that hold on the day that is told of."""
    return [a for a in known.agreements() if a.holds_on(day_of(known.answers, known.today))]


@dataclass(frozen=True, kw_only=True, eq=False)
class Promised(SelectMany):
    """The items that may be confirmed; offered are those the resident's own packages promise, where there are any."""

    def choices(self, known: Known) -> tuple[Choice, ...]:
        promise = Promise.of(known.settings)
        wanted = {code for a in holding(known) for code in promise.items(a.packages, a.groups, 1)}
        own = tuple(c for c in super().choices(known) if c.id.removeprefix(f"{self.field}.") in wanted)
        return own or super().choices(known)


SERVED = Promised(
    field="items",
    title="服务项目",
    ask="做了哪些约定的服务?可以多选。",
    words=("项目",),
    none_code="",
    options=options(*((item.code, item.title, *item.words) for item in ITEMS.values())),
)
CONFIRMED = SelectOne(
    field="confirmed_by",
    title="居民确认",
    ask="居民怎么确认的?",
    words=("确认",),
    options=options(
        (1, "签字", "按手印", "签了字", "已签字"), (2, "录音", "语音", "语音确认"), (3, "电话核实", "电话确认"), (4, "照片", "拍了照", "拍照"), (9, "还没确认", "没确认", "未确认")
    ),
)  # fmt: skip
MODE_UNASKED = replace(MODE, asked=False, same_as=MODE)
PROVIDER = Text(field="provider", title="服务人员", words=("服务人员", "服务人", "团队成员"), asked=False, longest=40)


def check(known: Known) -> Doubt | None:
    """Without an agreement that holds there is nothing to fulfil."""
    if holding(known) or "agreement" in known.answers:
        return None
    day = day_of(known.answers, known.today)
    return Doubt(f"{day}居民没有有效的签约协议,这次服务不计履约。", [("照样记下", {"agreement": 0})])


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    return {"agreement": UNDER} if holding(known) else {}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Each item confirmed under an agreement is evidence."""
    under = answers.get("agreement") == UNDER
    return [f"{MARK}{code}" for code in answers.get("items", ())] if under else []


def finish(turn: Turn, record: Record) -> None:
    """The records that the items rest on are named, so that whoever checks finds them."""
    assert record.resident_id is not None
    services = {service: code for code in record.answers["items"] for service in ITEMS[code].services}
    found = turn.session.query(Record.id, Record.service).filter(
        Record.resident_id == record.resident_id, Record.service.in_(services), Record.on == record.on, Record.status == "current"
    )  # fmt: skip
    evidence = {services[service]: record_id for record_id, service in found.order_by(Record.id)}
    if evidence:
        record.answers = {**record.answers, "evidence": evidence}


form = Form(
    code="signing_service",
    title="签约服务",
    about="resident",
    words=("履约", "签约服务", "履行协议", "履约服务"),
    shows=("items",),
    steps=(
        Day(field="on", title="服务日期", words=("日期", "服务日期"), asked=False),
        SERVED,
        CONFIRMED,
        MODE_UNASKED,
        PROVIDER,
        NOTE,
    ),
    check=check,
    derive=derive,
    marks=marks,
    finish=finish,
)
