"""Marketing plans."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from kit.rules.fields import MoneyField, in_order
from kit.rules.history import tracked
from kit.rules.states import State, StateTable, Transition
from oa.records.models import TitledDocument

PLAN_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("running", _("running"), "info"),
        State("finished", _("finished"), "ok"),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("launch", ("draft",), "running", _("Launch"), primary=True, icon="rocket"),
        Transition("finish", ("running",), "finished", _("Finish"), primary=True, icon="check"),
        Transition(
            "cancel",
            ("draft", "running"),
            "cancelled",
            _("Cancel plan"),
            danger=True,
            confirm=_("Cancel this plan?"),
            icon="ban",
        ),
    ),
)


class PlanChannel(models.TextChoices):
    FAIR = "fair", _("trade fair")
    MAIL = "mail", _("mailing")
    ONLINE = "online", _("online")
    EVENT = "event", _("event")
    PHONE = "phone", _("phone campaign")
    OTHER = "other", _("other")


@tracked()
class MarketingPlan(TitledDocument):
    """A planned marketing activity for a group of customers, with budget and result."""

    STATES = PLAN_STATES
    SEQUENCE = "marketing-plan"

    channel = models.CharField(_("channel"), max_length=6, choices=PlanChannel, default=PlanChannel.EVENT)
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    ends_on = models.DateField(_("ends on"), null=True, blank=True)
    budget = MoneyField(_("budget"), default=0)
    cost = MoneyField(_("actual cost"), default=0)
    goal = models.TextField(_("goal"), blank=True)
    result = models.TextField(_("result"), blank=True)
    customers = models.ManyToManyField(
        Customer, blank=True, related_name="marketing_plans", verbose_name=_("customers")
    )
    state = TitledDocument.state_field(PLAN_STATES)

    class Meta(TitledDocument.Meta):
        verbose_name = _("marketing plan")
        verbose_name_plural = _("marketing plans")
        triggers = [PLAN_STATES.trigger()]
        constraints = [in_order("starts_on", "ends_on", "plan_period")]
