"""The import page of every resource: file, check, result (UX 6.10). Works without JavaScript."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kit.exchange import importing_files
from kit.exchange.exporting import Column as OutColumn
from kit.exchange.exporting import write_rows
from kit.exchange.importing_batch import Importer, Report, RowError
from kit.exchange.importing_columns import REASON, in_all_languages, plain_title
from kit.exchange.importing_files import CHECK, WRITE, Upload, importer_for
from kit.exchange.importing_template import remark, template_file
from kit.exchange.views import download
from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.resources import Resource
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.rules.permissions import may
from kit.values.errors import BusinessError
from kit.values.keys import is_key

PAGE = 100  # rows of the file on one page
LISTED = 50  # errors over the table
SHOWS = ("error", "updated", "new", "unchanged", "all")


@dataclass(frozen=True)
class CellShown:
    """A cell of the file: what it says, what is wrong with it, what was stored before."""

    text: str
    error: str = ""
    before: str | None = None


@dataclass(frozen=True)
class RowShown:
    """A row of the file with what would become of it."""

    number: int
    status: str
    label: Any
    cells: Sequence[CellShown]
    errors: Sequence[str]


def import_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The step that the address names: upload, check (`?file=`), result (`?file=&done=1`)."""
    if not resource.may_import(request.user):
        raise PermissionDenied
    importer = importer_for(resource)
    kind = request.GET.get("template", "")
    if kind:
        if kind not in ("csv", "xlsx"):
            raise Http404
        return download(template_file(importer, kind), importer.kind, kind)
    token = request.GET.get("file", "")
    if not token:
        return _upload(request, resource, importer)
    upload = importing_files.kept(token, resource, request.user)
    if upload is None:
        problem = _("The file is not kept any more. Upload it again.")
        return _upload_page(request, resource, importer, [problem], 422)
    try:
        if request.method == "POST":
            return _start(request, resource, upload)
        if request.GET.get("bad"):
            return _bad_rows(request, upload)
        return _report_page(request, resource, importer, upload)
    except BusinessError as error:
        return _upload_page(request, resource, importer, [str(p.message) for p in error], 422)


# ---- first step ----


def _upload(request: HttpRequest, resource: Resource, importer: Importer) -> HttpResponse:
    if request.method != "POST":
        return _upload_page(request, resource, importer, [], 200)
    file = request.FILES.get("file")
    if file is None:
        return _upload_page(request, resource, importer, [_("Choose a file.")], 422)
    options = {name: request.POST.get(name) == "on" for name in _choices(resource, importer, request.user)}
    try:
        upload = importing_files.keep(file.read(), file.name or "", resource, request.user, options)
    except BusinessError as error:
        return _upload_page(request, resource, importer, [str(p.message) for p in error], 422)
    if upload.large and hooks.start_job is not None:
        return _start_job(request, resource, upload, CHECK)
    return go(request, _address(resource, upload))


def _choices(resource: Resource, importer: Importer, user: Any) -> dict[str, Any]:
    """The options of a kind of file with their labels."""
    found = dict(importer.choices)
    if may(user, "change", resource.model):
        found["update"] = _("Update records that exist")
        found["keep_empty"] = _("Empty cells change nothing")
    if importer.kind == "journal-entries" and user.has_perm("erp.add_account"):
        found["create_accounts"] = _("Make accounts that do not exist")
    return found


def _upload_page(
    request: HttpRequest, resource: Resource, importer: Importer, problems: Sequence[str], status: int
) -> HttpResponse:
    head = _head(resource, [Action(_("Cancel"), resource.url(), name="cancel")])
    chosen = (
        request.POST
        if request.method == "POST" and not request.GET.get("file")
        else {"update": "on", "keep_empty": "on"}
    )
    choices = _choices(resource, importer, request.user).items()
    context = {
        "head": head,
        "resource": resource,
        "importer": importer,
        "problems": problems,
        "columns": [(column, remark(column)) for column in importer.columns()],
        "choices": [(name, label, chosen.get(name) == "on") for name, label in choices],
    }
    return fragment_or_page(request, "kit/import.html", context, status)


# ---- second step ----


def _address(resource: Resource, upload: Upload, **more: Any) -> str:
    tail = "".join(f"&{name}={value}" for name, value in more.items())
    return f"{resource.url('import')}?file={upload.token}{tail}"


def _start(request: HttpRequest, resource: Resource, upload: Upload) -> HttpResponse:
    """Check again, or import what was checked."""
    step = request.POST.get("step", "")
    if step not in (CHECK, WRITE):
        raise Http404
    partial = request.POST.get("partial") == "1"
    if upload.large and hooks.start_job is not None:
        return _start_job(request, resource, upload, step, partial=partial)
    key = request.POST.get("submit_id", "")
    hooks.once(
        key, request.user, f"{resource.slug}.import.{step}", lambda: upload.run(step, request.user, partial=partial).new
    )
    return go(request, _address(resource, upload, **({"done": 1} if step == WRITE else {})))


def _start_job(
    request: HttpRequest, resource: Resource, upload: Upload, step: str, *, partial: bool = False
) -> HttpResponse:
    """Long files are checked and imported by a worker; the job leads back here."""
    assert hooks.start_job is not None
    start = hooks.start_job
    title = (_("Check of %s") if step == CHECK else _("Import of %s")) % upload.name
    params = importing_files.job_params(upload, step, partial=partial)
    place, _repeat = hooks.once(
        request.POST.get("submit_id", ""),
        request.user,
        f"{resource.slug}.import.{step}",
        lambda: start("import", title, params, request.user),
    )
    return go(request, place or _address(resource, upload))


