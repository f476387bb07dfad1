"""Products and stock from files and into files."""

from __future__ import annotations

from typing import Any, ClassVar

from erp.finance.charts import GOODS
from erp.finance.models import PostingGroup
from erp.inventory.imported_stock import MovesImporter, OpeningImporter
from erp.inventory.models import ProductGroup, Unit
from kit.exchange import exporting, importing
from kit.exchange.importing_columns import maker
from kit.exchange.importing_records import RecordImporter

UNIT = "pc"  # of products that name none
DECIMALS = 4  # of units that a file names for the first time: nothing is known of them


def _goods() -> PostingGroup | None:
    return PostingGroup.objects.filter(code=GOODS).first()


class ProductImporter(RecordImporter):
    """Products by code. Unknown categories and units are made, suppliers and tax codes must exist."""

    kind = "products"
    resource = "product"
    names: ClassVar = {"group": "category", "price": "unit_price"}
    make: ClassVar = {"group": maker(ProductGroup, posting_group=_goods), "unit": maker(Unit, decimals=DECIMALS)}
    aliases: ClassVar = {
        "code": ("商品编码", "商品编号", "编码"),
        "name": ("商品名称", "名称"),
        "group": ("分类", "类别", "product group"),
        "unit": ("单位",),
        "price": ("单价", "售价"),
        "cost": ("成本", "unit cost"),
        "barcode": ("条码",),
        "supplier": ("供应商",),
        "tax_code": ("税码",),
    }

    def prepare(self, record: Any, by: Any) -> None:
        """A product without a unit is counted in pieces."""
        record.created_by = by
        if record.unit_id is None:
            record.unit = Unit.objects.filter(code=UNIT).first() or Unit.objects.order_by("pk").first()


PRODUCTS, OPENING = ProductImporter(), OpeningImporter()
for importer in (PRODUCTS, OPENING, MovesImporter()):
    importing.register(importer)
exporting.register(PRODUCTS.kind, PRODUCTS.exporter)
exporting.register(OPENING.kind, OPENING.exporter)
