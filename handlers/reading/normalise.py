"""Tidying what was typed: one spelling for every digit, slash, point and space, and nothing guessed.

Letters that look like digits stay as they are ("l46"), because the reader of numbers has to see them and ask.
"""

import re

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACES = dict.fromkeys([0x09, 0x0B, 0x0C, 0xA0, 0x3000, 0x1680, 0x202F, 0x205F, *range(0x2000, 0x200B)], " ")
_BRACKETS = dict.fromkeys(map(ord, "()[]{}（）［］｛｝【】〔〕「」『』《》〈〉〖〗"), " ")
_INVISIBLE = dict.fromkeys(
    (0xAD, 0x180E, 0x20E3, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))
)
# A tick or a cross after a symptom is its answer, and ➕➕ is how urine protein is tapped: these faces are words.
_TAGGING = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0000, 0xE0080)))
_MEANT = dict.fromkeys(map(ord, "✓✔☑✅"), "√") | dict.fromkeys(map(ord, "✗✘❌❎☒✖"), "×") | {0x2795: "+", 0x2796: "-"}
_SIGNS = (
    dict.fromkeys(map(ord, "∕⁄⧸╱"), "/")
    | dict.fromkeys(map(ord, "‐‑‒–—―−─﹣ー"), "-")
    | dict.fromkeys(map(ord, "～〜∼"), "~")
    | dict.fromkeys(map(ord, "•∙⋅・‧･"), "·")
    | {0xFF61: "。", 0x2028: "\n", 0x2029: "\n", 0x85: "\n", 0x0D: "\n"}
)
_TABLE = _FULL_WIDTH | _SPACES | _INVISIBLE | _TAGGING | _SIGNS | _MEANT | _BRACKETS

# What chat apps put in front of a forwarded message, and the faces they write as words. Faces that could be a symptom
# ([吐], [晕], [发烧]) are left standing.
_TAGS = re.compile(
    r"[\[【［](?:语音转文字|语音|转文字|转发|聊天记录|图片|视频|文件|位置|链接|动画表情|表情"
    r"|微笑|强|玫瑰|抱拳|OK|呲牙|捂脸|合十|握手|鼓掌|咖啡|加油|愉快|偷笑|害羞|憨笑|拥抱|爱心|太阳|胜利|好的|旺柴|机智|嘿哈|耶)[\]】］]"
)
_PICTURES = re.compile(
    "[\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf\u2b00-\u2bff\ue000-\uf8ff\U0001f000-\U0001faff]+"
)
_ARROWS = "←→↑↓"  # "150/90→140/86", "血压↑": meant, so kept

_SLASH = re.compile(r"(?<=\d) ?(?:\\|丨|\||/) ?(?=\d)")
_DASH = re.compile(r"(?<=\d)-{2,}(?=\d)|(?<=\d\d)一(?=\d\d)")  # a keyboard that offers 一 for the dash: "152一94"
# What follows the digit tells a decimal from two sentences: "空腹7。3天后复查" is 7, and 3 days later.
_COUNTED = "天日周月年次个人号时分点刻片粒颗支根包户份组:"
_POINT = re.compile(rf"(?<![\d.])(\d{{1,3}})(?:[·。]| [.·。] ?)(\d)(?![\d.{_COUNTED}-])")
_MEASURED = r"(?:公斤|千克|kg|斤|mmol|mg|℃|度|米|厘米|cm|%|两)"
_DIAN = re.compile(rf"(?<![\d.])(\d{{1,3}})点(\d(?![\d.{_COUNTED}-])|\d\d(?= ?{_MEASURED}))")
_DIAN_LARGE = re.compile(r"(?<![\d.])(2[5-9]|[3-9]\d|\d{3})点(?=\d{1,2}(?!\d))")  # no clock strikes 36: "36点55"
_LINE = re.compile(r" *\n *")
_SPACE = re.compile(" {2,}")
_GAPS = re.compile(r"\n{3,}")


def tidy(text: str) -> str:
    """The same words with half-width digits and signs, decimal points between digits, and no faces.

    >>> tidy("【杨二狗】【１４８／７２】 空腹 6 . 7")
    '杨二狗 148/72 空腹 6.7'
    """
    if "[" in text or "【" in text or "［" in text:
        text = _TAGS.sub(" ", text)
    text = text.replace("\r\n", "\n").translate(_TABLE)
    text = _PICTURES.sub(_without_picture, text)
    if "  " in text:
        text = _SPACE.sub(" ", text)
    text = _DASH.sub("-", _SLASH.sub("/", text))
    text = _POINT.sub(_with_a_point, text)
    if "点" in text:
        text = _DIAN_LARGE.sub(r"\1.", _DIAN.sub(_with_a_point, text))
    if "\n" in text:
        text = _GAPS.sub("\n\n", _LINE.sub("\n", text))
    return text.strip()


def _with_a_point(found: re.Match[str]) -> str:
    return f"{found[1]}.{found[2]}"  # a template is parsed for every text, whether or not it is needed


def _without_picture(found: re.Match[str]) -> str:
    kept = "".join(sign for sign in found[0] if sign in _ARROWS or sign in "√①②③④⑤⑥⑦⑧⑨⑩℃℉")
    return kept or " "
