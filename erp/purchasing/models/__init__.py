"""Orders to suppliers, what they deliver and bill."""

from erp.purchasing.models.bills import Bill, BillLine
from erp.purchasing.models.orders import PurchaseOrder, PurchaseOrderLine
from erp.purchasing.models.receipts import GoodsReceipt, GoodsReceiptLine

__all__ = ["Bill", "BillLine", "GoodsReceipt", "GoodsReceiptLine", "PurchaseOrder", "PurchaseOrderLine"]
