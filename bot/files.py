"""Tables people keep: xlsx and csv read into plain rows, imported, and what was refused written back. 表格导入

The spreadsheet libraries are imported when first used: a bot that only chats needs neither.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from bot.outputs import check_can_write
from models.base import Store
from models.roster import (
    Imported,
    Refused,
    ResidentImport,
    import_campaigns,
    import_organisations,
    import_plans,
    import_workers,
    require_columns,
)
from models.trouble import Trouble

Kind = Literal["organisations", "workers", "residents", "campaigns", "plans"]

PORTION = 2000  # residents a transaction: on SQLite messages wait no longer than these take to write
LINE, REASON = "行号", "原因"
LOOKED_THROUGH = 10  # rows in which the column names are looked for: many tables have a title above them
EXACT = 10**15  # a spreadsheet keeps 15 digits of a number; the rest of an 18-digit one is gone


class UnreadableFile(Trouble):
    """A file that is no table we can read; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table: its column names, and its rows as dicts of column name -> text, from line `first_line` of the file."""

    columns: tuple[str, ...]
    rows: Iterable[dict[str, str]]
    first_line: int


def import_file(
    store: Store,
    kind: Kind,
    file: Path,
    *,
    now: datetime,
    today: date,
    dry_run: bool = False,
    by: int | None = None,
    tell_at: datetime | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Imported:
    """Import a file, commit, and write FILE.rejected.xlsx for the rows refused; a dry run only does the last.

    Residents are committed by the portion: whoever writes to the bot meanwhile is answered, and an import that was cut
    off is simply run again, because what is in already changes nothing. `tell_at` is when workers may be told of it,
    `settings` are the county's.
    """
    check_can_write(rejected_file(file))
    sheet = read_sheet(file)
    require_columns(kind, sheet.columns)
    if kind == "residents":
        result = _import_residents(
            store, sheet, ResidentImport(today=today, now=now, by=by, line=sheet.first_line), dry_run
        )
    else:
        taking: dict[str, Callable[..., Imported]] = {
            "organisations": import_organisations,
            "workers": import_workers,
            "campaigns": partial(import_campaigns, today=today, tell_at=tell_at, settings=settings or {}),
            "plans": partial(import_plans, today=today, tell_at=tell_at),
        }
        with store.write() as session:
            result = taking[kind](session, list(sheet.rows), now=now, by=by, first_line=sheet.first_line)
            if not dry_run:
                session.commit()
    write_rejected(file, sheet.columns, result.refused)
    return result


def _import_residents(store: Store, sheet: Sheet, importing: ResidentImport, dry_run: bool) -> Imported:
    rows = iter(sheet.rows)
    while portion := list(islice(rows, PORTION)):
        with store.write() as session:
            importing.take(session, portion)
            if not dry_run:
                session.commit()
    return importing.result


# --- reading ---


def read_sheet(file: Path) -> Sheet:
    """The first sheet of a workbook, or a csv in UTF-8 or GB18030."""
    if not file.is_file():
        raise UnreadableFile(f"找不到文件 {file},请核对文件名。")
    kind = file.suffix.lower()
    if kind in (".csv", ".txt"):
        return _with_columns(file, _csv_rows(file))
    if kind in (".xlsx", ".xlsm", ".xls", ".ods"):
        return _with_columns(file, _workbook_rows(file))
    raise UnreadableFile(f"{file.name} 不是表格,请另存为 .xlsx 或 .csv 再导入。")


def _with_columns(file: Path, rows: Iterator[list[str]]) -> Sheet:
    """The first row with two cells filled names the columns; what stands above it is a title."""
    for line, row in enumerate(islice(rows, LOOKED_THROUGH), 1):
        columns = tuple(re.sub(r"\s", "", name) for name in row)
        if sum(map(bool, columns)) > 1:
            named = [(i, name) for i, name in enumerate(columns) if name and name not in columns[:i]]
            dicts = ({name: cells[i] if i < len(cells) else "" for i, name in named} for cells in rows)
            return Sheet(tuple(name for _, name in named), dicts, line + 1)
    raise UnreadableFile(f"{file.name} 里没有找到列名,请把列名写在第一行。")


def _csv_rows(file: Path) -> Iterator[list[str]]:
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError:
            raise UnreadableFile(f"{file.name} 的编码认不出来,请另存为“CSV UTF-8”或 .xlsx 再导入。") from None
    separator = max(",\t;", key=text.partition("\n")[0].count)
    for cells in csv.reader(io.StringIO(text, newline=""), delimiter=separator):
        yield [re.sub(r'^="(.*)"$|^\'', r"\1", cell.strip()) for cell in cells]  # how programs keep a number a text


def _workbook_rows(file: Path) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        workbook = CalamineWorkbook.from_path(str(file))
        sheet = workbook.get_sheet_by_index(0)
        yield from ([_text(cell) for cell in row] for row in sheet.iter_rows())
    except PasswordError:
        raise UnreadableFile(f"{file.name} 有打开密码,请取消密码后再导入。") from None
    except (CalamineError, OSError) as error:
        raise UnreadableFile(f"{file.name} 打不开({error}),请在表格软件里另存为 .xlsx 再导入。") from None


def _text(cell: Any) -> str:
    """A cell as its text would be typed. A number too long to be exact keeps its exponent, so that nobody trusts it."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)) if abs(cell) < EXACT else f"{cell:.14E}"
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    return str(cell)


# --- what was refused ---


def rejected_file(file: Path) -> Path:
    """`FILE.rejected.xlsx`, beside the file."""
    return file.with_name(file.name + ".rejected.xlsx")


def write_rejected(file: Path, columns: Sequence[str], refused: Sequence[Refused]) -> Path | None:
    """The refused rows as they were, each with its line and reason: to be put right there and imported again.

    Everything is written as text. When nothing was refused, an older file of that name is taken away.
    """
    beside = rejected_file(file)
    if not refused:
        beside.unlink(missing_ok=True)
        return None
    import xlsxwriter

    columns = [column for column in columns if column not in (LINE, REASON)]
    with xlsxwriter.Workbook(str(beside), {"constant_memory": True, "strings_to_formulas": False}) as book:
        sheet, bold, as_text = (
            book.add_worksheet("未导入"),
            book.add_format({"bold": True}),
            book.add_format({"num_format": "@"}),
        )
        sheet.set_column(0, len(columns), 16, as_text)
        sheet.set_column(len(columns) + 1, len(columns) + 1, 60)
        for i, column in enumerate([*columns, LINE, REASON]):
            sheet.write_string(0, i, column, bold)
        for number, row in enumerate(refused, 1):
            for i, cell in enumerate([*(row.row.get(c, "") for c in columns), str(row.line), row.reason]):
                sheet.write_string(number, i, cell, as_text)
    return beside
