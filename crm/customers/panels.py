"""What the customer page shows of the customer itself."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from kit.pages.panels import Panel, panels
from kit.pages.resources import registry

SHOWN = 6  # contacts on the card


def contacts(customer: Any, user: Any) -> dict[str, Any]:
    """The people one talks to, the main one first."""
    rows = list(customer.contacts.filter(active=True)[: SHOWN + 1])
    resource = registry["contact"]
    url = f"{resource.url('new')}?customer={customer.pk}" if resource.may(user, "add") else ""
    return {"rows": [(row, resource.url_for(row)) for row in rows[:SHOWN]], "more": len(rows) > SHOWN, "new_url": url}


panels["crm.customer"] += [
    Panel(
        "contacts",
        _("Contacts"),
        "left",
        template="crm/contacts.html",
        context=contacts,
        permission="crm.view_contact",
        order=10,
    ),
    Panel(
        "contacts-all",
        _("Contacts"),
        "tab",
        "contact",
        "customer",
        permission="crm.view_contact",
        order=10,
        create=True,
    ),
    Panel(
        "addresses", _("Addresses"), "tab", "address", "customer", permission="crm.view_address", order=90, create=True
    ),
]
