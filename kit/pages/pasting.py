"""A block from a spreadsheet read as rows of a line grid, before any of it stands in the document (UX 6.6.5)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.pages.lines import GridColumn, GridRow, LineGrid
from kit.pages.resolving import resolve_texts
from kit.pages.resources import registry
from kit.values.keys import is_key

MOST = 1000  # rows of a document that is typed
WIDEST = 60  # cells of a line
OK, DOUBT, WRONG = "ok", "warn", "bad"
WORDS = {OK: gettext_lazy("Good"), DOUBT: gettext_lazy("Look at it"), WRONG: gettext_lazy("Left out")}

_LOOSE = re.compile(r"[\s.*:()%_/-]")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_WITH_UNIT = re.compile(r"([-+]?\d[\d,. ]*)\s*([^\W\d_].*)")


@dataclass
class Line:
    """A line of the block: what it says, the row it becomes, and the row of the page it goes into."""

    number: int
    cells: dict[str, str]
    index: str = ""  # of the row in the form it is computed in
    row: GridRow | None = None
    fresh: bool = True  # it goes into an empty row or a new one
    whole: bool = False  # it is about something else than the row that it goes over: nothing of that one stays
    to: str = ""  # index of the row on the page; empty for a new one
    reasons: list[str] = field(default_factory=list)
    columns: Sequence[GridColumn] = ()

    @property
    def tone(self) -> str:
        """Green, amber or red."""
        if self.row is None or self.row.errors:
            return WRONG
        return DOUBT if self.row.hints or self.row.taken else OK

    @property
    def word(self) -> Any:
        """The tone in words."""
        return WORDS[self.tone]

    @property
    def texts(self) -> list[tuple[GridColumn, str, str]]:
        """The cells as they are understood, with the class of those that are wrong or to be looked at."""
        row = self.row or GridRow("", typed=self.cells)
        marks = {**dict.fromkeys([*row.taken, *row.hints], "warned"), **dict.fromkeys(row.errors, "bad")}
        typed = row.typed | {name: text for name, text in self.cells.items() if name in row.errors}
        return [(c, typed.get(c.name, ""), marks.get(c.name, "")) for c in self.columns]

    def payload(self, inputs: Sequence[GridColumn]) -> str:
        """What the page writes into the row: what was pasted, and what the server filled for it."""
        row = self.row
        if row is None:
            return ""
        written = [
            c for c in inputs if self.whole or c.kind == "hidden" or c.name in row.filled or c.name in self.cells
        ]
        return json.dumps(cells_of(row, written))


@dataclass
class Pasted:
    """A block with what became of it."""

    lines: list[Line] = field(default_factory=list)
    columns: Sequence[GridColumn] = ()
    inputs: Sequence[GridColumn] = ()  # all that can be written into
    unknown: list[str] = field(default_factory=list)  # titles of columns that the grid does not have
    problem: str = ""

    @property
    def good(self) -> list[Line]:
        """The lines that can be taken."""
        return [line for line in self.lines if line.tone != WRONG]

    @property
    def sorted(self) -> list[tuple[Line, str]]:
        """The lines with what is written of each; what needs a look comes first."""
        lines = sorted(self.lines, key=lambda line: (WRONG, DOUBT, OK).index(line.tone))
        return [(line, line.payload(self.inputs)) for line in lines]

    @property
    def counts(self) -> list[tuple[str, Any, int]]:
        """How many lines there are of each tone."""
        tones = [line.tone for line in self.lines]
        return [(tone, word, tones.count(tone)) for tone, word in WORDS.items() if tone in tones]


def cells_of(row: GridRow, columns: Sequence[GridColumn]) -> dict[str, dict[str, str]]:
    """The inputs of a row as a page writes them: text, and the key behind it."""
    made = {}
    for column in columns:
        value = row.values.get(column.name)
        as_typed = column.name in row.filled or column.kind in ("picker", "text", "hidden")
        text = row.typed.get(column.name, "") if as_typed else formats.plain_input(value)
        made[column.name] = {"text": text, "id": row.keys.get(column.name, "")}
    return made


def block_of(text: str) -> list[list[str]]:
    """The cells that a page posts; what is no such list is an empty block."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(given, list) or not all(isinstance(line, list) for line in given):
        return []
    lines = [[_UNSTORABLE.sub("", str(cell)).strip()[:500] for cell in line[:WIDEST]] for line in given]
    return [line for line in lines if any(line)]


def read_block(
    grid: LineGrid, post: QueryDict, block: list[list[str]], user: Any, *, at: str, column: str
) -> tuple[Pasted, QueryDict]:
    """The lines of a block, and the form as it would be with them; the block begins at row `at` and `column`."""
    inputs = grid.inputs_for(user)
    pasted, data = Pasted(inputs=[*inputs, *grid.hidden]), post.copy()
    titles = _titles([*grid.shown_for(user), *grid.details_for(user)], block[0]) if block else None
    if titles is not None:
        columns = [c if c in inputs else None for c in titles]
        pasted.unknown = [text for text, c in zip(block[0], titles, strict=True) if text and c is None]
    else:  # details are not to the right of any cell: only a title names them
        shown = [c for c in inputs if not c.detail]
        start = next((i for i, c in enumerate(shown) if c.name == column), 0)
        columns = [*shown[start:], *([None] * WIDEST)]
    body = block[1:] if titles is not None else block
    if len(body) > MOST:
        pasted.problem = _too_many()
        return pasted, data
    given = [
        {c.name: text for c, text in zip(columns, line, strict=False) if c and (text or titles is None)}
        for line in body
    ]
    _split_units(grid, given, inputs, user)
    used = {name for cells in given for name in cells}
    pasted.columns = [c for c in inputs if c.name in used]
    numbers = range(2 if titles is not None else 1, len(block) + 1)
    pasted.lines = [
        Line(number, cells, columns=pasted.columns)
        for number, cells in zip(numbers, given, strict=True)
        if any(cells.values())
    ]
    if _place(grid, post, pasted.lines, user, at) > MOST:
        pasted.problem, pasted.lines = _too_many(), []
    _lay_over(grid, data, pasted.lines, inputs)
    return pasted, data


