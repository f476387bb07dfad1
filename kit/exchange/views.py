"""Pages and files of the exchange floor: exports, papers, reports."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.exchange import printing, reports
from kit.exchange.exporting import Column as OutColumn
from kit.exchange.exporting import exporter, write_rows
from kit.exchange.importing_files import importer_for
from kit.exchange.importing_records import RecordImporter
from kit.exchange.report_paper import to_pdf
from kit.pages.actions import Action
from kit.pages.bulk import known
from kit.pages.columns import plain, resolve_all
from kit.pages.hooks import hooks
from kit.pages.lists import ListState
from kit.pages.resources import Resource
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find, resource_for
from kit.values.errors import BusinessError

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "json": "application/json",
}
KINDS = {"fraction": "number", "progress": "percent", "number": "quantity", "choice": "text", "state": "text"}
CHUNK = 2000


def download(content: bytes, name: str, kind: str) -> HttpResponse:
    """A file that the browser saves and never runs (S-10)."""
    response = HttpResponse(content, content_type=TYPES[kind])
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{name}.{kind}") or "attachment"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def export_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Exactly the rows, columns and order of the list, all pages; `?full=1` gives the importable fields.

    What is posted narrows it to the rows that were chosen.
    """
    require(request.user, resource, "view")
    kind = request.GET.get("format", "xlsx")
    if kind not in ("xlsx", "csv"):
        raise Http404
    state = ListState(resource, request.user, request.GET, remembered=True)
    full = request.GET.get("full") == "1"
    if full and resource.may_import(request.user):
        return _importable(request, resource, state, kind)
    # A set of records would multiply the rows, and name records that the reader may not see.
    told = [name for name in resource.fields if name not in resource.not_exported] if full else []
    single = [name for name in told if not resource.meta.get_field(name).many_to_many]
    full = bool(single)
    columns = resolve_all(resource.model, single) if full else list(state.columns)
    out = [OutColumn(c.name, str(c.label), KINDS.get(c.kind, c.kind)) for c in columns]
    paths = [c.shown if full else c.value for c in columns]
    rows = _chosen(request, state).values_list(*paths).iterator(chunk_size=CHUNK)
    file = io.BytesIO()
    title = [
        str(resource.title_plural),
        f"{timezone.localtime():%Y-%m-%d %H:%M} · {request.user}",
        " · ".join(str(chip) for chip in state.chips),
    ]
    write_rows(
        file,
        kind,
        out,
        _plain(columns, rows),
        labels=not full,
        bom=kind == "csv",
        title=[] if full else [line for line in title if line],
    )
    view = next((str(tab.label) for tab in state.tabs if tab.current and (state.saved or state.params.get("view"))), "")
    hooks.note(request, "export", " · ".join(filter(None, (f"{title[0]} ({kind})", view, title[2]))), None)
    return download(file.getvalue(), resource.slug, kind)


def _chosen(request: HttpRequest, state: ListState) -> Any:
    """The rows of the list that were selected; all of them where none was."""
    keys = known(request.POST.getlist("ids")) if "all" not in request.POST else []
    return state.rows.filter(pk__in=keys) if keys else state.rows


def _importable(request: HttpRequest, resource: Resource, state: ListState, kind: str) -> HttpResponse:
    """The same rows with the titles and values that the import page of the resource reads back."""
    importer = importer_for(resource)
    if isinstance(importer, RecordImporter):
        columns, rows = importer.export(state.rows)
    else:
        columns, rows = exporter(importer.kind)({}, request.user)  # type: ignore[assignment]
    file = io.BytesIO()
    write_rows(file, kind, columns, rows, bom=kind == "csv")
    hooks.note(request, "export", f"{resource.title_plural} ({kind})", None)
    return download(file.getvalue(), importer.kind, kind)


def _plain(columns: list[Any], rows: Iterator[Any]) -> Iterator[list[Any]]:
    for row in rows:
        yield [plain(column, value) for column, value in zip(columns, row, strict=True)]


# ---- papers ----


