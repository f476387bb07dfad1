"""The import page: choose a file, look at what it would do, import it (UX 6.10). Works without JavaScript."""

from __future__ import annotations

import io
import uuid
from dataclasses import replace
from itertools import islice
from typing import Any

from django import forms
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.exchange import importing
from kit.exchange.exporting import Column, write_rows
from kit.exchange.importing import Importer, Options, Report
from kit.exchange.importing_records import RecordImporter
from kit.exchange.reading import Table, read_table
from kit.exchange.views import download
from kit.pages.hooks import hooks
from kit.pages.resources import Resource
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import go
from kit.values.errors import BusinessError

DIRECT = 500  # rows that are imported while the person waits; more become a job
SHOWN = 100
SESSION = "imports"


class FileForm(forms.Form):
    """The file and how it is taken."""

    file = forms.FileField(label=gettext_lazy("File (CSV or XLSX)"))
    update = forms.BooleanField(label=gettext_lazy("Update existing records"), required=False, initial=True)
    keep_empty = forms.BooleanField(label=gettext_lazy("Empty cells keep what is there"), required=False, initial=True)


def importer_for(resource: Resource) -> Importer:
    """The kind of file on the page of `resource`: a registered one, else its own fields."""
    return importing.registered_for(resource.slug) or RecordImporter(resource=resource.slug)


def import_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Step 1 (GET) asks for a file, step 2 checks it, step 3 imports it or gives the bad rows back."""
    require(request.user, resource, "add")
    importer = importer_for(resource)
    if not resource.importable and importing.registered_for(resource.slug) is None:
        raise Http404
    if request.GET.get("template") == "1":
        return _template(resource, importer)
    if request.method != "POST":
        return _page(request, resource, importer, form=FileForm())
    if "token" in request.POST:
        return _second_step(request, resource, importer)
    form = FileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, resource, importer, form=form, status=422)
    given = form.cleaned_data
    content, name = given["file"].read(), given["file"].name
    try:
        table = read_table(content, name)
    except BusinessError as error:
        form.add_error("file", str(error))
        return _page(request, resource, importer, form=form, status=422)
    options = {"update": given["update"], "keep_empty": given["keep_empty"]}
    token = _keep(request, resource, content, name, options)
    return _check(request, resource, importer, table, token, Options(**options))


def _keep(request: HttpRequest, resource: Resource, content: bytes, name: str, options: dict[str, bool]) -> str:
    """Keep the file for the next step, under a key that only this session knows."""
    token = uuid.uuid4().hex
    path = default_storage.save(f"imports/{token}", ContentFile(content))
    kept = request.session.get(SESSION, {})
    for old in list(kept)[:-4]:
        default_storage.delete(kept.pop(old)["path"])
    request.session[SESSION] = {**kept, token: {"path": path, "name": name, "slug": resource.slug, "options": options}}
    return token


def _check(
    request: HttpRequest, resource: Resource, importer: Importer, table: Table, token: str, options: Options
) -> HttpResponse:
    report = importing.run(importer, table, by=request.user, options=replace(options, dry_run=True, partial=True))
    return _page(request, resource, importer, report=report, token=token, table=table, checked=True)


def _second_step(request: HttpRequest, resource: Resource, importer: Importer) -> HttpResponse:
    token = request.POST["token"]
    kept = request.session.get(SESSION, {}).get(token)
    if kept is None or kept["slug"] != resource.slug:
        raise Http404
    with default_storage.open(kept["path"]) as file:
        table = read_table(file.read(), kept["name"])
    options = Options(**kept["options"], partial=True)
    if request.POST.get("action") == "bad":
        report = importing.run(importer, table, by=request.user, options=replace(options, dry_run=True))
        return bad_rows(resource, table, report)
    if sum(1 for _row in table) > DIRECT and hooks.start_job is not None:
        params = {"path": kept["path"], "name": kept["name"], "slug": resource.slug, "options": kept["options"]}
        title = _("Import of %s") % kept["name"]
        return go(request, hooks.start_job("import", title, params, request.user))
    report, _repeat = hooks.once(
        token, request.user, f"{resource.slug}.import",
        lambda: importing.run(importer, table, by=request.user, options=options),
    )
    if not isinstance(report, Report):  # sent twice: the first time did it
        return go(request, resource.url())
    return _page(request, resource, importer, report=report, token=token, table=table)


def bad_rows(resource: Resource, table: Table, report: Report) -> HttpResponse:
    """The rows that were not taken as a workbook, the reason in the last column."""
    reasons: dict[int, list[str]] = {}
    for error in report.errors:
        if error.row is not None:
            reasons.setdefault(error.row, []).append(f"{error.column}: {error.message}" if error.column else error.message)
    bad = [(cells, reasons[number]) for number, cells in table if number in reasons]
    header = next((cells for _number, cells in table), [])
    width = max([len(header), *(len(cells) for cells, _why in bad)])
    names = [header[i] if i < len(header) and header[i] else f"#{i + 1}" for i in range(width)] + [_("Reason")]
    rows = [[*cells, *[""] * (width - len(cells)), " ".join(why)] for cells, why in bad]
    file = io.BytesIO()
    write_rows(file, "xlsx", [Column(name, name) for name in names], rows, labels=True)
    return download(file.getvalue(), f"{resource.slug}-bad-rows", "xlsx")


def _template(resource: Resource, importer: Importer) -> HttpResponse:
    """An empty workbook with the column titles."""
    file = io.BytesIO()
    write_rows(file, "xlsx", [Column(c.name, str(c.label)) for c in importer.columns()], [], labels=True)
    return download(file.getvalue(), f"{resource.slug}-template", "xlsx")


def _page(
    request: HttpRequest, resource: Resource, importer: Importer, *, form: FileForm | None = None,
    report: Report | None = None, token: str = "", table: Table | None = None, checked: bool = False, status: int = 200,
) -> HttpResponse:
    title = _("Import %s") % resource.title_plural
    rows = []
    if report is not None and table is not None:
        shown = ({"number": n, "cells": cells, "status": report.status[n]} for n, cells in table if n in report.status)
        rows = list(islice(shown, SHOWN))
    context: dict[str, Any] = {
        "head": Head(title=title, crumbs=crumbs(resource, (title, ""))), "resource": resource, "form": form, "report": report,
        "rows": rows, "token": token, "checked": checked, "columns": importer.columns(),
        "errors": report.errors[:SHOWN] if report else [],
    }
    return fragment_or_page(request, "kit/import.html", context, status)
