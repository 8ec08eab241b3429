"""How danger signs are said in villages (south-western Mandarin and Xiang included), by the sign's code: one table for every form.

A word here makes an alarm. What may be old or harmless stays out: 偏瘫 (since the stroke of years ago), 抽筋 (of the calf).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SIDE = r"(?:[左右一半单][边侧](?:的|个)?|偏边|半个)"
_LIMB = r"(?:手脚?|脚|腿|身子|身体|肢体|胳膊|手臂)"
_WEAK = r"(?:都|突然)?(?:没有?力气?|无力|没得力|没劲|动不了|不能动|不会动|动弹不得|抬不起来?|不听使唤|使不上劲)"
_PAIN = r"(?:胸口?|心口|心窝)(?:里|前)?(?:痛|疼|闷|压得慌|压得难受|像压了?石头|发紧)"
_LONG = r"(?:[1-9]\d\d?\s?分钟?|[\d.几半]+\s?个?(?:多)?小时|半天|[1一]天|[1一]晚)"
_MUCH = r"(?:(?:[1一]|0\.5)\s?整?(?:瓶|把)|整瓶|大把|[2-9]\d\s?[片粒颗]|好多|很多)"
_FACE = r"(?:嘴唇|口唇|嘴巴|嘴|唇|脸|面色|脸色|指甲)"

SPOKEN: Mapping[str, Sequence[str]] = {
    "altered_consciousness": (
        "昏迷", "叫不醒", "喊不醒", "喊不应", "叫不应", "不省人事", "神志不清", "意识不清", "神智不清", "意识模糊", "神志模糊", "迷迷糊糊", "人事不知",
        "突然糊涂", "人糊涂了", "说胡话", "讲胡话", "突然不认得人", "突然不认识人", "昏睡",
    ),
    "fainting": ("晕倒", "昏倒", "晕过去", "昏过去", "晕厥", "昏厥", "晕死过去", "昏死过去", "栽倒"),
    "convulsion": ("抽搐", "抽风", "抽疯", "惊厥", "全身抽", "一身抽", "口吐白沫", "发羊癫疯", "发羊角风"),
    "one_sided_or_speech": (
        "嘴歪", "嘴巴歪", "嘴角歪", "口角歪", "口眼歪斜", "口歪", "歪嘴", "讲话不清", "说话不清", "讲不清话", "说不清话", "说不出话", "讲不出话", "话都讲不出",
        "话讲不清", "话说不清", "大舌头", "口齿不清", "舌头打结", "舌头硬",
    ),
    "cold_sweat": ("一身冷汗", "冒冷汗", "出冷汗", "冷汗", "大汗淋漓", "汗出如雨"),
    "severe_headache": ("天旋地转", "头像要裂", "头要炸", "脑壳要炸", "脑壳要裂", "头要裂"),
    "sudden_vision": ("突然看不见", "突然看不清", "突然眼前发黑", "突然眼睛黑", "眼睛突然黑", "突然眼睛看不见"),
    "eye_pain": ("眼睛痛", "眼睛疼", "眼痛", "眼珠痛", "眼睛胀痛", "眼球痛"),
    "cannot_lie_flat": (
        "不能平卧", "不能平躺", "不能躺平", "躺不下", "躺不平", "睡不平", "睡不下去", "平躺不了", "平躺不下", "躺下就喘", "睡下就喘", "只能坐着睡", "要坐着睡", "坐着才能睡", "坐起才能睡",
    ),
    "bleeding_not_stopping": ("血止不住", "止不住血", "流血不止", "出血不止", "止不了血"),
    "back_pain": ("背心痛得厉害", "后背痛得厉害", "胸背痛得厉害", "撕裂样痛", "撕裂一样痛", "背像撕开"),
    "sweating_palpitation": ("冒冷汗", "出冷汗", "一身冷汗", "冷汗", "心慌手抖", "手抖心慌", "心慌出汗", "发抖出汗", "冒虚汗", "饿得心慌"),
    "vomiting": ("恶心", "呕吐", "想吐", "作呕", "吐了", "发呕"),
    "abdominal_pain": ("肚子痛", "肚子疼", "腹痛", "肚痛"),
    "acetone_breath": ("烂苹果",),
    "deep_breathing": ("呼吸很深", "呼吸深快", "呼吸又深又快", "大口大口喘", "深大呼吸"),
    "poor_appetite": ("不想吃东西", "不想吃饭", "吃不下饭", "吃不下东西", "没胃口", "饭都吃不下"),
    "sudden_breathless": ("突然喘", "突然气紧", "突然出不来气", "喘得厉害", "喘得讲不出话", "喘得说不出话", "比平时喘得多"),
    "cyanosis": ("嘴唇发紫", "嘴唇发乌", "嘴巴发乌", "嘴巴发紫", "嘴发乌", "嘴发紫", "口唇发绀", "脸发紫", "脸发乌"),
    "drowsy": ("嗜睡", "昏昏沉沉", "昏沉沉", "反应迟钝", "想睡叫不醒", "老是要睡"),
    "new_oedema": ("新出现脚肿", "突然脚肿", "突然腿肿"),
    "black_stool": ("黑便", "呕血", "吐血", "屙黑屎", "拉黑屎", "解黑便", "大便发黑", "柏油样便", "吐咖啡样"),
    "much_blood": ("大咯血", "大口咯血", "大口吐血", "大口咳血", "吐了半碗血", "吐了一碗血", "咳了半杯血", "吐血不止", "咯血不止"),
    "breathless": ("坐着也喘", "坐着都喘", "静坐也喘", "坐着都出不赢气"),
    "yellow_eyes": ("眼睛黄", "眼睛发黄", "皮肤黄", "皮肤发黄", "眼白黄", "一身黄"),
    "dark_urine": ("尿像浓茶", "尿像酱油", "浓茶尿", "浓茶色", "酱油色", "尿像茶"),
    "severe_rash": ("全身皮疹", "全身起疹", "一身疹子", "全身起泡", "脱皮"),
    "high_fever": ("高烧", "高热"),
}  # fmt: skip

LOOKS_LIKE: Mapping[str, str] = {
    "poisoned": rf"药[^\s,。;\d]{{0,3}}吃了?{_MUCH}|[吃喝吞]了?{_MUCH}(?:的)?(?:药|农药|安眠药)",
    "much_blood": r"[吐咳咯]了?血?\s?[^\s,。;\d]{0,2}\d+(?:\.\d+)?\s?[碗杯盆](?:血)?",
    "one_sided_or_speech": rf"{_SIDE}{_LIMB}{_WEAK}",
    "chest_pain_10min": rf"{_PAIN}[^\s,。;\d]{{0,4}}{_LONG}",
    "severe_headache": r"(?<=[头壳袋][痛疼晕昏])(?:得|的)(?:很)?(?:要裂开?|要命|厉害|受不了|要炸|不得了|要死|凶)|(?:剧烈|要命)的?(?=头|脑)",
    "cyanosis": rf"{_FACE}(?:都|有点)?(?:[发变])?[乌紫绀青](?:了|的)?",
    "hard_breathing": rf"{_FACE}(?:都|有点)?(?:[发变])[乌紫绀青](?:了|的)?|出不[赢来上]气|出气困难|喘不[过上]气|胸口凹",
    "pale_or_blue": rf"{_FACE}(?:都|有点)?(?:[发变])[乌紫绀青](?:了|的)?",
}
"""The same as patterns of a line whose numerals are digits."""

BEYOND_A_VILLAGE = ("cannot_lie_flat", "cyanosis", "black_stool", "bleeding_not_stopping")
"""Whoever has these is sent to hospital, whatever form it is told on."""
BREATHLESS = (
    "出不赢气",
    "出气不赢",
    "出气困难",
    "出气紧",
    "气紧",
    "憋气",
    "上不来气",
    "气不够用",
    "喘不赢",
    "接不上气",
)
"""Breathless, as a symptom."""
CHEST = ("胸痛", "胸疼", "胸口痛", "胸口疼", "心口痛", "心口疼", "胸口压得慌", "胸口发紧", "胸口压得难受")
"""Pain or tightness of the chest, as a symptom; how long it has lasted is another question."""
