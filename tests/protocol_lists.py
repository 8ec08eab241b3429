"""Lists that the protocols hold and a clinician checks line by line: a table each in `tests/protocols/lists`.

Each list is told by the protocol itself, one line an entry, so that a changed age, point, code or interval differs from
its table. Where the table asks (a child, a day, a value), the question is read from it and only the answer is told.
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


def diseases(_: list[Row]) -> Iterator[Row]:
    """Within how many hours which disease is reported."""
    infectious = page("infectious")
    for code, disease in infectious.DISEASES.items():
        f = Findings(BORN, {"disease": code})
        hours = infectious.hours(f) // timedelta(hours=1)
        yield row(code=code, disease=disease.title, kind=infectious.CLASSES[disease.kind], hours=hours)


def vaccines(_: list[Row]) -> Iterator[Row]:
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


def plans(asked: list[Row]) -> Iterator[Row]:
    """What is planned for a child, the earliest first, and what a child who had everything on time has had."""
    immunisation = page("immunisation")
    for line in asked:
        weight = float(line["birth_weight"]) if line["birth_weight"] else None
        child, on = immunisation.Child(date.fromisoformat(line["born_on"]), line["sex"], weight), day(line["on"])
        planned = immunisation.plan(child, given(line), on)
        had, before = immunisation.all_due_by(child, on), immunisation.all_due_by(child, on, before_last_age=True)
        yield line | row(
            planned=" ".join(f"{one.dose}:{one.earliest}" for one in planned),
            late_from=" ".join(f"{one.dose}:{one.late_from}" for one in planned if one.late_from),
            today=" ".join(one.dose for one in immunisation.due_on(child, given(line), on)),
            late=" ".join(one.dose for one in planned if one.is_late(on)),
            last_age=immunisation.last_age(child, on),
            due_by_now=" ".join(f"{code}:{doses}" for code, doses in had.items()),
            due_before=" ".join(f"{code}:{doses}" for code, doses in before.items()),
        )


def too_early(asked: list[Row]) -> Iterator[Row]:
    """Doses that do not count, and from which day they would have; a boy born on 1 January 2026."""
    immunisation = page("immunisation")
    child = immunisation.Child(date(2026, 1, 1), "male", None)
    for line in asked:
        counts_from = immunisation.too_early(child, given(line), line["dose"], day(line["on"])) if line["on"] else None
        yield line | row(words=page("vaccines").dose_title(line["dose"]), counts_from=counts_from)


def given(line: Row) -> dict[str, date]:
    """'DTP.1=2026-03-01' as doses with their days."""
    return {dose: day(on) for dose, on in (pair.split("=") for pair in line["given"].split())}


def day(text: str) -> date:
    return date.fromisoformat(text)


def constitutions(_: list[Row]) -> Iterator[Row]:
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


def items_by_measure(asked: list[Row]) -> Iterator[Row]:
    """Questions 9 and 28 answered from the body mass index and the waist."""
    tcm = page("tcm_constitution")
    scores = {tcm.BY_BMI: tcm.bmi_item, tcm.BY_WAIST: tcm.waist_item}
    for line in asked:
        item = int(line["item"])
        yield line | row(question=tcm.ITEMS[item - 1], score=scores[item](float(line["value"])))


def self_care(_: list[Row]) -> Iterator[Row]:
    """Points of 生活自理能力评估, and the bands."""
    elderly = page("elderly")
    for item, points in elderly.SELF_CARE.items():
        for answer, point in points.items():
            yield row(item=item, answer=elderly.BAND_WORDS[answer], code=answer, points=point)
    for score in (0, 3, 4, 8, 9, 18, 19, 37):
        band = elderly.self_care_band(score)
        yield row(item="together", answer=elderly.BAND_WORDS[band], code=band, points=score)


def child_checks(_: list[Row]) -> Iterator[Row]:
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


def windows(_: list[Row]) -> Iterator[Row]:
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


def limits(_: list[Row]) -> Iterator[Row]:
    """Days of pregnancy and after the birth on which something changes."""
    pregnancy, postpartum = page("pregnancy"), page("postpartum")
    for what, days in (
        ("孕13周之前的最后一天", pregnancy.LATEST_EARLY), ("足月37周", pregnancy.TERM), ("满41周", pregnancy.POST_TERM), ("日期有误44周", pregnancy.LONGEST),
        ("出院后上门", pregnancy.HOME_VISIT_DAYS), ("产后42天检查", postpartum.CHECK_DAY),
        ("产后血压按孕产妇判", postpartum.TWELVE_WEEKS), ("产后访视率", postpartum.LATEST_HOME),
    ):  # fmt: skip
        yield row(what=what, days=days)


def ages(asked: list[Row]) -> Iterator[Row]:
    """Ages as people say them, of a child born on 31 January 2026."""
    ages = page("ages")
    for line in asked:
        on = day(line["on"])
        words, later = ages.age_words(BORN, on), ages.months_later(on, 1)
        yield line | row(months=ages.months_old(BORN, on), words=words, a_month_later=later)


def quarters(asked: list[Row]) -> Iterator[Row]:
    """The next visit of whoever last filled a quarter's visit on a day, and the last day of this quarter."""
    quarters = page("quarters")
    for line in asked:
        on = day(line["on"])
        next_visit = quarters.quarterly(on, day(line["filled_on"]))
        yield line | row(last_day=quarters.last_day_of_quarter(on), next_visit=next_visit)


LISTS: dict[str, tuple[str, Callable[[list[Row]], Iterator[Row]]]] = {
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
            if list(told(_TABLES[name])) != _TABLES[name]:
                return f"lists/{name}"
    return ""
