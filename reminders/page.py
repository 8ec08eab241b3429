"""Everything said unasked on one page, for whoever has to approve it: to whom, when, what it opens, what ends it. 时间表"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from models.people import ROLE_TITLES
from models.preferences import CAN_BE_OFF, EARLIEST, LATEST, THRESHOLDS, QuietHours
from models.services import SERVICES
from reminders.days import DAYS_TITLES, Period, every_day
from reminders.digest import Digest, Part
from reminders.entry import Entry
from reminders.reminder import Reminder
from reminders.timetable import CLOCKS, ON_EVENTS, TIMETABLE

PERIODS = {Period.WEEK: "每周第一个工作日", Period.MONTH: "每月第一个工作日", Period.QUARTER: "每季第一个工作日"}
INTRODUCTION = f"""# 时间表

本页由程序生成,列出机器人主动说的每一句话。内容在发出的那一刻才生成:已经办好的不会再提,没有内容的整条取消。
过了时间窗就不再补发,并入下一次;每周、每月、每季的,前三个工作日里补。
免打扰时段 {QuietHours().begins:%H:%M} 到 {QuietHours().ends:%H:%M},急症和标“立即”的除外。
每天的提醒时间本人可改,{EARLIEST:%H:%M} 到 {LATEST:%H:%M} 之间。
"""


def page() -> str:
    """The page as Markdown."""
    digests = [entry.reminder for entry in TIMETABLE if isinstance(entry.reminder, Digest)]
    events = [(r.title, r.code, r.whom, r.ends) for r in ON_EVENTS]
    return "\n".join(
        [
            INTRODUCTION,
            "## 按钟点\n",
            _table(("提醒", "代码", "发给谁", "哪些天", "几点", "最晚", "可关"), map(_entry, TIMETABLE)),
            *(part for digest in digests for part in _digest(digest)),
            "## 按时限\n",
            _table(
                ("提醒", "代码", "发给谁", "时间窗", "打开", "什么时候不再说"),
                (
                    (*_named(clock.reminder), clock.reminder.whom, _length(clock.window), _opens(clock.reminder.opens), clock.reminder.ends)
                    for clock in CLOCKS
                ),
            ),
            "## 立即\n",
            _table(("提醒", "代码", "发给谁", "什么时候不再说"), events),
            "## 能设的天数\n",
            _table(("天数", "代码", "缺省", "范围", "谁能改"), map(_threshold, THRESHOLDS)),
        ]
    )  # fmt: skip


def _entry(entry: Entry) -> Sequence[str]:
    days = PERIODS.get(entry.period) or DAYS_TITLES[entry.days]
    last = (timedelta(hours=entry.at.hour, minutes=entry.at.minute) + entry.window).total_seconds() // 60
    until = f"{int(last // 60):02}:{int(last % 60):02}"
    off = "是" if entry.reminder.code in CAN_BE_OFF else ""
    return (*_named(entry.reminder), entry.reminder.whom, days, f"{entry.at:%H:%M}", until, off)


def _digest(digest: Digest) -> Sequence[str]:
    heading = ("内容", "代码", "哪些天", "说几次", "打开", "可关", "什么时候不再说")
    return (f"### {digest.title}里有什么\n", _table(heading, map(_part, digest.parts)))


def _part(part: Part) -> Sequence[str]:
    off = ("是" + (",急的照样说" if part.pressing else "")) if part.code in CAN_BE_OFF else ""
    rests = part.pressing is not None and part.days is not every_day
    days = DAYS_TITLES[part.days] + (";其他日子只说急的" if rests else "")
    return (part.title, part.code, days, "一次" if part.once else "每天", _opens(part.opens), off, part.ends)


def _threshold(code: str) -> Sequence[str]:
    threshold = THRESHOLDS[code]
    by = "、".join(title for role, title in ROLE_TITLES.items() if role in threshold.by)
    return (threshold.title, code, f"{threshold.default}天", threshold.limits, by)


def _named(reminder: Reminder) -> tuple[str, str]:
    return reminder.title, reminder.code


def _opens(service: str | None) -> str:
    return SERVICES[service] if service else ""


def _length(window: timedelta) -> str:
    return f"{window.days}天" if window.days > 1 else f"{int(window.total_seconds() // 3600)}小时"


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
