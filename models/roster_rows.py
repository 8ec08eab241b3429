"""What the imports share: reading the cells of a row as people write them, and telling what became of each row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from models.record import AuditEntry
from models.trouble import Trouble

T = TypeVar("T")
Row = Mapping[str, str]
"""Chinese column -> text."""

REQUIRED = {
    "organisations": ("编码", "名称", "上级编码", "级别"),
    "workers": ("工号", "姓名", "角色", "机构编码"),
    "residents": ("姓名", "村编码"),
    "campaigns": ("活动编码", "类别", "日期", "举办机构编码"),
    "plans": ("计划编码", "计划名称", "牵头机构编码", "阶段", "完成期限"),
}
FIRST_LINE = 2  # of the data in a spreadsheet: line 1 holds the column names


class MissingColumns(Trouble):
    """The table lacks columns that nothing can be imported without; all of them are named at once."""

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(f"表格缺少必需的列:{'、'.join(missing)}。请把列名写在第一行,一字不差,再导入一次。")
        self.missing = tuple(missing)


class Refusal(Exception):
    """Why a row was not taken, as a sentence for whoever keeps the table."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that was not taken; `line` is its line in the spreadsheet."""

    line: int
    row: Row
    reason: str


@dataclass(slots=True)
class Imported:
    """What an import did. Every row is added, changed, unchanged or refused."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    """What else the operator should read, a line each."""

    @property
    def accepted(self) -> int:
        return self.added + self.changed

    def refuse(self, line: int, row: Row, reason: object) -> None:
        self.refused.append(Refused(line, row, str(reason)))


def require_columns(kind: str, columns: Collection[str]) -> None:
    """Raise MissingColumns unless every column is there that this import cannot do without."""
    missing = [column for column in REQUIRED[kind] if column not in columns]
    if missing:
        raise MissingColumns(missing)


def numbered(kind: str, rows: Sequence[Row], first_line: int) -> Iterator[tuple[int, Row]]:
    """Rows with their lines in the spreadsheet; empty ones are passed over."""
    if rows:
        require_columns(kind, rows[0])
    return ((line, row) for line, row in enumerate(rows, first_line) if any(row.values()))


def text(row: Row, column: str, longest: int) -> str:
    """What is written in a cell; blanks that only space a name out (王 强) are taken away."""
    written = re.sub(r"(?<=[㐀-鿿])\s+(?=[㐀-鿿])", "", (row.get(column) or "").strip("\ufeff\u200b \t\r\n\u3000"))
    if len(written) > longest:
        raise Refusal(f"{column}太长了,最多 {longest} 个字")
    return written


def code(row: Row, column: str) -> str:
    """A code or number: full-width letters and digits made plain, no blanks."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", row.get(column) or ""))


def needed(column: str, written: str) -> str:
    if not written:
        raise Refusal(f"{column}没有填")
    return written


def one_of(row: Row, column: str, words: Mapping[str, T]) -> T:
    """What one of a few words stands for; nothing else may stand there."""
    word = needed(column, text(row, column, 16))
    if word not in words:
        raise Refusal(f"{column}“{word}”不认识,请填:{'、'.join(words)}")
    return words[word]


def several(row: Row, column: str) -> list[str]:
    """Several values of one cell, each once, in their order."""
    parts = (part.strip() for part in re.split(r"[、;；,，\n]", row.get(column) or ""))
    return list(dict.fromkeys(part for part in parts if part))


def person(row: Row, column: str, longest: int = 64) -> str:
    """A name; a formula or a number has slipped in from another column."""
    name = needed(column, text(row, column, longest))
    if name[0] in "=+-@" or not re.search(r"[^\W\d_]", name):
        raise Refusal(f"{column}“{name[:20]}”不像人名,请核对")
    return name


_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{2})(\d{2}))(?:[T ]?0{1,2}:00(:00)?)?")
_SERIAL = re.compile(r"\d{1,5}")
_DAY_ZERO = date(1899, 12, 30)  # of a spreadsheet that keeps days as numbers


def day(row: Row, column: str) -> date | None:
    """A day as people and spreadsheets write it: 1959-03-02, 1959年3月2日, 19590302, or 21611."""
    written = code(row, column)
    if not written:
        return None
    try:
        if found := _DAY.fullmatch(written):
            year, month, of_month = (int(part) for part in found.groups()[:5] if part)
            return date(year, month, of_month)
        if _SERIAL.fullmatch(written):
            return _DAY_ZERO + timedelta(days=int(written))
    except ValueError:
        pass  # 31 November, month 13: refused like any other riddle
    example = "1959-03-02" if column == "出生日期" else "2026-12-08"
    raise Refusal(f"{column}“{written}”看不懂,请写成 {example} 这样")


_PHONE = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?\d{7,8}")


def phones(row: Row) -> str | None:
    """One or several numbers joined by 、; an elder's is often a child's, so a phone is never a key."""
    numbers = [
        re.sub(r"^\+?86(?=1)", "", unicodedata.normalize("NFKC", n).replace(" ", "")) for n in several(row, "电话")
    ]
    numbers = [number.replace("-", "") if number.startswith("1") else number for number in numbers]
    for number in numbers:
        if not _PHONE.fullmatch(number):
            raise Refusal(f"电话“{number}”不对:手机号是 11 位,座机要带区号,例如 0745-7312345")
    return "、".join(numbers) or None


@dataclass(slots=True)
class Run:
    """One import under way: where it writes, what it has done, and which codes this file has already used."""

    session: Session
    kind: str
    now: datetime
    by: int | None = None
    result: Imported = field(default_factory=Imported)
    taken: dict[str, int] = field(default_factory=dict)

    def own_code(self, row: Row, column: str, line: int) -> str:
        """The code this row is about; a second row of the same code is refused, or the file would contradict itself."""
        own = needed(column, code(row, column))
        if len(own) > 32:
            raise Refusal(f"{column}太长了,最多 32 个字")
        if own in self.taken:
            raise Refusal(f"{column} {own} 在第 {self.taken[own]} 行已经有了,这一行没有导入")
        self.taken[own] = line
        return own

    def settle(self, subject: str, changes: Mapping[str, Any]) -> None:
        """An entry that was there before: audited when changed, with values only where they are nobody's secret."""
        if not changes:
            self.result.unchanged += 1
            return
        self.result.changed += 1
        self._audit("import.changed", subject, dict(changes))

    def finish(self) -> Imported:
        """One line of audit for the whole; an import that changed nothing leaves no trace."""
        done = self.result
        done.refused.sort(key=lambda refused: refused.line)
        if done.accepted:
            self._audit(
                "import", self.kind, {"added": done.added, "changed": done.changed, "refused": len(done.refused)}
            )
        return done

    def _audit(self, action: str, subject: str, details: dict[str, Any]) -> None:
        self.session.add(AuditEntry(at=self.now, worker_id=self.by, action=action, subject=subject, details=details))
