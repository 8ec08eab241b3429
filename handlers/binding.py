"""An account nobody knows: it learns how to be invited, and nothing else."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.orm import Session

from models.invitations import NotBound, bind_account
from models.message import Choice, IncomingMessage, OutgoingMessage
from models.people import ROLE_TITLES, Role

HOW = "您还没有绑定。请向公卫科要一个邀请码,然后把邀请码发给我(或扫邀请二维码)。"
_CODE = re.compile(r"(?:/start\s+|绑定\s*|邀请码[\s::]*)?([A-Za-z0-9_-]{6,32})")


def answer_stranger(session: Session, message: IncomingMessage, now: datetime) -> list[OutgoingMessage]:
    """Bind the account if the message is a valid invitation code; otherwise say how to get one."""
    code = _CODE.fullmatch((message.text or "").strip())
    if code is None:
        return [OutgoingMessage(HOW)]
    try:
        worker = bind_account(session, message.channel, message.account, code[1], now)
    except NotBound as error:
        return [OutgoingMessage(f"{error}")]
    role = ROLE_TITLES[Role(worker.role)]
    text = f"{worker.name}您好,已绑定为{role}。" + (
        "一行话就能记随访,例如:张桂兰 152/94 心率78 规律服药。"
        if worker.role == Role.DOCTOR
        else "要数字直接问,例如:汇总 本月。"
    )
    return [OutgoingMessage(text, (Choice("today", "今日"), Choice("help", "帮助")))]
