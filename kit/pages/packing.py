"""Documents of many lines: the rows of pages that are not in view travel in one hidden input each (UX 6.6.11).

Such an input holds what the row's own inputs would post. It is taken apart here and nowhere else, before anything reads
the form, so that it means no more than those inputs would: names that the row does not have are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import BadRequest
from django.http import QueryDict
from django.utils.translation import gettext as _

from kit.pages.lines import GridColumn, GridRow, LineGrid
from kit.values.keys import is_key

PAGE = 200  # rows in view, also in static/js/gridpages.js
PACKED = "packed"
LONGEST = 20_000  # letters of a packed row
_UNSENT = re.compile("[\x00\ud800-\udfff]")  # what no plain input can post
_ESCAPES = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("'"): "&#x27;"}


@dataclass(frozen=True)
class Pages:
    """The rows of a document, those of one page in view; pages count from 0."""

    all: Sequence[GridRow]
    start: int = 0

    @property
    def many(self) -> bool:
        """Whether there is more than one page."""
        return len(self.rows) < len(self.all)

    @property
    def end(self) -> int:
        """Where the page ends; a few rows more than one page are still one."""
        return len(self.all) if len(self.all) <= PAGE + 1 else min(self.start + PAGE, len(self.all))

    @property
    def rows(self) -> Sequence[GridRow]:
        """The rows in view."""
        return self.all[self.start : self.end]

    @property
    def before(self) -> Sequence[GridRow]:
        """The rows of the pages before."""
        return self.all[: self.start]

    @property
    def after(self) -> Sequence[GridRow]:
        """The rows of the pages behind."""
        return self.all[self.end :]

    @property
    def number(self) -> int:
        """The page in view."""
        return self.start // PAGE

    @property
    def choices(self) -> list[tuple[int, str, bool]]:
        """The place of each page's first row, its first and last number, and whether it is in view."""
        firsts = range(0, len(self.all), PAGE) if self.many else ()
        return [(first, f"{first + 1}–{min(first + PAGE, len(self.all))}", first == self.start) for first in firsts]


def pages_of(rows: Sequence[GridRow], post: Mapping[str, str], grid: LineGrid) -> Pages:
    """The page with the first row that is wrong, else the one asked for, else the one that was in view."""
    if len(rows) <= PAGE + 1:
        return Pages(rows)
    asked = post.get("page", "")
    folded = folded_in(post, grid)
    place = next((i for i, row in enumerate(rows) if row.errors), None)
    if place is None and is_key(asked):
        place = int(asked) * PAGE
    if place is None and folded:
        place = next((i for i, row in enumerate(rows) if row.index not in folded), 0)
    place = min(place or 0, len(rows) - 1)
    return Pages(rows, place - place % PAGE)


def folded_in(post: Mapping[str, str], grid: LineGrid) -> set[str]:
    """The indexes of the rows that a form carries packed."""
    return {index for name in post if (index := _index(name, grid.prefix))}


def _index(name: str, prefix: str) -> str:
    found = re.fullmatch(rf"{re.escape(prefix)}-(\d{{1,18}})-{PACKED}", name, re.ASCII)
    return found[1] if found else ""


def names_of(columns: Sequence[GridColumn]) -> set[str]:
    """What the inputs of a row are called, without prefix and index."""
    typed = [c for c in columns if c.kind != "output"]
    return {"id", *(c.name for c in typed), *(f"{c.name}_text" for c in typed if c.kind == "picker")}


def unpacked(post: QueryDict, grid: LineGrid | None, user: Any) -> QueryDict:
    """The form as if the inputs of all rows stood in it, in their order."""
    if grid is None or not folded_in(post, grid):
        return post
    allowed = names_of(grid.columns_for(user))
    data = QueryDict(mutable=True, encoding=post.encoding)
    for name, values in post.lists():
        index = _index(name, grid.prefix)
        if not index:
            data.setlist(name, values)
            continue
        for part, text in _parts(values[-1] if values else "").items():
            key = f"{grid.prefix}-{index}-{part}"
            if part in allowed and key not in post:
                data.setlist(key, [text])
    return data


def _parts(text: str) -> dict[str, str]:
    """The texts of a packed row; raises BadRequest where it is none of ours."""
    try:
        given = json.loads(text) if len(text) <= LONGEST else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict) or not all(isinstance(t, str) and not _UNSENT.search(t) for t in given.values()):
        raise BadRequest(_("This form cannot be read. Load the page again."))
    return given


def packed(grid: LineGrid, row: GridRow, columns: Sequence[GridColumn]) -> str:
    """What a row posts, as one text."""
    given = {"id": str(row.pk or "")}
    for column in columns:
        if column.kind == "picker":
            given[f"{column.name}_text"] = row.typed.get(column.name, "")
            given[column.name] = row.keys.get(column.name, "")
        elif column.kind != "output":
            given[column.name] = row.typed.get(column.name, "")
    return _attribute({name: str(text) for name, text in given.items() if text})


def shown(row: GridRow) -> str:
    """What a row shows beside its inputs, for the moment in which it comes into view."""
    sides = {"o": row.outputs, "t": row.tones, "e": row.errors, "h": row.hints}
    kept = {side: {name: str(text) for name, text in texts.items() if text} for side, texts in sides.items()}
    return _attribute({side: texts for side, texts in kept.items() if texts})


def _attribute(value: Any) -> str:
    """JSON as it stands in an attribute within single quotes."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(_ESCAPES)
