"""What the database itself refuses, whichever way it comes (C and T in the table of invariants, rule G-03)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from erp.finance.models import (
    Account,
    Allocation,
    FiscalYear,
    JournalEntry,
    JournalLine,
    OpenItem,
    Payment,
    Period,
    Voucher,
)
from erp.inventory.models import StockLevel, StockMove
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine
from erp.sales.models import Delivery, DeliveryLine, Invoice, InvoiceLine, SalesOrder
from oa.reporting.models import OutboxMail

pytestmark = pytest.mark.usefixtures("living")

GUARD = "pgtrigger: Cannot|posted document cannot|cannot be truncated"


def execute(sql: str, *params: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)


def refused(act: Callable[[], Any], match: str | None = None) -> None:
    """The database refuses `act` at the latest when its transaction would commit."""
    with pytest.raises(DatabaseError, match=match), transaction.atomic():
        act()
        execute("SET CONSTRAINTS ALL IMMEDIATE")


FIXED = [
    (JournalEntry, {}, "date", dt.date(2020, 1, 1)),
    (JournalEntry, {}, "number", "GEN-0000-0001"),
    (JournalEntry, {}, "posted_by_id", None),
    (JournalLine, {}, "debit", D(7)),
    (JournalLine, {}, "rate", D(7)),
    (JournalLine, {}, "account_id", 0),
    (StockMove, {}, "value", D(7)),
    (StockMove, {}, "quantity", D(7)),
    (Allocation, {}, "amount", D(7)),
    (OpenItem, {}, "amount", D(7)),
    (OpenItem, {}, "due_date", dt.date(2020, 1, 1)),
    (Delivery, {"state": "posted"}, "customer_id", 0),
    (DeliveryLine, {"delivery__state": "posted"}, "quantity", D(7)),
    (GoodsReceipt, {"state": "posted"}, "date", dt.date(2020, 1, 1)),
    (GoodsReceiptLine, {"receipt__state": "posted"}, "value", D(7)),
    (Invoice, {"state": "posted"}, "total", D(7)),
    (InvoiceLine, {"invoice__state": "posted"}, "price", D(7)),
    (Bill, {"state": "posted"}, "base_total", D(7)),
    (BillLine, {"bill__state": "posted"}, "net", D(7)),
    (Payment, {"state": "posted"}, "amount", D(7)),
    (Voucher, {"state": "reversed"}, "number", "VC-0000-0001"),
]
FIXED_IDS = [f"{model.__name__}.{field}" for model, _f, field, _v in FIXED]


@pytest.mark.parametrize(("model", "given", "field", "value"), FIXED, ids=FIXED_IDS)
def test_what_is_posted_cannot_be_changed_in_any_way(model, given, field, value):
    """Rule G-03; invariants I-01 to I-09, I-25: save, bulk_update, update, delete, SQL."""
    rows = model.objects.filter(**given)
    row = rows.first()
    if value == 0:
        value = model._meta.get_field(field).related_model.objects.exclude(pk=getattr(row, field)).first().pk
    assert getattr(row, field) != value
    table, column = model._meta.db_table, model._meta.get_field(field).column

    def save():
        setattr(row, field, value)
        row.save()

    def bulk_update():
        setattr(row, field, value)
        model.objects.bulk_update([row], [field])

    refused(save, GUARD)
    refused(bulk_update, GUARD)
    refused(lambda: rows.filter(pk=row.pk).update(**{field: value}), GUARD)
    refused(lambda: execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", value, row.pk), GUARD)


@pytest.mark.parametrize(
    ("model", "given"),
    list(dict.fromkeys((m, tuple(g.items())) for m, g, _f, _v in FIXED)),
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_posted_cannot_be_deleted_in_any_way(model, given):
    """Rule G-03: delete of a row, of a queryset, by SQL, and truncation."""
    rows = model.objects.filter(**dict(given))
    row = rows.first()
    table = model._meta.db_table
    refused(row.delete)
    refused(lambda: rows.filter(pk=row.pk).delete())
    refused(lambda: rows.filter(pk=row.pk)._raw_delete("default"), GUARD)
    refused(lambda: execute(f"DELETE FROM {table} WHERE id = %s", row.pk), GUARD)
    refused(lambda: execute(f"TRUNCATE {table} CASCADE"), GUARD)


def entry(living, **changes) -> JournalEntry:
    """An entry that could be posted, with its two lines in `pending`."""
    original = JournalEntry.objects.filter(source="erp.voucher", date=living.today).first()
    values = {
        "journal": original.journal,
        "period": original.period,
        "sequence": 9000,
        "number": "GEN-X-9000",
        "date": living.today,
        "source": "erp.voucher",
        "source_id": 999999,
        "line_count": 2,
        "total": D(5),
    }
    return JournalEntry(**{**values, **changes})


def post(entry: JournalEntry, *sides: tuple[str, str, int], bulk: bool = False) -> None:
    """Insert `entry` with lines (account code, debit or credit, amount), by save or in bulk."""
    currency = JournalLine.objects.first().currency
    if bulk:
        JournalEntry.objects.bulk_create([entry])
    else:
        entry.save()
    lines = []
    for code, side, amount in sides:
        base = amount if side == "debit" else -amount
        lines.append(
            JournalLine(
                entry=entry,
                account=Account.objects.get(code=code),
                date=entry.date,
                currency=currency,
                amount=base,
                **{side: D(amount)},
            )
        )
    if bulk:
        JournalLine.objects.bulk_create(lines)
    else:
        for line in lines:
            line.save()


GOOD = (("1001", "debit", 5), ("3001", "credit", 5))


@pytest.mark.parametrize("bulk", [False, True], ids=["save", "bulk_create"])
class TestEntries:
    """Invariants I-01 to I-06, I-09, I-10 at the door of the ledger."""

    def test_a_sound_entry_is_taken(self, living, bulk):
        post(entry(living), *GOOD, bulk=bulk)
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET CONSTRAINTS ALL DEFERRED")

    @pytest.mark.parametrize(
        "sides",
        [
            (("1001", "debit", 5), ("3001", "credit", 4)),
            (("1001", "debit", 5), ("3001", "debit", 5)),
            (("1001", "debit", 5),),
            (("1001", "debit", 6), ("3001", "credit", 6)),
            (),
            (*GOOD, ("1001", "debit", 1), ("3001", "credit", 1)),
        ],
        ids=["unbalanced", "one sided", "one line", "other total", "no lines", "more lines than sealed"],
    )
    def test_unbalanced(self, living, bulk, sides):
        refused(lambda: post(entry(living), *sides, bulk=bulk))

    @pytest.mark.parametrize(
        "sides",
        [
            (("1001", "debit", 0), ("3001", "credit", 0)),
            (("1001", "debit", -5), ("3001", "credit", -5)),
            (("1002", "debit", 5), ("3001", "credit", 5)),
        ],
        ids=["zero", "negative without red", "group account"],
    )
    def test_lines(self, living, bulk, sides):
        refused(lambda: post(entry(living), *sides, bulk=bulk))

    def test_closed_period(self, living, bulk):
        closed = Period.objects.get(state="closed")
        refused(lambda: post(entry(living, period=closed, date=closed.end), *GOOD, bulk=bulk))

    def test_date_outside_of_the_period(self, living, bulk):
        refused(lambda: post(entry(living, date=living.today - dt.timedelta(days=40)), *GOOD, bulk=bulk))

    def test_posted_twice(self, living, bulk):
        other = JournalEntry.objects.first()
        same = {"source": other.source, "source_id": other.source_id, "purpose": other.purpose}
        refused(lambda: post(entry(living, **same), *GOOD, bulk=bulk))

    def test_number_given_twice(self, living, bulk):
        other = JournalEntry.objects.first()
        same = {"journal": other.journal, "period": other.period, "sequence": other.sequence, "date": other.date}
        refused(lambda: post(entry(living, **same), *GOOD, bulk=bulk))

    def test_reversed_twice(self, living, bulk):
        reversed_before = JournalEntry.objects.filter(reversal__isnull=False).first()
        refused(lambda: post(entry(living, reversal_of=reversed_before), *GOOD, bulk=bulk))

    def test_late_lines(self, living, bulk):
        old = JournalEntry.objects.first()

        def add():
            currency = JournalLine.objects.first().currency
            line = {"entry": old, "date": old.date, "currency": currency}
            cash, capital = Account.objects.get(code="1001"), Account.objects.get(code="3001")
            rows = [JournalLine(account=cash, debit=1, **line), JournalLine(account=capital, credit=1, **line)]
            JournalLine.objects.bulk_create(rows) if bulk else [row.save() for row in rows]

        refused(add)


@pytest.mark.parametrize(
    ("model", "given", "changes"),
    [
        (StockLevel, {"on_hand__gt": 0}, {"on_hand": D(-1)}),
        (StockLevel, {"on_hand__gt": 0}, {"on_hand": D(0), "reserved": D(0), "value": D(1)}),
        (StockLevel, {"on_hand__gt": 0}, {"value": D(-1)}),
        (StockLevel, {"on_hand__gt": 0}, {"reserved": D(10**6)}),
        (StockLevel, {"on_hand__gt": 0}, {"reserved": D(-1)}),
        (OpenItem, {"remaining__gt": 0}, {"remaining": D(-1)}),
        (OpenItem, {"remaining__gt": 0}, {"remaining": D(10**9)}),
        (SalesOrder, {"state": "closed"}, {"state": "draft"}),
        (Invoice, {"state": "reversed"}, {"state": "posted"}),
        (OutboxMail, {}, {"dedupe": None}),
    ],
    ids=[
        "I-18 negative stock",
        "I-17 value without stock",
        "I-17 negative value",
        "I-19 reserved too much",
        "I-19 reserved negative",
        "I-25 over-settled",
        "I-25 more open than due",
        "I-29 closed to draft",
        "I-29 reversed to posted",
        "I-38 no key",
    ],
)
def test_impossible_states_are_refused_in_any_way(model, given, changes):
    """Invariants I-17 to I-19, I-25, I-29, I-38: save, bulk_update, update, SQL."""
    row = model.objects.filter(**given).first()
    assert row is not None

    def change(write):
        def act():
            for name, value in changes.items():
                setattr(row, name, value)
            write()

        return act

    columns = ", ".join(f"{model._meta.get_field(name).column} = %s" for name in changes)
    refused(change(row.save))
    refused(change(lambda: model.objects.bulk_update([row], list(changes))))
    refused(lambda: model.objects.filter(pk=row.pk).update(**changes))
    refused(lambda: execute(f"UPDATE {model._meta.db_table} SET {columns} WHERE id = %s", *changes.values(), row.pk))


def test_a_mail_is_not_meant_twice(living):
    """Invariant I-38."""
    again = {"dedupe": living.mail.dedupe, "to": "x@example.com", "subject": "again"}
    refused(lambda: OutboxMail.objects.create(message_id="<2@sanhe>", **again))
    refused(lambda: OutboxMail.objects.bulk_create([OutboxMail(message_id="<3@sanhe>", **again)]))


def test_relations_lead_somewhere(living):
    """Invariant I-33 for ordinary relations: what is used cannot go."""
    refused(lambda: execute("DELETE FROM erp_account WHERE code = '1001'"))
    refused(lambda: execute("DELETE FROM crm_customer"))
    refused(lambda: execute("DELETE FROM erp_product"))
    refused(lambda: execute("UPDATE erp_stockmove SET entry_id = 999999999"))


def test_history_is_written_for_bulk_statements_too(living):
    """Rule G-20: an UPDATE that goes round the commands leaves the old row behind."""
    year = FiscalYear.objects.first()
    FiscalYear.objects.filter(pk=year.pk).update(name="renamed")
    history = FiscalYear.pgh_event_models["changed"]
    assert list(history.objects.filter(pgh_obj=year).values_list("name", flat=True)) == [year.name]