@require_safe
def print_view(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """The pages of a paper as they will be printed, with the same thing as PDF."""
    require(request.user, resource, "view")
    obj = find(request, resource, key)
    papers = printing.allowed_prints(obj, request.user)
    if not papers:
        raise Http404
    paper = next((p for p in papers if p.name == request.GET.get("paper")), papers[0])
    default = paper.language(obj) if paper.language else translation.get_language() or "en"
    language = request.GET.get("language") or default
    sheet = request.GET.get("sheet") or "a4"
    if language not in ("en", "zh-hans") or sheet not in printing.SHEETS:
        raise Http404
    hooks.note(request, "print", f"{paper.title} {obj}", obj)
    if request.GET.get("format") == "pdf":
        return download(printing.print_pdf(paper, obj, language, sheet), f"{paper.name}-{obj}", "pdf")
    pages = [mark_safe(page) for page in printing.print_pages(paper, obj, language, sheet)]  # nosec B308 B703  # noqa: S308  typst's own output
    chosen = f"paper={paper.name}&language={language}"
    head = Head(
        title=str(paper.title),
        crumbs=crumbs(resource, (str(obj), resource.url_for(obj)), (paper.title, "")),
        actions=[Action("PDF", f"?{chosen}&sheet={sheet}&format=pdf", icon="file-down", primary=True, name="pdf")],
    )
    return fragment_or_page(
        request,
        "kit/print.html",
        {
            "head": head,
            "pages": pages,
            "papers": papers,
            "paper": paper,
            "language": language,
            "sheet": sheet,
            "sheets": [(name, label, f"?{chosen}&sheet={name}") for name, label in paper.sheets.items()],
            "object": obj,
        },
    )


def print_actions(obj: Any, user: Any) -> list[Action]:
    """A print button on every record that has papers (registered for all records)."""
    resource = resource_for(obj)
    if resource is None or not printing.allowed_prints(obj, user):
        return []
    return [Action(_("Print"), resource.url_for(obj, "print"), icon="printer", key="p", name="print")]


# ---- reports ----


@require_safe
def report_list_view(request: HttpRequest) -> HttpResponse:
    """The report centre: what the person may run, by section."""
    found: dict[str, list[reports.Report]] = {}
    for report in reports.all_for(request.user):
        found.setdefault(str(reports.SECTIONS[report.section]), []).append(report)
    return fragment_or_page(request, "kit/reports.html", {"head": Head(title=_("Reports")), "sections": found})


def report_view(request: HttpRequest, name: str) -> HttpResponse:
    """A report as page, CSV, XLSX, PDF or JSON; parameters are GET, so every result has an address."""
    try:
        report = reports.get(name)
    except BusinessError:
        raise Http404(name) from None
    if not report.allowed(request.user):
        raise PermissionDenied
    problems: list[str] = []
    result = None
    try:
        params = reports.parse_params(report, request.GET.dict(), request.user)
        result = reports.run(report, params, request.user)
    except BusinessError as error:
        problems = [str(problem.message) for problem in error]
    kind = request.GET.get("format", "")
    if kind and result is not None:
        file = _report_file(result, kind, company_name(request))
        hooks.note(request, "export", f"{report.title} ({kind}) · {result.params_text}", None)
        return file
    query = request.GET.copy()
    query.pop("format", None)
    actions = [
        Action(kind.upper(), f"?{query.urlencode()}&format={kind}", icon="upload", name=kind)
        for kind in ("xlsx", "pdf", "csv")
    ]
    head = Head(title=report.title, crumbs=[(_("Reports"), "/reports/"), (report.title, "")], actions=actions)
    context = {
        "head": head,
        "report": report,
        "result": result,
        "problems": problems,
        "params": _inputs(report, result, request),
        "chart": mark_safe(result.chart) if result and result.chart else "",  # nosec B308 B703  # noqa: S308  our own SVG, escaped there
    }
    return fragment_or_page(request, "kit/report.html", context, 422 if problems else 200)


def company_name(request: HttpRequest) -> str:
    """The company's name in the language of the page, as the shell shows it."""
    names = [source(request).get("company") for source in hooks.shell]
    return next((str(company.name) for company in names if company is not None), "")


def _report_file(result: reports.ReportResult, kind: str, company: str) -> HttpResponse:
    if kind == "csv":
        return download(reports.to_csv(result, labels=True, bom=True), result.name, "csv")
    if kind == "xlsx":
        return download(reports.to_xlsx(result), result.name, "xlsx")
    if kind == "pdf":
        return download(to_pdf(result, company=company), result.name, "pdf")
    if kind == "json":
        return download(reports.to_json(result), result.name, "json")
    raise Http404


def _inputs(report: reports.Report, result: reports.ReportResult | None, request: HttpRequest) -> list[dict[str, Any]]:
    """The parameters with their present texts, for the form over the report."""
    query = result.query if result is not None else request.GET
    return [
        {"param": p, "value": query.get(p.name, ""), "choices": [(v, label) for v, label in p.choices]}
        for p in report.params
    ]
