"""A web server on a free port of this machine, in a thread of its own, for as long as a `with` lasts."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route


class Loopback:
    """Whoever changes something holds `_changed` and notifies it."""

    def __init__(self, name: str, routes: Sequence[Route]) -> None:
        self._changed = threading.Condition()
        # asyncio switches Nagle's delay off (40 ms an answer) only where the protocol is named
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            Starlette(routes=routes), lifespan="off", ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=1
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.wait_until(lambda: self._server.started, every=0.005)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._let_go()
        self._thread.join(10)
        self._socket.close()

    async def _serve(self) -> None:
        await self._server.serve(sockets=[self._socket])

    def _let_go(self) -> None:
        """Whoever is kept waiting is answered, so that the server can end."""

    def wait_until(self, true: Callable[[], object], timeout: float = 5, every: float | None = None) -> None:
        """Return as soon as it is true; looked at whenever anything happens here, and `every` so many seconds if given."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not true():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not true within {timeout:g} s")
                self._changed.wait(min(left, every or left))