def _lay_over(grid: LineGrid, data: QueryDict, lines: Sequence[Line], shown: Sequence[GridColumn]) -> None:
    """Write the cells of the lines into the form they are computed in."""
    subject = next((c.name for c in shown if c.kind == "picker"), "")
    for line in lines:
        if not line.index:
            continue
        start = f"{grid.prefix}-{line.index}-"
        there, here = data.get(f"{start}{subject}_text", ""), line.cells.get(subject)
        line.whole = not line.fresh and not grid.fixed and here is not None and here != there
        for column in [*shown, *grid.hidden]:
            text = line.cells.get(column.name, "" if line.whole else None)
            if text is None:
                continue
            data[f"{start}{column.name}{'_text' if column.kind == 'picker' else ''}"] = text
            if column.kind == "picker":
                data[f"{start}{column.name}"] = ""


def judge(grid: LineGrid, pasted: Pasted, rows: Sequence[GridRow], document: Any, user: Any) -> None:
    """Tell of each line whether and why it can or cannot be taken; `rows` are computed."""
    by_index = {row.index: row for row in rows}
    for line in pasted.lines:
        line.row = by_index.get(line.index)
    mine = [line.row for line in pasted.lines if line.row is not None]
    grid.check(document, mine, user)
    free: Iterator[str] = iter([line.to for line in pasted.lines if line.fresh and line.index])
    for line in pasted.lines:
        if line.row is None:
            line.reasons = [_("There is no line left for this row.")]
        else:
            line.reasons = [*line.row.errors.values(), *line.row.taken.values(), *line.row.hints.values()]
        if line.fresh and line.tone != WRONG:
            line.to = next(free)


def _titles(columns: Sequence[GridColumn], line: Sequence[str]) -> list[GridColumn | None] | None:
    """The columns that a first line names in English or Chinese, if at least half of it are titles."""
    known: dict[str, GridColumn] = {}
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            for column in columns:
                for title in (column.label, column.name, *column.also):
                    known.setdefault(plain_title(str(title)), column)
    found = [known.get(plain_title(text)) if text else None for text in line]
    hits, filled = sum(c is not None for c in found), sum(bool(text) for text in line)
    return found if hits and hits * 2 >= filled else None


def plain_title(text: str) -> str:
    """A title without case, width, blanks and what stands in brackets behind it, as in `Price (CNY)`."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _LOOSE.sub("", plain.partition("(")[0] or plain)


def _split_units(grid: LineGrid, lines: Sequence[dict[str, str]], shown: Sequence[GridColumn], user: Any) -> None:
    """`40 pcs` in a column of quantities says the unit as well, where the block has none of its own."""
    unit = next((c for c in shown if c.name == grid.unit_column), None)
    if unit is None:
        return
    for cells in lines:
        found = _WITH_UNIT.fullmatch(formats.normal(cells.get(grid.counted, "")))
        if found and not cells.get(unit.name) and not _is_number(cells[grid.counted]):
            cells[grid.counted], cells[unit.name] = found[1].strip(), found[2].strip()
    resource = registry[unit.resource]
    plurals = {text: [text[:-1], text[:-2]] for cells in lines if (text := cells.get(unit.name, ""))[-1:] in ("s", "S")}
    texts = {*plurals, *(single for singles in plurals.values() for single in singles if single)}
    meant = resolve_texts(resource, resource.pick_queryset(user, {}), texts) if texts else {}
    exact = {text for text, found in meant.items() if found.obj is not None and not found.guessed}
    for cells in lines:
        text = cells.get(unit.name, "")
        if text in plurals and text not in exact:
            cells[unit.name] = next((single for single in plurals[text] if single in exact), text)


def _is_number(text: str) -> bool:
    try:
        return formats.parse_number(text) is not None
    except ValueError:
        return False


def _too_many() -> str:
    return _("These lines take at most %s rows. Import a file instead.") % MOST


def _place(grid: LineGrid, post: QueryDict, lines: Sequence[Line], user: Any, at: str) -> int:
    """Which row each line goes into: those from `at` on, then new ones, unless the grid has a fixed number of rows.

    Returns how many rows the page has then.
    """
    hidden = {c.name for c in grid.columns if c.kind == "hidden"}
    typed = grid.typed_rows(post, user)
    order = list(typed)
    follow = order[order.index(at) :] if at in typed else []
    total = post.get(f"{grid.prefix}-TOTAL_FORMS", "")
    fresh = max([-1, *(int(index) for index in typed), int(total) - 1 if is_key(total) else -1]) + 1
    for position, line in enumerate(lines):
        if position < len(follow):
            line.index = line.to = follow[position]
            line.fresh = typed[line.index].empty(hidden) and not grid.fixed
        elif not grid.fixed:
            line.index, fresh = str(fresh), fresh + 1
    return len(typed) + sum(bool(line.index) and not line.to for line in lines)
