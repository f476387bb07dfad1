"""The one company of this installation."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from kit.rules.fields import ToleranceField, tolerable
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet


def zone_or_none(name: str) -> ZoneInfo | None:
    """The time zone called `name`, None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def check_zone(name: str) -> None:
    """Raises ValidationError for a time zone that does not exist; an empty one is the company's."""
    if name and zone_or_none(name) is None:
        raise ValidationError({"time_zone": _("There is no time zone “%s”.") % name})


class TaxMethod(models.TextChoices):
    LINE = "line", _("rounded per line")
    TAX = "tax", _("rounded per tax rate")


class CostAt(models.TextChoices):
    DELIVERY = "delivery", _("at delivery")
    INVOICE = "invoice", _("at invoice (goods shipped until then)")


class ReversalStyle(models.TextChoices):
    RED = "red", _("red letter (negative amounts on the same side)")
    OPPOSITE = "opposite", _("opposite side")


@tracked()
class CompanyProfile(models.Model):
    """Names, addresses and accounting choices of the company; exactly one row."""

    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("Chinese name"), max_length=200, blank=True)
    tax_number = models.CharField(_("tax number"), max_length=40, blank=True)
    address = models.CharField(_("address"), max_length=300, blank=True)
    address_zh = models.CharField(_("Chinese address"), max_length=300, blank=True)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    bank_name = models.CharField(_("bank"), max_length=120, blank=True)
    bank_account = models.CharField(_("bank account"), max_length=60, blank=True)
    logo = models.ImageField(_("logo"), upload_to="company/", blank=True)
    base_currency = models.CharField(_("base currency"), max_length=3, default="CNY")
    chart = models.CharField(_("chart of accounts"), max_length=30, default="small-enterprise")
    fiscal_year_start = models.PositiveSmallIntegerField(
        _("first month of the fiscal year"),
        default=1,
        validators=[MinValueValidator(1), MaxValueValidator(12)],
    )
    tax_method = models.CharField(_("tax rounding"), max_length=4, choices=TaxMethod, default=TaxMethod.LINE)
    prices_include_tax = models.BooleanField(_("prices include tax"), default=False)
    reversal_style = models.CharField(
        _("reversal of entries"), max_length=8, choices=ReversalStyle, default=ReversalStyle.RED
    )
    cost_at = models.CharField(_("cost of goods sold is posted"), max_length=8, choices=CostAt, default=CostAt.DELIVERY)
    over_receipt_tolerance = ToleranceField(_("over-receipt and over-delivery tolerance %"), default=0)
    under_tolerance = ToleranceField(
        _("under-receipt and under-delivery tolerance %"),
        default=0,
        help_text=_("A line that lacks no more than this counts as complete."),
    )
    bill_tolerance = ToleranceField(
        _("bills above the order, tolerance %"),
        null=True,
        blank=True,
        help_text=_("Empty: bills at another price are not stopped."),
    )
    time_zone = models.CharField(_("time zone"), max_length=50, default="Asia/Shanghai")
    set_up = models.BooleanField(_("set up"), default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("company")
        verbose_name_plural = _("company")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="company_single_row"),
            tolerable("over_receipt_tolerance", "company_over_tolerance"),
            tolerable("under_tolerance", "company_under_tolerance"),
            tolerable("bill_tolerance", "company_bill_tolerance"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Schedules and the books' day are counted in this zone."""
        check_zone(self.time_zone)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """A logo that is replaced takes its file along (invariant I-33)."""
        before = CompanyProfile.objects.filter(pk=self.pk).values_list("logo", flat=True).first()
        super().save(*args, **kwargs)
        if before and before != self.logo.name:
            storage = self.logo.storage
            transaction.on_commit(lambda: storage.delete(before))

    @classmethod
    def current(cls) -> CompanyProfile:
        """The company row (made by `migrate`)."""
        return cls.objects.get(pk=1)
