"""Money received from customers and paid to suppliers."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models.accounts import Account
from erp.finance.models.money import Currency, Supplier
from erp.finance.models.openitems import OpenItem
from kit.rules.fields import MoneyField, RateField
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

POSTED_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", _("posted"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition("post", ("draft",), "posted", _("Post"), permission="post_payment", primary=True, icon="check"),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_payment",
            danger=True,
            confirm=_("Reverse this document? A counter document is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


class Direction(models.TextChoices):
    """Which way money goes, and with whom: refunds go against the usual way of a partner."""

    RECEIVE = "receive", _("received")
    PAY = "pay", _("paid")
    REFUND = "refund", _("refunded to customer")
    RECOVER = "recover", _("refunded by supplier")


INWARD = (Direction.RECEIVE, Direction.RECOVER)
OF_CUSTOMERS = (Direction.RECEIVE, Direction.REFUND)


@tracked()
class Payment(PostedDocument):
    """A receipt 收款单, a payment 付款单 or a refund 退款单. What it does not settle stays open with the partner."""

    STATES = POSTED_STATES

    direction = models.CharField(_("direction"), max_length=7, choices=Direction, default=Direction.RECEIVE)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("supplier")
    )
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        related_name="+",
        verbose_name=_("cash or bank account"),
        limit_choices_to={"is_cash": True, "is_group": False, "active": True},
    )
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    rate = RateField(_("rate"), default=1)
    amount = MoneyField(_("amount"))
    base_amount = MoneyField(_("amount in base currency"), default=0, editable=False)
    reference = models.CharField(_("bank reference"), max_length=80, blank=True)
    state = Document.state_field(POSTED_STATES)
    search = search_column("number", "reference")

    objects = scoped("", "customer__").as_manager()

    class Meta(Document.Meta):
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [("post_payment", "Can post payments"), ("reverse_payment", "Can reverse payments")]
        constraints = [
            models.CheckConstraint(
                condition=Q(direction__in=OF_CUSTOMERS, customer__isnull=False, supplier__isnull=True)
                | Q(direction__in=("pay", "recover"), supplier__isnull=False, customer__isnull=True),
                name="payment_partner",
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="payment_rate"),
            models.CheckConstraint(
                condition=Q(reversal_of__isnull=True, amount__gt=0) | Q(reversal_of__isnull=False, amount__lt=0),
                name="payment_amount_sign",
                violation_error_message=_("The amount must be more than 0."),
            ),
        ]
        indexes = [
            models.Index(fields=["customer", "-date"], name="payment_customer"),
            models.Index(fields=["supplier", "-date"], name="payment_supplier"),
            models.Index(
                fields=["direction", "-date", "-id"], include=["base_amount", "state"], name="payment_direction"
            ),
            GinIndex(fields=["search"], name="payment_search"),
        ]
        triggers = [POSTED_STATES.trigger(), *posted_document()]


class PaymentAllocation(models.Model):
    """Which open item a payment is meant for, and how much of it (in the payment's currency)."""

    payment = models.ForeignKey(Payment, models.CASCADE, related_name="lines", verbose_name=_("payment"))
    item = models.ForeignKey(OpenItem, models.PROTECT, related_name="+", verbose_name=_("open item"))
    amount = MoneyField(_("amount"))

    class Meta:
        verbose_name = _("payment line")
        verbose_name_plural = _("payment lines")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["payment", "item"], name="payment_item_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_line_positive"),
        ]
        triggers = posted_lines("erp_payment", "payment_id")

    def __str__(self) -> str:
        return f"{self.item}: {self.amount}"
