"""What sales and purchase documents share: currency, tax and totals in the head, amounts in the lines."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Currency, PaymentTerms, TaxCode
from erp.inventory.models import Product, Unit, Warehouse
from kit.rules.fields import (
    FractionField,
    MoneyField,
    PercentField,
    PriceField,
    QuantityField,
    RateField,
    ToleranceField,
)
from oa.organisation.models.company import TaxMethod


class Progress(models.TextChoices):
    """A derived fulfilment status, never typed (common rules, status axes)."""

    NONE = "none", _("none")
    PARTIAL = "partial", _("partial")
    COMPLETE = "complete", _("complete")
    OVER = "over", _("over")


class TradeAmounts(models.Model):
    """Head of a priced document. The tax method is stored at creation and never follows settings (G-15)."""

    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    rate = RateField(_("rate"), default=1)
    payment_terms = models.ForeignKey(
        PaymentTerms, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("payment terms")
    )
    tax_method = models.CharField(
        _("tax rounding"), max_length=4, choices=TaxMethod, default=TaxMethod.LINE, editable=False
    )
    prices_include_tax = models.BooleanField(_("prices include tax"), default=False)
    discount = PercentField(
        _("document discount %"), default=0, blank=True, help_text=_("On all lines, besides their own.")
    )
    discount_amount = MoneyField(
        _("document discount"),
        default=0,
        blank=True,
        help_text=_("An amount off the whole; it is spread over the lines by value."),
    )
    net = MoneyField(_("net amount"), default=0, editable=False)
    tax = MoneyField(_("tax"), default=0, editable=False)
    total = MoneyField(_("total incl. tax"), default=0, editable=False)
    base_total = MoneyField(_("total in base currency"), default=0, editable=False)

    class Meta:
        abstract = True


def discount_check(name: str, *, counter: bool = False) -> models.CheckConstraint:
    """No document gives more than all or less than nothing; a `counter` document takes its amount back."""
    amount = Q(discount_amount__gte=0) | Q(reversal_of__isnull=False) if counter else Q(discount_amount__gte=0)
    return models.CheckConstraint(
        condition=Q(discount__gte=0, discount__lte=100) & amount,
        name=name,
        violation_error_message=_("The discount lies between nothing and all of the document."),
    )


def address_of(partner: Any) -> str:
    """The address of a customer or supplier in one line of at most 400 characters.

    Chinese addresses go from the country to the house, others from the house to the country, whoever reads them.
    """
    parts = [part for part in (partner.address, partner.city, partner.region, partner.country) if part]
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in partner.address)
    return (" ".join(reversed(parts)) if chinese else ", ".join(parts))[:400]


class Party(models.Model):
    """Name, address and tax number of the partner as they were when the document was issued (rule G-25)."""

    party_name = models.CharField(_("name"), max_length=200, blank=True, editable=False)
    party_address = models.CharField(_("address"), max_length=400, blank=True, editable=False)
    party_tax_number = models.CharField(_("tax number"), max_length=40, blank=True, editable=False)

    class Meta:
        abstract = True

    def copy_party(self, partner: Any) -> None:
        """Take over what later edits of the customer or supplier must not change."""
        self.party_name, self.party_tax_number = partner.name, partner.tax_number
        self.party_address = address_of(partner)


class ExcessLine(models.Model):
    """A line of a document that may be allowed to exceed its order: up to what was open of the order then (G-12)."""

    open_when_allowed = QuantityField(null=True, editable=False)

    class Meta:
        abstract = True


class OrderProgress(models.Model):
    """Progress of an order in goods, bills and money; written by `refresh_progress` only (rule G-11)."""

    goods_status = models.CharField(max_length=8, choices=Progress, default=Progress.NONE, editable=False)
    billing_status = models.CharField(max_length=8, choices=Progress, default=Progress.NONE, editable=False)
    goods_percent = PercentField(default=0, editable=False)
    billed_percent = PercentField(default=0, editable=False)
    paid_percent = PercentField(default=0, editable=False)
    revision = models.PositiveSmallIntegerField(_("revision"), default=1, editable=False)

    class Meta:
        abstract = True


class ExcessAllowance(models.Model):
    """Who let a document take more from its orders than the tolerance admits; None: nobody (rule G-12)."""

    excess_allowed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("excess allowed by"),
    )

    class Meta:
        abstract = True


class TradeLine(models.Model):
    """A line with a product, a quantity, a price and the amounts computed from them (rules G-14, G-15).

    `factor` converts the line's unit to the product's own; `tax_rate` is the rate at the time (rule G-25).
    """

    position = models.PositiveIntegerField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    description = models.CharField(_("description"), max_length=300, blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="+", verbose_name=_("unit"))
    factor = RateField(_("factor"), default=1)
    quantity = QuantityField(_("quantity"))
    price = PriceField(_("unit price"), default=0)
    discount = PercentField(_("discount %"), default=0)
    tax_code = models.ForeignKey(
        TaxCode, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("tax code")
    )
    tax_rate = FractionField(_("tax rate"), default=0)
    discount_share = MoneyField(_("share of document discount"), default=0, editable=False)
    net = MoneyField(_("net amount"), default=0)
    tax = MoneyField(_("tax"), default=0)

    class Meta:
        abstract = True

    @property
    def total(self) -> Decimal:
        """Net amount plus tax."""
        return self.net + self.tax

    @property
    def base_quantity(self) -> Decimal:
        """The quantity in the product's own unit."""
        return self.quantity * self.factor


class OrderLine(TradeLine):
    """A line of an order with what became of it, all in the line's unit (letters of rule G-11)."""

    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    due_date = models.DateField(_("due"), null=True, blank=True)
    tolerance = ToleranceField(_("over-delivery tolerance %"), null=True, blank=True)
    cancelled = QuantityField(_("short-closed"), default=0, editable=False)  # can
    moved = QuantityField(_("delivered"), default=0, editable=False)  # dlv
    returned_replace = QuantityField(_("returned, to be replaced"), default=0, editable=False)  # rr
    returned_credit = QuantityField(_("returned, credited"), default=0, editable=False)  # rc
    billed = QuantityField(_("invoiced"), default=0, editable=False)  # inv
    credited = QuantityField(_("credited"), default=0, editable=False)  # crd

    class Meta(TradeLine.Meta):
        abstract = True


PARTY = ("party_name", "party_address", "party_tax_number")
# What a line takes over from the line it comes from, without and with a price.
MOVED = ("product", "description", "unit_id", "factor")
PRICED = (*MOVED, "price", "discount", "tax_code", "tax_rate")
ORDER_LINE_DERIVED = ("cancelled", "moved", "returned_replace", "returned_credit", "billed", "credited")
ORDER_DERIVED = ("goods_status", "billing_status", "goods_percent", "billed_percent", "paid_percent")
