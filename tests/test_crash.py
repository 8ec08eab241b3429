"""The kill test in small; `python -m tests.crash --kills 200` is the whole of it."""

from __future__ import annotations

from pathlib import Path

from tests.crash import crash


def test_killed_again_and_again_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    report = crash(6, tmp_path, drain=False)
    assert report.broken == []
    assert sum(report.kills.values()) == 6 and report.messages >= 80, "everybody wrote"
    assert report.records * 2 == report.replies == report.messages
