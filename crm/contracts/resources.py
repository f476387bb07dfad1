"""Pages of contracts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.contracts.models import Contract
from kit.pages.panels import listed, panels
from kit.pages.resources import Resource, register
from oa.records.transitions import plain_transitions


@register
class ContractResource(Resource):
    model = Contract
    path = "crm/contracts"
    group = "crm"
    order = 40
    icon = "file-signature"
    columns = ("number", "title", "customer", "type", "state", "starts_on", "ends_on", "owner", "amount")
    filters = ("state", "type", "customer", "owner", "ends_on")
    search_fields = ("customer__search",)
    sections = (
        (_("Contract"), ("customer", "title", "type", "date", "amount", "currency_code")),
        (_("Term"), ("signed_on", "starts_on", "ends_on", "signatory")),
        (_("More"), ("owner", "department", "note")),
    )
    related = ("customer", "owner", "department")
    importable = False
    run = plain_transitions(Contract)


SHOWN = ("title", "amount", "state")  # beside the customer
panels["crm.customer"] += listed(
    "contracts", _("Contracts"), "contract", "customer", SHOWN, permission="crm.view_contract", order=40, create=True
)
