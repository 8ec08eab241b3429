"""The mutation run itself: a wrong threshold is noticed, what is argued away still stands there, and nothing is left changed."""

from __future__ import annotations

import sys

import pytest

from tests import mutation
from tests.equivalent_mutants import ARGUED

KNOWN = (
    ("hypertension", "140 -> 141"),
    ("hypertension", "GtE -> Gt"),
    ("glucose", "16.7 -> 16.8"),
    ("lungs", "88 -> 87"),
    ("tb", "7 -> 8"),
    ("vaccines", "28 -> 27"),
    ("mental_health_class", "Or -> And"),
)


@pytest.mark.parametrize(("module", "change"), KNOWN)
def test_a_wrong_number_is_noticed(module: str, change: str) -> None:
    before = dict(sys.modules)
    changed = [mutant for mutant in mutation.mutants(module) if mutant.what == change]
    assert changed
    assert all(mutation.noticed_by(mutant) for mutant in changed[:3])
    assert {name: found for name, found in sys.modules.items() if name in before} == before


def test_without_a_mutant_nothing_is_noticed() -> None:
    assert mutation.noticed_by(None) == ""


@pytest.mark.parametrize(("module", "fragment", "changes", "reason"), ARGUED)
def test_what_is_argued_away_still_stands_there(
    module: str, fragment: str, changes: tuple[str, ...], reason: str
) -> None:
    found = [mutant for mutant in mutation.mutants(module) if fragment in mutant.text and mutant.what in changes]
    assert reason and {mutant.what for mutant in found} == set(changes)
    assert not any(mutation.noticed_by(mutant) for mutant in found), "it is noticed by now"
