"""Many more of the same: whole copies of the demo's partners, goods and documents, made by the database itself.

Commands make a few hundred orders; a million would take them weeks. A copy has customers, suppliers and products of
its own, so what holds for the original holds for it: balances, stock, open items, credit. It shares accounts, periods,
people and warehouses. Keys are shifted by a fixed distance per table, numbers go on without gaps where the original's
end, and texts that name a number name the copy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pgtrigger
from django.db import connection, models
from django.db.models import Max

from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer
from crm.followups.models import FollowUp
from erp.finance.models import (
    Allocation,
    JournalEntry,
    JournalLine,
    OpenItem,
    Payment,
    PaymentAllocation,
    Supplier,
    Voucher,
    VoucherLine,
)
from erp.inventory.models import Product, StockAdjustment, StockAdjustmentLine, StockLevel, StockMove
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine, PurchaseOrder, PurchaseOrderLine
from erp.sales.models import (
    CustomerPrice,
    CustomerTerms,
    Delivery,
    DeliveryLine,
    Invoice,
    InvoiceLine,
    SalesOrder,
    SalesOrderLine,
)
from erp.setup.demo.brands import rename_customers

# Documents that ledgers name as their source, with their lines.
SOURCES: dict[type[models.Model], type[models.Model] | None] = {
    Invoice: InvoiceLine, Delivery: DeliveryLine, GoodsReceipt: GoodsReceiptLine, Bill: BillLine, Payment: None,
    Voucher: VoucherLine, StockAdjustment: StockAdjustmentLine,
}  # fmt: skip
COPIED: tuple[type[models.Model], ...] = (
    Customer, Customer.tags.through, Contact, Contract, FollowUp, Supplier, Product, CustomerTerms, CustomerPrice,
    StockLevel, SalesOrder, SalesOrderLine, PurchaseOrder, PurchaseOrderLine, *SOURCES,
    *(lines for lines in SOURCES.values() if lines), JournalEntry, JournalLine, OpenItem, Allocation, PaymentAllocation,
    StockMove,
)  # fmt: skip
NUMBERED: tuple[tuple[type[models.Model], str], ...] = (
    (Customer, "code"), (Supplier, "code"), (Contract, "number"), (SalesOrder, "number"), (PurchaseOrder, "number"),
    (JournalEntry, "number"), *((document, "number") for document in SOURCES),
)  # fmt: skip
# Texts that name numbers, besides the numbers themselves.
TELLING = {"number", "code", "source_number", "memo", "reference"}
# What must differ between a thing and its copy; `n` counts the copies.
OWN = {
    (Product, "code"): "b.code || '-' || (n + 1)",
    (Product, "name"): "b.name || ' ' || (n + 1)",
    (Product, "name_en"): "b.name_en || ' ' || (n + 1)",
    (Product, "barcode"): "''",
    (Customer, "tax_number"): "CASE b.tax_number WHEN '' THEN '' ELSE '9133' || lpad((b.id * 999983 + n)::text, 14, '0') END",
    (Customer, "phone"): "left(b.phone, -4) || lpad(((b.id * 37 + n * 101) % 10000)::text, 4, '0')",
    (Supplier, "name"): "b.name || ' ' || (n + 1)",
    (JournalEntry, "sequence"): 'b."number+"[3]::int + n * b."number+"[4]::int',
}  # fmt: skip
BATCH = 50  # copies that one statement makes
MANY = 100  # with more copies, indexes are made anew rather than kept meanwhile

# The last running number behind every head, such as SO-2611-.
_HEADS = "CREATE TEMPORARY TABLE demo_heads (head text PRIMARY KEY, last bigint) ON COMMIT DROP"
_HEAD = """
INSERT INTO demo_heads SELECT regexp_replace({column}, '[0-9]+$', ''), max(substring({column} from '[0-9]+$')::bigint)
  FROM {table} WHERE {column} ~ '[0-9]$' GROUP BY 1
    ON CONFLICT (head) DO UPDATE SET last = greatest(demo_heads.last, excluded.last)
