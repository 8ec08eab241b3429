"""预约: what a resident asked for and the doctor took down, with a reminder on the day (domain.md F4: 预约诊疗、上门服务)."""

from __future__ import annotations

from datetime import date

from handlers.form import Form
from handlers.forms import common
from handlers.forms.event import NOTE
from handlers.steps import Day, SelectOne, Text, options
from handlers.turn import Turn
from models.appointment import Appointment
from models.record import Record

KIND = SelectOne(
    field="kind",
    title="预约事项",
    wished=True,
    ask="预约什么?",
    options=options(
        (1, "上门服务", "上门换药", "上门测血压", "上门看病", "上门打针", "上门", "出诊"),
        (2, "来卫生室", "来看病", "来拿药", "来测血压", "来测血糖", "门诊", "来复查"),
        (3, "县乡医院挂号", "挂号", "预约挂号", "约专家", "看专家", "专家号"),
        (4, "转诊或住院", "预约住院", "预约转诊", "住院"),
        (5, "检查", "预约检查", "做检查", "B超", "心电图", "CT", "抽血"),
        (6, "体检", "预约体检", "老年体检"),
        (7, "接种", "打疫苗", "预约接种", "打预防针"),
        (8, "签约", "预约签约"),
        (9, "其他", "=其他"),
    ),
)
APPOINTED_ON = Day(
    field="appointed_on", title="预约日期", ask="约在哪一天?", words=("约在", "约好", "约了", "约的", "想约", "要约", "约", "预约", "预约在", "改约", "改到"), past=False,
    either_way=True, bare=True,
)  # fmt: skip
AT = Text(
    field="at", title="时间", words=("时间", "几点"), asked=False, longest=20, by_itself=True, verbatim=True,
    like=r"(?:上午|下午|早上|中午|晚上|傍晚)?\d{1,2}(?:点半?|:\d\d)",
)  # fmt: skip


def finish(turn: Turn, record: Record) -> None:
    """The day's list reads a table of its own: an appointment is not a programme's visit."""
    assert record.resident_id is not None
    turn.session.add(
        Appointment(
            record_id=record.id,
            resident_id=record.resident_id,
            village_id=record.village_id,
            worker_id=turn.worker.id,
            on=date.fromisoformat(record.answers["appointed_on"]),
            what=" ".join(filter(None, (record.answers.get("at", ""), _label(record), record.answers.get("note", ""))))[
                :120
            ],
        )
    )


def _label(record: Record) -> str:
    option = KIND.option(record.answers.get("kind"))
    return option.label if option else ""


form = Form(
    code="appointment",
    title="预约",
    about="resident",
    hints=tuple(
        f"约{day}"
        for day in ("周", "星期", "礼拜", "明", "后天", "大后天", "下", "本周", "这周", "月底", "1", "2", "3")
    ),
    words=("预约", "约在", "约好了", "约好", "想约", "要约", "请上门", "要求上门", "预约上门"),
    steps=(
        Day(field="on", title="登记日期", bare=False, asked=False),
        KIND,
        APPOINTED_ON,
        AT,
        common.REFERRAL_TO,
        NOTE,
    ),
    finish=finish,
    receipt=lambda answers: f"{answers['appointed_on']}当天提醒您",
)
