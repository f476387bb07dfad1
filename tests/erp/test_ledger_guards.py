"""S-23: what the database itself refuses, whichever way it comes (C and T in the table of invariants, rule G-03)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest
from django.utils import timezone

from erp.finance.models import (
    Account,
    Allocation,
    Currency,
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
from tests.erp.writing import INSERTS, execute, insert, refused, refused_to_change

pytestmark = pytest.mark.usefixtures("living")

GUARD = "pgtrigger: Cannot|posted document cannot|cannot be truncated"


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
    """S-23, rule G-03; invariants I-01 to I-09, I-25: save, bulk_update, update, delete, SQL."""
    rows = model.objects.filter(**given)
    row = rows.first()
    if value == 0:
        value = model._meta.get_field(field).related_model.objects.exclude(pk=getattr(row, field)).first().pk
    assert getattr(row, field) != value
    refused_to_change(row, {field: value}, GUARD)


@pytest.mark.parametrize(
    ("model", "given"),
    list(dict.fromkeys((m, tuple(g.items())) for m, g, _f, _v in FIXED)),
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_posted_cannot_be_deleted_in_any_way(model, given):
    """S-23, rule G-03: delete of a row, of a queryset, by SQL, and truncation."""
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


def post(way: str, entry: JournalEntry, *sides: tuple[str, str, int], **columns: Any) -> None:
    """Insert `entry` with lines (account code, debit or credit, amount), which share `columns`."""
    insert(way, entry)
    lines = []
    for code, side, amount in sides:
        values = {
            "entry": entry,
            "account": Account.objects.get(code=code),
            "date": entry.date,
            "currency": Currency.objects.get(code="CNY"),
            "amount": amount if side == "debit" else -amount,
            side: D(amount),
        }
        lines.append(JournalLine(**{**values, **columns}))
    if lines:
        insert(way, *lines)


GOOD = (("1001", "debit", 5), ("3001", "credit", 5))


@pytest.mark.parametrize("way", INSERTS)
class TestEntries:
    """Invariants I-01 to I-06, I-09, I-10 at the door of the ledger."""

    def test_a_sound_entry_is_taken(self, living, way):
        post(way, entry(living), *GOOD)
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
    def test_unbalanced(self, living, way, sides):
        refused(lambda: post(way, entry(living), *sides), "not balanced|cannot be added")

    @pytest.mark.parametrize(
        ("sides", "match"),
        [
            ((("1001", "debit", 0), ("3001", "credit", 0)), "line_one_side"),
            ((("1001", "debit", -5), ("3001", "credit", -5)), "line_sign"),
            ((("1002", "debit", 5), ("3001", "credit", 5)), "Group accounts"),
        ],
        ids=["zero", "negative without red", "group account"],
    )
    def test_lines(self, living, way, sides, match):
        """I-01, I-05."""
        refused(lambda: post(way, entry(living), *sides), match)

    @pytest.mark.parametrize(
        ("columns", "match"),
        [
            ({"debit": D(5), "credit": D(5)}, "line_one_side"),
            ({"red": True}, "line_sign"),
            ({"rate": D(0)}, "line_rate"),
        ],
        ids=["both sides", "red without being negative", "no rate"],
    )
    def test_columns_of_lines(self, living, way, columns, match):
        """I-01."""
        refused(lambda: post(way, entry(living), *GOOD, **columns), match)

    def test_an_entry_of_one_line(self, living, way):
        """I-04: not even sealed as one."""
        refused(lambda: post(way, entry(living, line_count=1), GOOD[0]), "entry_two_lines")

    @pytest.mark.parametrize(
        ("source", "first", "second"),
        [
            ("erp.voucher", {"currency": "USD", "amount": 3}, {"currency": "USD", "amount": -2}),
            ("erp.voucher", {"currency": "CNY", "amount": 4}, {"currency": "CNY", "amount": -5}),
            ("erp.invoice", {"currency": "USD", "amount": 3}, {"currency": "CNY", "amount": -5}),
            ("erp.payment", {"currency": "USD", "amount": 3}, {"currency": "CNY", "amount": -5}),
            ("erp.voucher", {"currency": "USD", "amount": 3}, {"currency": "CNY", "amount": -4}),
        ],
        ids=["one foreign currency", "base currency", "invoice", "payment", "exchange with another base amount"],
    )
    def test_currencies(self, living, way, source, first, second):
        """I-03."""

        def act():
            given = entry(living, source=source)
            insert(way, given)
            lines = [
                JournalLine(
                    entry=given,
                    date=given.date,
                    account=Account.objects.get(code=code),
                    currency=Currency.objects.get(code=line["currency"]),
                    amount=line["amount"],
                    **{side: D(5)},
                )
                for code, side, line in (("1001", "debit", first), ("3001", "credit", second))
            ]
            insert(way, *lines)

        refused(act, "every currency")

    def test_money_may_be_exchanged(self, living, way):
        """I-03 knows entries by hand that turn one currency into another."""
        given = entry(living)
        insert(way, given)
        common = {"entry": given, "date": given.date}
        usd, cny = Currency.objects.get(code="USD"), Currency.objects.get(code="CNY")
        bank, cash = Account.objects.get(code="100202"), Account.objects.get(code="1001")
        insert(
            way,
            JournalLine(account=bank, currency=usd, amount=D("0.7"), debit=D(5), **common),
            JournalLine(account=cash, currency=cny, amount=D(-5), credit=D(5), **common),
        )
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute("SET CONSTRAINTS ALL DEFERRED")

    def test_archived_account(self, living, way):
        """I-05, G-24: nobody posts to it by hand; reversals of what stands there are taken."""
        Account.objects.filter(code="3001").update(active=False)
        refused(lambda: post(way, entry(living), *GOOD), "Archived accounts")

    def test_lines_of_another_date(self, living, way):
        """I-05."""
        refused(
            lambda: post(way, entry(living), *GOOD, date=living.today - dt.timedelta(days=1)), "date of their entry"
        )

    def test_line_without_entry(self, living, way):
        """I-04, I-33."""
        given = entry(living)
        given.pk = 999999999
        line = {"entry": given, "date": given.date, "currency": Currency.objects.get(code="CNY")}
        refused(lambda: insert(way, JournalLine(account=Account.objects.get(code="1001"), debit=1, amount=1, **line)))

    def test_posted_tomorrow(self, living, way):
        """I-37."""
        late = timezone.now() + dt.timedelta(minutes=1)
        refused(lambda: post(way, entry(living, posted_at=late), *GOOD), "time of posting")

    def test_closed_period(self, living, way):
        closed = Period.objects.get(state="closed")
        refused(lambda: post(way, entry(living, period=closed, date=closed.end), *GOOD), "period is closed")

    def test_date_outside_of_the_period(self, living, way):
        refused(lambda: post(way, entry(living, date=living.today - dt.timedelta(days=40)), *GOOD), "period is closed")

    def test_posted_twice(self, living, way):
        other = JournalEntry.objects.first()
        same = {"source": other.source, "source_id": other.source_id, "purpose": other.purpose}
        refused(lambda: post(way, entry(living, **same), *GOOD), "entry_posted_once|entry_sequence")

    def test_number_given_twice(self, living, way):
        other = JournalEntry.objects.first()
        same = {"journal": other.journal, "period": other.period, "sequence": other.sequence, "date": other.date}
        refused(lambda: post(way, entry(living, **same), *GOOD), "entry_posted_once|entry_sequence")

    def test_reversed_twice(self, living, way):
        reversed_before = JournalEntry.objects.filter(reversal__isnull=False).first()
        refused(lambda: post(way, entry(living, reversal_of=reversed_before), *GOOD), "reversal_of")

    def test_late_lines(self, living, way):
        old = JournalEntry.objects.first()

        def add():
            line = {"entry": old, "date": old.date, "currency": Currency.objects.get(code="CNY")}
            cash, capital = Account.objects.get(code="1001"), Account.objects.get(code="3001")
            insert(
                way,
                JournalLine(account=cash, debit=1, amount=1, **line),
                JournalLine(account=capital, credit=1, amount=-1, **line),
            )

        refused(add, "cannot be added")


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

    refused_to_change(row, changes)


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
