"""Expense claims 费用报销 with their lines, what they offset and what was paid on them (rules E-01, E-04, E-06)."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.days import business_day
from kit.rules.fields import MoneyField, RateField
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition, permissions
from oa.expenses.models.advances import Advance
from oa.expenses.models.shared import PersonalQuerySet, submitted_guards
from oa.expenses.models.types import CityClass, ExpenseType
from oa.organisation.models import Department
from oa.records.guards import append_only, posted_lines
from oa.records.models import Attachment
from oa.records.models.base import Document, TitledDocument

CLAIM_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("returned", _("returned"), "warn", step=False, ended=False),
        State("approving", _("in approval"), "viol"),
        State("approved", _("approved"), "info", ended=False),
        State("audited", _("audited"), "info", ended=False),
        State("posted", _("posted"), "info", ended=False),
        State("paid", pgettext_lazy("claim", "paid"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition(
            "submit", ("draft", "returned"), "approving", _("Submit"), primary=True, icon="send",
            permission="change_expenseclaim",
        ),
        Transition("lock", ("draft", "returned"), "approving", _("Submit"), internal=True),
        Transition("unlock", ("approving",), "returned", _("Return"), internal=True),
        Transition(
            "approve", ("approving",), "approved", _("Approve"), permission="approve_expenseclaim", primary=True,
            icon="check",
        ),
        Transition(
            "reject", ("approving",), "returned", _("Reject"), permission="approve_expenseclaim", danger=True,
            fields=("reason",), icon="undo-2",
        ),
        Transition("audit", ("approved",), "audited", _("Audit"), internal=True),
        Transition(
            "return", ("approved", "audited"), "returned", _("Return"), permission="audit_expenseclaim",
            danger=True, fields=("reason",), icon="undo-2",
        ),
        Transition(
            "post", ("audited",), "posted", _("Post"), permission="post_expenseclaim", primary=True, icon="book-check",
        ),
        Transition("settle", ("posted",), "paid", _("Pay"), internal=True),
        Transition("reopen", ("paid",), "posted", _("Reopen"), internal=True),
        Transition(
            "reverse", ("posted", "paid"), "reversed", _("Reverse"), permission="reverse_expenseclaim", danger=True,
            confirm=_("Reverse this claim? The entry is taken back in red letters."), fields=("date",), icon="undo-2",
        ),
        Transition(
            "cancel", ("returned",), "cancelled", _("Drop"), permission="change_expenseclaim", danger=True,
            confirm=_("Drop this claim for good?"), icon="x",
        ),
    ),
)  # fmt: skip

BEFORE_POSTING = ("draft", "returned", "approving", "approved", "audited")
SUBMITTED = ("approving", "approved", "audited", "posted", "paid")  # states that use up a budget


class ClaimQuerySet(PersonalQuerySet):
    approve = "oa.approve_expenseclaim"


@tracked()
class ExpenseClaim(TitledDocument):
    """What a person spent for the company. `owner` is who gets the money; amounts are in base currency.

    `total` is what was claimed, `allowed` what finance left of it, `offset` what advances take; the rest is paid.
    """

    PERSONAL = True

    STATES = CLAIM_STATES
    SEQUENCE = "expense-claim"

    content_type = models.ForeignKey(ContentType, models.PROTECT, null=True, editable=False, related_name="+")
    object_id = models.BigIntegerField(null=True, editable=False)
    total = MoneyField(_("claimed"), default=0, editable=False)
    allowed = MoneyField(_("allowed"), default=0, editable=False)
    offset = MoneyField(_("offset by advances"), default=0, editable=False)
    over_budget = models.BooleanField(_("over budget"), default=False, editable=False)
    reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("approved by"),
    )
    audited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("audited by"),
    )
    posted_on = models.DateField(_("booked on"), null=True, editable=False)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("posted by"),
    )
    state = Document.state_field(CLAIM_STATES)
    search = search_column("number", "title")

    objects = ClaimQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(TitledDocument.Meta):
        verbose_name = _("expense claim")
        verbose_name_plural = _("expense claims")
        permissions = [
            *permissions(CLAIM_STATES, "expenseclaim", "expense claims"),
            ("view_every_expenseclaim", "Can see expense claims and advances of others"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(total__gte=0, allowed__gte=0, offset__gte=0, allowed__lte=F("total"))
                & (Q(state__in=("draft", "returned")) | Q(offset__lte=F("allowed"))),
                name="claim_amounts",
            ),
            models.CheckConstraint(
                condition=Q(state__in=(*BEFORE_POSTING, "cancelled"), posted_on=None)
                | Q(state__in=("posted", "paid", "reversed"), posted_on__isnull=False),
                name="claim_posted_on",
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("owner")),
                name="claim_approved_by_another",
                violation_error_message=_("Nobody approves an own claim."),
            ),
            models.CheckConstraint(
                condition=Q(audited_by=None) | ~Q(audited_by=F("owner")),
                name="claim_audited_by_another",
                violation_error_message=_("Nobody audits an own claim."),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-date", "-id"], name="claim_owner"),
            models.Index(fields=["state", "-date", "-id"], name="claim_state"),
            GinIndex(fields=["search"], name="claim_search"),
        ]
        triggers = [
            CLAIM_STATES.trigger(),
            *submitted_guards(
                ("allowed", "offset", "over_budget", "reason", "approved_by", "audited_by", "posted_on", "posted_by"),
                BEFORE_POSTING,
            ),
        ]

    @property
    def payable(self) -> object:
        """What is left to pay after advances."""
        return self.allowed - self.offset


_STILL_AUDITED = """
    IF NOT EXISTS (SELECT 1 FROM oa_expenseclaim d WHERE d.id = NEW.claim_id
                      AND d.state IN ('draft', 'returned', 'approved')) THEN
        RAISE EXCEPTION 'Amounts of an audited claim cannot be changed.' USING ERRCODE = '23001';
    END IF;
    RETURN NEW;
