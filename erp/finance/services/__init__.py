"""Commands of finance: payments, allocations, vouchers, periods."""

from erp.finance.services.payments import (
    pay,
    post_payment,
    reverse_payment,
    save_payment,
)
from erp.finance.services.periods import close_period, reopen_period
from erp.finance.services.settlements import allocate_open_items, settle_item, undo_settlements
from erp.finance.services.vouchers import post_voucher, reverse_voucher, save_voucher

__all__ = [
    "allocate_open_items",
    "close_period",
    "pay",
    "post_payment",
    "post_voucher",
    "reopen_period",
    "reverse_payment",
    "reverse_voucher",
    "save_payment",
    "save_voucher",
    "settle_item",
    "undo_settlements",
]
