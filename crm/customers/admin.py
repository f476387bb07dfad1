"""Back office of customers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from crm.customers.models import Address, Contact, Customer, CustomerGroup, Tag
from kit.pages.admin import ReadOnlyInline, RecordAdmin


class LabelAdmin(RecordAdmin):
    """A master with code and names."""

    list_display = ["code", "name", "name_zh", "active"]
    list_filter = ["active"]
    search_fields = ["code", "name", "name_zh"]


admin.site.register([CustomerGroup, Tag], LabelAdmin)


class ContactInline(ReadOnlyInline):
    """People at the customer."""

    model = Contact
    fields = ["name", "role", "title", "phone", "email", "primary", "active"]
    show_change_link = True


class AddressInline(ReadOnlyInline):
    """Addresses of the customer."""

    model = Address
    fields = ["role", "recipient", "line", "city", "country", "phone", "active"]
    show_change_link = True


@admin.register(Customer)
class CustomerAdmin(RecordAdmin):
    """Customers."""

    list_display = ["code", "name", "short_name", "group", "grade", "status", "owner", "department", "active"]
    list_filter = ["active", "status", "grade", "type", "source", "group"]
    list_select_related = ["group", "owner", "department"]
    search_fields = ["code", "name", "short_name", "phone", "tax_number", "pinyin"]
    date_hierarchy = "created_at"
    inlines = [ContactInline, AddressInline]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The code is typed here; only the customer page gives the next one by itself."""
        form = super().get_form(request, obj, change, **kwargs)
        if "code" in form.base_fields:
            form.base_fields["code"].required = True
        return form


@admin.register(Contact)
class ContactAdmin(RecordAdmin):
    """Contacts."""

    list_display = ["name", "customer", "title", "phone", "email", "primary", "active"]
    list_filter = ["active", "primary"]
    list_select_related = ["customer"]
    search_fields = ["name", "phone", "email", "customer__name", "customer__code"]


@admin.register(Address)
class AddressAdmin(RecordAdmin):
    """Addresses."""

    list_display = ["customer", "role", "recipient", "line", "city", "country", "active"]
    list_filter = ["active", "role"]
    list_select_related = ["customer"]
    search_fields = ["line", "city", "recipient", "customer__name", "customer__code"]
