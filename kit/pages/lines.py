"""The line grid of documents: what is typed in rows, read in bulk, computed by the server, shown again (UX 6.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from kit.pages import formats
from kit.pages.resolving import resolve_texts
from kit.pages.resources import registry
from kit.pages.widgets import pick_url
from kit.values.errors import BusinessError
from kit.values.keys import is_key

TOLD = 5  # lines that a notice names one by one
WORDS = {"unit", "note", "order", "product", "number", "due"}  # output columns that hold no figures
SPARE_ROWS = 5  # empty rows that work without JavaScript


@dataclass(frozen=True)
class GridColumn:
    """A column of the grid.

    `kind`: picker (of resource `resource`), text, number, select (of `choices(user)`), date, hidden, or
    output, which only the server fills. `skip` leaves it out of the Enter path; `width` is a class such as w-92.
    A `detail` has no cell: it folds out under the row (UX 6.6.10). `also` are titles that it has in the spreadsheets
    of others.
    """

    name: str
    label: Any
    kind: str = "text"
    resource: str = ""
    width: str = ""
    skip: bool = False
    choices: Callable[[Any], Sequence[tuple[str, Any]]] | None = None
    depends: str = ""
    permission: str = ""
    foot: bool = False
    detail: bool = False
    digits: int = 0  # decimals that a figure has at least where it is read
    phone: str = ""  # area of the phone's card: cust, amt, no, st
    also: Sequence[str] = ()

    @property
    def numeric(self) -> bool:
        """Whether its figures stand at the right."""
        return self.kind == "number" or (self.kind == "output" and self.name not in WORDS)

    def css(self, row: GridRow) -> str:
        """The classes of its cell on a read-only page."""
        place = f"c-{self.phone}" if self.phone else ""
        return f"{row.tones.get(self.name, '')} {place}".strip()


@dataclass
class GridRow:
    """One row: `typed` is the text as entered, `values` what it means, `outputs` what the server computed."""

    index: str
    pk: int | None = None
    typed: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # hidden keys of pickers
    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    tones: dict[str, str] = field(default_factory=dict)  # output column -> css class
    filled: set[str] = field(default_factory=set)  # inputs the server filled just now
    hints: dict[str, str] = field(default_factory=dict)  # column -> what is worth a look, though it can be saved
    taken: dict[str, str] = field(default_factory=dict)  # column -> what was taken for want of anything typed

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a column."""
        value = self.values.get(name)
        return default if value is None else value

    def put(self, name: str, value: Any, key: Any = "", text: str | None = None) -> None:
        """Fill an input from the server; `text` when it is to read otherwise than plainly."""
        self.values[name] = value
        self.typed[name] = formats.plain_input(value) if text is None else text
        if key:
            self.keys[name] = str(key)
        self.filled.add(name)

    def empty(self, hidden: set[str]) -> bool:
        """Nothing was typed: such rows are ignored, never an error (UX 6.6.9)."""
        return not self.pk and not any(text.strip() for name, text in self.typed.items() if name not in hidden)


@dataclass(frozen=True)
class Total:
    """A line of the totals box."""

    label: Any
    text: str
    grand: bool = False
    note: str = ""
    words: bool = False  # amount in words, over the whole width


@dataclass
class Computed:
    """What the server answers for the document as a whole."""

    totals: list[Total] = field(default_factory=list)
    live_total: str = ""
    notices: list[tuple[str, str]] = field(default_factory=list)  # tone, text
    feet: dict[str, str] = field(default_factory=dict)  # column -> sum under it


@dataclass(frozen=True)
class LineTable:
    """The read-only lines of a record page."""

    headers: Sequence[tuple[Any, bool]]  # label, numeric
    rows: Sequence[Sequence[tuple[str, bool, str]]]  # text, numeric, css
    computed: Computed = field(default_factory=Computed)

    @property
    def labelled(self) -> list[list[tuple[str, bool, str, Any]]]:
        """The rows with the heading of each cell, which a phone shows beside it."""
        return [
            [(*cell, label) for cell, (label, _numeric) in zip(row, self.headers, strict=True)] for row in self.rows
        ]


