"""Commands of sales: one transaction each, locks first, one effect."""

from erp.sales.services.deliveries import deliver_order, post_delivery
from erp.sales.services.delivery_drafts import add_open, draft_delivery, save_delivery
from erp.sales.services.holds import hold_order, release_hold
from erp.sales.services.invoice_drafts import add_delivered, draft_invoice, save_invoice
from erp.sales.services.invoices import invoice_order, post_invoice
from erp.sales.services.orders import (
    amend_order,
    cancel_order,
    close_order,
    confirm_order,
    reopen_order,
    save_order,
)
from erp.sales.services.reversals import reverse_delivery, reverse_invoice

__all__ = [
    "add_delivered",
    "add_open",
    "amend_order",
    "cancel_order",
    "close_order",
    "confirm_order",
    "deliver_order",
    "draft_delivery",
    "draft_invoice",
    "hold_order",
    "invoice_order",
    "post_delivery",
    "post_invoice",
    "release_hold",
    "reopen_order",
    "reverse_delivery",
    "reverse_invoice",
    "save_delivery",
    "save_invoice",
    "save_order",
]
