"""What was agreed with a customer: credit, payment, tax, prices."""

from __future__ import annotations

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models import Currency, PaymentTerms, PostingGroup, TaxCode
from erp.inventory.models import Product
from kit.rules.fields import MoneyField, PriceField, QuantityField, ToleranceField, in_order, tolerable
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from oa.records.models import Record


class CreditAction(models.TextChoices):
    """What happens when an order would exceed the credit limit (rule S-04)."""

    IGNORE = "ignore", _("no check")
    WARN = "warn", _("warn")
    HOLD = "hold", _("put on hold")
    REFUSE = "refuse", _("refuse")


class Block(models.TextChoices):
    NONE = "", _("not blocked")
    DELIVERIES = "deliveries", _("deliveries")
    ORDERS = "orders", _("orders and deliveries")
    ALL = "all", _("everything")


@tracked()
class CustomerTerms(Record):
    """The ERP side of a customer, one row each, made with the first order at the latest."""

    customer = models.OneToOneField(Customer, models.CASCADE, related_name="terms", verbose_name=_("customer"))
    credit_of = models.ForeignKey(
        Customer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="credit_members",
        verbose_name=_("shares the credit limit of"),
        help_text=_("Its head company, whose limit, action and overdue rule then hold for both together."),
    )
    credit_limit = MoneyField(_("credit limit"), null=True, blank=True, help_text=_("Empty: no limit."))
    credit_action = models.CharField(
        _("when exceeded"), max_length=6, choices=CreditAction, default=CreditAction.REFUSE
    )
    count_orders = models.BooleanField(_("confirmed orders count"), default=True)
    overdue_days = models.PositiveSmallIntegerField(
        _("overdue for more than days"), null=True, blank=True, help_text=_("Empty: overdue invoices are not checked.")
    )
    overdue_amount = MoneyField(
        _("overdue by more than"),
        null=True,
        blank=True,
        help_text=_("In base currency, whatever the days. Empty: not checked."),
    )
    payment_terms = models.ForeignKey(
        PaymentTerms, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("payment terms")
    )
    currency = models.ForeignKey(
        Currency, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("currency")
    )
    tax_code = models.ForeignKey(
        TaxCode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tax category")
    )
    posting_group = models.ForeignKey(
        PostingGroup, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("posting group")
    )
    tolerance = ToleranceField(_("over-delivery tolerance %"), null=True, blank=True)
    blocked = models.CharField(_("blocked for"), max_length=10, choices=Block, default=Block.NONE, blank=True)

    objects = scoped("customer__").as_manager()

    class Meta:
        verbose_name = _("customer terms")
        verbose_name_plural = _("customer terms")
        ordering = ["customer"]
        constraints = [
            models.CheckConstraint(
                condition=Q(credit_limit=None) | Q(credit_limit__gte=0),
                name="terms_limit",
                violation_error_message=_("The limit cannot be negative."),
            ),
            models.CheckConstraint(
                condition=Q(overdue_amount=None) | Q(overdue_amount__gte=0),
                name="terms_overdue_amount",
                violation_error_message=_("The amount cannot be negative."),
            ),
            models.CheckConstraint(condition=~Q(credit_of=F("customer")), name="terms_credit_of_another"),
            tolerable("tolerance", "terms_tolerance"),
        ]
        triggers = [
            # The head's row is locked first, so that two people cannot make a chain at the same time.
            pgtrigger.Trigger(
                name="credit_one_level",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__credit_of__isnull=False),
                func="""
                    PERFORM 1 FROM erp_customerterms WHERE customer_id = NEW.credit_of_id FOR UPDATE;
                    IF EXISTS (SELECT 1 FROM erp_customerterms
                                WHERE customer_id = NEW.credit_of_id AND credit_of_id IS NOT NULL
                                   OR credit_of_id = NEW.customer_id) THEN
                        RAISE EXCEPTION 'A head company cannot share the limit of another.' USING ERRCODE = '23514';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return str(self.customer)

    def clean(self) -> None:
        """One limit is shared on one level: a head company has its own (rule S-03)."""
        super().clean()
        if self.credit_of is None:
            return
        if self.credit_of_id == self.customer_id:
            raise ValidationError({"credit_of": _("A customer cannot share its own limit; leave this empty.")})
        if not CustomerTerms.objects.filter(customer=self.credit_of).exists():
            text = _("%s has no terms yet. Enter its credit limit first.")
            raise ValidationError({"credit_of": text % self.credit_of})
        near = CustomerTerms.objects.filter(Q(customer=self.credit_of) | Q(credit_of=self.customer_id))
        for terms in near.exclude(pk=self.pk).exclude(credit_of=None).select_related("customer", "credit_of"):
            text = _("%(customer)s shares the limit of %(head)s already; a head company has a limit of its own.")
            facts = {"customer": terms.customer, "head": terms.credit_of}
            raise ValidationError({"credit_of": ValidationError(text, params=facts)})


@tracked()
class CustomerPrice(Record):
    """The price of a product for one customer (rule S-01), valid on dates and from a quantity on."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="prices", verbose_name=_("customer"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="customer_prices", verbose_name=_("product"))
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    minimum = QuantityField(_("from quantity"), default=0)
    price = PriceField(_("price"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    objects = scoped("customer__").as_manager()

    class Meta:
        verbose_name = _("customer price")
        verbose_name_plural = _("customer prices")
        ordering = ["customer", "product", "minimum"]
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "product", "currency", "minimum", "valid_from"],
                nulls_distinct=False,
                name="customer_price_once",
                violation_error_message=_("There is such a price already."),
            ),
            models.CheckConstraint(condition=Q(price__gte=0), name="customer_price_not_negative"),
            in_order("valid_from", "valid_to", "customer_price_period"),
        ]

    def __str__(self) -> str:
        return f"{self.product}: {self.price}"
