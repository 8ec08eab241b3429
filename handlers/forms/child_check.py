"""儿童健康检查: one form for the checks by age, each asking what belongs to its age (domain.md A8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handlers.decisions import Decision
from handlers.form import Due, Form
from handlers.forms import common
from handlers.forms.absence import ABSENCE
from handlers.forms.body import HEAD, body_length, child_weight, examined
from handlers.forms.danger import plain_danger_step
from handlers.protocols import child_check
from handlers.protocols.ages import months_later, months_old
from handlers.protocols.child_check import (
    DANGER_SIGNS,
    FIRST_CHECK_DAYS,
    LEAVES_AT,
    SETTINGS,
    TCM,
    Slot,
    slot_on,
)
from handlers.steps import Known, Number, SelectMany, SelectOne, Text, options
from models.conversation import Doubt


def slot_of(known: Known) -> Slot | None:
    """The check that this visit is, by the child's birthday and the day of the visit."""
    return slot_on(known.born_on, known.on, early_days(known)) if known.born_on else None


def early_days(known: Known) -> int:
    return int(known.settings.get("child.early_days", SETTINGS["child.early_days"].default))


def belongs(what: Callable[[Slot], object]) -> Callable[[Known], bool]:
    """Asked at the ages at which it belongs to the check, and not on the telephone."""

    def when(known: Known) -> bool:
        slot = slot_of(known)
        return slot is not None and bool(what(slot)) and not common.by_telephone(known.answers)

    return when


def still_a_child(known: Known) -> bool:
    """Nothing is measured of somebody who has left the programme, nor over the telephone."""
    return not grown_out(known) and not common.by_telephone(known.answers)


def grown_out(known: Known) -> bool:
    return known.born_on is not None and months_old(known.born_on, known.on) >= LEAVES_AT


def under(months: int) -> Callable[[Known], bool]:
    return lambda known: known.born_on is None or months_old(known.born_on, known.on) < months


