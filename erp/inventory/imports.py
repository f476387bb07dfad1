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
    bulk = True  # the whole file is one transaction, in which every record was checked
    names: ClassVar = {"group": "category", "price": "unit_price"}
    make: ClassVar = {"group": maker(ProductGroup, posting_group=_goods), "unit": maker(Unit, decimals=DECIMALS)}
    aliases: ClassVar = {
        "code": ("商品编码", "商品编号", "商品代码", "产品编码", "产品编号", "编码", "编号", "代码"),
        "name": ("商品名称", "产品名称", "名称", "品名"),
        "group": ("分类", "类别", "商品分类", "商品类别", "product group"),
        "unit": ("单位", "计量单位"),
        "price": ("单价", "售价", "销售单价"),
        "cost": ("成本", "成本价", "单位成本", "unit cost"),
        "barcode": ("条码", "条形码"),
        "supplier": ("供应商", "供应商编码", "主供应商"),
        "tax_code": ("税码", "税率代码"),
    }

    def prepare(self, record: Any, by: Any) -> None:
        """A product without a unit is counted in pieces."""
        record.created_by = by
        if record.unit_id is None:
            record.unit = Unit.objects.filter(code=UNIT).first() or Unit.objects.order_by("pk").first()


for importer in (ProductImporter(), OpeningImporter(), MovesImporter()):
    importing.register(importer)
    exporting.register(importer.kind, importer.exporter)
