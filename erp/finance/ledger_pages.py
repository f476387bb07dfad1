"""Pages of the ledger: entries, open items, periods (registered by `resources`)."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance import services
from erp.finance.models import JournalEntry, OpenItem, Period
from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.resources import Resource, register


@register
class JournalEntryResource(Resource):
    model = JournalEntry
    path = "finance/entries"
    group = "finance"
    order = 20
    columns = (
        "number",
        "date",
        "journal",
        Column("memo", phone="cust"),
        "source_number",
        Column("total", phone="amt"),
        "posted_by",
    )
    filters = ("journal", "date", "period")
    ordering = ("-date", "-id")
    related = ("journal", "period", "posted_by", "reversal_of")
    extra_fields = (
        "date",
        "journal",
        "period",
        "memo",
        "source_number",
        "total",
        "posted_at",
        "posted_by",
        "reversal_of",
    )
    can_create = can_edit = importable = False


@register
class OpenItemResource(Resource):
    model = OpenItem
    path = "finance/open-items"
    group = "finance"
    order = 30
    key = "pk"
    columns = (
        "number",
        "kind",
        Column("customer", phone="cust"),
        "supplier",
        "date",
        "due_date",
        "currency",
        "amount",
        Column("remaining", phone="amt"),
        Column("base_remaining", _("Remaining in base currency"), total=True),
    )
    filters = ("kind", "customer", "supplier", "due_date")
    views: ClassVar = {"open": (pgettext_lazy("amount", "Open"), ~Q(remaining=0))}
    search_fields = ("customer__search", "supplier__search")
    searched = False
    ordering = ("-due_date", "-id")
    related = ("customer", "supplier", "currency", "account", "entry")
    extra_fields = (
        "kind",
        "customer",
        "supplier",
        "date",
        "due_date",
        "currency",
        "amount",
        "remaining",
        "base_remaining",
        "account",
        "entry",
    )
    can_create = can_edit = importable = False
    commands = (
        Command(
            "settle",
            _("Settle"),
            services.settle_item,
            "erp.add_allocation",
            icon="check",
            primary=True,
            fields=("date",),
            confirm=_("Settle it with what else is open of the same partner: the same amount, else the oldest first?"),
            when=lambda item: item.remaining != 0,
        ),
        Command(
            "undo",
            _("Undo settlements"),
            services.undo_settlements,
            "erp.delete_allocation",
            icon="undo-2",
            danger=True,
            fields=("date",),
            confirm=_("Undo what settled this item? Both sides are open again, payments stay."),
            menu=True,
            when=lambda item: item.remaining != item.amount and item.kind != "reversal",
        ),
    )


@register
class PeriodResource(Resource):
    model = Period
    path = "finance/periods"
    group = "finance"
    order = 50
    key = "pk"
    small = True
    columns = ("start", "end", Column("state", phone="st"), "closed_at")
    filters = ("state",)
    extra_fields = ("year", "number", "start", "end", "state", "closed_at")
    ordering = ("-start",)
    can_create = can_edit = importable = False
    commands = (
        Command(
            "close",
            _("Close period"),
            services.close_period,
            "erp.close_period",
            icon="lock",
            danger=True,
            when=lambda p: p.state == "open",
            confirm=_("Close this period? Nothing can be posted into it any more."),
        ),
        Command(
            "reopen",
            _("Reopen period"),
            services.reopen_period,
            "erp.close_period",
            icon="lock-open",
            when=lambda p: p.state == "closed",
            confirm=_("Reopen this period and all later ones?"),
        ),
    )
