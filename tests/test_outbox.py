"""The outbox: said once, in order, at the platform's pace, and every ending written down (promise 4)."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select, update
from structlog.testing import capture_logs

from bot import ledger
from bot import sender as sending
from bot.channels import (
    ChannelMisconfigured,
    ChannelUnavailable,
    Limits,
    MessageRejected,
    RateLimited,
    RecipientUnreachable,
    SendError,
)
from bot.pacing import BUDGETS, Budget
from bot.seat import take_seat
from bot.sender import Sender
from models.base import Store
from models.everything import metadata
from models.message import Choice, OutgoingMessage
from models.outbox import CLOCKS_APART, LEASE, TOO_LATE, OutboxMessage, cancel, say
from models.people import ChannelAccount, HealthWorker, Organisation, Role
from models.preferences import QuietHours
from reminders.reminder import Gone
from tests.databases import BACKENDS, fresh_store
from tests.sending import CHINA, START, UNLIMITED, AtOnce, Chair, Phone, for_seconds, now, once
from tests.virtual_time import play


def render(session: Any, reminder: str, arguments: Any, worker: HealthWorker, at: datetime) -> OutgoingMessage:
    if reminder == "gone":
        raise Gone("the visit is done")
    if reminder == "broken":
        session.execute(select(func.no_such_function()))
    return OutgoingMessage(f"{worker.name}:{arguments.get('words', reminder)}")


def make(store: Store, *phones: Phone, budgets: Any = UNLIMITED, **more: Any) -> Sender:
    channels = {phone.name: phone for phone in phones}
    return Sender(AtOnce(store), channels, render, clock=more.pop("clock", now), budgets=budgets, **more)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keeps what is logged: printing the tracebacks of thousands of planned failures takes most of the time."""
    with capture_logs():
        yield


