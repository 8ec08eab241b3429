"""What the simulator's page offers to press: a WeCom app's tabs, example lines, files to send."""

from __future__ import annotations

from typing import Any

from handlers.commands import COMMANDS
from models.message import File

FILES = {
    "photo": File("photo.jpg", "simulated", "photo"),
    "sticker": File("sticker", "simulated", "sticker"),
    "voice": File("voice", "simulated", "voice"),
    "location": File("location", "27.2,109.8", "location"),
}
MENU = (  # the three tabs at the bottom of a WeCom app, at most five words each
    ("待访", ("今日", "逾期", "查", "随访")),
    ("记一条", ("签约", "义诊", "建档", "更正", "撤销")),
    ("更多", ("汇总", "上一步", "取消", "帮助")),
)
EXAMPLES = {
    "doctor": (
        ("一行话就是一条随访", "张桂兰 152/94 心率78 规律服药 无症状 家访"),
        ("血糖、血压一起记", "血糖8.2 135/85 王建国"),
        ("血压很高:当场提醒,公卫科马上知道", "覃凤英 190/115"),
        ("名字写错、高低压写反,会问一句", "张桂蓝 94/152"),
        ("家庭医生签约", "签约 张桂兰 基础包"),
        ("一场义诊", "义诊 石桥村 46人 体检30 宣传120 签约12"),
        ("一步一步按按钮填", "随访"),
        ("今天该访谁", "今日"),
    ),
    "supervisor": (
        ("要数字直接问", "汇总 本月"),
        ("换地方、换时间", "汇总 托口镇 上个月"),
        ("谁过期没访", "逾期"),
        ("还能做什么", "帮助"),
    ),
}


def page_words() -> dict[str, Any]:
    """What does not change while the page is open."""
    known = {command.word for command in COMMANDS}
    return {
        "commands": [{"slash": c.slash, "word": c.word, "about": c.about} for c in COMMANDS],
        "menu": [{"tab": tab, "words": [word for word in words if word in known]} for tab, words in MENU],
        "examples": {who: [{"why": why, "line": line} for why, line in lines] for who, lines in EXAMPLES.items()},
    }
