"""Sales invoices."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models.payments import POSTED_STATES
from erp.sales.models.orders import SalesOrderLine
from erp.trade.models import TradeAmounts, TradeLine, address_of, discount_check
from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from kit.rules.states import StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

INVOICE_STATES = StateTable(
    states=POSTED_STATES.states,
    transitions=(
        Transition(
            "post", ("draft",), "posted", _("Post invoice"), permission="post_invoice", primary=True, icon="check"
        ),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_invoice",
            danger=True,
            confirm=_("Reverse this invoice? A counter invoice is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked("open_amount")
class Invoice(TradeAmounts, PostedDocument):
    """What a customer owes for goods and services. Party data are copied when it is posted (rule G-25)."""

    STATES = INVOICE_STATES
    SEQUENCE = "invoice"
    warning: str = ""  # what the last command wants to tell the person, such as a credit warning

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="invoices", verbose_name=_("customer"))
    due_date = models.DateField(_("due date"), null=True, blank=True)
    billing_name = models.CharField(_("invoice title"), max_length=200, blank=True)
    billing_tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    billing_address = models.CharField(_("invoice address"), max_length=400, blank=True)
    open_amount = MoneyField(_("open"), default=0, editable=False)
    state = Document.state_field(INVOICE_STATES)
    search = search_column("number", "billing_name")

    objects = scoped("", "customer__").as_manager()

    class Meta(Document.Meta):
        verbose_name = _("sales invoice")
        verbose_name_plural = _("sales invoices")
        permissions = [("post_invoice", "Can post invoices"), ("reverse_invoice", "Can reverse invoices")]
        constraints = [discount_check("invoice_discount", counter=True)]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["customer"], name="invoice_date"),
            models.Index(fields=["customer", "-date", "-id"], name="invoice_customer"),
            GinIndex(fields=["search"], name="invoice_search"),
        ]
        triggers = [INVOICE_STATES.trigger(), *posted_document("open_amount")]

    def copy_billing_party(self) -> None:
        """Take over the invoice data of the customer where nobody typed others (rule G-25)."""
        customer = self.customer
        self.billing_name = self.billing_name or customer.invoice_title or customer.name
        self.billing_tax_number = self.billing_tax_number or customer.tax_number
        self.billing_address = self.billing_address or customer.invoice_address or address_of(customer)


class InvoiceLine(TradeLine):
    """An invoiced part of an order line, or a service without an order; negative on a reversal."""

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="lines", verbose_name=_("invoice"))
    order_line = models.ForeignKey(
        SalesOrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invoice_lines",
        verbose_name=_("order line"),
    )
    cost = MoneyField(_("cost"), default=0, editable=False)

    class Meta(TradeLine.Meta):
        verbose_name = _("invoice line")
        verbose_name_plural = _("invoice lines")
        ordering = ["invoice", "position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="invoice_line_quantity",
                violation_error_message=_("The quantity cannot be 0."),
            )
        ]
        triggers = posted_lines("erp_invoice", "invoice_id")

    def __str__(self) -> str:
        return f"{self.invoice_id}/{self.position}"
