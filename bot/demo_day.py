"""The first day of the demo, played through the real intake and sender and told in the terminal."""

from __future__ import annotations

import sys
from typing import TextIO

from bot.phones import Phones
from bot.telling import Telling

ANSWERS = {  # a word of the question -> what 李梅 answers: a button's label where there is one, else typed
    "怎么随访": "家庭",
    "血压是多少": "138/84",
    "是空腹": "空腹",
    "血糖": "6.8",
    "心率": "76",
    "症状": "无症状",
    "足背": "正常",
    "药按时": "规律",
    "不良反应": "无",
    "并发症": "无",
}


async def play(phones: Phones, out: TextIO | None = None) -> None:
    """A day of 李梅 and 王主任, until the next morning's list."""
    telling = Telling(phones, out or sys.stdout)
    await telling.at("08:12", "早上,待访名单已经到了")
    await telling.at("09:05", "一行话就是一条随访")
    await telling.say("doctor", "张桂兰 152/94 心率78 规律服药 无症状 家访")
    await telling.submit("doctor", ANSWERS)
    await telling.at("09:40", "血压很高:当场提醒,公卫科马上知道")
    await telling.say("doctor", "覃凤英 190/115 心率96 规律服药 无症状 门诊")
    await telling.submit("doctor", ANSWERS)
    await telling.at("10:30", "一步一步按按钮填")
    await telling.say("doctor", "高血压随访")
    await telling.say("doctor", "张贵兰")
    await telling.submit("doctor", ANSWERS)
    await telling.at("11:20", "家庭医生签约")
    await telling.say("doctor", "签约 张桂兰 基础包")
    await telling.submit("doctor", ANSWERS)
    await telling.at("16:40", "一场义诊")
    await telling.say("doctor", "义诊 石桥村 46人 体检30 宣传120 签约12")
    await telling.submit("doctor", ANSWERS)
    await telling.at("17:10", "公卫科要数字")
    await telling.say("supervisor", "汇总 本月")
    await telling.move(phones.next_morning(), "第二天早上,名单自己来")
