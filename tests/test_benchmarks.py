"""The measurements' own mechanisms at toy size, so that they cannot rot. No figure is judged here."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pytest

from benchmarks import ROWS, __main__
from benchmarks.row import Row, percentile, rate_row, share_row, speed_row

FIELDS = {"name", "ours", "peer", "peer_name", "ratio", "goal", "met", "unit"}


@pytest.mark.parametrize("name", ROWS)
def test_it_does_the_work_and_names_its_peers(name: str) -> None:
    """Each row checks by itself that both sides did the work (records made, the same table, every message sent)."""
    rows: list[Row] = import_module(f"benchmarks.{name}").measure(quick=True)
    assert rows
    for row in rows:
        assert set(row.to_json()) == FIELDS
        assert row.ours > 0 and row.peer > 0 and row.peer_name
        assert row.line().startswith(("met", "MISSED") if row.goal else " ")


def test_a_ratio_says_how_often_as_fast_or_what_share() -> None:
    assert rate_row("r", 300, 100, "peer", at_least=2, unit="messages/s").ratio == 3
    assert speed_row("s", 2.0, 10.0, "peer", at_least=5).ratio == 5
    missed = share_row("m", 60, 100, "peer", at_most=0.45, unit="MiB")
    assert (missed.ratio, missed.goal, missed.met) == (0.6, "≤ 0.45", False)
    compared = rate_row("c", 300, 100, "peer", at_least=None, unit="contacts/s")
    assert (compared.ratio, compared.goal, compared.met) == (3, "", None)
    assert "no goal" in compared.line()
    assert percentile(range(1, 101), 0.99) == 100


def test_a_row_measured_again_replaces_its_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results.json"
    monkeypatch.setattr(__main__, "RESULTS", results)
    first, other = (rate_row(name, 1, 1, "peer", at_least=1, unit="1/s") for name in ("first", "other"))
    __main__.write([first, other], everything=True)
    __main__.write([rate_row("first", 5, 1, "peer", at_least=1, unit="1/s")], everything=False)
    kept = {row["name"]: row["ours"] for row in json.loads(results.read_text("utf-8"))}
    assert kept == {"first": 5, "other": 1}
