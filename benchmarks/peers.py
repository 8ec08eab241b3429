"""What a team would write with the same libraries: the dialog of five messages, kept in four different ways.

Each peer is handed updates as Telegram brings them and has answered when `take` returns.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sqlalchemy import Engine, String, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.ext import (
    Application,
    CallbackContext,
    ConversationHandler,
    ExtBot,
    MessageHandler,
    PicklePersistence,
    filters,
)

from benchmarks.sockets import NoSockets

LINE = re.compile(r"(?P<name>\S+) (?P<systolic>\d+)/(?P<diastolic>\d+) 心率(?P<pulse>\d+)")
QUESTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "mode": ("这次是怎么随访的?", ("门诊", "家庭", "电话")),
    "symptoms": ("有什么症状?", ("无症状", "头痛头晕", "恶心呕吐", "眼花耳鸣", "呼吸困难", "心悸胸闷", "其他")),
    "adherence": ("药按时吃吗?", ("规律", "间断", "不服药")),
    "confirm": ("核对无误请点提交", ("提交", "取消")),
}
ORDER = tuple(QUESTIONS)


class Base(DeclarativeBase):
    """Parent of the peers' only table."""


class Visit(Base):
    """What a finished form becomes."""

    __tablename__ = "visits"

    id: Mapped[int] = mapped_column(primary_key=True)
    doctor: Mapped[int]
    name: Mapped[str] = mapped_column(String(40))
    systolic: Mapped[int]
    diastolic: Mapped[int]
    pulse: Mapped[int]
    mode: Mapped[str] = mapped_column(String(20))
    symptoms: Mapped[str] = mapped_column(String(40))
    adherence: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime]


class Peer(Protocol):
    name: ClassVar[str]

    async def start(self) -> None: ...

    async def take(self, update: dict[str, Any]) -> None: ...

    async def stop(self) -> None: ...


def durable_engine(path: Path) -> Engine:
    """SQLite as safe as ours: WAL, synchronous=FULL."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    Base.metadata.create_all(engine)
    return engine


def save(engine: Engine, doctor: int, answers: dict[str, Any]) -> None:
    """One commit through the ORM."""
    with Session(engine) as session:
        session.add(Visit(doctor=doctor, at=datetime.now(UTC).replace(tzinfo=None), **answers))
        session.commit()


class Ptb:
    """python-telegram-bot's ConversationHandler; the answers in `user_data`, nothing kept."""

    name: ClassVar[str] = "PTB ConversationHandler, nothing kept"
    kept = False

    def __init__(self, folder: Path, known: int) -> None:
        self.folder, self.known = folder, known
        self._turn = asyncio.Lock()

    async def start(self) -> None:
        bot: ExtBot[None] = ExtBot("1:a", request=NoSockets(), get_updates_request=NoSockets())
        builder = Application.builder().bot(bot).updater(None)
        if self.kept:
            builder = builder.persistence(PicklePersistence(self.folder / "kept.pickle", on_flush=False))
        self.application = builder.build()
        text = filters.TEXT
        states: dict[object, list[Any]] = {step: [MessageHandler(text, self._answered(step))] for step in ORDER}
        begin = [MessageHandler(filters.Regex(LINE), self._begin)]
        form = ConversationHandler(begin, states, begin, name="form", persistent=self.kept)
        self.application.add_handler(form)
        await self.application.initialize()

    async def take(self, update: dict[str, Any]) -> None:
        async with self._turn:  # as the library's own queue does unless updates are handled side by side
            await self.application.process_update(Update.de_json(update, self.application.bot))

    async def stop(self) -> None:
        await self.application.shutdown()

    async def _begin(self, update: Update, context: CallbackContext[Any, Any, Any, Any]) -> str:
        assert update.message and update.message.text and context.user_data is not None
        match = LINE.match(update.message.text)
        assert match
        context.user_data.update(
            name=match["name"],
            systolic=int(match["systolic"]),
            diastolic=int(match["diastolic"]),
            pulse=int(match["pulse"]),
        )
        return await self._ask(update, ORDER[0])

    def _answered(self, step: str) -> Any:
        async def answered(update: Update, context: CallbackContext[Any, Any, Any, Any]) -> str | int:
            assert update.message and update.effective_user and context.user_data is not None
            if step == "confirm":
                self.finished(update.effective_user.id, dict(context.user_data))
                await update.message.reply_text("✅ 已记录")
                context.user_data.clear()
                return ConversationHandler.END
            context.user_data[step] = update.message.text
            return await self._ask(update, ORDER[ORDER.index(step) + 1])

        return answered

    async def _ask(self, update: Update, step: str) -> str:
        assert update.message
        question, labels = QUESTIONS[step]
        buttons = [[InlineKeyboardButton(label, callback_data=f"{step}.{label}")] for label in labels]
        await update.message.reply_text(question, reply_markup=InlineKeyboardMarkup(buttons))
        return step

    def finished(self, doctor: int, answers: dict[str, Any]) -> None:
        return None


