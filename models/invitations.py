"""Binding a chat account to a worker with a one-time code. Only the code's hash is kept. 邀请与绑定"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.people import ChannelAccount, HealthWorker, Invitation
from models.record import AuditEntry

ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"  # no 0 O 1 I L: read aloud and copied from paper without a doubt
LENGTH = 8  # 31 ** 8 = 8.5e11 codes, guessed only through a chat, one try a message


class NotBound(Exception):
    """An invitation code that binds nothing. The docstring of the subclass is what the person reads."""

    def __str__(self) -> str:
        return self.__doc__ or ""


class InvitationUnknown(NotBound):
    """没有找到这个邀请码。请对照收到的邀请码再发一次;还是不行,就请管理员重新给您发一个。"""


class InvitationUsed(NotBound):
    """这个邀请码已经用过了,每个邀请码只能用一次。换手机或换账号时,请管理员再给您发一个新的。"""


class InvitationExpired(NotBound):
    """这个邀请码已经过期了。不要紧,请管理员再给您发一个新的就行。"""


class WorkerInactive(NotBound):
    """这个邀请码对应的工号已经停用。如果您还在岗,请联系管理员恢复工号。"""


def invite(session: Session, worker: HealthWorker, now: datetime, days: int = 14, *, by: int | None = None) -> str:
    """A new code for a worker, such as `K7MP-4XQA`. Earlier codes stay good: one for each channel is usual."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    session.add(Invitation(code_hash=_hash(session, code), worker_id=worker.id, expires_at=now + timedelta(days=days)))
    session.add(AuditEntry(at=now, worker_id=by, action="worker.invited", subject=f"worker:{worker.id}", details={}))
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def bind_account(session: Session, channel: str, account: str, code: str, now: datetime) -> HealthWorker:
    """Bind a chat account to the worker whom the code was made for. Raises NotBound with what to tell the person.

    1. A code not of ours, used up or too old binds nothing; the account that used it may send it again.
    2. The code is used up in one statement, so that of two people sending it at once only one is bound.
    3. An account that belonged to another worker (a handed-on phone) belongs to the new one from now on.
    """
    hashed = _hash(session, code)
    invitation = session.get(Invitation, hashed)
    if invitation is None:
        raise InvitationUnknown
    worker = session.get_one(HealthWorker, invitation.worker_id)
    known = session.scalar(
        select(ChannelAccount).where(ChannelAccount.channel == channel, ChannelAccount.account == account)
    )
    if invitation.used_at is not None:
        if known is not None and known.worker_id == worker.id and worker.active:
            return worker
        raise InvitationUsed
    if invitation.expires_at <= now:
        raise InvitationExpired
    if not worker.active:
        raise WorkerInactive
    unused = (Invitation.code_hash == hashed) & Invitation.used_at.is_(None)
    if session.scalar(update(Invitation).where(unused).values(used_at=now).returning(Invitation.worker_id)) is None:
        raise InvitationUsed
    _bind(session, known, channel, account, worker, now)
    return worker


def _bind(
    session: Session, known: ChannelAccount | None, channel: str, account: str, worker: HealthWorker, now: datetime
) -> None:
    details = {"channel": channel}
    if known is None:
        session.add(ChannelAccount(channel=channel, account=account, worker_id=worker.id, bound_at=now))
    else:
        if known.worker_id != worker.id:
            details["from"] = f"worker:{known.worker_id}"
        known.worker_id, known.bound_at, known.unreachable_why = worker.id, now, None
    session.add(
        AuditEntry(at=now, worker_id=worker.id, action="account.bound", subject=f"worker:{worker.id}", details=details)
    )


def _hash(session: Session, code: str) -> str:
    """Upper or lower case, with or without the hyphen or blanks: the same code."""
    typed = "".join(letter for letter in code.upper() if letter.isalnum())
    hashed: str = session.info["keyring"].lookup(typed, place="invitations.code")
    return hashed
