"""Pages of expenses beyond the kit's."""

from __future__ import annotations

from django.urls import path

from oa.expenses import views

urlpatterns = [
    path("expenses/receipt/", views.receipt_view, name="expense-receipt"),
    path("expenses/audit/<str:key>/", views.audit_view, name="expense-audit"),
]
