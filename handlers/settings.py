"""设置: what I am told unasked, at which hour, and for supervisors after how many days; by words or by buttons, without code."""

from __future__ import annotations

import re
from datetime import time

from handlers.reading.normalise import tidy
from handlers.reading.numerals import read_number
from handlers.turn import Turn
from models.message import Choice
from models.people import Organisation, Role
from models.preferences import (
    CAN_BE_OFF,
    EARLIEST,
    KEY,
    LATEST,
    THRESHOLDS,
    Preferences,
    Threshold,
    preferences,
    read_hour,
    set_for,
    set_own,
)
from models.record import AuditEntry

USUAL = {Role.DOCTOR: time(7, 30), Role.TOWNSHIP: time(8, 25), Role.COUNTY: time(8, 35)}
"""The timetable's hour of each role's digest; a test keeps the two the same."""
HOURS = ("06:45", "07:00", "07:30", "08:00", "08:30")
OFFERED_DAYS = {
    "township_days": (7, 10, 14, 21, 30),
    "county_days": (21, 30, 45, 60, 90),
    "silent_days": (5, 7, 10, 14),
    "unserved_days": (30, 60, 90, 180),
}
EXAMPLES = {Role.DOCTOR: "设置 8点、设置 关 签约到期", Role.TOWNSHIP: "设置 8点半、设置 逾期 10天"}

_HOUR = re.compile(r"(上午|早上|早晨|清晨)?(\d{1,2})(?:[::](\d{2})|点(半|1刻|\d{1,2}分?)?|时)")
_NUMERAL = re.compile("[一二两三四五六七八九十百]+")
_DAYS = re.compile(r"(\d{1,3}) ?天")
_OFF, _ON = ("关", "不要", "不收", "停", "取消"), ("开", "要", "收", "恢复")


def settings(turn: Turn, words: str = "") -> None:
    """Answer 设置 with whatever words followed.

    1. Nothing: what is set, with buttons.
    2. An hour: from now on that is when the morning's message comes.
    3. 关 or 开 with a name of the list: that one is turned off or on.
    4. A number of days with the name of a threshold: it holds for everybody below the supervisor.
    5. Anything else: what can be said, and of what cannot be turned off what can.
    """
    said = _NUMERAL.sub(lambda found: str(read_number(found[0])), tidy(words))
    if not said:
        _show(turn)
    elif days := _DAYS.search(said):
        _set_days(turn, said, days[1])
    elif hour := _HOUR.fullmatch(re.sub(r"时间|提醒|改到|改成|改为|每天| ", "", said)):
        _set_hour(turn, _read(hour))
    elif (switch := _switch(said)) is not None:
        _set_switch(turn, *switch)
    elif re.match("|".join((*_OFF, *_ON)), said):
        able = "、".join(_short(title) for title, roles in CAN_BE_OFF.values() if Role(turn.worker.role) in roles)
        turn.say(f"“{words[:20]}”关不掉,或没有这一项。能关的:{able or '没有'}。", [Choice("settings", "设置")])
    else:
        turn.say(f"没看懂“{words[:20]}”。可以这样改:{_example(turn)}。", [Choice("settings", "设置")])


def pressed(turn: Turn, rest: str) -> None:
    """A button of the settings: `at.0730`, `on.agreements`, `off.agreements`, `ask.township_days`, `days.township_days.10`."""
    what, _, value = rest.partition(".")
    code, _, days = value.partition(".")
    if what == "at" and re.fullmatch(r"\d{4}", value):
        _set_hour(turn, f"{value[:2]}:{value[2:]}")
    elif what in ("on", "off") and value in CAN_BE_OFF:
        _set_switch(turn, value, off=what == "off")
    elif what == "ask" and value == "at":
        turn.say("每天几点提醒?", [Choice(f"set.at.{h.replace(':', '')}", h) for h in HOURS])
    elif what == "ask" and value in THRESHOLDS:
        offered = [Choice(f"set.days.{value}.{n}", f"{n}天") for n in OFFERED_DAYS[value]]
        turn.say(f"{THRESHOLDS[value].title}?({THRESHOLDS[value].limits})", offered)
    elif what == "days" and code in THRESHOLDS:
        _set_threshold(turn, THRESHOLDS[code], days)
    else:
        _show(turn)


# ---- what is set ---------------------------------------------------------------------------------------------------


def _show(turn: Turn) -> None:
    wishes, role = preferences(turn.session, turn.settings), Role(turn.worker.role)
    own = turn.worker.settings.get(KEY, {})
    lines, choices = [f"{turn.worker.name}的提醒设置:"], []
    if role in USUAL:
        code = "morning_digest" if role is Role.DOCTOR else f"{role}_digest"
        lines.append(f"每天提醒时间:{wishes.at(code, own, USUAL[role]):%H:%M}")
        choices.append(Choice("set.ask.at", "改时间"))
    for code, (title, roles) in CAN_BE_OFF.items():
        if role in roles:
            off = wishes.is_off(code, own)
            lines.append(f"{title}:{'不收' if off else '收'}")
            choices.append(Choice(f"set.{'on' if off else 'off'}.{code}", f"{'开' if off else '关'}{_short(title)}"))
    path = _area(turn).path
    for threshold in THRESHOLDS.values():
        if role in (Role.TOWNSHIP, Role.COUNTY):
            lines.append(f"{threshold.title}:{wishes.days(threshold.code, path)}天")
            if role in threshold.by:
                choices.append(Choice(f"set.ask.{threshold.code}", f"改{threshold.words[0]}天数"))
    lines.append("急症、转诊和72小时这些时限一定会提醒,关不掉。")
    lines.append(f"也可以直接发:{_example(turn)}。")
    turn.say("\n".join(lines), choices)


