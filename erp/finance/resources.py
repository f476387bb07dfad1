"""Pages of finance."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from erp.finance import expense_pages as expense_pages  # registers its pages
from erp.finance import ledger_pages as ledger_pages  # registers its pages
from erp.finance import services
from erp.finance.banks import main_bank
from erp.finance.currencies import base_currency
from erp.finance.forms import PaymentForm, of_currency
from erp.finance.grids import PaymentGrid, VoucherGrid
from erp.finance.models import (
    Account,
    Currency,
    ExchangeRate,
    Journal,
    OpenItem,
    Payment,
    PaymentTerms,
    PostingGroup,
    PostingRule,
    Supplier,
    TaxCode,
    Voucher,
)
from erp.finance.rules import save_posting_rule
from erp.finance.suppliers import save_supplier
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, register
from kit.values.keys import is_key

tree.group("sales", _("Sales"), "shopping-cart", 20, _("Business"))
tree.group("purchasing", _("Purchasing"), "truck", 30, _("Business"))
tree.group("finance", _("Finance"), "badge-japanese-yen", 50, _("Business"))

tree.foot.append(Link(_("First set-up"), "setup", 30, "oa.change_companyprofile", "wrench"))

MASTER = ("code", "name", "name_zh")


@register
class AccountResource(Resource):
    model = Account
    path = "finance/accounts"
    group = "finance"
    order = 60
    columns = ("code", Column("name", phone="cust"), "name_zh", "type", "normal_side", "parent", "control", "is_group")
    filters = ("type", "control", "is_cash")
    search_fields = MASTER
    fields = ("code", "name", "name_zh", "type", "normal_side", "parent", "is_group", "control", "is_cash", "active")

    def pick_label(self, obj: Any) -> str:
        return str(obj)


MONEY = (
    "date",
    "state",
    "account",
    "reference",
    Column("amount", phone="amt"),
    "currency",
    Column("base_amount", _("Base currency"), total=True),
)


class PaymentPage(Resource):
    """What receipts, payments and refunds share."""

    model = Payment
    ordering = ("-date", "-id")
    extra_fields = ("base_amount", "owner", "reversal_of", "posted_at", "posted_by")
    related = ("customer", "supplier", "account", "currency", "owner", "posted_by", "reversal_of")
    importable = False
    lines = PaymentGrid()
    form_class = PaymentForm
    recompute = ("customer", "supplier", "currency", "amount", "date")
    icon = "hand-coins"
    not_copied = ("date", "rate", "reference")
    run = {"post": services.post_payment, "reverse": services.reverse_payment}

    def fill(self, document: Any, name: str, user: Any) -> dict[str, Any]:
        return of_currency(document, name)

    def initial(self, request: Any) -> dict[str, Any]:
        given = super().initial(request)
        item = request.GET.get("item", "")
        if is_key(item):
            found = OpenItem.objects.visible_to(request.user).filter(pk=int(item)).select_related("currency").first()
            if found is not None:
                given |= {"amount": abs(found.remaining), "currency": found.currency}
        return {"account": main_bank(), "currency": base_currency(), **given}


class CustomerMoney(PaymentPage):
    """Money of customers."""

    group = "sales"
    columns = ("number", Column("customer", phone="cust"), *MONEY)
    filters = ("state", "customer", "account", "date", "owner", "department")
    search_fields = ("customer__search",)
    fields = ("customer", "date", "account", "currency", "rate", "amount", "reference", "note")


class SupplierMoney(PaymentPage):
    """Money of suppliers."""

    group = "purchasing"
    columns = ("number", Column("supplier", phone="cust"), *MONEY)
    filters = ("state", "supplier", "account", "date")
    search_fields = ("supplier__search",)
    fields = ("supplier", "date", "account", "currency", "rate", "amount", "reference", "note")


@register
class ReceiptResource(CustomerMoney):
    name = "receipt"
    path = "sales/receipts"
    label = _("receipt")
    label_plural = _("receipts")
    order = 40
    create_key = "r"
    default_filters: ClassVar = {"direction": "receive"}


@register
class CustomerRefundResource(CustomerMoney):
    name = "customerrefund"
    path = "sales/refunds"
    label = _("customer refund")
    label_plural = _("customer refunds")
    order = 45
    default_filters: ClassVar = {"direction": "refund"}


@register
class SupplierPaymentResource(SupplierMoney):
    name = "payment"
    path = "purchasing/payments"
    label = _("supplier payment")
    label_plural = _("supplier payments")
    order = 40
    default_filters: ClassVar = {"direction": "pay"}


@register
class SupplierRefundResource(SupplierMoney):
    name = "supplierrefund"
    path = "purchasing/refunds"
    label = _("supplier refund")
    label_plural = _("supplier refunds")
    order = 45
    default_filters: ClassVar = {"direction": "recover"}


@register
class SupplierResource(Resource):
    model = Supplier
    path = "purchasing/suppliers"
    group = "purchasing"
    order = 50
    icon = "building-2"
    columns = ("code", Column("name", phone="cust"), "country", "city", "phone", "currency", "payment_terms")
    filters = ("country", "currency", "payment_terms")
    fields = (
        "code",
        "name",
        "country",
        "region",
        "city",
        "address",
        "phone",
        "email",
        "contact_name",
        "tax_number",
        "bank_name",
        "bank_account",
        "currency",
        "payment_terms",
        "posting_group",
        "tolerance",
        "blocked",
        "note",
        "active",
    )
    related = ("currency", "payment_terms", "posting_group")
    pick_columns = ("city",)
    save = staticmethod(save_supplier)


@register
class VoucherResource(Resource):
    model = Voucher
    path = "finance/vouchers"
    group = "finance"
    order = 10
    create_key = "v"
    go_key = "v"
    icon = "notebook-pen"
    columns = ("number", "date", "journal", Column("memo", phone="cust"), "state", "owner")
    filters = ("state", "journal", "date")
    ordering = ("-date", "-id")
    fields = ("journal", "date", "memo", "reference", "department", "attachments_count", "note")
    extra_fields = ("owner", "reversal_of", "posted_at", "posted_by")
    related = ("journal", "owner", "posted_by", "reversal_of")
    importable = False
    not_copied = ("date", "attachments_count")
    lines = VoucherGrid()
    run = {"post": services.post_voucher, "reverse": services.reverse_voucher}

    def initial(self, request: Any) -> dict[str, Any]:
        return {"journal": Journal.objects.filter(code="GEN").first(), **super().initial(request)}


@register
class CurrencyResource(Resource):
    model = Currency
    path = "finance/currencies"
    group = "finance"
    order = 70
    small = True
    columns = ("code", "name", "name_zh", "symbol", "exponent")
    search_fields = MASTER
    fields = ("code", "name", "name_zh", "symbol", "exponent", "active")


@register
class ExchangeRateResource(Resource):
    model = ExchangeRate
    path = "finance/rates"
    group = "finance"
    order = 80
    columns = ("currency", "date", "rate")
    filters = ("currency", "date")
    fields = ("currency", "date", "rate")
    ordering = ("-date", "currency")


@register
class PaymentTermsResource(Resource):
    model = PaymentTerms
    path = "finance/payment-terms"
    group = "finance"
    order = 90
    small = True
    columns = ("code", "name", "name_zh", "days", "end_of_month", "instalments")
    search_fields = MASTER
    fields = ("code", "name", "name_zh", "days", "end_of_month", "instalments", "active")


@register
class TaxCodeResource(Resource):
    model = TaxCode
    path = "finance/tax-codes"
    group = "finance"
    order = 100
    small = True
    columns = ("code", "name", "name_zh", "rate", "use", "output_account", "input_account")
    search_fields = MASTER
    fields = ("code", "name", "name_zh", "rate", "use", "recoverable", "output_account", "input_account", "active")


@register
class PostingGroupResource(Resource):
    model = PostingGroup
    path = "finance/posting-groups"
    group = "finance"
    order = 110
    small = True
    columns = ("code", "name", "name_zh", "kind")
    search_fields = MASTER
    fields = ("code", "name", "name_zh", "kind", "active")


@register
class PostingRuleResource(Resource):
    model = PostingRule
    path = "finance/posting-rules"
    group = "finance"
    order = 120
    columns = (
        "purpose",
        "product_group",
        "partner_group",
        Column("account__code", _("Account")),
        "account__name",
        "valid_from",
        "valid_to",
    )
    filters = ("purpose", "account")
    fields = ("purpose", "product_group", "partner_group", "account", "valid_from", "valid_to")
    save = staticmethod(save_posting_rule)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Not while something stands on the account it leads to."""
        return super().deletable(obj, user) and not obj.refusal(deleted=True)


@register
class JournalResource(Resource):
    model = Journal
    path = "finance/journals"
    group = "finance"
    order = 130
    small = True
    columns = MASTER
    search_fields = MASTER
    fields = (*MASTER, "active")
