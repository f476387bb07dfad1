"""Sales orders."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer
from crm.marketing.models import MarketingPlan
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
from kit.rules.fields import MoneyField, QuantityField, tolerable
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.models import Document

ORDER_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("approving", _("in approval"), "viol", step=False),
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
            permission="confirm_salesorder",
            primary=True,
            icon="check",
        ),
        Transition(
            "release",
            ("confirmed",),
            "confirmed",
            _("Release hold"),
            permission="release_salesorder",
            fields=("reason", "amount", "until"),
            icon="lock-open",
        ),
        Transition(
            "close",
            ("confirmed",),
            "closed",
            _("Close short"),
            permission="close_salesorder",
            confirm=_("Close the open quantities of this order?"),
            fields=("reason",),
            icon="archive",
        ),
        Transition("lock", ("draft",), "approving", _("Submit for approval"), internal=True),
        Transition("unlock", ("approving",), "draft", _("Return from approval"), internal=True),
        Transition("approve", ("approving",), "confirmed", _("Confirm order"), internal=True),
        Transition("complete", ("confirmed",), "closed", _("Complete"), internal=True),
        Transition(
            "reopen", ("closed",), "confirmed", _("Reopen"), permission="close_salesorder", icon="archive-restore"
        ),
        Transition(
            "cancel",
            ("draft", "confirmed"),
            "cancelled",
            _("Cancel order"),
            permission="cancel_salesorder",
            danger=True,
            confirm=_("Cancel this order?"),
            fields=("reason",),
            icon="ban",
        ),
    ),
)


class Hold(models.TextChoices):
    NONE = "", _("no hold")
    CREDIT = "credit", pgettext_lazy("hold", "credit")
    MANUAL = "manual", _("manual")
    APPROVAL = "approval", pgettext_lazy("hold", "approval")


@tracked(*ORDER_DERIVED)
class SalesOrder(TradeAmounts, Party, OrderProgress, Document):
    """What a customer ordered: confirmed, delivered, invoiced and paid in any number of parts."""

    STATES = ORDER_STATES
    SEQUENCE = "sales-order"
    warning: str = ""  # what the last command wants to tell the person, such as a credit warning

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="sales_orders", verbose_name=_("customer"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("contact")
    )
    contract = models.ForeignKey(
        Contract, models.PROTECT, null=True, blank=True, related_name="sales_orders", verbose_name=_("contract")
    )
    campaign = models.ForeignKey(
        MarketingPlan,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="sales_orders",
        verbose_name=_("marketing plan"),
    )
    customer_reference = models.CharField(_("customer's order number"), max_length=80, blank=True)
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    required_date = models.DateField(pgettext_lazy("goods", "due date"), null=True, blank=True)
    ship_to = models.CharField(_("ship to"), max_length=400, blank=True)
    ship_country = models.CharField(_("ship country"), max_length=80, blank=True)
    state = Document.state_field(ORDER_STATES)
    hold = models.CharField(_("hold"), max_length=8, choices=Hold, default=Hold.NONE, blank=True, editable=False)
    hold_reason = models.CharField(_("reason of hold"), max_length=300, blank=True, editable=False)
    released_amount = MoneyField(_("released up to"), null=True, editable=False)  # in base currency
    released_until = models.DateField(_("released until"), null=True, editable=False)  # None: for good
    released_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("released by"),
    )
    closing_reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    search = search_column("number", "customer_reference")

    objects = scoped("", "customer__").as_manager()

    class Meta(Document.Meta):
        verbose_name = _("sales order")
        verbose_name_plural = _("sales orders")
        permissions = [
            ("confirm_salesorder", "Can confirm sales orders"),
            ("release_salesorder", "Can release sales orders on hold"),
            ("close_salesorder", "Can close and reopen sales orders"),
            ("cancel_salesorder", "Can cancel sales orders"),
        ]
        constraints = [
            discount_check("order_discount"),
            models.CheckConstraint(
                condition=Q(released_amount__isnull=False) | Q(released_until=None, released_by=None),
                name="order_release",
            ),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["customer", "base_total", "state"], name="order_booked"),
            models.Index(fields=["customer", "-date", "-id"], name="order_customer"),
            models.Index(fields=["owner", "-date", "-id"], name="order_owner"),
            models.Index(fields=["-date", "-id"], name="order_open", condition=Q(state="confirmed")),
            models.Index(
                fields=["required_date", "id"],
                name="order_to_ship",
                condition=Q(state="confirmed", goods_percent__lt=100),
            ),
            GinIndex(fields=["search"], name="order_search"),
        ]
        triggers = [ORDER_STATES.trigger()]


@tracked("reserved", "delivered_cost", "expensed_cost", *ORDER_LINE_DERIVED)
class SalesOrderLine(OrderLine):
    """One ordered product. `delivered_cost` left stock, `expensed_cost` of it is cost of goods sold."""

    order = models.ForeignKey(SalesOrder, models.CASCADE, related_name="lines", verbose_name=_("order"))
    price_rule = models.CharField(_("price from"), max_length=20, blank=True)
    reserved = QuantityField(_("reserved"), default=0, editable=False)  # in the product's own unit
    delivered_cost = MoneyField(default=0, editable=False)
    expensed_cost = MoneyField(default=0, editable=False)

    class Meta(OrderLine.Meta):
        verbose_name = _("sales order line")
        verbose_name_plural = _("sales order lines")
        ordering = ["order", "position"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="order_line_quantity",
                violation_error_message=_("The quantity must be more than 0."),
            ),
            models.CheckConstraint(
                condition=Q(discount__gte=0, discount__lte=100),
                name="order_line_discount",
                violation_error_message=_("The discount lies between 0 and 100 %."),
            ),
            models.CheckConstraint(
                condition=Q(price__gte=0),
                name="order_line_price",
                violation_error_message=_("The price cannot be negative."),
            ),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="order_line_reserved"),
            models.CheckConstraint(condition=Q(factor__gt=0), name="order_line_factor"),
            tolerable("tolerance", "order_line_tolerance"),
        ]
        indexes = [
            models.Index(fields=["product", "order"], name="order_line_product"),
            open_index("order_line_open"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}/{self.position}"
