"""All addresses of the kit: the shell, and the pages of every resource."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, include, path

from kit.exchange import importing_views
from kit.exchange import views as exchange
from kit.pages.resources import Resource, registry
from kit.pages.views import bulk, drafts, edit, entering, finding, lists, records, saved, shell, similar
from kit.pages.views.documents import compute_view

app_name = "kit"
urlpatterns = [
    path("search/", finding.search_view, name="search"),
    path("ui/language/", shell.language_view, name="language"),
    path("ui/preferences/", shell.preferences_view, name="preferences"),
    path("ui/counters/", shell.counters_view, name="counters"),
    path("ui/pick/<str:slug>/", lists.pick_view, name="pick"),
    path("reports/", exchange.report_list_view, name="reports"),
    path("reports/<str:name>/", exchange.report_view, name="report"),
]


def resource_urls() -> list[URLResolver]:
    """The addresses of all registered resources, named `<slug>-<view>`; resolved by resource first."""
    return [path(f"{resource.path}/", include(_urls(resource))) for resource in registry.values()]


def _urls(resource: Resource) -> list[URLPattern]:
    def page(address: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
        bound: Any = partial(view, resource=resource)
        return path(address, bound, name=f"{resource.slug}-{name}")

    return [
        page("", lists.list_view, "list"),
        page("export/", exchange.export_view, "export"),
        page("import/", importing_views.import_view, "import"),
        page("new/", edit.new_view, "new"),
        page("compute/", compute_view, "compute"),
        page("paste/", entering.paste_view, "paste"),
        page("scan/", entering.scan_view, "scan"),
        page("choose/", entering.choose_view, "choose"),
        page("columns/", saved.columns_view, "columns"),
        page("views/", saved.view_view, "views"),
        page("bulk/", bulk.bulk_view, "bulk"),
        page("similar/", similar.similar_view, "similar"),
        page("<str:key>/", records.record_view, "record"),
        page("<str:key>/edit/", edit.edit_view, "edit"),
        page("<str:key>/draft/", drafts.draft_view, "draft"),
        page("<str:key>/delete/", records.delete_view, "delete"),
        page("<str:key>/print/", exchange.print_view, "print"),
        page("<str:key>/do/<str:name>/", records.command_view, "do"),
    ]
