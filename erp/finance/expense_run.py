"""The payment run of employees: what is ticked is paid in one entry; and money that people give back (rule E-04)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.banks import main_bank
from erp.finance.expense_payments import advances_to_pay, claims_to_pay, pay_employees, take_back
from erp.finance.models import Account, ExpensePayment
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.pages.widgets import DayField, NumberField
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.expenses.models import Advance, ExpenseClaim

RIGHTS = ("erp.add_expensepayment", "erp.post_expensepayment")


class MoneyForm(forms.Form):
    """Through which account, when, under which reference; how much where somebody gives something back."""

    account = forms.ModelChoiceField(Account.objects.none(), label=gettext_lazy("Cash or bank account"))
    date = DayField(label=gettext_lazy("Date"))
    reference = forms.CharField(label=gettext_lazy("Bank reference"), required=False, max_length=80)
    amount = NumberField(label=gettext_lazy("Amount"), max_digits=18, decimal_places=2, shown=2)

    def __init__(self, *args: Any, amount: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        accounts = Account.objects.filter(is_cash=True, is_group=False, active=True)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]
        self.fields["account"].initial, self.fields["date"].initial = main_bank(), business_day()
        if not amount:
            del self.fields["amount"]


def _head(title: str) -> Head:
    return Head(title=title, crumbs=crumbs(by_model[ExpensePayment], (title, "")))


def _refused(form: MoneyForm, error: BusinessError) -> None:
    for problem in error:
        form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))


def run_view(request: HttpRequest) -> HttpResponse:
    """Everything that waits for money, a tick before each."""
    user: Any = request.user
    if not user.has_perms(RIGHTS):
        raise PermissionDenied
    form = MoneyForm(request.POST or None)
    claims = claims_to_pay().filter(pk__in=ExpenseClaim.objects.visible_to(user).values("pk")).exclude(owner=user)
    advances = advances_to_pay().filter(pk__in=Advance.objects.visible_to(user).values("pk")).exclude(owner=user)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        keys = {name: {int(k) for k in request.POST.getlist(name) if is_key(k)} for name in ("claim", "advance")}
        try:
            paid, _repeat = hooks.once(
                request.POST.get("submit_id", ""), user, "expense.run",
                lambda: pay_employees(
                    keys["claim"] & set(claims.values_list("pk", flat=True)),
                    keys["advance"] & set(advances.values_list("pk", flat=True)),
                    given["account"], by=user, date=given["date"], reference=given["reference"],
                ),
            )  # fmt: skip
            messages.success(request, f"{_('Paid')}: {paid}")
            return go(request, by_model[ExpensePayment].url_for(paid))
        except BusinessError as error:
            _refused(form, error)
    ticked = {*(f"c{k}" for k in request.POST.getlist("claim")), *(f"a{k}" for k in request.POST.getlist("advance"))}
    context = {
        "head": _head(_("Payment run")),
        "form": form,
        "claims": [(row, row.left, f"c{row.pk}" in ticked) for row in claims],
        "advances": [(row, row.amount, f"a{row.pk}" in ticked) for row in advances],
    }
    status = 422 if request.method == "POST" else 200
    return fragment_or_page(request, "erp/finance/expense_run.html", context, status)


def give_back_view(request: HttpRequest, key: str) -> HttpResponse:
    """Somebody gives back what is left of an advance."""
    user: Any = request.user
    if not user.has_perms(RIGHTS):
        raise PermissionDenied
    rows: Any = Advance.objects.visible_to(user).with_open().filter(state="paid")
    advance = rows.filter(pk=int(key)).first() if is_key(key) else None
    if advance is None:
        raise Http404
    form = MoneyForm(request.POST or None, amount=True, initial={"amount": advance.open_amount})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            paid, _repeat = hooks.once(
                request.POST.get("submit_id", ""), user, f"expense.back.{advance.pk}",
                lambda: take_back(
                    {advance.pk: given["amount"]}, given["account"], by=user, date=given["date"],
                    reference=given["reference"],
                ),
            )  # fmt: skip
            messages.success(request, f"{_('Returned')}: {paid}")
            return go(request, by_model[ExpensePayment].url_for(paid))
        except BusinessError as error:
            _refused(form, error)
    context = {"head": _head(_("Give back")), "form": form, "advance": advance}
    status = 422 if request.method == "POST" else 200
    return fragment_or_page(request, "erp/finance/expense_run.html", context, status)