"""


class ExpenseLine(models.Model):
    """One expense. `amount` and the `tax` in it are in the line's own currency at its own rate (rule E-06).

    `allowed` is what finance left of it, with `cut_reason`; `excess` what lies above the standard, in base currency.
    `live` lines hold their invoice: those of returned, cancelled and reversed claims do not.
    """

    claim = models.ForeignKey(ExpenseClaim, models.CASCADE, related_name="lines", verbose_name=_("expense claim"))
    position = models.PositiveIntegerField()
    type = models.ForeignKey(ExpenseType, models.PROTECT, related_name="+", verbose_name=_("expense type"))
    date = models.DateField(_("date"), default=business_day)
    description = models.CharField(_("description"), max_length=200, blank=True)
    city = models.CharField(_("city class"), max_length=6, choices=CityClass, blank=True)
    days = models.DecimalField(_("days"), max_digits=5, decimal_places=1, default=1)
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    currency = models.CharField(_("currency"), max_length=3)
    rate = RateField(_("rate"), default=1)
    amount = MoneyField(_("amount incl. tax"))
    tax = MoneyField(_("tax"), default=0)
    invoice = models.CharField(_("invoice number"), max_length=40, blank=True)
    base_amount = MoneyField(_("amount in base currency"))
    excess = MoneyField(_("above the standard"), default=0)
    excess_reason = models.CharField(_("reason"), max_length=200, blank=True)
    allowed = MoneyField(_("allowed"))
    allowed_tax = MoneyField(_("allowed tax"), default=0)
    allowed_base = MoneyField(_("allowed in base currency"))
    cut_reason = models.CharField(_("why less"), max_length=200, blank=True)
    live = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("expense line")
        verbose_name_plural = _("expense lines")
        ordering = ["claim", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"],
                condition=Q(live=True) & ~Q(invoice=""),
                name="expense_invoice_once",
                violation_error_message=_("This invoice is in another claim already."),
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, tax__gte=0, tax__lt=F("amount"), base_amount__gt=0, rate__gt=0, days__gt=0,
                            excess__gte=0, excess__lte=F("base_amount")),
                name="expense_line_amounts",
                violation_error_message=_("The amount must be more than 0, and the tax less than the amount."),
            ),
            models.CheckConstraint(
                condition=Q(allowed__gte=0, allowed__lte=F("amount"), allowed_tax__gte=0, allowed_tax__lte=F("tax"),
                            allowed_base__gte=0, allowed_base__lte=F("base_amount")) & Q(allowed_tax__lte=F("allowed")),
                name="expense_line_allowed",
            ),
            models.CheckConstraint(
                condition=Q(allowed=F("amount")) | ~Q(cut_reason=""), name="expense_line_cut_reason"
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["type", "date"], name="expense_line_type")]
        triggers = [
            *posted_lines(
                "oa_expenseclaim", "claim_id", "allowed", "allowed_tax", "allowed_base", "cut_reason", "live",
                drafts=("draft", "returned"),
            ),
            pgtrigger.Trigger(
                name="audited_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("allowed", "allowed_tax", "allowed_base", "cut_reason"),
                func=_STILL_AUDITED,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.type}: {self.currency} {self.amount}"


class ReceiptFile(models.Model):
    """That a file of the claim is the receipt of one of its lines."""

    line = models.ForeignKey(ExpenseLine, models.CASCADE, related_name="receipts")
    attachment = models.OneToOneField(Attachment, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("receipt file")
        verbose_name_plural = _("receipt files")
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.attachment)


class ClaimOffset(models.Model):
    """How much of a claim an advance is to take, as finance decided when it audited the claim (rule E-02)."""

    claim = models.ForeignKey(ExpenseClaim, models.CASCADE, related_name="offsets", verbose_name=_("expense claim"))
    advance = models.ForeignKey(Advance, models.PROTECT, related_name="+", verbose_name=_("advance"))
    amount = MoneyField(_("amount"))

    class Meta:
        verbose_name = _("offset")
        verbose_name_plural = _("offsets")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["claim", "advance"], name="claim_offset_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="claim_offset_amount"),
        ]
        triggers = posted_lines("oa_expenseclaim", "claim_id", drafts=("approved", "audited"))

    def __str__(self) -> str:
        return f"{self.advance}: {self.amount}"


_NOT_TOO_MUCH = """
    PERFORM 1 FROM oa_expenseclaim WHERE id = NEW.claim_id FOR UPDATE;
    IF (SELECT coalesce(sum(p.amount), 0) NOT BETWEEN 0 AND (SELECT allowed - "offset" FROM oa_expenseclaim
                                                            WHERE id = NEW.claim_id)
          FROM oa_claimpayment p WHERE p.claim_id = NEW.claim_id) THEN
        RAISE EXCEPTION 'More is paid than the claim leaves to pay.' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
"""


class ClaimPayment(models.Model):
    """Money paid on a claim, or (negative, naming the row it undoes) taken back. Rows are only added."""

    claim = models.ForeignKey(ExpenseClaim, models.PROTECT, related_name="payments", verbose_name=_("expense claim"))
    date = models.DateField(_("date"))
    amount = MoneyField(_("amount"))
    number = models.CharField(_("document"), max_length=40)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("claim payment")
        verbose_name_plural = _("claim payments")
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(reverses=None, amount__gt=0) | Q(reverses__isnull=False, amount__lt=0),
                name="claim_payment_sign",
            )
        ]
        triggers = [
            pgtrigger.Trigger(
                name="not_too_much", when=pgtrigger.After, operation=pgtrigger.Insert, func=_NOT_TOO_MUCH
            ),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.amount}"
