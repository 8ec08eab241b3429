"""Statements compiled once and run on the driver's own cursor, for those that run with every message.

Problems: on its way through the layers a small statement is handed on by a hundred and fifty functions, which costs ten
times what SQLite takes to answer it. All that can be known beforehand (the SQL of each database, which parameter goes
where, how a value is written and read) is worked out once. What is pending in the session is not flushed first.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, JSON, ColumnElement, Dialect, Select, any_, bindparam, event, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction
from sqlalchemy.sql.dml import Insert, Update
from sqlalchemy.types import TypeEngine

Statement = Select[*tuple[Any, ...]] | Insert | Update
Processor = Callable[[Any], Any]


class Prepared:
    """One statement, whose parameters are single values, or lists (`among`). Where databases differ, a function makes it for each.

    An insert has the columns that it is first given; all its rows have the same.
    """

    def __init__(self, statement: Statement | Callable[[Dialect], Statement]) -> None:
        self._statement = statement
        self._ready: dict[str, _Ready] = {}

    def rows(self, session: Session, **values: Any) -> list[Any]:
        """What it finds, as tuples with the columns' names."""
        ready, connection = self._of(session, values)
        try:
            found = connection.execute(ready.sql, ready.bound(values)).fetchall()
        except ready.error as error:
            raise ready.wrapped(error) from error
        return [ready.row(row) for row in found]

    def first(self, session: Session, **values: Any) -> Any:
        """The first row, or None."""
        rows = self.rows(session, **values)
        return rows[0] if rows else None

    def each(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write with one set of values after the other."""
        ready, connection = self._of(session, rows[0])
        try:
            connection.cursor().executemany(ready.sql, [ready.bound(values) for values in rows])
        except ready.error as error:
            raise ready.wrapped(error) from error

    def _of(self, session: Session, values: Mapping[str, Any]) -> tuple[_Ready, Any]:
        line = session.info.get("line")
        if line is None:
            connection = session.connection()
            line = session.info["line"] = connection.dialect, connection.connection.driver_connection
        dialect, driver = line
        ready = self._ready.get(dialect.name)
        if ready is None:
            statement = self._statement(dialect) if callable(self._statement) else self._statement
            ready = self._ready[dialect.name] = _Ready(statement, [*values], dialect)
        return ready, driver


def among(column: Any, name: str, dialect: Dialect) -> ColumnElement[bool]:
    """`column IN (…)` for a list of any length, which is one parameter: what IN itself takes is compiled anew each time."""
    if dialect.name == "postgresql":
        return cast("ColumnElement[bool]", column == any_(bindparam(name, type_=ARRAY(column.type))))
    listed = func.json_each(bindparam(name, type_=JSON())).table_valued("value")
    return cast("ColumnElement[bool]", column.in_(select(listed.c.value)))


@event.listens_for(Session, "after_transaction_end")
def _hang_up(session: Session, transaction: SessionTransaction) -> None:
    """The line to the driver is this transaction's."""
    if transaction.parent is None:
        session.info.pop("line", None)


class _Ready:
    """The statement for one database."""

    def __init__(self, statement: Statement, given: Sequence[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=given if isinstance(statement, Insert) else None)
        self.sql = str(compiled)
        self.error: type[Exception] = dialect.loaded_dbapi.Error
        self._dialect = dialect
        self._given = frozenset(given)
        self._writers = {name: _writer(bind.type, dialect) for bind, name in compiled.bind_names.items()}
        self._known = {name: value for name, value in compiled.params.items() if name not in self._given}
        if self._known.keys() | self._given != self._writers.keys():
            raise ValueError(f"{[*given]} are not the parameters of {self.sql}")
        order: Sequence[str] | None = getattr(compiled, "positiontup", None)
        self._order = [(name, self._writers[name]) for name in order or ()]
        found = list(statement.exported_columns)
        self._row: Any = namedtuple("Row", [column.key for column in found])  # type: ignore[misc]
        self._readers = [(n, r) for n, column in enumerate(found) if (r := _reader(column.type, dialect))]

    def bound(self, values: Mapping[str, Any]) -> Any:
        """The parameters as the driver wants them: in their order, or by name."""
        if values.keys() != self._given:
            raise ValueError(f"{[*values]} are not the parameters of {self.sql}")
        every = {**self._known, **values} if self._known else values
        if self._order:
            return [every[name] if write is None else write(every[name]) for name, write in self._order]
        return {name: every[name] if write is None else write(every[name]) for name, write in self._writers.items()}

    def row(self, found: Sequence[Any]) -> Any:
        if not self._readers:
            return self._row._make(found)
        values = list(found)
        for position, read in self._readers:
            values[position] = read(values[position])
        return self._row._make(values)

    def wrapped(self, error: Exception) -> Exception:
        """The driver's error as the rest of the program knows it; its values are nobody's business."""
        dbapi_error = self._dialect.loaded_dbapi.Error
        return DBAPIError.instance(self.sql, None, error, dbapi_error, hide_parameters=True, dialect=self._dialect)


def _writer(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
