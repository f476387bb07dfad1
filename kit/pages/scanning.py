"""Codes from a scanner counted into the lines of a document (UX 6.6.6)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from kit.pages import formats
from kit.pages.lines import GridRow, LineGrid
from kit.pages.pasting import cells_of
from kit.pages.resolving import exact
from kit.pages.resources import registry
from kit.values.money import ONE, ZERO

LONGEST = 100  # letters of a code


@dataclass
class Scanned:
    """What one scan does: a sentence, and what is written into which rows (an empty index is a new row)."""

    words: str
    done: bool = False
    writes: list[tuple[str, str]] = field(default_factory=list)
    started: str = ""  # said when figures that were proposed gave way


def scan(
    grid: LineGrid, document: Any, rows: Sequence[GridRow], code: str, user: Any, *, first: bool = False
) -> Scanned:
    """Count the thing with this code or barcode once more, in its row or in a new one."""
    resource = registry[grid.scanned]
    text = code.replace("\x00", "").strip()[:LONGEST]
    found = exact(resource, resource.pick_queryset(user, {}).select_related(*resource.related), text) if text else None
    if found is None:
        return Scanned(_("“%s” is no code or barcode that is known here.") % text)
    given_up = grid.start_counting(document, rows) if first else []
    row = grid.row_of(document, rows, found)
    if row is None and grid.fixed:
        return Scanned(_("%s is not in this document.") % found)
    if row is not None and grid.counted in row.errors:
        return Scanned(row.errors[grid.counted])
    counted = next(c for c in grid.columns if c.name == grid.counted)
    made = row or GridRow("")
    before = ZERO if row is None or row in given_up else row.get(grid.counted, ZERO)
    made.put(grid.counted, before + ONE)
    columns = [counted]
    if row is None:
        made.put(grid.scanned, found, found.pk, grid.picked_text(found))
        columns.insert(0, next(c for c in grid.columns if c.name == grid.scanned))
    done = Scanned(f"{grid.picked_text(found)} × {formats.trimmed(before + ONE)}", True)
    for other in given_up:
        if other is not row:
            other.put(grid.counted, ZERO)
            done.writes.append((other.index, json.dumps(cells_of(other, [counted]))))
            done.started = _("Counting starts at 0; the quantities that were proposed are gone.")
    done.writes.append((made.index, json.dumps(cells_of(made, columns))))
    return done
