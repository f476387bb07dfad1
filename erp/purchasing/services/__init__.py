"""Commands of purchasing: one transaction each, locks first, one effect."""

from erp.purchasing.services.bill_drafts import add_received, draft_bill, save_bill
from erp.purchasing.services.bills import bill_order, post_bill
from erp.purchasing.services.orders import (
    amend_order,
    cancel_order,
    close_order,
    confirm_order,
    reopen_order,
    save_order,
)
from erp.purchasing.services.receipts import (
    add_open,
    draft_receipt,
    post_receipt,
    receive_order,
    save_receipt,
)
from erp.purchasing.services.reversals import reverse_bill, reverse_receipt

__all__ = [
    "add_open",
    "add_received",
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
