"""Steps that several services share. The same object in two forms means: asked once, stored in both (domain.md A0)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from handlers.decisions import Decision, Findings
from handlers.form import Due
from handlers.measurements import Alcohol
from handlers.protocols.findings import TELEPHONE
from handlers.protocols.windows import OnTime
from handlers.steps import Day, Known, Number, SelectOne, Text, options
from models.conversation import Doubt

JIN_IN_KG = 0.5
CENTIMETRES = {"cm": 1, "厘米": 1, "公分": 1, "米": 100, "m": 100}
LEAST_INDEX, MIDDLE_INDEX, MOST_INDEX = 16, 22, 35  # kg/m²; beyond the outer ones the unit is asked
TENTH = 0.1


def coded(field: str, title: str, *rows: tuple[Any, ...], words: tuple[str, ...] = (), **more: Any) -> SelectOne:
    """A coded field that is not asked; its options count only after its own words."""
    return SelectOne(field=field, title=title, words=words, options=options(*rows), asked=False, bare=(), **more)


def perhaps_jin(value: float, known: Known) -> Doubt | None:
    """An adult's weight without a unit that is likely 斤 (M-15).

    Above 100 kg; a body mass index below 16 or above 35; or more than a tenth away from the weight last recorded.
    """
    if known.age is not None and known.age < 18:
        return None
    height, before = known.answers.get("height") or known.last("height"), known.last("weight")
    index = value / (height / 100) ** 2 if height else MIDDLE_INDEX
    strange = value > 100 or not LEAST_INDEX <= index <= MOST_INDEX
    if not strange and (before is None or abs(value - before) <= TENTH * before):
        return None
    half = value * JIN_IN_KG
    return Doubt(
        f"体重 {value:g},是斤还是公斤?",
        [(f"{value:g} 斤({half:g} 公斤)", {"weight": half}), (f"{value:g} 公斤", {"weight": value})],
    )


ON = Day(field="on", title="随访日期", words=("日期", "随访时间"), asked=False)
MODE = SelectOne(
    field="mode",
    title="随访方式",
    ask="这次是怎么随访的?",
    words=("方式",),
    options=options(
        (1, "门诊", "=门诊", "=诊所", "~卫生室", "~卫生院", "门诊随访", "来卫生室", "来诊所", "到诊所", "到卫生室", "在卫生室", "卫生室量", "卫生室测", "来村卫生室",
         "来看病", "来拿药", "来取药", "来量血压", "来测血糖", "自己来的", "自己来了", "=来的", "=来了", "都来了", "今天来的"),
        (2, "家庭", "=家庭", "家庭随访", "家庭访视", "家访", "上门", "入户", "去家里", "去家访", "到家里", "去他家", "去她家", "去了他家", "去了她家",
         "~家里", "~家", "~在家", "~在家里", "~他家", "~她家", "~屋里", "到他家", "到她家", "上他家", "上她家", "上家里", "=去家", "=到家", "去…家", "到…家", "上…家", "去…屋里", "到…屋里", "屋里去了"),
        (3, "电话", "=电话", "~打电话", "电话随访", "电话问", "电话联系", "电话里", "电访", "微信随访", "=微信", "视频随访", "=视频"),
    ),
)  # fmt: skip
MODE_LATER = replace(MODE, asked=False)
"""Where the norm's form does not ask how the visit was made; a telephone call is told all the same, and fills no slot."""
HEART_RATE = Number(
    field="heart_rate", title="心率", ask="心率多少?(次/分)", words=("脉搏", "脉率", "脉", "心跳", "HR", "P"),
    unit="次/分", units={"次/分": 1, "次每分": 1, "次": 1, "/分": 1, "bpm": 1}, alone=("次/分", "次每分", "bpm"), possible=(15, 300),
    sure=(35, 200), usual=(40, 130), optional=True, example="心率 76",
)  # fmt: skip
HEART_RATE_REPEAT = Number(
    field="heart_rate_repeat", title="复测心率", ask="请病人静坐5分钟再数一次,心率多少?没复测可以跳过。", words=("复测脉搏", "再测心率", "休息后心率"),
    unit="次/分", units={"次/分": 1, "次每分": 1, "次": 1}, alone=(), possible=(15, 300), sure=(35, 200), optional=True,
    when=lambda known: odd_pulse(known),
)  # fmt: skip
TEMPERATURE = Number(
    field="temperature", title="体温", words=("T", "发烧", "发热", "烧到", "高烧"), unit="℃", units={"℃": 1, "度": 1}, possible=(25, 45), decimals=1,
    sure=(34, 41.5), asked=False, alone=(),
)  # fmt: skip
WEIGHT = Number(
    field="weight", title="体重", words=("重", "称重", "称了"), unit="kg",
    units={"kg": 1, "公斤": 1, "千克": 1, "斤": JIN_IN_KG, "市斤": JIN_IN_KG},
    possible=(20, 250), decimals=1, suspect=perhaps_jin, target="weight_target", usual=(30, 100), asked=False,
)  # fmt: skip
HEIGHT = Number(
    field="height", title="身高", words=("高度",), unit="cm", units=CENTIMETRES,
    possible=(100, 220), sure=(135, 195), decimals=1, alone=(), asked=False,
)  # fmt: skip
WAIST = Number(
    field="waist", title="腰围", words=("腰", "腰为"), unit="cm", units={"cm": 1, "厘米": 1, "公分": 1, "尺": 100 / 3},
    possible=(40, 180), sure=(50, 130), decimals=1, alone=("尺",), usual=(60, 130), asked=False,
)  # fmt: skip
BMI_TARGET = Number(
    field="bmi_target", title="体质指数目标", possible=(10, 60), sure=(16, 35), decimals=1, alone=(), asked=False
)
SMOKING = Number(
    field="smoking_per_day", title="日吸烟量", per="day", words=("吸烟", "抽烟", "烟", "烟还在抽", "还在抽烟", "还抽烟", "还在抽"), unit="支", units={"支": 1, "根": 1, "包": 20, "支烟": 1, "根烟": 1, "包烟": 20},
    possible=(0, 100), sure=(0, 60), target="smoking_target", alone=("支烟", "根烟", "包烟"), asked=False,
    zero=("不抽烟", "不吸烟", "没抽烟", "没吸烟", "戒烟", "无烟", "烟不抽", "从不抽烟", "不吸", "烟酒不沾"),
)  # fmt: skip
ALCOHOL = Alcohol(
    field="alcohol_per_day", title="日饮酒量", per="day", words=("饮酒", "喝酒", "酒"), unit="两", units={"两": 1, "斤": 10},
    possible=(0, 30), sure=(0, 15), decimals=1, target="alcohol_target", alone=(), asked=False,
    zero=("不喝酒", "不饮酒", "没喝酒", "没饮酒", "戒酒", "酒不喝", "从不喝酒", "烟酒不沾"),
)  # fmt: skip
EXERCISE = Number(
    field="exercise_per_week", title="每周运动次数", words=(
        "运动", "锻炼", "一周", "每周", "散步", "一周走", "每周走", "一周散步", "每周散步", "一周锻炼", "每周锻炼", "一周运动", "每周运动",
    ), unit="次/周",
    units={"次/周": 1, "次每周": 1, "次": 1}, unit_needed=True, alone=("次/周",), per="week", possible=(0, 21), sure=(0, 14),
    target="exercise_per_week_target", asked=False,
)  # fmt: skip
EXERCISE_MINUTES = Number(
    field="exercise_minutes", title="每次运动分钟", words=("每次", "一次", "运动", "锻炼", "散步", "走路"), unit="分钟/次",
    units={"分钟/次": 1, "分钟": 1, "分": 1, "小时": 60, "个小时": 60}, unit_needed=True, alone=("分钟/次",), possible=(0, 300), sure=(0, 180),
    target="exercise_minutes_target", asked=False,
)  # fmt: skip
SALT = SelectOne(
    field="salt",
    title="摄盐情况",
    words=("摄盐", "盐", "口味"),
    options=options(
        (1, "轻", "清淡", "淡", "偏淡", "*吃得淡", "吃得清淡", "吃得轻", "*口味淡", "*口味清淡"),
        (2, "中", "适中", "一般"),
        (3, "重", "咸", "偏咸", "吃得重", "*口味重", "*吃得咸", "*口味咸"),
    ),
    target="salt_target",
    asked=False,
)
GOOD_FAIR_POOR = ((1, "良好", "好"), (2, "一般"), (3, "差", "不好"))
MENTAL_ADJUSTMENT = SelectOne(
    field="mental_adjustment", title="心理调整", words=("心理",), options=options(*GOOD_FAIR_POOR), asked=False, bare=()
)
COMPLIANCE = SelectOne(
    field="compliance", title="遵医行为", words=("遵医",), options=options(*GOOD_FAIR_POOR), asked=False, bare=()
)
SELF_REPORTED = SelectOne(
    field="self_reported",
    title="数值来源",
    options=options(
        (0, "我当面测的", "当面测", "当面量"),
        (1, "本人或家人说的", "自己量", "自己测", "自己量的", "自己测的", "自测", "自量", "在家量的", "家里量的", "在家测的", "家里测的", "自家量的", "自己在家量",
         "自己在家测", "本人说", "自述", "自报"),
    ),
    asked=False,
)  # fmt: skip
NO_SYMPTOMS = (
    1, "无症状", "无不适", "未诉不适", "没有不舒服", "没什么不舒服", "没不舒服", "没有不适", "没有什么不舒服", "没哪里不舒服", "没有哪里不舒服", "没有症状",
    "没症状", "症状无", "症状:无", "没啥不舒服", "无特殊不适", "无明显不适", "没什么感觉", "没感觉", "没得哪里不舒服", "没得不舒服", "没得什么不舒服", "没得症状", "冇不舒服", "冇得不舒服", "一切正常", "一切都好", "=都好", "=人好", "=好着呢",
    "~没有", "~无", "~没", "~都没有", "~没得", "~没啥", "~没什么", "~好", "~很好", "~还好", "~正常", "~没事",
)  # fmt: skip
"""The first option of every follow-up's symptoms, in the words of villages."""
OTHER_SIGNS = Text(field="other_signs", title="其他体征", words=("其他体征", "体征"), asked=False)
EXAMINATIONS = Text(field="examinations", title="辅助检查", words=("辅助检查",), asked=False)
ADHERENCE = SelectOne(
    field="adherence",
    title="服药依从性",
    ask="药按时吃吗?",
    words=("服药", "吃药", "用药", "依从性"),
    options=options(
        (1, "规律", "=规律", "规律服药", "服药规律", "规律吃药", "吃药规律", "规律用药", "按时吃药", "按时服药", "按时吃", "=按时", "药按时吃", "药规律吃", "药按时",
         "药都按时", "天天吃药", "天天吃", "坚持吃药", "坚持服药", "坚持吃", "药都吃了", "=都吃了", "每天吃药", "每天都吃", "药都吃", "药天天吃",
         "按医嘱吃药", "按医嘱服药", "一直在吃药", "药一直吃", "药一直在吃", "吃药很准时", "药吃得好", "药没断"),
        (2, "间断", "=间断", "间断服药", "间断吃药", "不规律", "服药不规律", "吃药不规律", "有时吃", "有时忘", "有时候忘", "有时候忘记吃", "有时候没吃", "断断续续吃", "时吃时不吃", "吃药断断续续", "药断断续续",
         "断断续续", "吃吃停停", "偶尔忘", "忘记吃", "忘了吃", "漏服", "没按时", "没有按时", "不按时", "未按时", "想起来就吃", "有一顿没一顿", "隔三差五吃"),
        (3, "不服药", "没吃药", "不吃药", "未服药", "没服药", "没用药", "药没吃", "没有吃药", "没有服药", "停药", "停了药", "自己停了", "药停了", "自行停药",
         "药都没吃", "药不吃", "不肯吃药", "不愿吃药", "不想吃药", "药断了", "没在吃药", "不再吃药", "药吃完了没买"),
    ),
    momentary=("今天", "今早", "今晨", "早上", "早晨", "上午", "昨天", "昨晚", "昨日", "这两天", "这几天", "前两天", "晚上"),
)  # fmt: skip
ADVERSE = SelectOne(
    field="adverse_reaction",
    title="药物不良反应",
    words=("不良反应", "副作用"),
    options=options(
        (1, "无", "~没有", "~没", "*无不良反应", "*没有不良反应", "*没不良反应", "*未见不良反应", "*无副作用", "*没副作用", "*没有副作用", "*无药物反应"),
        (2, "有", "*有不良反应", "*有副作用", "*出现不良反应", "吃药过敏"),
    ),
    asked=False,
)  # fmt: skip
ADVERSE_WHAT = Text(field="adverse_reaction_what", title="不良反应表现", asked=False)
COMPLICATION = SelectOne(
    field="new_complication",
    title="新发或加重的并发症",
    words=("并发症",),
    options=options(
        (1, "无", "~没有", "~没", "*无并发症", "*没有并发症", "*没并发症", "*无新发并发症"),
        (2, "有", "*有并发症", "*新发并发症", "*新发中风", "*新发脑卒中", "*新发脑梗", "*新发心梗", "*并发症加重"),
    ),
    asked=False,
)  # fmt: skip
REFERRAL_REASON = Text(field="referral_reason", title="转诊原因", words=("转诊原因",), asked=False)
REFERRAL_TO = Text(
    field="referral_to", title="转诊机构及科别", words=("转诊机构", "已转诊到", "转诊到", "已转诊", "转诊", "送到", "送往", "送去", "转去", "已转到", "转到", "已转", "转诊至", "转往"), asked=False,
    like=r"[^\s,。;\d\ue010]{1,16}?(?:院|卫生院|中心|疾控|急诊)(?:[^\s,。;\d\ue010]{1,8}科)?",
)  # fmt: skip
NEXT = Day(
    field="next_due_on",
    title="下次随访",
    words=("下次", "下回", "下次随访日期", "下次随访时间", "预约", "约", "约好", "约了"),
    after=("复查", "复诊", "复测", "再来", "再量", "再测", "再访", "再随访", "回访", "来复查", "来复诊", "再来量"),
    past=False,
    bare=False,
    asked=False,
)
PREGNANCY = SelectOne(
    field="pregnancy",
    title="妊娠或产后",
    ask="她现在怀孕,或产后12周以内吗?",
    options=options(
        (0, "都不是", "~都不是", "没怀孕", "没有怀孕", "未孕", "未怀孕", "~没有", "~不是", "~没", "~没怀"),
        (1, "怀孕", "=怀孕", "怀孕了", "=孕妇", "有喜了", "怀孕中"),
        (2, "产后12周内", "=产后", "哺乳期", "坐月子"),
    ),
    when=lambda known: known.sex == "female" and known.age is not None and 15 <= known.age <= 49,
)