class LineGrid:
    """Base of the grids. A grid says how rows come from a document, are computed, and are saved."""

    prefix = "lines"
    columns: Sequence[GridColumn] = ()
    fixed = False  # rows come from another document; none are added or removed
    empty_rows = 1
    title: Any = ""
    total_label: Any = gettext_lazy("Total")  # of the figure in the page head
    unit_column = ""  # picker that takes the unit out of a pasted "40 pc"
    scanned = ""  # resource whose codes and barcodes are scanned into the lines
    searched = ""  # picker column whose records are looked for in a drawer, many at a time
    counted = "quantity"  # what one more scan adds to

    # ---- to be filled by the document ----

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        """Rows of a stored draft."""
        raise NotImplementedError

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        """Fill outputs and defaults of the `changed` rows (None: all) and return the totals."""
        raise NotImplementedError

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        """Store head and rows by the document's service."""
        raise NotImplementedError

    def table(self, document: Any, user: Any) -> LineTable:
        """The lines as the record page shows them."""
        rows = self.rows_of(document, user)
        computed = self.compute(document, rows, None, user)
        drawn = [*self.shown_for(user), *self.details_for(user)]
        texts = [(column, [self.text(column, row) for row in rows]) for column in drawn]
        shown = [column for column, cells in texts if any(cells) or not rows]
        body = [[(self.text(c, row), c.numeric, c.css(row)) for c in shown] for row in rows]
        return LineTable([(c.label, c.numeric) for c in shown], body, computed)

    def copyable(self, document: Any) -> bool:
        """Whether the lines of a stored document make sense in another one (rule G-23): not those of a reversal."""
        return getattr(document, "reversal_of_id", None) is None

    def copied_rows(self, source: Any, document: Any, user: Any) -> list[GridRow]:
        """Rows of a new `document` from those of `source`: what was agreed there is as if it were typed here."""
        rows = self.rows_of(source, user)
        for row in rows:
            row.pk = None
        return rows

    def new_rows(self, document: Any, user: Any, params: Mapping[str, str]) -> list[GridRow]:
        """Rows of a new document."""
        return [GridRow(str(i)) for i in range(self.empty_rows)]

    def rows_again(self, document: Any, rows: Sequence[GridRow], heads: set[str], user: Any) -> list[GridRow] | None:
        """New rows when the changed head fields `heads` decide which there are; None where they do not."""
        return None

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        """Put on computed `rows` what saving would refuse of each (errors), and what is worth a look (hints)."""

    def row_of(self, document: Any, rows: Sequence[GridRow], obj: Any) -> GridRow | None:
        """The row that one more scan of `obj` counts in; None where it needs a new one."""
        return next((row for row in rows if row.get(self.scanned) == obj), None)

    def start_counting(self, document: Any, rows: Sequence[GridRow]) -> list[GridRow]:
        """Rows whose proposed figure gives way when the first code is scanned."""
        return []

    # ---- reading and showing ----

    def columns_for(self, user: Any) -> list[GridColumn]:
        """The columns `user` may see."""
        return [c for c in self.columns if not c.permission or user.has_perm(c.permission)]

    def shown_for(self, user: Any) -> list[GridColumn]:
        """The columns that have a cell in the row."""
        return [c for c in self.columns_for(user) if c.kind != "hidden" and not c.detail]

    def details_for(self, user: Any) -> list[GridColumn]:
        """The columns that fold out under the row."""
        return [c for c in self.columns_for(user) if c.detail]

    def inputs_for(self, user: Any) -> list[GridColumn]:
        """The columns that a person types, in cells and in the details."""
        return [c for c in [*self.shown_for(user), *self.details_for(user)] if c.kind != "output"]

    @property
    def hidden(self) -> list[GridColumn]:
        """The columns that travel unseen in the first cell."""
        return [c for c in self.columns if c.kind == "hidden"]

    def choices_for(self, user: Any) -> dict[str, list[tuple[str, Any]]]:
        """The choices of the select columns, read once for all rows."""
        return {c.name: list(c.choices(user)) for c in self.columns_for(user) if c.choices}

    def text(self, column: GridColumn, row: GridRow) -> str:
        """The text of a cell on a read-only page."""
        if column.kind == "output":
            return row.outputs.get(column.name, "")
        value = row.values.get(column.name)
        if column.kind == "number":
            return formats.trimmed(value, column.digits)
        if column.kind == "picker" and isinstance(value, models.Model):
            return str(getattr(value, "code", value))
        return formats.plain_input(value) if value is not None else ""

    def read(self, post: QueryDict, user: Any) -> list[GridRow]:
        """The rows of a submitted form, in the order of the page; a few statements per picker column."""
        hidden = {c.name for c in self.columns if c.kind == "hidden"}
        found = [row for row in self.typed_rows(post, user).values() if not row.empty(hidden)]
        for given in self.columns_for(user):
            self._parse(given, found, user)
        return found

    def typed_rows(self, post: QueryDict, user: Any) -> dict[str, GridRow]:
        """All rows as they were typed, by their index; nothing is looked up."""
        rows: dict[str, GridRow] = {}
        known = {c.name: c for c in self.columns_for(user)}
        for name in post:
            if not name.startswith(f"{self.prefix}-"):
                continue
            index, _dash, column = name[len(self.prefix) + 1 :].partition("-")
            if not is_key(index) or not column:
                continue
            row = rows.setdefault(index, GridRow(index))
            text = post.get(name, "")
            if column == "id":
                row.pk = int(text) if is_key(text) else None
            elif column.endswith("_text") and column[:-5] in known:
                row.typed[column[:-5]] = text
            elif column in known and known[column].kind == "picker":
                row.keys[column] = text
            elif column in known and known[column].kind != "output":
                row.typed[column] = text
        return rows

    def _parse(self, column: GridColumn, rows: Sequence[GridRow], user: Any) -> None:
        if column.kind == "picker":
            self._parse_picker(column, rows, user)
            return
        choices = {str(key): label for key, label in column.choices(user)} if column.choices else {}
        for row in rows:
            text = row.typed.get(column.name, "").strip()
            if column.kind == "output":
                continue
            try:
                if column.kind == "number":
                    row.values[column.name] = number = formats.parse_number(text)
                    if formats.normal(text).startswith("="):
                        row.put(column.name, number)  # what was calculated stands in the cell
                elif column.kind == "date":
                    row.values[column.name] = formats.parse_date(text)
                elif column.kind == "select":
                    row.values[column.name] = chosen(text, choices)
                else:
                    row.values[column.name] = text
            except ValueError as error:
                row.errors[column.name] = str(error)

    def _parse_picker(self, column: GridColumn, rows: Sequence[GridRow], user: Any) -> None:
        resource = registry[column.resource]
        found = self.known(column, rows)
        keys = {int(row.keys[column.name]) for row in rows if is_key(row.keys.get(column.name, ""))} - set(found)
        allowed = resource.queryset(user).select_related(*resource.related)
        found |= {obj.pk: obj for obj in allowed.filter(pk__in=keys)} if keys else {}
        open_ = [row for row in rows if row.typed.get(column.name, "").strip() and not self._keyed(row, column, found)]
        active = resource.pick_queryset(user, {}).select_related(*resource.related)
        meant = resolve_texts(resource, active, {row.typed[column.name].strip() for row in open_}) if open_ else {}
        for row in rows:
            obj, text = self._keyed(row, column, found), row.typed.get(column.name, "").strip()
            if obj is None and text:
                obj = meant[text].obj
                if obj is None:
                    row.errors[column.name] = meant[text].problem(text)
            row.values[column.name] = obj
            if obj is not None:
                row.keys[column.name], row.typed[column.name] = str(obj.pk), self.picked_text(obj)
                if text in meant and meant[text].guessed:
                    row.hints[column.name] = _("“%(text)s” is taken for %(name)s.") % {"text": text, "name": obj}

    def known(self, column: GridColumn, rows: Sequence[GridRow]) -> dict[int, Any]:
        """Records of a picker that came with those of the columns before it, by their key."""
        return {}

    def _keyed(self, row: GridRow, column: GridColumn, found: Mapping[int, Any]) -> Any:
        """The record of a picker's hidden key; without scripts it stays when a person types another text over it."""
        key, text = row.keys.get(column.name, ""), row.typed.get(column.name, "").strip()
        obj = found.get(int(key)) if is_key(key) else None
        shown = [] if obj is None else [self.picked_text(obj), registry[column.resource].pick_label(obj)]
        return obj if text in (name.strip() for name in shown) else None

    def picked_text(self, obj: Any) -> str:
        """What stands in a picker's input: the code, since the name has its own column."""
        return str(getattr(obj, "code", obj))

    def add_problems(self, rows: Sequence[GridRow], error: BusinessError) -> list[str]:
        """Put a command's problems on their rows; returns those of the document as a whole."""
        rest = []
        for problem in error:
            if problem.row is not None and problem.row < len(rows):
                rows[problem.row].errors[problem.field or ""] = str(problem.message)
            elif problem.field is None:
                rest.append(str(problem.message))
        return rest

    def wrong_cells(self, rows: Sequence[GridRow]) -> list[tuple[int, str, str]]:
        """Number of the line, id of the input and message of everything that is wrong in `rows`."""
        typed = {c.name: f"{c.name}_text" if c.kind == "picker" else c.name for c in self.columns}
        return [
            (number, f"{self.prefix}-{row.index}-{typed.get(name, name)}", message)
            for number, row in enumerate(rows, start=1)
            for name, message in row.errors.items()
        ]

    def padded(self, rows: Sequence[GridRow]) -> list[GridRow]:
        """The rows with spare empty ones behind them."""
        if self.fixed:
            return list(rows)
        start = max((int(row.index) for row in rows), default=-1) + 1
        spare = max(1, SPARE_ROWS - len(rows))
        return [*rows, *(GridRow(str(start + i)) for i in range(spare))]

    def pick_url(self, column: GridColumn) -> str:
        """Address of a picker's search."""
        return pick_url(registry[column.resource])


def few_words(words: Sequence[str]) -> list[tuple[str, str]]:
    """Warnings of lines: the first ones, and how many lines more have one."""
    told = [("warn", text) for text in words[:TOLD]]
    rest = len(words) - len(told)
    return [*told, ("warn", ngettext("… and %s more line", "… and %s more lines", rest) % rest)] if rest else told


def chosen(text: str, choices: Mapping[str, Any]) -> str:
    """The key of the choice that was posted by its key or its label; raises ValueError."""
    if text and text not in choices:
        match = next((key for key, label in choices.items() if str(label) == text), None)
        if match is None:
            raise ValueError(_("“%s” is not one of the choices.") % text)
        return match
    return text


def changed_rows(given: str, rows: Iterable[GridRow]) -> set[str] | None:
    """The row indexes a page says it changed; None for all."""
    if given == "all" or not given:
        return None
    return set(given.split(",")) & {row.index for row in rows}
