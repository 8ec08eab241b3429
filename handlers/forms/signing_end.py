"""解约: an agreement is ended before its time, with the reason; its row stays (domain.md D)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.form import Form, day_of
from handlers.forms.event import NOTE
from handlers.forms.signing import package_words
from handlers.forms.signing_service import holding
from handlers.steps import Day, Known, SelectOne, options
from handlers.turn import Turn
from models.agreements import end
from models.conversation import Doubt
from models.record import Record

REASON = SelectOne(
    field="end_reason",
    title="解约原因",
    ask="为什么解约?",
    words=("原因",),
    options=options(
        (1, "死亡", "去世", "过世", "病故"),
        (2, "迁出", "搬走", "搬家", "迁走", "外迁"),
        (3, "本人意愿", "本人要求", "自己不签了", "不想签", "不愿意", "不签了"),
        (4, "换医生", "换了医生", "另选医生", "找别的医生"),
        (5, "其他", "=其他"),
    ),
)


def check(known: Known) -> Doubt | None:
    """There must be one to end; of several the doctor says which."""
    rows, day = holding(known), day_of(known.answers, known.today)
    if not rows:
        return Doubt(f"{day}没有有效的签约协议,不用解约。日期不对请重新写日期;不记了发“取消”。", [])
    if len(rows) == 1 or "agreements" in known.answers:
        return None
    each = [(f"{package_words(a.packages)} 到{a.last_on}({a.doctor})", {"agreements": [a.id]}) for a in rows]
    return Doubt("有几份有效的协议,解哪一份?", [*each, ("全部解约", {"agreements": [a.id for a in rows]})])


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    rows = holding(known)
    return {"agreements": [a.id for a in rows]} if "agreements" not in answers and rows else {}


def finish(turn: Turn, record: Record) -> None:
    """The agreement holds up to this day; a death or a move has to be told on a visit as well."""
    rows = end(turn.session, record.answers["agreements"], record.on, record.answers["end_reason"], record.id)
    numbers = "、".join(row.number or "" for row in rows)
    if record.answers["end_reason"] in (1, 2):
        turn.say(f"协议{numbers}已解约。居民去世或迁出的,请再发一行登记,例如:姓名 去世了 11月8号。")


form = Form(
    code="signing_end",
    title="解约",
    about="resident",
    words=("解约", "退签", "终止协议", "解除协议", "终止签约", "解除签约", "不再签", "取消签约"),
    shows=("end_reason",),
    steps=(Day(field="on", title="解约日期", words=("日期", "解约日期"), asked=False), REASON, NOTE),
    check=check,
    derive=derive,
    finish=finish,
)
