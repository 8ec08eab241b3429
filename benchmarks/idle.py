"""`cunyi run` with a county in its database: how soon it is ready, and the memory it takes while nobody writes.

Beside it a program that imports at its start everything it may ever need, as bots usually do.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import IO, Any

from benchmarks.county import SECRET, WORK, seeded
from benchmarks.row import Row, share_row

EAGER = (
    "telegram.ext", "wechatpy.enterprise", "sqlalchemy.orm", "apscheduler.schedulers.asyncio", "jinja2",
    "matplotlib.pyplot", "pandas", "openpyxl",
)  # fmt: skip
"""What a team's bot of this kind imports in its first lines."""

SETTLED = 2.0  # seconds after it is ready
ROUNDS = 5
HOUR = 3600.0
HERE = Path(__file__).parent.parent
COMPILED = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(WORK / "bytecode")}
"""Both start from bytecode, as on any machine they were started on before."""


def measure(*, quick: bool = False) -> list[Row]:
    county = seeded(3000, 16) if quick else seeded(428_000, 305)
    ours, eager = [], []
    with _platforms() as address, tempfile.TemporaryDirectory(dir=WORK) as folder:
        database = Path(folder) / "county.db"
        shutil.copy(county, database)
        for number in range(1 if quick else 1 + ROUNDS):
            us = _run([sys.executable, "-m", "bot", "run"], _environment(database, address), "ready")
            peer = _run([sys.executable, "-c", _imports(EAGER[:1] if quick else EAGER)], COMPILED, "imported")
            if number or quick:  # the first one compiles, for both
                ours.append(us)
                eager.append(peer)
    (ready, memory), (imported, theirs) = (_medians(times) for times in (ours, eager))
    all_of_it = "everything imported at the start"
    return [
        share_row("memory of an idle `cunyi run`, county loaded", memory, theirs, all_of_it, at_most=0.45, unit="MiB"),
        share_row("`cunyi run` ready to answer", ready, imported, all_of_it, at_most=0.45, unit="s"),
    ]


def _environment(database: Path, address: str) -> dict[str, str]:
    """Both channels are on, which is the most that `run` can start."""
    settings = {
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": SECRET,
        "WEB__PORT": "0",
        "TELEGRAM__TOKEN": "1:a",
        "TELEGRAM__BASE_URL": address,
        "WECOM__CORP_ID": "corp",
        "WECOM__AGENT_ID": "1",
        "WECOM__SECRET": "secret",
        "WECOM__TOKEN": "token",
        "WECOM__AES_KEY": "a" * 43,
        "WECOM__BASE_URL": address,
    }
    return COMPILED | {f"CUNYI_{name}": value for name, value in settings.items()}


def _imports(modules: tuple[str, ...]) -> str:
    return f"import {', '.join(modules)}\nprint('imported', flush=True)\nimport time\ntime.sleep(60)"


def _medians(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return statistics.median(seconds for seconds, _ in runs), statistics.median(memory for _, memory in runs)


def _run(command: list[str], environment: dict[str, str], sign: str) -> tuple[float, float]:
    """(seconds until it says so, MiB resident a little later)."""
    begin = time.perf_counter()
    with (
        tempfile.TemporaryFile("a+", encoding="utf-8") as said,
        subprocess.Popen(command, env=environment, cwd=HERE, stdout=said, stderr=said) as process,
    ):
        try:
            while sign not in _all_of(said):
                if process.poll() is not None:
                    raise RuntimeError(f"it ended without saying {sign!r}:\n{_all_of(said)}")
                time.sleep(0.005)
            seconds = time.perf_counter() - begin
            time.sleep(SETTLED)
            return seconds, _resident(process.pid)
        finally:
            process.terminate()


def _all_of(said: IO[str]) -> str:
    said.seek(0)
    return said.read()


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")) / 1024


class _Platform(BaseHTTPRequestHandler):
    """Both platforms on a day when nobody writes: every call is answered, and asking for updates takes an hour."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.endswith("/getUpdates"):
            time.sleep(HOUR)
        answer: dict[str, Any] = {"ok": True, "result": True, "errcode": 0, "access_token": "a", "expires_in": 7200}
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = _answer

    def log_message(self, format: str, *args: Any) -> None:
        return None


@contextmanager
def _platforms() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Platform)
    server.daemon_threads, server.block_on_close = True, False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
