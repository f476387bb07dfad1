"""Chart of accounts, tax codes, and the posting rules which lead from documents to accounts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.rules.fields import FractionField
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.records.models import Master, Record


class AccountType(models.TextChoices):
    ASSET = "asset", _("asset")
    LIABILITY = "liability", _("liability")
    COMMON = "common", _("common")
    EQUITY = "equity", _("equity")
    COST = "cost", _("cost")
    INCOME = "income", _("income")
    EXPENSE = "expense", _("expense")


class Side(models.TextChoices):
    DEBIT = "debit", _("debit")
    CREDIT = "credit", _("credit")
    EITHER = "either", _("either")


class Control(models.TextChoices):
    """Accounts that only documents may post to, because a sub-ledger must equal them (rule F-02)."""

    RECEIVABLE = "receivable", _("receivables")
    PAYABLE = "payable", _("payables")
    INVENTORY = "inventory", _("inventory")
    GRNI = "grni", _("goods received, not invoiced")
    EMPLOYEE = "employee", _("employees")


@tracked()
class Account(Record):
    """A general ledger account; groups only sum up their children and cannot be posted to."""

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("Chinese name"), max_length=200, blank=True)
    type = models.CharField(_("type"), max_length=9, choices=AccountType, default=AccountType.ASSET)
    normal_side = models.CharField(_("normal side"), max_length=6, choices=Side, default=Side.DEBIT)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent account")
    )
    is_group = models.BooleanField(_("group (no postings)"), default=False)
    control = models.CharField(_("control account of"), max_length=10, choices=Control, blank=True)
    is_cash = models.BooleanField(_("cash or bank"), default=False)
    active = models.BooleanField(_("active"), default=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        ordering = ["code"]
        triggers = [
            pgtrigger.Trigger(
                name="parent_is_group",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                condition=pgtrigger.Q(new__parent__isnull=False),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM erp_account WHERE id = NEW.parent_id AND is_group) THEN
                        RAISE EXCEPTION 'The parent account must be a group.' USING ERRCODE = '23514';
                    END IF;
                    RETURN NULL;
                """,
            ),
            pgtrigger.Trigger(
                name="posted_stays_leaf",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__is_group=True, old__is_group=False),
                func="""
                    IF EXISTS (SELECT 1 FROM erp_journalline WHERE account_id = NEW.id) THEN
                        RAISE EXCEPTION 'An account with postings cannot become a group.' USING ERRCODE = '23514';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        from django.utils.translation import get_language

        chinese = (get_language() or "").startswith("zh") and self.name_zh
        return f"{self.code} {chinese or self.name}"


class TaxUse(models.TextChoices):
    BOTH = "both", _("sales and purchases")
    SALES = "sales", _("sales")
    PURCHASES = "purchases", _("purchases")


@tracked()
class TaxCode(Master):
    """A tax rate with the accounts that collect it; rates are data (rule A-20)."""

    rate = FractionField(_("rate"), default=0, help_text=_("As a fraction: 0.13 is 13 %."))
    use = models.CharField(_("used for"), max_length=9, choices=TaxUse, default=TaxUse.BOTH)
    recoverable = models.BooleanField(_("input tax is recoverable"), default=True)
    output_account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("output tax account")
    )
    input_account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("input tax account")
    )

    class Meta(Master.Meta):
        verbose_name = _("tax code")
        verbose_name_plural = _("tax codes")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rate__gte=0, rate__lt=1),
                name="tax_rate_range",
                violation_error_message=_("The rate is a fraction between 0 and 1."),
            )
        ]

    def __str__(self) -> str:
        return self.code


class GroupKind(models.TextChoices):
    PRODUCT = "product", _("products")
    PARTNER = "partner", _("customers and suppliers")


@tracked()
class PostingGroup(Master):
    """Products or partners that post to the same accounts."""

    kind = models.CharField(_("kind"), max_length=7, choices=GroupKind, default=GroupKind.PRODUCT)

    class Meta(Master.Meta):
        verbose_name = _("posting group")
        verbose_name_plural = _("posting groups")


class Purpose(models.TextChoices):
    """What an amount of a document is; posting rules say to which account it goes."""

    RECEIVABLE = "receivable", _("receivable from customers")
    PAYABLE = "payable", _("payable to suppliers")
    REVENUE = "revenue", _("sales revenue")
    COGS = "cogs", _("cost of goods sold")
    SHIPPED = "shipped", _("goods shipped, not invoiced")
    INVENTORY = "inventory", _("inventory")
    GRNI = "grni", _("goods received, not invoiced")
    EXPENSE = "expense", _("purchased services and other cost")
    ADJUSTMENT_LOSS = "adjustment-loss", _("stock loss")
    ADJUSTMENT_GAIN = "adjustment-gain", _("stock gain")
    OPENING = "opening", _("opening balances")
    EXCHANGE_GAIN = "exchange-gain", _("exchange gain")
    EXCHANGE_LOSS = "exchange-loss", _("exchange loss")
    ROUNDING = "rounding", _("rounding differences")
    EMPLOYEE_PAYABLE = "employee-payable", _("owed to employees")
    EMPLOYEE_ADVANCE = "employee-advance", _("advances to employees")


@tracked()
class PostingRule(Record):
    """Purpose (and, if given, group of product and partner) -> account, from a date on (rule F-08).

    The most specific valid rule wins: product group and partner group, product group, partner group, none.
    """

    # Sections above say what would stay behind on an account: all rules as they would be -> why not, or empty.
    guards: ClassVar[list[Callable[[Sequence[PostingRule]], str]]] = []

    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose)
    product_group = models.ForeignKey(
        PostingGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("product posting group"),
        limit_choices_to={"kind": GroupKind.PRODUCT},
    )
    partner_group = models.ForeignKey(
        PostingGroup,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("partner posting group"),
        limit_choices_to={"kind": GroupKind.PARTNER},
    )
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    valid_from = models.DateField(_("valid from"), null=True, blank=True)
    valid_to = models.DateField(_("valid to"), null=True, blank=True)

    class Meta:
        verbose_name = _("posting rule")
        verbose_name_plural = _("posting rules")
        ordering = ["purpose", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["purpose", "product_group", "partner_group", "valid_from"],
                nulls_distinct=False,
                name="posting_rule_once",
                violation_error_message=_("There is such a rule already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} → {self.account}"

    def clean(self) -> None:
        """What stands on an account by this rule keeps it (rules F-08, V-14)."""
        super().clean()
        if self.purpose and self.account_id and (refusal := self.refusal()):
            raise ValidationError({"account": refusal})

    def refusal(self, *, deleted: bool = False) -> str:
        """Why the rule cannot be stored as it is now, or be deleted; empty when it can."""
        then = [*PostingRule.objects.exclude(pk=self.pk), *([] if deleted else [self])]
        return next((refusal for guard in self.guards if (refusal := guard(then))), "")
