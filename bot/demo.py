"""`cunyi demo`: a synthetic county, a played day in the terminal, and the simulator in a browser. Needs no token."""

from __future__ import annotations

import asyncio
import io
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

import uvicorn

from bot.demo_county import phones_in
from bot.demo_day import play
from bot.logs import set_up_logs
from bot.phones import Phones
from bot.simulator import make_web

PATIENCE = 1  # seconds that an open page may delay the end


def run_demo(*, port: int, data: Path | None, browser: bool, host: str = "127.0.0.1", serve: bool = True) -> int:
    """Play the first day, then serve the simulator until interrupted. Returns the exit code.

    Without `data` everything is kept in a temporary folder and gone at the end. `serve=False` only plays.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without 🔴 shows a question mark, and the demo goes on
    listening = None
    if serve:
        try:
            listening = socket.create_server((host, port))
        except OSError as error:
            print(f"端口 {port} 用不了({error.strerror})。请换一个,例如 cunyi demo --port 0", file=sys.stderr)
            return 1
        set_up_logs("error")  # the terminal belongs to the played conversation
    with listening or nullcontext(), nullcontext(data) if data else _temporary() as folder, suppress(KeyboardInterrupt):
        asyncio.run(_run(folder, listening, browser, kept=data is not None))
    return 0


@contextmanager
def _temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cunyi-demo-") as folder:
        yield Path(folder)


async def _run(folder: Path, listening: socket.socket | None, browser: bool, *, kept: bool) -> None:
    async with phones_in(folder) as (phones, resumed):
        if resumed:
            print(f"{folder} 里已经有演示过的县和两部手机上的对话:接着用,不再生成,也不再重演。")
        else:
            await play(phones)
        if listening is not None:
            where = f"数据在 {folder}" if kept else "数据是临时的,结束后删除(要留下请加 --data 文件夹)"
            print(f"\n这个县和里面的人都是虚构的。{where}。")
            await _serve(phones, listening, browser)


async def _serve(phones: Phones, listening: socket.socket, browser: bool) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{host}:{port}/"
    server = PageServer(phones)
    serving = asyncio.create_task(server.serve([listening]))
    while not server.started and not serving.done():
        await asyncio.sleep(0.01)
    print(f"模拟器: {url} (Ctrl+C 结束)", flush=True)
    if browser:
        await asyncio.to_thread(webbrowser.open, url)
    await serving


class PageServer(uvicorn.Server):
    """The web server of the page. It ends quietly on Ctrl+C, and lets open pages go first."""

    def __init__(self, phones: Phones) -> None:
        web = make_web(phones)
        super().__init__(
            uvicorn.Config(web, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=PATIENCE)
        )
        self._phones = phones

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        with suppress(NotImplementedError, RuntimeError, ValueError):  # not on Windows, not beside the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self.handle_exit, number, None)
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._phones.tell("end", {})
        await super().shutdown(sockets)
