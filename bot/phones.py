"""The two phones of the demo: who holds them, what they look like, what they can press, and the clock on the wall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select

from bot.app import App
from bot.channels.simulator import Simulator
from bot.channels.simulator_chats import Chat, Chats, Entry
from bot.channels.simulator_looks import LOOKS
from bot.clock import MovableClock
from bot.holders import Holder, note_heard
from models.base import Store
from models.message import File, OutgoingMessage
from models.outbox import OutboxMessage
from models.people import Role
from reminders.timetable import TIMETABLE

LONGEST_MOVE = timedelta(days=92)
MORNING = time(7, 30)


class NotPossible(ValueError):
    """What a phone asked for does not exist; the message is the sentence to show."""


@dataclass(slots=True)
class Phone:
    """A phone in somebody's hand."""

    holder: str
    look: str


class Phones:
    """Everything the simulator's page can ask for. `listeners` hear (event, data) of whatever changes."""

    def __init__(self, app: App, chats: Chats, clock: MovableClock, holders: Mapping[str, Holder]) -> None:
        self.app, self.chats, self.clock, self.holders = app, chats, clock, holders
        self.on: dict[str, Phone] = {
            "doctor": Phone(next(code for code, holder in holders.items() if holder.is_doctor), "wecom"),
            "supervisor": Phone(next(code for code, h in holders.items() if h.role == Role.TOWNSHIP), "telegram"),
        }
        for code, holder in holders.items():
            chats.of.setdefault(code, Chat(self.on["doctor" if holder.is_doctor else "supervisor"].look))
        self.listeners: list[Callable[[str, dict[str, Any]], None]] = []
        self._one_at_a_time = asyncio.Lock()
        chats.listeners.append(self._entry)

    # ---- what is on the screens ---------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The whole page: both phones with their chats, everybody who could hold one, the clock."""
        return {
            "now": self.local_now().isoformat(),
            "phones": {name: self.phone(name) for name in self.on},
            "holders": [holder.to_json() for holder in self.holders.values()],
            "looks": {name: look.title for name, look in LOOKS.items()},
        }

    def phone(self, name: str) -> dict[str, Any]:
        phone = self._phone(name)
        chat = self.chats.of[phone.holder]
        others = {code: c.unread for code, c in self.chats.of.items() if c.unread and not self._shown(code)}
        holder = self.holders[phone.holder]
        entries = [self._public(entry) for entry in chat.entries]
        return {"holder": holder.to_json(), "look": phone.look, "entries": entries, "others": others}

    def local_now(self) -> datetime:
        return self.clock().astimezone(self.app.settings.tz)

    def _public(self, entry: Entry) -> dict[str, Any]:
        shown = {**entry.to_json(), "at": entry.at.astimezone(self.app.settings.tz).isoformat()}
        if "file" in shown:
            shown["file"] = shown["file"]["name"]  # where it lies on this machine is nobody's business
        return shown

    def _shown(self, account: str) -> str | None:
        return next((name for name, phone in self.on.items() if phone.holder == account), None)

    def _phone(self, name: str) -> Phone:
        if name not in self.on:
            raise NotPossible("没有这部手机。")
        return self.on[name]

    def tell(self, event: str, data: dict[str, Any]) -> None:
        for listener in list(self.listeners):
            listener(event, data)

    def _entry(self, account: str, entry: Entry) -> None:
        chat, name = self.chats.of[account], self._shown(account)
        if name is None:
            self.tell("unread", {"code": account, "unread": chat.unread})
        else:
            chat.seen = max(chat.seen, entry.id)
            self.tell("entry", {"phone": name, "entry": self._public(entry)})

    # ---- what the hands do --------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _channel(self, name: str) -> AsyncIterator[tuple[Simulator, str]]:
        """The channel of the phone's look and its account; nobody moves the clock meanwhile."""
        async with self._one_at_a_time:
            phone = self._phone(name)
            channel = self.app.channels[f"sim-{phone.look}"]
            assert isinstance(channel, Simulator)
            yield channel, phone.holder

    async def say(self, name: str, text: str) -> None:
        async with self._channel(name) as (channel, account):
            await channel.say(account, text)

    async def tap(self, name: str, message: int, choices: list[str]) -> None:
        async with self._channel(name) as (channel, account):
            if await channel.tap(account, message, choices) is None:
                raise NotPossible("这条消息已经不在了,请刷新页面。")

    async def hand_over(self, name: str, file: File) -> None:
        async with self._channel(name) as (channel, account):
            await channel.hand_over(account, file)

    async def settled(self) -> None:
        """Wait until every reply is on its screen."""
        await self.app.sender.settle()

    async def give_to(self, name: str, code: str) -> None:
        """Somebody else takes the phone. Whoever holds the other one keeps it."""
        phone, holder = self._phone(name), self.holders.get(code)
        if holder is None or holder.is_doctor != self.holders[phone.holder].is_doctor:
            raise NotPossible("这部手机不能给这个人。")
        async with self._one_at_a_time:
            phone.holder = code
            await self._show(name)

    async def change_look(self, name: str, look: str) -> None:
        """The same conversation on the other platform, drawn as that one would have shown it from the start."""
        phone = self._phone(name)
        if look not in LOOKS:
            raise NotPossible("没有这个平台。")
        async with self._one_at_a_time:
            phone.look = look
            await self._show(name)

    async def _show(self, name: str) -> None:
        phone = self.on[name]
        chat = self.chats.of[phone.holder]
        await self.settled()
        if chat.look != phone.look:
            said = await asyncio.to_thread(_said_to, self.app.store, [entry.key for entry in chat.entries])
            self.chats.redraw(phone.holder, phone.look, said)
            await self.app.intake.run(lambda s: note_heard(s, phone.holder, phone.look, self.clock()))
        chat.seen = max((entry.id for entry in chat.entries), default=0)
        self.tell("phone", {"phone": name, **self.phone(name)})

    # ---- the clock ----------------------------------------------------------------------------------------------

    def next_morning(self) -> datetime:
        """The next 07:30, when the day's list arrives."""
        now = self.local_now()
        day = now.date() + timedelta(days=now.time() >= MORNING)
        return datetime.combine(day, MORNING, self.app.settings.tz)

    async def move_clock(self, to: datetime) -> None:
        """Let time pass until `to`: everything due on the way is said at its own moment, as in life.

        Raises NotPossible for a moment that has passed, or a leap of more than a quarter.
        """
        async with self._one_at_a_time:
            if to < self.clock():
                raise NotPossible("时间只能往后走。")
            if to - self.clock() > LONGEST_MOVE:
                raise NotPossible(f"一次最多往后走{LONGEST_MOVE.days}天。")
            await self.settled()
            stop = self.clock()
            while stop < to:
                stop = await self._next_stop(to)
                self.clock.set(max(stop, self.clock()))
                self.tell("clock", {"now": self.local_now().isoformat()})
                await self.app.plan_today()
                while await self.app.sender.send_due():
                    pass
                await self.settled()

    async def _next_stop(self, to: datetime) -> datetime:
        """The next moment at which something is due, or `to`."""
        now, tz = self.clock(), self.app.settings.tz
        day = now.astimezone(tz).date()
        days = [day + timedelta(days=n) for n in range(9)]  # a week holds every entry
        begins = [entry.begins(d, tz) for entry in TIMETABLE for d in days if entry.falls_on(d)]
        waiting = await asyncio.to_thread(_first_waiting, self.app.store, now)
        return min(at for at in (*begins, waiting or to, to) if at > now or at == to)


def _first_waiting(store: Store, now: datetime) -> datetime | None:
    with store.read() as session:
        waiting = OutboxMessage.status.in_(("queued", "leased")) & (OutboxMessage.not_before > now)
        return session.scalar(select(func.min(OutboxMessage.not_before)).where(waiting))


def _said_to(store: Store, keys: list[str]) -> dict[str, OutgoingMessage]:
    """The messages behind a chat's entries, by outbox key. A part's key is its message's with a number behind it."""
    wanted = {*keys, *(key.rpartition(":")[0] for key in keys)}
    with store.read() as session:
        query = select(OutboxMessage.dedup_key, OutboxMessage.message).where(OutboxMessage.dedup_key.in_(wanted))
        return {key: OutgoingMessage.from_json(message) for key, message in session.execute(query) if message}