def _report_page(request: HttpRequest, resource: Resource, importer: Importer, upload: Upload) -> HttpResponse:
    done = request.GET.get("done") == "1"
    report = upload.report(WRITE if done else CHECK)
    if report is None and done:
        raise Http404
    if report is None and not (upload.large and hooks.start_job is not None):
        report = upload.run(CHECK, request.user)
    shown = request.GET.get("show", "")
    shown = shown if shown in SHOWS else "error" if report is not None and report.errors else "all"
    actions = [
        Action(_("Another file"), resource.url("import"), name="again"),
        Action(str(resource.title_plural), resource.url(), name="list"),
    ]
    context: dict[str, Any] = {
        "head": _head(resource, actions),
        "resource": resource,
        "importer": importer,
        "upload": upload,
        "report": report,
        "done": done,
        "shown": shown,
        "address": _address(resource, upload, **({"done": 1} if done else {})),
    }
    if report is not None:
        context |= _table(request, upload, report, shown)
        faults = [error for error in report.errors if not error.held]
        context |= {"faults": faults[:LISTED], "more_faults": len(faults) - LISTED, "tabs": _tabs(report, done)}
    return fragment_or_page(request, "kit/import_check.html", context)


def _head(resource: Resource, actions: Sequence[Action]) -> Head:
    title = _("Import %s") % resource.titles
    return Head(title=title, crumbs=crumbs(resource, (_("Import"), "")), actions=actions)


def _labels(done: bool) -> dict[str, Any]:
    return {
        "new": _("imported") if done else _("new"),
        "updated": _("updated") if done else _("will be updated"),
        "unchanged": _("unchanged"),
        "error": _("not imported") if done else _("wrong"),
    }


def _tabs(report: Report, done: bool) -> list[tuple[str, Any, int]]:
    """How many rows have each status, for the tabs over the table."""
    counts = dict.fromkeys(_labels(done), 0)
    for status in report.status.values():
        counts[status] += 1
    found = [(name, label, counts[name]) for name, label in _labels(done).items() if counts[name]]
    return [*found, ("all", _("all rows"), len(report.status))]


def _table(request: HttpRequest, upload: Upload, report: Report, shown: str) -> dict[str, Any]:
    """The rows of one page with their marks."""
    number = request.GET.get("page", "")
    page = max(int(number), 1) if is_key(number) else 1
    wanted = [n for n, status in sorted(report.status.items()) if shown in ("all", status)]
    numbers = set(wanted[(page - 1) * PAGE : page * PAGE])
    titles, rows = _rows(upload, report, numbers)
    labels = _labels(request.GET.get("done") == "1")
    return {
        "titles": titles,
        "rows": [_shown(number, cells, titles, report, labels) for number, cells in rows],
        "page": page,
        "pages": max(1, -(-len(wanted) // PAGE)),
    }


def _rows(upload: Upload, report: Report, numbers: set[int]) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The titles of the file and the rows with these numbers."""
    first = min(report.status, default=0)
    titles: list[str] = []
    rows = []
    table = upload.open()
    try:
        for number, cells in table:
            if number < first or not first:
                titles = cells
            elif number in numbers:
                rows.append((number, cells))
    finally:
        table.close()
    return titles, rows


def _shown(
    number: int, cells: Sequence[str], titles: Sequence[str], report: Report, labels: dict[str, Any]
) -> RowShown:
    errors = [error for error in report.errors if error.row == number]
    changes = report.changes.get(number, {})
    by_title = {title.strip(): i for i, title in enumerate(titles)}
    wrong: dict[int, str] = {}
    general = []
    for error in errors:
        place = by_title.get(error.column)
        if place is None:
            general.append(f"{error.column}: {error.message}" if error.column else error.message)
        else:
            wrong[place] = f"{wrong[place]} {error.message}" if place in wrong else error.message
    before = {by_title[title]: text for title, text in changes.items() if title in by_title}
    padded = [*cells, *[""] * (len(titles) - len(cells))]
    made = [CellShown(text, wrong.get(i, ""), before.get(i)) for i, text in enumerate(padded)]
    status = report.status[number]
    return RowShown(number, status, labels[status], made, general)


def _bad_rows(request: HttpRequest, upload: Upload) -> HttpResponse:
    """The rows that are not imported, with the reason in the last column, to be corrected and uploaded again."""
    report = upload.report(WRITE) or upload.report(CHECK)
    if report is None:
        raise Http404
    numbers = {number for number, status in report.status.items() if status == "error"}
    titles, rows = _rows(upload, report, numbers)
    old = {plain_title(text) for text in in_all_languages(REASON)}
    width = len(titles) - (plain_title(titles[-1]) in old if titles else 0)
    reasons: dict[int, list[RowError]] = {}
    for error in report.errors:
        if error.row is not None:
            reasons.setdefault(error.row, []).append(error)

    def lines() -> Iterator[list[Any]]:
        for number, cells in rows:
            told = [f"{e.column}: {e.message}" if e.column else e.message for e in reasons.get(number, [])]
            yield [*cells[:width], *[""] * (width - len(cells)), " ".join(told)]

    columns = [OutColumn(title, title) for title in (*titles[:width], str(REASON))]
    file = io.BytesIO()
    write_rows(file, "xlsx", columns, lines(), labels=True)
    return download(file.getvalue(), f"{upload.importer.kind}-errors", "xlsx")
