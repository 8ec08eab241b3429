"""What a list of names is made of, and what every list is asked with: a scope, a window, a page. 名单"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models.indicator import Window
from models.scope import Scope


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list. `name` is None for an event; `detail` tells why the line is there."""

    resident_id: int | None
    name: str | None
    village: str
    on: date | None
    detail: str


@dataclass(frozen=True, slots=True)
class LineList:
    """How many lines there are in all, and those of the page asked for."""

    total: int
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for: a page of the list for a window, within a scope."""

    session: Session
    scope: Scope
    window: Window
    limit: int
    offset: int

    def page_of(self, query: Any, line: Callable[[Row[Any]], Line]) -> LineList:
        """Count the rows of a query and fetch one page of them."""
        total = self.session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
        if not self.scope.names:
            return LineList(total, ())
        return LineList(total, [line(row) for row in self.session.execute(query.limit(self.limit).offset(self.offset))])

    def cut(self, found: Sequence[Any]) -> Sequence[Any]:
        """One page of what had to be worked out in full; nothing where the viewer sees no names."""
        return found[self.offset : self.offset + self.limit] if self.scope.names else ()


Source = Callable[[Asked], LineList]
"""Where the names behind one figure come from."""
