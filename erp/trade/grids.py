"""The line grid of priced documents, shared by sales and purchasing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.db.models import F
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from erp.finance.currencies import base_currency
from erp.finance.models import TaxCode
from erp.inventory.grids import CODES
from erp.inventory.models import Product, ProductUnit, StockLevel, Unit
from erp.trade.amounts import Discount, Priced, Totals, line_amounts, shown_amount, totals
from erp.trade.line_tables import due_label, with_own
from erp.trade.lines import PERCENT_DIGITS, PRICE_DIGITS, LineInput, line_problems
from erp.trade.prints import unit_text
from kit.pages import formats
from kit.pages.lines import Computed, GridColumn, GridRow, LineGrid, Total, chosen
from kit.values.capitals import amount_in_words
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO, round_half_up
from oa.organisation.models.company import TaxMethod

ORDERS_ONLY = ("available", "tolerance", "due", "warehouse")  # columns that invoices and bills do not have
OWN = ("description", "price", "unit", "tax_code")  # what belongs to a product and goes with it


def tax_choices(user: Any) -> Sequence[tuple[str, Any]]:
    """Active tax codes with their rate."""
    return [(str(pk), tax_label(code, rate)) for pk, code, rate in tax_codes()]


def tax_codes() -> Iterable[tuple[int, str, Decimal]]:
    """Active tax codes: key, code, rate."""
    return TaxCode.objects.filter(active=True).values_list("pk", "code", "rate")


def tax_label(code: str, rate: Decimal) -> str:
    """How a tax code reads among the choices."""
    return f"{code} · {formats.percent(rate * 100)}"


def require_products(rows: Sequence[GridRow]) -> None:
    """Every row that holds something needs a product."""
    missing = [i for i, row in enumerate(rows) if row.get("product") is None]
    if missing:
        raise BusinessError(problems=[Problem(_("Choose a product."), "product", i) for i in missing])


class TradeGrid(LineGrid):
    """Product, quantity, price, discount, tax; amounts come from the rules that posting uses."""

    title = gettext_lazy("Lines")
    unit_column = "unit"
    scanned = "product"
    searched = "product"
    columns: Sequence[GridColumn] = (
        GridColumn("for", "", "hidden"),
        GridColumn("found", "", "hidden"),
        GridColumn("product", gettext_lazy("Product"), "picker", resource="product", width="w-140", also=CODES),
        GridColumn("description", gettext_lazy("Description"), skip=True, also=("name", "品名", "名称", "规格")),
        GridColumn("unit", gettext_lazy("Unit"), "picker", resource="unit", width="w-68", skip=True, also=("uom",)),
        GridColumn("quantity", gettext_lazy("Qty"), "number", width="w-92", foot=True, also=("数量", "件数")),
        GridColumn("available", gettext_lazy("Available"), "output", width="w-92"),
        GridColumn("price", gettext_lazy("Unit price"), "number", width="w-104", also=("单价", "价格")),
        GridColumn("discount", gettext_lazy("Disc. %"), "number", width="w-68", also=("折扣", "折扣率")),
        GridColumn(
            "tolerance",
            gettext_lazy("Tol. %"),
            "number",
            detail=True,
            permission="erp.exceed_tolerance",
        ),
        GridColumn("tax_code", gettext_lazy("Tax rate"), "select", width="w-104", choices=tax_choices, skip=True),
        GridColumn("amount", gettext_lazy("Amount"), "output", width="w-120", foot=True),
        GridColumn("due", due_label(), "date", detail=True, also=("due date", "交期", "交货日期", "到期日")),
        GridColumn(
            "warehouse", gettext_lazy("Warehouse"), "picker", resource="warehouse", detail=True, also=("仓库", "库房")
        ),
    )

    # ---- what differs between sales and purchasing ----

    def find_prices(self, document: Any, rows: Sequence[GridRow]) -> dict[str, Decimal]:
        """Prices by row index for rows whose price is open."""
        raise NotImplementedError

    def default_tax(self, document: Any, product: Product) -> Any:
        """The tax code of a product in this document."""
        return product.tax_code

    def short_of(self, document: Any, row: GridRow, free: Decimal) -> Decimal:
        """How much of a row stock does not cover."""
        return ZERO

    def held_by(self, document: Any) -> dict[tuple[int, int | None], Decimal]:
        """What a stored document holds itself or has taken, by product and warehouse: it is not short of that."""
        return {}

    def notices(self, document: Any, rows: Sequence[GridRow]) -> list[tuple[str, str]]:
        """Warnings over the lines."""
        return []

    def stored_lines(self, document: Any) -> Iterable[Any]:
        """The lines of a stored document with product, unit and tax code."""
        return document.lines.select_related("product", "unit", "tax_code").order_by("position")

    # ---- rows ----

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        rows, lines = [], list(self.stored_lines(document))
        own = with_own(document, lines)
        for index, line in enumerate(lines):
            row = GridRow(str(index), pk=line.pk)
            row.put("for", line.product_id)
            for name in ("product", "unit"):
                row.put(name, getattr(line, name), getattr(line, f"{name}_id"))
                row.typed[name] = self.picked_text(getattr(line, name))
            for name in ("description", "quantity", "discount"):
                row.put(name, getattr(line, name))
            if getattr(line, "tolerance", None) is not None:
                row.put("tolerance", line.tolerance)
            row.put("price", line.price, text=formats.trimmed(line.price, 2))
            row.put("tax_code", str(line.tax_code_id or ""))
            row.values["rate"] = line.tax_code.rate if line.tax_code is not None else ZERO
            if "due" in own.get(line.pk, ()):
                row.put("due", line.due_date)
            if "warehouse" in own.get(line.pk, ()):
                row.put("warehouse", line.warehouse, line.warehouse_id, self.picked_text(line.warehouse))
            rows.append(row)
        return rows

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        touched = [row for row in rows if changed is None or row.index in changed]
        self._fill(document, touched)
        self._availability(document, rows)  # all of them: the notices speak of the whole document
        details = {column.name for column in self.columns if column.detail}  # no amount follows from them
        filled = [row for row in rows if row.get("product") is not None and not set(row.errors) - details]
        lines = self._amounts(document, filled)
        shown = [shown_amount(document, line) for line in lines]
        for row, amount in zip(filled, shown, strict=True):
            row.outputs["amount"] = formats.money(amount)
        quantity = sum((row.get("quantity", ZERO) for row in filled), ZERO)
        computed = self.totals_of(document, totals(lines))
        computed.feet = {"quantity": formats.trimmed(quantity), "amount": formats.money(sum(shown, ZERO))}
        computed.notices = self.notices(document, rows)
        return computed

    def known(self, column: GridColumn, rows: Sequence[GridRow]) -> dict[int, Any]:
        products = [row.get("product") for row in rows] if column.name == "unit" else []
        return {product.unit_id: product.unit for product in products if product is not None}

    def _parse(self, column: GridColumn, rows: Sequence[GridRow], user: Any) -> None:
        if column.name != "tax_code":
            super()._parse(column, rows, user)
            return
        codes = {str(pk): (tax_label(code, rate), rate) for pk, code, rate in tax_codes()}
        for row in rows:
            try:
                text = chosen(row.typed.get("tax_code", "").strip(), {key: label for key, (label, _r) in codes.items()})
            except ValueError as error:
                row.errors["tax_code"] = str(error)
                continue
            row.values["tax_code"] = text
            if text:
                row.values["rate"] = codes[text][1]

    def _fill(self, document: Any, rows: Sequence[GridRow]) -> None:
        """Defaults of rows whose product is new; what a person typed stays."""
        fresh = []
        for row in rows:
            product = row.get("product")
            if product is None:
                continue
            if row.typed.get("for") != str(product.pk):
                for name in OWN if row.typed.get("for") else ():
                    row.typed[name], row.values[name] = "", None
                row.put("for", product.pk)
            if not row.typed.get("description"):
                row.put("description", product.label)
            if row.get("unit") is None:
                row.put("unit", product.unit, product.unit_id)
                row.typed["unit"] = self.picked_text(product.unit)
            if not row.typed.get("tax_code"):
                code = self.default_tax(document, product)
                row.put("tax_code", str(code.pk) if code else "")
                row.values["rate"] = code.rate if code else ZERO
            if not row.typed.get("quantity"):
                row.put("quantity", Decimal(1))
                row.taken["quantity"] = _("There is no quantity: 1 is taken.")
            own = row.typed.get("price", "") != row.typed.get("found", "")
            if (row.get("price") is None or not own) and "price" not in row.errors:
                fresh.append(row)  # a price that was found is found again: the quantity or customer may have changed
        self._factors(rows)
        prices = self.find_prices(document, fresh) if fresh else {}
        for row in fresh:
            price = prices.get(row.index, ZERO)
            for name in ("price", "found"):
                row.put(name, price, text=formats.trimmed(price, 2))
            if not price:
                row.hints["price"] = _("No price is known for %s.") % row.get("product").code

    def _factors(self, rows: Sequence[GridRow]) -> None:
        """How many of the product's own unit one of the row's unit holds (`factor`); 1 for its own unit."""
        other = [r for r in rows if r.get("product") and r.get("unit") and r.get("unit").pk != r.get("product").unit_id]
        units = ProductUnit.objects.filter(product__in={row.get("product").pk for row in other}) if other else ()
        factors = {(unit.product_id, unit.unit_id): unit.factor for unit in units}
        for row in other:
            row.values["factor"] = factors.get((row.get("product").pk, row.get("unit").pk), ONE)

    def _availability(self, document: Any, rows: Sequence[GridRow]) -> None:
        """What is free in the warehouse of the row, else of the document; red where it does not suffice."""
        found = [row for row in rows if row.get("product") is not None]
        levels = StockLevel.objects.filter(product__in={row.get("product").pk for row in found})
        own = {row.index: row.get("warehouse").pk for row in found if row.get("warehouse") is not None}
        place = getattr(document, "warehouse_id", None)
        if place:
            levels = levels.filter(warehouse__in={place, *own.values()})
        free: dict[tuple[int, int | None], Decimal] = defaultdict(Decimal)  # without a warehouse: in all of them
        for product_id, warehouse, left in levels.values_list("product", "warehouse", F("on_hand") - F("reserved")):
            for at in (warehouse, None):
                free[product_id, at] += left
        held = self.held_by(document) if found and document.pk else {}
        self._factors(found)
        for row in found:
            product = row.get("product")
            if not product.stocked:
                row.outputs["available"], row.tones["available"] = "—", ""
                continue
            at = (product.pk, own.get(row.index, place))
            left = free[at]
            row.outputs["available"] = formats.trimmed(left)
            row.values["short"] = self.short_of(document, row, left + held.get(at, ZERO))
            row.tones["available"] = "neg" if row.values["short"] > 0 else ""
            if row.values["short"] > 0:
                facts = {"free": row.outputs["available"], "short": formats.trimmed(row.values["short"])}
                row.hints["quantity"] = _("%(free)s available, short by %(short)s.") % facts

    def _amounts(self, document: Any, rows: Sequence[GridRow]) -> list[Any]:
        priced = [
            Priced(
                row.get("quantity", ZERO),
                round_half_up(row.get("price", ZERO), PRICE_DIGITS),
                round_half_up(row.get("discount", ZERO), PERCENT_DIGITS),
                row.get("rate", ZERO) if row.typed.get("tax_code") else ZERO,
            )
            for row in rows
        ]
        amounts = line_amounts(
            priced,
            per_tax=document.tax_method == TaxMethod.TAX,
            includes_tax=document.prices_include_tax,
            exponent=self.currency_of(document).exponent,
            discount=Discount(document.discount or ZERO, document.discount_amount or ZERO),
        )
        return [
            SimpleNamespace(net=a.net, tax=a.tax, tax_rate=p.tax_rate, discount_share=a.share)
            for a, p in zip(amounts, priced, strict=True)
        ]

    def copyable(self, document: Any) -> bool:
        """Not what was billed of orders: it is made from the order again."""
        lines = document.lines
        ordered = any(field.name == "order_line" for field in lines.model._meta.fields)
        return super().copyable(document) and not (ordered and lines.filter(order_line__isnull=False).exists())

    def picked_text(self, obj: Any) -> str:
        return unit_text(obj) if isinstance(obj, Unit) else super().picked_text(obj)

    def currency_of(self, document: Any) -> Any:
        """The document's currency, the base currency while it is open."""
        return document.currency if document.currency_id else base_currency()

    def totals_of(self, document: Any, sums: Totals) -> Computed:
        """Discount, net, tax by rate and total, with the total in words."""
        currency = self.currency_of(document)
        total = f"{currency.symbol or currency.code} {formats.money(sums.total, currency.exponent)}"
        rates = " · ".join(formats.percent(rate * 100) for rate, _net, tax in sums.by_rate if tax)
        rows = [
            *([Total(_("Discount"), formats.money(-sums.discount, currency.exponent))] if sums.discount else []),
            Total(_("Net"), formats.money(sums.net, currency.exponent)),
            Total(_("Tax"), formats.money(sums.tax, currency.exponent), note=rates),
            Total(_("Total incl. tax (%s)") % currency.code, total, grand=True),
        ]
        if sums.total > 0:
            words = amount_in_words(sums.total, currency.code, get_language() or "en", currency.exponent)
            rows.append(Total("", words, words=True))
        return Computed(totals=rows, live_total=total)

    # ---- what is checked before saving, and scanned ----

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        for row in rows:
            if row.get("product") is None:
                row.errors.setdefault("product", _("Choose a product."))
        mine = [row for row in rows if not row.errors]
        problems = line_problems(self.inputs(mine))
        if problems:
            self.add_problems(mine, BusinessError(problems=problems))
        seen: set[int] = set()
        for row in (row for row in mine if not row.errors):
            product = row.get("product")
            if product.pk in seen:
                row.hints.setdefault("product", _("%s stands in these rows more than once.") % product.code)
            seen.add(product.pk)

    def row_of(self, document: Any, rows: Sequence[GridRow], obj: Any) -> GridRow | None:
        """A code means one of the product's own unit: a row in boxes is another one."""
        mine = (row for row in rows if row.get("product") == obj)
        return next((row for row in mine if row.get("unit") is None or row.get("unit").pk == obj.unit_id), None)

    # ---- saving ----

    def copied_rows(self, source: Any, document: Any, user: Any) -> list[GridRow]:
        """Without the days on which the lines of the source were due (rule G-23)."""
        rows = super().copied_rows(source, document, user)
        for row in rows:
            row.typed.pop("due", None)
            row.values.pop("due", None)
        return rows

    def order_inputs(self, document: Any, rows: Sequence[GridRow]) -> list[LineInput]:
        """The rows of an order: what a line leaves open is that of its order, also when it is amended."""
        given = self.inputs(rows)
        for line in given:
            line.due_date = line.due_date or document.required_date
            line.warehouse = line.warehouse or document.warehouse
        return given

    def inputs(self, rows: Sequence[GridRow]) -> list[LineInput]:
        """The rows as the services take them; every row needs a product."""
        require_products(rows)
        codes = {str(code.pk): code for code in TaxCode.objects.all()}
        return [
            LineInput(
                product=row.get("product"),
                quantity=row.get("quantity", ZERO),
                price=row.get("price"),
                discount=row.get("discount", ZERO),
                tax_code=codes.get(row.typed.get("tax_code", "")),
                unit=row.get("unit"),
                description=row.get("description", ""),
                tolerance=row.get("tolerance"),
                due_date=row.get("due"),
                warehouse=row.get("warehouse"),
                pk=row.pk,
            )
            for row in rows
        ]
