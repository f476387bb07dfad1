"""The paper for suppliers: the purchase order."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.trade.prints import (
    facts,
    in_language,
    lines_of,
    paper,
    partner_language,
    party,
    party_of,
    priced_parts,
    signatures,
    terms,
)
from kit.exchange.printing import Print, register
from oa.organisation.letterhead import joined, labelled


def purchase_order(order: Any) -> dict[str, Any]:
    """What we order, where it is to be delivered and by when."""
    supplier, warehouse = order.supplier, order.warehouse
    attention = labelled(_("Attn."), joined([supplier.contact_name, supplier.phone]))
    return paper(
        order,
        _("Purchase order"),
        parties=[
            party_of(_("Supplier"), order, supplier, attention),
            party(_("Deliver to"), str(warehouse), warehouse.address),
        ],
        facts=facts(
            (_("Number"), order.number),
            (_("Date"), order.date),
            (_("Deliver by"), order.required_date),
            (_("Your reference"), order.supplier_reference),
            (_("Payment terms"), order.payment_terms),
            (_("Contact person"), order.owner),
            (_("Revision"), order.revision if order.revision > 1 else ""),
        ),
        terms=terms((_("Note"), order.note)),
        signatures=signatures("prepared", "approved", "warehouse", "supplier", prepared=order.created_by),
        **priced_parts(order, lines_of(order)),
    )


register(
    Print(
        "purchase-order",
        "erp.purchaseorder",
        gettext_lazy("Purchase order"),
        in_language(purchase_order),
        language=lambda order: partner_language(order.supplier),
    )
)
