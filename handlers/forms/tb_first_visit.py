"""肺结核患者第一次入户随访: within 72 hours of the notice (domain.md A4, M-26). Discreet: no first line names it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.tb_knowledge import KNOWS
from handlers.forms.tb_steps import DANGER, DOSAGE_FORMS, REGIMEN, REGIMEN_USE, SUPERVISOR, SYMPTOMS
from handlers.protocols import tb_first_visit
from handlers.protocols.tb_first_visit import DAYS
from handlers.steps import Day, Known, Number, SelectOne, Text, options
from models.conversation import Doubt

_clinic, _home, _telephone = common.MODE.options

MODE = SelectOne(field="mode", title="随访方式", ask="这次是怎么见到病人的?", words=("方式",), options=(_clinic, _home))
NOTIFIED_ON = Day(
    field="notified_on", title="收到管理通知单日期", ask="哪天收到管理通知单的?", words=("通知单", "收到通知", "管理通知单", "接到通知"),
    after=("收到通知单", "收到管理通知单", "接到通知", "收到通知", "来的通知单"), bare=False,
    when=lambda known: "notified_on" not in known.details or "notified_on" in known.answers,
)  # fmt: skip
NOTIFIED_HOUR = Number(
    field="notified_hour", title="收到通知的钟点", words=("收到通知钟点",), unit="点", units={"点": 1, "时": 1}, possible=(0, 24), alone=(),
    asked=False,
)  # fmt: skip
VISITED_HOUR = Number(
    field="visited_hour", title="入户的钟点", ask="通知单是有钟点的,第三天了:这次是几点到的?(24小时制)", unit="点", units={"点": 1, "时": 1},
    possible=(0, 24), alone=(), optional=True, when=lambda known: on_the_last_day(known),
)  # fmt: skip
PATIENT_TYPE = SelectOne(
    field="patient_type",
    title="患者类型",
    ask="初治还是复治?",
    options=options((1, "初治", "初治病人"), (2, "复治", "复治病人")),
)
SPUTUM = SelectOne(
    field="sputum",
    title="痰菌",
    ask="痰菌检查结果?",
    words=("痰检", "痰涂片", "查痰"),
    options=options(
        (1, "阳性", "*痰菌阳性", "*涂阳"),
        (2, "阴性", "*痰菌阴性", "*涂阴"),
        (3, "未查痰", "*未查痰", "*没查痰", "未查"),
    ),
)
RESISTANCE = SelectOne(
    field="resistance",
    title="耐药情况",
    ask="耐药吗?",
    words=("耐药",),
    options=options(
        (1, "耐药", "~是", "*耐多药"),
        (2, "非耐药", "*非耐药", "*不耐药", "~不", "敏感"),
        (3, "未检测", "*没测耐药", "*没做耐药", "*没查耐药", "*耐药没做", "*耐药没查", "~没测", "~没查"),
    ),
)
SIGNS = Text(field="other_signs", title="体征", words=("体征",), asked=False)
SINGLE_ROOM = SelectOne(
    field="single_room",
    title="单独的居室",
    ask="病人有单独的居室吗?",
    words=("单独居室", "单独房间"),
    options=options(
        (1, "有", "*单独住", "*一个人住一间", "*单独一间", "*单独一间房", "单独1间房", "*自己一间房", "*有单独的居室"),
        (2, "无", "没有", "~没", "*没有单独的居室", "*和家人同住一间"),
    ),
)
VENTILATION = SelectOne(
    field="ventilation",
    title="通风情况",
    ask="房间通风怎么样?",
    words=("通风",),
    options=options((1, "良好", "好", "*通风好"), (2, "一般"), (3, "差", "不好", "*通风差", "*不通风")),
)
STARTED_ON = Day(
    field="treatment_started_on", title="开始治疗日期", ask="哪天开始吃药治疗的?照治疗记录卡;不知道可以跳过。", words=("开始治疗", "治疗开始", "开始服药"),
    after=("开始治疗", "开始吃药", "开始服药"), bare=False, optional=True,
)  # fmt: skip
PICKUP_PLACE = Text(field="pickup_place", title="取药地点", words=("取药地点", "在哪取药"), asked=False, longest=60)
PICKUP_ON = Day(
    field="pickup_on",
    title="取药时间",
    words=("取药时间", "取药"),
    after=("取药",),
    either_way=True,
    bare=False,
    asked=False,
)
NOTE = Text(field="note", title="备注", words=("备注",), asked=False)


def on_the_last_day(known: Known) -> bool:
    """The hour decides only where the notice has one, on the third day after it."""
    told = {**known.details, **known.answers}
    if "notified_hour" not in told or "notified_on" not in told:
        return False
    return (known.on - date.fromisoformat(told["notified_on"])).days == DAYS


def check(known: Known) -> Doubt | None:
    """Nobody is visited for a notice that has not come, or treated from a day that has not."""
    notified = known.answers.get("notified_on")
    if notified and date.fromisoformat(notified) > known.on:
        return Doubt(
            f"通知单是{notified}收到的,晚于随访日期{known.on},请再写一次通知单的日期,例如“通知单11月20号”。", []
        )
    return None


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    return ["person.tb_visited"]


KEPT = (
    "notified_on", "notified_hour", "patient_type", "sputum", "resistance", "regimen", "regimen_use", "dosage_forms", "supervisor",
    "treatment_started_on",
)  # fmt: skip


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """Then the follow-ups, at the interval of the supervisor and the phase."""
    return common.keeping(answers, decision, KEPT, service="tb_follow_up")


form = Form(
    code="tb_first_visit",
    title="肺结核首次入户随访",
    about="resident",
    words=(
        "肺结核首次入户",
        "肺结核第一次入户",
        "首次入户随访",
        "第一次入户随访",
        "首次入户",
        "结核首次",
        "肺结核首次",
        "首次 方案",
        "首次方案",
        "管理通知单",
    ),
    shows=("symptoms", "supervisor"),
    programme="tb",
    protocol=tb_first_visit.protocol,
    steps=(
        common.ON,
        *ABSENCE,
        NOTIFIED_ON,
        NOTIFIED_HOUR,
        VISITED_HOUR,
        MODE,
        PATIENT_TYPE,
        SPUTUM,
        RESISTANCE,
        SYMPTOMS,
        DANGER,
        REGIMEN,
        REGIMEN_USE,
        DOSAGE_FORMS,
        SUPERVISOR,
        STARTED_ON,
        SINGLE_ROOM,
        VENTILATION,
        KNOWS,
        SIGNS,
        common.TEMPERATURE,
        common.SMOKING,
        common.ALCOHOL,
        PICKUP_PLACE,
        PICKUP_ON,
        NOTE,
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    check=check,
    derive=lambda answers, known: common.remembered(answers, known, ("notified_on", "notified_hour")),
    marks=marks,
    owes=owes,
    enrols="always",
)
