"""Pages of sales."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.currencies import base_currency
from erp.inventory.models import Warehouse
from erp.sales import approving, services
from erp.sales.forms import credit_hint, invoice_head, order_head
from erp.sales.grids import DeliveryGrid, InvoiceGrid, OrderGrid
from erp.sales.models import CustomerPrice, CustomerTerms, Delivery, Invoice, SalesOrder
from erp.sales.models.orders import Hold
from erp.sales.services.orders import AMENDABLE
from erp.trade.heads import RECOMPUTE
from erp.trade.movement_grids import exceeds_order, excess_command
from erp.trade.progress import to_bill, to_move
from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, register
from oa.organisation.models import CompanyProfile

tree.group("sales", _("Sales"), "shopping-cart", 20, _("Business"))
tree.phone.append(Link(_("Orders"), "salesorder-list", 5, "erp.view_salesorder", "shopping-cart"))


def _open(order: SalesOrder, rule: Callable[[Any], Decimal]) -> bool:
    return any(rule(line) > 0 for line in order.lines.all())


@register
class SalesOrderResource(Resource):
    model = SalesOrder
    path = "sales/orders"
    bulk = ("confirm",)
    group = "sales"
    order = 10
    create_key = "o"
    go_key = "o"
    icon = "shopping-cart"
    columns = (
        "number",
        Column("customer", phone="cust"),
        "date",
        "required_date",
        "owner",
        "state",
        Column("goods_percent", _("Delivered"), "progress"),
        Column("billed_percent", _("Invoiced"), "progress"),
        Column("paid_percent", pgettext_lazy("money", "Received"), "progress"),
        Column("base_total", _("Total incl. tax"), total=True, phone="amt"),
    )
    filters = (
        "state",
        "customer",
        "owner",
        "department",
        "date",
        "required_date",
        "hold",
        "goods_status",
        "billing_status",
    )
    views: ClassVar = {"hold": (_("on hold"), Q(state="confirmed") & ~Q(hold=""))}
    labels: ClassVar = {"goods_status": _("delivery status"), "billing_status": _("invoicing status")}
    search_fields = ("customer__search",)
    ordering = ("-date", "-id")
    fields = (
        "customer",
        "contact",
        "customer_reference",
        "date",
        "required_date",
        "payment_terms",
        "warehouse",
        "currency",
        "rate",
        "prices_include_tax",
        "discount",
        "discount_amount",
        "owner",
        "ship_to",
        "ship_country",
        "contract",
        "campaign",
        "note",
    )
    more = (
        "currency",
        "rate",
        "prices_include_tax",
        "discount",
        "discount_amount",
        "owner",
        "ship_to",
        "ship_country",
        "contract",
        "campaign",
    )
    recompute = ("customer", *RECOMPUTE)
    depends = {"contact": "customer", "contract": "customer"}
    extra_fields = ("hold_reason", "released_by", "released_amount", "released_until", "closing_reason", "revision")
    related = (
        "customer__terms",
        "contact",
        "currency",
        "payment_terms",
        "warehouse",
        "contract",
        "campaign",
        "owner",
        "released_by",
    )
    importable = False
    not_copied = ("date", "required_date", "customer_reference", "rate")
    lines = OrderGrid()
    run = {
        "confirm": services.confirm_order,
        "release": services.release_hold,
        "close": services.close_order,
        "reopen": services.reopen_order,
        "cancel": services.cancel_order,
    }
    commands = (
        Command(
            "hold",
            _("Put on hold"),
            services.hold_order,
            "erp.close_salesorder",
            icon="ban",
            fields=("reason",),
            menu=True,
            when=lambda o: o.state == "confirmed" and not o.hold,
        ),
        Command(
            "deliver",
            _("Create delivery"),
            services.draft_delivery,
            "erp.add_delivery",
            icon="truck",
            primary=True,
            when=lambda o: o.state == "confirmed" and not o.hold and _open(o, to_move),
            goto="edit",
        ),
        Command(
            "invoice",
            _("Create invoice"),
            services.draft_invoice,
            "erp.add_invoice",
            icon="receipt",
            primary=True,
            when=lambda o: o.state in ("confirmed", "closed") and _open(o, to_bill),
            goto="edit",
        ),
    )

    def editable(self, obj: Any, user: Any) -> bool:
        return obj.state in ("draft", "confirmed") and self.may(user, "change")

    def initial(self, request: Any) -> dict[str, Any]:
        first = Warehouse.objects.filter(active=True).order_by("pk").first()
        included = CompanyProfile.current().prices_include_tax
        given = {"warehouse": first, "currency": base_currency(), "prices_include_tax": included}
        return {**given, **super().initial(request)}

    def offered(self, obj: Any, name: str) -> dict[str, Any]:
        return {"amount": obj.base_total}

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """What an order on hold waits for is its release; one that needs approval is submitted, not confirmed."""
        found = super().commands_for(obj, user)
        if obj.hold == Hold.APPROVAL or (obj.state == "draft" and approving.shown_need(obj, user)):
            found = [command for command in found if command.name not in ("confirm", "release")]
        return [replace(c, primary=True, menu=False) if obj.hold and c.name == "release" else c for c in found]

    def badge(self, obj: Any) -> tuple[Any, str] | None:
        return (_("on hold"), "warn") if obj.hold and obj.state == "confirmed" else super().badge(obj)

    def fill(self, document: Any, name: str, user: Any) -> dict[str, Any]:
        return order_head(document, name)

    def hints(self, document: Any, user: Any) -> dict[str, str]:
        return credit_hint(document, user)

    def fixed(self, obj: Any) -> list[str]:
        kept = {name.removesuffix("_id") for name in AMENDABLE}
        return [name for name in self.fields if name not in kept] if obj.state != "draft" else []


@register
class DeliveryResource(Resource):
    model = Delivery
    path = "sales/deliveries"
    group = "sales"
    order = 20
    columns = ("number", Column("customer", phone="cust"), "date", "warehouse", "state", "carrier", "tracking", "owner")
    filters = ("state", "customer", "warehouse", "date", "owner", "department")
    search_fields = ("customer__search",)
    ordering = ("-date", "-id")
    fields = ("date", "ship_to", "carrier", "tracking", "note")
    extra_fields = ("customer", "warehouse", "owner", "reversal_of", "posted_at", "posted_by", "excess_allowed_by")
    related = ("customer__terms", "warehouse", "owner", "posted_by", "reversal_of", "excess_allowed_by")
    importable = False
    can_create = False
    lines = DeliveryGrid()
    run = {"post": services.post_delivery, "reverse": services.reverse_delivery}
    commands = (
        Command(
            "add-open",
            _("Add other orders"),
            services.add_open,
            "erp.change_delivery",
            icon="truck",
            when=lambda delivery: delivery.state == "draft",
            goto="edit",
        ),
        excess_command(exceeds_order),
    )


@register
class InvoiceResource(Resource):
    model = Invoice
    path = "sales/invoices"
    group = "sales"
    order = 30
    icon = "receipt"
    columns = (
        "number",
        Column("customer", phone="cust"),
        "date",
        "due_date",
        "state",
        "owner",
        Column("base_total", _("Total incl. tax"), total=True, phone="amt"),
        Column("open_amount", pgettext_lazy("amount", "Open")),
    )
    filters = ("state", "customer", "owner", "department", "date", "due_date")
    search_fields = ("customer__search",)
    ordering = ("-date", "-id")
    fields = (
        "customer",
        "date",
        "payment_terms",
        "currency",
        "rate",
        "prices_include_tax",
        "discount",
        "discount_amount",
        "billing_name",
        "billing_tax_number",
        "billing_address",
        "note",
    )
    more = (
        "prices_include_tax",
        "discount",
        "discount_amount",
        "billing_name",
        "billing_tax_number",
        "billing_address",
    )
    recompute = ("customer", *(name for name in RECOMPUTE if name != "warehouse"))
    extra_fields = ("due_date", "owner", "reversal_of", "posted_at", "posted_by")
    related = ("customer__terms", "currency", "payment_terms", "owner", "posted_by", "reversal_of")
    importable = False
    not_copied = ("date", "rate")
    lines = InvoiceGrid()
    run = {"post": services.post_invoice, "reverse": services.reverse_invoice}
    commands = (
        Command(
            "add-delivered",
            _("Add other deliveries"),
            services.add_delivered,
            "erp.change_invoice",
            icon="truck",
            when=lambda invoice: invoice.state == "draft",
            goto="edit",
        ),
    )

    def initial(self, request: Any) -> dict[str, Any]:
        included = CompanyProfile.current().prices_include_tax
        return {"currency": base_currency(), "prices_include_tax": included, **super().initial(request)}

    def fixed(self, obj: Any) -> list[str]:
        """What the order decides stays on an invoice that was made from one."""
        ordered = obj.lines.filter(order_line__isnull=False).exists()
        return ["customer", "currency", "prices_include_tax"] if ordered else []

    def fill(self, document: Any, name: str, user: Any) -> dict[str, Any]:
        return invoice_head(document, name)


@register
class CustomerTermsResource(Resource):
    model = CustomerTerms
    path = "sales/terms"
    group = "sales"
    order = 60
    key = "pk"
    columns = (
        "customer",
        Column("credit_limit", phone="amt"),
        "credit_action",
        "payment_terms",
        "currency",
        "tax_code",
        "blocked",
    )
    filters = ("credit_action", "payment_terms", "blocked")
    search_fields = ("customer__search",)
    fields = (
        "customer",
        "credit_of",
        "credit_limit",
        "credit_action",
        "count_orders",
        "overdue_days",
        "overdue_amount",
        "payment_terms",
        "currency",
        "tax_code",
        "posting_group",
        "tolerance",
        "blocked",
    )
    related = ("customer", "credit_of")


@register
class CustomerPriceResource(Resource):
    model = CustomerPrice
    path = "sales/prices"
    group = "sales"
    order = 70
    key = "pk"
    columns = (
        "customer",
        Column("product", phone="cust"),
        "currency",
        "minimum",
        Column("price", phone="amt"),
        "valid_from",
        "valid_to",
    )
    filters = ("customer", "product", "currency")
    search_fields = ("customer__search", "product__search")
    fields = ("customer", "product", "currency", "minimum", "price", "valid_from", "valid_to")
    related = ("customer", "product")
