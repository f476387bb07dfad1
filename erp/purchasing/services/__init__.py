"""Commands of purchasing: one transaction each, locks first, one effect."""

from erp.purchasing.services.bill_drafts import draft_bill, save_bill
from erp.purchasing.services.bills import bill_order, post_bill, reverse_bill
from erp.purchasing.services.orders import (
    amend_order,
    cancel_order,
    close_order,
    confirm_order,
    reopen_order,
    save_order,
)
from erp.purchasing.services.receipts import (
    draft_receipt,
    post_receipt,
    receive_order,
    reverse_receipt,
    save_receipt,
)

__all__ = [
    "amend_order",
    "bill_order",
    "cancel_order",
    "close_order",
    "confirm_order",
    "draft_bill",
    "draft_receipt",
    "post_bill",
    "post_receipt",
    "receive_order",
    "reopen_order",
    "reverse_bill",
    "reverse_receipt",
    "save_bill",
    "save_order",
    "save_receipt",
]
