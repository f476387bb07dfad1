"""What the forms of sales fill in and tell when a customer is chosen."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from crm.customers.models import Address, AddressRole, Contact
from erp.sales.credit import credit_terms, exposure, terms_of
from erp.trade import heads
from kit.pages import formats


def order_head(order: Any, name: str) -> dict[str, Any]:
    """Head fields of an order that follow from its customer, currency or day."""
    if name != "customer" or not order.customer_id:
        return heads.of_currency(order, name)
    customer = order.customer
    contacts = Contact.objects.filter(customer=customer, active=True, primary=True)
    places = Address.objects.filter(customer=customer, active=True, role=AddressRole.DELIVERY)
    place = places.order_by("pk").first()
    own = ", ".join(part for part in (customer.address, customer.city) if part)
    return {
        **heads.of_terms(order, terms_of(customer)),
        "contact": contacts.first(),
        "contract": None,
        "ship_to": str(place) if place else own,
        "ship_country": (place.country if place else "") or customer.country,
        "owner": customer.owner,
    }


def invoice_head(invoice: Any, name: str) -> dict[str, Any]:
    """Head fields of an invoice that follow from its customer, currency or day."""
    if name != "customer" or not invoice.customer_id:
        return heads.of_currency(invoice, name)
    return heads.of_terms(invoice, terms_of(invoice.customer))


def credit_hint(document: Any, user: Any) -> dict[str, str]:
    """The credit left, beside the customer; people without finance rights see no figure (UX 6.13)."""
    terms = credit_terms(document.customer) if document.customer_id else None
    if terms is None or terms.credit_limit is None or not user.has_perm("erp.view_openitem"):
        return {"customer": ""}
    own = document.pk if document._meta.model_name == "salesorder" else None
    used = exposure(document.customer_id, without_order=own).total(with_orders=terms.count_orders)
    return {"customer": _("Credit left %s") % formats.money(terms.credit_limit - used, 0)}
