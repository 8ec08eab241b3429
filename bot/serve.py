"""`cunyi run`: channels, timetable, senders and web server in one event loop, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from bot.app import App, make_app
from bot.config import Settings
from bot.logs import set_up_logs
from bot.web import routes_of
from models import migrate
from models.sealed import check_key
from models.trouble import Trouble

log = structlog.get_logger()


async def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT. Returns the exit code."""
    set_up_logs(settings.log_level)
    app = make_app(settings)
    if not app.channels:
        print(
            "没有配置任何渠道: 请设置 CUNYI_TELEGRAM__TOKEN,或 CUNYI_WECOM__* 五项。先看效果可用 cunyi demo。",
            file=sys.stderr,
        )
        return 1
    try:
        migrate.upgrade(app.store)
        check_key(app.store)
    except Trouble:
        app.seat.leave()
        app.store.close()
        raise
    await app.start()
    settle_down()
    try:
        return await serve_web(app, settings.web.host, settings.web.port, routes_of(app))
    finally:
        await app.stop()
        app.store.close()


def settle_down() -> None:
    """What is there from the start stays, and the collector need not look at it again; what importing took is given back."""
    gc.collect()
    gc.freeze()
    gc.enable()
    with suppress(OSError, AttributeError):  # not everywhere is it glibc that keeps memory
        ctypes.CDLL(None).malloc_trim(0)


async def serve_web(app: App, host: str, port: int, routes: Sequence[BaseRoute]) -> int:
    """The web server until a signal; a busy port is one sentence."""
    config = uvicorn.Config(
        Starlette(routes=list(routes)), host=host, port=port, log_config=None, access_log=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    try:
        sockets = [config.bind_socket()]
    except SystemExit:
        print(f"端口 {port} 已被占用: 请换一个 CUNYI_WEB__PORT(demo 用 --port)。", file=sys.stderr)
        return 1
    loop = asyncio.get_running_loop()
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, lambda: setattr(server, "should_exit", True))
    log.info("ready", channels=sorted(app.channels), port=sockets[0].getsockname()[1])
    await server._serve(sockets)
    return 0
