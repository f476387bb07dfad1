"""Stock adjustments: documents of opening stock, gains and losses."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from erp.inventory.models.stock import Product, Warehouse
from kit.rules.fields import MoneyField, PriceField, QuantityField
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import posted_document, posted_lines
from oa.records.models import Document
from oa.records.models.base import PostedDocument

ADJUSTMENT_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("posted", _("posted"), "ok"),
        State("reversed", _("reversed"), "mute", step=False),
    ),
    transitions=(
        Transition(
            "post", ("draft",), "posted", _("Post"), permission="post_stockadjustment", primary=True, icon="check"
        ),
        Transition(
            "reverse",
            ("posted",),
            "reversed",
            _("Reverse"),
            permission="reverse_stockadjustment",
            danger=True,
            confirm=_("Reverse this adjustment? A counter document is posted."),
            fields=("date",),
            icon="undo-2",
        ),
    ),
)


class AdjustmentReason(models.TextChoices):
    OPENING = "opening", _("opening stock")
    COUNT = "count", _("count difference")
    DAMAGE = "damage", _("damage")
    EXPIRY = "expiry", _("expiry")
    USE = "use", _("own use")
    OTHER = "other", _("other")


@tracked()
class StockAdjustment(PostedDocument):
    """Opening stock, gains and losses; the reason is mandatory and decides the accounts."""

    STATES = ADJUSTMENT_STATES
    SEQUENCE = "stock-adjustment"

    warehouse = models.ForeignKey(Warehouse, models.PROTECT, related_name="+", verbose_name=_("warehouse"))
    reason = models.CharField(_("reason"), max_length=8, choices=AdjustmentReason, default=AdjustmentReason.COUNT)
    value = MoneyField(_("value"), default=0, editable=False)
    state = Document.state_field(ADJUSTMENT_STATES)
    search = search_column("number")

    objects: Any = VisibleQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(Document.Meta):
        verbose_name = _("stock adjustment")
        verbose_name_plural = _("stock adjustments")
        permissions = [
            ("post_stockadjustment", "Can post stock adjustments"),
            ("reverse_stockadjustment", "Can reverse stock adjustments"),
        ]
        indexes = [
            models.Index(fields=["-date", "-id"], name="adjustment_date"),
            GinIndex(fields=["search"], name="adjustment_search"),
        ]
        triggers = [ADJUSTMENT_STATES.trigger(), *posted_document()]


class StockAdjustmentLine(models.Model):
    """A signed quantity of a product; `unit_cost` is asked for gains only and defaults to the average."""

    adjustment = models.ForeignKey(StockAdjustment, models.CASCADE, related_name="lines", verbose_name=_("adjustment"))
    position = models.PositiveIntegerField()
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    quantity = QuantityField(_("quantity"))
    unit_cost = PriceField(_("unit cost"), null=True, blank=True)
    value = MoneyField(_("value"), default=0, editable=False)

    class Meta:
        verbose_name = _("stock adjustment line")
        verbose_name_plural = _("stock adjustment lines")
        ordering = ["adjustment", "position"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(quantity=0),
                name="adjustment_line_quantity",
                violation_error_message=_("The quantity cannot be 0."),
            ),
            models.CheckConstraint(condition=Q(unit_cost=None) | Q(unit_cost__gte=0), name="adjustment_line_cost"),
        ]
        triggers = posted_lines("erp_stockadjustment", "adjustment_id")

    def __str__(self) -> str:
        return f"{self.product_id}: {self.quantity}"
