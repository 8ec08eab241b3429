"""履约 of one resident: what the agreements that hold promise, and what has been given of it."""

from __future__ import annotations

from sqlalchemy import select

from handlers.turn import Turn
from models.effects import AGREEMENT, RECORD
from models.fulfilment import Promise, progress
from models.record import Agreement, Record, last_day

UNVERIFIED = "(默认清单,县里还没定)"


def lines(turn: Turn, resident_id: int) -> list[str]:
    """'履约:健康教育 0/1、老年人体检 1/1', one line for each agreement that holds."""
    signed = select(*AGREEMENT).where(Agreement.resident_id == resident_id, Agreement.status == "current")
    holding = [
        row
        for row in turn.session.execute(signed.order_by(Agreement.starts_on, Agreement.id))
        if row.starts_on <= turn.today <= last_day(row.ends_on, row.ended_on)
    ]
    if not holding:
        return []
    done = select(*RECORD).where(Record.resident_id == resident_id, Record.status == "current")
    records = turn.session.execute(done).all()
    promise = Promise.of(turn.settings)
    told = [[one.words() for one in progress(row, records, promise) if one.times or one.days] for row in holding]
    doubt = "" if Promise.is_settled(turn.settings) else UNVERIFIED
    return [f"履约{doubt}:{'、'.join(words)}" for words in told if words]
