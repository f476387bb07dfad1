"""Tables of expense claims and advances."""

from oa.expenses.models.advances import Advance, AdvanceMove
from oa.expenses.models.budgets import ExpenseBudget
from oa.expenses.models.claims import ClaimOffset, ClaimPayment, ExpenseClaim, ExpenseLine, ReceiptFile
from oa.expenses.models.types import ExpenseLimit, ExpenseType

__all__ = [
    "Advance",
    "AdvanceMove",
    "ClaimOffset",
    "ClaimPayment",
    "ExpenseBudget",
    "ExpenseClaim",
    "ExpenseLimit",
    "ExpenseLine",
    "ExpenseType",
    "ReceiptFile",
]
