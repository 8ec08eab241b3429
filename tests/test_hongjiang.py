"""洪江市's table in small, fed in through the same use cases: every figure comes out (domain.md F1)."""

from __future__ import annotations

from typing import Any

from models.recount import recount
from tests.databases import fresh_store
from tests.hongjiang import County, compare

SCALE = 1000  # one record for a thousand; `python -m tests.hongjiang` feeds in all of them


def test_every_figure_of_the_table_comes_out(record_property: Any) -> None:
    with fresh_store() as store:
        county = County(store, SCALE)
        expected = county.live()
        assert compare(store, expected) == []
        with store.read() as session:
            assert list(recount(session)) == []
    record_property("figure", f"洪江市's table at 1:{SCALE}: {len(expected)} figures equal, from {county.made} records")
