"""Commands on expense claims and advances."""

from oa.expenses.services.advances import (
    approve_advance,
    cancel_advance,
    pay_advance,
    reject_advance,
    return_advance,
    save_advance,
    submit_advance,
    undo_move,
)
from oa.expenses.services.approval import approve_claim, reject_claim, submit_claim
from oa.expenses.services.audit import audit_claim, return_claim
from oa.expenses.services.drafts import LineInput, add_receipt, cancel_claim, save_claim
from oa.expenses.services.posting import pay_claim, post_claim, reverse_claim, unpay_claim

__all__ = [
    "LineInput",
    "add_receipt",
    "approve_advance",
    "approve_claim",
    "audit_claim",
    "cancel_advance",
    "cancel_claim",
    "pay_advance",
    "pay_claim",
    "post_claim",
    "reject_advance",
    "reject_claim",
    "return_advance",
    "return_claim",
    "reverse_claim",
    "save_advance",
    "save_claim",
    "submit_advance",
    "submit_claim",
    "undo_move",
    "unpay_claim",
]