class PtbPickle(Ptb):
    """The library's own persistence, written before the next message is taken: the only way it loses nothing."""

    name: ClassVar[str] = "PTB ConversationHandler, pickle at every message"
    kept = True

    async def start(self) -> None:
        await super().start()
        assert self.application.persistence
        for person in range(self.known):  # whoever wrote before has an entry; the library never drops one
            await self.application.persistence.update_user_data(-1 - person, {})
            await self.application.persistence.update_chat_data(-1 - person, {})

    async def take(self, update: dict[str, Any]) -> None:
        await super().take(update)
        async with self._turn:
            await self.application.update_persistence()


class PtbOrm(Ptb):
    """(c): the conversation in memory, one ORM commit for every form. A restart loses the forms being filled."""

    name: ClassVar[str] = "(c) PTB ConversationHandler + one ORM commit a form"

    async def start(self) -> None:
        self.engine = durable_engine(self.folder / "visits.db")
        await super().start()

    def finished(self, doctor: int, answers: dict[str, Any]) -> None:
        save(self.engine, doctor, answers)

    async def stop(self) -> None:
        await super().stop()
        self.engine.dispose()


class AiogramOrm:
    """aiogram's FSM in memory, one ORM commit for every form."""

    name: ClassVar[str] = "aiogram FSM + one ORM commit a form"

    def __init__(self, folder: Path, known: int) -> None:
        self.folder = folder

    async def start(self) -> None:
        from aiogram import Bot as AiogramBot
        from aiogram import Dispatcher, F
        from aiogram.client.session.aiohttp import AiohttpSession
        from aiogram.fsm.context import FSMContext
        from aiogram.fsm.state import State, StatesGroup
        from aiogram.types import InlineKeyboardButton as Button
        from aiogram.types import InlineKeyboardMarkup as Keyboard
        from aiogram.types import Message

        class Silent(AiohttpSession):
            """Writes and reads as the real one, and sends nothing."""

            async def make_request(self, bot: Any, method: Any, timeout: Any = None) -> Any:
                self.build_form_data(bot, method)
                content = '{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"private"}}}'
                return self.check_response(bot=bot, method=method, status_code=200, content=content).result

        class Form(StatesGroup):
            mode = State()
            symptoms = State()
            adherence = State()
            confirm = State()

        states = {step: getattr(Form, step) for step in ORDER}

        async def ask(message: Message, state: FSMContext, step: str) -> None:
            question, labels = QUESTIONS[step]
            await state.set_state(states[step])
            buttons = [[Button(text=label, callback_data=f"{step}.{n}")] for n, label in enumerate(labels)]
            await message.answer(question, reply_markup=Keyboard(inline_keyboard=buttons))

        self.engine = durable_engine(self.folder / "visits.db")
        self.bot = AiogramBot("1:a", session=Silent())
        self.dispatcher = Dispatcher()

        @self.dispatcher.message(F.text.regexp(LINE))
        async def begin(message: Message, state: FSMContext) -> None:
            match = LINE.match(message.text or "")
            assert match
            numbers = {name: int(match[name]) for name in ("systolic", "diastolic", "pulse")}
            await state.update_data(name=match["name"], **numbers)
            await ask(message, state, ORDER[0])

        def answered(step: str) -> Any:
            async def keep(message: Message, state: FSMContext) -> None:
                await state.update_data(**{step: message.text})
                await ask(message, state, ORDER[ORDER.index(step) + 1])

            return keep

        for step in ORDER[:-1]:
            self.dispatcher.message.register(answered(step), states[step])

        @self.dispatcher.message(states["confirm"])
        async def submit(message: Message, state: FSMContext) -> None:
            assert message.from_user
            save(self.engine, message.from_user.id, await state.get_data())
            await state.clear()
            await message.answer("✅ 已记录")

    async def take(self, update: dict[str, Any]) -> None:
        await self.dispatcher.feed_raw_update(self.bot, update)

    async def stop(self) -> None:
        await self.bot.session.close()
        self.engine.dispose()
