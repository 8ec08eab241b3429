"""Mutants of the protocols that nobody can notice, and why: module, a part of the line, the changes, the reason."""

from __future__ import annotations

ARGUED: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("child_check", "YEARLY = 48", ("48 -> 47",), "there is no check between 36 and 48 months"),
    ("findings", "if None not in stated", ("never None not in stated",), "a short cut: what was stated stands before the means either way"),
    ("findings", "strict=True", ("True -> False",), "a reading always has two sides, strictness only guards the reader"),
    ("findings", 'Decimal("0.1")', ("'0.1' -> other",), "Decimal reads 0.1_ as 0.1"),
    ("glucose", '"LO": 0.0', ("0.0 -> 0.1", "0.0 -> -0.1"), "any value that low is below every threshold"),
    ("infectious", "within=1", ("1 -> 2",), "a report has hours and no next visit, the schedule gives none whatever the rule asks"),
    ("mental_health", "within is not None", ("without within is not None",), "whoever is at level 3 has a rule that sets the days"),
    ("newborn", "(then - now) / then, 4)", ("4 -> 5",), "weights are known to the gram"),
    ("newborn", "month.closes(f.born_on, 0)", ("0 -> 1", "0 -> -1"), "the first month's check ends on day 42, months of grace are for later ones"),
    ("postpartum", "left_on(f) or born", ("without born",), "without a day of discharge left_on is the day of the birth"),
    ("referral", "within or TWO_WEEKS", ("without TWO_WEEKS",), "every referral has a rule that sets the days"),
    ("tcm_constitution", "balanced_within(f, YES - 1)", ("Sub -> Add", "1 -> 2", "1 -> 0"), "the rules before it took every sum of 11 and more"),
    ("vaccination", "if f.born_on else 0", ("0 -> 1", "0 -> -1"), "without a birthday nothing is planned, so no month is too late"),
    ("vaccination", "due is not None and", ("without due is not None",), "without a due day nothing is upcoming"),
)  # fmt: skip
