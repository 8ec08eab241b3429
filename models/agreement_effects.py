"""What the family doctor's agreements add to the figures: signed, run out, renewed, and what of them was done. 签约"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Row

from models.county import COUNTY_SETTINGS
from models.fulfilment import Promise, fulfilled_since, progress
from models.groups import STOCKS, belongs
from models.people import Resident
from models.record import Agreement, Record, last_day
from models.spans import BEGINNING, gone_on, known_from, union, while_here, without
from models.tally import Effects, stock, total

RENEWAL_DAYS = int(COUNTY_SETTINGS["signing.renewal_days"].default)
"""Within how many days after its end a new agreement is a renewal (domain.md B: 60 or 90, local)."""

PERSONAL_PACKAGE = 3  # 个性化包


def signature_effects(agreement: Agreement | Row[Any]) -> Effects:
    """Flows of one agreement: `agreements_signed` when it began, `agreements_personalised` if a personal package is in it,
    and `agreements_ended` when it was ended before its time."""
    if agreement.status != "current":
        return Counter()
    village = agreement.village_id
    result: Effects = Counter({(village, agreement.starts_on, "agreements_signed"): 1})
    if PERSONAL_PACKAGE in agreement.packages:
        result[village, agreement.starts_on, "agreements_personalised"] = 1
    if agreement.ended_on is not None:
        result[village, agreement.ended_on, "agreements_ended"] += 1
    return result


def validity_effects(
    agreements: Iterable[Agreement | Row[Any]], resident: Resident | Row[Any], renewal_days: int = RENEWAL_DAYS
) -> Effects:
    """Of one resident: stocks `signed.general`, `signed.key`, `signed.poor`; flows `signing.expired`, `signing.renewed`.

    However many agreements overlap, a person is signed once. An agreement has run out on the day after its last, unless
    it was ended before (解约), the person had gone, or another that began no later goes on; `signing.renewed` stands on
    that same day, so that renewed ÷ expired is of the same people whatever the period.
    """
    current = [a for a in agreements if a.status == "current"]
    terms = sorted({(a.starts_on, last_day(a.ends_on, a.ended_on)) for a in current})
    to_the_end = {(a.starts_on, a.ends_on) for a in current if last_day(a.ends_on, a.ended_on) == a.ends_on}
    if not terms:
        return Counter()
    village, known = resident.village_id, resident.registered_on or BEGINNING
    spans = while_here(union(terms), resident)
    result = stock(village, "signed.general", spans)
    for name in ("key", "poor"):
        if belongs(resident.groups, STOCKS[name]):
            result = total([result, stock(village, f"signed.{name}", known_from(spans, known))])
    gone = gone_on(resident)
    for ends in sorted({ends for starts, ends in to_the_end if not _goes_on(starts, ends, terms)}):
        after = ends + timedelta(days=1)
        if gone is None or after < gone:
            result[village, after, "signing.expired"] += 1
            if is_renewed(ends, terms, renewal_days):
                result[village, after, "signing.renewed"] += 1
    return result


def is_renewed(ends: date, terms: Iterable[tuple[date, date]], renewal_days: int) -> bool:
    """Does another agreement that lasts longer begin before the end, or within so many days after it?"""
    limit = ends + timedelta(days=renewal_days)
    return any(starts <= limit and last > ends for starts, last in terms)


def agreement_effects(
    agreements: Sequence[Agreement | Row[Any]], resident: Resident | Row[Any], renewal_days: int = RENEWAL_DAYS
) -> Effects:
    """Everything that one resident's agreements add."""
    return total([validity_effects(agreements, resident, renewal_days), *map(signature_effects, agreements)])


def fulfilment_effects(
    agreements: Sequence[Agreement | Row[Any]],
    records: Sequence[Record | Row[Any]],
    resident: Resident | Row[Any],
    promise: Promise,
) -> Effects:
    """Of one resident: stocks `signing.fulfilled`, `signing.items_due` and `signing.items_done`.

    A person counts while all of their agreements that hold are fulfilled, an item while its agreement holds, and as done
    from the day of its last evidence. Nothing until the county has said how it counts.
    """
    if not promise.counts:
        return Counter()
    village, parts = resident.village_id, []
    held, lacking = [], []
    for agreement in agreements:
        first, after = agreement.starts_on, last_day(agreement.ends_on, agreement.ended_on) + timedelta(days=1)
        if agreement.status != "current" or after <= first:
            continue
        held.append((first, after - timedelta(days=1)))
        for one in progress(agreement, records, promise):
            if one.times:
                parts.append(stock(village, "signing.items_due", while_here([(first, after)], resident)))
                if one.done_on is not None:
                    parts.append(stock(village, "signing.items_done", while_here([(one.done_on, after)], resident)))
        lacking.append((first, fulfilled_since(agreement, records, promise) or after))
    return total(
        [*parts, stock(village, "signing.fulfilled", while_here(without(union(sorted(held)), lacking), resident))]
    )


def _goes_on(starts: date, ends: date, terms: Sequence[tuple[date, date]]) -> bool:
    return any(other <= starts and last > ends for other, last in terms)
