"""What both forms for tuberculosis ask: symptoms (0 is none here), danger, the regimen and who watches it taken (A4)."""

from __future__ import annotations

from handlers.forms import common
from handlers.forms.danger import danger_step
from handlers.protocols import tb
from handlers.steps import SelectMany, SelectOne, Text, options

SYMPTOMS = SelectMany(
    field="symptoms",
    title="症状",
    ask="现在有什么不舒服?可以多选。",
    none_code=tb.NO_SYMPTOMS,
    options=options(
        (0, "没有症状", *common.NO_SYMPTOMS[1:]),
        (1, "咳嗽咳痰", "咳嗽", "咳痰", "还咳", "有痰", "还在咳"),
        (2, "低热盗汗", "低热", "盗汗", "低烧", "夜里出汗"),
        (3, "咯血或血痰", "咯血", "血痰", "痰中带血", "痰里有血", "痰里带血", "痰里有血丝", "血丝痰", "咳血"),
        (4, "胸痛消瘦", "胸痛", "消瘦", "瘦了"),
        (5, "恶心纳差", "恶心", "纳差", "不想吃", "吃不下", "没胃口", "想吐"),
        (6, "关节疼痛", "关节痛", "关节疼"),
        (7, "头痛失眠", "头痛", "失眠", "睡不着"),
        (8, "视物模糊", "看不清", "眼睛花", "看东西模糊"),
        (9, "皮肤瘙痒、皮疹", "皮肤瘙痒", "皮疹", "身上痒", "起疹子", "皮肤痒"),
        (10, "耳鸣、听力下降", "耳鸣", "听力下降", "听不清"),
        (11, "其他症状", "=其他"),
    ),
)
_WORSE = ("breathless", "high_fever")
DANGER = danger_step(
    tb.DANGER_SIGNS,
    tb.danger_question,
    offered={
        3: ("much_blood", "breathless", "fainting"),
        4: ("breathless", "chest_pain_10min"),
        5: ("yellow_eyes", "dark_urine"),
        8: ("vision_loss",),
        9: ("severe_rash", "high_fever"),
        10: ("hearing_loss",),
    },
    otherwise=("much_blood", "yellow_eyes", "dark_urine", "severe_rash", "vision_loss", "hearing_loss", *_WORSE),
    no_symptoms=tb.NO_SYMPTOMS,
    said={
        "much_blood": ("大咯血", "大口吐血", "大口咯血", "大口咳血"),
        "breathless": ("喘不上气", "静坐也喘"),
        "yellow_eyes": ("眼睛黄", "眼睛也黄", "眼睛发黄", "眼白黄", "眼珠黄", "皮肤发黄", "皮肤黄", "黄疸"),
        "dark_urine": (
            "尿黄得像茶",
            "尿黄得像浓茶",
            "尿像茶",
            "尿像浓茶",
            "尿色像茶",
            "小便像浓茶",
            "小便像茶",
            "浓茶色尿",
        ),
        "severe_rash": ("全身皮疹", "脱皮"),
        "vision_loss": ("视力下降",),
        "high_fever": ("高烧", "高热"),
    },
)
_LETTERS = r"\d{0,2}H[A-Z0-9()]{1,14}(?:\s*/\s*\d{0,2}H[A-Z0-9()]{0,14})?"
REGIMEN = Text(
    field="regimen", title="化疗方案", ask="化疗方案是什么?例如 2HRZE/4HR,照治疗记录卡写。", words=("化疗方案", "治疗方案", "方案"),
    like=_LETTERS, by_itself=True, longest=60, when=common.untold("regimen"),
)  # fmt: skip
REGIMEN_USE = SelectOne(
    field="regimen_use",
    title="用法",
    ask="药怎么吃?",
    options=options((1, "每日", "=每天吃", "*每日服药"), (2, "间歇", "*隔日", "*隔天吃", "*隔日服药", "*间歇服药")),
    when=common.untold("regimen_use"),
)
DOSAGE_FORMS = SelectMany(
    field="dosage_forms",
    title="药品剂型",
    ask="是哪种药?可以多选。",
    when=common.untold("dosage_forms"),
    none_code="",
    options=options(
        (1, "固定剂量复合制剂", "复合制剂", "FDC", "合剂"),
        (2, "散装药", "散装"),
        (3, "板式组合药", "板式药", "板式"),
        (4, "注射剂", "打针的药", "注射"),
    ),
)
_WATCHED = tuple(
    f"*{who}{how}"
    for who in ("家属", "家里人", "老婆", "老公", "老伴", "儿子", "女儿", "媳妇")
    for how in ("督促", "盯着吃", "看着吃")
)
SUPERVISOR = SelectOne(
    field="supervisor",
    title="督导人员",
    ask="谁看着病人吃药?",
    when=common.untold("supervisor"),
    words=("督导", "督导员"),
    options=options(
        (1, "医生", "*医生督导", "*村医督导", "*医务人员督导", "*我督导", "=村医"),
        (
            2,
            "家属",
            "*家属督导",
            "*家里人督导",
            "*老伴督导",
            "*儿子督导",
            "*女儿督导",
            "*老婆督导",
            "*丈夫督导",
            *_WATCHED,
        ),
        (3, "自服药", "*自服药", "自己吃药", "*没人督导"),
        (4, "其他", "*志愿者督导"),
    ),
)
REMEMBERED = ("supervisor", "regimen", "regimen_use", "dosage_forms")
"""Told once, they hold until told otherwise."""
