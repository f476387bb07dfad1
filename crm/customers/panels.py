"""What the customer page shows of the customer itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kit.pages.panels import Panel, panels

panels["crm.customer"] += [
    Panel("contacts", _("Contacts"), "left", "contact", "customer", ("name", "role", "phone"), permission="crm.view_contact", order=10, create=True),
    Panel("contacts-all", _("Contacts"), "tab", "contact", "customer", permission="crm.view_contact", order=10, create=True),
    Panel("addresses", _("Addresses"), "tab", "address", "customer", permission="crm.view_address", order=90, create=True),
]
