"""A message arrives: one transaction (promise 1).

Channels hand messages over with `receive`, which returns after the commit. Writer threads drain what is waiting and
commit it as a group: that is how a commit can be durable and still be shared. On SQLite there is one writer; on
PostgreSQL several, each person always with the same one, and the person's row locked against other processes.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy.orm import Session

from bot.channels import NotAccepted
from bot.group import County, Row
from bot.lanes import Job
from bot.writer import Replies, Writer
from models.base import Store
from models.message import IncomingMessage


class Intake:
    """Takes messages in. `replies` is called in the event loop, after the commit, with the rows to send right away; they
    are leased to `seat`.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime],
        tz: tzinfo,
        settings: Mapping[str, Any],
        replies: Callable[[list[Row]], None] | None = None,
        seat: int = 0,
        lanes: int | None = None,
    ) -> None:
        county = County(store, clock, tz, settings)
        self._replies = Replies(replies, seat)
        count = 1 if store.is_sqlite else (lanes or 4)
        self.writers = [Writer(county, self._replies, self._in_loop, name=f"writer-{n}") for n in range(count)]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = False

    def start(self) -> None:
        """Start the writers; call within the event loop that channels run in, if there is one."""
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None
        for writer in self.writers:
            writer.thread.start()

    async def hold_replies(self) -> None:
        """The sender is about to stop: once this returns, it is given no more replies; they wait in the outbox."""
        self._replies.take = None
        if not self._stopped and self._loop is not None:
            await asyncio.gather(*(self._put(Job(_ignore, work=lambda session: None), w) for w in self.writers))

    def stop(self) -> None:
        """Finish what is waiting, then end the writers."""
        self._stopped = True
        for writer in self.writers:
            writer.lane.put(None)
        for writer in self.writers:
            writer.thread.join(timeout=30)

    async def receive(self, message: IncomingMessage) -> None:
        """Answer a message. Returns after the commit; raises NotAccepted when it could not be committed."""
        await self._hand_over(Job(_ignore, message=message), message.account)

    async def run(self, work: Callable[[Session], Any], key: str = "", *, may_be_lost: bool = False) -> Any:
        """Do other work in a writer's next commit, and return its result.

        `may_be_lost`: it need not wait for the disk, unless it shares the commit with what must (`Store.write`).
        """
        return await self._hand_over(Job(_ignore, work=work, may_be_lost=may_be_lost), key)

    def _hand_over(self, job: Job, key: str) -> asyncio.Future[Any]:
        if self._stopped:
            raise NotAccepted("the program is ending")
        return self._put(job, self.writers[zlib.crc32(key.encode()) % len(self.writers)])

    def _put(self, job: Job, writer: Writer) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        def done(result: Any, error: BaseException | None) -> None:
            if future.done():  # nobody waits any longer, or it was told already
                return
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        job.done = done
        writer.lane.put(job)
        return future

    def _in_loop(self, told: Callable[[], None]) -> None:
        """From a writer's thread."""
        if self._loop is None:
            told()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(told)


def _ignore(result: Any, error: BaseException | None) -> None:
    return None
