"""Contracts with customers."""

from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from kit.rules.fields import MoneyField, in_order
from kit.rules.history import tracked
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.records.models import TitledDocument

CONTRACT_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("signed", _("signed"), "info"),
        State("performing", _("performing"), "info"),
        State("completed", _("completed"), "ok"),
        State("terminated", _("terminated"), "mute", step=False),
    ),
    transitions=(
        Transition("sign", ("draft",), "signed", _("Sign"), primary=True, icon="pen-line"),
        Transition("start", ("signed",), "performing", _("Start performing"), primary=True, icon="play"),
        Transition("complete", ("performing",), "completed", _("Complete"), primary=True, icon="check"),
        Transition(
            "terminate",
            ("signed", "performing"),
            "terminated",
            _("Terminate"),
            danger=True,
            confirm=_("Terminate this contract?"),
            icon="ban",
        ),
    ),
)


class ContractType(models.TextChoices):
    SALE = "sale", _("sale")
    FRAME = "frame", _("frame agreement")
    SERVICE = "service", _("service")


@tracked()
class Contract(TitledDocument):
    """An agreement with a customer: what, for how long, for how much (rule C-30)."""

    STATES = CONTRACT_STATES
    SEQUENCE = "contract"

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts", verbose_name=_("customer"))
    type = models.CharField(_("type"), max_length=7, choices=ContractType, default=ContractType.SALE)
    signed_on = models.DateField(_("signed on"), null=True, blank=True)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    currency_code = models.CharField(_("currency"), max_length=3, default="CNY")
    amount = MoneyField(_("amount"), default=0)
    signatory = models.CharField(_("signed by the customer"), max_length=120, blank=True)
    state = TitledDocument.state_field(CONTRACT_STATES)
    search = search_column("number", "title")

    class Meta(TitledDocument.Meta):
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        indexes = [GinIndex(fields=["search"], name="contract_search")]
        triggers = [CONTRACT_STATES.trigger()]
        constraints = [in_order("starts_on", "ends_on", "contract_period")]