def _example(turn: Turn) -> str:
    return EXAMPLES.get(Role(turn.worker.role), "设置 8点半、设置 逾期 10天、设置 卫健局 45天")


def _short(title: str) -> str:
    return title.partition("(")[0]


def _area(turn: Turn) -> Organisation:
    return turn.session.get_one(Organisation, turn.worker.organisation_id)


# ---- to change it --------------------------------------------------------------------------------------------------


def _read(hour: re.Match[str]) -> str:
    _, hours, minutes, half = hour.groups()
    past = {"半": "30", "1刻": "15", None: "00"}.get(half, (half or "").rstrip("分"))
    return f"{int(hours):02}:{int(minutes or past):02}"


def _set_hour(turn: Turn, said: str) -> None:
    if Role(turn.worker.role) not in USUAL:
        turn.say("您这里没有每天的提醒。", [Choice("settings", "设置")])
        return
    try:
        at = read_hour(said)
    except ValueError:
        asked = [Choice(f"set.at.{h.replace(':', '')}", h) for h in HOURS]
        turn.say(f"提醒时间要在{EARLIEST:%H:%M}到{LATEST:%H:%M}之间,例如:设置 7:30。", asked)
        return
    set_own(turn.session, turn.worker, at=f"{at:%H:%M}")
    turn.say(f"好的,从明天起每天{at:%H:%M}提醒您。", [Choice("settings", "设置")])


def _switch(said: str) -> tuple[str, bool] | None:
    """(code, off) of '关 签约到期', '签约到期 不要'."""
    off = any(word in said for word in _OFF)
    if not off and not any(word in said for word in _ON):
        return None
    name = re.sub("|".join((*_OFF, *_ON, "提醒", "掉", "闭", "启", "打", " ")), "", said)
    found = [code for code, (title, _) in CAN_BE_OFF.items() if name and (name in title or _short(title) in name)]
    return (found[0], off) if len(found) == 1 else None


def _set_switch(turn: Turn, code: str, off: bool) -> None:
    title, roles = CAN_BE_OFF[code]
    if Role(turn.worker.role) not in roles:
        turn.say("这一项不归您设。发“设置”看您能设的。", [Choice("settings", "设置")])
        return
    others = [c for c in turn.worker.settings.get(KEY, {}).get("off", ()) if c != code]
    set_own(turn.session, turn.worker, off=[*others, code] if off else others)
    back = Choice(f"set.{'on' if off else 'off'}.{code}", f"{'开' if off else '关'}{_short(title)}")
    turn.say(f"好的,{_short(title)}{'不再提醒' if off else '照常提醒'}。", [back, Choice("settings", "设置")])


def _set_days(turn: Turn, said: str, days: str) -> None:
    """The threshold whose words are in what was said; the longest word decides."""
    words = ((word, threshold) for threshold in THRESHOLDS.values() for word in threshold.words if word in said)
    found = max(words, key=lambda pair: len(pair[0]), default=None)
    settable = _settable(turn)
    if not settable:
        turn.say("天数由公卫科和卫健局来设。", [Choice("settings", "设置")])
    elif found is None:
        turn.say("要改哪一项的天数?", [Choice(f"set.ask.{t.code}", f"改{t.words[0]}天数") for t in settable])
    else:
        _set_threshold(turn, found[1], days)


def _settable(turn: Turn) -> list[Threshold]:
    return [t for t in THRESHOLDS.values() if Role(turn.worker.role) in t.by]


def _set_threshold(turn: Turn, threshold: Threshold, said: str) -> None:
    """For everybody below the supervisor's organisation, within the limits, and written to the audit."""
    area, session = _area(turn), turn.session
    if threshold not in _settable(turn):
        turn.say(f"{threshold.title}由卫健局来设。", [Choice("settings", "设置")])
        return
    try:
        days = threshold.read(said)
    except ValueError as error:
        turn.say(f"{error},例如:设置 {threshold.words[0]} {threshold.default}天。")
        return
    if refused := _contradiction(preferences(session, turn.settings), area.path, threshold.code, days):
        turn.say(refused)
        return
    set_for(session, area, **{threshold.code: days})
    details = {"threshold": threshold.code, "days": days}
    subject = f"organisation:{area.id}"
    session.add(
        AuditEntry(at=turn.now, worker_id=turn.worker.id, action="reminders_set", subject=subject, details=details)
    )
    turn.say(f"好的,{area.name}:{threshold.title},现在是{days}天。", [Choice("settings", "设置")])


def _contradiction(wishes: Preferences, path: str, code: str, days: int) -> str:
    """The county hears later than the township."""
    if code == "township_days" and days >= (county := wishes.days("county_days", path)):
        return f"要比告诉卫健局的{county}天早。"
    if code == "county_days" and days <= (township := wishes.days("township_days", path)):
        return f"要比告诉公卫科的{township}天晚。"
    return ""
