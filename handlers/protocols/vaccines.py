"""The national immunisation schedule of 2026, one line a dose: minimum age, when it should be done, interval. 免疫程序

《国家免疫规划疫苗儿童免疫程序及说明(2026年版)》 (domain.md A9) with the catch-up intervals of domain.md M-19. Ages are MINIMUM
ages: a dose is never due before. Late means catching up only what is missing, never beginning again.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

YEARS = 12  # months


class Dose(NamedTuple):
    """One dose: from which age in months, recommended before which, and how long after the dose before it."""

    at: int
    by: int | None = None
    days: int = 0
    months: int = 0
    until: int | None = None
    """From this age in months on it is not made up for any more; None: the series' own limit."""


class Series(NamedTuple):
    """One vaccine. `live` is an injected live one: two of these not given on one day stand 28 days apart."""

    code: str
    title: str
    doses: tuple[Dose, ...]
    words: tuple[str, ...] = ()
    live: bool = False
    until: int | None = None
    follows: tuple[str, int, int] | None = None
    """The first dose comes so many months after this dose of another series."""
    girls_born_after: date | None = None
    instead_of: str | None = None
    """An alternative product: whoever has begun with it goes on with it."""


LIVE_APART_DAYS = 28
LOW_BIRTH_WEIGHT = 2.0  # kg; below it the birth dose against hepatitis B is not counted (M-19)
LEAVES_AT = 18 * YEARS

SCHEDULE: tuple[Series, ...] = (
    Series("HepB", "乙肝", (Dose(0, 1), Dose(1, None, days=28), Dose(6, 12, days=60)), ("乙肝疫苗", "乙型肝炎疫苗")),
    Series("BCG", "卡介苗", (Dose(0, 3),), ("卡介",), live=True, until=4 * YEARS),
    Series(
        "Polio",
        "脊灰",
        (Dose(2), Dose(3, None, days=28), Dose(4, 12, days=28), Dose(4 * YEARS, 5 * YEARS, days=28)),
        ("脊灰疫苗", "脊髓灰质炎疫苗", "IPV", "bOPV", "糖丸"),
    ),
    Series(
        "DTP",
        "百白破",
        (
            Dose(2),
            Dose(4, None, days=28),
            Dose(6, 12, days=28),
            Dose(18, 24, months=6),
            Dose(6 * YEARS, 7 * YEARS, months=12),
        ),
        ("百白破疫苗", "DTaP"),
        until=7 * YEARS,
    ),
    Series("MenA", "A群流脑", (Dose(6, 12), Dose(9, 24, months=3)), ("A群", "流脑A"), until=2 * YEARS),
    Series("MMR", "麻腮风", (Dose(8, 12), Dose(18, 24, days=28)), ("麻腮风疫苗", "麻风腮"), live=True),
    Series("JE", "乙脑减毒", (Dose(8, 12), Dose(2 * YEARS, 3 * YEARS, months=12)), ("乙脑", "乙脑疫苗"), live=True),
    Series(
        "JEI",
        "乙脑灭活",
        (Dose(8, 12), Dose(8, 12, days=7), Dose(2 * YEARS, 3 * YEARS, days=28), Dose(6 * YEARS, 7 * YEARS, months=36)),
        instead_of="JE",
    ),
    Series("HepA", "甲肝减毒", (Dose(18, 24),), ("甲肝", "甲肝疫苗"), live=True),
    Series("HepAI", "甲肝灭活", (Dose(18, 24), Dose(2 * YEARS, 3 * YEARS, months=6)), instead_of="HepA"),
    Series(
        "MenAC",
        "A群C群流脑",
        (Dose(3 * YEARS, 4 * YEARS), Dose(6 * YEARS, 7 * YEARS, months=36)),
        ("AC群流脑", "AC流脑", "流脑AC", "A+C流脑", "A群C群"),
        follows=("MenA", 2, 12),
    ),
    Series(
        "HPV",
        "HPV(双价)",
        (Dose(13 * YEARS, 14 * YEARS, until=14 * YEARS), Dose(13 * YEARS, 14 * YEARS, months=6, until=15 * YEARS)),
        ("HPV", "HPV疫苗", "双价HPV", "宫颈癌疫苗"),
        girls_born_after=date(2011, 11, 10),
    ),
)
"""Polio: doses 1 and 2 are IPV, 3 and 4 bOPV. Latest ages and intervals in brackets of the source stand in `by` and
`days` or `months`; the intervals within the inactivated series and the 24 months of MenA are [K]."""

LOW_WEIGHT_HEPATITIS_B = (Dose(0, 1), Dose(1), Dose(2, None, days=28), Dose(7, 12, days=60))
"""For a child born under 2000 g: the birth dose is given and not counted, three more follow (M-19)."""

DIPHTHERIA_TETANUS = "DT"  # 白破: for catching up from 7 to 11 years; how many doses, the vaccination clinic decides
TITLES = {series.code: series.title for series in SCHEDULE} | {DIPHTHERIA_TETANUS: "白破"}
"""Also the names under which doses are stored: `DTP.1`."""
BY_CODE = {series.code: series for series in SCHEDULE}


def dose_title(dose: str) -> str:
    """'DTP.1' as people say it: 百白破第1剂."""
    code, _, number = dose.partition(".")
    if code == "Polio" and number:
        return f"脊灰第{number}剂({'IPV' if number in '12' else 'bOPV'})"
    return TITLES.get(code, code) + (f"第{number}剂" if number else "")
