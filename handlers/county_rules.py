"""What a county may write into CUNYI_RULES, looked at before anything starts. 县里的设置"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from handlers.campaigns.settings import SETTINGS
from handlers.menu import protocols
from models.county import COUNTY_SETTINGS
from models.indicators import BY_CODE

GOALS = "goals"
ANYTHING = ("signing.package_items",)
ALIKE = 0.85  # a name so near to one that is known is a slip; others may be a county's own


def complaints(rules: Mapping[str, Any]) -> list[str]:
    """One sentence for each value that cannot work, and for each name that looks like a slip."""
    known = {name: s.default for protocol in protocols() for name, s in protocol.settings.items()}
    known |= {name: s.default for table in (SETTINGS, COUNTY_SETTINGS) for name, s in table.items()}
    found = _goals(rules.get(GOALS, {}))
    for name, value in rules.items():
        if name in ANYTHING:
            continue
        if name in known:
            if wanted := _wanted(known[name], value):
                found.append(f"CUNYI_RULES: {name} must be {wanted}, not {value!r}")
        elif near := get_close_matches(name, known, n=1, cutoff=ALIKE):
            found.append(f"CUNYI_RULES: {name} is no setting; do you mean {near[0]}? (docs/rules.md)")
    return found


def _goals(goals: Any) -> list[str]:
    if not isinstance(goals, Mapping):
        return [f'CUNYI_RULES: {GOALS} must be like {{"hypertension_control_rate": 60}}, not {goals!r}']
    unknown = [f"CUNYI_RULES: {GOALS}: there is no figure {code}" for code in goals if code not in BY_CODE]
    wrong = [
        f"CUNYI_RULES: {GOALS}: {code} must be a number, not {goal!r}"
        for code, goal in goals.items()
        if not _is_number(goal)
    ]
    return [*unknown, *wrong]


def _wanted(default: Any, value: Any) -> str:
    """What the value should have been; nothing where it will do."""
    if value is None:
        return ""
    if isinstance(default, bool):
        return "" if isinstance(value, bool) else "true or false"
    if isinstance(default, str):
        return "" if isinstance(value, str) else "a word"
    if isinstance(default, list | tuple):
        return "" if isinstance(value, list) else "a list"
    return "" if _is_number(value) else "a number"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
