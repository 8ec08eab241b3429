"""健康教育: lectures, consultations, notice boards, printed and audio-visual material (domain.md A13)."""

from __future__ import annotations

from handlers.form import Form
from handlers.forms.event import NOTE, SUPPORTING_ORGANISATION, TOPIC, Place, attendances, count
from handlers.steps import Day, SelectOne, Text, options

LECTURE, CONSULTATION, BOARD, PRINTED, AUDIOVISUAL = range(1, 6)


KIND = SelectOne(
    field="kind",
    title="健康教育形式",
    ask="是哪一种健康教育?",
    options=options(
        (LECTURE, "健康讲座", "讲座", "讲课", "上课", "健康知识讲座", "授课"),
        (CONSULTATION, "公众咨询", "咨询活动", "健康咨询", "咨询日", "宣传日活动", "现场咨询"),
        (BOARD, "更换宣传栏", "宣传栏", "黑板报", "换宣传栏", "橱窗"),
        (PRINTED, "发放印刷资料", "印刷资料", "发宣传单", "发折页", "发放资料"),
        (
            AUDIOVISUAL,
            "播放音像资料",
            "音像资料",
            "放视频",
            "视频",
            "健教视频",
            "健康视频",
            "放广播",
            "放电影",
            "播放视频",
            "放录像",
            "播放光盘",
        ),
    ),
)
ATTENDANCES = count(
    "attendances",
    "参加人次",
    "来了",
    "参加",
    "到场",
    "听课",
    "到会",
    "听众",
    "看的人有",
    "看的人",
    "听的人有",
    "听的人",
    "共",
    "人数",
    asked=True,
)

form = Form(
    code="health_education",
    title="健康教育",
    about="event",
    words=("健康教育", "讲课", "健康讲座", "健康知识讲座", "健教", "公众咨询", "健康咨询活动", "宣传栏", "讲座"),
    steps=(
        Day(field="on", title="活动日期", words=("日期",), asked=False),
        KIND,
        Place(field="place", title="活动地点", ask="在哪里?", words=("地点",)),
        Text(field="topic", title=TOPIC.title, ask="讲的什么主题?例如 高血压防治", words=TOPIC.words, longest=80, by_itself=True, at_last=True,
             like=r"[^\s,。;\d\ue010]{2,20}?(?:防治|知识|预防|接种|保健|急救|用药|膳食|控烟)"),
        attendances(ATTENDANCES.title, *ATTENDANCES.words, optional=True),
        Text(field="speaker", title="主讲人", words=("主讲", "主讲人", "讲师", "老师"), asked=False, longest=40),
        count("leaflets", "资料", "发资料", "发了资料", "发放资料", "宣传资料", "宣传单", "折页", unit="份"),
        count("material_kinds", "资料种类", "种类", unit="种"),
        count("publicity_contacts", "面对面宣传", "面对面", "宣传了"),
        SUPPORTING_ORGANISATION,
        NOTE,
    ),
    counts={
        "attendances": "health_education_people",
        "leaflets": "leaflets",
        "publicity_contacts": "publicity_contacts",
    },
    measures=lambda answers, known: {"lectures": 1} if answers.get("kind") == LECTURE else {},
)  # fmt: skip
