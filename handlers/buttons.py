"""Buttons that stand for themselves (a command, a line of a worklist, a figure's names, a record to change), and who answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from handlers import (
    appointments,
    corrections,
    deliveries,
    duplicates,
    infectious,
    leave,
    referrals,
    settings,
    snooze,
    summary,
    tb_notice,
    worklist,
)  # fmt: skip
from handlers.campaigns import commands as campaigns
from handlers.campaigns import lists, positives
from handlers.commands import BY_CHOICE, OF_A_FORM
from handlers.plans import commands as plans
from handlers.turn import Turn


def _page(turn: Turn, rest: str) -> None:
    kind, _, more = rest.partition(".")
    worklist.page(turn, kind, more)


BUTTONS: dict[str, Callable[[Turn, str], None]] = {
    "visit": lambda turn, rest: worklist.open_visit(turn, int(rest)),
    "dup": duplicates.press,
    "notice": tb_notice.choose,
    "kept": appointments.note_kept,
    "loop": referrals.answer,
    "track": referrals.track,
    "refer": referrals.page,
    "page": _page,
    "gotit": lambda turn, rest: infectious.confirm(turn, int(rest)),
    "snooze": snooze.pressed,
    "askfix": lambda turn, rest: leave.ask_for(turn, int(rest)),
    "allowfix": leave.answer,
    "lists": lambda turn, rest: summary.show_lists(turn),
    "lower": lambda turn, rest: summary.show_lower(turn),
    "terms": lambda turn, rest: summary.show_terms(turn),
    "fix": lambda turn, rest: corrections.open_correction(turn, int(rest)),
    "withdraw": lambda turn, rest: corrections.withdraw_record(turn, int(rest)),
    "plan": plans.press,
    "progress": plans.press_report,
    "camp": campaigns.press,
    "tickin": lists.take_in,
    "follow": positives.open_follow_up,
    "followed": lambda turn, rest: positives.show(turn, start=int(rest)),
    "names": summary.show_names,
    "area": summary.show_area,
    "sent": deliveries.press,
    "set": settings.pressed,
}
"""By what stands before the first dot of the button; what follows is for whoever answers it."""


def press(turn: Turn, chosen: Sequence[str]) -> bool:
    """Answer a button that stands for itself; False where it is none, and belongs to a form."""
    if lists.ticked(turn, chosen):
        return True
    choice = chosen[0]
    head, _, rest = choice.partition(".")
    if choice in BY_CHOICE and choice not in OF_A_FORM:
        BY_CHOICE[choice].run(turn, "")
    elif head in BUTTONS and rest:
        BUTTONS[head](turn, rest)
    else:
        return False
    return True