@pytest.fixture(scope="module", params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Iterator[Store]:
    with fresh_store(request.param) as store:
        yield store


@pytest.fixture
def store(database: Store) -> Store:
    """李梅 with both channels and 王主任 with Telegram, and an empty outbox."""
    with database.write() as session:
        for table in reversed(metadata.sorted_tables):
            session.execute(delete(table))
        session.add(Organisation(id=1, code="1", name="托口镇", level="township", path="/1/"))
        session.flush()
        for number, name in ((1, "李梅"), (2, "王主任")):
            session.add(
                HealthWorker(id=number, code=f"W{number}", name=name, role=Role.DOCTOR, organisation_id=1, villages=[])
            )
        session.flush()
        for worker, channel, account, heard in (
            (1, "telegram", "7", START),
            (1, "wecom", "limei", START - timedelta(days=3)),
            (2, "telegram", "8", None),
        ):
            session.add(
                ChannelAccount(channel=channel, account=account, worker_id=worker, bound_at=START, last_heard_at=heard)
            )
        session.commit()
    return database


def promise(store: Store, key: str, text: str = "", *, account: str = "7", **more: Any) -> None:
    """Say something: a reply to an account, or with `reminder` something unasked to a worker."""
    with store.write() as session:
        if "reminder" in more:
            more = {"kind": "morning_digest", "worker_id": 1, "arguments": {"words": text or key}, **more}
            say(session, None, dedup_key=key, now=START, **more)
        else:
            more = {"channel": "telegram", "worker_id": 1, **more}
            say(session, OutgoingMessage(text or key), dedup_key=key, now=START, account=account, **more)
        session.commit()


def row(store: Store, key: str) -> OutboxMessage:
    with store.read() as session:
        return session.scalars(select(OutboxMessage).where(OutboxMessage.dedup_key == key)).one()


def endings(store: Store) -> dict[str, str]:
    with store.read() as session:
        rows = session.execute(select(OutboxMessage.dedup_key, OutboxMessage.status).order_by(OutboxMessage.id))
        return dict(rows.all())


# What is promised


def test_said_once_whatever_is_tried(store: Store) -> None:
    promise(store, "a", "一")
    promise(store, "a", "二")
    with store.write() as session:
        say(session, OutgoingMessage("三"), dedup_key="b", now=START, channel="telegram", account="7")
        say(session, OutgoingMessage("四"), dedup_key="b", now=START, channel="telegram", account="7")
        session.commit()
    phone = Phone()
    play(once(make(store, phone)))
    assert phone.texts == ["一", "三"]


def test_said_at_the_same_moment_by_many_is_said_once(store: Store) -> None:
    begin = threading.Barrier(4)

    def one(number: int) -> None:
        begin.wait()
        for key in ("a", "b", "c"):
            promise(store, key, f"{number}")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert endings(store) == dict.fromkeys("abc", "queued")


def test_a_rollback_takes_back_what_was_said(store: Store) -> None:
    def speak(session: Any, key: str) -> None:
        say(session, OutgoingMessage(key), dedup_key=key, now=START, channel="telegram", account="7")

    with store.write() as session:
        speak(session, "rolled back")
        session.rollback()
        speak(session, "before")
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            speak(session, "in a savepoint that fails")
            _ = 1 / 0
        with session.begin_nested():
            speak(session, "in a savepoint")
        session.commit()
        speak(session, "never committed")
    assert set(endings(store)) == {"before", "in a savepoint"}


def test_cancelled_before_it_is_sent(store: Store) -> None:
    promise(store, "alarm", reminder="words", not_before=START + timedelta(minutes=10))
    with store.write() as session:
        cancel(session, "alarm", "settled by the doctor")
        say(session, OutgoingMessage("x"), dedup_key="in the same breath", now=START, channel="telegram", account="7")
        cancel(session, "in the same breath", "never mind")
        session.commit()
    phone = Phone()
    play(for_seconds(make(store, phone, poll_every=60), 1200))
    assert phone.said == []
    assert endings(store) == {"alarm": "cancelled"}
    assert row(store, "alarm").reason == "settled by the doctor"


def test_cancelled_on_the_way(store: Store) -> None:
    """Too late to stop it: what was sent is written as sent, what failed is not tried again."""
    promise(store, "a")
    promise(store, "b", account="8")
    phone = Phone(takes=1, endings=deque([None, ChannelUnavailable("502")]))

    async def story() -> None:
        sender = make(store, phone)
        await sender.send_due()
        await asyncio.sleep(0.5)
        with store.write() as session:
            cancel(session, "a", "done")
            cancel(session, "b", "done")
            session.commit()
        await sender.settle()
        await for_seconds(sender, 60)

    play(story())
    assert endings(store) == {"a": "sent", "b": "cancelled"}


def test_not_before_its_time(store: Store) -> None:
    promise(store, "later", not_before=START + timedelta(seconds=90))
    phone = Phone()
    play(for_seconds(make(store, phone), 200))
    assert len(phone.said) == 1 and 90 <= phone.said[0][0] <= 91


# Leases


def test_leased_rows_are_nobody_elses_until_they_stood_too_long(store: Store) -> None:
    promise(store, "a")
    first, second, alive = Phone(takes=10_000), Phone(), {0, 1}

    async def leased() -> None:
        await make(store, first, seat=Chair(0, alive)).send_due()

    play(leased())  # and hangs
    play(for_seconds(make(store, second, seat=Chair(1, alive)), 200))
    (at, _, _), (_, again) = second.said[0], second.keys[0]
    assert len(second.said) == 1 and ledger.STUCK <= at <= ledger.STUCK + 1
    assert again, "the first try may have gone out"
    assert row(store, "a").attempts == 2


@pytest.mark.parametrize("seat", [0, 1], ids=["the same seat", "another seat"])
def test_a_dead_process_is_followed_at_once_and_in_order(store: Store, seat: int) -> None:
    """What it had begun to say goes first, and what is answered meanwhile stays behind it."""
    for n in range(3):
        promise(store, f"{n}")
    dead, phone = Phone(takes=10_000), Phone(takes=0.5)

    async def leased() -> None:
        await make(store, dead, seat=Chair(0, {0})).send_due()

    async def story() -> None:
        sender = make(store, phone, seat=Chair(seat, {seat}))
        await sender.begin()
        sender.take([born(store, "3", seat)])
        await for_seconds(sender, 30)

    play(leased())
    assert endings(store) == {"0": "leased", "1": "leased", "2": "leased"}
    play(story())
    assert phone.texts == ["0", "1", "2", "3"]
    assert phone.said[-1][0] <= 3
    assert [again for _, again in phone.keys] == [True, True, True, False]


def born(store: Store, key: str, seat: int = 0, account: str = "7", channel: str = "telegram") -> dict[str, Any]:
    """A reply as the intake commits it: leased to its own process."""
    with store.write() as session:
        session.info["seat"] = seat
        reply = OutgoingMessage(key)
        said = say(session, reply, dedup_key=key, now=now(), worker_id=1, channel=channel, account=account)
        session.commit()
        return said


def test_a_reply_stays_behind_what_another_process_is_saying_there(store: Store) -> None:
    """It has the first; until that has ended, or its process has died, nothing of this chat goes out here."""
    promise(store, "first")
    hangs, phone, alive = Phone(takes=10_000), Phone(), {0, 1}

    async def story() -> None:
        other = make(store, hangs, seat=Chair(0, alive))
        await other.send_due()
        sender = make(store, phone, seat=Chair(1, alive))
        await sender.begin()
        running = asyncio.create_task(for_seconds(sender, 40))
        sender.take([born(store, "second", 1)])
        sender.take([born(store, "elsewhere", 1, account="8")])
        promise(store, "third")
        await asyncio.sleep(20)
        assert phone.texts == ["elsewhere"]
        alive.remove(0)
        await running

    play(story())
    assert phone.texts == ["elsewhere", "first", "second", "third"]
    assert phone.said[1][0] <= 21


def test_what_waits_for_its_next_try_waits_over_a_restart_too(store: Store) -> None:
    promise(store, "a")
    play(for_seconds(make(store, Phone(endings=deque([ChannelUnavailable("502")] * 5))), 20))  # 2, 4, 8: next at 30 s
    promise(store, "b")
    phone = Phone()
    play(for_seconds(make(store, phone, clock=lambda: now() + timedelta(seconds=20)), 30))
    assert phone.texts == ["a", "b"] and 10 <= phone.said[0][0] <= 11


@pytest.mark.parametrize("jump", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "back"])
def test_the_clock_jumps_while_a_message_is_on_its_way(store: Store, jump: timedelta) -> None:
    for n in range(4):
        promise(store, f"{n}", account=str(7 + n % 2))
    phone, jumped = Phone(takes=20), timedelta()

    async def story() -> None:
        nonlocal jumped
        sender = make(store, phone, clock=lambda: now() + jumped)
        running = asyncio.create_task(for_seconds(sender, 120))
        await asyncio.sleep(5)
        jumped = jump
        await running

    play(story())
    assert sorted(phone.texts) == ["0", "1", "2", "3"]
    assert set(endings(store).values()) == {"sent"}


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(minutes=-1), timedelta(hours=3)], ids=str)
def test_two_processes_whose_clocks_differ(store: Store, ahead: timedelta) -> None:
    """What one has on its way, the other neither takes over nor overtakes, whatever its clock shows."""
    phones, alive = [Phone(takes=35), Phone(takes=35)], {0, 1}
    clocks = [now, lambda: now() + ahead]

    async def story() -> None:
        senders = [make(store, phone, clock=clocks[n], seat=Chair(n, alive)) for n, phone in enumerate(phones)]
        for n in range(4):
            promise(store, f"{n}", account=str(7 + n % 2))
        await asyncio.gather(*(for_seconds(sender, 300) for sender in senders))

    play(story())
    said = sorted(said for phone in phones for said in phone.said)
    assert [text for _, _, text in said] in (
        ["0", "1", "2", "3"],
        ["1", "0", "2", "3"],
        ["0", "1", "3", "2"],
        ["1", "0", "3", "2"],
    )
    assert not any(again for phone in phones for _, again in phone.keys)


