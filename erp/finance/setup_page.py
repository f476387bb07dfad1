"""The first run: company, base currency, fiscal year and chart of accounts, while nothing is posted (UX 6.21)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from pghistory.models import Event

from erp.finance.charts import CHARTS, load_chart
from erp.finance.models import Currency, FiscalYear, JournalEntry
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile

FIELDS = (
    "name",
    "name_zh",
    "tax_number",
    "base_currency",
    "fiscal_year_start",
    "chart",
    "tax_method",
    "prices_include_tax",
)


class SetupForm(forms.ModelForm):
    """What a new company decides before its first entry."""

    class Meta:
        model = CompanyProfile
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["chart"] = forms.ChoiceField(label=_("Chart of accounts"), choices=list(CHARTS.items()))
        chinese = (get_language() or "").startswith("zh")
        self.fields["base_currency"] = forms.ChoiceField(
            label=_("Base currency"),
            choices=[
                (currency.code, f"{currency.code} {(chinese and currency.name_zh) or currency.name}")
                for currency in Currency.objects.filter(active=True)
            ],
        )


@transaction.atomic
def change_setup(company: CompanyProfile, chart: str, *, by: Any) -> CompanyProfile:
    """Store the company's choices and load its chart; refused once an entry is posted (rule F-09)."""
    if JournalEntry.objects.exists():
        raise BusinessError(_("Entries are posted already; these settings can no longer be changed."))
    current = CompanyProfile.objects.select_for_update().get(pk=company.pk)
    if current.base_currency != company.base_currency and _in_base_currency():
        raise BusinessError(
            _("There are documents or exchange rates in terms of %s. Delete them before you choose another currency.")
            % current.base_currency
        )
    if current.fiscal_year_start != company.fiscal_year_start:
        FiscalYear.objects.all().delete()
    company.set_up = True
    company.version = current.version + 1
    company.save()
    if chart != current.chart:
        load_chart(chart, by=by)
    return company


def _in_base_currency() -> bool:
    """Whether anything carries a rate to the base currency: drafts, confirmed orders, dated rates."""
    rated = (
        model
        for model in apps.get_app_config("erp").get_models()
        if {"currency", "rate"} <= {field.name for field in model._meta.fields} and not issubclass(model, Event)
    )
    return any(model._base_manager.exists() for model in rated)


def setup_view(request: HttpRequest) -> HttpResponse:
    """The form of the first run."""
    if not request.user.has_perm("oa.change_companyprofile"):
        raise PermissionDenied
    company = CompanyProfile.current()
    form = SetupForm(request.POST or None, instance=company)
    if request.method == "POST" and form.is_valid():
        try:
            change_setup(form.instance, form.cleaned_data["chart"], by=request.user)
            messages.success(request, _("The company is set up."))
            return go(request, "/")
        except BusinessError as error:
            form.add_error(None, str(error))
    locked = JournalEntry.objects.exists()
    context = {"head": Head(title=_("Set up the company")), "form": form, "locked": locked}
    return fragment_or_page(request, "erp/finance/setup.html", context, 422 if form.is_bound else 200)
