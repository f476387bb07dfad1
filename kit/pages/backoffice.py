"""The site of the back office."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest


class BackOffice(AdminSite):
    """Django's own, with names that are read once for a page instead of each time that two are compared.

    And without its jump to the page of a record outside, which none of our models has: it fails on some of them.
    """

    def get_urls(self) -> list[Any]:
        """Every address but that."""
        return [url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site"]

    def _build_app_dict(self, request: HttpRequest, label: str | None = None) -> dict[str, Any]:
        made: dict[str, Any] = super()._build_app_dict(request, label)
        for app in made.values():
            for model in app["models"]:
                model["name"] = str(model["name"])
        return made
