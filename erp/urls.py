"""Pages of erp beyond the kit's."""

from __future__ import annotations

from django.urls import URLPattern, path

from erp.finance.setup_page import setup_view

urlpatterns: list[URLPattern] = [
    path("settings/setup/", setup_view, name="setup"),
]
