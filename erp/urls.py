"""Pages of erp beyond the kit's."""

from __future__ import annotations

from django.urls import URLPattern, path

from erp.finance.expense_run import give_back_view, run_view
from erp.finance.setup_page import setup_view

urlpatterns: list[URLPattern] = [
    path("settings/setup/", setup_view, name="setup"),
    path("finance/pay-employees/", run_view, name="expense-run"),
    path("finance/pay-employees/back/<str:key>/", give_back_view, name="expense-back"),
]