def odd_pulse(known: Known) -> bool:
    """A pulse that is counted again after five minutes' rest: in diabetes from 101 on (M-7), else from 121 (M-2)."""
    beats = known.answers.get("heart_rate")
    return beats is not None and not 50 <= beats <= (100 if "diabetes" in known.programmes else 120)


def bmi(answers: Mapping[str, Any], known: Known) -> dict[str, Any]:
    """Body mass index kg/m², when weight and height were both given."""
    if "weight" in answers and "height" in answers:
        return {"bmi": round(answers["weight"] / (answers["height"] / 100) ** 2, 1)}
    return {}


def closes(decision: Decision | None, why: str) -> Due:
    """Whoever does not belong in the programme leaves it, with the reason, and is referred (domain.md M-25)."""
    return Due(on=decision.next_due_on if decision else None, ended=f"不符合纳入条件:{why}")


def face_to_face(answers: Mapping[str, Any]) -> bool:
    return answers.get("mode") in (1, 2)


def by_telephone(answers: Mapping[str, Any]) -> bool:
    return bool(answers.get("mode") == TELEPHONE)


def keeping(
    answers: Mapping[str, Any], decision: Decision | None, fields: Iterable[str], service: str | None = None
) -> Due:
    """The next visit on the day the protocol says; what was told of these fields is remembered with the enrolment."""
    kept = {name: answers[name] for name in fields if name in answers}
    return Due(on=decision.next_due_on if decision else None, service=service, details=kept)