"""
# A text in pieces: what stands before a number, its head, its running part, the last one of that head, and so on;
# the last piece is what stands behind. At most two numbers are told apart, as no text of ours names more.
_PIECES = r"""
CREATE FUNCTION pg_temp.pieces(given text) RETURNS text[] LANGUAGE plpgsql STABLE AS $body$
DECLARE part text[]; shift text; rest text := given; told text[] := '{}'; before text := '';
BEGIN
    LOOP
        part := regexp_match(rest, '^(.*?)([A-Z]{1,3}-(?:[0-9]{4}-)?)([0-9]{4,})(.*)$');
        EXIT WHEN part IS NULL OR cardinality(told) = 8;
        SELECT last INTO shift FROM demo_heads WHERE head = part[2];
        IF FOUND THEN
            told := told || ARRAY[before || part[1], part[2], part[3], shift];
            before := '';
        ELSE
            before := before || part[1] || part[2] || part[3];
        END IF;
        rest := part[4];
    END LOOP;
    RETURN told || (before || rest);
END $body$
"""
_RUNNING = "lpad((p[{a}]::bigint + n * p[{b}]::bigint)::text, greatest(length(p[{a}]), length((p[{a}]::bigint + n * p[{b}]::bigint)::text)), '0')"
_TOLD = f"""
CREATE FUNCTION pg_temp.told(p text[], n bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT CASE cardinality(p) WHEN 1 THEN p[1]
    WHEN 5 THEN p[1] || p[2] || {_RUNNING.format(a=3, b=4)} || p[5]
    ELSE p[1] || p[2] || {_RUNNING.format(a=3, b=4)} || p[5] || p[6] || {_RUNNING.format(a=7, b=8)} || p[9] END
$body$
"""
_COPY = """
WITH b AS MATERIALIZED (SELECT *{pieces} FROM {table} WHERE id <= {last})
INSERT INTO {table} ({columns}) SELECT {values} FROM b CROSS JOIN generate_series(%s::bigint, %s) n ORDER BY n, b.id
"""
_BILLED = """
CASE b.billing_name WHEN '' THEN '' ELSE (SELECT coalesce(nullif(c.invoice_title, ''), c.name)
                                            FROM {customers} c WHERE c.id = b.customer_id + n * {distance}) END
"""
# What grows with the copies: running numbers of what is copied, and the sums per account and period.
_GROWN = (
    "UPDATE oa_counter SET last = last * %s WHERE key !~ '^(role|marketing-plan):'",
    "UPDATE erp_periodbalance SET debit = debit * %s",
    "UPDATE erp_periodbalance SET credit = credit * %s",
)
# Indexes that no constraint stands on.
_INDEXES = """
SELECT c.oid::regclass::text, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
 WHERE i.indrelid = ANY(%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
"""


def make_copies(copies: int, say: Callable[[str], None]) -> None:
    """Add `copies` copies of everything that was traded, in the transaction around it."""
    with connection.cursor() as cursor:
        distance = {model: last_key(model) for model in COPIED}
        cursor.execute(_HEADS)
        for model, column in NUMBERED:
            cursor.execute(_HEAD.format(table=model._meta.db_table, column=column))
        cursor.execute(_PIECES)
        cursor.execute(_TOLD)
        statements = {model: _statement(model, distance) for model in COPIED}
        with _unguarded(cursor), _without_indexes(cursor, copies > MANY):
            for first in range(1, copies + 1, BATCH):
                batch = range(first, min(first + BATCH, copies + 1))
                for model, statement in statements.items():
                    cursor.execute(statement, [batch[0], batch[-1]])
                    if model is Customer:
                        rename_customers(cursor, distance[Customer], batch)
                if copies > MANY:
                    say(f"  copies of all that was traded: {batch[-1]:,} of {copies:,}")
            for model, last in distance.items():
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)",
                    [model._meta.db_table, max(last, 1) * (copies + 1)],
                )
            for statement in _GROWN:
                cursor.execute(statement, [copies + 1])
        cursor.execute("DROP FUNCTION pg_temp.told(text[], bigint), pg_temp.pieces(text)")


@contextmanager
def _unguarded(cursor: Any) -> Iterator[None]:
    """Without triggers, where the database lets us: the guards of posted documents and the checks of foreign keys,
    which would ask for every row. Else without our guards only. Check constraints and unique indexes hold."""
    cursor.execute("SELECT current_setting('is_superuser') = 'on'")
    if not cursor.fetchone()[0]:
        with pgtrigger.ignore():
            yield
        return
    cursor.execute("SET LOCAL session_replication_role = replica")
    yield
    cursor.execute("SET LOCAL session_replication_role = origin")


@contextmanager
def _without_indexes(cursor: Any, many: bool) -> Iterator[None]:
    """Indexes that no constraint needs are made when the rows are there, which takes a fraction of the time."""
    if not many:
        yield
        return
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what waits for its check may not lose an index
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    cursor.execute("SET LOCAL work_mem = '256MB'")
    cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
    cursor.execute(_INDEXES, [[model._meta.db_table for model in COPIED]])
    found = cursor.fetchall()
    cursor.execute("DROP INDEX " + ", ".join(name for name, _made in found))
    yield
    for _name, made in found:
        cursor.execute(made)


def last_key(model: type[models.Model]) -> int:
    """The highest key in the table of `model`."""
    return model._default_manager.aggregate(last=Max("pk"))["last"] or 0


def _statement(model: type[models.Model], distance: dict[type[models.Model], int]) -> str:
    """The INSERT that copies the rows of `model`; its parameters are the first and the last copy."""
    pairs = list(_columns(model, distance))
    telling = [f.column for f in model._meta.concrete_fields if f.column in TELLING]
    return _COPY.format(
        table=model._meta.db_table,
        pieces="".join(f', pg_temp.pieces("{column}") AS "{column}+"' for column in telling),
        last=distance[model],
        columns=", ".join(f'"{name}"' for name, _value in pairs),
        values=", ".join(value for _name, value in pairs),
    ).replace("% 10000", "%% 10000")


def _columns(model: type[models.Model], distance: dict[type[models.Model], int]) -> Iterator[tuple[str, str]]:
    """Every stored column with the SQL of its value in copy `n` of row `b`."""
    for field in model._meta.concrete_fields:
        if isinstance(field, models.GeneratedField):
            continue
        column = field.column
        if (model, field.name) == (Invoice, "billing_name"):
            yield column, _BILLED.format(customers=Customer._meta.db_table, distance=distance[Customer])
        elif (model, field.name) in OWN:
            yield column, OWN[model, field.name]
        elif field.primary_key:
            yield column, f"b.id + n * {distance[model]}"
        elif field.is_relation and field.related_model in distance:
            yield column, f"b.{column} + n * {distance[field.related_model]}"
        elif column in ("source_id", "source_line") and hasattr(model, "source_id"):
            yield column, _shifted_source(column, distance)
        elif column in TELLING:
            yield column, f'pg_temp.told(b."{column}+", n)'
        else:
            yield column, f'b."{column}"'


def _shifted_source(column: str, distance: dict[type[models.Model], int]) -> str:
    """The key of a ledger row's document or document line, which lies in the table that `source` names."""
    cases = []
    for document, lines in SOURCES.items():
        target = document if column == "source_id" else lines
        if target is not None:
            cases.append(f"WHEN '{document._meta.label_lower}' THEN {distance[target]}")
    return f"CASE WHEN b.{column} = 0 THEN 0 ELSE b.{column} + n * (CASE b.source {' '.join(cases)} ELSE 0 END) END"
