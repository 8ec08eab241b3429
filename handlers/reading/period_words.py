"""The words for periods, in the order in which they are tried."""

import re
from functools import cache

PERIOD_YEARS = {"前年": -2, "去年": -1, "上年": -1, "今年": 0, "本年": 0, "明年": 1}

_H = "一二三四五六七八九"
_M = rf"(?:1[0-2]|0?[1-9]|十[一二]?|[{_H}])"
_D = rf"(?:\d{{1,2}}|三十一?|二?十[{_H}]?|[{_H}])"
_SAID = "(?:" + "|".join(PERIOD_YEARS) + ")度?的?"
_YEAR = rf"(?:(?:19|20)\d\d年?度?|\d\d年度?|[二〇零{_H}]{{2,4}}年度?|{_SAID})\ ?的?"
_ISO = r"(?:(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2})"
_DAY = rf"(?:{_ISO}|(?:{_YEAR})?{_M}月{_D}[日号]?)"
_TO = r"\ ?(?:\.\.|[-~到至])\ ?"
_SHORT = r"(?:\d{1,2}[./]\d{1,2})"  # "11.1-11.15": a day only where both ends are written so
_MONTH_OF_YEAR = rf"(?:(?:19|20)\d\d[-./](?:1[0-2]|0?[1-9])(?![\d./-])|(?:{_YEAR})?{_M}月(?![龄经子\d])份?)"
_QUARTER = rf"(?:(?:{_YEAR})?[-\ ]?(?:[Qq][1-4]|第?[1-4{_H[:4]}]季度?))"
_NEAR = r"(?:上上|[上这本])个?(?:周|星期|礼拜)[一二三四五六日天]|大前[天日]|[前昨今][天日]|今[早晚]|昨[晚日]|当天"
_START = rf"(?:{_DAY}|(?:{_YEAR})?{_M}月份?[上中下]旬|{_MONTH_OF_YEAR}|{_QUARTER}|{_SAID}|(?:{_SAID})?国庆节?|[上本这当]个?(?:月|周|季度)|昨天|前天)"
_RELATIVE = r"(?:上上|[上本这当])个?(?:周|星期|礼拜|月份?|季度)"


@cache
def a_period() -> re.Pattern[str]:
    """A period anywhere in a text. Compiled when it is first used, for that takes 20 ms."""
    return re.compile(
        rf"""(?<!\d)(?:
     (?P<day_range>{_DAY}{_TO}(?:{_DAY}|{_D}[日号])|{_SHORT}\ ?(?:\.\.|[-~到至])\ ?{_SHORT}(?![\d./]))
    |(?P<to_today>{_START}\ ?的?(?:[到至-](?:今天?|现在|目前)(?:为止)?|以来|起至今))
    |(?P<part_of_month>(?:(?:{_YEAR})?{_M}月份?|[上本这]个?月)[上中下]旬)
    |(?P<one_day>{_ISO}|(?:{_YEAR})?{_M}月(?:{_D}[日号]|\d{{1,2}}(?![\d个人次份岁天.]))|{_NEAR})
    |(?P<maternal_year>(?:{_YEAR})?\ ?妇幼(?:卫生)?年度)
    |(?P<quarter>(?:{_YEAR})?[-\ ]?(?:[Qq][1-4](?!\d)|第?[1-4{_H[:4]}](?:[-~到至]第?[1-4{_H[:4]}])?个?季度|前[两二三23]个?季度))
    |(?P<half>(?:{_YEAR})?[上下]半年)
    |(?P<month_range>(?:{_YEAR})?{_M}月?份?{_TO}(?:{_YEAR})?{_M}月份?)
    |(?P<month>{_MONTH_OF_YEAR})
    |(?P<recent>(?:最近|近|过去|这)(?:\d{{1,3}}|[{_H}十两半]{{1,3}})个?(?:天|日|周|星期|礼拜|月|年|季度))
    |(?P<relative>{_RELATIVE}(?![{_H}日天末\d]))
    |(?P<year>(?:19|20)\d\d年?度?(?![\d./:-])|{_SAID}|(?<![\u4e00-\u9fff])2\d年度?(?![后前多来以])|[二〇零][〇零{_H}]{{3}}年度?|(?:本|全)年度?|年度)
    )的?""",
        re.VERBOSE,
    )


DAY_RANGE = re.compile(rf"({_DAY}|{_SHORT}){_TO}({_DAY}|{_D}[日号]|{_SHORT})")