def opens_on(window: OnTime | None, decision: Decision) -> date | None:
    """From when the next visit counts, where it is due at the end of its window and not sooner, as a rule wants it."""
    return window.first if window and window.last == decision.next_due_on else None


def untold(field: str) -> Callable[[Known], bool]:
    """Asked while nobody has told it; what was told once, and is remembered, holds until told otherwise."""
    return lambda known: field not in known.details or field in known.answers


def remembered(answers: Mapping[str, Any], known: Known, fields: Iterable[str]) -> dict[str, Any]:
    """Of these fields those that were told before and not today."""
    return {name: known.details[name] for name in fields if name in known.details and name not in answers}


def outside(decision: Decision | None) -> bool:
    return decision is not None and "outside_programme" in decision.flags


def findings_of(answers: Mapping[str, Any], known: Known) -> Findings:
    """What a protocol looks at, for what a form still has to work out of it."""
    return Findings(
        on=known.on,
        answers=answers,
        age=known.age,
        sex=known.sex,
        history=known.past(),
        born_on=known.born_on,
        since=known.since,
        details=known.details,
        settings=known.settings,
    )


def told(decision: Decision | None) -> bool:
    """Were the values told and not measured (M-16)? Then they count for no official figure."""
    return decision is not None and "self_reported" in decision.flags
