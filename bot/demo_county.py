"""The demo's folder: a synthetic county in SQLite, its key, and what the phones showed when it was last closed."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import App, open_store
from bot.channels.simulator import Simulator
from bot.channels.simulator_chats import Chats
from bot.channels.simulator_looks import LOOKS
from bot.clock import MovableClock
from bot.config import load_settings
from bot.holders import Holder, bind, holders_in, last_moment
from bot.phones import Phones
from models.base import Store
from models.migrate import upgrade
from models.seed import NotEmpty, seed

FIRST_MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
RESIDENTS = 2000
SAVE_EVERY = 1.0  # seconds
PLAN_EVERY = 60.0  # seconds: the clock also runs on by itself, and may pass 07:30


@asynccontextmanager
async def phones_in(folder: Path) -> AsyncIterator[tuple[Phones, bool]]:
    """The running demo, and whether it goes on from an earlier one. Everything is saved at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = load_settings(database_url=f"sqlite:///{folder / 'demo.db'}", secret_key=secret_key(folder))
    store = open_store(settings)
    memory = Memory(folder / "phones.json")
    clock, holders = await asyncio.to_thread(_county, store, memory.moment())
    chats = Chats(clock)
    app = App(settings, store, {f"sim-{look}": Simulator(look, chats) for look in LOOKS}, clock=clock, budgets={})
    memory.recall_chats(chats)
    phones = Phones(app, chats, clock, holders)
    memory.recall_phones(phones)
    with store.write() as session:
        bind(session, chats.of, clock())
        session.commit()
    await app.start(timetable=False)
    await app.plan_today()
    while await app.sender.send_due():
        pass
    await phones.settled()
    keeping = asyncio.create_task(_keep(phones, memory))
    try:
        yield phones, memory.known
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await app.stop()
        memory.save(phones)
        store.close()


def secret_key(folder: Path) -> str:
    """The key of the demo's sealed columns, made once and readable by its owner alone."""
    path = folder / "secret.key"
    with suppress(FileExistsError):
        made = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(made, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text().strip()


def _county(store: Store, kept: datetime | None) -> tuple[MovableClock, dict[str, Holder]]:
    """The county, seeded when there is none, and a clock that goes on after whatever happened in it last."""
    upgrade(store)
    with store.write() as session:
        with suppress(NotEmpty):
            seed(session, FIRST_MORNING.date(), FIRST_MORNING, residents=RESIDENTS)
            session.commit()
        begin = max(moment for moment in (FIRST_MORNING, kept, last_moment(session)) if moment is not None)
        return MovableClock(begin), holders_in(session)


async def _keep(phones: Phones, memory: Memory) -> None:
    """Plan what is due as the clock runs on, and save what the phones show whenever it has changed."""
    changed = [True]
    phones.listeners.append(lambda event, data: changed.append(True))
    passed = 0.0
    while True:
        if passed >= PLAN_EVERY:
            passed = 0.0
            await phones.app.plan_today()
        if changed:
            changed.clear()
            memory.save(phones)
        await asyncio.sleep(SAVE_EVERY)
        passed += SAVE_EVERY


class Memory:
    """The phones' screens and the clock, in one file beside the database. Only the demo has it: it holds chats."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data = json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        self.known = self._data is not None

    def moment(self) -> datetime | None:
        return datetime.fromisoformat(self._data["now"]) if self._data else None

    def recall_chats(self, chats: Chats) -> None:
        if self._data:
            chats.load(self._data["chats"])

    def recall_phones(self, phones: Phones) -> None:
        for name, (holder, look) in (self._data or {"phones": {}})["phones"].items():
            if holder in phones.holders:
                phones.on[name].holder, phones.on[name].look = holder, look

    def save(self, phones: Phones) -> None:
        on = {name: [phone.holder, phone.look] for name, phone in phones.on.items()}
        data = {"now": phones.clock().isoformat(), "phones": on, "chats": phones.chats.to_json()}
        text = json.dumps(data, ensure_ascii=False)
        beside = self._path.with_suffix(".new")
        beside.write_text(text, encoding="utf-8")
        beside.replace(self._path)
