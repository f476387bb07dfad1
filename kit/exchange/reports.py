"""Reports: declared once, shown as a page, a CSV, a workbook, a PDF or JSON, each from the same rows.

A report lives in the section it reports on and registers itself here; `run` checks the permission and the
parameters and returns a `ReportResult`. Every report starts from the rows its reader may see (rule G-21).
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.apps import apps
from django.urls import NoReverseMatch
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.exchange.exporting import Column, XlsxTable, plain, write_rows
from kit.exchange.params import SYSTEM, Param, code_of
from kit.pages.resources import resource_of
from kit.rules.permissions import ALL
from kit.values.errors import BusinessError, Problem

__all__ = ["SYSTEM", "Param", "Report", "ReportColumn", "ReportResult"]

SECTIONS = {
    "finance": gettext_lazy("Finance"),
    "sales": gettext_lazy("Sales"),
    "purchasing": gettext_lazy("Purchasing"),
    "stock": gettext_lazy("Inventory"),
    "office": gettext_lazy("Organisation"),
}


@dataclass(frozen=True)
class ReportColumn(Column):
    """A column of a report.

    `total` adds it up, `link` gives the page behind a figure, `display` is what people read instead of the
    key that machines get; `screen` False leaves the column to machines.
    """

    total: bool = False
    link: Callable[[Mapping[str, Any]], str | None] | None = None
    display: Callable[[Mapping[str, Any]], Any] | None = None
    screen: bool = True

    def shown(self, row: Mapping[str, Any]) -> Any:
        """What people read in this column of `row`."""
        return self.display(row) if self.display else row.get(self.name)


class Report:
    """One report. Subclasses declare the attributes and write `columns` and `rows`; rows are mappings.

    A row may carry more than the columns show, for `link` and `display`. `total_by` names the column whose
    equal rows may be added (amounts in several currencies); empty: all of them.
    """

    name: ClassVar[str]
    title: ClassVar[Any]
    section: ClassVar[str]
    permission: ClassVar[str | tuple[str, ...] | Callable[[Any], bool]]
    description: ClassVar[Any] = ""
    params: ClassVar[Sequence[Param]] = ()
    notes: ClassVar[Any] = ""
    total_by: ClassVar[str] = ""

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        """The columns for these parameters."""
        raise NotImplementedError

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        """The rows that `user` may see."""
        raise NotImplementedError

    def chart(self, rows: Sequence[Mapping[str, Any]], params: dict[str, Any]) -> str:
        """An SVG picture of the rows (see `kit.exchange.charts`), empty for none."""
        return ""

    def totals(self, rows: Sequence[Mapping[str, Any]], columns: Sequence[ReportColumn]) -> list[dict[str, Any]]:
        """The sums under the table: one row, or one for each value of `total_by`."""
        summed = [column.name for column in columns if column.total]
        if not rows or not summed:
            return []
        groups: dict[Any, dict[str, Any]] = {}
        for row in rows:
            key = row[self.total_by] if self.total_by else None
            sums = groups.setdefault(key, {self.total_by: key} if self.total_by else {})
            for name in summed:
                sums[name] = sums.get(name, 0) + (row[name] or 0)
        return [groups[key] for key in sorted(groups, key=str)]

    def allowed(self, user: Any) -> bool:
        """Whether `user` may run this report."""
        given = type(self).permission
        if callable(given):
            return bool(given(user))
        return all(user.has_perm(name) for name in ([given] if isinstance(given, str) else given))


@dataclass(frozen=True)
class ReportResult:
    """What a report found: all that a page or a file needs."""

    name: str
    title: str
    columns: list[ReportColumn]
    rows: list[dict[str, Any]]
    totals: list[dict[str, Any]]
    params: dict[str, Any]
    params_text: str
    made_at: dt.datetime
    chart: str = ""
    notes: str = ""
    total_by: str = ""
    made_by: str = ""
    query: dict[str, str] = field(default_factory=dict)  # the parameters as they stand in a URL

    @property
    def screen(self) -> list[ReportColumn]:
        """The columns that people see."""
        return [column for column in self.columns if column.screen]


_reports: dict[str, Report] = {}


def register(report: Report) -> Report:
    """Put `report` into the report centre, into a section that it has."""
    if report.section not in SECTIONS:
        raise ValueError(f"report {report.name} names the unknown section {report.section}")
    _reports[report.name] = report
    return report


def get(name: str) -> Report:
    """The report called `name`; BusinessError names those there are."""
    if name not in _reports:
        raise BusinessError(
            _("There is no report “%(name)s”; choose one of %(names)s.")
            % {"name": name, "names": ", ".join(sorted(_reports))}
        )
    return _reports[name]


def all_for(user: Any) -> list[Report]:
    """The reports that `user` may run, by section and title."""
    order = {section: position for position, section in enumerate(SECTIONS)}
    mine = [report for report in _reports.values() if report.allowed(user)]
    return sorted(mine, key=lambda report: (order[report.section], str(report.title)))


def parse_params(report: Report, mapping: Mapping[str, Any], user: Any = SYSTEM) -> dict[str, Any]:
    """The parameters of `report` from texts (a query string, the command line), with defaults.

    Records are looked up among those `user` may see. BusinessError carries one problem for each bad value.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for param in report.params:
        text = str(mapping.get(param.name) or "")
        try:
            if text.strip():
                values[param.name] = param.parse(text, user)
        except BusinessError as error:
            problems += error
    if problems:
        raise BusinessError(problems=problems)  # defaults may build on what is given
    for param in report.params:
        if param.name not in values:
            values[param.name] = _default(param, values, user)
            if param.required and values[param.name] is None:
                problems.append(Problem(_("%s is required.") % param.label, param.name))
    start, end = values.get("date_from"), values.get("date_to")
    if start and end and start > end:
        problems.append(
            Problem(
                _("The first day %(start)s is after the last day %(end)s.") % {"start": start, "end": end}, "date_from"
            )
        )
    if problems:
        raise BusinessError(problems=problems)
    return {param.name: values[param.name] for param in report.params}


