"""Supplier bills."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Supplier
from erp.finance.models.payments import POSTED_STATES
from erp.purchasing.models.orders import PurchaseOrderLine
from erp.purchasing.models.receipts import GoodsReceiptLine
from erp.trade.models import ExcessAllowance, ExcessLine, Party, TradeAmounts, TradeLine, discount_check
from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

BILL_STATES = StateTable(
    states=POSTED_STATES.states,
    transitions=(
        Transition("post", ("draft",), "posted", _("Post bill"), permission="post_bill", primary=True, icon="check"),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_bill",
            danger=True,
            confirm=_("Reverse this bill? A counter bill is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked("open_amount")
class Bill(TradeAmounts, Party, ExcessAllowance, PostedDocument):
    """What we owe a supplier, matched to receipt lines (rule P-09)."""

    STATES = BILL_STATES
    SEQUENCE = "bill"

    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="bills", verbose_name=_("supplier"))
    supplier_number = models.CharField(_("supplier's invoice number"), max_length=80, blank=True)
    due_date = models.DateField(_("due date"), null=True, blank=True)
    open_amount = MoneyField(_("open"), default=0, editable=False)
    state = Document.state_field(BILL_STATES)
    search = search_column("number", "supplier_number")

    class Meta(Document.Meta):
        verbose_name = _("supplier bill")
        verbose_name_plural = _("supplier bills")
        permissions = [("post_bill", "Can post bills"), ("reverse_bill", "Can reverse bills")]
        constraints = [
            discount_check("bill_discount", counter=True),
            models.UniqueConstraint(
                fields=["supplier", "supplier_number"],
                name="bill_number_once",
                condition=~Q(supplier_number="") & ~Q(state="reversed") & Q(reversal_of__isnull=True),
                violation_error_message=_("This supplier's invoice number was entered already."),
            ),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["supplier"], name="bill_date"),
            models.Index(fields=["supplier", "-date", "-id"], name="bill_supplier"),
            GinIndex(fields=["search"], name="bill_search"),
        ]
        triggers = [BILL_STATES.trigger(), *posted_document("open_amount")]


class BillLine(ExcessLine, TradeLine):
    """A billed part of a receipt line (goods), of an order line (services), or a cost of its own.

    `cleared` is what the line takes from goods received, not invoiced; `difference` is net in base currency
    minus that: `to_stock` of it went to stock still on hand, the rest to cost of goods sold (rule P-12).
    """

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="lines", verbose_name=_("bill"))
    order_line = models.ForeignKey(
        PurchaseOrderLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bill_lines",
        verbose_name=_("order line"),
    )
    receipt_line = models.ForeignKey(
        GoodsReceiptLine,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="bill_lines",
        verbose_name=_("receipt line"),
    )
    cleared = MoneyField(default=0, editable=False)
    difference = MoneyField(default=0, editable=False)
    to_stock = MoneyField(default=0, editable=False)

    class Meta(TradeLine.Meta):
        verbose_name = _("bill line")
        verbose_name_plural = _("bill lines")
        ordering = ["bill", "position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="bill_line_quantity",
                violation_error_message=_("The quantity cannot be 0."),
            )
        ]
        triggers = posted_lines("erp_bill", "bill_id")

    def __str__(self) -> str:
        return f"{self.bill_id}/{self.position}"