DANGER = plain_danger_step(
    DANGER_SIGNS,
    "孩子现在有没有下面的情况?",
    said={
        "convulsion": ("抽了", "抽风", "惊厥"),
        "altered_consciousness": ("叫不醒", "精神很差", "没精神", "昏迷"),
        "cannot_drink": ("不吃不喝", "不能喝水", "不肯喝水", "不喝水", "喝不进", "喂不进", "不吃奶"),
        "hard_breathing": ("呼吸困难", "口唇发紫", "嘴唇发紫", "嘴巴发紫"),
        "dehydration": ("眼窝凹陷", "眼窝凹", "眼眶凹", "眼睛凹", "眼窝陷", "脱水", "没尿"),
    },
    asked=False,
)
GRADES = options((1, "上"), (2, "中", "正常"), (3, "下", "偏低"))
WEIGHT_GRADE = SelectOne(
    field="weight_grade", title="体重评价", ask="体重在生长曲线图上是?(看《母子健康手册》)", options=GRADES, bare=(), optional=True, calls=still_a_child
)  # fmt: skip
LENGTH_GRADE = SelectOne(
    field="length_grade", title="身长评价", ask="身长(身高)在生长曲线图上是?", words=("身高评价",), options=GRADES, bare=(), optional=True,
    calls=still_a_child,
)  # fmt: skip
HAEMOGLOBIN = Number(
    field="haemoglobin", title="血红蛋白", ask="血红蛋白多少?(g/L)没查可以跳过。", words=("Hb", "血色素", "HGB"), unit="g/L",
    units={"g/L": 1, "g/l": 1, "克": 1}, alone=("g/L", "g/l"), possible=(2, 250), sure=(60, 180), optional=True,
    suspect=lambda value, known: grams_per_decilitre(value), calls=belongs(lambda slot: slot.blood),
)  # fmt: skip
HEARING = SelectOne(
    field="hearing", title="听力", ask="听力筛查通过了吗?没做可以跳过。", words=("听力筛查", "行为测听"), optional=True,
    options=options((1, "通过", "正常", "听见"), (2, "未通过", "没通过", "未过", "没过", "不通过", "听不见")), bare=(), calls=belongs(lambda s: s.hearing),
)  # fmt: skip
VISION = SelectOne(
    field="vision", title="视力", ask="视力检查正常吗?没查可以跳过。", words=("视力检查",), optional=True,
    options=options((1, "正常", "未见异常"), (2, "异常", "不正常", "低下")), bare=(), calls=belongs(lambda slot: slot.vision),
)  # fmt: skip
TCM_METHODS = SelectMany(
    field="tcm_methods", title="中医调养", ask="教家长做了哪些中医调养?", words=("中医指导", "中医药指导"), none_code=0, optional=True,
    options=options((0, "没有教", "~没有", "~没教"), *((code, label, label.removesuffix("穴").removeprefix("按揉")) for code, label in TCM.items())),
    calls=belongs(lambda slot: slot.tcm),
)  # fmt: skip
DEVELOPMENT = SelectMany(
    field="development", title="发育预警征", ask="有没有这个月龄的心理行为发育预警征?", words=("预警征", "发育筛查"), none_code=0,
    options=options(
        (0, "没有", "~没有", "发育正常", "无预警征", "没有预警征", "~无", "~正常", "~没"),
        (1, "大运动", "大运动落后"),
        (2, "精细动作", "精细动作落后"),
        (3, "语言", "语言落后", "不会说话", "不会叫妈妈", "不会叫人", "不开口"),
        (4, "社会交往(叫名不应、不看人)", "叫名不应", "不看人", "不理人"),
        (5, "其他", "=其他"),
    ),
    calls=still_a_child,
)  # fmt: skip
ILLNESS = SelectMany(
    field="illness", title="两次检查间患病", words=("患病", "生病"), none_code=1, asked=False,
    options=options((1, "无", "~无", "没生病", "没有生病", "~没有"), (2, "肺炎"), (3, "腹泻", "拉肚子"), (4, "外伤"), (5, "其他", "=其他", "感冒", "发烧")),
)  # fmt: skip
RICKETS = SelectMany(
    field="rickets_signs", title="可疑佝偻病", words=("佝偻病",), none_code=1, asked=False,
    options=options(
        (1, "无", "~无", "~没有"), (2, "夜惊多汗烦躁", "夜惊", "多汗"), (3, "颅骨软化"), (4, "方颅"), (5, "枕秃"), (6, "肋串珠"), (7, "肋软骨沟"), (8, "鸡胸"),
        (9, "手足镯"), (10, "O型腿", "O形腿"), (11, "X型腿", "X形腿"),
    ),
)  # fmt: skip
FEEDING = SelectOne(
    field="feeding", title="喂养方式", words=("喂养",), asked=False,
    options=options((1, "纯母乳", "*纯母乳", "母乳", "纯母乳喂养", "*吃母乳", "吃妈妈奶", "吃人奶"), (2, "混合", "*混合喂养"), (3, "人工", "*人工喂养", "奶粉", "*吃奶粉")), when=under(12),
)  # fmt: skip


def grams_per_decilitre(value: float) -> Doubt | None:
    """11.5 is g/dL, 115 g/L."""
    if value > 25:
        return None
    tenfold = round(value * 10)
    return Doubt(
        f"血红蛋白 {value:g} 像是 g/dL,是 {tenfold} g/L 吗?", [(f"是,{tenfold} g/L", {"haemoglobin": tenfold})]
    )


def count(field: str, title: str, unit: str, possible: tuple[float, float], *words: str, decimals: int = 0,
    sure: tuple[float, float] | None = None,
) -> Number:  # fmt: skip
    return Number(
        field=field, title=title, words=words, unit=unit, units={unit: 1, unit.partition("/")[0]: 1}, alone=(), possible=possible, decimals=decimals, asked=False, sure=sure
    )  # fmt: skip


def admits(known: Known) -> Doubt | None:
    """A check needs a birthday, and a child; whoever outgrew the programme in it is closed with it."""
    if known.born_on is None:
        return Doubt("档案里没有出生日期,不能按月龄安排检查。请先补上出生日期,或发“取消”。", [])
    if grown_out(known) and "child" not in known.programmes:
        return Doubt(f"{known.age}岁了,儿童健康检查只记7岁以下的孩子。不记了发“取消”。", [])
    return None


def check(known: Known) -> Doubt | None:
    """Not before the birth, and not in the newborn's first weeks without a question."""
    if known.born_on is None:
        return None
    if known.on < known.born_on:
        return Doubt(f"检查日期{known.on}在出生({known.born_on})之前,请再写一次日期。", [])
    if (known.on - known.born_on).days < FIRST_CHECK_DAYS and "newborn_checked" not in known.answers:
        ask = f"出生才{(known.on - known.born_on).days}天,满月检查从28天起。这次是新生儿访视吗?是的话发“取消”,再发“新生儿访视 姓名”。"
        return Doubt(ask, [("就是提前做满月检查", {"newborn_checked": 1})])
    return None


