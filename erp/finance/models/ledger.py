"""The general ledger.

One `JournalEntry` per posted document, its `JournalLine` rows and the `PeriodBalance` per account. Only
`erp.finance.ledger` writes them. Rows are never changed or deleted: a correction is an entry that names the
one it reverses. The database refuses unbalanced entries, postings into closed periods or to group accounts,
late lines, updates and deletes, whichever way they come.
"""

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
from erp.finance.models.money import Currency, Supplier
from kit.rules.fields import MoneyField, RateField
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import search_column
from oa.records.guards import append_only, posted_now
from oa.records.models import Master, Record


@tracked()
class Journal(Master):
    """A book of entries with its own numbers, such as sales or bank (凭证字)."""

    class Meta(Master.Meta):
        verbose_name = _("journal")
        verbose_name_plural = _("journals")


@tracked()
class FiscalYear(Record):
    """Twelve periods, made on demand for the first date that falls into it."""

    name = models.CharField(_("name"), max_length=20, unique=True)
    start = models.DateField(_("first day"), unique=True)
    end = models.DateField(_("last day"), unique=True)

    class Meta:
        verbose_name = _("fiscal year")
        verbose_name_plural = _("fiscal years")
        ordering = ["-start"]

    def __str__(self) -> str:
        return self.name


class PeriodState(models.TextChoices):
    OPEN = "open", _("open")
    CLOSED = "closed", _("closed")


_POSTED_DATES = """
    IF EXISTS (SELECT 1 FROM erp_journalentry
                WHERE period_id = NEW.id AND date NOT BETWEEN NEW.start AND NEW."end") THEN
        RAISE EXCEPTION 'The period has entries on other dates.' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""


@tracked()
class Period(Record):
    """A month of a fiscal year; postings need an open one."""

    year = models.ForeignKey(FiscalYear, models.PROTECT, related_name="periods", verbose_name=_("fiscal year"))
    number = models.PositiveSmallIntegerField(_("period"))
    start = models.DateField(_("first day"), unique=True)
    end = models.DateField(_("last day"), unique=True)
    state = models.CharField(_("state"), max_length=6, choices=PeriodState, default=PeriodState.OPEN, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)

    class Meta:
        verbose_name = _("period")
        verbose_name_plural = _("periods")
        ordering = ["-start"]
        permissions = [("close_period", "Can close and reopen periods")]
        constraints = [
            models.UniqueConstraint(fields=["year", "number"], name="period_once"),
            models.CheckConstraint(condition=Q(end__gte=F("start")), name="period_order"),
            models.CheckConstraint(
                condition=Q(state="open", closed_at__isnull=True) | Q(state="closed", closed_at__isnull=False),
                name="period_closed_at",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="posted_dates_stay",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("start", "end"),
                func=_POSTED_DATES,
            )
        ]

    def __str__(self) -> str:
        return self.start.strftime("%Y-%m")


_PERIOD_OPEN = """
    PERFORM 1 FROM erp_period
     WHERE id = NEW.period_id AND state = 'open' AND NEW.date BETWEEN start AND "end" FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'The period is closed or does not hold the date.' USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
"""
_BALANCED = """
    IF NOT EXISTS (
        SELECT 1 FROM erp_journalline WHERE entry_id = NEW.id
        HAVING count(*) = NEW.line_count AND count(*) >= 2 AND sum(debit) = sum(credit) AND sum(debit) = NEW.total
    ) THEN
        RAISE EXCEPTION 'Entry % is not balanced.', NEW.number USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT 1 FROM (
            SELECT currency_id, sum(amount) AS amount, bool_or(amount <> debit - credit) AS differs,
                   count(*) OVER () AS currencies
              FROM erp_journalline WHERE entry_id = NEW.id GROUP BY currency_id
        ) s
         WHERE (s.differs OR s.amount <> 0)
           AND (s.currencies = 1 AND s.amount <> 0
                OR CASE WHEN s.currency_id = (SELECT cur.id FROM erp_currency cur
                                                JOIN oa_companyprofile c ON c.base_currency = cur.code)
                        THEN s.differs ELSE s.amount <> 0 AND NEW.source IN ('erp.invoice', 'erp.payment') END)
    ) THEN
        RAISE EXCEPTION 'Entry % is not balanced in every currency.', NEW.number USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
"""
_COMPLETE = """
    IF EXISTS (
        SELECT 1 FROM (SELECT DISTINCT entry_id FROM new_lines) n JOIN erp_journalentry e ON e.id = n.entry_id
         WHERE (SELECT count(*) FROM erp_journalline l WHERE l.entry_id = e.id) > e.line_count
    ) THEN
        RAISE EXCEPTION 'Lines cannot be added to a posted entry.' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT 1 FROM new_lines n JOIN erp_account a ON a.id = n.account_id WHERE a.is_group
    ) THEN
        RAISE EXCEPTION 'Group accounts cannot be posted to.' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT 1 FROM new_lines n JOIN erp_account a ON a.id = n.account_id JOIN erp_journalentry e ON e.id = n.entry_id
         WHERE NOT a.active AND e.source = 'erp.voucher' AND e.reversal_of_id IS NULL
    ) THEN
        RAISE EXCEPTION 'Archived accounts cannot be posted to by hand.' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT 1 FROM new_lines n JOIN erp_account a ON a.id = n.account_id
         WHERE a.control = 'employee' AND n.employee_id IS NULL
    ) THEN
        RAISE EXCEPTION 'Accounts of employees take lines of an employee only.' USING ERRCODE = '23514';
    END IF;
    IF EXISTS (
        SELECT 1 FROM new_lines n JOIN erp_journalentry e ON e.id = n.entry_id WHERE n.date <> e.date
    ) THEN
        RAISE EXCEPTION 'Lines have the date of their entry.' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
