"""Traditional Chinese medicine for the elderly: 33 questions, nine constitutions, and what to say. 老年人中医体质辨识

Each question is scored 1 没有 to 5 总是. Of the eight biased constitutions, four items each: 11 and more is yes, 9 and 10
tends to; the balanced one has five items, four of them reversed (domain.md A10, M-20).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from handlers.decisions import Findings, Outcome, Protocol, Rule, Urgency

NORM = "老年人中医药健康管理服务技术规范 / domain.md A10"
ITEMS_SOURCE = "安全修正第20条 / domain.md M-20"

ITEMS = (
    "精力充沛吗?(精神头足,乐于做事)",
    "容易疲乏吗?(稍微活动一下就累)",
    "容易气短、接不上气吗?",
    "说话声音低弱无力吗?",
    "感到闷闷不乐、情绪低沉吗?",
    "容易精神紧张、焦虑不安吗?",
    "因为生活改变感到孤独、失落吗?",
    "容易害怕或受惊吓吗?",
    "身体超重、感到不轻松吗?(按体质指数:不到24、24起、25起、26起、28起)",
    "眼睛干涩吗?",
    "手脚发凉吗?(不是天冷穿得少)",
    "胃部、背部或腰膝怕冷吗?",
    "比一般人怕冷吗?",
    "容易感冒吗?(一年不到2次、2~4次、5~6次、8次以上、几乎每月)",
    "没感冒也鼻塞、流鼻涕吗?",
    "口黏口腻或睡觉打鼾吗?",
    "容易过敏吗?(从来没有、一年1~2次、3~4次、5~6次、每次遇到都过敏)",
    "皮肤容易起荨麻疹(风团)吗?",
    "皮肤不知不觉出现青紫瘀斑吗?",
    "皮肤一抓就红、有抓痕吗?",
    "皮肤或口唇干吗?",
    "肢体麻木或固定部位疼痛吗?",
    "面部或鼻部油腻发亮吗?",
    "面色晦暗或有褐斑吗?",
    "有皮肤湿疹、疮疖吗?",
    "口干咽燥、总想喝水吗?",
    "口苦或嘴里有异味吗?",
    "腹部肥大吗?(按腰围:不到80厘米、80~85、86~90、91~105、超过105)",
    "吃凉的不舒服或怕吃凉的吗?",
    "大便黏滞不爽、解不尽吗?",
    "大便容易干燥吗?",
    "舌苔厚腻吗?",
    "舌下静脉瘀紫或增粗吗?",
)
BY_BMI, BY_WAIST = 9, 28

BALANCED, UNCLEAR = 1, 10
CLASSES = {
    1: "平和质", 2: "气虚质", 3: "阳虚质", 4: "阴虚质", 5: "痰湿质", 6: "湿热质", 7: "血瘀质", 8: "气郁质", 9: "特禀质", 10: "未能明确",
}  # fmt: skip
BIASED: Mapping[int, tuple[int, ...]] = {
    2: (2, 3, 4, 14), 3: (11, 12, 13, 29), 4: (10, 21, 26, 31), 5: (9, 16, 28, 32), 6: (23, 25, 27, 30), 7: (19, 22, 24, 33),
    8: (5, 6, 7, 8), 9: (15, 17, 18, 20),
}  # fmt: skip
OF_BALANCED, REVERSED = (1, 2, 4, 5, 13), (2, 4, 5, 13)
YES, TENDS, ENOUGH = 11, 9, 17

ADVICE = {
    1: "起居规律、饮食有节、适量运动,保持就好。",
    2: "少劳累、多休息、避风寒;可吃山药、大枣、鸡肉,少吃生冷;散步、太极拳为宜。",
    3: "腰腹和脚要保暖,多晒太阳;可吃羊肉、韭菜、生姜,少吃生冷。",
    4: "少熬夜、不大汗运动;可吃百合、银耳、鸭肉,少吃辛辣油炸。",
    5: "控制体重和腰围,少吃甜腻、少饮酒;可吃薏米、冬瓜、萝卜;坚持活动。",
    6: "饮食清淡,戒烟限酒、少辛辣;可吃绿豆、苦瓜、冬瓜;保持大便通畅。",
    7: "保暖、多活动;可吃山楂、黑木耳;胸痛或一侧手脚麻木要马上就医。",
    8: "多和人聊天、参加活动;可喝玫瑰花茶;情绪低落超过两周要就医。",
    9: "避开过敏的东西,外出戴口罩;起疹又喘憋要马上就医。",
}


def bmi_item(bmi: float) -> int:
    """The score of item 9, from the body mass index in kg/m² (domain.md M-20)."""
    return 1 + sum(bmi >= limit for limit in (24, 25, 26, 28))


def waist_item(waist: float) -> int:
    """The score of item 28, from the waist in cm: below 80, to 85, to 90, to 105, above (domain.md M-20)."""
    return 1 if waist < 80 else 2 + sum(waist > limit for limit in (85, 90, 105))


def scores(f: Findings) -> Sequence[int]:
    """The 33 scores, or none where they were not all given."""
    given = f.get("scores") or ()
    return given if len(given) == len(ITEMS) else ()


def total(given: Sequence[int], constitution: int) -> int:
    """The sum of a constitution's items."""
    if constitution == BALANCED:
        return sum(6 - given[i - 1] if i in REVERSED else given[i - 1] for i in OF_BALANCED)
    return sum(given[i - 1] for i in BIASED[constitution])


