"""A run over a file that comes in: its rows with values, and what became of each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db import DataError, connection
from django.utils.translation import gettext as _

from kit.exchange.exporting import unprotect
from kit.exchange.importing_columns import Column, Header, Lookup
from kit.exchange.reading import Table
from kit.values.errors import BusinessError, Problem

REFUSED = (BusinessError, DataError)  # what storing a document may raise because of what the file says
CHUNK = 1000  # rows that are read, looked up and written at a time
KEPT = 5000  # errors and changes told in words; beyond that only rows are counted

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """How a file is imported.

    `update` changes records that exist instead of refusing them, `keep_empty` lets an empty cell stand for
    "as it is", `partial` writes the good rows although there are bad ones, `create_accounts` is for journals,
    `twins` takes customers whose name or tax number is there already.
    """

    update: bool = False
    partial: bool = False
    dry_run: bool = False
    keep_empty: bool = False
    create_accounts: bool = False
    twins: bool = False


@dataclass(frozen=True)
class RowError:
    """One thing that is wrong in a file: row (None: the file as a whole), title of the column, sentence.

    `held` marks rows without a fault of their own that are left out with the document they belong to.
    """

    row: int | None
    column: str
    message: str
    held: bool = False

    def __str__(self) -> str:
        if self.row is None:
            return self.message
        place = _("Row %s") % self.row
        return f"{place}, {self.column}: {self.message}" if self.column else f"{place}: {self.message}"


@dataclass
class Report:
    """What came of a file. `status` tells of each row: new, updated, unchanged, error."""

    kind: str
    new: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    status: dict[int, str] = field(default_factory=dict)
    changes: dict[int, dict[str, str]] = field(default_factory=dict)  # row -> title -> value before
    notes: list[str] = field(default_factory=list)
    written: bool = False

    @property
    def bad_rows(self) -> int:
        """How many rows are not imported."""
        return sum(1 for status in self.status.values() if status == "error")

    @property
    def good_rows(self) -> int:
        """How many rows could be imported."""
        return len(self.status) - self.bad_rows

    @property
    def failed(self) -> bool:
        """Whether anything is wrong."""
        return bool(self.errors)

    def note(self, text: str) -> None:
        """Tell something beside the rows, once."""
        if text not in self.notes:
            self.notes.append(text)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Report:
        """The report that `as_json` gave."""
        errors = [RowError(**error) for error in given["errors"]]
        numbered: dict[str, Any] = {
            name: {int(row): value for row, value in given[name].items()} for name in ("status", "changes")
        }
        return cls(**{**given, **numbered, "errors": errors})


@dataclass(slots=True)
class Row:
    """A row of the file with the values of the columns that the file has."""

    number: int
    values: dict[str, Any]
    bad: bool = False

    def get(self, name: str, default: Any = None) -> Any:
        """The value in column `name`; `default` when the cell is empty or the file has no such column."""
        value = self.values.get(name)
        return default if value is None else value


class Importer:
    """A kind of file. Subclasses set the attributes and write `columns` and `write`."""

    kind: str = ""
    title: Any = ""
    permissions: Sequence[str] = ()  # what a person needs on the page
    resource: str = ""  # the resource on whose page the kind stands
    choices: Mapping[str, Any] = {}  # options of this kind alone, with their labels
    all_at_once: bool = False  # whether the page proposes to write nothing when a row is bad

    def columns(self) -> Sequence[Column]:
        """The columns of the file; built when they are first needed, all models are there by then."""
        raise NotImplementedError

    def write(self, batch: Batch) -> None:
        """Store what the good rows say, and tell the batch of every row what became of it."""
        raise NotImplementedError

    def allowed(self, user: Any) -> bool:
        """Whether `user` may import files of this kind."""
        return all(user.has_perm(name) for name in self.permissions)


class Batch:
    """One run over a file, on behalf of `by` (None: the command line, which may do everything)."""

    def __init__(
        self,
        importer: Importer,
        table: Table,
        header: Header,
        report: Report,
        *,
        by: Any,
        options: Options,
        left_out: Mapping[Hashable, list[RowError]] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.table, self.header, self.report = table, header, report
        self.by, self.options, self.progress = by, options, progress
        self.left_out = left_out or {}  # documents that failed when an earlier round wrote them
        self.failed: dict[Hashable, list[RowError]] = {}  # documents that failed while they were written
        self.memory: dict[str, Any] = {}  # what an importer remembers during the run
        self.given = {column.name for column in header.columns.values()}
        self._looked = time.monotonic()  # at what the planner knows
        self._columns = {column.name: column for column in importer.columns()}
        self._missing = [c.name for c in self._columns.values() if c.default is not None and c.name not in self.given]
        self._lookups = {
            column.name: Lookup(column, by) for column in header.columns.values() if column.model is not None
        }

    # ---- rows ----

    def chunks(self, size: int = CHUNK) -> Iterator[list[Row]]:
        """The rows of the file, `size` at a time, bad ones among them; records are looked up per chunk."""
        chunk: list[tuple[Row, dict[str, str]]] = []
        for number, cells in self.table:
            if number <= self.header.row:
                continue
            chunk.append(self._row(number, cells))
            if len(chunk) >= size:
                yield self._resolved(chunk)
                chunk = []
        if chunk:
            yield self._resolved(chunk)

    def _row(self, number: int, cells: Sequence[str]) -> tuple[Row, dict[str, str]]:
        """A row whose plain cells are values, and the texts of the cells that name records."""
        row = Row(number, {name: self._columns[name].default for name in self._missing})
        texts: dict[str, str] = {}
        for position, text in enumerate(cells):
            column = self.header.columns.get(position)
            if column is None:
                if text.strip() and position not in self.header.ignored:
                    self.error(row, "", _("“%s” stands in a column without a title.") % text.strip()[:40])
                continue
            text = unprotect(text) if self.table.format == "csv" else text
            if column.model is not None and text.strip():
                texts[column.name] = text.strip()
                continue
            try:
                row.values[column.name] = column.parse(text)
            except ValueError as error:
                row.values[column.name] = WRONG
                self.error(row, column.name, str(error))
        for column in self.header.columns.values():
            value = row.values.setdefault(column.name, column.default)
            if column.required and value is None and column.name not in texts:
                self.error(row, column.name, _("This cell must not be empty."))
        return row, texts

    def _resolved(self, chunk: Sequence[tuple[Row, dict[str, str]]]) -> list[Row]:
        for name, lookup in self._lookups.items():
            made = len(lookup.made)
            many = lookup.column.kind == "records"
            wanted = {part for _r, texts in chunk if name in texts for part in _parts(texts[name], many)}
            lookup.load(wanted)
            for row, texts in chunk:
                if name not in texts:
                    continue
                try:
                    found = [lookup.get(part) for part in _parts(texts[name], many)]
                    row.values[name] = found if many else found[0]
                except (ValueError, BusinessError) as error:
                    self._unresolved(row, lookup.column, texts[name], str(error))
            for text in lookup.made[made:]:
                self.report.note(
                    _("%(model)s “%(value)s” is new; the import creates it.") % {"model": lookup.label, "value": text}
                )
        return [row for row, _texts in chunk]

    def _unresolved(self, row: Row, column: Column, text: str, message: str) -> None:
        """A record that is not there; a row of the same file may still be meant."""
        if column.own:
            row.values[column.name] = text
        else:
            row.values[column.name] = WRONG
            self.error(row, column.name, message)

    # ---- what became of rows ----

    def error(self, row: Row | int, name: str, message: Any, *, held: bool = False) -> None:
        """Row `row` is not imported because of what stands in column `name` (empty: the row as a whole)."""
        number = row if isinstance(row, int) else row.number
        if isinstance(row, Row):
            row.bad = True
        self.report.status[number] = "error"
        if len(self.report.errors) < KEPT:
            title = self.header.title(name) if name else ""
            self.report.errors.append(RowError(number, title, str(message), held))

    def refuse(
        self,
        key: Hashable,
        rows: Sequence[Row],
        error: Exception,
        lines: Sequence[Row] = (),
        names: Mapping[str, str] | None = None,
    ) -> None:
        """A service refused what `rows`, the document `key`, say; another round may do without them.

        Its problems are told by line (`lines`) and field (`names`: field -> column), the other rows are held.
        """
        known = len(self.report.errors)
        for problem in _problems(error):
            row = lines[problem.row] if problem.row is not None and problem.row < len(lines) else rows[0]
            name = (names or {}).get(problem.field or "", problem.field or "")
            self.error(row, name if name in self.given else "", problem.message)
        self.hold(rows)
        self.failed.setdefault(key, []).extend(self.report.errors[known:])

    def refuse_rows(self, rows: Sequence[Row], error: Exception, names: Mapping[str, str] | None = None) -> None:
        """A service refused some lines of a document whose rows stand for themselves: only those are bad."""
        for problem in _problems(error):
            hit = [rows[problem.row]] if problem.row is not None and problem.row < len(rows) else rows
            for row in hit:
                name = (names or {}).get(problem.field or "", problem.field or "")
                known = len(self.report.errors)
                self.error(row, name if name in self.given else "", problem.message)
                self.failed.setdefault(row.number, []).extend(self.report.errors[known:])

    def repeat(self, key: Hashable, rows: Sequence[Row]) -> bool:
        """Whether document `key` failed in an earlier round; its rows are told to be bad again."""
        if key not in self.left_out:
            return False
        self.report.errors += self.left_out[key]
        for row in rows:
            row.bad = True
            self.report.status[row.number] = "error"
        return True

    def hold(self, rows: Iterable[Row]) -> None:
        """Rows that are left out because another row of the same document is bad."""
        for row in rows:
            if not row.bad:
                self.error(row, "", _("Another row of the same document is wrong."), held=True)

    def done(self, rows: Iterable[Row], status: str) -> None:
        """Rows that were imported."""
        for row in rows:
            self.report.status[row.number] = status

    def tell(self, done: int, total: int) -> None:
        """Report progress, if anybody listens."""
        if time.monotonic() - self._looked > LOOK:
            keep_statistics()
            self._looked = time.monotonic()
        if self.progress is not None:
            self.progress(done, total)


LOOK = 5  # seconds between two looks at what the planner knows
_TAKEN_FOR_EMPTY = """
SELECT format('%I', relname) FROM pg_class
 WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND reltuples = 0 AND relpages > 0
"""


def keep_statistics() -> None:
    """Let the planner count tables that it takes for empty although they have pages.

    Autovacuum notes that when it meets a table whose only rows are those of this transaction, as after a trial run
    that was rolled back; each further row would then cost more than the one before.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_FOR_EMPTY)
        names = [name for (name,) in cursor.fetchall()]
        if names:
            cursor.execute(f"ANALYZE (SKIP_LOCKED) {', '.join(names)}")


class _Wrong:
    """Stands for a cell that could not be read, so that it is not told to be empty as well."""


WRONG = _Wrong()


def _problems(error: Exception) -> Sequence[Problem]:
    """What is wrong; sums that no column holds are found by the database only, which tells no more than that."""
    if isinstance(error, BusinessError):
        return list(error)
    return [Problem(_("The amounts that come of this are too large."))]


def _parts(text: str, many: bool) -> list[str]:
    if not many:
        return [text]
    for mark in "，、;；":
        text = text.replace(mark, ",")
    return [part.strip() for part in text.split(",") if part.strip()]
