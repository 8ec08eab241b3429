"""培训: who learnt what, where and for how long; also meetings and warning education (domain.md F1, F2). 培训、进修、带教"""

from __future__ import annotations

from handlers.form import Form
from handlers.forms.event import NOTE, TOPIC, Place, attendances
from handlers.steps import Day, Number, SelectOne, Text, options

KIND = SelectOne(
    field="kind",
    title="培训类别",
    ask="是哪一类培训?",
    options=options(
        (1, "短期培训", "短训", "业务培训", "集中培训", "培训班", "例会培训", "业务学习"),
        (2, "进修", "脱产进修", "外出进修"),
        (3, "讲座", "学术讲座", "专题讲座", "院内讲座"),
        (4, "带教", "师带徒", "跟班学习", "临床带教", "教学查房"),
        (5, "线上学习", "网课", "网络培训", "线上培训", "远程培训"),
        (6, "会议或警示教育", "警示教育", "会议", "廉政教育"),
        (7, "应急演练", "演练", "急救演练"),
    ),
)
HOURS = Number(
    field="hours", title="学时", words=("学时", "时长", "培训时间", "时间"), unit="小时", units={"小时": 1, "个小时": 1, "学时": 1, "个学时": 1, "天": 8, "天整": 8},
    unit_needed=True, possible=(0.5, 3000), sure=(0.5, 800), decimals=1, asked=False, alone=("学时", "个学时", "小时", "个小时"),
)  # fmt: skip

form = Form(
    code="training",
    title="培训",
    about="event",
    words=("培训", "参加培训", "进修", "业务学习", "带教培训", "警示教育", "急救演练"),
    steps=(
        Day(field="on", title="培训日期", words=("日期",), asked=False),
        KIND,
        Text(field="topic", title="培训内容", ask="培训什么内容?例如 高血压规范管理", words=("内容", *TOPIC.words), longest=80),
        attendances("参加人次", "参加", "参训", "到会", "来了", "共", "人数", "人次", field="people"),
        HOURS,
        Place(field="place", title="培训地点", words=("地点",), asked=False),
        Text(field="organiser", title="主办单位", words=("主办", "主办单位", "举办单位"), asked=False, longest=40),
        Text(field="speaker", title="授课人", words=("授课人", "授课", "讲课人", "老师", "带教老师"), asked=False, longest=40),
        NOTE,
    ),
    counts={"people": "training_people"},
    measures=lambda answers, known: {"warning_education": 1} if answers.get("kind") == 6 else {},
)  # fmt: skip
