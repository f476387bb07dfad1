"""Forms of expense claims: the head of a claim, a receipt from a phone."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.forms import KitForm
from kit.pages.resources import registry
from kit.pages.widgets import DayField, NumberField
from kit.rules.days import business_day
from kit.values.keys import is_key
from oa.expenses import accounting
from oa.expenses.models import ExpenseType
from oa.expenses.models.types import CityClass


def seen_record(text: str, user: Any) -> Any:
    """The record that `about` (`customer:12`) names, None when there is none that `user` may see."""
    slug, _colon, key = text.partition(":")
    resource = registry.get(slug)
    if resource is None or not is_key(key) or not resource.may(user, "view"):
        return None
    return resource.queryset(user).filter(pk=int(key)).first()


class ClaimForm(KitForm):
    """The head of a claim; it may be about a customer, campaign or project, which the page it came from names."""

    about = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and self.instance.owner_id is None:
            self.instance.owner = self.user

    @property
    def helper(self) -> FormHelper:
        """The declared fields, and the hidden one."""
        helper = super().helper
        helper.layout.append(Field("about"))
        return helper

    def clean(self) -> dict[str, Any]:
        """A new claim takes over what it is about; what the person may not see counts as nothing."""
        cleaned = super().clean()
        record = seen_record(cleaned.get("about", ""), self.user) if not self.instance.pk else None
        if record is not None:
            self.instance.content_type = ContentType.objects.get_for_model(record)
            self.instance.object_id = record.pk
        return cleaned


class Pictures(forms.ClearableFileInput):
    """Several files at once; a phone opens its camera."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """A list of uploaded files."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=Pictures(attrs={"accept": "image/*,.pdf,.ofd,.xml", "multiple": True}), **kwargs)

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = [file for file in (data if isinstance(data, list | tuple) else [data]) if file]
        return [super(FilesField, self).clean(file, initial) for file in files]


class ReceiptForm(forms.Form):
    """One expense, as it is noted on the way: a picture first, few fields, each as wide as the phone."""

    photo = forms.FileField(
        label=gettext_lazy("Photo of the receipt"),
        required=False,
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    papers = FilesField(label=gettext_lazy("Files"), required=False)
    type = forms.ModelChoiceField(ExpenseType.objects.none(), label=gettext_lazy("Type"), empty_label="—")
    amount = NumberField(
        label=gettext_lazy("Amount incl. tax"), required=False, max_digits=18, decimal_places=2, shown=2,
        help_text=gettext_lazy("What is paid by the day is computed from the days."),
    )  # fmt: skip
    currency = forms.ChoiceField(label=gettext_lazy("Currency"), required=False)
    date = DayField(label=gettext_lazy("Date"))
    invoice = forms.CharField(label=gettext_lazy("Invoice number"), required=False, max_length=60)
    tax = NumberField(label=gettext_lazy("Tax"), required=False, max_digits=18, decimal_places=2, shown=2)
    description = forms.CharField(label=gettext_lazy("Description"), required=False, max_length=200)
    city = forms.ChoiceField(label=gettext_lazy("City class"), required=False)
    days = NumberField(label=gettext_lazy("Days"), required=False, max_digits=5, decimal_places=1)
    excess_reason = forms.CharField(label=gettext_lazy("Why above the standard"), required=False, max_length=200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"].queryset = ExpenseType.objects.filter(active=True)  # type: ignore[attr-defined]
        self.fields["date"].initial = business_day()
        codes = list(accounting.currencies())
        base = accounting.base_code()
        self.fields["currency"].choices = [(c, c) for c in sorted(codes, key=lambda c: (c != base, c))]  # type: ignore[attr-defined]
        self.fields["city"].choices = [("", "—"), *CityClass.choices]  # type: ignore[attr-defined]

    @property
    def pictures(self) -> list[Any]:
        """Everything that was attached."""
        return [file for file in (self.cleaned_data.get("photo"), *self.cleaned_data.get("papers", [])) if file]

    def clean(self) -> dict[str, Any]:
        """An amount, unless the type is paid by the day."""
        cleaned = super().clean() or self.cleaned_data
        kind = cleaned.get("type")
        if kind is not None and not kind.per_diem and not cleaned.get("amount") and "amount" not in self.errors:
            self.add_error("amount", _("Enter an amount."))
        return cleaned
