"""Pages of contracts."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.contracts.models import Contract
from kit.pages.columns import Column
from kit.pages.panels import Panel, panels
from kit.pages.resources import Resource, register
from oa.records.transitions import plain_transitions


@register
class ContractResource(Resource):
    model = Contract
    path = "crm/contracts"
    group = "crm"
    order = 40
    icon = "file-signature"
    columns = (
        "number",
        Column("title", phone="cust"),
        "customer",
        "type",
        "state",
        "starts_on",
        "ends_on",
        "owner",
        Column("amount", phone="amt"),
    )
    filters = ("state", "type", "customer", "owner", "ends_on")
    search_fields = ("title", "number", "customer__search")
    fields = (
        "customer",
        "title",
        "type",
        "date",
        "signed_on",
        "starts_on",
        "ends_on",
        "currency_code",
        "amount",
        "signatory",
        "owner",
        "department",
        "note",
    )
    related = ("customer", "owner", "department")
    importable = False
    run = plain_transitions(Contract)


panels["crm.customer"] += [
    Panel(
        "contracts",
        _("Contracts"),
        "side",
        "contract",
        "customer",
        ("title", "amount", "state"),
        permission="crm.view_contract",
        order=40,
        create=True,
    ),
    Panel(
        "contracts-all",
        _("Contracts"),
        "tab",
        "contract",
        "customer",
        permission="crm.view_contract",
        order=40,
        create=True,
    ),
]
