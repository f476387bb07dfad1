"""Pages of inventory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import F, OuterRef, Subquery, Sum
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from erp.inventory import services
from erp.inventory.grids import AdjustmentGrid
from erp.inventory.models import (
    Product,
    ProductGroup,
    ProductUnit,
    StockAdjustment,
    StockLevel,
    StockMove,
    Unit,
    Warehouse,
)
from erp.inventory.products import save_product, save_product_group
from erp.inventory.warehouses import save_warehouse
from kit.pages import formats
from kit.pages.columns import Column
from kit.pages.nav import tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register, registry
from kit.values.money import ZERO

tree.group("stock", _("Inventory"), "package", 40, _("Business"))

MASTER = ("code", "name", "name_zh")


@register
class ProductResource(Resource):
    model = Product
    path = "stock/products"
    group = "stock"
    order = 10
    create_key = "p"
    icon = "package"
    columns = (
        "code",
        Column("name", phone="cust"),
        "group",
        "unit",
        Column("price", phone="amt"),
        "tax_code",
        "supplier",
        "barcode",
    )
    filters = ("group", "kind", "supplier", "tax_code")
    fields = (
        "code",
        "name",
        "name_en",
        "kind",
        "group",
        "unit",
        "price",
        "cost",
        "tax_code",
        "barcode",
        "supplier",
        "minimum",
        "tolerance",
        "note",
        "active",
    )
    related = ("group", "unit", "tax_code", "supplier")
    ordering = ("code",)
    save = staticmethod(save_product)

    def pick_label(self, obj: Any) -> str:
        return f"{obj.code} {obj.label}"

    def with_facts(self, rows: Any) -> Any:
        levels = StockLevel.objects.filter(product=OuterRef("pk")).order_by().values("product")
        return rows.annotate(free=Subquery(levels.annotate(free=Sum(F("on_hand") - F("reserved"))).values("free")))

    def facts(self, obj: Any) -> list[str]:
        free = gettext("%s available") % formats.trimmed(obj.free or ZERO) if obj.stocked else ""
        return [free, formats.trimmed(obj.price, 2)]


@register
class ProductGroupResource(Resource):
    model = ProductGroup
    path = "stock/product-groups"
    group = "stock"
    order = 60
    small = True
    columns = (*MASTER, "parent", "posting_group")
    search_fields = MASTER
    fields = (*MASTER, "parent", "posting_group", "tolerance", "active")
    save = staticmethod(save_product_group)


@register
class UnitResource(Resource):
    model = Unit
    path = "stock/units"
    group = "stock"
    order = 70
    small = True
    columns = (*MASTER, "decimals")
    search_fields = MASTER
    fields = (*MASTER, "decimals", "active")


@register
class ProductUnitResource(Resource):
    model = ProductUnit
    path = "stock/product-units"
    group = "stock"
    order = 80
    key = "pk"
    columns = ("product", "unit", "factor")
    search_fields = ("product__search",)
    fields = ("product", "unit", "factor")
    related = ("product", "unit")


@register
class WarehouseResource(Resource):
    model = Warehouse
    path = "stock/warehouses"
    group = "stock"
    order = 50
    small = True
    columns = (*MASTER, "address", "allow_negative")
    search_fields = MASTER
    fields = (*MASTER, "address", "allow_negative", "active")
    save = staticmethod(save_warehouse)


@register
class StockLevelResource(Resource):
    model = StockLevel
    path = "stock/levels"
    label_plural = _("stock on hand")
    group = "stock"
    go_key = "s"
    order = 20
    key = "pk"
    columns = (
        Column("product__code", _("Product")),
        Column("product__name", _("Name"), phone="cust"),
        "warehouse",
        "on_hand",
        "reserved",
        Column("free", _("Available"), "quantity", phone="amt"),
    )
    annotations = ("free",)
    filters = ("warehouse", "product", "product__group")
    search_fields = ("product__search",)
    searched = False
    ordering = ("product__code", "pk")
    extra_fields = ("product", "warehouse")
    related = ("product__unit", "warehouse")
    can_create = can_edit = importable = False

    def list_queryset(self, user: Any) -> Any:
        return self.queryset(user).annotate(free=F("on_hand") - F("reserved"))

    def heading(self, obj: Any) -> str:
        return f"{obj.product} · {obj.warehouse}"

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """What is there, promised and free; the moves behind it."""
        moves = f"{registry['stockmove'].url()}?product={obj.product_id}&product_text={obj.product.code}"
        unit = str(obj.product.unit)
        return [
            Figure(_("On hand"), formats.trimmed(obj.on_hand), f"{moves}&warehouse={obj.warehouse_id}", unit),
            Figure(_("Reserved"), formats.trimmed(obj.reserved), "", unit),
            Figure(_("Available"), formats.trimmed(obj.on_hand - obj.reserved), "", unit),
        ]


@register
class StockMoveResource(Resource):
    model = StockMove
    path = "stock/moves"
    group = "stock"
    order = 30
    key = "pk"
    columns = (
        "number",
        "date",
        "kind",
        Column("product__code", _("Product")),
        Column("product__name", _("Name"), phone="cust"),
        "warehouse",
        Column("quantity", phone="amt"),
        "quantity_after",
    )
    filters = ("kind", "product", "warehouse", "date")
    search_fields = ("product__search",)
    searched = False
    ordering = ("-date", "-id")
    extra_fields = (
        "number",
        "date",
        "kind",
        "product",
        "warehouse",
        "quantity",
        "quantity_after",
        "posted_at",
        "posted_by",
    )
    related = ("product", "warehouse", "posted_by")
    labels: ClassVar = {"posted_by": _("posted by")}
    can_create = can_edit = importable = False

    def heading(self, obj: Any) -> str:
        return f"{obj.number} · {obj.product}"


@register
class StockAdjustmentResource(Resource):
    model = StockAdjustment
    path = "stock/adjustments"
    group = "stock"
    order = 40
    columns = (
        "number",
        "date",
        Column("warehouse", phone="cust"),
        "reason",
        "state",
        "owner",
        Column("value", total=True, phone="amt"),
    )
    filters = ("state", "reason", "warehouse", "date")
    ordering = ("-date", "-id")
    fields = ("warehouse", "date", "reason", "note")
    extra_fields = ("owner", "reversal_of", "posted_at", "posted_by")
    related = ("warehouse", "owner", "posted_by", "reversal_of")
    importable = False
    not_copied = ("date",)
    lines = AdjustmentGrid()
    run = {"post": services.post_adjustment, "reverse": services.reverse_adjustment}

    def initial(self, request: Any) -> dict[str, Any]:
        return {"warehouse": Warehouse.objects.filter(active=True).order_by("pk").first(), **super().initial(request)}
