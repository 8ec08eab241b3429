"""A calendar day: the day of the visit, the next one, a birthday."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from handlers.reading import dates
from handlers.steps.base import Answer, Found, Known, NotUnderstood, Step, any_of, digits, quoted
from models.conversation import Doubt

_ANNOUNCES_OTHER = re.compile(
    r"(?:下次|下回|预约|复查|复诊|到期|截止|至|出生|生于|生日|末次月经|预产期|约在|约|从|自)[\s:是为在于]*$"
)
_ABOUT_OTHER = re.compile(
    r"\s*(?:约[的好]|预约|说好|通知|复查|复诊|复测|再来|再量|再测|再访|回访|出生|生的|起|前要|之前要)"
)
_AROUND_A_DAY = r"就?是|在|于|从|到|约|大概|好像|应该|上午|下午|早上|早晨|清早|中午|晚上|凌晨|半夜|开始|那天|这天|当天|[是的了去来吃做建查生打采剖顺出入收接领签测量写说起有个点半号日天吧呢啊呀哦,。\s:、]"
"""What people say around a day without meaning another one."""
LONG_AGO = timedelta(days=100)  # later than a quarter, nobody writes a visit down without being asked
_YEAR_SAID = re.compile(r"(?:19|20)\d\d|\d\d年")
_WENT_THERE = re.compile(r"\s*(?:[上下]午)?(?:才|我)?(?:去|上门|家访|入户|走访|打电话|听说|知道|发现)")
# What may touch the day of a visit. Anything else ("昨天开始头晕", "11月15号开始吃药") may be the day of something else.
_VISIT_GOES_ON = re.compile(
    r"\s*(?:$|[^\u4e00-\u9fff]|的?(?:去|上门|入户|随访|家访|访|量|测|来|在|到|给|为|帮|对|血压|高压|大压|收缩压|空腹|餐后|随机|血糖|心率"
    r"|体重|电话|门诊|义诊|签|建档|登记|健康|咨询|讲座|讲课|培训|走访|举办|组织|开展|专家|上午|下午|早上|早晨|中午|晚上|傍晚|打电话|微信|视频|第|是|补"
    r"|[\u4e00-\u9fff]{1,6}(?:村|社区|镇|乡|义诊|卫生室|学校|广场|集市)|[\u4e00-\u9fff]{1,8}来[\u4e00-\u9fff]{0,8}(?:义诊|坐诊|支援|讲课|培训|带教)))"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Day(Step):
    """A calendar day. `past` days may not lie in the future, and not long ago without a question.

    Inside a line a bare date is this day, and asked when it lies long ago; with `bare` False its own words must announce
    it (下次, 末次月经 …), one of `after` follow it (12月20号复查) or one of
    `before` stand right before it (去世了 11月8号). `with_year`: a bare date must say its year.
    """

    past: bool = True
    bare: bool = True
    with_year: bool = False
    after: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    either_way: bool = False
    """The day may lie before or after today (an agreement's first day)."""

    def read(self, text: str, known: Known) -> Answer:
        found = dates.read_day(text, known.today, prefer=self._direction)
        if found.on is None and found.maybe is not None:
            return self._offered(quoted(text), found.maybe, known)
        if found.on is None:
            raise NotUnderstood(
                found.doubt or f"没看懂日期“{quoted(text)}”。可以写“今天”“昨天”“11月8号”或“2026-11-08”。"
            )
        checked = self._checked(found.on, known)
        if checked.values and (said := self._of_something_else(text, known)):
            iso = found.on.isoformat()
            return Answer(
                {}, Doubt(f"“{said}”:{self.title}是 {iso} 吗?不是请写日期。", [(f"是,{iso}", {self.field: iso})])
            )
        return checked

    def _of_something_else(self, text: str, known: Known) -> str:
        """What is said around the day in a reply, where it may be the day of something else: 今天下雨."""
        line = digits(text)
        day = next(iter(dates.find_day(line, known.today, prefer=self._direction, bare=True)), None)
        around = line if day is None else line[: day.start] + " " + line[day.end :]
        words = any_of({self.title, *self.words, *self.after})
        left = re.sub(rf"{words}|{_AROUND_A_DAY}", "", around)
        return quoted(text) if re.search(r"[\u4e00-\u9fff]{2}", left) else ""

    def find(self, line: str, known: Known) -> Iterator[Found]:
        for day in dates.find_day(line, known.today, prefer=self._direction):
            announced = self._announced.search(line[: day.start])
            follows = self._follows.match(line, day.end) if self.after else None
            start = announced.start() if announced else day.start
            if (
                announced or follows or self._stands_after(line, day.start, day.end)
            ):  # 起 belongs to the date; 病故 is for another step to read as well
                end = follows.end() if follows and len(follows[0].strip()) == 1 else day.end
                yield Found(start, end, self._found(day, line, known), announced=True)
            elif self.bare and not _ANNOUNCES_OTHER.search(line[: day.start]) and not _ABOUT_OTHER.match(line, day.end):
                if not self.with_year:
                    yield Found(start, day.end, self._bare(day, line, known))
                elif _YEAR_SAID.match(line, day.start):
                    yield Found(start, day.end, self._found(day, line, known))

    def _stands_after(self, line: str, start: int, end: int) -> bool:
        """Right after its words, and not the day on which somebody went there (去世了 昨天去才知道)."""
        if not self.before or _WENT_THERE.match(line, end):
            return False
        return bool(re.search(rf"(?:{any_of(self.before)})[了的]?[\s,:]*$", line[:start]))

    @property
    def spoken(self) -> tuple[str, ...]:
        return (*super().spoken, *self.after)

    @property
    def _direction(self) -> dates.Prefer:
        return "past" if self.past and not self.either_way else "future"

    def _found(self, day: dates.DayFound, line: str, known: Known) -> Answer:
        if day.on is None and day.maybe is not None:
            return self._offered(line[day.start : day.end], day.maybe, known)
        if day.on is None:
            return Answer({}, Doubt(day.doubt or f"这个{self.title}没看懂,请写成“11月8号”这样。", []))
        return self._checked(day.on, known)

    def _offered(self, said: str, day: date, known: Known) -> Answer:
        """A lunar day is asked back as a calendar date."""
        checked = self._checked(day, known)
        if not checked.values:
            return checked
        ask = f"“{said}”像是农历,{self.title}是公历 {day.isoformat()} 吗?不是请写公历的日期。"
        return Answer({}, Doubt(ask, [(f"是,{day.isoformat()}", checked.values)]))

    def _bare(self, day: dates.DayFound, line: str, known: Known) -> Answer:
        """A date that nothing announces; where other words touch it, it is asked whether it is this one."""
        long_ago = day.on is not None and self.past and known.today - day.on > LONG_AGO
        if day.on is None or (_VISIT_GOES_ON.match(line, day.end) and not long_ago):
            return self._found(day, line, known)
        if day.on == known.today:
            return Answer({})
        said, iso = line[day.start : day.end], day.on.isoformat()
        return Answer({}, Doubt(f"“{said}”({iso})是{self.title}吗?", [(f"是,{iso}", {self.field: iso}), ("不是", {})]))

    @cached_property
    def _announced(self) -> re.Pattern[str]:
        return re.compile(rf"(?:{any_of((self.title, *self.words))})[\s:是为在于约定从]*$")

    @cached_property
    def _follows(self) -> re.Pattern[str]:
        return re.compile(rf"\s*(?:{any_of(self.after)})")

    def _checked(self, day: date, known: Known) -> Answer:
        if self.past and not self.either_way and day > known.today:
            return Answer(
                {}, Doubt(f"{self.title}{day:%Y-%m-%d}还没到(今天是{known.today:%Y-%m-%d}),请写实际的日期。", [])
            )
        if not self.past and not self.either_way and day <= known.today:
            return Answer({}, Doubt(f"{self.title}{day:%Y-%m-%d}不在今天之后,请再写一次。", []))
        return Answer({self.field: day.isoformat()})

    def show(self, answers: Mapping[str, Any]) -> str:
        return str(answers[self.field])
