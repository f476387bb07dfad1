"""Delivery notes."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.inventory.models import Product, Unit, Warehouse
from erp.sales.models.orders import SalesOrderLine
from erp.trade.models import ExcessAllowance, ExcessLine, Party
from kit.rules.fields import MoneyField, QuantityField, RateField
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

DELIVERY_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", _("shipped"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition("post", ("draft",), "posted", _("Ship"), permission="post_delivery", primary=True, icon="truck"),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_delivery",
            danger=True,
            confirm=_("Take this delivery back into stock? A counter document is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked()
class Delivery(Party, ExcessAllowance, PostedDocument):
    """Goods that leave a warehouse for a customer, from one or several orders."""

    STATES = DELIVERY_STATES
    SEQUENCE = "delivery"
    warning: str = ""  # what the last command wants to tell the person, such as a credit warning

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="deliveries", verbose_name=_("customer"))
    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    ship_to = models.CharField(_("ship to"), max_length=400, blank=True)
    carrier = models.CharField(_("carrier"), max_length=80, blank=True)
    tracking = models.CharField(_("tracking number"), max_length=80, blank=True)
    cost = MoneyField(_("cost"), default=0, editable=False)
    state = Document.state_field(DELIVERY_STATES)
    search = search_column("number", "tracking")

    objects = scoped("", "customer__").as_manager()

    class Meta(Document.Meta):
        verbose_name = _("delivery note")
        verbose_name_plural = _("delivery notes")
        permissions = [("post_delivery", "Can ship deliveries"), ("reverse_delivery", "Can reverse deliveries")]
        indexes = [
            models.Index(fields=["-date", "-id"], include=["customer"], name="delivery_date"),
            models.Index(fields=["customer", "-date", "-id"], name="delivery_customer"),
            GinIndex(fields=["search"], name="delivery_search"),
        ]
        triggers = [DELIVERY_STATES.trigger(), *posted_document("carrier", "tracking")]


class DeliveryLine(ExcessLine):
    """A delivered part of an order line, in the order line's unit; negative on a reversal.

    `given_up` is the rest of the order line that it closed because no more than the tolerance is lacking.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="lines", verbose_name=_("delivery note"))
    position = models.PositiveIntegerField()
    order_line = models.ForeignKey(
        SalesOrderLine, models.PROTECT, related_name="delivery_lines", verbose_name=_("order line")
    )
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    description = models.CharField(_("description"), max_length=300, blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    factor = RateField(default=1)
    quantity = QuantityField(_("quantity"))
    cost = MoneyField(_("cost"), default=0)
    given_up = QuantityField(_("rest given up"), default=0, editable=False)

    class Meta:
        verbose_name = _("delivery line")
        verbose_name_plural = _("delivery lines")
        ordering = ["delivery", "position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="delivery_line_quantity",
                violation_error_message=_("The quantity cannot be 0."),
            )
        ]
        triggers = posted_lines("erp_delivery", "delivery_id")

    def __str__(self) -> str:
        return f"{self.delivery_id}/{self.position}"
