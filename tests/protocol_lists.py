"""Lists that the protocols hold and a clinician checks line by line: a table each in `tests/protocols/lists`.

Each list is told by the protocol itself, one line an entry, so that a changed age, point, code or interval differs from
its table.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from handlers.decisions import Findings

FOLDER = Path(__file__).parent / "protocols" / "lists"
DAY = timedelta(days=1)
BORN = date(2026, 1, 31)  # the end of a long month: month arithmetic ends on the last day of a shorter one

Row = dict[str, str]


def page(name: str) -> Any:
    return sys.modules[f"handlers.protocols.{name}"]


def diseases() -> Iterator[Row]:
    """Within how many hours which disease is reported."""
    infectious = page("infectious")
    for code, disease in infectious.DISEASES.items():
        f = Findings(BORN, {"disease": code})
        hours = infectious.hours(f) // timedelta(hours=1)
        yield row(code=code, disease=disease.title, kind=infectious.CLASSES[disease.kind], hours=hours)


def vaccines() -> Iterator[Row]:
    """The doses of the schedule: from which month, late from, how long after the dose before, until when made up for."""
    vaccines = page("vaccines")
    for series in vaccines.SCHEDULE:
        yield from doses(series.doses, series, f"{series.code}.")
    yield from doses(vaccines.LOW_WEIGHT_HEPATITIS_B, vaccines.BY_CODE["HepB"], "HepB (below 2 kg).")


def doses(doses: tuple[Any, ...], series: Any, name: str) -> Iterator[Row]:
    for number, dose in enumerate(doses, 1):
        follows = "{}.{} +{}".format(*series.follows) if series.follows and number == 1 else None
        yield row(
            dose=f"{name}{number}",
            words=page("vaccines").dose_title(f"{series.code}.{number}"),
            from_month=dose.at,
            late_from_month=dose.by,
            days_after=dose.days or None,
            months_after=dose.months or None,
            not_after_month=dose.until or series.until,
            live="live" if series.live else None,
            follows=follows,
            girls_born_after=series.girls_born_after,
            instead_of=series.instead_of,
        )


YEAR_BORN = date(2026, 1, 1)
GIRL = date(2012, 1, 1)
CHILDREN: tuple[tuple[str, date, str, float | None, date, str], ...] = (  # words, born, sex, weight, today, given
    ("出生当天", YEAR_BORN, "male", None, YEAR_BORN, ""),
    ("出生当天,1.9千克", YEAR_BORN, "male", 1.9, YEAR_BORN, ""),
    ("1.9千克,打过两剂乙肝", YEAR_BORN, "male", 1.9, date(2026, 2, 1), "HepB.1=2026-01-01 HepB.2=2026-02-01"),
    ("2.0千克,打过两剂乙肝", YEAR_BORN, "male", 2.0, date(2026, 2, 1), "HepB.1=2026-01-01 HepB.2=2026-02-01"),
    ("满月", YEAR_BORN, "male", None, date(2026, 2, 1), ""),
    ("满月差一天", YEAR_BORN, "male", None, date(2026, 1, 31), ""),
    ("8月龄,乙脑用灭活", YEAR_BORN, "male", None, date(2026, 9, 1), "JEI.1=2026-09-01"),
    ("18月龄,甲肝用灭活", YEAR_BORN, "male", None, date(2027, 7, 1), "HepAI.1=2027-07-01"),
    ("两种乙脑都打过", YEAR_BORN, "male", None, date(2026, 9, 8), "JE.1=2026-09-01 JEI.1=2026-09-08"),
    ("8月龄只打了麻腮风,乙脑要隔28天", YEAR_BORN, "male", None, date(2026, 9, 10), "MMR.1=2026-09-01"),
    ("A群流脑第2剂晚打,AC隔12个月", YEAR_BORN, "male", None, date(2028, 12, 1), "MenA.1=2026-07-01 MenA.2=2028-12-01"),
    ("AC打了第1剂,第2剂隔3年", YEAR_BORN, "male", None, date(2029, 6, 1), "MenA.2=2031-12-01 MenAC.1=2029-06-01"),
    ("卡介苗满4岁不补", YEAR_BORN, "male", None, date(2030, 1, 1), ""),
    ("卡介苗满4岁前一天", YEAR_BORN, "male", None, date(2029, 12, 31), ""),
    ("满7岁前一天", YEAR_BORN, "male", None, date(2032, 12, 31), ""),
    ("满7岁", YEAR_BORN, "male", None, date(2033, 1, 1), ""),
    ("满18岁前一天", GIRL, "female", None, date(2029, 12, 31), ""),
    ("满18岁", GIRL, "female", None, date(2030, 1, 1), ""),
    ("女孩满13岁前一天", GIRL, "female", None, date(2024, 12, 31), ""),
    ("女孩13岁,HPV打过第1剂", GIRL, "female", None, date(2025, 6, 1), "HPV.1=2025-06-01"),
    ("女孩满14岁前一天", GIRL, "female", None, date(2025, 12, 31), ""),
    ("女孩满14岁,第1剂不再打", GIRL, "female", None, date(2026, 1, 1), ""),
    ("女孩14岁,第2剂还打", GIRL, "female", None, date(2026, 12, 31), "HPV.1=2025-06-01"),
    ("女孩满15岁,第2剂不打了", GIRL, "female", None, date(2027, 1, 1), "HPV.1=2025-06-01"),
    ("男孩13岁没有HPV", GIRL, "male", None, date(2025, 6, 1), ""),
    ("2011年11月10日出生的女孩没有", date(2011, 11, 10), "female", None, date(2025, 6, 1), ""),
    ("2011年11月11日出生的女孩有", date(2011, 11, 11), "female", None, date(2025, 6, 1), ""),
)


def plans() -> Iterator[Row]:
    """What is planned for a child, the earliest first, and what a child who had everything on time has had."""
    immunisation = page("immunisation")
    for words, born_on, sex, weight, on, told in CHILDREN:
        child = immunisation.Child(born_on, sex, weight)
        given = {dose: date.fromisoformat(day) for dose, day in (pair.split("=") for pair in told.split())}
        had = immunisation.all_due_by(child, on)
        yield row(
            child=words,
            born_on=born_on,
            on=on,
            given=told,
            planned=" ".join(f"{one.dose}:{one.earliest}" for one in immunisation.plan(child, given, on)),
            late_from=" ".join(
                f"{one.dose}:{one.late_from}" for one in immunisation.plan(child, given, on) if one.late_from
            ),
            today=" ".join(one.dose for one in immunisation.due_on(child, given, on)),
            late=" ".join(one.dose for one in immunisation.plan(child, given, on) if one.is_late(on)),
            last_age=immunisation.last_age(child, on),
            due_by_now=" ".join(f"{code}:{doses}" for code, doses in had.items()),
            due_before=" ".join(
                f"{c}:{n}" for c, n in immunisation.all_due_by(child, on, before_last_age=True).items()
            ),
        )


def too_early() -> Iterator[Row]:
    """Doses that do not count, and from which day they would have."""
    immunisation = page("immunisation")
    child = immunisation.Child(YEAR_BORN, "male", None)
    for dose, on, told in (
        ("DTP.1", date(2026, 2, 28), ""), ("DTP.1", date(2026, 3, 1), ""), ("DTP.2", date(2026, 5, 1), "DTP.1=2026-04-04"),
        ("DTP.2", date(2026, 5, 1), "DTP.1=2026-04-03"), ("DTP.5", date(2031, 12, 31), "DTP.4=2030-01-01"), ("DTP.6", date(2026, 2, 1), ""),
        ("DTP.0", date(2026, 2, 1), ""), ("XYZ.1", date(2026, 2, 1), ""), ("JE.1", date(2026, 9, 28), "MMR.1=2026-09-01"),
        ("JE.1", date(2026, 9, 29), "MMR.1=2026-09-01"), ("JE.1", date(2026, 9, 1), "MMR.1=2026-09-01"),
        ("MenAC.1", date(2029, 12, 1), "MenA.2=2028-12-02"), ("MenAC.1", date(2029, 12, 1), "MenA.2=2028-12-01"),
        ("Polio.2", date(2026, 4, 1), "Polio.1=2026-03-05"), ("Polio.2", date(2026, 4, 1), "Polio.1=2026-03-04"),
    ):  # fmt: skip
        given = {name: date.fromisoformat(day) for name, day in (pair.split("=") for pair in told.split())}
        yield row(
            dose=dose,
            words=page("vaccines").dose_title(dose),
            on=on,
            given=told,
            counts_from=immunisation.too_early(child, given, dose, on),
        )
    yield row(dose="Polio", words=page("vaccines").dose_title("Polio"), on=None, given=None, counts_from=None)
    yield row(
        dose="DT.1",
        words=page("vaccines").dose_title(f"{page('vaccines').DIPHTHERIA_TETANUS}.1"),
        on=None,
        given=None,
        counts_from=None,
    )


def constitutions() -> Iterator[Row]:
    """The questions that make up each constitution; those in brackets count backwards."""
    tcm = page("tcm_constitution")
    for code, title in tcm.CLASSES.items():
        items = tcm.OF_BALANCED if code == tcm.BALANCED else tcm.BIASED.get(code, ())
        backwards = tcm.REVERSED if code == tcm.BALANCED else ()
        lowest, highest = [1] * len(tcm.ITEMS), [5] * len(tcm.ITEMS)
        if not items:
            yield row(code=code, constitution=title, items=None, all_never=None, all_always=None)
            continue
        told = " ".join(f"({item})" if item in backwards else str(item) for item in items)
        sums = [tcm.total(given, code) for given in (lowest, highest)]
        yield row(code=code, constitution=title, items=told, all_never=sums[0], all_always=sums[1])


def items_by_measure() -> Iterator[Row]:
    """Questions 9 and 28 answered from the body mass index and the waist."""
    tcm = page("tcm_constitution")
    for item, score, values in (
        (tcm.BY_BMI, tcm.bmi_item, (23.9, 24, 24.9, 25, 25.9, 26, 27.9, 28)),
        (tcm.BY_WAIST, tcm.waist_item, (79, 79.9, 80, 85, 85.1, 86, 90, 90.1, 91, 105, 105.1, 106)),
    ):
        for value in values:
            yield row(item=item, question=tcm.ITEMS[item - 1], value=value, score=score(value))


def self_care() -> Iterator[Row]:
    """Points of 生活自理能力评估, and the bands."""
    elderly = page("elderly")
    for item, points in elderly.SELF_CARE.items():
        for answer, point in points.items():
            yield row(item=item, answer=elderly.BAND_WORDS[answer], code=answer, points=point)
    for score in (0, 3, 4, 8, 9, 18, 19, 37):
        band = elderly.self_care_band(score)
        yield row(item="together", answer=elderly.BAND_WORDS[band], code=band, points=score)


def child_checks() -> Iterator[Row]:
    """The twelve checks: what belongs to each, and the days of a child born on 31 January 2026."""
    checks = page("child_check")
    for slot in checks.SLOTS:
        grace = 3 if slot.months >= checks.YEARLY else 1
        opens = slot.opens(BORN)
        early = 0 if slot.months == 1 else 14
        this = checks.slot_on(BORN, opens - early * DAY)
        before = checks.slot_on(BORN, opens - (early + 1) * DAY)
        following = checks.next_slot(BORN, opens)
        yield row(
            months=slot.months,
            check=slot.title,
            blood="有" if slot.blood else None,
            hearing="有" if slot.hearing else None,
            vision="有" if slot.vision else None,
            tcm="、".join(checks.TCM[code] for code in slot.tcm),
            opens=opens,
            closes=slot.closes(BORN, grace),
            on_the_first_day=this and this.title,
            the_day_before=before and before.title,
            then=following and following.title,
            two_weeks_before=_next(checks, opens - 14 * DAY),
            a_day_earlier=_next(checks, opens - 15 * DAY),
        )


def _next(checks: Any, on: date) -> str | None:
    """The check that comes next for whoever is seen on a day."""
    following = checks.next_slot(BORN, on)
    return following and str(following.title)


def windows() -> Iterator[Row]:
    """The five antenatal windows in days of pregnancy, and what the days around them are."""
    pregnancy = page("pregnancy")
    for window in pregnancy.WINDOWS:
        first, last = window.days(BORN)
        before, after = pregnancy.window_of(window.first_day - 1), pregnancy.window_of(window.last_day + 1)
        following = pregnancy.next_window(window.last_day, set())
        yield row(
            number=window.number,
            first_day=window.first_day,
            last_day=window.last_day,
            words=f"{pregnancy.weeks_and_days(window.first_day)} {pregnancy.weeks_and_days(window.last_day)}",
            first=first,
            last=last,
            the_day_before=before and before.number,
            the_day_after=after and after.number,
            next_when_over=following and following.number,
            due=pregnancy.due_date(BORN),
        )


def limits() -> Iterator[Row]:
    """Days of pregnancy and after the birth on which something changes."""
    pregnancy, postpartum = page("pregnancy"), page("postpartum")
    for what, days in (
        ("孕13周之前的最后一天", pregnancy.LATEST_EARLY), ("足月37周", pregnancy.TERM), ("满41周", pregnancy.POST_TERM), ("日期有误44周", pregnancy.LONGEST),
        ("出院后上门", pregnancy.HOME_VISIT_DAYS), ("产后42天检查", postpartum.CHECK_DAY),
        ("产后血压按孕产妇判", postpartum.TWELVE_WEEKS), ("产后访视率", postpartum.LATEST_HOME),
    ):  # fmt: skip
        yield row(what=what, days=days)


def ages() -> Iterator[Row]:
    """Ages as people say them, of a child born on 31 January 2026."""
    ages = page("ages")
    for on in (
        BORN, date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 30), date(2026, 3, 31), date(2027, 1, 30), date(2027, 1, 31),
        date(2027, 2, 28), date(2028, 1, 30), date(2028, 1, 31), date(2028, 2, 29), date(2028, 12, 30), date(2028, 12, 31),
    ):  # fmt: skip
        months = ages.months_old(BORN, on)
        yield row(on=on, months=months, words=ages.age_words(BORN, on), a_month_later=ages.months_later(on, 1))


def quarters() -> Iterator[Row]:
    """The next visit of whoever filled a quarter's visit on a day, and its last day."""
    quarters = page("quarters")
    days = (
        date(2026, 1, 1),
        date(2026, 3, 31),
        date(2026, 4, 1),
        date(2026, 9, 30),
        date(2026, 11, 22),
        date(2026, 12, 31),
    )
    for on, filled_on in (
        *zip(days, days, strict=True),
        (date(2026, 7, 10), date(2026, 2, 10)),
        (date(2026, 5, 20), date(2026, 2, 10)),
    ):
        yield row(
            on=on,
            filled_on=filled_on,
            last_day=quarters.last_day_of_quarter(on),
            next_visit=quarters.quarterly(on, filled_on),
        )


LISTS: dict[str, tuple[str, Callable[[], Iterator[Row]]]] = {
    "diseases": ("infectious", diseases),
    "vaccines": ("vaccines", vaccines),
    "vaccination_plans": ("immunisation", plans),
    "too_early": ("immunisation", too_early),
    "constitutions": ("tcm_constitution", constitutions),
    "items_by_measure": ("tcm_constitution", items_by_measure),
    "self_care": ("elderly", self_care),
    "child_checks": ("child_check", child_checks),
    "antenatal_windows": ("pregnancy", windows),
    "maternal_days": ("postpartum", limits),
    "ages": ("ages", ages),
    "quarters": ("quarters", quarters),
}
"""A list's table, the module that it is told by, and how."""


def row(**cells: object) -> Row:
    return {name: "" if value is None else str(value) for name, value in cells.items()}


def table(name: str) -> list[Row]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


_TABLES: dict[str, list[Row]] = {}


def disagree(reached: set[str]) -> str:
    """The first list told by these modules that differs from its table; "" when all agree."""
    for name, (module, told) in LISTS.items():
        if module in reached:
            if name not in _TABLES:
                _TABLES[name] = table(name)
            if list(told()) != _TABLES[name]:
                return f"lists/{name}"
    return ""
