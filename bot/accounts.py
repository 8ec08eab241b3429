"""By which of their accounts a worker is reached, and what becomes of an account that a platform refuses."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.people import ChannelAccount

LAST_RESORT = "console"


def pick_account(
    session: Session,
    worker_id: int | None,
    running: Sequence[str],
    ours: Sequence[str],
    *,
    rather_not: str | None = None,
) -> ChannelAccount | str:
    """The reachable account the worker was last heard on, best of all on a channel that runs; or why there is none.

    `rather_not` is a channel that was just tried in vain: it is used when there is no other that runs. The terminal is used only for who has nothing else, and only by a process that has one.
    """
    accounts = session.scalars(
        select(ChannelAccount)
        .where(ChannelAccount.worker_id == worker_id)
        .order_by(ChannelAccount.last_heard_at.desc().nulls_last(), ChannelAccount.id)
    ).all()
    reachable = [account for account in accounts if account.unreachable_why is None]
    reachable = [account for account in reachable if account.channel != LAST_RESORT] or reachable
    best = sorted(reachable, key=lambda a: (a.channel not in running, a.channel not in ours, a.channel == rather_not))
    if best and (best[0].channel != LAST_RESORT or LAST_RESORT in ours):
        return best[0]
    refused = next((account.unreachable_why for account in accounts if account.unreachable_why), None)
    return f"unreachable: {refused}" if refused else "no account bound"


def mark_unreachable(session: Session, channel: str | None, account: str | None, why: str, now: datetime) -> None:
    """Nothing more is sent there until they write to us again."""
    of = ChannelAccount.channel == channel, ChannelAccount.account == account, ChannelAccount.unreachable_why.is_(None)
    session.execute(update(ChannelAccount).where(*of).values(unreachable_why=why, unreachable_since=now))
