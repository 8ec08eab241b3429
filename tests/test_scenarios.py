"""Every transcript in tests/scenarios is a test: a conversation a nurse could review."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings
from models.base import Store
from models.recount import recount
from tests.conftest import WORKERS
from tests.transcripts import play

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.chat"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario(path: Path, county: Store, settings: Settings) -> None:
    play(path, settings, county, WORKERS)
    with county.read() as session:
        assert list(recount(session)) == []
