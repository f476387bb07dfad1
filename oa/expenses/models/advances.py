"""Advances 借支 and the append-only rows that tell how much of them is open (rule E-02)."""

from __future__ import annotations

from decimal import Decimal
from typing import Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition, permissions
from oa.expenses.models.shared import PersonalQuerySet, submitted_guards
from oa.records.guards import append_only
from oa.records.models.base import Document, TitledDocument

ADVANCE_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("returned", _("returned"), "warn", step=False, ended=False),
        State("approving", _("in approval"), "viol"),
        State("approved", _("approved"), "info", ended=False),
        State("paid", pgettext_lazy("claim", "paid"), "warn", ended=False),
        State("settled", _("settled"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition(
            "submit", ("draft", "returned"), "approving", _("Submit"), primary=True, icon="send",
            permission="change_advance",
        ),
        Transition("lock", ("draft", "returned"), "approving", _("Submit"), internal=True),
        Transition("unlock", ("approving",), "returned", _("Return"), internal=True),
        Transition(
            "approve", ("approving",), "approved", _("Approve"), permission="approve_advance", primary=True,
            icon="check",
        ),
        Transition(
            "reject", ("approving",), "returned", _("Reject"), permission="approve_advance", danger=True,
            fields=("reason",), icon="undo-2",
        ),
        Transition("pay", ("approved",), "paid", _("Pay"), internal=True),
        Transition("unpay", ("paid",), "approved", _("Take back"), internal=True),
        Transition("settle", ("paid",), "settled", _("Settle"), internal=True),
        Transition("reopen", ("settled",), "paid", _("Reopen"), internal=True),
        Transition(
            "cancel", ("returned", "approved"), "cancelled", _("Drop"), permission="change_advance", danger=True,
            confirm=_("Drop this advance for good?"), icon="x",
        ),
    ),
)  # fmt: skip


class AdvanceQuerySet(PersonalQuerySet):
    approve = "oa.approve_advance"

    def with_open(self) -> Self:
        """Annotate `open_amount`: what was paid and is neither offset nor returned."""
        rows = AdvanceMove.objects.filter(advance=models.OuterRef("pk")).order_by().values("advance")
        summed = models.Subquery(rows.annotate(total=Sum("amount")).values("total"))
        zero = models.Value(Decimal(0), MoneyField())
        return self.annotate(open_amount=Coalesce(summed, zero, output_field=MoneyField()))


@tracked()
class Advance(TitledDocument):
    """Money a person gets before spending it, in base currency."""

    PERSONAL = True
    STATES = ADVANCE_STATES
    SEQUENCE = "advance"

    amount = MoneyField(_("amount"))
    due_on = models.DateField(_("to be settled by"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True, editable=False)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("approved by"),
    )  # fmt: skip
    state = Document.state_field(ADVANCE_STATES)
    search = search_column("number", "title")

    objects = AdvanceQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(TitledDocument.Meta):
        verbose_name = _("advance")
        verbose_name_plural = _("advances")
        permissions = [*permissions(ADVANCE_STATES, "advance", "advances")]
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0),
                name="advance_amount",
                violation_error_message=_("The amount must be more than 0."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by=None) | ~Q(approved_by=F("owner")),
                name="advance_approved_by_another",
                violation_error_message=_("Nobody approves an own advance."),
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-date", "-id"], name="advance_owner"),
            GinIndex(fields=["search"], name="advance_search"),
        ]
        triggers = [
            ADVANCE_STATES.trigger(),
            *submitted_guards(("reason", "approved_by"), ("draft", "returned", "approving", "approved")),
        ]


class MoveKind(models.TextChoices):
    PAID = "paid", pgettext_lazy("advance", "paid out")
    OFFSET = "offset", _("offset by a claim")
    RETURNED = "returned", _("returned in cash")
    UNDONE = "undone", _("undone")


_OPEN = """
    PERFORM 1 FROM oa_advance WHERE id = NEW.advance_id FOR UPDATE;
    IF (SELECT sum(amount) < 0 FROM oa_advancemove WHERE advance_id = NEW.advance_id) THEN
        RAISE EXCEPTION 'More is taken from the advance than is open.' USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
"""


class AdvanceMove(models.Model):
    """One change of what is open of an advance: paid out (+), offset or returned (−), or the undoing of a row.

    What is open is their sum; rows are only added. `number` is that of the document it came with.
    """

    advance = models.ForeignKey(Advance, models.PROTECT, related_name="moves", verbose_name=_("advance"))
    kind = models.CharField(_("kind"), max_length=8, choices=MoveKind)
    date = models.DateField(_("date"))
    amount = MoneyField(_("amount"))
    claim = models.ForeignKey(
        "oa.ExpenseClaim", models.PROTECT, null=True, related_name="moves", verbose_name=_("expense claim")
    )
    number = models.CharField(_("document"), max_length=40)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("advance row")
        verbose_name_plural = _("advance rows")
        default_permissions = ()
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="paid", amount__gt=0, reverses=None, claim=None)
                | Q(kind="offset", amount__lt=0, reverses=None, claim__isnull=False)
                | Q(kind="returned", amount__lt=0, reverses=None, claim=None)
                | Q(kind="undone", reverses__isnull=False),
                name="advance_move_kind",
            )
        ]
        indexes = [models.Index(fields=["advance", "id"], name="advance_move")]
        triggers = [
            pgtrigger.Trigger(name="still_open", when=pgtrigger.After, operation=pgtrigger.Insert, func=_OPEN),
            *append_only(),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.amount}"
