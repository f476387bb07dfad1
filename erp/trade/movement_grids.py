"""The line grid of delivery notes and goods receipts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from erp.trade.excess import allow_excess, excess_words
from erp.trade.lines import quantities_problems
from erp.trade.prints import unit_text
from erp.trade.progress import to_move
from kit.pages import formats
from kit.pages.actions import Command
from kit.pages.lines import Computed, GridColumn, GridRow, LineGrid, LineTable, Total, few_words
from kit.values.errors import BusinessError
from kit.values.money import ZERO


def exceeds_order(document: Any) -> bool:
    """Whether a line of a delivery note or goods receipt is more than its order has open."""
    return any(line.quantity > to_move(line.order_line) for line in document.lines.select_related("order_line"))


def excess_command(exceeds: Callable[[Any], bool]) -> Command:
    """The button for letting a draft that `exceeds` its order go beyond the tolerance (rule G-12)."""
    return Command(
        "allow-excess",
        gettext_lazy("Allow excess"),
        allow_excess,
        "erp.exceed_tolerance",
        icon="lock-open",
        confirm=gettext_lazy("Allow this draft to take more than was ordered?"),
        when=lambda draft: draft.state == "draft" and not draft.excess_allowed_by_id and exceeds(draft),
    )


class MovementGrid(LineGrid):
    """Quantities of a delivery note or goods receipt; the lines come from orders."""

    fixed = True
    scanned = "product"
    title = gettext_lazy("Lines")
    total_label = gettext_lazy("Quantity")
    columns = (
        GridColumn("order", gettext_lazy("Order"), "output", width="w-140"),
        GridColumn("product", gettext_lazy("Product"), "output", width="w-140", phone="no"),
        GridColumn("note", gettext_lazy("Description"), "output", phone="cust"),
        GridColumn("unit", gettext_lazy("Unit"), "output", width="w-68"),
        GridColumn("open", pgettext_lazy("quantity", "Open"), "output", width="w-92", phone="st"),
        GridColumn("quantity", gettext_lazy("Quantity"), "number", width="w-104", foot=True, phone="amt"),
    )

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        rows = []
        found = document.lines.select_related("product", "unit", "order_line__order").order_by("position")
        for index, line in enumerate(found):
            row = GridRow(str(index), pk=line.pk)
            row.outputs = {
                "order": line.order_line.order.number or "",
                "product": line.product.code,
                "note": line.description,
                "unit": unit_text(line.unit),
                "open": formats.trimmed(to_move(line.order_line)),
            }
            row.values["open"] = to_move(line.order_line)
            row.put("quantity", line.quantity)
            rows.append(row)
        return rows

    def table(self, document: Any, user: Any) -> LineTable:
        """With what the note's orders got beyond what was ordered."""
        shown = super().table(document, user)
        if document.state == "posted":
            lines = document.lines.select_related("order_line__product").order_by("position")
            ordered = {line.order_line_id: line.order_line for line in lines}
            shown.computed.notices = [("warn", words) for words in excess_words(ordered.values())]
        return shown

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        if document.pk and rows and not rows[0].outputs:
            stored = {row.pk: row for row in self.rows_of(document, user)}
            for row in rows:
                if row.pk in stored:
                    row.outputs, row.values["open"] = stored[row.pk].outputs, stored[row.pk].values["open"]
        for row in rows:
            over = row.outputs and not row.errors and row.get("quantity", ZERO) > row.get("open", ZERO)
            if over and document.state == "draft":
                row.hints["quantity"] = _("Only %s are left on the order.") % formats.trimmed(row.get("open"))
        total = formats.trimmed(sum((row.get("quantity", ZERO) for row in rows), ZERO))
        totals_box = [Total(_("Quantity"), total, grand=True)]
        return Computed(totals_box, total, self.notices(document, rows), {"quantity": total})

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        """Negative quantities and those that the unit does not have; 0 leaves a line out."""
        lines = {line.pk: line for line in document.lines.select_related("unit")} if document.pk else {}
        mine = [row for row in rows if row.pk in lines and not row.errors]
        found = quantities_problems([lines[row.pk] for row in mine], self.quantities(mine))
        if found:
            self.add_problems(mine, BusinessError(problems=found))

    def row_of(self, document: Any, rows: Sequence[GridRow], obj: Any) -> GridRow | None:
        """The first line of the product that is not complete yet, else its last one."""
        self.compute(document, rows, None, None)
        lines = [row for row in rows if row.outputs.get("product") == obj.code]
        short = (row for row in lines if row.get("quantity", ZERO) < row.get("open", ZERO))
        return next(short, lines[-1] if lines else None)

    def start_counting(self, document: Any, rows: Sequence[GridRow]) -> list[GridRow]:
        """While every line has all that is open nobody has counted yet: the first code begins at 0."""
        self.compute(document, rows, None, None)
        untouched = all(row.get("quantity", ZERO) == row.get("open", ZERO) for row in rows)
        return list(rows) if untouched else []

    def notices(self, document: Any, rows: Sequence[GridRow]) -> list[tuple[str, str]]:
        """What of a draft is more than its order has open (rule G-12)."""
        text = _("Line %(line)s “%(product)s”: %(over)s more than is left on the order.")
        words = [
            text % {"line": position, "product": row.outputs["product"], "over": formats.trimmed(over)}
            for position, row in enumerate(rows, start=1)
            if document.state == "draft" and row.outputs and (over := row.get("quantity", ZERO) - row.get("open")) > 0
        ]
        return few_words(words)

    def quantities(self, rows: Sequence[GridRow]) -> dict[int, Decimal]:
        """Quantities by line key, as the services take them."""
        return {row.pk: row.get("quantity", ZERO) for row in rows if row.pk}
