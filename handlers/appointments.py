"""What was appointed for today: told with 今日, and closed by one tap. 今天的预约"""

from __future__ import annotations

from handlers.turn import Turn
from models.appointment import Appointment, Promised, appointments_on
from models.message import Choice, mark_name
from models.record import Record

MOST = 6


def line(promised: Promised, today_said: bool) -> str:
    """'📅 张桂兰 下午3点 上门服务'."""
    day = "" if today_said else f"{promised.on} "
    return f"📅 {day}{mark_name(promised.name)} {promised.what}"


def tell(turn: Turn) -> None:
    """Today's appointments and earlier ones nobody has said anything of; nothing when there are none."""
    promised = appointments_on(turn.session, turn.scope, turn.today)[:MOST]
    if not promised:
        return
    choices = []
    for n, one in enumerate(promised, 1):
        choices += [Choice(f"kept.{one.id}.yes", f"{n} 办了"), Choice(f"kept.{one.id}.no", f"{n} 没办成")]
    lines = [f"{n}. {line(one, one.on == turn.today)}" for n, one in enumerate(promised, 1)]
    turn.say("\n".join([f"预约 {turn.today}:{len(promised)}件", *lines]), choices)


def note_kept(turn: Turn, rest: str) -> None:
    """The doctor says what became of an appointment."""
    number, _, said = rest.partition(".")
    appointment = turn.session.get(Appointment, int(number)) if number.isdigit() else None
    resident = turn.resident(appointment.resident_id) if appointment else None
    record = turn.session.get(Record, appointment.record_id) if appointment else None
    if appointment is None or resident is None or record is None or record.status != "current":
        turn.say("这条预约已经不在名单里了。发“今日”看现在的名单。", [Choice("today", "今日")])
        return
    if appointment.closed_at is None:
        appointment.kept, appointment.closed_at = said == "yes", turn.now
    done = "已办好" if appointment.kept else "没办成"
    more = "" if appointment.kept else f"要改期请发“{resident.name} 预约 哪天 什么事”。"
    turn.say(f"{mark_name(resident.name)} {appointment.what}:{done}。{more}", [Choice("today", "今日")])
