"""Residents found to be ill at an event: each becomes a referral that is asked about until it is closed (domain.md E). 发现异常"""

from __future__ import annotations

import re

from handlers import residents
from handlers.steps import Text
from handlers.turn import Turn
from models.message import mark_name
from models.record import Record, Referral
from models.referrals import ASK_AFTER

ABNORMAL_PEOPLE = Text(
    field="abnormal_people", title="异常人员名单", words=("异常人员", "异常名单", "转诊人员", "转诊名单"), asked=False, longest=400,
    verbatim=True,
    hint="请写姓名和情况,用顿号或换行隔开,例如:张桂兰 血压182/110、王建国 血糖12.6",
)  # fmt: skip
_APART = re.compile(r"[、;\n]+")


def refer_the_found(turn: Turn, record: Record) -> None:
    """One referral for each resident named; a name that is not found is said back, and nothing is guessed."""
    said = record.answers.get("abnormal_people", "")
    unknown, referred = [], []
    for piece in filter(None, (part.strip(" ,。") for part in _APART.split(said))):
        match = residents.find_in_line(turn, piece)
        resident = turn.resident(match.ids[0]) if match and match.is_sure else None
        if match is None or resident is None:
            unknown.append(piece[:20])
            continue
        reason = piece.replace(match.said, "", 1).strip(" ,:") or "义诊发现异常"
        referred.append(mark_name(resident.name))
        turn.session.add(
            Referral(
                record_id=record.id,
                joined=[],
                resident_id=resident.id,
                village_id=resident.village_id,
                worker_id=turn.worker.id,
                urgency="refer",
                reason=reason[:400],
                sent_on=record.on,
                ask_on=record.on + ASK_AFTER["refer"],
            )
        )
    if referred:
        turn.say(f"{'、'.join(referred)}已记为转诊,两周后问您到医院了没有。")
    if unknown:
        turn.say(f"名单里没找到:{'、'.join(unknown)}。需要转诊的,请单独发“转诊 姓名 原因”。")
