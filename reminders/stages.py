"""The days on which an end that comes nearer is spoken of, each once: 60, 30 and 7 days before it, and again when it is past.

Not only on that very day: whoever could not be told then, because the machine was off or the message did not go out,
hears it on the next day the bot runs, unless the following one of these days has come meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta


def stage(
    ends_on: date, today: date, before: Iterable[int], *, every: int = 0, since: date | None = None
) -> str | None:
    """The last of its days that has come, as a word for `mention`; None when none has.

    `before` are days before the end, 0 the day itself. `every` so many days after it there is another one. Those before
    `since` do not count: the matter had only begun, and its beginning was told.
    """
    left = (ends_on - today).days
    passed = [n for n in before if n >= left]
    if every and -left >= every:
        passed.append(left + -left % every)
    if not passed or (since is not None and ends_on - timedelta(days=min(passed)) < since):
        return None
    return f"{min(passed)}:{ends_on}"