@pytest.mark.parametrize("restarted", [False, True], ids=["while it runs", "while it is off"])
@pytest.mark.parametrize("kind", ["retry", "night"])
def test_a_clock_set_back_makes_nothing_wait_for_hours(store: Store, restarted: bool, kind: str) -> None:
    """Thirteen hours ahead, at night, then put right: a retry still waits no longer than it was meant to, and it is not night."""
    shown = timedelta(hours=13)  # 22:00 in the county
    phone = Phone(endings=deque([ChannelUnavailable("502")] * 4 if kind == "retry" else []))
    quiet = QuietHours()

    def clock() -> datetime:
        return now() + shown

    async def story() -> None:
        nonlocal shown
        promise(store, "a", **({"reminder": "words"} if kind == "night" else {}))
        sender = make(store, phone, clock=clock, tz=CHINA, quiet=quiet)
        if restarted:
            await for_seconds(sender, 20)
            shown = timedelta()
            later = make(store, phone, clock=clock, tz=CHINA, quiet=quiet)
            await later.begin()
            await for_seconds(later, 60)
        else:
            running = asyncio.create_task(for_seconds(sender, 80))
            await asyncio.sleep(20)
            shown = timedelta()
            await running

    play(story())
    (at, _, _) = phone.said[0]
    assert len(phone.said) == 1
    assert 20 <= at <= 22 if kind == "night" else 30 <= at <= 38, "of a retry the whole wait of 16 s from then on"


def test_a_crash_between_two_parts_repeats_neither(store: Store) -> None:
    with store.write() as session:
        long = OutgoingMessage("一" * 20 + "二" * 20 + "三" * 7)
        say(session, long, dedup_key="long", now=START, channel="telegram", account="7")
        session.commit()
    first, second = Phone(takes=1), Phone()

    async def dies() -> None:
        await make(store, first).send_due()
        await asyncio.sleep(2.5)

    async def follows() -> None:
        sender = make(store, second)
        await sender.begin()
        await sender.settle()

    play(dies())
    play(follows())
    assert first.texts + second.texts == ["一" * 20, "二" * 20, "三" * 7]
    assert [again for _, again in second.keys] == [True]


def test_a_reply_is_born_leased_to_its_own_process(store: Store) -> None:
    with store.write() as session:
        session.info["seat"] = 1
        for key, account, more in (("r", "7", {}), ("d", "8", {"kind": "alarm"}), ("l", "9", {"not_before": START})):
            reply = OutgoingMessage(key)
            say(session, reply, dedup_key=key, now=START, channel="telegram", account=account, **more)
        session.commit()
    assert endings(store) == {"r": "leased", "d": "queued", "l": "queued"} and row(store, "r").leased_by == 1
    phone, alive = Phone(), {0, 1}
    play(for_seconds(make(store, phone, seat=Chair(0, alive)), 30))
    assert phone.texts == ["d", "l"]
    alive.remove(1)
    play(once(make(store, phone, seat=Chair(0, alive))))
    assert phone.texts == ["d", "l", "r"]


