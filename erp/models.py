"""Facade: lets Django find the models. Import from the sections instead."""

from erp.finance.models import (
    Account,
    Allocation,
    Currency,
    ExchangeRate,
    FiscalYear,
    Journal,
    JournalEntry,
    JournalLine,
    OpenItem,
    Payment,
    PaymentAllocation,
    PaymentTerms,
    Period,
    PeriodBalance,
    PostingGroup,
    PostingRule,
    Supplier,
    TaxCode,
    Voucher,
    VoucherLine,
)
from erp.inventory.models import (
    Product,
    ProductGroup,
    ProductUnit,
    StockAdjustment,
    StockAdjustmentLine,
    StockLevel,
    StockMove,
    Unit,
    Warehouse,
)
from erp.purchasing.models import (
    Bill,
    BillLine,
    GoodsReceipt,
    GoodsReceiptLine,
    PurchaseOrder,
    PurchaseOrderLine,
)
from erp.sales.models import (
    CustomerPrice,
    CustomerTerms,
    Delivery,
    DeliveryLine,
    Invoice,
    InvoiceLine,
    SalesOrder,
    SalesOrderLine,
)

__all__ = [
    "Account", "Allocation", "Bill", "BillLine", "Currency", "CustomerPrice", "CustomerTerms", "Delivery",
    "DeliveryLine", "ExchangeRate", "FiscalYear", "GoodsReceipt", "GoodsReceiptLine", "Invoice", "InvoiceLine",
    "Journal", "JournalEntry", "JournalLine", "OpenItem", "Payment", "PaymentAllocation", "PaymentTerms",
    "Period", "PeriodBalance", "PostingGroup", "PostingRule", "Product", "ProductGroup", "ProductUnit",
    "PurchaseOrder", "PurchaseOrderLine", "SalesOrder", "SalesOrderLine", "StockAdjustment",
    "StockAdjustmentLine", "StockLevel", "StockMove", "Supplier", "TaxCode", "Unit", "Voucher", "VoucherLine",
    "Warehouse",
]
