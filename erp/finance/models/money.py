"""Currencies, payment terms and the suppliers that are owed."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.rules.fields import RateField, ToleranceField, tolerable
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from oa.records.models import Master, Record


@tracked()
class Currency(Record):
    """A currency and the number of decimals of its minor unit (CNY 2, JPY 0)."""

    LIST_NAME = "code"

    code = models.CharField(_("code"), max_length=3, unique=True)
    name = models.CharField(_("name"), max_length=80)
    name_zh = models.CharField(_("Chinese name"), max_length=80, blank=True)
    symbol = models.CharField(_("symbol"), max_length=8, blank=True)
    exponent = models.PositiveSmallIntegerField(_("decimals"), default=2, validators=[MaxValueValidator(2)])
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.code


@tracked()
class ExchangeRate(Record):
    """What one unit of a currency is worth in base currency from a date on."""

    currency = models.ForeignKey(Currency, models.CASCADE, related_name="rates", verbose_name=_("currency"))
    date = models.DateField(_("valid from"))
    rate = RateField(_("rate"))

    class Meta:
        verbose_name = _("exchange rate")
        verbose_name_plural = _("exchange rates")
        ordering = ["currency", "-date"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "date"], name="rate_once_a_day"),
            models.CheckConstraint(
                condition=models.Q(rate__gt=0),
                name="rate_positive",
                violation_error_message=_("The rate must be more than 0."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.date}: {self.rate.normalize():f}"


@tracked()
class PaymentTerms(Master):
    """When an amount falls due: net days, from the month's end if so agreed, in instalments if given."""

    days = models.PositiveSmallIntegerField(_("net days"), default=30, validators=[MaxValueValidator(730)])
    end_of_month = models.BooleanField(_("from the end of the month"), default=False)
    instalments = models.CharField(
        _("instalments"),
        max_length=120,
        blank=True,
        help_text=_("Percent@days, for example 30@0 70@60; empty: everything after the net days."),
    )

    class Meta(Master.Meta):
        verbose_name = _("payment terms")
        verbose_name_plural = _("payment terms")

    def clean(self) -> None:
        from erp.finance.terms import parse_instalments

        parse_instalments(self.instalments)


@tracked()
class Supplier(Record):
    """A company we buy from and owe money to."""

    code = models.CharField(_("code"), max_length=60, unique=True, blank=True)
    name = models.CharField(_("name"), max_length=200)
    country = models.CharField(_("country"), max_length=80, blank=True)
    region = models.CharField(_("region"), max_length=80, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    phone = models.CharField(_("phone"), max_length=60, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    contact_name = models.CharField(_("contact person"), max_length=120, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    bank_name = models.CharField(_("bank"), max_length=120, blank=True)
    bank_account = models.CharField(_("bank account"), max_length=60, blank=True)
    currency = models.ForeignKey(
        Currency, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("currency")
    )
    payment_terms = models.ForeignKey(
        PaymentTerms, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("payment terms")
    )
    posting_group = models.ForeignKey(
        "erp.PostingGroup", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("posting group")
    )
    tolerance = ToleranceField(_("over-receipt tolerance %"), null=True, blank=True)
    blocked = models.BooleanField(_("blocked for orders and payments"), default=False)
    note = models.TextField(_("note"), blank=True)
    active = models.BooleanField(_("active"), default=True)
    pinyin = PinyinField(sources=("name",))
    search = search_column("code", "name", "phone", "tax_number", "city", "pinyin")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("supplier")
        verbose_name_plural = _("suppliers")
        ordering = ["code"]
        indexes = [GinIndex(fields=["search"], name="supplier_search")]
        constraints = [tolerable("tolerance", "supplier_tolerance")]

    def __str__(self) -> str:
        return self.name
