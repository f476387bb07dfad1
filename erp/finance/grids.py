"""Line grids of vouchers and payments."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from erp.finance.currencies import base_currency, rate_on
from erp.finance.models import Currency, OpenItem
from erp.finance.models.payments import Direction
from erp.finance.services import save_payment, save_voucher
from erp.finance.services.payments import payment_sign, propose
from erp.finance.services.vouchers import EntryInput, check_lines
from kit.pages import formats
from kit.pages.lines import Computed, GridColumn, GridRow, LineGrid, Total
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.keys import is_key
from kit.values.money import ONE, ZERO, round_money


def currency_choices(user: Any) -> Sequence[tuple[str, Any]]:
    """Active currencies."""
    return [(str(pk), code) for pk, code in Currency.objects.filter(active=True).values_list("pk", "code")]


class VoucherGrid(LineGrid):
    """摘要, account, partner, debit, credit; the difference is shown live (UX 6.18)."""

    title = gettext_lazy("Entries")
    empty_rows = 2
    columns = (
        GridColumn("for", "", "hidden"),  # the currency that the rate is for
        GridColumn("memo", gettext_lazy("Summary")),
        GridColumn("account", gettext_lazy("Account"), "picker", resource="account", width="w-220"),
        GridColumn("customer", gettext_lazy("Customer"), "picker", resource="customer", width="w-140", skip=True),
        GridColumn("supplier", gettext_lazy("Supplier"), "picker", resource="supplier", width="w-140", skip=True),
        GridColumn("currency", gettext_lazy("Currency"), "select", width="w-84", choices=currency_choices, skip=True),
        GridColumn("rate", gettext_lazy("Rate"), "number", width="w-84", skip=True),
        GridColumn("debit", gettext_lazy("Debit"), "number", width="w-120", foot=True, digits=2),
        GridColumn("credit", gettext_lazy("Credit"), "number", width="w-120", foot=True, digits=2),
        GridColumn("department", gettext_lazy("Department"), "picker", resource="department", detail=True),
    )

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        rows, base = [], base_currency()
        related = ("account", "customer", "supplier", "department", "currency")
        found = document.lines.select_related(*related).order_by("position")
        for index, line in enumerate(found):
            row = GridRow(str(index), pk=line.pk)
            row.put("memo", line.memo)
            for name in ("account", "customer", "supplier", "department"):
                value = getattr(line, name)
                if value is not None and not (name == "department" and value.pk == document.department_id):
                    row.put(name, value, value.pk)
                    row.typed[name] = self.picked_text(value)
            row.put("currency", str(line.currency_id))
            row.put("for", str(line.currency_id))
            if line.currency_id != base.pk:
                row.put("rate", line.rate)
            for name in ("debit", "credit"):
                if getattr(line, name):
                    row.put(name, getattr(line, name), text=formats.trimmed(getattr(line, name), 2))
            rows.append(row)
        return rows

    def picked_text(self, obj: Any) -> str:
        return str(obj)

    def text(self, column: GridColumn, row: GridRow) -> str:
        if column.kind == "picker":
            return row.typed.get(column.name, "")
        if column.name == "currency":
            return dict(currency_choices(None)).get(row.typed.get("currency", ""), "")
        return super().text(column, row)

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        self._fill_rates(document, [row for row in rows if changed is None or row.index in changed])
        sums = {side: sum((self._base(row, side) for row in rows), ZERO) for side in ("debit", "credit")}
        difference = sums["debit"] - sums["credit"]
        totals = [
            Total(_("Debit"), formats.money(sums["debit"])),
            Total(_("Credit"), formats.money(sums["credit"])),
            Total(_("Difference"), formats.money(difference), grand=True),
        ]
        notices = [("bad", _("Debits and credits differ by %s.") % formats.money(difference))] if difference else []
        feet = {side: formats.money(value) for side, value in sums.items()}
        return Computed(totals=totals, live_total=formats.money(sums["debit"]), notices=notices, feet=feet)

    def _fill_rates(self, document: Any, rows: Sequence[GridRow]) -> None:
        """The rate of the day in rows whose currency is new; none in base currency (rule G-17)."""
        fresh = [row for row in rows if row.typed.get("currency", "") != row.typed.get("for", "")]
        if not fresh:
            return
        base = base_currency()
        currencies = {str(c.pk): c for c in Currency.objects.all()}
        for row in fresh:
            key = row.typed.get("currency", "")
            currency = currencies.get(key, base)
            given = row.get("rate") is not None and not row.typed.get("for")  # typed together with the currency
            row.put("for", key)
            if currency.pk == base.pk:
                row.typed["rate"], row.values["rate"] = "", None
            elif not given:
                with suppress(BusinessError):  # where no rate is kept, the person types it
                    row.put("rate", rate_on(currency, document.date or business_day(), base_code=base.code))

    def _base(self, row: GridRow, side: str) -> Decimal:
        return round_money(row.get(side, ZERO) * row.get("rate", ONE))

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        problems = [
            Problem(_("Choose an account."), "account", i) for i, row in enumerate(rows) if row.get("account") is None
        ]
        if problems:
            raise BusinessError(problems=problems)
        return save_voucher(document, self.inputs(rows), by=by, version=version)

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        for row in rows:
            if row.get("account") is None:
                row.errors.setdefault("account", _("Choose an account."))
        mine = [row for row in rows if not row.errors]
        try:
            check_lines(self.inputs(mine), base_currency())
        except BusinessError as error:
            self.add_problems(mine, error)

    def inputs(self, rows: Sequence[GridRow]) -> list[EntryInput]:
        """The rows as the service takes them."""
        currencies = {str(c.pk): c for c in Currency.objects.all()}
        return [
            EntryInput(
                account=row.get("account"),
                debit=row.get("debit", ZERO),
                credit=row.get("credit", ZERO),
                memo=row.get("memo", ""),
                currency=currencies.get(row.typed.get("currency", "")),
                rate=row.get("rate"),
                customer=row.get("customer"),
                supplier=row.get("supplier"),
                department=row.get("department"),
            )
            for row in rows
        ]


class PaymentGrid(LineGrid):
    """The partner's open items, and how much of each the payment settles."""

    fixed = True
    title = gettext_lazy("Open items")
    total_label = gettext_lazy("Amount")
    columns = (
        GridColumn("proposed", "", "hidden"),
        GridColumn("number", gettext_lazy("Document"), "output", width="w-140", phone="cust"),
        GridColumn("note", gettext_lazy("Kind"), "output"),
        GridColumn("due", gettext_lazy("Due"), "output", width="w-104", phone="no"),
        GridColumn("remaining", pgettext_lazy("amount", "Open"), "output", width="w-120", phone="st"),
        GridColumn("amount", gettext_lazy("Settle"), "number", width="w-140", foot=True, digits=2, phone="amt"),
    )

    def _items(self, document: Any) -> list[OpenItem]:
        """Open items of the document's partner that it could settle."""
        if not document.currency_id or not (document.customer_id or document.supplier_id):
            return []
        rows = OpenItem.objects.filter(
            customer=document.customer_id, supplier=document.supplier_id, currency=document.currency_id
        )
        rows = rows.filter(remaining__gt=0) if payment_sign(document) > 0 else rows.filter(remaining__lt=0)
        return list(rows.order_by("due_date", "pk")[:200])

    def _row(self, item: OpenItem, amount: Decimal | None) -> GridRow:
        row = GridRow(str(item.pk), pk=item.pk)
        row.outputs = {
            "number": item.number,
            "note": capfirst(item.get_kind_display()),
            "due": formats.iso_date(item.due_date),
            "remaining": formats.money(abs(item.remaining)),
        }
        if amount:
            for name in ("amount", "proposed"):
                row.put(name, amount, text=formats.trimmed(amount, 2))
        return row

    def rows_of(self, document: Any, user: Any) -> list[GridRow]:
        given = dict(document.lines.values_list("item_id", "amount")) if document.pk else {}
        if document.pk and document.state != "draft":
            return [
                self._row(item, given[item.pk])
                for item in OpenItem.objects.filter(pk__in=given).order_by("due_date", "pk")
            ]
        return [self._row(item, given.get(item.pk)) for item in self._items(document)]

    def copied_rows(self, source: Any, document: Any, user: Any) -> list[GridRow]:
        """The amount settles what is open now."""
        return self.new_rows(document, user, {})

    def new_rows(self, document: Any, user: Any, params: Any) -> list[GridRow]:
        items = self._items(document)
        wanted = params.get("item", "")
        if is_key(wanted):
            chosen = next((i for i in items if i.pk == int(wanted)), None)
            return [self._row(i, abs(i.remaining) if i is chosen else None) for i in items]
        amounts = propose(document, items) if document.amount else {}
        return [self._row(item, amounts.get(item.pk)) for item in items]

    def rows_again(self, document: Any, rows: Sequence[GridRow], heads: set[str], user: Any) -> list[GridRow] | None:
        own = any(row.typed.get("amount", "") != row.typed.get("proposed", "") for row in rows)
        if own and not heads & {"customer", "supplier", "currency"}:
            return None  # what a person typed stays
        return self.new_rows(document, user, {})

    def compute(self, document: Any, rows: Sequence[GridRow], changed: set[str] | None, user: Any) -> Computed:
        found = (
            {i.pk: i for i in OpenItem.objects.filter(pk__in=[r.pk for r in rows if r.pk])}
            if rows and not rows[0].outputs
            else {}
        )
        for row in rows:
            if row.pk in found:
                row.outputs = self._row(found[row.pk], None).outputs
        settled = sum((row.get("amount", ZERO) for row in rows), ZERO)
        amount = document.amount or ZERO
        rest = amount - settled
        refund = document.direction in (Direction.REFUND, Direction.RECOVER)
        totals = [
            Total(_("Amount"), formats.money(amount)),
            Total(_("Settled"), formats.money(settled)),
            Total(_("Not settled") if refund else _("Kept as credit"), formats.money(rest), grand=True),
        ]
        notices = [("bad", _("More is settled than the amount of the payment."))] if rest < 0 else []
        return Computed(
            totals=totals, live_total=formats.money(amount), notices=notices, feet={"amount": formats.money(settled)}
        )

    def check(self, document: Any, rows: Sequence[GridRow], user: Any) -> None:
        if problems := _negative(rows):
            self.add_problems(rows, BusinessError(problems=problems))

    def save(self, document: Any, rows: Sequence[GridRow], *, by: Any, version: int | None) -> Any:
        problems = _negative(rows)
        if problems:
            raise BusinessError(problems=problems)
        allowed = {item.pk for item in self._items(document)}
        wanted = {row.pk: row.get("amount", ZERO) for row in rows if row.pk in allowed and row.get("amount", ZERO)}
        if not rows and document.amount:
            wanted = propose(document, self._items(document))
        return save_payment(document, wanted, by=by, version=version)


def _negative(rows: Sequence[GridRow]) -> list[Problem]:
    message = _("What is settled must be more than 0.")
    return [Problem(message, "amount", i) for i, row in enumerate(rows) if row.get("amount", ZERO) < 0]
