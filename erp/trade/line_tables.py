"""The lines of priced documents as their record pages show them, and what order lines have of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.functional import keep_lazy_text
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from erp.trade.amounts import shown_amount, totals
from erp.trade.excess import excess_words
from erp.trade.prints import unit_text
from kit.pages import formats
from kit.pages.lines import LineTable


@keep_lazy_text
def _capitalised(text: Any) -> str:
    return capfirst(text)


def due_label() -> Any:
    """What the day on which goods are due is called, as in the head of an order."""
    return _capitalised(pgettext_lazy("goods", "due date"))


def with_own(document: Any, lines: Sequence[Any]) -> dict[int, set[str]]:
    """What order lines have otherwise than their document (due, warehouse), by line; reads those warehouses."""
    own: dict[int, set[str]] = {}
    for line in lines:
        if getattr(line, "due_date", None) not in (None, getattr(document, "required_date", None)):
            own.setdefault(line.pk, set()).add("due")
        if getattr(line, "warehouse_id", None) not in (None, getattr(document, "warehouse_id", None)):
            own.setdefault(line.pk, set()).add("warehouse")
    prefetch_related_objects([line for line in lines if "warehouse" in own.get(line.pk, ())], "warehouse")
    return own


def progress_table(grid: Any, document: Any, facts: Sequence[tuple[Any, str]]) -> LineTable:
    """The read-only lines of a document with what became of them (`facts`: label, attribute)."""
    lines = list(grid.stored_lines(document))
    if any(getattr(line, "tolerance", None) is not None for line in lines):
        facts = [*facts, (_("Tol. %"), "tolerance")]
    own = with_own(document, lines)
    of_line = [name for name in ("due", "warehouse") if any(name in names for names in own.values())]
    words = {"due": due_label(), "warehouse": _("Warehouse")}
    headers = [
        (_("Product"), False),
        (_("Description"), False),
        *((words[name], False) for name in of_line),
        (_("Unit"), False),
        (_("Qty"), True),
        *((label, True) for label, _name in facts),
        (_("Unit price"), True),
        (_("Disc. %"), True),
        (_("Tax rate"), True),
        (_("Amount"), True),
    ]
    body = [
        [
            (line.product.code, False, "tn c-no"),
            (line.description, False, "c-cust"),
            *((_of_line(document, line, name), False, "t2") for name in of_line),
            (unit_text(line.unit), False, "t2"),
            (formats.trimmed(line.quantity), True, "c-st"),
            *((formats.trimmed(getattr(line, name)), True, "t2") for _label, name in facts),
            (formats.trimmed(line.price, 2), True, ""),
            (formats.trimmed(line.discount), True, ""),
            (formats.percent(line.tax_rate * 100), True, ""),
            (formats.money(shown_amount(document, line)), True, "b5 c-amt"),
        ]
        for line in lines
    ]
    computed = grid.totals_of(document, totals(lines))
    if facts:
        computed.notices = [("warn", text) for text in excess_words(lines)]
    return LineTable(headers, body, computed)


def _of_line(document: Any, line: Any, name: str) -> str:
    """Due day and warehouse of an order line, its own or those of its order."""
    if name == "due":
        return formats.iso_date(line.due_date) if line.due_date else ""
    own = line.warehouse_id != document.warehouse_id
    return str((line if own else document).warehouse.code)
