"""What the table of a list consists of: headings, rows of cells, and the views over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kit.pages.columns import Cell, Column


@dataclass(frozen=True)
class Header:
    """A column heading with the address that sorts by it."""

    column: Column
    sorted: str  # "", "asc", "desc"
    query: str


@dataclass(frozen=True)
class Row:
    """A row of formatted cells."""

    key: str
    url: str
    cells: Sequence[Cell]
    pk: int

    @property
    def words(self) -> list[Cell]:
        """Names and dates after the first cell, for rows of a card."""
        return [c for c in self.cells[1:] if not c.column.numeric and c.column.kind != "state" and c.text]

    @property
    def numbers(self) -> list[Cell]:
        """Figures and states, which stand at the right of a card's row."""
        return [c for c in self.cells[1:] if c.column.numeric or c.column.kind == "state"]


@dataclass(frozen=True)
class Tab:
    """A view over the list."""

    label: Any
    query: str
    current: bool


@dataclass(frozen=True)
class Turn:
    """Another page, or another size of pages."""

    number: int
    query: str
    current: bool
