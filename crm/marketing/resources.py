"""Pages of marketing plans."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.marketing.models import MarketingPlan
from kit.pages.columns import Column
from kit.pages.panels import Panel, panels
from kit.pages.resources import Resource, register
from oa.records.transitions import plain_transitions

MONEY = (Column("budget", total=True, phone="amt"), Column("cost", total=True))


@register
class MarketingPlanResource(Resource):
    model = MarketingPlan
    path = "crm/marketing"
    group = "crm"
    order = 50
    icon = "megaphone"
    columns = ("number", Column("title", phone="cust"), "channel", "state", "starts_on", "ends_on", "owner", *MONEY)
    filters = ("state", "channel", "owner", "starts_on")
    search_fields = ("title", "number")
    sections = (
        (_("Marketing plan"), ("title", "channel", "date", "starts_on", "ends_on", "budget", "cost")),
        (_("Goal and result"), ("goal", "result", "customers")),
        (_("More"), ("owner", "department", "note")),
    )
    related = ("owner", "department")
    importable = False
    run = plain_transitions(MarketingPlan)


panels["crm.customer"] += [
    Panel(
        "marketing",
        _("Marketing plans"),
        "tab",
        "marketingplan",
        "customers",
        permission="crm.view_marketingplan",
        order=45,
    ),
]
