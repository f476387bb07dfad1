"""Where expenses of employees are booked, and the payments of claims and advances (rule E-04)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.models.accounts import Account
from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.states import State, StateTable, Transition
from oa.expenses.models import Advance, AdvanceMove, ClaimPayment, ExpenseClaim, ExpenseType
from oa.organisation.models import Department
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document, Record
from oa.records.models.base import PostedDocument

PAYMENT_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", _("posted"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition("post", ("draft",), "posted", _("Post"), permission="post_expensepayment", internal=True),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_expensepayment",
            danger=True,
            confirm=_("Reverse this document? A counter document is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


@tracked()
class ExpenseAccount(Record):
    """Account of an expense type, also for a department and those below it; `tax_account` where tax is deducted."""

    type = models.ForeignKey(ExpenseType, models.CASCADE, related_name="+", verbose_name=_("expense type"))
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    account = models.ForeignKey(
        Account, models.PROTECT, related_name="+", verbose_name=_("account"),
        limit_choices_to={"is_group": False, "active": True, "control": ""},
    )  # fmt: skip
    tax_account = models.ForeignKey(
        Account, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("input tax account"),
        limit_choices_to={"is_group": False, "active": True, "control": ""},
        help_text=_("Empty: the tax of invoices cannot be deducted and is part of the expense."),
    )  # fmt: skip

    class Meta:
        verbose_name = _("expense account")
        verbose_name_plural = _("expense accounts")
        ordering = ["type", "department", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "department"],
                nulls_distinct=False,
                name="expense_account_once",
                violation_error_message=_("There is such a row already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} → {self.account}"


class Flow(models.TextChoices):
    PAY = "pay", pgettext_lazy("expense payment", "paid to employees")
    RETURN = "return", pgettext_lazy("expense payment", "returned by employees")


@tracked()
class ExpensePayment(PostedDocument):
    """One bank entry for claims and advances of one or several people, or for what people gave back."""

    STATES = PAYMENT_STATES
    SEQUENCE = "expense-payment"

    flow = models.CharField(_("direction"), max_length=6, choices=Flow, default=Flow.PAY, editable=False)
    account = models.ForeignKey(
        Account,
        models.PROTECT,
        related_name="+",
        verbose_name=_("cash or bank account"),
        limit_choices_to={"is_cash": True, "is_group": False, "active": True},
    )
    amount = MoneyField(_("amount"))
    reference = models.CharField(_("bank reference"), max_length=80, blank=True)
    state = Document.state_field(PAYMENT_STATES)

    objects = scoped("").as_manager()

    class Meta(Document.Meta):
        verbose_name = _("expense payment")
        verbose_name_plural = _("expense payments")
        permissions = [
            ("post_expensepayment", "Can post expense payments"),
            ("reverse_expensepayment", "Can reverse expense payments"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(reversal_of__isnull=True, amount__gt=0) | Q(reversal_of__isnull=False, amount__lt=0),
                name="expense_payment_sign",
                violation_error_message=_("The amount must be more than 0."),
            )
        ]
        triggers = [PAYMENT_STATES.trigger(), *posted_document()]


class ExpensePaymentLine(models.Model):
    """What one line of a payment is for: a claim or an advance; it names the row that it made there."""

    payment = models.ForeignKey(ExpensePayment, models.CASCADE, related_name="lines", verbose_name=_("payment"))
    employee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("employee"))
    claim = models.ForeignKey(
        ExpenseClaim, models.PROTECT, null=True, related_name="+", verbose_name=_("expense claim")
    )
    advance = models.ForeignKey(Advance, models.PROTECT, null=True, related_name="+", verbose_name=_("advance"))
    paid = models.OneToOneField(ClaimPayment, models.PROTECT, null=True, related_name="+")
    move = models.OneToOneField(AdvanceMove, models.PROTECT, null=True, related_name="+")
    amount = MoneyField(_("amount"))

    class Meta:
        verbose_name = _("expense payment line")
        verbose_name_plural = _("expense payment lines")
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(claim__isnull=False, paid__isnull=False, advance=None, move=None)
                | Q(advance__isnull=False, move__isnull=False, claim=None, paid=None),
                name="expense_payment_line_one",
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="expense_payment_line_amount"),
        ]
        triggers = posted_lines("erp_expensepayment", "payment_id")

    def __str__(self) -> str:
        return f"{self.claim or self.advance}: {self.amount}"
