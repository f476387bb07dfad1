"""Papers for customers: order confirmation, delivery note, invoice."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.trade.prints import (
    column,
    facts,
    in_language,
    lines_of,
    numbers_of,
    paper,
    partner_language,
    party,
    party_of,
    priced_parts,
    product_name,
    quantity,
    signatures,
    terms,
    total_quantity,
)
from kit.exchange.printing import Print, register
from oa.organisation.letterhead import joined, labelled

SIGNED_BY = ("prepared", "approved", "warehouse", "received")


def customer_party(document: Any, contact: Any = None) -> dict[str, Any]:
    """The customer with address, tax number and the person to ask for."""
    attention = labelled(_("Attn."), joined([contact, contact.phone])) if contact else ""
    number = document.party_tax_number if document.party_name else document.customer.tax_number
    return party_of(_("Customer"), document, document.customer, attention, labelled(_("Tax number"), number))


def order_confirmation(order: Any) -> dict[str, Any]:
    """What we confirm to deliver, at which price and when."""
    lines = lines_of(order)
    ship_to = [party(_("Ship to"), order.ship_to, order.ship_country)] if order.ship_to else []
    return paper(
        order,
        _("Order confirmation"),
        parties=[customer_party(order, order.contact), *ship_to],
        facts=facts(
            (_("Number"), order.number),
            (_("Date"), order.date),
            (_("Due date"), order.required_date),
            (_("Your order"), order.customer_reference),
            (_("Payment terms"), order.payment_terms),
            (_("Contact person"), order.owner),
            (_("Revision"), order.revision if order.revision > 1 else ""),
        ),
        terms=terms((_("Note"), order.note)),
        signatures=signatures(*SIGNED_BY, prepared=order.created_by),
        **priced_parts(order, lines),
    )


def delivery_note(delivery: Any) -> dict[str, Any]:
    """What leaves the warehouse, without prices; signed by whoever receives it."""
    lines = lines_of(delivery, "order_line__order")
    orders = [line.order_line.order for line in lines]
    ship_to = [party(_("Ship to"), delivery.ship_to)] if delivery.ship_to else []
    rows = [
        {"cells": [str(i), line.product.code, product_name(line), order.number, quantity(line)], "amount": "0"}
        for i, (line, order) in enumerate(zip(lines, orders, strict=True), 1)
    ]
    return paper(
        delivery,
        _("Delivery note"),
        parties=[customer_party(delivery), *ship_to],
        facts=facts(
            (_("Number"), delivery.number),
            (_("Date"), delivery.date),
            (_("Our order"), numbers_of(orders)),
            (_("Your order"), joined(dict.fromkeys(order.customer_reference for order in orders))),
            (_("Warehouse"), delivery.warehouse),
            (_("Carrier"), delivery.carrier),
            (_("Tracking"), delivery.tracking),
            (_("Reverses"), delivery.reversal_of and delivery.reversal_of.number),
        ),
        columns=[
            column("#", 8),
            column(_("Product"), 32, "left"),
            column(_("Description"), "1fr", "left"),
            column(_("Our order"), 34, "left"),
            column(_("Quantity"), 28),
        ],
        rows=rows,
        totals=total_quantity(lines),
        terms=terms((_("Note"), delivery.note)),
        signatures=signatures(*SIGNED_BY, prepared=delivery.created_by),
    )


def invoice(document: Any) -> dict[str, Any]:
    """What the customer owes; the party is the one stored when it was posted (rule G-25)."""
    lines = lines_of(document, "order_line__order")
    if document.state == "draft":
        document.copy_billing_party()
    tax_number, original = labelled(_("Tax number"), document.billing_tax_number), document.reversal_of
    data = paper(
        document,
        _("Credit note") if original else _("Invoice"),
        parties=[party(_("Bill to"), document.billing_name, document.billing_address, tax_number)],
        facts=facts(
            (_("Number"), document.number),
            (_("Date"), document.date),
            (_("Due date"), document.due_date),
            (_("Our order"), numbers_of(line.order_line.order for line in lines if line.order_line)),
            (_("Payment terms"), document.payment_terms),
            (_("Reverses"), original and original.number),
        ),
        signatures=signatures(*SIGNED_BY, prepared=document.created_by),
        **priced_parts(document, lines),
    )
    bank = [] if original else data["company"]["bank"]
    return data | {"terms": terms((_("Bank account"), bank), (_("Note"), document.note))}


def _reader(document: Any) -> str:
    return partner_language(document.customer)


for name, model, title, build in (
    ("order-confirmation", "erp.salesorder", gettext_lazy("Order confirmation"), order_confirmation),
    ("delivery-note", "erp.delivery", gettext_lazy("Delivery note"), delivery_note),
    ("invoice", "erp.invoice", gettext_lazy("Invoice"), invoice),
):
    register(Print(name, model, title, in_language(build), language=_reader))
