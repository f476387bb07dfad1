"""Goods receipts."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.models import Supplier
from erp.inventory.models import Product, Unit, Warehouse
from erp.purchasing.models.orders import PurchaseOrderLine
from erp.trade.models import ExcessAllowance, ExcessLine, Party
from kit.rules.fields import MoneyField, QuantityField, RateField
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

RECEIPT_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", pgettext_lazy("goods", "received"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition(
            "post",
            ("draft",),
            "posted",
            _("Receive"),
            permission="post_goodsreceipt",
            primary=True,
            icon="package-check",
        ),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_goodsreceipt",
            danger=True,
            confirm=_("Take this receipt back out of stock? A counter document is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked()
class GoodsReceipt(Party, ExcessAllowance, PostedDocument):
    """Goods that a supplier brought, from one or several orders (入库)."""

    STATES = RECEIPT_STATES
    SEQUENCE = "goods-receipt"
    warning: str = ""  # what the last command wants to tell the person

    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="goods_receipts", verbose_name=_("supplier"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    supplier_note = models.CharField(_("supplier's delivery note"), max_length=80, blank=True)
    value = MoneyField(_("value"), default=0, editable=False)
    state = Document.state_field(RECEIPT_STATES)
    search = search_column("number", "supplier_note")

    class Meta(Document.Meta):
        verbose_name = _("goods receipt")
        verbose_name_plural = _("goods receipts")
        permissions = [
            ("post_goodsreceipt", "Can post goods receipts"),
            ("reverse_goodsreceipt", "Can reverse goods receipts"),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["supplier"], name="receipt_date"),
            models.Index(fields=["supplier", "-date", "-id"], name="receipt_supplier"),
            GinIndex(fields=["search"], name="receipt_search"),
        ]
        triggers = [RECEIPT_STATES.trigger(), *posted_document()]


class GoodsReceiptLine(ExcessLine):
    """A received part of an order line, in the order line's unit; negative on a reversal.

    `value` went to inventory against goods received, not invoiced (暂估); bills clear it: `billed` is the
    quantity and `cleared` the value they took, so that a fully billed line ends at exactly 0 (rule P-12).
    `given_up` is the rest of the order line that it closed because no more than the tolerance is lacking.
    """

    receipt = models.ForeignKey(GoodsReceipt, models.CASCADE, related_name="lines", verbose_name=_("goods receipt"))
    position = models.PositiveIntegerField()
    order_line = models.ForeignKey(
        PurchaseOrderLine, models.PROTECT, related_name="receipt_lines", verbose_name=_("order line")
    )
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    description = models.CharField(_("description"), max_length=300, blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    factor = RateField(default=1)
    quantity = QuantityField(_("quantity"))
    value = MoneyField(_("value"), default=0)
    billed = QuantityField(_("billed"), default=0, editable=False)
    cleared = MoneyField(_("cleared value"), default=0, editable=False)
    given_up = QuantityField(_("rest given up"), default=0, editable=False)

    class Meta:
        verbose_name = _("receipt line")
        verbose_name_plural = _("receipt lines")
        ordering = ["receipt", "position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="receipt_line_quantity",
                violation_error_message=_("The quantity cannot be 0."),
            )
        ]
        triggers = posted_lines("erp_goodsreceipt", "receipt_id", "billed", "cleared")

    def __str__(self) -> str:
        return f"{self.receipt_id}/{self.position}"
