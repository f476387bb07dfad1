"""Back office of finance: settings are edited, ledgers and documents only read."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from erp.finance.models import (
    Account,
    Allocation,
    Currency,
    ExchangeRate,
    ExpensePayment,
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
from kit.pages.admin import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin
from oa.records.admin import DocumentAdmin


@admin.register(Account)
class AccountAdmin(RecordAdmin):
    """Chart of accounts."""

    list_display = ["code", "name", "name_zh", "type", "normal_side", "is_group", "control", "is_cash", "active"]
    list_filter = ["type", "is_group", "control", "is_cash", "active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(TaxCode)
class TaxCodeAdmin(RecordAdmin):
    """Tax codes."""

    list_display = ["code", "name", "rate", "use", "recoverable", "output_account", "input_account", "active"]
    list_filter = ["use", "recoverable", "active"]
    list_select_related = ["output_account", "input_account"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(PostingGroup)
class PostingGroupAdmin(RecordAdmin):
    """Posting groups."""

    list_display = ["code", "name", "name_zh", "kind", "active"]
    list_filter = ["kind", "active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(PostingRule)
class PostingRuleAdmin(RecordAdmin):
    """Posting rules."""

    list_display = ["purpose", "product_group", "partner_group", "account", "valid_from", "valid_to"]
    list_filter = ["purpose"]
    list_select_related = ["product_group", "partner_group", "account"]
    search_fields = ["purpose", "account__code", "account__name", "account__name_zh"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not while something stands on the account it leads to."""
        return super().has_delete_permission(request, obj) and not (obj and obj.refusal(deleted=True))


@admin.register(Journal)
class JournalAdmin(RecordAdmin):
    """Journals; documents name the shipped ones by their code."""

    list_display = ["code", "name", "name_zh", "active"]
    list_filter = ["active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(Currency)
class CurrencyAdmin(RecordAdmin):
    """Currencies."""

    list_display = ["code", "name", "name_zh", "symbol", "exponent", "active"]
    list_filter = ["active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(ExchangeRate)
class ExchangeRateAdmin(RecordAdmin):
    """Exchange rates."""

    list_display = ["currency", "date", "rate"]
    list_filter = ["currency"]
    list_select_related = ["currency"]
    search_fields = ["currency__code"]
    date_hierarchy = "date"


@admin.register(PaymentTerms)
class PaymentTermsAdmin(RecordAdmin):
    """Payment terms."""

    list_display = ["code", "name", "name_zh", "days", "end_of_month", "instalments", "active"]
    list_filter = ["active", "end_of_month"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(Supplier)
class SupplierAdmin(RecordAdmin):
    """Suppliers."""

    list_display = ["code", "name", "country", "city", "currency", "payment_terms", "blocked", "active"]
    list_filter = ["active", "blocked", "country"]
    list_select_related = ["currency", "payment_terms"]
    search_fields = ["code", "name", "phone", "tax_number", "pinyin"]
    date_hierarchy = "created_at"


@admin.register(FiscalYear)
class FiscalYearAdmin(ReadOnlyAdmin):
    """Fiscal years; made on demand."""

    list_display = ["name", "start", "end"]
    search_fields = ["name"]


@admin.register(Period)
class PeriodAdmin(ReadOnlyAdmin):
    """Periods; closing and reopening are commands (rules F-30 and F-31)."""

    list_display = ["__str__", "year", "number", "start", "end", "state", "closed_at"]
    list_filter = ["state", "year"]
    list_select_related = ["year"]
    search_fields = ["year__name"]


class JournalLineInline(ReadOnlyInline):
    """Debits and credits."""

    model = JournalLine


@admin.register(JournalEntry)
class JournalEntryAdmin(ReadOnlyAdmin):
    """The general ledger."""

    list_display = ["number", "date", "journal", "memo", "source", "source_number", "total", "posted_by", "posted_at"]
    list_filter = ["journal", "source"]
    list_select_related = ["journal", "posted_by"]
    search_fields = ["=number", "=source_number", "memo"]
    date_hierarchy = "date"
    inlines = [JournalLineInline]


@admin.register(PeriodBalance)
class PeriodBalanceAdmin(ReadOnlyAdmin):
    """Turnovers by account and period."""

    list_display = ["period", "account", "debit", "credit"]
    list_filter = ["period"]
    list_select_related = ["period", "account"]
    search_fields = ["account__code", "account__name", "account__name_zh"]
    ordering = ["-period__start", "account__code"]


@admin.register(OpenItem)
class OpenItemAdmin(ReadOnlyAdmin):
    """What is owed."""

    list_display = ["number", "kind", "customer", "supplier", "date", "due_date", "currency", "amount", "remaining"]
    list_filter = ["kind", "currency"]
    list_select_related = ["customer", "supplier", "currency"]
    search_fields = ["=number", "customer__name", "supplier__name"]
    date_hierarchy = "date"


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    """What was settled with what."""

    list_display = ["date", "debit_item", "credit_item", "amount", "reverses", "created_by", "created_at"]
    list_select_related = ["debit_item", "credit_item", "reverses", "created_by"]
    search_fields = ["=debit_item__number", "=credit_item__number"]
    date_hierarchy = "date"


class PaymentAllocationInline(ReadOnlyInline):
    """What the payment is meant for."""

    model = PaymentAllocation


@admin.register(Payment)
class PaymentAdmin(DocumentAdmin):
    """Receipts and payments."""

    list_display = ["number", "date", "direction", "customer", "supplier", "state", "currency", "amount", "account"]
    list_filter = ["state", "direction", "currency"]
    list_select_related = ["customer", "supplier", "currency", "account"]
    search_fields = ["=number", "reference", "customer__name", "supplier__name"]
    inlines = [PaymentAllocationInline]


class VoucherLineInline(ReadOnlyInline):
    """Lines of the voucher."""

    model = VoucherLine


@admin.register(Voucher)
class VoucherAdmin(DocumentAdmin):
    """Vouchers."""

    list_display = ["number", "date", "journal", "memo", "state", "owner"]
    list_filter = ["state", "journal"]
    list_select_related = ["journal", "owner"]
    search_fields = ["=number", "memo", "reference"]
    inlines = [VoucherLineInline]


@admin.register(ExpensePayment)
class ExpensePaymentAdmin(DocumentAdmin):
    """Payment runs of claims and advances."""

    list_display = ["number", "date", "flow", "account", "amount", "state"]
    list_filter = ["flow", "state"]
    list_select_related = ["account"]
    date_hierarchy = "date"
