"""The line grid of stock adjustments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.inventory.models import AdjustmentReason, MoveKind, StockLevel, StockMove
from erp.inventory.services import AdjustmentInput, check_inputs, save_adjustment
from kit.pages import formats
from kit.pages.lines import Computed, GridColumn, GridRow, LineGrid, Total
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money

CODES = ("code", "product code", "item", "sku", "part no", "商品编码", "产品编码", "物料编码", "编码", "料号", "货号")
COST = "erp.view_journalentry"  # who may see what stock is worth


def _opened(document: Any, rows: Sequence[GridRow]) -> list[tuple[str, str]]:
    """Opening stock is entered once; more of it may be right (another lot), but is worth a look."""
    if document.reason != AdjustmentReason.OPENING or not document.warehouse_id or not rows:
        return []
    products = {row.get("product").pk for row in rows}
    opened = StockMove.objects.filter(kind=MoveKind.OPENING, warehouse=document.warehouse_id, product__in=products)
    sums = opened.order_by("product__code").values_list("product__code").annotate(Sum("quantity"))
    message = _("%(product)s has opening stock of %(quantity)s here already.")
    return [
        ("warn", message % {"product": code, "quantity": formats.trimmed(quantity)})
        for code, quantity in sums
        if quantity
    ]


class AdjustmentGrid(LineGrid):
    """Signed quantities; a cost is typed for gains only."""

    title = gettext_lazy("Lines")
    total_label = gettext_lazy("Value")
    scanned = "product"
    searched = "product"
    columns = (
        GridColumn(
            "product", gettext_lazy("Product"), "picker", resource="product", width="w-140", phone="no", also=CODES
        ),
        GridColumn("note", gettext_lazy("Name"), "output", phone="cust"),
        GridColumn("on_hand", gettext_lazy("On hand"), "output", width="w-104"),
        GridColumn(
            "quantity", gettext_lazy("Change (+/−)"), "number", width="w-120", phone="amt", also=("qty", "数量")
        ),
        GridColumn("unit_cost", gettext_lazy("Unit cost"), "number", width="w-120", permission=COST, digits=2),
        GridColumn("value", gettext_lazy("Value"), "output", width="w-120", foot=True, permission=COST, phone="st"),
    )

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        rows = []
        for index, line in enumerate(document.lines.select_related("product").order_by("position")):
            row = GridRow(str(index), pk=line.pk)
            row.put("product", line.product, line.product_id)
            row.typed["product"] = line.product.code
            row.put("quantity", line.quantity)
            if line.unit_cost is not None:
                row.put("unit_cost", line.unit_cost)
            row.values["value"] = line.value
            rows.append(row)
        return rows

    def copied_rows(self, source: Any, document: Any, user: Any) -> list[GridRow]:
        """Without the values: they are those of the day on which the copy is posted."""
        rows = super().copied_rows(source, document, user)
        for row in rows:
            row.values.pop("value", None)
        return rows

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        found = [row for row in rows if row.get("product") is not None]
        levels = {}
        if found and document.warehouse_id:
            held = StockLevel.objects.filter(
                product__in=[r.get("product") for r in found], warehouse=document.warehouse_id
            )
            levels = {level.product_id: level for level in held}
        total = ZERO
        for row in found:
            product, cost = row.get("product"), row.get("unit_cost")
            level = levels.get(product.pk)
            row.outputs["note"] = product.label
            row.outputs["on_hand"] = formats.trimmed(level.on_hand if level else ZERO)
            if cost is None:
                cost = level.value / level.on_hand if level and level.on_hand > 0 else product.cost
            value = row.get("value") or round_money(row.get("quantity", ZERO) * cost)
            row.outputs["value"] = formats.money(value)
            total += value
        value = formats.money(total) if user.has_perm(COST) else ""
        shown = [Total(_("Value"), value, grand=True)] if value else []
        return Computed(shown, value, feet={"value": formats.money(total)}, notices=_opened(document, found))

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        for row in rows:
            if row.get("product") is None:
                row.errors.setdefault("product", _("Choose a product."))
        mine = [row for row in rows if not row.errors]
        try:
            check_inputs(self.inputs(mine))
        except BusinessError as error:
            self.add_problems(mine, error)

    def inputs(self, rows: Sequence[GridRow]) -> list[AdjustmentInput]:
        """The rows as the service takes them."""
        return [AdjustmentInput(row.get("product"), row.get("quantity", ZERO), row.get("unit_cost")) for row in rows]

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        missing = [i for i, row in enumerate(rows) if row.get("product") is None]
        if missing:
            raise BusinessError(problems=[Problem(_("Choose a product."), "product", i) for i in missing])
        return save_adjustment(document, self.inputs(rows), by=by, version=version)
