"""`cunyi run` as a process of its own, for tests that start it, talk to it over real sockets, and kill it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.databases import SECRET

ROOT = Path(__file__).resolve().parent.parent
COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / ".pytest_cache" / "bytecode")}
"""Started again and again, it need not be compiled anew each time, whatever the machine's habit is."""


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """What the program is started with; of our own environment only what Python needs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUNYI_")}
    ours = {"CUNYI_DATABASE_URL": database_url, "CUNYI_SECRET_KEY": SECRET, "CUNYI_WEB__PORT": "0"}
    return {**kept, **COMPILED, "PYTHONPATH": str(ROOT), **ours, **settings}


def run(*arguments: str, environ: Mapping[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """A command that ends by itself."""
    command = [sys.executable, "-m", "bot", *arguments]
    return subprocess.run(command, env=dict(environ), cwd=folder, capture_output=True, text=True, timeout=60)


class Program:
    """`cunyi run`. Leaving the block ends it, whatever happened."""

    def __init__(self, environ: Mapping[str, str], folder: Path) -> None:
        self._environ, self._folder = dict(environ), folder
        self.log: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._over = False

    def __enter__(self) -> Program:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()

    def start(self) -> None:
        """Start it; `ready` says when it takes messages."""
        self._over = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"],
            env=self._environ,
            cwd=self._folder,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ready(self, timeout: float = 30) -> int:
        """Wait until it is; returns the port of its web server."""
        return int(self.logged("ready", timeout)["port"])

    def logged(self, what: str, timeout: float = 30) -> dict[str, Any]:
        """Wait for a line of the log."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [line for line in self.log if line.get("event") == what]
            return bool(found) or self._over

        self._wait(look, timeout)
        assert found, f"it ended without saying {what}: {self.log[-5:]}"
        return found[-1]

    def kill(self) -> None:
        """SIGKILL: no code of ours gets to run any more."""
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)

    def stop(self, how: int = signal.SIGTERM, timeout: float = 20) -> int:
        """Ask it to end; returns its exit code."""
        self.process.send_signal(how)
        code = self.process.wait(timeout)
        self._reader.join(10)
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as lines:
            for line in lines:
                try:
                    said = json.loads(line)
                except ValueError:
                    said = {"event": "not json", "line": line.rstrip()}
                with self._changed:
                    self.log.append(said)
                    self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _wait(self, true: Callable[[], bool], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        with self._changed:
            while not true():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not within {timeout:g} s; the last it said: {self.log[-5:]}")
                self._changed.wait(left)
