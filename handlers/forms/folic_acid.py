"""叶酸发放: bottles given, whether they are taken, and who needs a physician's dose (domain.md C)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.event import NOTE
from handlers.protocols import folic_acid
from handlers.protocols.folic_acid import EARLY_PREGNANCY, LAST_WEEK, PLANNING, REGULAR, RISKS
from handlers.steps import Day, Known, Number, SelectMany, SelectOne, options
from models.conversation import Doubt

YOUNGEST, OLDEST = 15, 49
COMPLETED = 1

STAGE = SelectOne(
    field="stage",
    title="对象",
    ask="她现在是备孕,还是已经怀孕?",
    options=options(
        (
            PLANNING,
            "备孕",
            "准备怀孕",
            "计划怀孕",
            "待孕",
            "打算要孩子",
            "准备怀",
            "准备要孩子",
            "准备要二胎",
            "准备怀二胎",
            "准备怀2胎",
            "准备要2胎",
            "想怀2胎",
            "想要2胎",
            "想生2胎",
            "打算怀",
            "想怀",
            "想要孩子",
            "想生二胎",
        ),
        (EARLY_PREGNANCY, "孕早期", "怀孕", "怀孕了", "刚怀孕", "早孕", "孕妇"),
    ),
    when=lambda known: "gestational_weeks" not in known.answers,  # 怀孕8周 says it
)
WEEKS = Number(
    field="gestational_weeks", title="孕周", ask="怀孕几周了?", words=("怀孕", "孕"), unit="周", units={"周": 1, "周多": 1}, unit_needed=True,
    alone=("周",), possible=(0, 42), sure=(3, 41), when=lambda known: known.answers.get("stage") == EARLY_PREGNANCY or "gestational_weeks" in known.answers,
)  # fmt: skip
BOTTLES = Number(
    field="bottles", title="发放瓶数", ask="这次发了几瓶?没发写 0。", words=("叶酸发了", "叶酸发", "叶酸领了", "叶酸领", "叶酸", "发叶酸", "领叶酸", "发放", "发了", "领了", "发", "领"), unit="瓶", units={"瓶": 1, "盒": 1},
    possible=(0, 12), sure=(0, 6), alone=("瓶", "盒"), zero=("没发", "未发放", "没领"),
)  # fmt: skip
ADHERENCE = SelectOne(
    field="adherence",
    title="服用情况",
    ask="以前发的按时吃了吗?第一次领可以跳过。",
    words=("服用", "吃"),
    optional=True,
    options=options(
        (REGULAR, "每天吃", "=规律", "天天吃", "按时吃", "规律服用", "坚持吃", "每天都吃"),
        (
            2,
            "有时忘",
            "间断",
            "有时吃",
            "有时候吃",
            "有时候忘",
            "有时候忘吃",
            "有时候忘记吃",
            "经常忘",
            "偶尔忘",
            "没按时吃",
            "断断续续吃",
        ),
        (3, "没吃", "没有吃", "不吃", "未服用"),
    ),
)
FINISHED = SelectOne(
    field="completed",
    title="服满规定时间",
    ask="吃满规定的时间了吗?(怀孕前3个月到怀孕满3个月)",
    options=options(
        (COMPLETED, "吃满了", "服满", "吃满", "全程服用"),
        (2, "还没到时间", "还在吃", "没到时间"),
        (3, "没吃满", "停了", "未服满"),
    ),
    when=lambda known: known.answers.get("adherence") == REGULAR,
    optional=True,
)
RISK = SelectMany(
    field="risks",
    title="需要医生定剂量的情况",
    ask="有没有下面的情况?",
    none_code="none",
    options=options(
        ("none", RISKS["none"], "~没有", "~无", "没有特殊情况"),
        ("ntd", RISKS["ntd"], "神经管缺陷", "无脑儿", "脊柱裂"),
        ("epilepsy", RISKS["epilepsy"], "癫痫", "抗癫痫药"),
        ("diabetes", RISKS["diabetes"], "糖尿病", "肥胖"),
    ),
)
DOSE = Number(
    field="dose_mg", title="每天剂量", words=("剂量", "每天吃"), unit="毫克", units={"毫克": 1, "mg": 1}, unit_needed=True, possible=(0.1, 5), sure=(0.4, 5), decimals=1,
    alone=(), asked=False,
)  # fmt: skip


def admits(known: Known) -> Doubt | None:
    """Women who may bear a child."""
    if known.sex == "male":
        return Doubt(
            "叶酸项目发给备孕和孕早期的妇女,这位登记的是男性。登记有误先更正档案;不记请发“取消”。",
            [("还是要记", {"outside": 1})],
        )
    if known.age is not None and not YOUNGEST <= known.age <= OLDEST:
        return Doubt(
            f"这位登记的是{known.age}岁,叶酸项目发给{YOUNGEST}到{OLDEST}岁的妇女。还要记吗?", [("照记", {"outside": 1})]
        )
    return None


def check(known: Known) -> Doubt | None:
    """A pregnancy beyond the project's weeks, and bottles all the same."""
    weeks, bottles = known.answers.get("gestational_weeks"), known.answers.get("bottles")
    if weeks is None or not bottles or weeks <= LAST_WEEK or "late_checked" in known.answers:
        return None
    return Doubt(
        f"孕{weeks:g}周,项目发到孕{LAST_WEEK}周。还发了{bottles:g}瓶吗?",
        [("是,照记", {"late_checked": 1}), ("没发", {"bottles": 0})],
    )


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    return {"stage": EARLY_PREGNANCY} if "gestational_weeks" in answers else {}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Once a year each: who was given folic acid, and who took it for the whole time."""
    given = ["person.folic_acid_recipients"] if answers.get("bottles") else []
    taken = answers.get("adherence") == REGULAR and answers.get("completed") == COMPLETED
    return given + (["person.folic_acid_adherent"] if taken else [])


form = Form(
    code="folic_acid",
    title="叶酸发放",
    about="resident",
    words=("叶酸发放", "发叶酸", "领叶酸", "叶酸"),
    protocol=folic_acid.protocol,
    admits=admits,
    check=check,
    derive=derive,
    marks=marks,
    steps=(
        common.ON,
        *ABSENCE,
        STAGE,
        WEEKS,
        BOTTLES,
        RISK,
        ADHERENCE,
        FINISHED,
        Day(
            field="starts_on",
            title="开始服用日期",
            words=("开始吃", "开始服用"),
            after=("开始吃", "开始服用"),
            bare=False,
            asked=False,
        ),
        DOSE,
        common.ADVERSE,
        NOTE,
        common.REFERRAL_TO,
        common.NEXT,
    ),
)