"""


class JournalEntry(models.Model):
    """A posted entry of the general ledger.

    `source` and `source_id` name the document it comes from (model label and key), `purpose` says which of
    its postings it is: together they are unique, so nothing can be posted twice (invariant I-06).
    `line_count` and `total` seal the lines: the deferred trigger compares them.
    """

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="entries", verbose_name=_("journal"))
    period = models.ForeignKey(Period, models.PROTECT, related_name="entries", verbose_name=_("period"))
    sequence = models.PositiveIntegerField(_("sequence"))
    number = models.CharField(_("number"), max_length=40, unique=True)
    date = models.DateField(_("date"))
    memo = models.CharField(_("summary"), max_length=300, blank=True)
    source = models.CharField(_("source"), max_length=40)
    source_id = models.BigIntegerField()
    source_number = models.CharField(_("document"), max_length=40, blank=True)
    purpose = models.CharField(max_length=20, default="post")
    reversal_of = models.OneToOneField(
        "self", models.PROTECT, null=True, related_name="reversal", verbose_name=_("reversal of")
    )
    line_count = models.PositiveIntegerField()
    total = MoneyField(_("total"))
    posted_at = models.DateTimeField(_("posted at"), default=timezone.now)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("posted by")
    )
    search = search_column("number", "memo", "source_number")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal entries")
        ordering = ["-date", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "source_id", "purpose"], name="entry_posted_once"),
            models.UniqueConstraint(fields=["journal", "period", "sequence"], name="entry_sequence"),
            models.CheckConstraint(condition=Q(line_count__gte=2), name="entry_two_lines"),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], name="entry_date"),
            GinIndex(fields=["search"], name="entry_search"),
        ]
        triggers = [
            pgtrigger.Trigger(name="period_open", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_PERIOD_OPEN),
            pgtrigger.Trigger(
                name="balanced",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func=_BALANCED,
            ),
            *posted_now(),
            *append_only(),
        ]

    def __str__(self) -> str:
        return self.number


class JournalLine(models.Model):
    """One debit or credit. `red` lines carry negative amounts on the original side (红字, rule G-05).

    `amount` is the signed amount in `currency` (debit positive); debit and credit are in base currency.
    """

    entry = models.ForeignKey(JournalEntry, models.PROTECT, related_name="lines", verbose_name=_("entry"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="lines", verbose_name=_("account"))
    date = models.DateField(_("date"))
    debit = MoneyField(_("debit"), default=0)
    credit = MoneyField(_("credit"), default=0)
    red = models.BooleanField(_("red letter"), default=False)
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    amount = MoneyField(_("amount in currency"), default=0)
    rate = RateField(_("rate"), default=1)
    memo = models.CharField(_("summary"), max_length=300, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+", verbose_name=_("customer"))
    supplier = models.ForeignKey(Supplier, models.PROTECT, null=True, related_name="+", verbose_name=_("supplier"))
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, related_name="+", verbose_name=_("department")
    )
    employee = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("employee")
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("journal line")
        verbose_name_plural = _("journal lines")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["account", "date", "id"], name="line_account_date"),
            models.Index(fields=["customer", "date"], name="line_customer", condition=Q(customer__isnull=False)),
            models.Index(fields=["supplier", "date"], name="line_supplier", condition=Q(supplier__isnull=False)),
            models.Index(fields=["employee", "date"], name="line_employee", condition=Q(employee__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(Q(debit=0) & ~Q(credit=0)) | (~Q(debit=0) & Q(credit=0)), name="line_one_side"
            ),
            models.CheckConstraint(
                condition=Q(red=False, debit__gte=0, credit__gte=0) | Q(red=True, debit__lte=0, credit__lte=0),
                name="line_sign",
            ),
            models.CheckConstraint(condition=Q(rate__gt=0), name="line_rate"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="complete",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_lines"),
                func=_COMPLETE,
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.debit - self.credit}"


class PeriodBalance(models.Model):
    """Turnover of an account in a period, kept by the ledger in the posting transaction (invariant I-14)."""

    period = models.ForeignKey(Period, models.PROTECT, related_name="balances", verbose_name=_("period"))
    account = models.ForeignKey(Account, models.PROTECT, related_name="balances", verbose_name=_("account"))
    debit = MoneyField(_("debit"), default=0)
    credit = MoneyField(_("credit"), default=0)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("period balance")
        verbose_name_plural = _("period balances")
        constraints = [models.UniqueConstraint(fields=["account", "period"], name="balance_once")]

    def __str__(self) -> str:
        return f"{self.period} {self.account}"
