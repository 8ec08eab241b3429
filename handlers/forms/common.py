"""Steps that several services share. The same object in two forms means: asked once, stored in both (domain.md A0)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.steps import Day, Known, Number, SelectOne, Text, options
from models.conversation import Doubt

JIN_IN_KG = 0.5
# 白酒1两 = 葡萄酒4两 = 果酒4两 = 黄酒半斤(5两)
LIANG_OF_SPIRIT = {"白酒": 1, "葡萄酒": 1 / 4, "红酒": 1 / 4, "果酒": 1 / 4, "黄酒": 1 / 5}


def heavy_adult(value: float, known: Known) -> Doubt | None:
    """An adult above 100 kg without a unit is usually 斤 (M-15)."""
    if value <= 100 or (known.age is not None and known.age < 18):
        return None
    half = value * JIN_IN_KG
    return Doubt(
        f"体重 {value:g},是斤还是公斤?",
        [(f"{value:g} 斤({half:g} 公斤)", {"weight": half}), (f"{value:g} 公斤", {"weight": value})],
    )


ON = Day(field="on", title="随访日期", words=("日期", "时间"), asked=False)
MODE = SelectOne(
    field="mode",
    title="随访方式",
    ask="这次是怎么随访的?",
    words=("方式",),
    options=options(
        (1, "门诊", "来卫生室", "来诊所", "来看病", "到卫生室", "卫生室", "门诊随访", "来的", "来了"),
        (
            2,
            "家庭",
            "家访",
            "上门",
            "入户",
            "去家里",
            "到家里",
            "在家里",
            "去他家",
            "去她家",
            "上家里",
            "家庭访视",
            "家里",
        ),
        (3, "电话", "打电话", "电话随访", "电访", "微信", "视频"),
    ),
)
HEART_RATE = Number(
    field="heart_rate", title="心率", ask="心率多少?(次/分)", words=("脉搏", "脉率", "脉", "心跳", "HR", "P"),
    unit="次/分", units={"次/分": 1, "次每分": 1, "次": 1, "bpm": 1}, possible=(15, 300), optional=True, unit_alone=False,
)  # fmt: skip
WEIGHT = Number(
    field="weight", title="体重", words=("重",), unit="kg", units={"kg": 1, "公斤": 1, "千克": 1, "斤": JIN_IN_KG, "市斤": JIN_IN_KG},
    possible=(20, 250), decimals=1, suspect=heavy_adult, target="weight_target", asked=False,
)  # fmt: skip
HEIGHT = Number(
    field="height", title="身高", unit="cm", units={"cm": 1, "厘米": 1, "公分": 1}, possible=(100, 220), decimals=1,
    asked=False, unit_alone=False,
)  # fmt: skip
WAIST = Number(
    field="waist", title="腰围", words=("腰",), unit="cm", units={"cm": 1, "厘米": 1, "公分": 1, "尺": 100 / 3},
    possible=(40, 180), decimals=1, asked=False, unit_alone=False,
)  # fmt: skip
BMI_TARGET = Number(field="bmi_target", title="体质指数目标", possible=(10, 60), decimals=1, asked=False)
SMOKING = Number(
    field="smoking_per_day", title="日吸烟量", words=("吸烟", "抽烟", "烟"), unit="支", units={"支": 1, "根": 1, "包": 20},
    possible=(0, 100), target="smoking_target", asked=False, unit_alone=False,
    zero=("不抽烟", "不吸烟", "没抽烟", "戒烟了", "已戒烟", "无烟"),
)  # fmt: skip
ALCOHOL = Number(
    field="alcohol_per_day", title="日饮酒量", words=("饮酒", "喝酒", "酒"), unit="两", units={"两": 1, "斤": 10, "瓶啤酒": 1},
    possible=(0, 30), decimals=1, target="alcohol_target", asked=False, unit_alone=False,
    zero=("不喝酒", "不饮酒", "没喝酒", "戒酒了", "已戒酒"), kinds=LIANG_OF_SPIRIT,
)  # fmt: skip
EXERCISE = Number(
    field="exercise_per_week", title="每周运动次数", words=("运动", "锻炼", "一周", "每周", "散步"), unit="次/周",
    units={"次/周": 1, "次每周": 1, "次": 1}, possible=(0, 21), target="exercise_per_week_target", asked=False, unit_alone=False,
)  # fmt: skip
EXERCISE_MINUTES = Number(
    field="exercise_minutes", title="每次运动分钟", words=("每次", "一次"), unit="分钟/次", units={"分钟/次": 1, "分钟": 1, "分": 1},
    possible=(0, 300), target="exercise_minutes_target", asked=False,
)  # fmt: skip
SALT_LEVELS = ((1, "轻", "清淡", "淡"), (2, "中", "适中"), (3, "重", "咸", "口味重", "吃得咸"))
SALT = SelectOne(
    field="salt",
    title="摄盐情况",
    words=("摄盐", "盐", "口味"),
    options=options(*SALT_LEVELS),
    asked=False,
    bare=("吃得咸", "口味重"),
)
SALT_TARGET = SelectOne(field="salt_target", title="摄盐目标", options=options(*SALT_LEVELS), asked=False, bare=())
GOOD_FAIR_POOR = ((1, "良好", "好"), (2, "一般"), (3, "差", "不好"))
MENTAL_ADJUSTMENT = SelectOne(
    field="mental_adjustment", title="心理调整", words=("心理",), options=options(*GOOD_FAIR_POOR), asked=False, bare=()
)
COMPLIANCE = SelectOne(
    field="compliance", title="遵医行为", words=("遵医",), options=options(*GOOD_FAIR_POOR), asked=False, bare=()
)
OTHER_SIGNS = Text(field="other_signs", title="其他体征", words=("其他体征", "体征"), asked=False)
EXAMINATIONS = Text(field="examinations", title="辅助检查", words=("辅助检查",), asked=False)
ADHERENCE = SelectOne(
    field="adherence",
    title="服药依从性",
    ask="药按时吃吗?",
    words=("服药", "吃药", "依从性"),
    options=options(
        (1, "规律", "规律服药", "服药规律", "按时吃", "按时吃药", "按时服药", "药按时吃", "药按时", "药都按时", "天天吃", "坚持吃", "都吃了", "每天吃", "药都吃", "药吃了"),
        (2, "间断", "间断服药", "不规律", "服药不规律", "有时吃", "有时忘", "断断续续", "吃吃停停", "偶尔忘", "忘记吃", "漏服", "没按时", "不按时"),
        (3, "不服药", "没吃药", "不吃药", "未服药", "停药", "停了药", "自己停了", "药停了", "没服药", "药没吃", "没有吃药"),
    ),
)  # fmt: skip
ADVERSE = SelectOne(
    field="adverse_reaction",
    title="药物不良反应",
    words=("不良反应",),
    options=options(
        (1, "无", "无不良反应", "没有不良反应", "没不良反应", "无副作用", "没副作用", "没有副作用"),
        (2, "有", "有不良反应", "有副作用", "药物反应"),
    ),
    asked=False,
    bare=(
        "无不良反应",
        "没有不良反应",
        "没不良反应",
        "无副作用",
        "没副作用",
        "没有副作用",
        "有不良反应",
        "有副作用",
        "药物反应",
    ),
)
ADVERSE_WHAT = Text(field="adverse_reaction_what", title="不良反应表现", asked=False)
COMPLICATION = SelectOne(
    field="new_complication",
    title="新发或加重的并发症",
    words=("并发症",),
    options=options(
        (1, "无", "无并发症", "没有并发症"),
        (2, "有", "有并发症", "新发中风", "新发脑卒中", "中风了", "脑梗了", "心梗", "脑出血"),
    ),
    asked=False,
    bare=("无并发症", "没有并发症", "有并发症", "新发中风", "新发脑卒中", "中风了", "脑梗了", "心梗", "脑出血"),
)
REFERRAL_REASON = Text(field="referral_reason", title="转诊原因", words=("转诊原因",), asked=False)
REFERRAL_TO = Text(
    field="referral_to", title="转诊机构及科别", words=("转诊到", "转到", "转诊机构", "已转诊", "转诊"), asked=False
)
NEXT = Day(
    field="next_due_on",
    title="下次随访",
    words=("下次", "下回", "下次随访日期", "预约", "约"),
    past=False,
    bare=False,
    asked=False,
)
PREGNANCY = SelectOne(
    field="pregnancy",
    title="妊娠或产后",
    ask="她现在怀孕,或产后12周以内吗?",
    options=options(
        (0, "都不是", "没怀孕", "未孕"), (1, "怀孕", "孕妇", "妊娠", "有喜"), (2, "产后12周内", "产后", "哺乳")
    ),
    when=lambda known: known.sex == "female" and known.age is not None and 15 <= known.age <= 49,
)


def bmi(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Body mass index kg/m², when weight and height were both given."""
    if "weight" in answers and "height" in answers:
        return {"bmi": round(answers["weight"] / (answers["height"] / 100) ** 2, 1)}
    return {}
