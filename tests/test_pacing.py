"""The pace of each platform: never above its limits in any window, and hardly below."""

from __future__ import annotations

import asyncio
from datetime import date
from itertools import pairwise

import pytest

from bot.pacing import ALARM, BUDGETS, PLANNED, REPLY, Budget, DayTotal, Pacer, Quota
from tests.virtual_time import VirtualLoop, play

THE_WAY = 0.009  # seconds by which one message may be faster on its way than another


async def _speak(budget: Budget, chats: list[str], takes: float = 0.0) -> list[float]:
    """When each of many messages went out, asked for all at once."""
    loop = asyncio.get_running_loop()
    pacer, left = Pacer(budget, loop.time), []

    async def one(chat: str) -> None:
        assert await pacer.wait(chat)
        left.append(loop.time())
        await asyncio.sleep(takes)
        pacer.rest(chat)

    await asyncio.gather(*map(one, chats))
    return sorted(left)


@pytest.mark.parametrize("lateness", [0.0, 0.001, 0.02], ids=["punctual", "usual", "busy machine"])
def test_never_more_than_thirty_in_any_second_and_hardly_less(lateness: float) -> None:
    left = play(_speak(BUDGETS["telegram"], [str(n) for n in range(900)]), lateness)
    closest = min(after - before for before, after in zip(left, left[30:], strict=False))
    assert closest >= 1.0 + THE_WAY, "the platform counts what arrives, not what leaves"
    assert (len(left) - 1) / (left[-1] - left[0]) >= 0.98 * 30


def test_a_stall_is_not_made_up_for_with_a_burst() -> None:
    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.call_later(2.0, lambda: setattr(loop, "now", loop.now + 5))  # the machine slept
        return await _speak(BUDGETS["telegram"], [str(n) for n in range(300)])

    left = play(story())
    assert min(after - before for before, after in zip(left, left[30:], strict=False)) >= 1.0


def test_one_a_second_to_one_chat() -> None:
    """Counted from when the last one arrived, however long that took."""

    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        pacer, left = Pacer(BUDGETS["telegram"], loop.time), []
        for takes in (0.0, 0.7, 0.0, 0.0):
            assert await pacer.wait("7")
            left.append(round(loop.time(), 2))
            await asyncio.sleep(takes)
            pacer.rest("7")
        return left

    assert play(story()) == [0.0, 1.0, 2.7, 3.7]


def test_who_goes_first() -> None:
    async def story() -> list[str]:
        pacer, order = Pacer(Budget(overall=1.0), asyncio.get_running_loop().time), []

        async def one(name: str, rank: int) -> None:
            await pacer.wait(name, rank=rank)
            order.append(name)

        names = [("list 1", PLANNED), ("list 2", PLANNED), ("reply 1", REPLY), ("alarm", ALARM), ("reply 2", REPLY)]
        await asyncio.gather(*(one(*name) for name in names))
        return order

    assert play(story()) == ["alarm", "reply 1", "reply 2", "list 1", "list 2"]


def test_a_pause_asked_for_in_one_chat_is_for_all_when_a_second_is_refused() -> None:
    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        pacer, left = Pacer(Budget(), loop.time), []
        pacer.limited("7", 20)
        for chat in ("8", "7"):
            assert await pacer.wait(chat)
            left.append(loop.time())
        pacer.limited("8", 5)
        pacer.limited("9", 30)
        assert await pacer.wait("10")
        left.append(loop.time())
        return left

    assert play(story()) == [0.0, 20.0, 50.0]


def test_who_cannot_wait_is_told_so() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        pacer = Pacer(Budget(overall=10.0, per_chat=60.0), loop.time)
        assert await pacer.wait("7", within=0.1)
        assert not await pacer.wait("7", within=59) and loop.time() == 0, "that is clear at once"
        assert not await pacer.wait("8", within=5) and loop.time() == 5
        assert await pacer.wait("9", within=6) and loop.time() == 10
        pacer.pause(100)
        assert not await pacer.wait("10", within=20) and loop.time() == 10
        waiting = [asyncio.create_task(pacer.wait(chat)) for chat in ("7", "11")]
        await asyncio.sleep(1)
        pacer.close()
        assert await asyncio.gather(*waiting) == [False, False] and loop.time() == 11

    play(story())


async def _to_one_chat(budget: Budget, chat: str, messages: int, takes: float = 0.0) -> list[float]:
    """When each of many messages to one chat went out, one after the other, as the sender does."""
    loop = asyncio.get_running_loop()
    pacer, left = Pacer(budget, loop.time), []
    for _ in range(messages):
        assert await pacer.wait(chat)
        left.append(loop.time())
        await asyncio.sleep(takes)
        pacer.rest(chat)
    return left


