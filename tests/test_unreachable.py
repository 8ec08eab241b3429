"""Somebody cannot be reached: the other channel is tried, the township hears of it once, of an alarm who raised it at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs

from bot.channels import ChannelUnavailable, Limits, MessageRejected, RecipientUnreachable
from bot.sender import Sender
from models.base import Store
from models.message import OutgoingMessage
from models.outbox import OutboxMessage, say
from models.people import ChannelAccount, HealthWorker
from models.seed import seed
from reminders.timetable import plan_day, render
from tests.databases import BACKENDS, fresh_store
from tests.sending import CHINA, AtOnce, Phone, for_seconds
from tests.virtual_time import play

TUESDAY = datetime(2026, 11, 24, 7, 0, tzinfo=CHINA)
BLOCKED = "Forbidden: bot was blocked by the user"


@pytest.fixture(params=BACKENDS)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """托口镇: 李梅 on Telegram and, by another account, WeCom; 王主任 on WeCom alone."""
    with fresh_store(request.param) as store, capture_logs():
        with store.write() as session:
            seed(session, TUESDAY.date(), TUESDAY.astimezone(UTC), residents=60, doctors=3, history=False)
            ids = dict(session.execute(select(HealthWorker.code, HealthWorker.id)).all())
            for code, channel, heard in (("V001", "telegram", 1), ("V001", "wecom", 0), ("S001", "wecom", 0)):
                session.add(
                    ChannelAccount(
                        channel=channel, account=f"{code}-{channel}", worker_id=ids[code], bound_at=TUESDAY,
                        last_heard_at=TUESDAY - timedelta(hours=1 - heard),
                    )
                )  # fmt: skip
            session.commit()
        yield store


def mornings(store: Store, *phones: Phone, days: int = 1, hours: float = 3) -> dict[str, list[str]]:
    """Let so many mornings pass from 07:00 on; what each account was told."""
    told: dict[str, list[str]] = {}
    for phone in phones:
        phone.limits = Limits(text=4096, unit="characters", buttons=30, label=20)

    async def story(begins: datetime) -> None:
        def clock() -> datetime:
            return begins + timedelta(seconds=asyncio.get_running_loop().time())

        with store.write() as session:
            plan_day(session, begins.astimezone(CHINA).date(), tz=CHINA, now=begins)
            session.commit()
        words = partial(render, tz=CHINA, settings={})
        channels = {phone.name: phone for phone in phones}
        sender = Sender(AtOnce(store), channels, words, clock=clock, budgets={}, poll_every=300, tz=CHINA)
        await for_seconds(sender, hours * 3600)

    for day in range(days):
        play(story(TUESDAY.astimezone(UTC) + timedelta(days=day)))
    for phone in phones:
        for _, account, text in phone.said:
            told.setdefault(account, []).append(text)
    return told


def reply(store: Store, key: str) -> None:
    with store.write() as session:
        worker = session.scalars(select(HealthWorker.id).where(HealthWorker.code == "V001")).one()
        say(
            session, OutgoingMessage("已记录"), dedup_key=key, now=TUESDAY, worker_id=worker, channel="telegram",
            account="V001-telegram",
        )  # fmt: skip
        session.commit()


def test_the_other_channel_takes_over_and_nobody_is_bothered(store: Store) -> None:
    reply(store, "a")
    telegram = Phone(endings=deque([RecipientUnreachable(BLOCKED)]))
    told = mornings(store, telegram, Phone(name="wecom"))
    assert "V001-telegram" not in told
    assert told["V001-wecom"][0] == "已记录" and "早上好" in told["V001-wecom"][1], "and the morning's list as well"
    assert not any("🚫" in text for text in told.get("S001-wecom", []))


def test_the_township_hears_once_that_a_doctor_is_cut_off(store: Store) -> None:
    """Next morning, with her name and since when; not again until she came back and was cut off anew."""
    with store.write() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.account == "V001-wecom").values(channel="none"))
        session.execute(update(ChannelAccount).where(ChannelAccount.channel == "none").values(unreachable_why="gone"))
        session.commit()
    reply(store, "a")
    blocked = partial(Phone, endings=deque([RecipientUnreachable(BLOCKED)] * 9))
    told = mornings(store, blocked(), Phone(name="wecom"), days=3)
    lines = [line for text in told["S001-wecom"] for line in text.splitlines() if "🚫" in line]
    assert len(lines) == 1 and "李梅(11-24起)" in lines[0] and "收不到提醒" in lines[0]
    assert BLOCKED not in str(told)
    with store.write() as session:  # she writes: the intake clears the mark
        session.execute(update(ChannelAccount).values(unreachable_why=None))
        later = ChannelAccount.account == "V001-telegram"
        since = TUESDAY + timedelta(days=2)
        session.execute(update(ChannelAccount).where(later).values(unreachable_why=BLOCKED, unreachable_since=since))
        other = ChannelAccount.channel == "none"
        session.execute(update(ChannelAccount).where(other).values(unreachable_why="gone"))
        session.commit()
    again = Phone(name="wecom")
    mornings(store, Phone(), again, days=4)
    lines = [line for text in again.texts for line in text.splitlines() if "🚫" in line]
    assert len(lines) == 1 and "李梅(11-26起)" in lines[0]


def raised(store: Store, *whom: str) -> None:
    """李梅's draft shows an emergency, and 王主任 is to hear of it, or whoever else."""
    with store.write() as session:
        ids = dict(session.execute(select(HealthWorker.code, HealthWorker.id)).all())
        arguments: dict[str, Any] = {"resident_id": 1, "worker_id": ids["V001"], "say": "马上转诊"}
        for code in whom or ("S001",):
            say(
                session, None, kind="alarm", reminder="unconfirmed_emergency", arguments=arguments, now=TUESDAY,
                worker_id=ids[code], dedup_key=f"unconfirmed:x:{ids[code]}",
            )  # fmt: skip
        session.commit()


