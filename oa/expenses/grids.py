"""The line grid of expense claims (UX 6.6): standards are hints, duplicate invoices show while typing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.pages.lines import Computed, GridColumn, GridRow, LineGrid, Total
from kit.values.errors import BusinessError, Problem
from kit.values.money import ONE, ZERO
from oa.expenses import accounting
from oa.expenses.models import ExpenseClaim
from oa.expenses.models.types import CityClass
from oa.expenses.services import LineInput, save_claim
from oa.expenses.services.lines import filled, invoice_number, rows_from, standards_for, taken_invoices


def currency_choices(user: Any) -> Sequence[tuple[str, Any]]:
    """Currencies that lines may be in, by code; empty means that of the company."""
    return [("", ""), *((code, code) for code in accounting.currencies())]


def city_choices(user: Any) -> Sequence[tuple[str, Any]]:
    """Classes of cities."""
    return [("", ""), *((value, capfirst(str(label))) for value, label in CityClass.choices)]


class ClaimGrid(LineGrid):
    """One row an expense; the base amount, the standard and what lies above it come from the server."""

    title = gettext_lazy("Expenses")
    columns = (
        GridColumn("type", gettext_lazy("Type"), "picker", resource="expensetype", width="w-140", phone="cust"),
        GridColumn("date", gettext_lazy("Date"), "date", width="w-104", phone="no"),
        GridColumn("description", gettext_lazy("Description")),
        GridColumn("city", gettext_lazy("City class"), "select", width="w-104", choices=city_choices, skip=True),
        GridColumn("days", gettext_lazy("Days"), "number", width="w-62", skip=True),
        GridColumn("currency", gettext_lazy("Currency"), "select", width="w-84", choices=currency_choices, skip=True),
        GridColumn("rate", gettext_lazy("Rate"), "number", width="w-84", skip=True),
        GridColumn("amount", gettext_lazy("Amount incl. tax"), "number", width="w-104", digits=2),
        GridColumn("tax", gettext_lazy("Tax"), "number", width="w-84", digits=2),
        GridColumn("invoice", gettext_lazy("Invoice number"), width="w-140"),
        GridColumn("department", gettext_lazy("Department"), "picker", resource="department", width="w-104", skip=True),
        GridColumn("base", gettext_lazy("Base currency"), "output", width="w-104", foot=True, phone="amt"),
        GridColumn("note", gettext_lazy("Standard"), "output", width="w-120", phone="st"),
        GridColumn("excess_reason", gettext_lazy("Why above the standard"), width="w-140", skip=True),
    )

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        rows, base = [], accounting.base_code()
        for index, line in enumerate(document.lines.select_related("type", "department").order_by("position")):
            row = GridRow(str(index), pk=line.pk)
            row.put("type", line.type, line.type_id, self.picked_text(line.type))
            if line.department is not None:
                row.put("department", line.department, line.department_id, self.picked_text(line.department))
            for name in ("date", "description", "city", "invoice", "excess_reason"):
                row.put(name, getattr(line, name))
            for name in ("amount", "tax", "days"):
                if value := getattr(line, name):
                    row.put(name, value, text=formats.trimmed(value, 0 if name == "days" else 2))
            if line.currency != base:
                row.put("currency", line.currency)
                row.put("rate", line.rate, text=formats.trimmed(line.rate))
            rows.append(row)
        return rows

    def picked_text(self, obj: Any) -> str:
        return str(obj)

    def text(self, column: GridColumn, row: GridRow) -> str:
        if column.kind == "picker":
            return row.typed.get(column.name, "")
        if column.name == "city":
            return str(dict(city_choices(None)).get(row.typed.get("city", ""), ""))
        return super().text(column, row)

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        person = document.owner if document.owner_id else user
        used = [row for row in rows if row.get("type") is not None]
        complete, problems = filled([_input(row) for row in used], person)
        if document.pk is None or document.state in ("draft", "returned"):
            problems += taken_invoices(document, [line.invoice for line in complete])
        stored = document.pk is not None and document.state not in ("draft", "returned")
        lines = rows_from(document, complete, person)
        standards = standards_for(person, [line.type for line in complete])
        for row, line, given in zip(used, lines, complete, strict=True):
            standard = standards.amount(line.type_id, line.city) if line.type.per else None
            hint = f"{formats.money(standard)} {line.type.get_per_display()}" if standard is not None else ""
            row.outputs = {"base": formats.money(line.base_amount), "note": hint}
            if line.excess:
                row.outputs["note"] = f"{hint} · +{formats.money(line.excess)}"
                row.tones["note"] = "neg"
            if given.type.per_diem and not stored:
                row.put("amount", given.amount, text=formats.trimmed(given.amount, 2))
            elif row.typed.get("currency") and row.get("rate") is None and given.rate != ONE:
                row.put("rate", given.rate, text=formats.trimmed(given.rate))
        self._hint(used, problems)
        total = sum((line.base_amount for line in lines), ZERO)
        return self._computed(document, total, sum((line.excess for line in lines), ZERO))

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        person = document.owner if document.owner_id else user
        for row in rows:
            if row.get("type") is None:
                row.errors.setdefault("type", _("Choose a type of expense."))
        mine = [row for row in rows if not row.errors]
        _lines, problems = filled([_input(row) for row in mine], person)
        if problems:
            self.add_problems(mine, BusinessError(problems=problems))

    def _hint(self, rows: Sequence[GridRow], problems: Sequence[Problem]) -> None:
        """What is wrong already shows while typing, where something was typed."""
        for problem in problems:
            row = rows[problem.row or 0] if rows else None
            if row is not None and problem.field in ("invoice", "rate", "type", "date"):
                row.errors.setdefault(problem.field, str(problem.message))

    def _computed(self, document: Any, total: Any, excess: Any) -> Computed:
        totals = [Total(_("Claimed"), formats.money(total), grand=True)]
        if excess:
            totals.insert(0, Total(_("Above the standard"), formats.money(excess)))
        notices = [("warn", _("%s is above the standard; say why.") % formats.money(excess))] if excess else []
        if document.pk and document.state in ("audited", "posted", "paid", "reversed"):
            notices = []
            totals += [
                Total(_("Allowed"), formats.money(document.allowed)),
                Total(_("Offset by advances"), formats.money(document.offset)),
                Total(_("To be paid"), formats.money(document.allowed - document.offset), grand=True),
            ]
        return Computed(
            totals=totals, live_total=formats.money(total), notices=notices, feet={"base": formats.money(total)}
        )

    def save(self, document: ExpenseClaim, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        problems = [
            Problem(_("Choose a type of expense."), "type", i) for i, row in enumerate(rows) if row.get("type") is None
        ]
        if problems:
            raise BusinessError(problems=problems)
        return save_claim(document, [_input(row) for row in rows], by=by, version=version)

    def copied_rows(self, source: Any, document: Any, user: Any) -> list[GridRow]:
        """Invoices belong to the claim they are in."""
        rows = super().copied_rows(source, document, user)
        for row in rows:
            row.put("invoice", "")
        return rows


def _input(row: GridRow) -> LineInput:
    """What a row says."""
    return LineInput(
        type=row.get("type"),
        amount=row.get("amount"),
        date=row.get("date"),
        description=row.get("description", "")[:200],
        city=row.typed.get("city", "") if row.values.get("city") else "",
        days=row.get("days", ONE),
        department=row.get("department"),
        currency=row.get("currency", ""),
        rate=row.get("rate"),
        tax=row.get("tax", ZERO),
        invoice=invoice_number(row.get("invoice", ""))[:40],
        excess_reason=row.get("excess_reason", "")[:200],
        pk=row.pk,
    )
