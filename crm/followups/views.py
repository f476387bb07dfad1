"""Log a follow-up from the customer page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from crm.customers.models import Contact, Customer
from crm.followups.models import Channel
from crm.followups.services import log_followup
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.records import find, go
from kit.pages.widgets import DayField
from kit.values.errors import BusinessError
from oa.records.attachments import store_attachments


class FollowUpForm(forms.Form):
    """What the composer sends."""

    channel = forms.ChoiceField(choices=Channel.choices, initial=Channel.NOTE)
    contact: Any = forms.ModelChoiceField(Contact.objects.none(), required=False)
    text = forms.CharField(label=gettext_lazy("What was said"))
    next_on = DayField(label=gettext_lazy("Next contact"), required=False)


@require_POST
def log_view(request: HttpRequest, key: str) -> HttpResponse:
    """Store a follow-up and its files; the customer's last and next contact follow."""
    resource = by_model[Customer]
    customer = find(request, resource, key)
    if not request.user.has_perm("crm.add_followup"):
        raise PermissionDenied
    form = FollowUpForm(request.POST)
    form.fields["contact"].queryset = Contact.objects.filter(customer=customer)  # type: ignore[attr-defined]
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
        return go(request, resource.url_for(customer))

    def effect() -> Any:
        with transaction.atomic():
            made = log_followup(customer, by=request.user, **form.cleaned_data)
            store_attachments(customer, request.FILES.getlist("files"), by=request.user)
        return made

    try:
        hooks.once(request.POST.get("submit_id", ""), request.user, f"followup.{customer.pk}", effect)
        messages.success(request, _("Follow-up logged."))
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, resource.url_for(customer))
