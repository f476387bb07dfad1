"""Accounts, journals, periods, the general ledger, open items, money received and paid."""

from erp.finance.models.accounts import Account, PostingGroup, PostingRule, TaxCode
from erp.finance.models.expenses import ExpenseAccount, ExpensePayment, ExpensePaymentLine
from erp.finance.models.ledger import FiscalYear, Journal, JournalEntry, JournalLine, Period, PeriodBalance
from erp.finance.models.money import Currency, ExchangeRate, PaymentTerms, Supplier
from erp.finance.models.openitems import Allocation, OpenItem
from erp.finance.models.payments import Payment, PaymentAllocation
from erp.finance.models.vouchers import Voucher, VoucherLine

__all__ = [
    "Account",
    "Allocation",
    "Currency",
    "ExchangeRate",
    "ExpenseAccount",
    "ExpensePayment",
    "ExpensePaymentLine",
    "FiscalYear",
    "Journal",
    "JournalEntry",
    "JournalLine",
    "OpenItem",
    "Payment",
    "PaymentAllocation",
    "PaymentTerms",
    "Period",
    "PeriodBalance",
    "PostingGroup",
    "PostingRule",
    "Supplier",
    "TaxCode",
    "Voucher",
    "VoucherLine",
]