def derive(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Which check it is, in months of age, and the completed months themselves."""
    if known.born_on is None:
        return {}
    slot = slot_of(known)
    return {"age_months": months_old(known.born_on, known.on), **({"check_month": slot.months} if slot else {})}


def marks(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> list[str]:
    """Each child counts once a year among those followed, and among those given traditional care up to 36 months."""
    if grown_out(known) or common.by_telephone(answers):
        return []
    taught = answers.get("tcm_methods") not in (None, [0]) and known.born_on is not None
    young = taught and known.born_on is not None and known.on < months_later(known.born_on, 37)
    return ["person.children_followed", *(["person.children_tcm"] if young else [])]


def owes(answers: Mapping[str, Any], decision: Decision | None, known: Known) -> Due:
    """The next age, from its first day to its last; after the check of six years nothing more."""
    if decision is None or decision.next_due_on is None:
        return Due(ended="0~6岁儿童健康管理完成") if known.born_on else Due()
    if decision.refer or "CHD-13" in decision.rules:
        return Due(on=decision.next_due_on, service="child_check")
    window = child_check.window(common.findings_of(answers, known))
    return Due(on=decision.next_due_on, opens_on=window.first if window else None, service="child_check")


form = Form(
    code="child_check",
    title="儿童健康检查",
    about="resident",
    words=("儿童健康检查", "儿童体检", "儿童检查", "儿保", "儿保体检", "满月检查", "满月体检", "宝宝体检", "小孩体检"),
    hints=("体检",),
    needs=("length", "height", "head_circumference", "hearing", "vision", "tcm_methods", "development", "weight_grade"),
    shows=("weight", "length", "haemoglobin"),
    programme="child",
    protocol=child_check.protocol,
    enrols="always",
    fits=lambda known: (
        known.born_on is not None
        and (known.today - known.born_on).days >= FIRST_CHECK_DAYS
        and months_old(known.born_on, known.today) < LEAVES_AT
    ),
    steps=(
        common.ON,
        *ABSENCE,
        child_weight(calls=still_a_child),
        body_length(calls=still_a_child),
        WEIGHT_GRADE,
        LENGTH_GRADE,
        HAEMOGLOBIN,
        HEARING,
        VISION,
        DEVELOPMENT,
        TCM_METHODS,
        DANGER,
        common.MODE_LATER,
        HEAD,
        FEEDING,
        common.coded("complexion", "面色", (1, "红润"), (2, "黄染", "黄"), (3, "其他", "苍白"), words=("脸色",)),
        examined("skin", "皮肤"),
        examined("fontanelle_look", "前囟", "囟门"),
        count("fontanelle", "前囟大小", "cm", (0, 6), "囟门大小", decimals=1, sure=(0, 4)),
        examined("neck_lump", "颈部包块"),
        examined("eyes", "眼睛", "眼外观"),
        examined("ears", "耳外观", "耳朵"),
        examined("mouth", "口腔"),
        count("teeth", "出牙数", "颗", (0, 28), "出牙", "牙齿", "牙", "长牙", sure=(0, 24)),
        count("decayed_teeth", "龋齿数", "颗", (0, 28), "龋齿", "蛀牙", sure=(0, 16)),
        examined("heart_lungs", "心肺", "胸部"),
        examined("abdomen", "腹部"),
        examined("limbs", "四肢"),
        examined("hip", "髋关节"),
        examined("gait", "步态"),
        examined("genitals", "肛门外生殖器"),
        RICKETS,
        count("outdoor_hours", "户外活动", "小时/日", (0, 12), "户外", decimals=1, sure=(0, 8)),
        count("vitamin_d", "服用维生素D", "IU/日", (0, 2000), "维生素D", "维D", "VD", sure=(0, 1000)),
        ILLNESS,
        Text(field="guidance", title="指导", words=("指导",), asked=False),
        common.REFERRAL_REASON,
        common.REFERRAL_TO,
        common.NEXT,
    ),
    admits=admits,
    check=check,
    at_once=True,
    derive=derive,
    marks=marks,
    owes=owes,
)  # fmt: skip