def biased(f: Findings) -> Mapping[int, int]:
    given = scores(f)
    return {code: total(given, code) for code in BIASED} if given else {}


def balanced_within(f: Findings, most: int) -> bool:
    """The balanced items reach 17 and no biased constitution exceeds so much."""
    given = scores(f)
    return bool(given) and total(given, BALANCED) >= ENOUGH and max(biased(f).values()) <= most


def leads(constitution: int, at_least: int) -> Callable[[Findings], bool]:
    """The constitution has the highest sum, and it reaches so much; of equal ones the first."""

    def when(f: Findings) -> bool:
        sums = biased(f)
        return bool(sums) and max(sums.values()) >= at_least and max(sums, key=lambda code: sums[code]) == constitution

    return when


def is_so(constitution: int) -> Callable[[Findings], bool]:
    return lambda f: bool(scores(f)) and biased(f)[constitution] >= YES


def tends_to(constitution: int) -> Callable[[Findings], bool]:
    return lambda f: bool(scores(f)) and TENDS <= biased(f)[constitution] < YES


CLASSIFY = (
    Rule(
        "TCM-01",
        when=lambda f: balanced_within(f, TENDS - 1),
        then=Outcome(classification=BALANCED),
        because="平和质:本型达到17分,其余各型都不超过8分",
        source=NORM,
        certainty="[K]",
    ),
    *(
        Rule(
            f"TCM-{code:02d}",
            when=leads(code, YES),
            then=Outcome(classification=code),
            because=f"{CLASSES[code]}得分最高且达到11分({{sum_{code}}}分),判为是",
            source=NORM,
            certainty="[K]",
        )
        for code in BIASED
    ),
    Rule(
        "TCM-10",
        when=lambda f: balanced_within(f, YES - 1),
        then=Outcome(classification=BALANCED),
        because="基本是平和质:本型达到17分,其余各型都不超过10分",
        source=NORM,
        certainty="[K]",
    ),
    *(
        Rule(
            f"TCM-{10 + code}",
            when=leads(code, TENDS),
            then=Outcome(classification=code),
            because=f"{CLASSES[code]}得分最高,9~10分({{sum_{code}}}分),倾向是",
            source=NORM,
            certainty="[K]",
        )
        for code in BIASED
    ),
    Rule(
        "TCM-20",
        when=lambda f: bool(scores(f)),
        then=Outcome(classification=UNCLEAR),
        because="各型都没有达到判定的分数",
        source=ITEMS_SOURCE,
        certainty="[D]",
    ),
    Rule(
        "TCM-21",
        when=lambda f: True,
        then=Outcome(classification=None),
        because="33题没有填全,不能判定体质",
        source=ITEMS_SOURCE,
        certainty="[D]",
    ),
)

ACT = (
    *(
        Rule(
            f"TCM-{30 + code}",
            when=is_so(code),
            then=Outcome(say=f"{CLASSES[code]}:{ADVICE[code]}"),
            because=f"{CLASSES[code]}达到11分({{sum_{code}}}分),是",
            source=NORM,
            certainty="[K]",
        )
        for code in BIASED
    ),
    *(
        Rule(
            f"TCM-{40 + code}",
            when=tends_to(code),
            then=Outcome(say=f"倾向{CLASSES[code]}:{ADVICE[code]}"),
            because=f"{CLASSES[code]}9~10分({{sum_{code}}}分),倾向是",
            source=NORM,
            certainty="[K]",
        )
        for code in BIASED
    ),
    Rule(
        "TCM-50",
        when=lambda f: balanced_within(f, TENDS - 1),
        then=Outcome(say=f"平和质:{ADVICE[BALANCED]}"),
        because="平和质",
        source=NORM,
        certainty="[K]",
    ),
    Rule(
        "TCM-51",
        when=lambda f: True,
        then=Outcome(),
        because="65岁及以上每年一次中医体质辨识和保健指导",
        source=NORM,
        certainty="[K]",
    ),
)


def schedule(f: Findings, classification: int | None, urgency: Urgency, within: int | None) -> date | None:
    """每年一次,和老年人体检一起做,不单独排期。"""
    return None


def values(f: Findings) -> Mapping[str, object]:
    return {f"sum_{code}": amount for code, amount in biased(f).items()}


protocol = Protocol(
    code="tcm_constitution",
    title="老年人中医体质辨识",
    version="2013+M",
    source="老年人中医药健康管理服务技术规范",
    classifications=CLASSES,
    classify=CLASSIFY,
    act=ACT,
    schedule=schedule,
    values=values,
)
