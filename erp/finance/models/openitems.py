"""Open items: what is owed to us and by us, and how it was settled (rules A-01 to A-03)."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models.accounts import Account
from erp.finance.models.ledger import JournalEntry
from erp.finance.models.money import Currency, Supplier
from kit.rules.fields import MoneyField
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from oa.records.guards import append_only, no_truncate


class ItemKind(models.TextChoices):
    INVOICE = "invoice", _("invoice")
    BILL = "bill", _("bill")
    RECEIPT = "receipt", _("receipt")
    PAYMENT = "payment", _("payment")
    REVERSAL = "reversal", _("reversal")
    OPENING = "opening", _("opening balance")


class OpenItem(models.Model):
    """One amount due, or one amount paid and not used up. Signed: positive is owed to us (debit).

    `remaining` and `base_remaining` go towards zero with every allocation; the rest never changes. The sum
    of `base_remaining` per account and partner equals the control account (invariant I-11).
    """

    kind = models.CharField(_("kind"), max_length=8, choices=ItemKind)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="open_items", verbose_name=_("customer")
    )
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, related_name="open_items", verbose_name=_("supplier")
    )
    entry = models.ForeignKey(JournalEntry, models.PROTECT, related_name="open_items", verbose_name=_("entry"))
    source = models.CharField(max_length=40)
    source_id = models.BigIntegerField()
    number = models.CharField(_("document"), max_length=40)
    date = models.DateField(_("date"))
    due_date = models.DateField(_("due on"))
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    amount = MoneyField(_("amount"))
    base_amount = MoneyField(_("amount in base currency"))
    remaining = MoneyField(_("remaining"))
    base_remaining = MoneyField(_("remaining in base currency"))
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("owner")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, related_name="+", verbose_name=_("department")
    )
    search = search_column("number")

    objects = scoped("", "customer__").as_manager()

    class Meta:
        verbose_name = _("open item")
        verbose_name_plural = _("open items")
        ordering = ["due_date", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(customer__isnull=False, supplier__isnull=True)
                | Q(customer__isnull=True, supplier__isnull=False),
                name="item_one_partner",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, remaining__gte=0, remaining__lte=F("amount"))
                | Q(amount__lt=0, remaining__lte=0, remaining__gte=F("amount")),
                name="item_remaining_range",
            ),
            models.CheckConstraint(condition=~Q(remaining=0) | Q(base_remaining=0), name="item_settled_in_base"),
        ]
        indexes = [
            models.Index(
                fields=["customer", "due_date"],
                name="item_customer_open",
                condition=Q(customer__isnull=False) & ~Q(remaining=0),
            ),
            models.Index(
                fields=["supplier", "due_date"],
                name="item_supplier_open",
                condition=Q(supplier__isnull=False) & ~Q(remaining=0),
            ),
            models.Index(fields=["source", "source_id"], name="item_source"),
            models.Index(fields=["-due_date", "-id"], name="item_due"),
            models.Index(
                fields=["-due_date", "-id"],
                include=["remaining", "base_remaining", "customer"],
                name="item_open_due",
                condition=~Q(remaining=0),
            ),
            GinIndex(fields=["search"], name="item_search"),
        ]
        triggers = [
            pgtrigger.ReadOnly(name="facts_fixed", exclude=["remaining", "base_remaining", "search"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return self.number


class Allocation(models.Model):
    """Settles a debit item with a credit item of the same partner, account and currency (核销).

    `amount` is in the items' currency; `debit_base` and `credit_base` are what it takes from each in base
    currency, their difference the realised exchange result (rule A-06), posted as `entry`. Undone by a row
    with the opposite sign that names it.
    """

    debit_item = models.ForeignKey(OpenItem, models.PROTECT, related_name="debit_allocations")
    credit_item = models.ForeignKey(OpenItem, models.PROTECT, related_name="credit_allocations")
    date = models.DateField(_("date"))
    amount = MoneyField(_("amount"))
    debit_base = MoneyField()
    credit_base = MoneyField()
    entry = models.ForeignKey(JournalEntry, models.PROTECT, null=True, related_name="allocations")
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("allocation")
        verbose_name_plural = _("allocations")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses__isnull=True, amount__gt=0) | Q(reverses__isnull=False, amount__lt=0),
                name="allocation_sign",
            )
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.debit_item} ↔ {self.credit_item}: {self.amount}"
