"""Products, warehouses, the stock ledger and its documents."""

from erp.inventory.models.adjustments import (
    ADJUSTMENT_STATES,
    AdjustmentReason,
    StockAdjustment,
    StockAdjustmentLine,
)
from erp.inventory.models.stock import (
    ONE_ACCOUNT,
    MoveKind,
    Product,
    ProductGroup,
    ProductKind,
    ProductUnit,
    StockLevel,
    StockMove,
    Unit,
    Warehouse,
)

__all__ = [
    "ADJUSTMENT_STATES",
    "ONE_ACCOUNT",
    "AdjustmentReason",
    "MoveKind",
    "Product",
    "ProductGroup",
    "ProductKind",
    "ProductUnit",
    "StockAdjustment",
    "StockAdjustmentLine",
    "StockLevel",
    "StockMove",
    "Unit",
    "Warehouse",
]
