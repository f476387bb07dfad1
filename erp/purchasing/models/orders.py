"""Purchase orders: the mirror of sales orders."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.models import Supplier
from erp.inventory.models import Warehouse
from erp.trade.models import (
    ORDER_DERIVED,
    ORDER_LINE_DERIVED,
    OrderLine,
    OrderProgress,
    Party,
    TradeAmounts,
    discount_check,
)
from erp.trade.open_lines import open_index
from kit.rules.fields import tolerable
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.models import Document

PURCHASE_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("confirmed", _("confirmed"), "info"),
        State("closed", _("completed"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition(
            "confirm",
            ("draft",),
            "confirmed",
            _("Confirm order"),
            permission="confirm_purchaseorder",
            primary=True,
            icon="check",
        ),
        Transition(
            "close",
            ("confirmed",),
            "closed",
            _("Close short"),
            permission="close_purchaseorder",
            confirm=_("Close the open quantities of this order?"),
            fields=("reason",),
            icon="archive",
        ),
        Transition("complete", ("confirmed",), "closed", _("Complete"), internal=True),
        Transition(
            "reopen", ("closed",), "confirmed", _("Reopen"), permission="close_purchaseorder", icon="archive-restore"
        ),
        Transition(
            "cancel",
            ("draft", "confirmed"),
            "cancelled",
            _("Cancel order"),
            permission="cancel_purchaseorder",
            danger=True,
            confirm=_("Cancel this order?"),
            fields=("reason",),
            icon="ban",
        ),
    ),
)


@tracked(*ORDER_DERIVED)
class PurchaseOrder(TradeAmounts, Party, OrderProgress, Document):
    """What we ordered from a supplier."""

    STATES = PURCHASE_STATES
    SEQUENCE = "purchase-order"

    supplier = models.ForeignKey(Supplier, models.PROTECT, related_name="purchase_orders", verbose_name=_("supplier"))
    supplier_reference = models.CharField(_("supplier's reference"), max_length=80, blank=True)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    required_date = models.DateField(pgettext_lazy("goods", "due date"), null=True, blank=True)
    state = Document.state_field(PURCHASE_STATES)
    closing_reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    search = search_column("number", "supplier_reference")

    class Meta(Document.Meta):
        verbose_name = _("purchase order")
        verbose_name_plural = _("purchase orders")
        permissions = [
            ("confirm_purchaseorder", "Can confirm purchase orders"),
            ("close_purchaseorder", "Can close and reopen purchase orders"),
            ("cancel_purchaseorder", "Can cancel purchase orders"),
        ]
        constraints = [discount_check("purchase_discount")]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["supplier"], name="purchase_date"),
            models.Index(
                fields=["required_date", "id"],
                name="purchase_to_receive",
                condition=Q(state="confirmed", goods_percent__lt=100),
            ),
            models.Index(fields=["supplier", "-date", "-id"], name="purchase_supplier"),
            models.Index(fields=["owner", "-date", "-id"], name="purchase_owner"),
            GinIndex(fields=["search"], name="purchase_search"),
        ]
        triggers = [PURCHASE_STATES.trigger()]


@tracked(*ORDER_LINE_DERIVED)
class PurchaseOrderLine(OrderLine):
    """One ordered product."""

    order = models.ForeignKey(PurchaseOrder, models.CASCADE, related_name="lines", verbose_name=_("order"))

    class Meta(OrderLine.Meta):
        verbose_name = _("purchase order line")
        verbose_name_plural = _("purchase order lines")
        ordering = ["order", "position"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="purchase_line_quantity",
                violation_error_message=_("The quantity must be more than 0."),
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=100),
                name="purchase_line_discount",
                violation_error_message=_("The discount lies between 0 and 100 %."),
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0),
                name="purchase_line_price",
                violation_error_message=_("The price cannot be negative."),
            ),
            models.CheckConstraint(condition=Q(factor__gt=0), name="purchase_line_factor"),
            tolerable("tolerance", "purchase_line_tolerance"),
        ]
        indexes = [
            models.Index(fields=["product", "order"], name="purchase_line_product"),
            open_index("purchase_line_open"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
