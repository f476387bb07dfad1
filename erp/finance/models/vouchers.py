"""Vouchers 凭证: entries that an accountant writes by hand."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models.accounts import Account
from erp.finance.models.ledger import Journal
from erp.finance.models.money import Currency, Supplier
from kit.rules.fields import MoneyField, RateField
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

VOUCHER_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", _("posted"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition("post", ("draft",), "posted", _("Post"), permission="post_voucher", primary=True, icon="check"),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_voucher",
            danger=True,
            confirm=_("Reverse this voucher? A counter voucher is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked()
class Voucher(PostedDocument):
    """A journal entry written by hand; may be unbalanced while it is a draft."""

    STATES = VOUCHER_STATES

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="+", verbose_name=_("journal"))
    memo = models.CharField(_("summary"), max_length=300, blank=True)
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    attachments_count = models.PositiveSmallIntegerField(_("attached papers"), default=0)
    state = Document.state_field(VOUCHER_STATES)
    search = search_column("number", "memo", "reference")

    class Meta(Document.Meta):
        verbose_name = _("voucher")
        verbose_name_plural = _("vouchers")
        permissions = [("post_voucher", "Can post vouchers"), ("reverse_voucher", "Can reverse vouchers")]
        indexes = [
            models.Index(fields=["-date", "-id"], name="voucher_date"),
            GinIndex(fields=["search"], name="voucher_search"),
        ]
        triggers = [VOUCHER_STATES.trigger(), *posted_document()]


class VoucherLine(models.Model):
    """One line of a voucher: debit or credit in the line's currency; base amounts by `rate`."""

    voucher = models.ForeignKey(Voucher, models.CASCADE, related_name="lines", verbose_name=_("voucher"))
    position = models.PositiveIntegerField()
    memo = models.CharField(_("summary"), max_length=300, blank=True)
    account = models.ForeignKey(Account, models.PROTECT, related_name="+", verbose_name=_("account"))
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("customer")
    )
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("supplier")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    currency = models.ForeignKey(Currency, models.PROTECT, related_name="+", verbose_name=_("currency"))
    rate = RateField(_("rate"), default=1)
    debit = MoneyField(_("debit"), default=0)
    credit = MoneyField(_("credit"), default=0)

    class Meta:
        verbose_name = _("voucher line")
        verbose_name_plural = _("voucher lines")
        ordering = ["voucher", "position"]
        constraints = [
            models.CheckConstraint(condition=Q(debit=0) | Q(credit=0), name="voucher_line_one_side"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="voucher_line_rate"),
        ]
        triggers = posted_lines("erp_voucher", "voucher_id")

    def __str__(self) -> str:
        return f"{self.account}: {self.debit - self.credit}"