def _default(param: Param, values: dict[str, Any], user: Any) -> Any:
    if callable(param.default):
        return param.default(values)
    if isinstance(param.default, str):
        return param.parse(param.default, user)
    return False if param.kind == "bool" else None


def run(report: Report, params: dict[str, Any], user: Any) -> ReportResult:
    """Run `report` as `user` with parsed `params`; refuses without the permission."""
    if not report.allowed(user):
        raise BusinessError(_("You may not open the report “%s”.") % report.title)
    for param in report.params:
        _check_visible(param, params.get(param.name), user)
    columns = report.columns(params)
    rows = report.rows(params, user)
    return ReportResult(
        name=report.name,
        title=str(report.title),
        columns=columns,
        rows=rows,
        params=params,
        totals=report.totals(rows, columns),
        params_text=params_text(report, params),
        made_at=timezone.localtime(),
        chart=report.chart(rows, params) if rows else "",
        notes=str(report.notes),
        total_by=report.total_by,
        made_by=str(user),
        query=query_of(report, params),
    )


def _check_visible(param: Param, value: Any, user: Any) -> None:
    """A record that the reader may not see is not taken as a parameter, wherever it comes from."""
    if param.kind != "model" or value is None or user.data_scope(type(value)) == ALL:
        return
    if not type(value)._default_manager.visible_to(user).filter(pk=value.pk).exists():
        raise BusinessError(_("There is no such record."), field=param.name)


def params_text(report: Report, params: Mapping[str, Any]) -> str:
    """The parameters in one line for people."""
    given = [(param, params.get(param.name)) for param in report.params]
    return ", ".join(
        _("%(label)s: %(value)s") % {"label": param.label, "value": param.shown(value)}
        for param, value in given
        if value not in (None, "", False)
    )


def query_of(report: Report, params: Mapping[str, Any]) -> dict[str, str]:
    """The parameters as texts that `parse_params` reads back."""
    texts = {}
    for param in report.params:
        value = params.get(param.name)
        if value in (None, "", False):
            continue
        if param.kind == "model":
            value = code_of(value)
        elif param.kind in {"bool", "period"}:
            value = "yes" if param.kind == "bool" else param.shown(value)
        texts[param.name] = str(value)
    return texts


def report_url(name: str, **params: Any) -> str:
    """The page of a report with parameters, for figures that lead to it."""
    given = {key: value for key, value in params.items() if value not in (None, "")}
    return f"/reports/{name}/?{urlencode(given)}"


def record_url(label: str, key: Any) -> str | None:
    """The page of a record, by its model (`erp.salesorder`) and what stands for it in addresses; None without one."""
    resource = resource_of(apps.get_model(label)) if key and label.count(".") == 1 else None
    if resource is None or resource.default_filters:
        return None
    try:
        return resource.url("record", key)
    except NoReverseMatch:
        return None


# Files ---------------------------------------------------------------------------------------------------------


def to_csv(result: ReportResult, *, labels: bool = False, bom: bool = False) -> bytes:
    """The rows as CSV: field names and keys for machines; with `labels`, what people see. Never totals.

    `bom` marks the file as UTF-8 for spreadsheets.
    """
    file = io.BytesIO()
    if labels:
        shown = ([column.shown(row) for column in result.screen] for row in result.rows)
        write_rows(file, "csv", result.screen, shown, labels=True, bom=bom)
    else:
        write_rows(file, "csv", result.columns, result.rows, bom=bom)
    return file.getvalue()


def to_json(result: ReportResult) -> bytes:
    """The whole result as JSON; numbers are texts, so that no digit is lost."""
    kinds = {column.name: column.kind for column in result.columns}

    def machine(row: Mapping[str, Any]) -> dict[str, Any]:
        shown = {name: row.get(name) for name in kinds if name in row}
        return {name: None if value is None else plain(value, kinds[name]) for name, value in shown.items()}

    document = {
        "report": result.name,
        "title": result.title,
        "params": result.query,
        "made_at": result.made_at.isoformat(),
        "columns": [{"name": c.name, "label": str(c.label), "kind": c.kind} for c in result.columns],
        "rows": [machine(row) for row in result.rows],
        "totals": [machine(row) for row in result.totals],
        "notes": result.notes,
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def to_xlsx(result: ReportResult) -> bytes:
    """The report as a workbook: title, parameters, frozen header, number formats, sums as formulas."""
    file = io.BytesIO()
    columns = result.screen
    title = [result.title, *filter(None, [result.params_text]), made_text(result)]
    with XlsxTable(file, columns, [str(column.label) for column in columns], title) as table:
        for row in result.rows:
            table.add([column.shown(row) for column in columns])
        for sums in result.totals:
            table.add_totals(str(_("Total")), sums, by=result.total_by)
        if result.notes:
            table.add_note(result.notes)
    return file.getvalue()


def made_text(result: ReportResult) -> str:
    """When and for whom the figures were made."""
    return str(_("Made %(time)s for %(user)s") % {"time": f"{result.made_at:%Y-%m-%d %H:%M}", "user": result.made_by})
