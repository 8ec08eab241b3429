"""Synthetic counties, seeded once and kept in `benchmarks/.work`; each measurement works on a copy of its own."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

from models import migrate
from models.base import Store
from models.secrets import Keyring
from models.seed import seed

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai
SECRET = "only for measurements"
WORK = Path(__file__).parent / ".work"
MODELS = Path(__file__).parent.parent / "models"


def seeded(residents: int, doctors: int, *, history: bool = True) -> Path:
    """The database of a county; made anew when the program that makes it has changed."""
    sources = [*sorted(MODELS.glob("seed*.py")), *sorted(MODELS.glob("migrations/versions/*.py"))]
    version = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:8]
    kind = f"county-{residents}-{doctors}{'' if history else '-plain'}"
    path = WORK / f"{kind}-{version}.db"
    if path.exists():
        return path
    WORK.mkdir(exist_ok=True)
    for old in WORK.glob(f"{kind}-????????.db*"):
        old.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    store = Store(f"sqlite:///{unfinished}", Keyring(SECRET))
    migrate.upgrade(store)
    with store.write() as session:
        seed(session, TODAY, NOW, residents=residents, doctors=doctors, history=history)
        session.commit()
    store.close()  # the last connection to close writes the log back into the file
    unfinished.rename(path)
    return path


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """A kept database, for reading."""
    store = Store(f"sqlite:///{path}", Keyring(SECRET))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def copied(path: Path) -> Iterator[Store]:
    """A copy that may be written to; nothing of it is left afterwards."""
    WORK.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        copy = Path(folder) / "county.db"
        shutil.copy(path, copy)
        with opened(copy) as store:
            yield store