def test_one_of_the_township_has_it(store: Store) -> None:
    """王主任 cannot be reached, a colleague was told: nobody needs to telephone."""
    with store.write() as session:
        seat = session.scalars(select(HealthWorker.organisation_id).where(HealthWorker.code == "S001")).one()
        session.add(
            HealthWorker(id=900, code="S900", name="李副主任", role="township", organisation_id=seat, villages=[])
        )
        session.flush()
        account = {"channel": "telegram", "account": "S900-telegram", "bound_at": TUESDAY, "last_heard_at": TUESDAY}
        session.add(ChannelAccount(worker_id=900, **account))
        session.commit()
    raised(store, "S001", "S900")
    refused = Phone(name="wecom", endings=deque([RecipientUnreachable("no such member")]))
    told = mornings(store, Phone(), refused, hours=0.2)
    assert "马上转诊" in told["S900-telegram"][0] and "V001-telegram" not in told


def test_an_alarm_that_is_not_delivered_for_minutes_comes_back_to_who_raised_it(store: Store) -> None:
    """The platform is away for long: nobody has refused anything, and nobody knows of the patient either."""
    raised(store)
    away = Phone(name="wecom", endings=deque([ChannelUnavailable("no network")] * 7))
    told = mornings(store, Phone(), away, hours=0.2)
    assert told["V001-telegram"] == ["⚠️ 刚才的紧急通知还没有送到王主任,对方现在收不到消息。请马上打电话给卫生院。"]
    assert any("马上转诊" in text for text in told["S001-wecom"]), "and it is tried on"


@pytest.mark.parametrize("error", [RecipientUnreachable("no such member"), MessageRejected("45002: too long")])
def test_an_alarm_that_is_not_delivered_comes_back_to_who_raised_it(store: Store, error: Exception) -> None:
    """She has read 已通知王主任: now she must know that he was not told, and use the phone."""
    raised(store)
    told = mornings(store, Phone(), Phone(name="wecom", endings=deque([error])), hours=0.2)
    assert told["V001-telegram"] == ["⚠️ 刚才的紧急通知没有送到王主任,对方现在收不到消息。请马上打电话给卫生院。"]
    with store.read() as session:
        rows = session.execute(select(OutboxMessage.dedup_key, OutboxMessage.status))
        ends = {(key.split(":x:")[0], status) for key, status in rows}
        assert {("unconfirmed", "failed"), ("undelivered:unconfirmed", "sent")} <= ends