@pytest.mark.parametrize(
    ("channel", "chat", "most", "seconds"),
    [
        ("wecom", "limei", 30, 60),
        ("wecom", "limei", 1000, 3600),
        ("telegram", "-100200", 20, 60),
        ("telegram", "7", 1, 1),
    ],
)
def test_never_above_a_chats_limit_in_any_window(channel: str, chat: str, most: int, seconds: float) -> None:
    left = play(_to_one_chat(BUDGETS[channel], chat, 2 * most + 5, takes=0.1))
    assert all(after - before >= seconds for before, after in zip(left, left[most:], strict=False))
    if most == 1000:  # 30 a minute is the narrower one until then: 34 minutes, and then the hour is full
        assert left[999] < 35 * 60 and left[1000] >= 3600


def test_two_answers_at_once_do_not_wait_for_each_other_on_wecom() -> None:
    """A text and its card go out together; only the thirty-first of a minute waits."""
    left = play(_to_one_chat(BUDGETS["wecom"], "limei", 31))
    assert left[29] < 1 and 60 <= left[30] - left[0] <= 62


def test_what_others_say_counts_too() -> None:
    async def story() -> float:
        loop = asyncio.get_running_loop()
        pacer = Pacer(Budget(of_chat=(Quota(3, 60),)), loop.time)
        await asyncio.sleep(100)
        for ago in (50, 70, 10):  # as another process wrote it down, in whatever order it is read
            pacer.note("limei", loop.time() - ago)
        assert await pacer.wait("limei")
        assert pacer.rests_until("limei") - loop.time() == 10
        assert not await pacer.wait("limei", within=5)
        assert await pacer.wait("limei", within=20)
        return loop.time()

    assert play(story()) == 110


@pytest.mark.parametrize("processes", [2, 3, 5])
def test_processes_share_what_is_allowed_in_all(processes: int) -> None:
    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        left: list[float] = []

        async def one(pacer: Pacer, chat: str) -> None:
            assert await pacer.wait(chat)
            left.append(loop.time())

        pacers = [Pacer(BUDGETS["telegram"], loop.time) for _ in range(processes)]
        for pacer in pacers:
            pacer.share(processes)
        await asyncio.gather(*(one(pacer, f"{n}") for pacer in pacers for n in range(300)))
        return sorted(left)

    left = play(story(), 0.001)
    assert min(after - before for before, after in zip(left, left[30:], strict=False)) >= 1.0
    assert (len(left) - 1) / (left[-1] - left[0]) >= 0.9 * 30


def test_who_comes_late_waits_until_the_others_know() -> None:
    """One sends at its full pace, a second begins: in the second in which the first finds out, nobody is above."""

    async def story() -> list[float]:
        loop = asyncio.get_running_loop()
        left: list[float] = []

        async def one(pacer: Pacer, chat: str) -> None:
            await pacer.wait(chat)
            left.append(loop.time())

        first, second = (Pacer(BUDGETS["telegram"], loop.time) for _ in range(2))
        everything = [asyncio.create_task(one(first, f"a{n}")) for n in range(200)]
        await asyncio.sleep(2)
        second.share(2)  # it looks when it begins
        everything += [asyncio.create_task(one(second, f"b{n}")) for n in range(100)]
        await asyncio.sleep(0.9)
        first.share(2)  # the other looks every second
        await asyncio.gather(*everything)
        return sorted(left)

    left = play(story())
    assert min(after - before for before, after in zip(left, left[30:], strict=False)) >= 1.0


def test_a_days_total_leaves_the_last_part_to_replies_and_of_that_the_last_to_alarms() -> None:
    today = date(2026, 11, 24)

    async def story() -> None:
        nonlocal today
        pacer = Pacer(Budget(a_day=100), asyncio.get_running_loop().time, lambda: today)
        lists = [await pacer.wait(f"{n}", rank=PLANNED) for n in range(100)]
        assert lists.count(True) == 80 and not lists[-1]
        replies = [await pacer.wait(f"{n}", rank=REPLY) for n in range(100)]
        assert replies.count(True) == 18 and not replies[-1]
        alarms = [await pacer.wait(f"{n}", rank=ALARM) for n in range(100)]
        assert alarms.count(True) == 2 and not pacer.day.has_room(ALARM)
        today = date(2026, 11, 25)
        assert await pacer.wait("7", rank=PLANNED)
        pacer.day.spend(79)
        assert not await pacer.wait("7", rank=PLANNED) and await pacer.wait("7", rank=REPLY)

    play(story())


def test_a_clock_that_was_a_day_ahead_gives_no_second_total() -> None:
    today = date(2026, 11, 24)
    total = DayTotal(100, lambda: today)
    total.spend(100)
    today = date(2026, 11, 25)
    assert total.has_room(ALARM)
    total.spend()
    today = date(2026, 11, 24)
    assert not total.has_room(ALARM)
    for n in range(1, 31):
        today = date(2026, 12, n)
        total.spend(100)
        assert not total.has_room(ALARM), "whatever is forgotten, today is not"


def test_no_limit_is_no_limit() -> None:
    left = play(_to_one_chat(Budget(), "7", 5000))
    assert left[-1] == 0 and all(a <= b for a, b in pairwise(left))