def test_two_senders_never_send_the_same_row(store: Store) -> None:
    """Each with its own connections and thread, both leasing as fast as they can."""
    for n in range(300):
        promise(store, f"k{n:03}", account=str(n % 40))
    phones = [Phone(), Phone()]

    def one(phone: Phone) -> None:
        own = Store(store.engine.url.render_as_string(hide_password=False), store.keyring)
        seat = take_seat(own)

        async def story() -> None:
            sender = make(own, phone, clock=lambda: START, seat=seat)
            await sender.begin()
            while await sender.send_due():
                pass
            await sender.settle()

        asyncio.run(story())
        seat.leave()
        own.close()

    threads = [threading.Thread(target=one, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(phones[0].texts + phones[1].texts) == [f"k{n:03}" for n in range(300)]
    assert set(endings(store).values()) == {"sent"}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_postgresql_skips_what_another_sender_is_just_leasing(store: Store) -> None:
    promise(store, "a")
    with store.write() as other:
        other.execute(select(OutboxMessage).with_for_update())
        promise(store, "b")
        phone = Phone()
        play(once(make(store, phone)))
        assert phone.texts == ["b"]


def test_a_backlog_longer_than_a_lease_is_sent_once(store: Store) -> None:
    """2,100 messages at 30 a second take 71 seconds, a lease 60: nothing leased may wait that long."""
    with store.write() as session:
        for n in range(2100):
            say(session, OutgoingMessage(f"{n}"), dedup_key=f"{n}", now=START, channel="telegram", account=f"{n}")
        session.commit()
    phone = Phone(whole_seconds=True)
    play(for_seconds(make(store, phone, budgets=BUDGETS), 90))
    assert sorted(map(int, phone.texts)) == list(range(2100))


def test_a_new_reply_overtakes_nothing_that_did_not_fit_into_a_lease(store: Store) -> None:
    """Her chat is being served already, and the rest of what she was promised still lies in the table."""
    waiting = [f"{n:02}" for n in range(ledger.BATCH + 5)]
    for key in waiting:
        promise(store, key)
    phone = Phone(takes=0.1)

    async def story() -> None:
        sender = make(store, phone)
        await sender.begin()
        sender.take([born(store, "new")])
        await for_seconds(sender, 60)

    play(story())
    assert phone.texts == [*waiting, "new"]


def test_one_chat_with_a_long_queue(store: Store) -> None:
    """Ninety messages at one a second: longer than a lease; each once, in order, and nobody else waits for them."""
    for n in range(90):
        promise(store, f"{n:02}")
    promise(store, "other", account="8", not_before=START + timedelta(seconds=5))
    phone = Phone()
    play(for_seconds(make(store, phone, budgets=BUDGETS), 120))
    assert [text for _, account, text in phone.said if account == "7"] == [f"{n:02}" for n in range(90)]
    assert next(at for at, account, _ in phone.said if account == "8") < 8


def test_a_pause_longer_than_a_lease_sends_nothing_twice(store: Store) -> None:
    for n in range(4):
        promise(store, f"a{n}")
        promise(store, f"b{n}", account="8")
    phone = Phone(endings=deque([RateLimited(150), RateLimited(150)]))
    play(for_seconds(make(store, phone, poll_every=10), 300))
    assert sorted(phone.texts) == sorted(endings(store))
    assert [t for t in phone.texts if t[0] == "a"] == ["a0", "a1", "a2", "a3"]
    assert min(at for at, _, _ in phone.said) >= 150


def test_a_send_that_never_ends_is_over_before_its_lease(store: Store) -> None:
    promise(store, "a")
    phone = Phone(takes=10_000)
    play(for_seconds(make(store, phone), 41))
    assert (row(store, "a").status, row(store, "a").reason) == ("queued", "ChannelUnavailable: no answer within 40 s")


# The five outcomes


@pytest.mark.parametrize(
    ("error", "status", "reason", "tried_again_after"),
    [
        (ChannelUnavailable("502"), "sent", "ChannelUnavailable: 502", 2),
        (RateLimited(17.5), "sent", "RateLimited: retry after 17.5 s", 17.5),
        (ChannelMisconfigured("wrong token"), "sent", "ChannelMisconfigured: wrong token", 300),
        (MessageRejected("too long"), "failed", "MessageRejected: too long", None),
        (RecipientUnreachable("blocked"), "failed", "RecipientUnreachable: blocked", None),
        (KeyError("an adapter's bug"), "sent", "ChannelUnavailable: KeyError", 2),
        (ChannelUnavailable("\0" * 3 + "x" * 500), "sent", f"ChannelUnavailable: {'x' * 380}", 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_outcome_has_its_ending(
    store: Store, error: Exception, status: str, reason: str, tried_again_after: float | None
) -> None:
    promise(store, "a", account="8", worker_id=2)
    phone = Phone(endings=deque([error]))
    play(for_seconds(make(store, phone, poll_every=50), 400))
    ended = row(store, "a")
    assert (ended.status, ended.reason, ended.leased_until) == (status, reason, None)
    if tried_again_after is None:
        assert (phone.said, ended.attempts, ended.sent_at) == ([], 1, None)
    else:
        (at, _, _), *more = phone.said
        assert tried_again_after <= at <= tried_again_after + 0.1 and not more, "exactly then, and once"
        assert (ended.attempts, ended.platform_ref) == (2, "8:1")
        assert ended.sent_at is not None and ended.sent_at - START >= timedelta(seconds=tried_again_after)


def test_backoff(store: Store) -> None:
    """2, 4, 8 … seconds after each failure, never more than five minutes."""
    promise(store, "a")
    phone = Phone(endings=deque([ChannelUnavailable("502")] * 11))
    play(for_seconds(make(store, phone, poll_every=600), 3600))
    waits = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    assert abs(phone.said[0][0] - sum(waits)) < 0.1
    assert row(store, "a").attempts == 12


def test_it_is_given_up_after_a_day(store: Store) -> None:
    promise(store, "a")
    phone = Phone(endings=deque([ChannelUnavailable("502")] * 1000))
    play(for_seconds(make(store, phone, poll_every=3600), timedelta(hours=30).total_seconds()))
    ended = row(store, "a")
    assert (ended.status, ended.attempts) == ("failed", 300)
    assert ended.reason == "gave up after 300 tries: ChannelUnavailable: 502"


def test_only_a_try_in_doubt_is_repeated_as_such(store: Store) -> None:
    """WeCom swallows a repeated message when told so: after a plain refusal it must not be told."""
    promise(store, "a")
    phone = Phone(endings=deque([RateLimited(1), ChannelUnavailable("timed out"), RateLimited(1)]))
    play(for_seconds(make(store, phone), 30))
    assert [again for _, again in phone.keys] == [False, False, True, False]
    assert len({key for key, _ in phone.keys}) == 1 and phone.keys[0][0].startswith("a:")


def test_a_misconfigured_channel_rests_and_the_other_goes_on(store: Store) -> None:
    promise(store, "first", account="9")
    promise(store, "waits", account="8", worker_id=2)
    promise(store, "alarm", reminder="words", kind="alarm", not_before=START + timedelta(seconds=10))
    telegram, wecom = Phone(endings=deque([ChannelMisconfigured("wrong token")] * 2)), Phone(name="wecom")
    play(for_seconds(make(store, telegram, wecom, poll_every=5), 200))
    assert len(telegram.keys) == 2 and not telegram.said
    assert wecom.said == [(10.0, "limei", "李梅:alarm")], "王主任's silence is nobody else's"
    assert endings(store) == {"first": "queued", "waits": "queued", "alarm": "sent"}


def test_an_unreachable_account_is_marked_and_the_other_channel_used(store: Store) -> None:
    promise(store, "a", "长" * 25)
    telegram, wecom = Phone(endings=deque([None, RecipientUnreachable("Forbidden: bot was blocked")])), Phone("wecom")
    wecom.limits = Limits(text=2000, unit="bytes", buttons=6, label=10)

    async def story() -> None:
        sender = make(store, telegram, wecom)
        await for_seconds(sender, 3)
        promise(store, "b", reminder="words")
        await once(make(store, telegram, wecom))

    play(story())
    assert telegram.texts == ["长" * 20]
    assert wecom.texts == ["长" * 25, "李梅:b"], "the whole message, and what follows goes there at once"
    assert (row(store, "a").status, row(store, "a").channel, row(store, "a").account) == ("sent", "wecom", "limei")
    with store.read() as session:
        marks = dict(session.execute(select(ChannelAccount.account, ChannelAccount.unreachable_why)).all())
    assert marks == {"7": "RecipientUnreachable: Forbidden: bot was blocked", "limei": None, "8": None}


def test_nowhere_left_to_reach_somebody(store: Store) -> None:
    promise(store, "a")
    phones = [Phone(name=name, endings=deque([RecipientUnreachable(name)])) for name in ("telegram", "wecom")]
    play(for_seconds(make(store, *phones), 5))
    assert (row(store, "a").status, row(store, "a").reason) == ("failed", "RecipientUnreachable: wecom")
    promise(store, "b", reminder="words")
    with store.write() as session:
        session.add(HealthWorker(id=3, code="W3", name="新来的", role=Role.DOCTOR, organisation_id=1, villages=[]))
        session.commit()
    promise(store, "c", reminder="words", worker_id=3)
    play(once(make(store, *phones)))
    assert row(store, "b").reason == "unreachable: RecipientUnreachable: telegram"
    assert row(store, "c").reason == "no account bound"


def test_an_alarm_goes_to_all_accounts_in_turn_while_a_list_waits_for_its_own(store: Store) -> None:
    """The one platform does not answer: nobody is refused for good, but an emergency cannot wait for that."""
    promise(store, "list", reminder="words")
    promise(store, "alarm", reminder="words", kind="alarm")
    away = [ChannelUnavailable("no network")]
    telegram, wecom = Phone(endings=deque(away * 50)), Phone("wecom", endings=deque(away))
    play(for_seconds(make(store, telegram, wecom), 120))
    assert wecom.texts == ["李梅:alarm"] and telegram.texts == []
    assert wecom.said[0][0] <= 40 and row(store, "list").status == "queued"


def test_a_stranger_who_blocks_us_is_nobodys_trouble(store: Store) -> None:
    promise(store, "a", account="99", worker_id=None)
    phone = Phone(endings=deque([RecipientUnreachable("blocked")]))
    play(for_seconds(make(store, phone), 5))
    assert (row(store, "a").status, row(store, "a").account) == ("failed", "99")


# Words made when it goes out


def test_what_is_said_unasked(store: Store) -> None:
    promise(store, "digest", "今天3位", reminder="words")
    promise(store, "done", reminder="gone")
    promise(store, "bug", reminder="broken")
    promise(store, "late", reminder="words", expires_at=START - timedelta(seconds=1))
    promise(store, "supervisor", "汇总", reminder="words", worker_id=2)
    phone = Phone()
    play(once(make(store, phone)))
    assert sorted(phone.said) == [(0.0, "7", "李梅:今天3位"), (0.0, "8", "王主任:汇总")]
    assert {key: (row(store, key).status, row(store, key).reason) for key in ("done", "bug", "late")} == {
        "done": ("cancelled", "the visit is done"),
        "bug": ("failed", f"could not be rendered: {'OperationalError' if store.is_sqlite else 'ProgrammingError'}"),
        "late": ("cancelled", "its window passed before it could be sent"),
    }


def test_many_that_come_to_nothing_do_not_end_the_round(store: Store) -> None:
    for n in range(120):
        promise(store, f"g{n}", reminder="gone")
    promise(store, "last", account="8")
    phone = Phone()

    async def story() -> None:
        sender = make(store, phone)
        while await sender.send_due():
            pass
        await sender.settle()

    play(story())
    assert phone.texts == ["last"]


def test_an_alarm_goes_before_the_mornings_lists(store: Store) -> None:
    for n in range(200):
        promise(store, f"d{n}", reminder="words", worker_id=2)
    with store.write() as session:  # at 07:30 to many chats
        for n in range(200):
            values = {"channel": "telegram", "account": f"1{n}"}
            session.execute(update(OutboxMessage).where(OutboxMessage.dedup_key == f"d{n}").values(**values))
        session.commit()
    promise(store, "🔴", reminder="words", kind="alarm", not_before=START + timedelta(seconds=1))
    phone = Phone()
    play(for_seconds(make(store, phone, budgets=BUDGETS), 20))
    assert len(phone.said) == 201
    assert next(at for at, _, text in phone.said if "🔴" in text) < 1 + 100 / 29.6


def test_another_process_runs_the_channel(store: Store) -> None:
    """It is addressed and left to it, without delay; when nobody comes for five minutes, it is looked at again."""
    promise(store, "for 王主任", reminder="words", worker_id=2)
    telegram, wecom = Phone(), Phone(name="wecom")
    play(once(make(store, wecom)))
    assert (row(store, "for 王主任").status, row(store, "for 王主任").account) == ("queued", "8")
    play(once(make(store, telegram)))
    assert telegram.texts == ["王主任:for 王主任"]

    promise(store, "for 李梅", reminder="words")
    with store.write() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.account == "limei").values(channel="elsewhere"))
        session.commit()
    play(once(make(store, wecom)))
    assert row(store, "for 李梅").account == "7"
    with store.write() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.account == "limei").values(channel="wecom"))
        session.commit()
    play(for_seconds(make(store, wecom, poll_every=2), 400))
    assert [(300 <= at <= 302, text) for at, _, text in wecom.said] == [(True, "李梅:for 李梅")]


def test_the_terminal_is_for_who_has_nothing_else(store: Store) -> None:
    with store.write() as session:
        for worker, account in ((1, "W1"), (3, "W3")):
            if worker == 3:
                session.add(HealthWorker(id=3, code="W3", name="甲", role=Role.DOCTOR, organisation_id=1, villages=[]))
                session.flush()
            session.add(ChannelAccount(channel="console", account=account, worker_id=worker, bound_at=START))
        session.commit()
    promise(store, "a", reminder="words")
    promise(store, "b", reminder="words", worker_id=3)
    console = Phone(name="console")
    play(once(make(store, console)))
    assert (console.texts, row(store, "a").channel) == (["甲:b"], "telegram")


# Order and parts


def test_order_within_a_chat(store: Store) -> None:
    for n in range(5):
        promise(store, f"{n}")
    phone = Phone(takes=0.1, endings=deque([None, ChannelUnavailable("502"), ChannelUnavailable("502")]))
    play(for_seconds(make(store, phone), 20))
    assert phone.texts == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("error", [ChannelUnavailable("502"), RateLimited(3), ChannelMisconfigured("token")])
def test_a_reply_never_overtakes_an_earlier_one_that_waits(store: Store, error: SendError) -> None:
    phone = Phone(endings=deque([error]))

    async def story() -> None:
        sender = make(store, phone, poll_every=20)
        running = asyncio.create_task(for_seconds(sender, 310))

        for n in range(3):
            sender.take([born(store, f"{n}")])
            await asyncio.sleep(0.4)
        await running

    play(story())
    assert phone.texts == ["0", "1", "2"]
    assert set(endings(store).values()) == {"sent"}


def test_a_long_message_goes_on_where_it_failed(store: Store) -> None:
    with store.write() as session:
        message = OutgoingMessage("一" * 20 + "二" * 20 + "三" * 7, (Choice("ok", "好"),))
        say(session, message, dedup_key="long", now=START, channel="telegram", account="7")
        session.commit()
    phone = Phone(endings=deque([None, ChannelUnavailable("timed out")]))
    play(once(make(store, phone)))
    assert (row(store, "long").parts_sent, row(store, "long").status) == (1, "queued")
    play(for_seconds(make(store, phone, clock=lambda: START + timedelta(seconds=9)), 3))
    assert phone.texts == ["一" * 20, "二" * 20, "三" * 7]
    assert [again for _, again in phone.keys] == [False, False, True, False], "only the part in doubt"
    assert len({key for key, _ in phone.keys}) == 3


# Trouble with the table itself


def test_outcomes_are_kept_until_they_can_be_written(store: Store) -> None:
    """The database is away for some seconds just after a send: when it is back, nobody hears it twice."""
    promise(store, "a")
    phone = Phone(takes=1)

    async def story() -> None:
        sender = make(store, phone)
        await sender.send_due()
        sender.intake.broken = 5  # type: ignore[attr-defined]
        await for_seconds(sender, 100)

    play(story())
    assert phone.texts == ["a"] and endings(store) == {"a": "sent"}


def test_stopping_gives_back_what_waits_and_finishes_what_is_on_its_way(store: Store) -> None:
    for n in range(6):
        promise(store, f"{n}", account=str(n % 3))
    phone = Phone(takes=2)

    async def story() -> float:
        sender = make(store, phone, budgets={"telegram": Budget(overall=3.0, per_chat=20.0)})
        await sender.send_due()
        await asyncio.sleep(1)
        await sender.stop()
        assert sender.intake.held  # type: ignore[attr-defined]
        return asyncio.get_running_loop().time()

    assert play(story()) <= 3
    assert endings(store) == {"0": "sent", **{f"{n}": "queued" for n in range(1, 6)}}
    with store.read() as session:
        assert session.scalars(select(OutboxMessage.leased_until)).unique().all() == [None]
        assert session.scalars(select(OutboxMessage.attempts).order_by(OutboxMessage.id)).all() == [1, 0, 0, 0, 0, 0]


def test_looking_for_what_is_due_reads_only_what_is_open(store: Store) -> None:
    """The outbox keeps millions of sent rows; every second somebody asks it what is due."""
    statements: list[tuple[str, Any]] = []

    def keep(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("SELECT") and "not_before" in statement:
            statements.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", keep)
    play(once(make(store, Phone())))
    event.remove(store.engine, "before_cursor_execute", keep)
    (statement, parameters) = statements[-1]
    with store.write() as session:
        connection = session.connection()
        if store.is_sqlite:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
        else:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).all()
    assert "ix_outbox_open" in str(plan)


def test_a_lease_outlasts_any_send() -> None:
    assert LEASE.total_seconds() > sending.LONGEST_SEND + 2 * ledger.BATCH / 29.6


# Budgets that outlast a process, and hours that wait


def test_a_members_minute_and_hour_are_counted_over_a_restart(store: Store) -> None:
    """WeCom drops silently what is above: nobody would ever know."""
    for n in range(40):
        promise(store, f"{n:02}", channel="wecom", account="limei")
    first, second = Phone(name="wecom"), Phone(name="wecom")
    play(for_seconds(make(store, first, budgets=BUDGETS), 10))
    assert len(first.said) == 30
    play(for_seconds(make(store, second, budgets=BUDGETS, clock=lambda: now() + timedelta(seconds=10)), 70))
    assert [text for _, _, text in second.said] == [f"{n}" for n in range(30, 40)]
    assert 50 <= second.said[0][0] <= 53, "the minute began with the first of them, ten seconds before the restart"


def test_two_processes_leave_a_second_between_two_messages_of_a_chat(store: Store) -> None:
    """Also of what gets its address only when it goes out."""
    alive, phones = {0, 1}, [Phone(takes=0.3), Phone(takes=0.3)]
    budgets = {"telegram": Budget(overall=1 / 30, per_chat=1.0, most=30)}

    async def story() -> None:
        senders = [
            make(store, phone, budgets=budgets, seat=Chair(seat, alive), poll_every=0.9 - seat / 5)
            for seat, phone in enumerate(phones)
        ]
        running = [asyncio.create_task(for_seconds(sender, 120)) for sender in senders]
        for n in range(30):
            await asyncio.sleep(2.9)
            promise(store, f"{n}a")
            await asyncio.sleep(0.35)
            promise(store, f"{n}b", reminder="words", kind="alarm" if n % 3 else "reminder")
        await asyncio.gather(*running)

    play(story())
    at = sorted(at for phone in phones for at, _, _ in phone.said)
    assert len(at) == 60 and min(len(phone.said) for phone in phones) > 5
    assert min(after - before for before, after in pairwise(at)) >= 1.0


def test_two_processes_stay_within_a_days_total(store: Store) -> None:
    """Neither sees what the other is just sending; both leave room for it."""
    alive, phones = {0, 1}, [Phone(name="wecom", takes=0.2), Phone(name="wecom", takes=0.2)]
    budgets = {"wecom": Budget(overall=0.006, a_day=200)}
    for n in range(400):
        promise(store, f"{n}", channel="wecom", account=f"{n}", kind="alarm" if n % 3 else "digest")

    async def story() -> None:
        senders = [
            make(store, phone, budgets=budgets, seat=Chair(seat, alive), poll_every=1 + seat / 3, tz=CHINA)
            for seat, phone in enumerate(phones)
        ]
        await asyncio.gather(*(for_seconds(sender, 300) for sender in senders))

    play(story())
    assert 150 <= sum(len(phone.said) for phone in phones) <= 200


def test_two_processes_share_a_member(store: Store) -> None:
    alive, phones = {0, 1}, [Phone(name="wecom"), Phone(name="wecom")]

    async def story() -> None:
        senders = [make(store, phone, budgets=BUDGETS, seat=Chair(seat, alive)) for seat, phone in enumerate(phones)]
        running = [asyncio.create_task(for_seconds(sender, 200)) for sender in senders]
        for n in range(60):
            promise(store, f"{n}", channel="wecom", account="limei", not_before=START + timedelta(seconds=2 * (n // 2)))
        await asyncio.gather(*running)

    play(story())
    at = sorted(at for phone in phones for at, _, _ in phone.said)
    assert len(at) == 60 and {len(phone.said) > 0 for phone in phones} == {True}
    assert all(after - before >= 60 for before, after in zip(at, at[30:], strict=False))


@pytest.mark.parametrize("ahead", [60, -60])
def test_two_processes_whose_clocks_differ_share_a_member(store: Store, ahead: int) -> None:
    alive, phones = {0, 1}, [Phone(name="wecom"), Phone(name="wecom")]
    clocks = [now, lambda: now() + timedelta(seconds=ahead)]

    async def story() -> None:
        for n in range(70):
            promise(store, f"{n}", channel="wecom", account="limei", not_before=START + timedelta(seconds=70 + n // 2))
        first = asyncio.create_task(
            for_seconds(make(store, phones[0], budgets=BUDGETS, clock=clocks[0], seat=Chair(0, alive)), 400)
        )
        await asyncio.sleep(90)
        second = make(store, phones[1], budgets=BUDGETS, clock=clocks[1], seat=Chair(1, alive))
        await second.begin()
        await asyncio.gather(first, for_seconds(second, 300))

    play(story())
    at = sorted(at for phone in phones for at, _, _ in phone.said)
    assert len(at) == 70
    assert all(after - before >= 60 for before, after in zip(at, at[30:], strict=False))


def test_a_days_total_is_kept_over_a_restart_and_the_rest_goes_after_midnight(store: Store) -> None:
    """At 23:00 ten of the day's eleven are gone: a reply waits for midnight; one alarm has the last, another a telephone."""
    late = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    budgets = {"wecom": Budget(a_day=11)}
    for n in range(9):
        promise(store, f"{n}", channel="wecom", account="limei")
    play(once(make(store, Phone(name="wecom"), budgets=budgets, tz=CHINA, clock=lambda: late)))
    promise(store, "list", channel="wecom", account="limei", kind="digest")
    promise(store, "tenth", channel="wecom", account="limei")
    promise(store, "eleventh", channel="wecom", account="limei")
    with store.write() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.account == "7").values(last_heard_at=None))
        session.commit()
    wecom, telegram = Phone(name="wecom"), Phone()

    async def story() -> None:
        clock = lambda: late + timedelta(seconds=asyncio.get_running_loop().time())  # noqa: E731
        sender = make(store, wecom, telegram, budgets=budgets, tz=CHINA, clock=clock, poll_every=120)
        running = asyncio.create_task(for_seconds(sender, 2 * 3600))
        await asyncio.sleep(60)
        promise(store, "alarm", reminder="words", kind="alarm")
        await asyncio.sleep(300)
        promise(store, "another", reminder="words", kind="alarm")
        await running

    play(story())
    assert telegram.texts == ["李梅:another"] and telegram.said[0][0] < 600
    assert wecom.texts == ["tenth", "李梅:alarm", "eleventh", "list"]
    assert wecom.said[1][0] < 300 and 3600 <= wecom.said[2][0] <= 3720 + CLOCKS_APART.total_seconds()


def test_who_asks_is_answered_though_their_list_waits_for_midnight(store: Store) -> None:
    """The day's part for lists is gone: the list is put off, what stands behind it in the chat and what comes later is not."""
    at = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    for n in range(80):
        promise(store, f"{n}", channel="wecom", account="limei", kind="digest")
    wecom = Phone(name="wecom")
    clock = lambda: at + timedelta(seconds=asyncio.get_running_loop().time())  # noqa: E731

    async def story() -> None:
        sender = make(store, wecom, budgets={"wecom": Budget(a_day=100)}, tz=CHINA, clock=clock, poll_every=60)
        running = asyncio.create_task(for_seconds(sender, 3600))
        await asyncio.sleep(300)
        promise(store, "list", channel="wecom", account="limei", kind="digest")
        promise(store, "reply", channel="wecom", account="limei")
        await asyncio.sleep(300)
        sender.take([born(store, "later", account="limei", channel="wecom")])
        await running

    play(story())
    assert wecom.texts[80:] == ["reply", "later"] and wecom.said[80][0] <= 361 and wecom.said[81][0] <= 601
    tomorrow = datetime(2026, 11, 24, 16, tzinfo=UTC) + CLOCKS_APART
    assert row(store, "list").status == "queued" and row(store, "list").not_before == tomorrow


@pytest.mark.parametrize("ahead", [-50, 0, 50])
def test_a_clock_that_is_ahead_begins_no_new_total_before_midnight(store: Store, ahead: int) -> None:
    """Two minutes before midnight the day's total is gone."""
    late = datetime(2026, 11, 24, 15, 58, tzinfo=UTC)
    for n in range(12):
        promise(store, f"{n}", channel="wecom", account="limei")
    wecom = Phone(name="wecom")
    clock = lambda: late + timedelta(seconds=asyncio.get_running_loop().time() + ahead)  # noqa: E731
    sender = make(store, wecom, budgets={"wecom": Budget(a_day=11)}, tz=CHINA, clock=clock, poll_every=5)
    play(for_seconds(sender, 400))
    assert len(wecom.said) == 12 and wecom.said[9][0] < 1
    assert 120 <= wecom.said[10][0] <= 120 + CLOCKS_APART.total_seconds() + 55


def test_what_is_planned_for_half_past_seven_goes_a_little_later_on_wecom(store: Store) -> None:
    """At :00 and :30 the platform is busy with everybody's reminders. Who asks is answered at once."""
    half_past = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    with store.write() as session:
        session.execute(update(ChannelAccount).where(ChannelAccount.account == "7").values(last_heard_at=None))
        session.commit()
    for n in range(40):
        promise(store, f"d{n}", reminder="words", not_before=half_past, expires_at=half_past + timedelta(hours=5))
    promise(store, "reply", channel="wecom", account="limei", not_before=half_past)
    promise(store, "alarm", reminder="words", kind="alarm", not_before=half_past)
    promise(store, "short", reminder="words", not_before=half_past, expires_at=half_past + timedelta(seconds=30))
    wecom = Phone(name="wecom")
    clock = lambda: half_past + timedelta(seconds=asyncio.get_running_loop().time())  # noqa: E731
    play(for_seconds(make(store, wecom, budgets=BUDGETS, tz=CHINA, clock=clock), 400))
    at = {text: at for at, _, text in wecom.said}
    assert len(at) == 42 and at["reply"] < 1 and at["李梅:alarm"] < 1
    later = [moment for text, moment in at.items() if text.startswith("李梅:d")]
    assert min(later) >= 60 and max(later) <= 60 + 120 + 61 and len({round(m / 30) for m in later}) >= 4
    assert (row(store, "short").status, row(store, "short").reason) == ("cancelled", TOO_LATE)


@pytest.mark.parametrize(("kind", "goes_at"), [("notice", time(6, 30)), ("alarm", time(22, 0)), ("reply", time(22, 0))])
def test_at_night_only_who_asked_and_emergencies_are_told(store: Store, kind: str, goes_at: time) -> None:
    evening = datetime(2026, 11, 24, 22, 0, tzinfo=CHINA)
    unasked = {"reminder": "words"} if kind != "reply" else {}
    promise(store, "a", kind=kind, not_before=evening, **unasked)
    promise(store, "over", reminder="words", kind="notice", not_before=evening, expires_at=evening + timedelta(hours=2))
    phone = Phone()
    clock = lambda: evening + timedelta(seconds=asyncio.get_running_loop().time())  # noqa: E731
    play(for_seconds(make(store, phone, tz=CHINA, quiet=QuietHours(), clock=clock, poll_every=900), 10 * 3600))
    (at, _, _) = phone.said[0]
    assert goes_at <= (evening + timedelta(seconds=at)).time() <= time(goes_at.hour, goes_at.minute + 16)
    assert len(phone.said) == 1 and row(store, "over").reason == TOO_LATE, "what would be too late by then is cancelled"
