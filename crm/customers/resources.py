"""Pages of customers, contacts, groups and tags."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.customers.duplicates import twins
from crm.customers.models import Address, Contact, Customer, CustomerGroup, CustomerStatus, Tag
from crm.customers.services import save_customer, transfer_customer
from kit.pages.actions import Bulk
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, register

tree.group("crm", _("CRM"), "users", 10, _("Business"))
tree.phone.append(Link(_("Customers"), "customer-list", 10, "crm.view_customer", "users"))

TONES = {"prospect": "info", "active": "ok", "dormant": "warn", "lost": "mute", "blocked": "bad"}


@register
class CustomerResource(Resource):
    model = Customer
    path = "crm/customers"
    group = "crm"
    order = 10
    create_key = "c"
    go_key = "c"
    icon = "users"
    template = "crm/customer.html"
    columns = (
        "code",
        Column("name", phone="cust"),
        "grade",
        Column("status", kind="state", choices=dict(CustomerStatus.choices), tones=TONES),
        "owner",
        "city",
        "country",
        "phone",
        "last_contact_at",
        "next_contact_on",
    )
    filters = (
        "status",
        "grade",
        "type",
        "group",
        "owner",
        "department",
        "industry",
        "region",
        "country",
        "source",
        "next_contact_on",
    )
    fields = (
        "name",
        "short_name",
        "code",
        "type",
        "group",
        "grade",
        "status",
        "source",
        "industry",
        "country",
        "region",
        "city",
        "address",
        "phone",
        "email",
        "website",
        "tax_number",
        "invoice_title",
        "invoice_address",
        "bank_name",
        "bank_account",
        "owner",
        "department",
        "tags",
        "note",
        "active",
    )
    sections = (
        (
            _("Customer"),
            (
                "name",
                "short_name",
                "code",
                "type",
                "group",
                "grade",
                "status",
                "source",
                "industry",
                "owner",
                "department",
                "tags",
            ),
        ),
        (_("Address"), ("country", "region", "city", "address", "phone", "email", "website")),
        (_("Invoice data"), ("tax_number", "invoice_title", "invoice_address", "bank_name", "bank_account")),
        (_("More"), ("note", "active")),
    )
    related = ("group", "owner", "department")
    pick_columns = ("city",)
    save = staticmethod(save_customer)
    twins = staticmethod(twins)
    twins_by = ("name", "tax_number")
    bulk = (
        Bulk(
            "owner",
            _("Change owner"),
            transfer_customer,
            "crm.change_customer",
            icon="user-round-cog",
            field="owner",
            undo="owner",
        ),
    )

    def heading(self, obj: Any) -> str:
        return obj.name

    def badge(self, obj: Any) -> tuple[Any, str] | None:
        return (obj.get_status_display(), TONES[obj.status]) if obj.active else super().badge(obj)

    def subtitle(self, obj: Any) -> Sequence[str]:
        return [text for text in (_("Grade %s") % obj.grade if obj.grade else "", obj.industry) if text]


@register
class ContactResource(Resource):
    model = Contact
    path = "crm/contacts"
    group = "crm"
    order = 20
    key = "pk"
    icon = "contact"
    columns = (
        "name", Column("customer", phone="cust"), Column("role", phone="st"), "title", Column("phone", phone="more"),
        "email", "primary",
    )  # fmt: skip
    filters = ("customer", "primary")
    search_fields = ("customer__search",)
    fields = ("customer", "name", "role", "title", "phone", "email", "wechat", "primary", "note", "active")
    import_key = ("customer", "name")
    related = ("customer",)
    pick_columns = ("title",)


@register
class AddressResource(Resource):
    model = Address
    path = "crm/addresses"
    key = "pk"
    columns = (
        "line", Column("customer", phone="cust"), Column("role", phone="st"), Column("city", phone="more"), "country",
        "phone",
    )  # fmt: skip
    filters = ("customer", "role")
    search_fields = ("customer__search", "line")
    fields = ("customer", "role", "recipient", "line", "city", "region", "postal_code", "country", "phone", "active")
    import_key = ("customer", "role", "line")
    related = ("customer",)


@register
class CustomerGroupResource(Resource):
    model = CustomerGroup
    path = "crm/customer-groups"
    group = "crm"
    order = 80
    small = True
    columns = ("code", "name", "name_zh")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "active")


@register
class TagResource(Resource):
    model = Tag
    path = "crm/tags"
    group = "crm"
    order = 90
    small = True
    columns = ("code", "name", "name_zh")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "active")
